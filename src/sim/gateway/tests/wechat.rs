//! WeChat Pay v3: requests and answers byte for byte, and what its rules make of orders.

use serde_json::{Value, json};

use super::{
    client::vector,
    merchant::{CODE, MCHID, Merchant, keys, unseal},
};
use crate::sim::gateway::{Discount, Fault, Manner, Money, RawRequest};

#[test]
fn a_request_of_an_independent_client_is_verified_and_paid() {
    let shop = Merchant::new();
    let sample = vector("wechat_v3");
    let text = |name: &str| sample[name].as_str().unwrap().to_owned();
    let request = RawRequest {
        method: text("method"),
        target: text("path"),
        headers: vec![("authorization".to_owned(), text("authorization"))],
        body: text("body").into_bytes(),
    };
    assert_eq!(shop.send(&request).unwrap().status, 401);
    shop.now_ms.set(1_554_208_460_000);
    let answer = shop.send(&request).unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert!(shop.is_verified(|name| answer.header(name).map(str::to_owned), &answer.body));
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(told["out_trade_no"], "POS01_20240102_000001");
    assert_eq!((&told["trade_state"], &told["amount"]["payer_total"]), (&json!("SUCCESS"), &json!(1)));
}

#[test]
fn a_changed_old_or_unsigned_request_is_refused_with_a_signed_error() {
    let shop = Merchant::new();
    let good =
        shop.signed("POST", "/v3/pay/transactions/codepay", &Merchant::order("A", CODE, 100).to_string());
    let changed =
        RawRequest { body: Merchant::order("A", CODE, 101).to_string().into_bytes(), ..good.clone() };
    let unsigned = RawRequest { headers: Vec::new(), ..good.clone() };
    for request in [changed, unsigned] {
        let answer = shop.send(&request).unwrap();
        assert_eq!(answer.status, 401);
        assert!(String::from_utf8_lossy(&answer.body).contains("SIGN_ERROR"));
        assert!(shop.is_verified(|name| answer.header(name).map(str::to_owned), &answer.body));
    }
    shop.pass(301_000);
    assert_eq!(shop.send(&good).unwrap().status, 401);
    shop.pass(-1_000);
    assert_eq!(shop.send(&good).unwrap().status, 200);
    assert_eq!(shop.count("SELECT COUNT(*) FROM event WHERE kind = 'capture'"), 1);
}

#[test]
fn answers_name_the_key_that_the_client_asked_for() {
    let shop = Merchant::new();
    let mut request = shop.signed("GET", &format!("/v3/pay/transactions/out-trade-no/A?mchid={MCHID}"), "");
    let serial =
        |request: &RawRequest| shop.send(request).unwrap().header("wechatpay-serial").unwrap().to_owned();
    assert_eq!(serial(&request), keys().platform_serial());
    request.headers.push(("Wechatpay-Serial".to_owned(), "PUB_KEY_ID_0123".to_owned()));
    assert_eq!(serial(&request), "PUB_KEY_ID_0123");
}

#[test]
fn the_platform_certificate_comes_sealed_and_under_its_serial() {
    let shop = Merchant::new();
    let told = shop.ask("GET", "/v3/certificates", &Value::Null);
    let certificate = &told.body["data"][0];
    assert_eq!(certificate["serial_no"].as_str().unwrap(), keys().platform_serial());
    let pem = String::from_utf8(unseal(&certificate["encrypt_certificate"])).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"), "{pem}");
}

#[test]
fn a_buyer_who_types_a_password_is_told_by_202_and_a_state_alone() {
    let shop = Merchant::new();
    shop.strike(Fault::Customer(Manner::ConfirmAfter { after_ms: 3_000 }));
    let told = shop.pay("A", CODE, 100);
    assert_eq!((told.status, told.body), (202, json!({ "trade_state": "USERPAYING" })));
    shop.pass(2_999);
    assert_eq!(shop.state("A"), "USERPAYING");
    shop.pass(1);
    assert_eq!(shop.state("A"), "SUCCESS");
}

#[test]
fn nothing_is_reversed_within_fifteen_seconds_and_a_reversed_number_is_dead() {
    let shop = Merchant::new();
    shop.strike(Fault::Customer(Manner::WalkAway));
    shop.pay("A", CODE, 100);
    shop.pass(14_999);
    assert_eq!(shop.reverse("A").text("code"), "INVALID_REQUEST");
    assert_eq!(shop.state("A"), "USERPAYING");
    shop.pass(1);
    for _ in 0..2 {
        assert_eq!(shop.reverse("A").status, 200);
        assert_eq!(shop.state("A"), "REVOKED");
    }
    assert_eq!(shop.pay("A", "130061098828009407", 100).text("code"), "ORDER_REVERSED");
    assert_eq!(shop.count("SELECT COUNT(*) FROM event WHERE kind = 'capture'"), 0);
}

#[test]
fn reversing_a_paid_order_gives_the_rest_back_and_an_unknown_number_is_buried() {
    let shop = Merchant::new();
    shop.pay("A", CODE, 100);
    shop.refund("A", "R1", 30, 100);
    shop.pass(15_000);
    assert_eq!(shop.reverse("A").status, 200);
    assert_eq!(shop.state("A"), "REVOKED");
    assert_eq!(shop.count("SELECT refunded FROM trade"), 100);

    assert_eq!(shop.state("B"), "ORDER_NOT_EXIST");
    assert_eq!(shop.reverse("B").status, 200);
    assert_eq!(shop.pay("B", "130061098828009407", 100).text("code"), "ORDER_REVERSED");
}

#[test]
fn a_refusal_while_paying_is_a_failed_payment_that_can_be_reversed() {
    let shop = Merchant::new();
    shop.strike(Fault::Customer(Manner::RefuseAfter { after_ms: 1_000 }));
    assert_eq!(shop.pay("A", CODE, 100).status, 202);
    shop.pass(20_000);
    assert_eq!(shop.state("A"), "PAYERROR");
    assert_eq!(shop.reverse("A").status, 200);
    assert_eq!(shop.state("A"), "REVOKED");
}

#[test]
fn a_code_on_a_display_waits_is_closed_once_and_never_after_it_was_paid() {
    let shop = Merchant::new();
    let native = |number: &str| {
        let mut order = Merchant::order(number, CODE, 777);
        order["notify_url"] = json!("http://shop.example/paid");
        shop.ask("POST", "/v3/pay/transactions/native", &order)
    };
    let close = |number: &str| {
        let target = format!("/v3/pay/transactions/out-trade-no/{number}/close");
        shop.ask("POST", &target, &json!({ "mchid": MCHID }))
    };
    assert!(native("A").text("code_url").starts_with("http://sim/qr/"));
    assert_eq!(shop.state("A"), "NOTPAY");
    assert_eq!(close("A").status, 204);
    assert_eq!(shop.state("A"), "CLOSED");
    assert_eq!(close("A").text("code"), "ORDER_CLOSED");
    shop.strike(Fault::Customer(Manner::ConfirmAfter { after_ms: 0 }));
    native("B");
    assert_eq!(close("B").text("code"), "ORDER_PAID");
    assert_eq!(close("C").text("code"), "ORDER_NOT_EXIST");
    assert_eq!(shop.reverse("A").text("code"), "INVALID_REQUEST");
}

#[test]
fn an_order_for_a_phone_says_whom_or_where_it_is_for_and_how_it_was_opened() {
    let shop = Merchant::new();
    let open = |kind: &str, number: &str, more: &[(&str, Value)]| {
        let mut order = Merchant::order(number, CODE, 777);
        order["notify_url"] = json!("http://shop.example/paid");
        order["payer"] = Value::Null;
        for (name, value) in more {
            order[*name] = value.clone();
        }
        shop.ask("POST", &format!("/v3/pay/transactions/{kind}"), &order)
    };
    let openid = [("payer", json!({ "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" }))];
    let scene = json!({ "payer_client_ip": "192.0.2.7", "h5_info": { "type": "Wap" } });
    let place = [("scene_info", scene)];
    assert_eq!(open("jsapi", "A", &[]).text("code"), "PARAM_ERROR");
    assert_eq!(open("h5", "B", &[]).text("code"), "PARAM_ERROR");
    let nowhere = json!({ "payer_client_ip": "somewhere", "h5_info": { "type": "Wap" } });
    assert_eq!(open("h5", "B", &[("scene_info", nowhere)]).text("code"), "PARAM_ERROR");
    assert!(open("jsapi", "A", &openid).text("prepay_id").starts_with("wx"));
    assert!(open("h5", "B", &place).text("h5_url").starts_with("http://sim/qr/"));
    assert_eq!(open("native", "A", &[]).text("code"), "OUT_TRADE_NO_USED", "not in another way");
    for (number, kind) in [("A", "JSAPI"), ("B", "MWEB")] {
        assert_eq!((shop.state(number).as_str(), shop.query(number).text("trade_type")), ("NOTPAY", kind));
    }
}

#[test]
fn a_refund_is_made_once_for_its_number_and_never_more_than_was_paid() {
    let shop = Merchant::new();
    shop.pay("A", CODE, 1_000);
    let first = shop.refund("A", "R1", 400, 1_000);
    assert_eq!((first.status, first.text("status")), (200, "SUCCESS"));
    assert_eq!(shop.refund("A", "R1", 400, 1_000).body, first.body);
    for (refund, fen, total, status) in [
        ("R1", 500, 1_000, 400),
        ("R2", 601, 1_000, 400),
        ("R2", 600, 999, 400),
        ("R2", 0, 1_000, 400),
        ("R2", 600, 1_000, 200),
        ("R3", 1, 1_000, 400),
    ] {
        assert_eq!(shop.refund("A", refund, fen, total).status, status, "{refund} {fen} {total}");
    }
    assert_eq!(shop.count("SELECT SUM(amount) FROM refund"), 1_000);
    assert_eq!(shop.state("A"), "REFUND");
    assert_eq!(shop.refund("B", "R9", 1, 1).text("code"), "RESOURCE_NOT_EXISTS");
}

#[test]
fn a_slow_refund_is_under_way_until_its_time() {
    let shop = Merchant::new();
    shop.pay("A", CODE, 100);
    shop.strike(Fault::SlowRefund { ms: 5_000 });
    assert_eq!(shop.refund("A", "R1", 100, 100).text("status"), "PROCESSING");
    let ask = || shop.ask("GET", "/v3/refund/domestic/refunds/R1", &Value::Null).text("status").to_owned();
    assert_eq!(ask(), "PROCESSING");
    shop.pass(5_000);
    assert_eq!(ask(), "SUCCESS");
}

#[test]
fn pay_codes_pay_once_and_other_wallets_codes_never() {
    let shop = Merchant::new();
    assert_eq!(shop.pay("A", "286802123456789012", 100).text("code"), "AUTH_CODE_INVALID");
    assert_eq!(shop.pay("B", CODE, 100).status, 200);
    assert_eq!(shop.pay("C", CODE, 100).text("code"), "AUTH_CODE_INVALID");
    assert_eq!(shop.pay("B", CODE, 100).text("code"), "ORDER_PAID");
    assert_eq!(shop.pay("B", CODE, 200).text("code"), "OUT_TRADE_NO_USED");
    shop.strike(Fault::Refuse);
    assert_eq!(shop.pay("D", "130061098828009407", 100).text("code"), "NOT_ENOUGH");
}

#[test]
fn orders_of_two_merchants_and_two_wallets_do_not_meet() {
    let shop = Merchant::new();
    shop.pay("A", CODE, 100);
    let other = format!("/v3/pay/transactions/out-trade-no/A?mchid={MCHID}1");
    assert_eq!(shop.ask("GET", &other, &Value::Null).text("code"), "PARAM_ERROR");
    let missing = shop.ask("GET", "/v3/pay/transactions/out-trade-no/A", &Value::Null);
    assert_eq!(missing.text("code"), "PARAM_ERROR");
}

#[test]
fn unknown_hides_either_truth() {
    let shop = Merchant::new();
    shop.strike(Fault::Unknown { money: Money::Moved });
    let told = shop.pay("A", CODE, 100);
    assert_eq!((told.status, told.text("code"), shop.state("A").as_str()), (500, "SYSTEM_ERROR", "SUCCESS"));
    shop.strike(Fault::Unknown { money: Money::NotMoved });
    assert_eq!(shop.pay("B", "130061098828009407", 100).status, 500);
    assert_eq!(shop.state("B"), "ORDER_NOT_EXIST");
}

#[test]
fn a_discount_is_told_with_who_bears_it() {
    let shop = Merchant::new();
    shop.strike(Fault::Discounted(Discount { merchant: 800, platform: 500, points: 0 }));
    let told = shop.pay("A", CODE, 10_000);
    assert_eq!(told.body["amount"]["payer_total"], 8_700);
    let parts = told.body["promotion_detail"].as_array().unwrap();
    let borne: Vec<_> =
        parts.iter().map(|part| (&part["merchant_contribute"], &part["wechatpay_contribute"])).collect();
    assert_eq!(borne, [(&json!(800), &json!(0)), (&json!(0), &json!(500))]);
}
