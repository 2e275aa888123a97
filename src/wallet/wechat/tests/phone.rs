//! Orders that a phone opens: what is asked for, and what the phone is given.

use super::*;
use crate::wallet::{Decline, PhoneBrowser};
use serde_json::{Value, json};

const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

fn bill() -> PrecreateRequest {
    PrecreateRequest {
        order: order(),
        amount: fen(2600),
        subject: "街角咖啡".to_owned(),
        terminal: "till-1".to_owned(),
        store: None,
        expires_in_s: 120,
    }
}

/// What every such order has (JSAPI order, H5 order: request parameters).
fn order_body() -> Value {
    json!({
        "appid": "wxd678efh567hg6787",
        "mchid": "1900009191",
        "description": "街角咖啡",
        "out_trade_no": "POS01_20240102_000001",
        "time_expire": "2019-04-02T20:36:20+08:00",
        "notify_url": "https://pos.example.test/notify",
        "amount": { "total": 2600, "currency": "CNY" },
    })
}

async fn opened(answer: Says, browser: &PhoneBrowser) -> (PrecreateAnswer, Vec<(String, String)>) {
    let gateway = Gateway::that_says(&[answer]).await;
    let answer = wallet(&gateway.address).open_on_phone(&bill(), browser).await;
    (answer, gateway.heard())
}

#[tokio::test]
async fn in_wechat_the_page_gets_values_that_the_merchant_signed() {
    let browser = PhoneBrowser::Wallet { payer: Some(OPENID.to_owned()) };
    let prepay = "wx201410272009395522657a690389285100";
    let (answer, heard) = opened(says(200, &json!({ "prepay_id": prepay }).to_string()), &browser).await;
    let mut wanted = order_body();
    wanted["payer"] = json!({ "openid": OPENID });
    assert_eq!(heard[0].0, "POST /v3/pay/transactions/jsapi");
    assert_eq!(serde_json::from_str::<Value>(&heard[0].1).unwrap(), wanted);

    let PrecreateAnswer::Ready { qr_text } = answer else { panic!("{answer:?}") };
    let window: Value = serde_json::from_str(&qr_text).unwrap();
    let text = |name: &str| window[name].as_str().unwrap();
    assert_eq!((text("appId"), text("signType")), ("wxd678efh567hg6787", "RSA"));
    assert_eq!((text("timeStamp"), text("package")), ("1554208460", &*format!("prepay_id={prepay}")));
    assert_eq!(text("nonceStr"), "593BEC0C930BF1AFEB40B4A08C8FB242");
    let signed =
        format!("wxd678efh567hg6787\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\nprepay_id={prepay}\n");
    let merchant = SigningKey::read(&key("merchant", "pkcs8_der")).unwrap().verifying_key();
    merchant.verify(signed.as_bytes(), text("paySign")).unwrap();
    assert!(!format!("{browser:?}").contains(OPENID), "names of customers are not shown");
}

#[tokio::test]
async fn elsewhere_the_phone_gets_an_address_for_its_own() {
    let browser = PhoneBrowser::Other { ip: "2001:db8::7".parse().unwrap() };
    let link = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2016&package=1037687096";
    let (answer, heard) = opened(says(200, &json!({ "h5_url": link }).to_string()), &browser).await;
    let mut wanted = order_body();
    wanted["scene_info"] = json!({ "payer_client_ip": "2001:db8::7", "h5_info": { "type": "Wap" } });
    assert_eq!(heard[0].0, "POST /v3/pay/transactions/h5");
    assert_eq!(serde_json::from_str::<Value>(&heard[0].1).unwrap(), wanted);
    assert_eq!(answer, PrecreateAnswer::Ready { qr_text: link.to_owned() });
}

#[tokio::test]
async fn what_is_not_an_order_is_never_taken_for_one() {
    let inside = PhoneBrowser::Wallet { payer: Some(OPENID.to_owned()) };
    for body in ["{}", r#"{"prepay_id":""}"#, r#"{"code_url":"weixin://wxpay/bizpayurl?pr=a"}"#] {
        let (answer, _) = opened(says(200, body), &inside).await;
        assert!(matches!(answer, PrecreateAnswer::Unsure(_)), "{body}: {answer:?}");
    }
    let refusal = r#"{"code":"NO_AUTH","message":"商户无权限"}"#;
    let (answer, _) = opened(says(403, refusal), &inside).await;
    assert!(matches!(answer, PrecreateAnswer::Declined(Decline { .. })), "{answer:?}");
    let unsigned = Says { headers: vec![], ..says(200, r#"{"prepay_id":"wx1"}"#) };
    assert!(matches!(opened(unsigned, &inside).await.0, PrecreateAnswer::Unsure(_)));

    let nobody = PhoneBrowser::Wallet { payer: None };
    let (answer, heard) = opened(says(200, "{}"), &nobody).await;
    assert!(matches!(answer, PrecreateAnswer::NotSent { .. }), "{answer:?}");
    assert!(heard.is_empty(), "without a customer's name nothing is sent");
}
