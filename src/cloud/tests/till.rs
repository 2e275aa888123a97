//! A till for tests: a device key, a stream of sealed records, signed requests.

use super::shop::Shop;
use crate::keys::DeviceKey;
use crate::keys::request::{Parameters, sign_request};
use crate::money::{Currency, Money};
use crate::record::body::{Body, Place, SaleKind};
use crate::record::chain::{Hash, Tip};
use crate::record::ids::{IntentId, SaleId};
use crate::record::line::{Line, LineId, LineKind, PriceFrom, Quantity};
use crate::record::{Epoch, FORMAT, Header, Mode, Moment, Record};
use crate::tax::TaxRate;
use crate::token::{Order, TerminalTag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub(super) struct Till {
    pub(super) id: String,
    pub(super) key: DeviceKey,
    pub(super) base: String,
    pub(super) http: reqwest::Client,
    pub(super) now_ms: Arc<AtomicI64>,
    pub(super) epoch: Epoch,
    pub(super) tip: Tip,
    pub(super) nonces: AtomicU64,
}

pub(super) type Answer = (u16, Value);

impl Till {
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub(super) async fn call(&self, method: &str, target: &str, body: &[u8]) -> Answer {
        let nonce = self.nonces.fetch_add(1, Ordering::SeqCst);
        self.call_with(method, target, body, &format!("nonce-{nonce}"), &self.key).await
    }

    pub(super) async fn call_with(
        &self,
        method: &str,
        target: &str,
        body: &[u8],
        nonce: &str,
        key: &DeviceKey,
    ) -> Answer {
        let created = self.now_ms() / 1000;
        let parameters = Parameters { created, nonce: nonce.to_owned(), keyid: self.id.clone() };
        let headers = sign_request(method, target, body, &parameters, key).unwrap();
        let response = self
            .http
            .request(method.parse().unwrap(), format!("{}{target}", self.base))
            .header("content-digest", headers.content_digest)
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .body(body.to_vec())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// The same till, now that the cloud listens elsewhere.
    pub(super) fn move_to(&mut self, shop: &Shop) {
        self.base = format!("http://{}", shop.cloud.address());
    }

    pub(super) async fn ask_pairing(&self) -> Answer {
        let body = json!({
            "terminal": self.id, "name": "Counter", "public_key": BASE64.encode(self.key.public()),
        });
        self.call("POST", "/v1/pairings", body.to_string().as_bytes()).await
    }

    fn header(&self) -> Header {
        Header {
            format: FORMAT,
            terminal: self.id.parse().unwrap(),
            epoch: self.epoch,
            seq: self.tip.seq + 1,
            previous: self.tip.head,
            kind: String::new(),
            kind_version: 0,
            sale: None,
            station: Some("front".parse().unwrap()),
            moment: Moment { wall_ms: self.now_ms(), ..Moment::default() },
            business_date: Date::constant(2026, 11, 18),
            shift: None,
            staff: None,
            approver: None,
            mode: Mode::Live,
            receipt: None,
            serial: None,
            amount: None,
            body_hash: Hash::NONE,
        }
    }

    /// Writes the next record of the journal.
    pub(super) fn write(&mut self, body: Body) -> Record {
        self.write_with(body, |_| {})
    }

    pub(super) fn write_in(&mut self, sale: SaleId, body: Body) -> Record {
        self.write_with(body, |header| header.sale = Some(sale))
    }

    pub(super) fn write_with(&mut self, body: Body, edit: impl FnOnce(&mut Header)) -> Record {
        let mut header = self.header();
        edit(&mut header);
        let record = Record::seal(header, body, [7; 16]);
        self.tip = Tip { seq: record.header.seq, head: record.hash };
        record
    }

    /// Writes a record with a body of any bytes.
    pub(super) fn write_raw(&mut self, kind: &str, body: &str) -> Record {
        let mut header = self.header();
        header.kind = kind.to_owned();
        header.kind_version = 1;
        header.body_hash = crate::record::body_hash(&[7; 16], body.as_bytes());
        let record = Record::open(header.encode(), [7; 16], body.as_bytes().to_vec()).unwrap();
        self.tip = Tip { seq: record.header.seq, head: record.hash };
        record
    }

    /// A body on its way under a name of a packing; only gzip packs it.
    pub(super) async fn call_packed(&self, target: &str, body: &[u8], packing: &str) -> Answer {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body).unwrap();
        let packed = encoder.finish().unwrap();
        let nonce = format!("packed-{}", self.nonces.fetch_add(1, Ordering::SeqCst));
        let created = self.now_ms() / 1000;
        let parameters = Parameters { created, nonce, keyid: self.id.clone() };
        let headers = sign_request("POST", target, &packed, &parameters, &self.key).unwrap();
        let request = self
            .http
            .post(format!("{}{target}", self.base))
            .header("content-encoding", packing)
            .header("content-digest", headers.content_digest)
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature);
        let response = request.body(packed).send().await.unwrap();
        let status = response.status().as_u16();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(status < 400 || kind == "application/problem+json", "{status} came as {kind}");
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    pub(super) fn batch(&self, records: &[Record]) -> Value {
        let last = records.last().unwrap();
        let id = self.id.parse().unwrap();
        let input = crate::cloud::tills::signing_input(&id, self.epoch, last.header.seq, &last.hash);
        let sent: Vec<Value> = records
            .iter()
            .map(|record| {
                json!({
                    "head": BASE64.encode(&record.head), "salt": BASE64.encode(record.salt),
                    "body": BASE64.encode(&record.bytes), "hash": record.hash,
                })
            })
            .collect();
        json!({
            "first_seq": records[0].header.seq, "records": sent,
            "batch_signature": BASE64.encode(self.key.sign(&input)),
        })
    }

    pub(super) fn records_target(&self) -> String {
        format!("/v1/terminals/{}/streams/{}/records", self.id, self.epoch)
    }

    pub(super) async fn send(&self, records: &[Record]) -> Answer {
        self.call("POST", &self.records_target(), self.batch(records).to_string().as_bytes()).await
    }

    pub(super) async fn send_well(&self, records: &[Record]) {
        let (status, answer) = self.send(records).await;
        assert_eq!((status, &answer["high"]), (200, &json!(self.tip.seq)), "{answer}");
    }

    pub(super) async fn notices(&self, after: u64, wait_ms: u64) -> Value {
        let target = format!("/v1/terminals/{}/notices?after={after}&wait_ms={wait_ms}", self.id);
        let (status, answer) = self.call("GET", &target, b"").await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Waits for a notice of a kind; bounded.
    pub(super) async fn notice(&self, kind: &str) -> Value {
        for _ in 0..20 {
            let answer = self.notices(0, 1_000).await;
            let notices = answer["notices"].as_array().unwrap();
            if let Some(notice) = notices.iter().rev().find(|notice| notice["kind"] == kind) {
                return notice.clone();
            }
        }
        panic!("no notice {kind} came");
    }

    /// Verdicts so far, once there are `count`; bounded.
    pub(super) async fn verdicts(&self, count: usize) -> Vec<Value> {
        for _ in 0..50 {
            let answer = self.notices(0, 200).await;
            let notices = answer["notices"].as_array().unwrap().iter();
            let verdicts: Vec<Value> = notices
                .filter(|notice| notice["kind"] == "verdict")
                .map(|notice| notice["verdict"].clone())
                .collect();
            if verdicts.len() >= count {
                return verdicts;
            }
        }
        panic!("fewer than {count} verdicts came");
    }

    /// Opens a bill on a desk with one line.
    pub(super) fn bill(&mut self, sale: SaleId, desk: &str, minor: i64) -> Vec<Record> {
        let place = Place::Desk(desk.parse().unwrap());
        let opened = self.write_in(sale, Body::SaleOpened { sale_kind: SaleKind::Sale, place });
        vec![opened, self.line(sale, 1, minor)]
    }

    pub(super) fn line(&mut self, sale: SaleId, number: u32, minor: i64) -> Record {
        let price = Money::new(minor, Currency::CNY);
        let line = Line {
            id: LineId(number),
            kind: LineKind::Goods,
            sku: Some("latte".to_owned()),
            gtin: None,
            name: "Latte".to_owned(),
            name_zh: Some("拿铁".to_owned()),
            quantity: Quantity::pieces(1),
            listed: Some(price),
            price,
            price_from: PriceFrom::Catalogue,
            override_reason: None,
            modifiers: vec![],
            tax: TaxRate::none(),
            linked: None,
            least_age: None,
            lot: None,
            expiry: None,
            serial: None,
            net: None,
        };
        self.write_in(sale, Body::LineAdded { line })
    }

    /// Signs an order as the till does.
    pub(super) fn order(&self, nonce: u64, minor: i64) -> Order {
        Order {
            terminal: TerminalTag::of(&self.id),
            epoch: self.epoch.0,
            nonce,
            amount: Money::new(minor, Currency::CNY),
            issued_at: self.now_ms() / 1000,
        }
    }

    pub(super) async fn bring_order(&self, intent: IntentId, sale: SaleId, order: &Order) -> Answer {
        let text = self.key.draw(order).unwrap();
        let body = json!({ "intent": intent, "sale": sale, "order": text });
        self.call("POST", &format!("/v1/terminals/{}/orders", self.id), body.to_string().as_bytes()).await
    }

    pub(super) async fn withdraw(&self, intent: IntentId) -> Answer {
        let target = format!("/v1/terminals/{}/orders/{intent}/withdraw", self.id);
        self.call("POST", &target, b"").await
    }
}
