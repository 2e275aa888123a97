//! A cloud of a few lines: it verifies every signature, keeps streams as the protocol says, and misbehaves on
//! request.

use crate::keys::CloudKeys;
use crate::keys::request::{Headers, verify_request};
use crate::record::chain::Tip;
use crate::record::{Epoch, Record};
use crate::token::{Purpose, verify_signature};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The cloud's clock, far from the till's.
pub(super) const CLOUD_MS: i64 = 1_800_000_000_000;

/// What happens to the next call whose path contains a word.
pub(super) enum Fault {
    /// The work is done and the connection breaks.
    LoseAnswer,
    /// The work is done; the answer comes when the test says so.
    Wait(Arc<Notify>),
    /// Nothing is done; this is said.
    Say(u16, Value, Option<u32>),
    /// The same, and the answer comes when the test says so.
    SayLater(u16, Value, Option<u32>, Arc<Notify>),
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) device: [u8; 32],
    pub(super) paired: bool,
    pub(super) records: BTreeMap<Epoch, Vec<Record>>,
    pub(super) batches: Vec<usize>,
    /// What each batch named as held back.
    pub(super) held: Vec<Value>,
    pub(super) notices: Vec<Value>,
    pub(super) replay_notices: bool,
    pub(super) bundle: Option<Value>,
    pub(super) faults: VecDeque<(&'static str, Fault)>,
    pub(super) orders: BTreeMap<String, Value>,
    pub(super) answers: BTreeMap<&'static str, Value>,
    pub(super) calls: Vec<String>,
    pub(super) window_s: i64,
}

#[derive(Clone)]
pub(super) struct StandIn {
    inner: Arc<Mutex<Inner>>,
    pub(super) keys: Arc<CloudKeys>,
    pub(super) url: String,
    _tasks: Arc<JoinSet<()>>,
    _dir: Arc<TempDir>,
}

impl StandIn {
    pub(super) async fn open(device: [u8; 32]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(CloudKeys::load_or_create(dir.path()).unwrap());
        let inner = Inner { device, paired: true, window_s: i64::MAX, ..Inner::default() };
        let inner = Arc::new(Mutex::new(inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = (Arc::clone(&inner), Arc::clone(&keys));
        let app = Router::new().fallback(answer).with_state(state);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { inner, keys, url, _tasks: Arc::new(tasks), _dir: Arc::new(dir) }
    }

    pub(super) fn at(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(super) fn strike(&self, path: &'static str, fault: Fault) {
        self.at().faults.push_back((path, fault));
    }

    pub(super) fn tell(&self, kind: &str, mut fields: Value) {
        let mut inner = self.at();
        fields["number"] = (inner.notices.len() + 1).into();
        fields["kind"] = kind.into();
        inner.notices.push(fields);
    }

    pub(super) fn held(&self) -> usize {
        self.at().records.values().map(Vec::len).sum()
    }

    /// Signs and publishes a bundle with these bytes.
    pub(super) fn publish(&self, version: u64, bytes: &[u8]) {
        let key = self.keys.key(Purpose::Bundle);
        let signature = key.sign(&[b"till/bundle/1\n", bytes].concat());
        self.at().bundle = Some(json!({
            "version": version,
            "key_id": key.key_id(),
            "signature": BASE64.encode(signature),
            "payload": BASE64.encode(bytes),
        }));
    }
}

type Shared = (Arc<Mutex<Inner>>, Arc<CloudKeys>);

async fn answer(
    State((inner, keys)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = uri.path_and_query().unwrap().as_str().to_owned();
    let (status, said, retry_after, lost, wait) = {
        let mut inner = inner.lock().unwrap();
        let due = inner.faults.iter().position(|(path, _)| target.contains(path));
        let fault = due.and_then(|at| inner.faults.remove(at)).map(|(_, fault)| fault);
        inner.calls.push(format!("{method} {target}"));
        match fault {
            Some(Fault::Say(status, said, retry_after)) => (status, said, retry_after, false, None),
            Some(Fault::SayLater(status, said, retry_after, until)) => {
                (status, said, retry_after, false, Some(until))
            }
            Some(Fault::LoseAnswer) => {
                let (status, said) = work(&mut inner, &keys, &method, &target, &headers, &body);
                (status, said, None, true, None)
            }
            Some(Fault::Wait(until)) => {
                let (status, said) = work(&mut inner, &keys, &method, &target, &headers, &body);
                (status, said, None, false, Some(until))
            }
            None => {
                let (status, said) = work(&mut inner, &keys, &method, &target, &headers, &body);
                (status, said, None, false, None)
            }
        }
    };
    if let Some(until) = wait {
        until.notified().await;
    }
    // A poll without news is held a little, as a long poll is.
    if target.contains("notices") && said["notices"].as_array().is_some_and(Vec::is_empty) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let body = if lost {
        Body::from_stream(tokio_stream::once(Err::<Bytes, _>(std::io::Error::other("cut"))))
    } else {
        Body::from(said.to_string())
    };
    let response = Response::builder().status(status);
    let response = match retry_after {
        Some(seconds) => response.header("retry-after", seconds),
        None => response,
    };
    // The Date that hyper would set is today's; this cloud lives in its own time.
    response.header("date", "Fri, 15 Jan 2027 08:00:00 GMT").body(body).unwrap()
}

fn work(
    inner: &mut Inner,
    keys: &CloudKeys,
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> (u16, Value) {
    if target == "/v1/time" {
        return (404, json!({}));
    }
    let field = |name: &str| headers[name].to_str().unwrap().to_owned();
    let signature = Headers {
        content_digest: field("content-digest"),
        signature_input: field("signature-input"),
        signature: field("signature"),
    };
    let device = inner.device;
    let now_s = CLOUD_MS / 1000;
    let window_s = inner.window_s;
    let verified =
        verify_request(method.as_str(), target, body, &signature, |_| Some(device), now_s, window_s);
    if let Err(error) = verified {
        return (401, json!({ "type": "urn:till:problem:not_signed", "detail": error.to_string() }));
    }
    let mut unpacked = Vec::new();
    let asked: Value = match headers.get("content-encoding") {
        Some(_) => {
            flate2::read::GzDecoder::new(body).read_to_end(&mut unpacked).unwrap();
            serde_json::from_slice(&unpacked).unwrap()
        }
        None => serde_json::from_slice(body).unwrap_or_default(),
    };
    let path = target.split('?').next().unwrap();
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    match parts.as_slice() {
        ["pairings"] => {
            (202, json!({ "state": "pending", "root_fingerprint": "", "device_fingerprint": "" }))
        }
        ["pairings", "till-1"] => (200, pairing(inner, keys)),
        ["terminals", "till-1", "streams", epoch, "records"] => ingest(inner, keys, epoch, &asked),
        ["terminals", "till-1", "streams"] => (200, streams(inner, keys)),
        ["terminals", "till-1", "notices"] => (200, notices(inner, target)),
        ["terminals", "till-1", "bundle"] => match &inner.bundle {
            Some(bundle) => (200, bundle.clone()),
            None => (404, json!({ "detail": "No bundle has been published." })),
        },
        ["terminals", "till-1", "orders"] => {
            inner.orders.insert(asked["intent"].as_str().unwrap().to_owned(), asked);
            (200, inner.answers.get("orders").cloned().unwrap_or_else(|| json!({ "state": "open" })))
        }
        ["terminals", "till-1", "orders", _, "withdraw"] => (200, inner.answers["withdraw"].clone()),
        ["terminals", "till-1", "leases"] => (200, inner.answers["leases"].clone()),
        ["terminals", "till-1", "phones"] => match inner.answers.get("phones") {
            Some(phones) => (200, phones.clone()),
            None => (404, json!({ "detail": "nothing is said of phones" })),
        },
        ["terminals", "till-1", "refunds"] => (200, inner.answers["refunds"].clone()),
        _ => (404, json!({ "detail": format!("nothing is at {path}") })),
    }
}

fn pairing(inner: &Inner, keys: &CloudKeys) -> Value {
    if !inner.paired {
        return json!({ "state": "pending", "time_ms": CLOUD_MS });
    }
    json!({
        "state": "approved",
        "root": BASE64.encode(keys.root_public()),
        "keys": signed_keys(keys),
        "time_ms": CLOUD_MS,
    })
}

pub(super) fn signed_keys(keys: &CloudKeys) -> Value {
    let set = keys.key_set(1, CLOUD_MS / 1000 - 86_400, CLOUD_MS / 1000 + 86_400);
    serde_json::to_value(keys.sign_key_set(&set).unwrap()).unwrap()
}

fn notices(inner: &Inner, target: &str) -> Value {
    let after: u64 = target.split("after=").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
    let after = if inner.replay_notices { 0 } else { after };
    let due = inner.notices.iter().filter(|notice| notice["number"].as_u64().unwrap() > after);
    let version = inner.bundle.as_ref().map_or(0, |bundle| bundle["version"].as_u64().unwrap());
    json!({
        "notices": due.collect::<Vec<_>>(),
        "time_ms": CLOUD_MS,
        "bundle_version": version,
        "high": 0,
    })
}

fn streams(inner: &Inner, keys: &CloudKeys) -> Value {
    let told = inner.records.iter().map(|(epoch, records)| {
        let mut tip = Tip::START;
        records.iter().for_each(|record| tip.follow(*epoch, record).unwrap());
        let mut told = received(keys, *epoch, tip);
        told["epoch"] = json!(epoch);
        told
    });
    json!({ "streams": told.collect::<Vec<_>>(), "more": false, "time_ms": CLOUD_MS })
}

/// Takes a batch as the protocol says: replays are a success, gaps and forks are conflicts.
fn ingest(inner: &mut Inner, keys: &CloudKeys, epoch: &str, asked: &Value) -> (u16, Value) {
    let problem = |slug: &str| (409, json!({ "type": format!("urn:till:problem:{slug}"), "detail": slug }));
    let epoch: Epoch = epoch.parse().unwrap();
    let bytes = |value: &Value| BASE64.decode(value.as_str().unwrap()).unwrap();
    let open = |sent: &Value| {
        let salt = bytes(&sent["salt"]).try_into().unwrap();
        let record = Record::open(bytes(&sent["head"]), salt, bytes(&sent["body"])).unwrap();
        assert_eq!(json!(record.hash), sent["hash"]);
        record
    };
    let sent: Vec<Record> = asked["records"].as_array().unwrap().iter().map(open).collect();
    let last = sent.last().unwrap();
    let signed = super::super::upload::batch_signing_input("till-1", epoch, last.header.seq, last.hash);
    verify_signature(&inner.device, &signed, &bytes(&asked["batch_signature"])).unwrap();
    assert!(sent.len() <= 500 && asked.to_string().len() <= 1024 * 1024);

    let held = inner.records.entry(epoch).or_default();
    let first = asked["first_seq"].as_u64().unwrap();
    let high = u64::try_from(held.len()).unwrap();
    if first > high + 1 {
        let (status, mut said) = problem("gap");
        said["expected"] = (high + 1).into();
        return (status, said);
    }
    inner.batches.push(sent.len());
    inner.held.push(asked["held"].clone());
    for record in sent {
        let at = usize::try_from(record.header.seq - 1).unwrap();
        match held.get(at) {
            Some(known) if known.hash != record.hash => return problem("fork"),
            Some(_) => {}
            None => held.push(record),
        }
    }
    let mut tip = Tip::START;
    held.iter().for_each(|record| tip.follow(epoch, record).unwrap());
    (200, received(keys, epoch, tip))
}

/// What a cloud says that holds a stream up to a record.
pub(super) fn received(keys: &CloudKeys, epoch: Epoch, tip: Tip) -> Value {
    let key = keys.key(Purpose::Head);
    // docs/PROTOCOL.md, "Records": domain, name with its length, epoch, number, hash, time.
    let mut input = b"till/head/1\n\x06till-1".to_vec();
    input.extend(epoch.0.to_be_bytes());
    input.extend(tip.seq.to_be_bytes());
    input.extend(tip.head.0);
    input.extend(CLOUD_MS.to_be_bytes());
    json!({
        "high": tip.seq,
        "head": tip.head,
        "time_ms": CLOUD_MS,
        "ruled": tip.seq,
        "key_id": key.key_id(),
        "head_signature": BASE64.encode(key.sign(&input)),
    })
}
