//! Alipay through its public door, against gateways on real ports.
//!
//! Not here: a gateway with a ledger and faults, which is a program of its own.

use super::*;
use crate::wallet::signing::VerifyingKey;
use crate::wallet::{CancelAction, PayCode, RefundNumber, Scene};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::post;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

fn key(owner: &str, form: &str) -> String {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/data/alipay_keys.json")).unwrap();
    file[owner][form].as_str().unwrap().to_owned()
}

fn vector(name: &str) -> String {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/data/alipay_responses.json")).unwrap();
    file[name].as_str().unwrap().to_owned()
}

fn signed(method: &str, node: &str) -> String {
    let sign = SigningKey::read(&key("gateway", "pkcs8_der")).unwrap().sign(node.as_bytes()).unwrap();
    format!(r#"{{"{method}_response":{node},"sign":"{sign}"}}"#)
}

fn config(gateway: &str) -> Config {
    Config {
        gateway: gateway.to_owned(),
        app_id: "2021000000000001".to_owned(),
        app_key: SigningKey::read(&key("merchant", "pkcs8_der")).unwrap(),
        alipay_key: VerifyingKey::read(&key("gateway", "spki_der")).unwrap().into(),
        app_auth_token: None,
        notify_url: None,
        timeouts: Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(5) },
        now: Arc::new(|| 1_704_135_845_000),
    }
}

fn alipay(gateway: &str) -> Arc<dyn Wallet> {
    Arc::new(Alipay::new(config(gateway)).unwrap())
}

fn yuan(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn hundred_yuan() -> PayRequest {
    PayRequest {
        order: OrderNumber::parse("POS01_20240102_000001").unwrap(),
        amount: yuan("100.00"),
        subject: "咖啡 & 面包".to_owned(),
        pay_code: PayCode::new("286802123456789012".to_owned()).unwrap(),
        scene: Scene::BarCode,
        terminal: "T01".to_owned(),
        store: Some("S1".to_owned()),
        expires_in_s: 60,
    }
}

type Heard = Arc<Mutex<Vec<(String, String)>>>;

/// A gateway that gives one answer to everything and remembers what it heard: query and body.
struct Gateway {
    address: String,
    heard: Heard,
    _tasks: JoinSet<()>,
}

impl Gateway {
    async fn that_says(answer: String) -> Self {
        let heard = Heard::default();
        let app = Router::new()
            .route(
                "/gateway.do",
                post(
                    async |State((heard, answer)): State<(Heard, String)>, RawQuery(query), body: String| {
                        heard.lock().unwrap().push((query.unwrap_or_default(), body));
                        answer
                    },
                ),
            )
            .with_state((Arc::clone(&heard), answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/gateway.do", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, heard, _tasks: tasks }
    }

    /// What was heard once and only once.
    fn once(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let heard = self.heard.lock().unwrap();
        assert_eq!(heard.len(), 1, "sent once");
        (decoded(&heard[0].0), decoded(&heard[0].1))
    }
}

/// Undoes application/x-www-form-urlencoded with another implementation than the one that is tested.
fn decoded(text: &str) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://127.0.0.1/?{text}")).unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_payment_goes_out_signed_and_comes_back_approved() {
    let gateway = Gateway::that_says(vector("pay_10000")).await;
    let answer = alipay(&gateway.address).pay(&hundred_yuan()).await;
    let Answer::Approved(approval) = answer else { panic!("{answer:?}") };
    assert_eq!(approval.trade_no, "2024010222001412345678901234");
    assert_eq!(approval.disagreement(), Ok(None));
    assert_eq!(approval.buyer_masked.unwrap(), "159****5620");
    assert_eq!(approval.paid_at.unwrap(), "2024-01-02 03:04:59");

    let (mut query, body) = gateway.once();
    assert_eq!(body.keys().collect::<Vec<_>>(), ["biz_content"]);
    let sign = query.remove("sign").unwrap();
    query.extend(body.clone());
    let text = query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let merchant = VerifyingKey::read(&key("merchant", "spki_der")).unwrap();
    assert_eq!(merchant.verify(text.as_bytes(), &sign), Ok(()), "{text}");
    assert_eq!(query["timestamp"], "2024-01-02 03:04:05");
    assert_eq!(query["method"], "alipay.trade.pay");
    assert!(!query.contains_key("notify_url"), "blank parameters are not sent");
    let content: serde_json::Value = serde_json::from_str(&body["biz_content"]).unwrap();
    assert_eq!(content["total_amount"], "100.00");
    assert_eq!(content["auth_code"], "286802123456789012");
}

#[tokio::test]
async fn each_method_reads_its_own_answer() {
    let order = OrderNumber::parse("A").unwrap();
    let request = RefundRequest {
        order: order.clone(),
        refund: RefundNumber::parse("R1").unwrap(),
        amount: yuan("1.00"),
        reason: Some("cold".to_owned()),
    };
    let precreate = PrecreateRequest {
        order: order.clone(),
        amount: yuan("1.00"),
        subject: "tea".to_owned(),
        terminal: "T1".to_owned(),
        store: None,
        expires_in_s: 300,
    };

    let gateway = Gateway::that_says(vector("precreate_escaped_slash")).await;
    let qr_text = "https://qr.alipay.com/bax03431ljhokirwl38f00a7".to_owned();
    assert_eq!(alipay(&gateway.address).precreate(&precreate).await, PrecreateAnswer::Ready { qr_text });
    assert_eq!(gateway.once().0["method"], "alipay.trade.precreate");

    let gateway = Gateway::that_says(vector("sign_first")).await;
    let closed = CancelAnswer::Cancelled { action: CancelAction::Closed };
    assert_eq!(alipay(&gateway.address).cancel(&order).await, closed);
    assert_eq!(gateway.once().0["method"], "alipay.trade.cancel");

    let gateway = Gateway::that_says(vector("cancel_retry")).await;
    assert_eq!(alipay(&gateway.address).cancel(&order).await, CancelAnswer::Retry);

    let node = r#"{"code":"10000","out_trade_no":"A","trade_no":"1"}"#;
    let gateway = Gateway::that_says(signed("alipay_trade_close", node)).await;
    assert_eq!(alipay(&gateway.address).close(&order).await, closed);
    assert_eq!(gateway.once().1["biz_content"], r#"{"out_trade_no":"A"}"#);

    let node = r#"{"code":"10000","out_trade_no":"A","trade_no":"1","trade_status":"WAIT_BUYER_PAY"}"#;
    let gateway = Gateway::that_says(signed("alipay_trade_query", node)).await;
    assert_eq!(alipay(&gateway.address).query(&order, yuan("1.00")).await, Answer::Pending);
    assert_eq!(gateway.once().1["biz_content"], r#"{"out_trade_no":"A"}"#);

    let node = r#"{"code":"10000","out_trade_no":"A","fund_change":"Y"}"#;
    let gateway = Gateway::that_says(signed("alipay_trade_refund", node)).await;
    assert_eq!(alipay(&gateway.address).refund(&request).await, RefundAnswer::Refunded);
    let content =
        r#"{"out_trade_no":"A","out_request_no":"R1","refund_amount":"1.00","refund_reason":"cold"}"#;
    assert_eq!(gateway.once().1["biz_content"], content);

    let node = r#"{"code":"10000","out_trade_no":"A","out_request_no":"R1","refund_amount":"1.00"}"#;
    let gateway = Gateway::that_says(signed("alipay_trade_fastpay_refund_query", node)).await;
    assert_eq!(alipay(&gateway.address).refund_query(&request).await, RefundAnswer::Refunded);
    assert_eq!(gateway.once().0["method"], "alipay.trade.fastpay.refund.query");
}

#[tokio::test]
async fn with_certificates_a_request_names_them_under_its_signature() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/data/wallet_certificates.json")).unwrap();
    let made = |owner: &str, what: &str| file[owner][what].as_str().unwrap().to_owned();
    let roots = include_str!("../../../tests/data/alipay_root_bundle.pem");
    let certificates = Certificates::read(&made("app", "pem"), roots, &made("alipay", "pem")).unwrap();
    let number = made("alipay", "md5_of_issuer_and_serial");
    let answer = vector("pay_10000").replacen('{', &format!(r#"{{"alipay_cert_sn":"{number}","#), 1);
    let gateway = Gateway::that_says(answer).await;
    let wallet = Alipay::new(Config { alipay_key: certificates.into(), ..config(&gateway.address) }).unwrap();
    assert!(matches!(wallet.pay(&hundred_yuan()).await, Answer::Approved(_)));
    let (mut query, body) = gateway.once();
    assert_eq!(query["app_cert_sn"], made("app", "md5_of_issuer_and_serial"));
    assert_eq!(
        query["alipay_root_cert_sn"],
        "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6"
    );
    let sign = query.remove("sign").unwrap();
    query.extend(body);
    let text = query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let merchant = VerifyingKey::read(&key("merchant", "spki_der")).unwrap();
    assert_eq!(merchant.verify(text.as_bytes(), &sign), Ok(()), "{text}");
}

#[tokio::test]
async fn an_answer_that_nobody_vouches_for_leaves_the_payment_unsure() {
    let good = vector("pay_10000");
    let (unsigned, _) = good.split_once(",\"sign\"").unwrap();
    let error = r#"{"error_response":{"code":"40002","sub_code":"isv.invalid-signature"}}"#;
    for answer in [
        vector("pay_20000"),
        vector("sign_first"),
        good.replace("\"92.00\"", "\"92.01\""),
        format!("{unsigned}}}"),
        error.to_owned(),
        "<html>busy</html>".to_owned(),
        String::new(),
        " ".repeat(http::ANSWER_LIMIT_BYTES + 1),
    ] {
        let gateway = Gateway::that_says(answer.clone()).await;
        let said = alipay(&gateway.address).pay(&hundred_yuan()).await;
        let shown: String = answer.chars().take(80).collect();
        assert!(matches!(said, Answer::Unsure(_)), "{shown}: {said:?}");
        gateway.once();
    }
}

#[tokio::test]
async fn a_gateway_that_is_down_or_has_moved_leaves_the_payment_unsure() {
    let gateway = Gateway::that_says(vector("pay_10000")).await;
    let elsewhere = gateway.address.replace("gateway.do", "old.do");
    let said = alipay(&elsewhere).pay(&hundred_yuan()).await;
    assert_eq!(said, Answer::Unsure(Doubt { why: "the gateway answered with HTTP status 404".to_owned() }));
}

#[tokio::test]
async fn a_refused_connection_proves_that_the_pay_code_never_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/gateway.do", listener.local_addr().unwrap());
    drop(listener);
    let said = alipay(&address).pay(&hundred_yuan()).await;
    assert!(matches!(said, Answer::NotSent { .. }), "{said:?}");
    let said = alipay(&address).cancel(&OrderNumber::parse("A").unwrap()).await;
    assert!(matches!(said, CancelAnswer::NotSent { .. }), "{said:?}");
}

#[tokio::test]
async fn a_line_that_drops_before_the_answer_leaves_the_payment_unsure_and_is_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/gateway.do", listener.local_addr().unwrap());
    let connections = Arc::new(Mutex::new(0));
    let count = Arc::clone(&connections);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            *count.lock().unwrap() += 1;
            let mut request = vec![0; 16 * 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
        }
    });
    let said = alipay(&address).pay(&hundred_yuan()).await;
    assert!(matches!(said, Answer::Unsure(_)), "{said:?}");
    assert_eq!(*connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_leaves_the_payment_unsure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&format!("http://{}/gateway.do", listener.local_addr().unwrap()));
    config.timeouts.total = Duration::from_millis(100);
    let said = Alipay::new(config).unwrap().pay(&hundred_yuan()).await;
    let Answer::Unsure(doubt) = said else { panic!("{said:?}") };
    assert!(!doubt.why.contains("sign="), "addresses with their query stay out of logs: {}", doubt.why);
}

#[tokio::test]
async fn an_amount_that_the_wallet_cannot_take_is_refused_before_sending() {
    let gateway = Gateway::that_says(String::new()).await;
    for (amount, code) in [
        (Money::new(100, Currency::JPY), "TILL.CURRENCY"),
        (yuan("0"), "TILL.AMOUNT"),
        (yuan("-1"), "TILL.AMOUNT"),
        (yuan("100000000.01"), "TILL.AMOUNT"),
    ] {
        let said = alipay(&gateway.address).pay(&PayRequest { amount, ..hundred_yuan() }).await;
        let Answer::Declined(decline) = said else { panic!("{said:?}") };
        assert_eq!((decline.code.as_str(), decline.advice), (code, Advice::TellShop));
    }
    assert!(gateway.heard.lock().unwrap().is_empty());
}

#[test]
fn a_configuration_is_checked_before_anything_is_called() {
    let own = SigningKey::read(&key("merchant", "pkcs8_der")).unwrap().verifying_key();
    let mixed = Config { alipay_key: own.into(), ..config(GATEWAY) };
    assert!(matches!(Alipay::new(mixed).unwrap_err(), ConfigError::OwnKey));
    let certificates = |app: &str| {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/wallet_certificates.json")).unwrap();
        let pem = |owner: &str| file[owner]["pem"].as_str().unwrap().to_owned();
        let roots = include_str!("../../../tests/data/alipay_root_bundle.pem");
        Certificates::read(&pem(app), roots, &pem("alipay")).unwrap()
    };
    assert!(Alipay::new(Config { alipay_key: certificates("app").into(), ..config(GATEWAY) }).is_ok());
    let other = Config { alipay_key: certificates("ca").into(), ..config(GATEWAY) };
    assert!(matches!(Alipay::new(other).unwrap_err(), ConfigError::OtherCertificate));
    let nameless = Config { app_id: String::new(), ..config(GATEWAY) };
    assert!(matches!(Alipay::new(nameless).unwrap_err(), ConfigError::AppId));
    let open = config("http://openapi.alipay.com/gateway.do");
    assert!(matches!(Alipay::new(open).unwrap_err(), ConfigError::Http(_)));
    let shown = format!("{:?}", Alipay::new(config(GATEWAY)).unwrap());
    assert_eq!(shown, "Alipay(2021000000000001 at https://openapi.alipay.com/gateway.do)");
}
