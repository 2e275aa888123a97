//! A WeChat Pay merchant that shares nothing with the gateway, and a gateway without a port at a time of our own.

use std::{
    cell::Cell,
    sync::{Arc, OnceLock},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    rand::SystemRandom,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use serde_json::{Value, json};

use super::client::vector;
use crate::sim::gateway::{Fault, Gateway, Keys, RawRequest, RawResponse, Rule, Settings};

pub(in crate::sim::gateway) const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub(in crate::sim::gateway) const MCHID: &str = "1900009191";
pub(in crate::sim::gateway) const CODE: &str = "130061098828009406";

fn der(owner: &str, form: &str) -> Vec<u8> {
    STANDARD.decode(vector("keys")[owner][form].as_str().unwrap()).unwrap()
}

pub(in crate::sim::gateway) fn keys() -> Arc<Keys> {
    static KEYS: OnceLock<Arc<Keys>> = OnceLock::new();
    let make = || Keys::of(&der("merchant", "spki_der"), &der("gateway", "pkcs8_der"), API_V3_KEY).unwrap();
    Arc::clone(KEYS.get_or_init(|| Arc::new(make())))
}

/// A merchant beside a gateway in memory.
pub(in crate::sim::gateway) struct Merchant {
    pub(in crate::sim::gateway) gateway: Gateway,
    pub(in crate::sim::gateway) now_ms: Cell<i64>,
    key: RsaKeyPair,
    gateway_pkcs1: Vec<u8>,
}

/// A verified answer.
#[derive(Debug)]
pub(in crate::sim::gateway) struct Told {
    pub(in crate::sim::gateway) status: u16,
    pub(in crate::sim::gateway) body: Value,
}

impl Told {
    pub(in crate::sim::gateway) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

impl Merchant {
    pub(in crate::sim::gateway) fn new() -> Merchant {
        let settings = Settings { seed: 7, public_base: "http://sim".to_owned(), ..Settings::default() };
        let gateway = RsaKeyPair::from_pkcs8(&der("gateway", "pkcs8_der")).unwrap();
        Merchant {
            gateway: Gateway::in_memory(keys(), settings).unwrap(),
            now_ms: Cell::new(1_704_135_845_000),
            key: RsaKeyPair::from_pkcs8(&der("merchant", "pkcs8_der")).unwrap(),
            gateway_pkcs1: gateway.public().as_ref().to_vec(),
        }
    }

    pub(in crate::sim::gateway) fn pass(&self, ms: i64) {
        self.now_ms.set(self.now_ms.get() + ms);
    }

    pub(in crate::sim::gateway) fn strike(&self, fault: Fault) {
        self.gateway.faults().add(Rule { times: Some(1), ..Rule::of(fault) }).unwrap();
    }

    pub(in crate::sim::gateway) fn signed(&self, method: &str, target: &str, body: &str) -> RawRequest {
        let timestamp = self.now_ms.get() / 1_000;
        let text = format!("{method}\n{target}\n{timestamp}\nNONCE\n{body}\n");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{MCHID}\",nonce_str=\"NONCE\",signature=\"{}\",\
             timestamp=\"{timestamp}\",serial_no=\"AA\"",
            STANDARD.encode(signature)
        );
        RawRequest {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("Authorization".to_owned(), authorization)],
            body: body.as_bytes().to_vec(),
        }
    }

    pub(in crate::sim::gateway) fn send(&self, request: &RawRequest) -> Option<RawResponse> {
        self.gateway.handle(request, self.now_ms.get())
    }

    /// Whether the gateway signed exactly this.
    pub(in crate::sim::gateway) fn is_verified(
        &self,
        headers: impl Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> bool {
        let part = |name: &str| headers(name).unwrap_or_default();
        let mut text = format!("{}\n{}\n", part("wechatpay-timestamp"), part("wechatpay-nonce")).into_bytes();
        text.extend(body);
        text.push(b'\n');
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.gateway_pkcs1);
        let signature = STANDARD.decode(part("wechatpay-signature")).unwrap_or_default();
        key.verify(&text, &signature).is_ok()
    }

    /// Asks, and sees that the answer is signed.
    pub(in crate::sim::gateway) fn ask(&self, method: &str, target: &str, body: &Value) -> Told {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(&self.signed(method, target, &body)).unwrap();
        let verified = self.is_verified(|name| answer.header(name).map(str::to_owned), &answer.body);
        assert!(verified, "{}", String::from_utf8_lossy(&answer.body));
        let body = if answer.body.is_empty() { Value::Null } else { read(&answer.body) };
        Told { status: answer.status, body }
    }

    pub(in crate::sim::gateway) fn order(number: &str, code: &str, fen: i64) -> Value {
        json!({
            "appid": "wx1",
            "mchid": MCHID,
            "description": "咖啡",
            "out_trade_no": number,
            "payer": { "auth_code": code },
            "amount": { "total": fen, "currency": "CNY" },
        })
    }

    pub(in crate::sim::gateway) fn pay(&self, number: &str, code: &str, fen: i64) -> Told {
        self.ask("POST", "/v3/pay/transactions/codepay", &Merchant::order(number, code, fen))
    }

    pub(in crate::sim::gateway) fn state(&self, number: &str) -> String {
        let told = self.query(number);
        let name = if told.status == 200 { "trade_state" } else { "code" };
        told.text(name).to_owned()
    }

    pub(in crate::sim::gateway) fn query(&self, number: &str) -> Told {
        let target = format!("/v3/pay/transactions/out-trade-no/{number}?mchid={MCHID}");
        self.ask("GET", &target, &Value::Null)
    }

    pub(in crate::sim::gateway) fn reverse(&self, number: &str) -> Told {
        let target = format!("/v3/pay/transactions/out-trade-no/{number}/reverse");
        self.ask("POST", &target, &json!({ "appid": "wx1", "mchid": MCHID }))
    }

    pub(in crate::sim::gateway) fn refund(&self, number: &str, refund: &str, fen: i64, total: i64) -> Told {
        let body = json!({
            "out_trade_no": number,
            "out_refund_no": refund,
            "amount": { "refund": fen, "total": total, "currency": "CNY" },
            "notify_url": "http://shop.example/refund",
        });
        self.ask("POST", "/v3/refund/domestic/refunds", &body)
    }

    /// One number out of the books.
    pub(in crate::sim::gateway) fn count(&self, sql: &str) -> i64 {
        let read = |books: &crate::sim::gateway::books::Books<'_>| {
            books.transaction.query_row(sql, [], |row| row.get(0))
        };
        self.gateway.on_books(self.now_ms.get(), read).unwrap()
    }
}

pub(in crate::sim::gateway) fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// What is sealed under the APIv3 key, opened.
pub(in crate::sim::gateway) fn unseal(sealed: &Value) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, API_V3_KEY.as_bytes()).unwrap());
    let text = |name: &str| sealed[name].as_str().unwrap();
    let nonce = Nonce::try_assume_unique_for_key(text("nonce").as_bytes()).unwrap();
    let mut bytes = STANDARD.decode(text("ciphertext")).unwrap();
    let associated = Aad::from(text("associated_data").as_bytes());
    key.open_in_place(nonce, associated, &mut bytes).unwrap().to_vec()
}
