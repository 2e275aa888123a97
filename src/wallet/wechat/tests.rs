//! WeChat Pay through its public door, against gateways on real ports.
//!
//! Not here: a gateway with a ledger and faults, which is a program of its own.

mod phone;

use super::*;
use crate::wallet::http::Timeouts;
use crate::wallet::signing::VerifyingKey;
use crate::wallet::{CancelAction, PayCode, RefundNumber};
use axum::Router;
use axum::extract::{Request as Heard, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use std::sync::Mutex;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// When everything here happens: the vector's time stamp.
const NOW_S: i64 = 1_554_208_460;

fn vector() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../tests/data/wechat_v3.json")).unwrap()
}

fn key(owner: &str, form: &str) -> String {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/data/alipay_keys.json")).unwrap();
    file[owner][form].as_str().unwrap().to_owned()
}

fn config(gateway: &str) -> Config {
    let gateway_key = VerifyingKey::read(&key("gateway", "spki_der")).unwrap();
    Config {
        gateway: gateway.to_owned(),
        app_id: "wxd678efh567hg6787".to_owned(),
        merchant_id: "1900009191".to_owned(),
        merchant_serial: "1dde55ad98ed71d6edd4a4a16996de7b47773a8c".to_owned(),
        merchant_key: SigningKey::read(&key("merchant", "pkcs8_der")).unwrap(),
        platform_keys: PlatformKeys::new().with_public_key("PUB_KEY_ID_TEST", gateway_key).unwrap(),
        notify_url: Some("https://pos.example.test/notify".to_owned()),
        device_ip: "127.0.0.1".to_owned(),
        timeouts: Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(5) },
        now: Arc::new(|| NOW_S * 1000 + 999),
        chance: Arc::new(|| {
            let mut draw = [0; 32];
            draw[..16].copy_from_slice(&0x593B_EC0C_930B_F1AF_EB40_B4A0_8C8F_B242_u128.to_be_bytes());
            draw
        }),
    }
}

fn wallet(gateway: &str) -> Arc<dyn Wallet> {
    Arc::new(WeChat::new(config(gateway)).unwrap())
}

fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn order() -> OrderNumber {
    OrderNumber::parse("POS01_20240102_000001").unwrap()
}

fn one_fen() -> PayRequest {
    PayRequest {
        order: order(),
        amount: fen(1),
        subject: "咖啡".to_owned(),
        pay_code: PayCode::new("130061098828009406".to_owned()).unwrap(),
        scene: Scene::BarCode,
        terminal: String::new(),
        store: Some("S01".to_owned()),
        expires_in_s: 60,
    }
}

fn one_refund() -> RefundRequest {
    RefundRequest {
        order: order(),
        refund: RefundNumber::parse("R1").unwrap(),
        amount: fen(30),
        reason: Some("cold".to_owned()),
    }
}

/// What a gateway says, and under which signature.
#[derive(Clone)]
struct Says {
    status: u16,
    body: String,
    headers: Vec<(&'static str, String)>,
}

/// An answer signed as WeChat Pay signs.
fn says(status: u16, body: &str) -> Says {
    let (timestamp, nonce) = (NOW_S.to_string(), "ANSWER1");
    let signed = format!("{timestamp}\n{nonce}\n{body}\n");
    let signature = SigningKey::read(&key("gateway", "pkcs8_der")).unwrap().sign(signed.as_bytes()).unwrap();
    let headers = vec![
        ("wechatpay-timestamp", timestamp),
        ("wechatpay-nonce", nonce.to_owned()),
        ("wechatpay-serial", "PUB_KEY_ID_TEST".to_owned()),
        ("wechatpay-signature", signature),
    ];
    Says { status, body: body.to_owned(), headers }
}

impl IntoResponse for Says {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body.into());
        *response.status_mut() = self.status.try_into().unwrap();
        for (name, value) in self.headers {
            response.headers_mut().append(name, value.parse().unwrap());
        }
        response
    }
}

type Log = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

/// A gateway that gives its answers in turn, the last for ever, and remembers what it heard.
struct Gateway {
    address: String,
    log: Log,
    _tasks: JoinSet<()>,
}

impl Gateway {
    async fn that_says(answers: &[Says]) -> Self {
        let log = Log::default();
        let heard = async |State((log, answers)): State<(Log, Vec<Says>)>, request: Heard| {
            let line = format!("{} {}", request.method(), request.uri());
            let headers = request.headers().clone();
            let body = axum::body::to_bytes(request.into_body(), 64 * 1024).await.unwrap();
            let mut log = log.lock().unwrap();
            log.push((line, headers, String::from_utf8(body.to_vec()).unwrap()));
            answers[(log.len() - 1).min(answers.len() - 1)].clone()
        };
        let app = Router::new().fallback(heard).with_state((Arc::clone(&log), answers.to_vec()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, log, _tasks: tasks }
    }

    fn heard(&self) -> Vec<(String, String)> {
        self.log.lock().unwrap().iter().map(|(line, _, body)| (line.clone(), body.clone())).collect()
    }

    fn header(&self, name: &str) -> String {
        let log = self.log.lock().unwrap();
        assert_eq!(log.len(), 1, "sent once");
        log[0].1[name].to_str().unwrap().to_owned()
    }
}

async fn pay(answer: Says) -> Answer {
    let gateway = Gateway::that_says(&[answer]).await;
    let said = wallet(&gateway.address).pay(&one_fen()).await;
    assert_eq!(gateway.heard().len(), 1, "a pay code is sent once");
    said
}

const PAID: &str = r#"{"appid":"wxd678efh567hg6787","mchid":"1900009191","out_trade_no":"POS01_20240102_000001","transaction_id":"4200000000202401020000000001","trade_type":"MICROPAY","trade_state":"SUCCESS","bank_type":"OTHERS","success_time":"2024-01-02T03:04:05+08:00","amount":{"total":1,"payer_total":1,"currency":"CNY","payer_currency":"CNY"}}"#;

#[tokio::test]
async fn a_payment_is_the_published_clients_request_to_the_byte() {
    let vector = vector();
    let headers: Vec<(&'static str, String)> = [
        ("wechatpay-timestamp", "Wechatpay-Timestamp"),
        ("wechatpay-nonce", "Wechatpay-Nonce"),
        ("wechatpay-serial", "Wechatpay-Serial"),
        ("wechatpay-signature", "Wechatpay-Signature"),
    ]
    .map(|(name, spelled)| (name, vector["response"]["headers"][spelled].as_str().unwrap().to_owned()))
    .to_vec();
    let body = vector["response"]["body"].as_str().unwrap().to_owned();
    let gateway = Gateway::that_says(&[Says { status: 202, body, headers }]).await;
    assert_eq!(wallet(&gateway.address).pay(&one_fen()).await, Answer::Pending);

    let (line, body) = gateway.heard().remove(0);
    assert_eq!(line, "POST /v3/pay/transactions/codepay");
    assert_eq!(body, vector["body"].as_str().unwrap());
    assert_eq!(gateway.header("authorization"), vector["authorization"].as_str().unwrap());
    assert_eq!(gateway.header("content-type"), "application/json");
    assert_eq!(gateway.header("accept"), "application/json");
    assert_eq!(gateway.header("wechatpay-serial"), "PUB_KEY_ID_TEST");
}

#[tokio::test]
async fn a_paid_answer_is_an_approval() {
    let Answer::Approved(approval) = pay(says(200, PAID)).await else { panic!() };
    assert_eq!(approval.trade_no, "4200000000202401020000000001");
    assert_eq!((approval.total, approval.buyer_paid), (fen(1), fen(1)));
    assert_eq!(approval.disagreement(), Ok(None));
}

#[tokio::test]
async fn each_refusal_of_a_payment_means_what_the_manual_says() {
    let refused = |status, code: &str| says(status, &format!(r#"{{"code":"{code}","message":"说明"}}"#));
    for (status, code, advice) in [
        (400, "AUTH_CODE_INVALID", Advice::NewCode),
        (403, "NOT_ENOUGH", Advice::OtherMeans),
        (401, "SIGN_ERROR", Advice::TellShop),
    ] {
        let said = pay(refused(status, code)).await;
        let decline = Decline { code: code.to_owned(), advice, message: "说明".to_owned(), left: None };
        assert_eq!(said, Answer::Declined(decline), "{code}");
    }
    assert_eq!(pay(refused(400, "USERPAYING")).await, Answer::Pending);
    assert_eq!(pay(refused(400, "ORDER_CLOSED")).await, Answer::Closed);
    for (status, code) in
        [(500, "SYSTEM_ERROR"), (500, "BANK_ERROR"), (403, "OUT_TRADE_NO_USED"), (400, "NEW")]
    {
        let said = pay(refused(status, code)).await;
        assert!(matches!(&said, Answer::Unsure(doubt) if doubt.why.contains(code)), "{said:?}");
    }
    // The status is not signed: a code in the body is a refusal under any.
    assert!(matches!(pay(refused(200, "PARAM_ERROR")).await, Answer::Unsure(_)));
}

#[tokio::test]
async fn an_answer_that_nobody_vouches_for_leaves_the_payment_unsure() {
    let without = |name: &str| {
        let mut answer = says(200, PAID);
        answer.headers.retain(|header| header.0 != name);
        answer
    };
    let with = |name: &'static str, value: &str| {
        let mut answer = without(name);
        answer.headers.push((name, value.to_owned()));
        answer
    };
    let twice = {
        let mut answer = says(200, PAID);
        answer.headers.push(("wechatpay-serial", "PUB_KEY_ID_TEST".to_owned()));
        answer
    };
    let merchants = {
        let mut answer = says(200, PAID);
        let own = SigningKey::read(&key("merchant", "pkcs8_der")).unwrap();
        answer.headers[3].1 = own.sign(format!("{NOW_S}\nANSWER1\n{PAID}\n").as_bytes()).unwrap();
        answer
    };
    for answer in [
        without("wechatpay-timestamp"),
        without("wechatpay-nonce"),
        without("wechatpay-serial"),
        without("wechatpay-signature"),
        with("wechatpay-timestamp", "1554208759"),
        with("wechatpay-timestamp", "1554208000"),
        with("wechatpay-serial", "PUB_KEY_ID_OTHER"),
        with("wechatpay-nonce", "ANSWER2"),
        with("wechatpay-signature", "WECHATPAY/SIGNTEST/AAAA"),
        twice,
        merchants,
        Says { body: PAID.replace("OTHERS", "OTHERZ"), ..says(200, PAID) },
        Says { headers: vec![], ..says(400, r#"{"code":"PARAM_ERROR"}"#) },
        Says { headers: vec![], ..says(502, "<html>busy</html>") },
        says(200, ""),
        says(200, "<html>"),
        says(200, "[]"),
        says(200, r#"{"trade_state":7}"#),
        says(302, ""),
        says(200, &" ".repeat(http::ANSWER_LIMIT_BYTES + 1)),
    ] {
        let shown = format!("{} {:?} {:.60}", answer.status, answer.headers, answer.body);
        let said = pay(answer).await;
        assert!(matches!(said, Answer::Unsure(_)), "{shown}: {said:?}");
    }
}

#[tokio::test]
async fn each_method_asks_its_own_question() {
    let precreate = PrecreateRequest {
        order: order(),
        amount: fen(1200),
        subject: "茶".repeat(50),
        terminal: "T1".to_owned(),
        store: None,
        expires_in_s: 300,
    };
    let link = "weixin://wxpay/bizpayurl?pr=p4lpSuKzz".to_owned();
    let gateway = Gateway::that_says(&[says(200, &format!(r#"{{"code_url":"{link}"}}"#))]).await;
    let ready = PrecreateAnswer::Ready { qr_text: link };
    assert_eq!(wallet(&gateway.address).precreate(&precreate).await, ready);
    let (line, body) = gateway.heard().remove(0);
    assert_eq!(line, "POST /v3/pay/transactions/native");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["description"], "茶".repeat(42), "127 bytes, whole characters");
    assert_eq!(body["time_expire"], "2019-04-02T20:39:20+08:00");
    assert_eq!(body["notify_url"], "https://pos.example.test/notify");
    assert_eq!(body["amount"], serde_json::json!({ "total": 1200, "currency": "CNY" }));

    let gateway = Gateway::that_says(&[says(200, PAID)]).await;
    assert!(matches!(wallet(&gateway.address).query(&order(), fen(1)).await, Answer::Approved(_)));
    let path = "/v3/pay/transactions/out-trade-no/POS01_20240102_000001";
    assert_eq!(gateway.heard(), [(format!("GET {path}?mchid=1900009191"), String::new())]);
    let signed = Unsigned {
        method: "GET",
        path: &format!("{path}?mchid=1900009191"),
        body: "",
        timestamp_s: NOW_S,
        nonce: "593BEC0C930BF1AFEB40B4A08C8FB242",
    };
    let merchant = SigningKey::read(&key("merchant", "pkcs8_der")).unwrap();
    let serial = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C";
    assert_eq!(
        gateway.header("authorization"),
        signed.authorization("1900009191", serial, &merchant).unwrap()
    );

    let body =
        r#"{"appid":"wxd678efh567hg6787","mchid":"1900009191","out_trade_no":"POS01_20240102_000001"}"#;
    let gateway = Gateway::that_says(&[says(200, body)]).await;
    let ended = |action| CancelAnswer::Cancelled { action };
    assert_eq!(wallet(&gateway.address).cancel(&order()).await, ended(CancelAction::Ended));
    let asked = r#"{"appid":"wxd678efh567hg6787","mchid":"1900009191"}"#;
    assert_eq!(gateway.heard(), [(format!("POST {path}/reverse"), asked.to_owned())]);

    let gateway = Gateway::that_says(&[says(204, "")]).await;
    assert_eq!(wallet(&gateway.address).close(&order()).await, ended(CancelAction::Closed));
    assert_eq!(gateway.heard(), [(format!("POST {path}/close"), r#"{"mchid":"1900009191"}"#.to_owned())]);
}

#[tokio::test]
async fn a_refund_says_the_orders_total_and_is_under_way_until_the_wallet_is_done() {
    let total = says(200, &PAID.replace(r#""total":1,"#, r#""total":100,"#));
    let answer = |status: &str| {
        let amount = r#"{"total":100,"refund":30,"payer_total":100,"payer_refund":30,"currency":"CNY"}"#;
        says(
            200,
            &format!(
                r#"{{"refund_id":"50","out_refund_no":"R1","out_trade_no":"POS01_20240102_000001","status":"{status}","amount":{amount}}}"#
            ),
        )
    };
    let gateway = Gateway::that_says(&[total.clone(), answer("PROCESSING")]).await;
    assert_eq!(wallet(&gateway.address).refund(&one_refund()).await, RefundAnswer::Pending);
    let (line, body) = gateway.heard().remove(1);
    assert_eq!(line, "POST /v3/refund/domestic/refunds");
    let sent = r#"{"out_trade_no":"POS01_20240102_000001","out_refund_no":"R1","reason":"cold","amount":{"refund":30,"total":100,"currency":"CNY"}}"#;
    assert_eq!(body, sent);

    for (status, answered) in [("SUCCESS", RefundAnswer::Refunded), ("PROCESSING", RefundAnswer::Pending)] {
        let gateway = Gateway::that_says(&[answer(status)]).await;
        assert_eq!(wallet(&gateway.address).refund_query(&one_refund()).await, answered);
        let line = "GET /v3/refund/domestic/refunds/R1".to_owned();
        assert_eq!(gateway.heard(), [(line, String::new())]);
    }
    let gateway = Gateway::that_says(&[says(404, r#"{"code":"RESOURCE_NOT_EXISTS"}"#)]).await;
    assert_eq!(wallet(&gateway.address).refund_query(&one_refund()).await, RefundAnswer::NotFound);

    // Without the total, no refund leaves.
    for (first, declined) in [
        (says(500, r#"{"code":"SYSTEM_ERROR"}"#), false),
        (says(200, r#"{"trade_state":"USERPAYING"}"#), false),
        (Says { headers: vec![], ..total.clone() }, false),
        (says(404, r#"{"code":"ORDER_NOT_EXIST"}"#), true),
    ] {
        let gateway = Gateway::that_says(&[first]).await;
        let said = wallet(&gateway.address).refund(&one_refund()).await;
        assert_eq!(gateway.heard().len(), 1);
        assert_eq!(matches!(said, RefundAnswer::Declined(_)), declined, "{said:?}");
        assert_eq!(matches!(said, RefundAnswer::NotSent { .. }), !declined, "{said:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_proves_that_the_pay_code_never_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let said = wallet(&address).pay(&one_fen()).await;
    assert!(matches!(said, Answer::NotSent { .. }), "{said:?}");
    assert!(matches!(wallet(&address).cancel(&order()).await, CancelAnswer::NotSent { .. }));
}

#[tokio::test]
async fn silence_and_dropped_lines_leave_the_payment_unsure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&format!("http://{}", listener.local_addr().unwrap()));
    config.timeouts.total = Duration::from_millis(100);
    let said = WeChat::new(config).unwrap().pay(&one_fen()).await;
    assert!(matches!(said, Answer::Unsure(_)), "{said:?}");
}

#[tokio::test]
async fn what_the_wallet_cannot_take_is_refused_before_sending() {
    let gateway = Gateway::that_says(&[says(200, PAID)]).await;
    let long = OrderNumber::parse(&"9".repeat(33)).unwrap();
    for (request, code) in [
        (PayRequest { amount: Money::new(100, Currency::JPY), ..one_fen() }, "TILL.CURRENCY"),
        (PayRequest { amount: fen(0), ..one_fen() }, "TILL.AMOUNT"),
        (PayRequest { amount: fen(MOST_FEN + 1), ..one_fen() }, "TILL.AMOUNT"),
        (PayRequest { order: long, ..one_fen() }, "TILL.NUMBER"),
        (PayRequest { scene: Scene::SecurityCode, ..one_fen() }, "TILL.SCENE"),
    ] {
        let Answer::Declined(decline) = wallet(&gateway.address).pay(&request).await else {
            panic!("{code}")
        };
        assert_eq!(decline.code, code);
    }
    let silent = WeChat::new(Config { notify_url: None, ..config(&gateway.address) }).unwrap();
    let request = PrecreateRequest {
        order: order(),
        amount: fen(1),
        subject: String::new(),
        terminal: String::new(),
        store: None,
        expires_in_s: 60,
    };
    assert!(matches!(silent.precreate(&request).await, PrecreateAnswer::Declined(_)));
    assert!(gateway.heard().is_empty());
}

#[test]
fn an_intents_id_is_an_order_number_that_the_wallet_takes() {
    let id = crate::record::ids::IntentId([0xff; 16]).to_string();
    assert!(ORDER_CHARACTERS.contains(&OrderNumber::parse(&id).unwrap().as_str().len()), "{id}");
}

#[test]
fn a_configuration_is_checked_before_anything_is_called() {
    let wrong = |change: fn(&mut Config)| {
        let mut config = config(GATEWAY);
        change(&mut config);
        WeChat::new(config).unwrap_err()
    };
    assert!(matches!(wrong(|c| c.app_id.clear()), ConfigError::AppId));
    assert!(matches!(wrong(|c| c.merchant_id = "19 00".to_owned()), ConfigError::MerchantId));
    assert!(matches!(wrong(|c| c.merchant_serial = "xyz".to_owned()), ConfigError::MerchantSerial));
    assert!(matches!(wrong(|c| c.platform_keys = PlatformKeys::new()), ConfigError::NoPlatformKey));
    assert!(matches!(wrong(|c| c.device_ip = "till".to_owned()), ConfigError::DeviceIp(_)));
    assert!(matches!(wrong(|c| c.gateway = "http://api.mch.weixin.qq.com".to_owned()), ConfigError::Http(_)));
    let own = wrong(|c| {
        let key = c.merchant_key.verifying_key();
        c.platform_keys = PlatformKeys::new().with_public_key("PUB_KEY_ID_TEST", key).unwrap();
    });
    assert!(matches!(own, ConfigError::OwnKey));
    let shown = format!("{:?}", WeChat::new(config(GATEWAY)).unwrap());
    assert_eq!(shown, "WeChat(1900009191 at https://api.mch.weixin.qq.com/)");
}

proptest::proptest! {
    /// Bodies and signatures of a paid answer with one byte changed, removed or added.
    #[test]
    fn no_change_to_a_paid_answers_bytes_is_an_approval(
        at in proptest::prelude::any::<proptest::sample::Index>(), byte: u8, how in 0..4
    ) {
        let answer = says(200, PAID);
        let mut body = answer.body.clone().into_bytes();
        let mut signature = answer.headers[3].1.clone().into_bytes();
        let target = if how == 3 { &mut signature } else { &mut body };
        let place = at.index(target.len());
        match how {
            0 | 3 if target[place] == byte => return Ok(()),
            0 | 3 => target[place] = byte,
            1 => target.insert(place, byte),
            _ => { target.remove(place); }
        }
        let keys = config(GATEWAY).platform_keys;
        let mut received = http::Received { status: 200, headers: HeaderMap::new(), body };
        for (name, value) in &answer.headers[..3] {
            received.headers.insert(*name, value.parse().unwrap());
        }
        if let Ok(value) = axum::http::HeaderValue::from_bytes(&signature) {
            received.headers.insert("wechatpay-signature", value);
        }
        proptest::prop_assert!(response::open(&received, &keys, NOW_S * 1000).is_err());
    }
}
