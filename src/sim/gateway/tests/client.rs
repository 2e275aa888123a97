//! A merchant's client that shares nothing with the gateway: it signs, sends, and verifies literal bytes.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sim::gateway::{Config, Fault, Rule, Running, start};

pub(super) const CODE: &str = "286802123456789012";

/// A gateway with the test keys, and a client of it.
pub(super) struct Shop {
    running: Option<Running>,
    pub(super) dir: TempDir,
    pub(super) clock_ms: Arc<AtomicI64>,
    pub(super) http: reqwest::Client,
    merchant: Arc<RsaKeyPair>,
    gateway_pkcs1: Vec<u8>,
}

/// An answer, and whether its signature is right over its literal bytes.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) raw: String,
    pub(super) node: Value,
    pub(super) is_verified: bool,
}

impl Answer {
    pub(super) fn text(&self, name: &str) -> &str {
        self.node[name].as_str().unwrap_or("")
    }

    /// The sub code, or the code where there is none.
    pub(super) fn outcome(&self) -> &str {
        self.node["sub_code"].as_str().unwrap_or(self.text("code"))
    }
}

pub(super) fn vector(name: &str) -> Value {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn key(owner: &str, form: &str) -> String {
    vector("keys")[owner][form].as_str().unwrap().to_owned()
}

impl Shop {
    pub(super) async fn open() -> Shop {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let pem =
            |kind: &str, base64: String| format!("-----BEGIN {kind}-----\n{base64}\n-----END {kind}-----\n");
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("merchant.pub.pem"), pem("PUBLIC KEY", key("merchant", "spki_der"))).unwrap();
        std::fs::write(path("gateway.pkcs8.pem"), pem("PRIVATE KEY", key("gateway", "pkcs8_der"))).unwrap();
        let merchant =
            RsaKeyPair::from_pkcs8(&STANDARD.decode(key("merchant", "pkcs8_der")).unwrap()).unwrap();
        let gateway = RsaKeyPair::from_pkcs8(&STANDARD.decode(key("gateway", "pkcs8_der")).unwrap()).unwrap();
        let mut shop = Shop {
            running: None,
            dir,
            clock_ms: Arc::new(AtomicI64::new(1_704_135_845_000)),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            merchant: Arc::new(merchant),
            gateway_pkcs1: gateway.public().as_ref().to_vec(),
        };
        shop.start().await;
        shop
    }

    async fn start(&mut self) {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            dir: self.dir.path().to_owned(),
            keys: Some(self.dir.path().to_owned()),
            faults: None,
            seed: 7,
            public_base: None,
        };
        let clock = Arc::clone(&self.clock_ms);
        self.running = Some(start(config, move || clock.load(Ordering::Relaxed)).await.unwrap());
    }

    pub(super) async fn restart(&mut self) {
        self.running.take().unwrap().shutdown().await;
        self.start().await;
    }

    pub(super) fn gateway(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway().address())
    }

    pub(super) fn strike(&self, fault: Fault) {
        self.gateway().faults().add(Rule { times: Some(1), ..Rule::of(fault) }).unwrap();
    }

    pub(super) fn pass(&self, ms: i64) {
        self.clock_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Query and form of a signed request, as the official SDK splits them.
    pub(super) fn signed(&self, method: &str, content: &Value) -> (String, String) {
        self.signed_with(method, content, &[])
    }

    /// The same with more parameters.
    pub(super) fn signed_with(
        &self,
        method: &str,
        content: &Value,
        more: &[(&str, &str)],
    ) -> (String, String) {
        let content = content.to_string();
        let mut params = vec![
            ("app_id", "2021000000000001"),
            ("biz_content", &content),
            ("charset", "utf-8"),
            ("method", method),
            ("sign_type", "RSA2"),
            ("timestamp", "2024-01-02 03:04:05"),
            ("version", "1.0"),
        ];
        params.extend_from_slice(more);
        params.sort_unstable();
        let to_sign: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut signature = vec![0; self.merchant.public().modulus_len()];
        let random = SystemRandom::new();
        self.merchant.sign(&RSA_PKCS1_SHA256, &random, to_sign.join("&").as_bytes(), &mut signature).unwrap();
        let encoded = |(name, value): &(&str, &str)| format!("{name}={}", encode(value));
        let query: Vec<String> =
            params.iter().filter(|(name, _)| *name != "biz_content").map(encoded).collect();
        let signature = encode(&STANDARD.encode(signature));
        (format!("{}&sign={signature}", query.join("&")), format!("biz_content={}", encode(&content)))
    }

    pub(super) async fn send(&self, query: &str, form: String) -> Result<Answer, reqwest::Error> {
        let url = self.url(&format!("/gateway.do?{query}"));
        let kind = "application/x-www-form-urlencoded;charset=utf-8";
        let raw = self.http.post(url).header("content-type", kind).body(form).send().await?.text().await?;
        Ok(self.read(raw))
    }

    pub(super) fn read(&self, raw: String) -> Answer {
        let whole: Value = serde_json::from_str(&raw).unwrap();
        let (name, node) = whole.as_object().unwrap().iter().find(|(name, _)| *name != "sign").unwrap();
        let start = raw.find(&format!("\"{name}\":")).unwrap() + name.len() + 3;
        let is_verified = whole["sign"].as_str().is_some_and(|signature| {
            let end = raw.rfind(",\"sign\":").unwrap();
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.gateway_pkcs1);
            key.verify(&raw.as_bytes()[start..end], &STANDARD.decode(signature).unwrap()).is_ok()
        });
        let node = node.clone();
        Answer { raw, node, is_verified }
    }

    pub(super) async fn call(&self, method: &str, content: Value) -> Result<Answer, reqwest::Error> {
        let (query, form) = self.signed(&format!("alipay.trade.{method}"), &content);
        self.send(&query, form).await
    }

    /// A verified answer.
    pub(super) async fn ask(&self, method: &str, content: Value) -> Answer {
        let answer = self.call(method, content).await.unwrap();
        assert!(answer.is_verified, "{}", answer.raw);
        answer
    }

    pub(super) async fn pay(&self, number: &str, code: &str, amount: &str) -> Answer {
        self.ask("pay", order(number, code, amount)).await
    }

    pub(super) async fn status(&self, number: &str) -> String {
        let answer = self.ask("query", json!({ "out_trade_no": number })).await;
        answer.node["trade_status"].as_str().unwrap_or(answer.outcome()).to_owned()
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(self.url(path)).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
    }

    /// One number out of the ledger file, read as an auditor would.
    pub(super) fn count(&self, sql: &str) -> i64 {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let books = Connection::open_with_flags(self.gateway().ledger_path(), flags).unwrap();
        books.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(super) fn captures(&self) -> i64 {
        let rows = self.count("SELECT COUNT(*) FROM event WHERE kind = 'capture'");
        assert_eq!(rows, self.count("SELECT COALESCE(SUM(captures), 0) FROM trade"));
        rows
    }
}

pub(super) fn order(number: &str, code: &str, amount: &str) -> Value {
    json!({ "out_trade_no": number, "scene": "bar_code", "auth_code": code, "subject": "咖啡 & a/b", "total_amount": amount })
}

pub(super) fn encode(text: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(one).collect()
}
