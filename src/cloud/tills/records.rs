//! Bringing records: checked against each other here, and against what is kept in one transaction of the store.
//!
//! **Invariant:** what is answered with 200 is on disk, verbatim; a batch is taken whole or not at all.

use crate::cloud::Cloud;
use crate::cloud::bells::Bell;
use crate::cloud::judge::words;
use crate::cloud::problem::Problem;
use crate::cloud::signed::Signed;
use crate::cloud::store::{Batch, Beginning, Ingested, Standing, StoredRecord};
use crate::record::body::{Body, Place};
use crate::record::chain::{Broken, Hash, Tip};
use crate::record::header::HeaderError;
use crate::record::ids::{DeskId, TerminalId};
use crate::record::personal::may_be_erased;
use crate::record::{Epoch, Record, witness};
use crate::token::{Purpose, verify_signature};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Records in one batch.
pub(crate) const BATCH_MAX: usize = 500;

/// Acts that a batch names as taken back; of more the others are ruled on like any act.
const TAKEN_BACK_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Sent {
    first_seq: u64,
    records: Vec<SentRecord>,
    batch_signature: String,
    /// Numbers in the batch that a manager holds back.
    #[serde(default)]
    held: Vec<u64>,
    /// Numbers of acts about records in the batch that were taken back before it was sent: a hold and its release.
    #[serde(default)]
    taken_back: Vec<u64>,
}

#[derive(Deserialize)]
struct SentRecord {
    head: String,
    salt: String,
    body: String,
    hash: Hash,
}

/// `POST /v1/terminals/{terminal}/streams/{epoch}/records`
pub(super) async fn bring(
    State(cloud): State<Arc<Cloud>>,
    Path((_, epoch)): Path<(String, String)>,
    signed: Signed,
) -> Result<Response, Problem> {
    let epoch: Epoch =
        epoch.parse().map_err(|_| Problem::bad_request("An epoch has 16 hexadecimal digits."))?;
    let sent: Sent = signed.json()?;
    let terminal = signed.terminal.id.clone();
    let batch = open(&terminal, epoch, &sent, cloud.now_ms())?;
    let last = batch.records.last().map(|record| (record.seq, record.hash));
    let signature = BASE64
        .decode(&sent.batch_signature)
        .map_err(|_| Problem::bad_request("batch_signature is not base64."))?;
    let covered = last.map(|(seq, hash)| signing_input(&terminal, epoch, seq, &hash)).unwrap_or_default();
    verify_signature(&signed.terminal.public_key, &covered, &signature).map_err(|_| {
        let words = "The batch is not signed by this till's key over its last record.";
        Problem::new(StatusCode::UNAUTHORIZED, "wrong_batch_signature", words)
    })?;
    match cloud.store.ingest(batch).await? {
        Ingested::Received { tip, judged, desks } => {
            cloud.bells.ring(&Bell::Projector);
            for desk in desks {
                cloud.bells.ring(&Bell::Desk(desk));
            }
            let mut answer = witnessed(&cloud, &terminal, epoch, tip);
            answer["ruled"] = judged.into();
            Ok(Json(answer).into_response())
        }
        Ingested::Gap { expected } => {
            let words = format!("Record {expected} is due first: send from there.");
            Err(Problem::new(StatusCode::CONFLICT, "gap", words).with("expected", expected))
        }
        Ingested::Forked { seq, tip, branch } => {
            cloud.ring_till(&terminal);
            cloud.bells.ring(&Bell::Projector);
            tracing::error!(%terminal, %epoch, seq, "a till sent a record twice with different contents");
            let problem = Problem::new(StatusCode::CONFLICT, "fork", words::fork(&terminal, seq))
                .with("seq", seq)
                .with("high", tip.seq)
                .with("head", tip.head.to_string())
                .with("branch", json!({ "high": branch.seq, "head": branch.head }))
                .with("witness", witnessed(&cloud, &terminal, epoch, tip));
            Err(problem)
        }
        Ingested::Stranger => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unpaired",
            format!("No till is paired as {terminal}: pair it, and let a manager approve the fingerprint."),
        )),
    }
}

/// What the cloud holds of a stream, signed.
pub(super) fn witnessed(cloud: &Cloud, terminal: &TerminalId, epoch: Epoch, tip: Tip) -> Value {
    let time_ms = cloud.now_ms();
    let key = cloud.keys.key(Purpose::Head);
    let signature = key.sign(&witness::signing_input(terminal, epoch, tip, time_ms));
    json!({
        "high": tip.seq,
        "head": tip.head,
        "time_ms": time_ms,
        "key_id": key.key_id(),
        "head_signature": BASE64.encode(signature),
    })
}

/// What a batch's signature covers.
pub(crate) fn signing_input(terminal: &TerminalId, epoch: Epoch, seq: u64, hash: &Hash) -> Vec<u8> {
    let name = terminal.as_str().as_bytes();
    let length = u8::try_from(name.len()).expect("a till's name has at most 16 letters");
    let mut input = b"till/batch/1\n".to_vec();
    input.push(length);
    input.extend_from_slice(name);
    input.extend_from_slice(&epoch.0.to_be_bytes());
    input.extend_from_slice(&seq.to_be_bytes());
    input.extend_from_slice(&hash.0);
    input
}

/// Opens every record and follows the chain through the batch.
fn open(terminal: &TerminalId, epoch: Epoch, sent: &Sent, now_ms: i64) -> Result<Batch, Problem> {
    if sent.records.len() > BATCH_MAX {
        let words = format!("A batch has at most {BATCH_MAX} records: send fewer at once.");
        return Err(
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", words).with("limit_records", BATCH_MAX)
        );
    }
    if sent.records.is_empty() || sent.first_seq == 0 {
        return Err(Problem::bad_request("A batch has at least one record, and numbers begin at 1."));
    }
    let mut tip: Option<Tip> = None;
    let mut previous = Hash::NONE;
    let mut records = Vec::with_capacity(sent.records.len());
    for (seq, sent_record) in (sent.first_seq..).zip(&sent.records) {
        let record = open_one(sent_record).map_err(|error| broken(seq, &error))?;
        let at = tip.get_or_insert_with(|| {
            previous = record.header.previous;
            Tip { seq: sent.first_seq - 1, head: previous }
        });
        at.follow(epoch, &record).map_err(|error| broken(seq, &error))?;
        if record.header.terminal != *terminal {
            return Err(broken(seq, &Broken::Stranger { seq }));
        }
        if record.hash != sent_record.hash || (seq == 1 && previous != Hash::NONE) {
            return Err(broken(seq, &Broken::Link { seq }));
        }
        records.push(StoredRecord {
            seq,
            hash: record.hash,
            desk: desk_of(&record.body),
            kind: record.header.kind,
            sale: record.header.sale,
            head: record.head,
            salt: record.salt,
            body: record.bytes,
        });
    }
    let held =
        sent.held.iter().copied().filter(|seq| records.iter().any(|record| record.seq == *seq)).collect();
    let taken_back = sent.taken_back.iter().copied().filter(|seq| *seq > sent.first_seq);
    let taken_back = taken_back.take(TAKEN_BACK_MAX).collect();
    let beginning = records.first().filter(|record| record.seq == 1).map(beginning);
    let (terminal, first_seq) = (terminal.clone(), sent.first_seq);
    Ok(Batch { terminal, epoch, first_seq, previous, records, held, taken_back, beginning, now_ms })
}

/// What the first record says of how the epoch began. One that cannot be read began like any other.
fn beginning(first: &StoredRecord) -> Beginning {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Genesis {
        standing: String,
        parent: Option<Before>,
    }
    #[derive(Deserialize)]
    struct Before {
        epoch: Epoch,
        seq: u64,
    }
    let genesis: Genesis = serde_json::from_slice(&first.body).unwrap_or_default();
    let is_provisional = genesis.standing == "provisional";
    Beginning {
        standing: if is_provisional { Standing::Provisional } else { Standing::Regular },
        parent: genesis.parent.map(|before| (before.epoch, before.seq)),
    }
}

fn open_one(sent: &SentRecord) -> Result<Record, Broken> {
    let decode = |text: &str, field| BASE64.decode(text).map_err(|_| HeaderError::Field(field));
    let salt = decode(&sent.salt, "salt")?.try_into().map_err(|_| HeaderError::Field("salt"))?;
    // A body of nothing was erased at the till because a member asked to be forgotten: only of what may speak of one.
    let record = Record::kept(decode(&sent.head, "head")?, salt, decode(&sent.body, "body")?)?;
    if let Body::Erased { kind_name } = &record.body
        && !may_be_erased(kind_name)
    {
        return Err(Broken::BodyHash { seq: record.header.seq });
    }
    Ok(record)
}

fn broken(seq: u64, error: &Broken) -> Problem {
    let words = format!("The batch was not taken, because {error} (record {seq}). Nothing of it is kept.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "broken_chain", words).with("seq", seq)
}

/// Where a record puts its sale, if it does.
fn desk_of(body: &Body) -> Option<Option<DeskId>> {
    if let Body::SaleVoided { .. } = body {
        return Some(None);
    }
    let (Body::SaleOpened { place, .. } | Body::SaleMoved { place }) = body else { return None };
    match place {
        Place::Desk(desk) => Some(Some(desk.clone())),
        Place::Front | Place::Held => Some(None),
    }
}
