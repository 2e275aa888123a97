//! How long it takes to bring a queue of ten thousand records to the cloud on this machine's loopback, both sides as
//! they are sold: journal, signatures, packing, HTTP, the cloud's store on disk. `cargo bench --bench sync` prints it.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)] // a bench reads clocks and prints

use std::sync::Arc;
use std::time::{Duration, Instant};
use till::clock::{self, Clock};
use till::cloud::{self, Decision, ShopDefaults};
use till::inbox::{Board, Inbox};
use till::journal::edge::EdgeStore;
use till::journal::{Journal, Reader};
use till::keys::DeviceKey;
use till::money::{Currency, Money};
use till::record::body::Body;
use till::record::chain::Tip;
use till::record::{Epoch, FORMAT, Hash, Header, Mode, Moment, Record};
use till::sync::{self, Config, Doors, Timing, Way};
use till::view::View;
use tokio::sync::{mpsc, watch};

/// What waits.
const RECORDS: u64 = 10_000;
/// The life of the journal.
const EPOCH: Epoch = Epoch(0xBE);

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let now = Arc::new(move || clock.unix_ms());
    let config = cloud::Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        dir: dir.path().join("cloud"),
        public_base: None,
        accounts: vec![],
        shop: ShopDefaults::default(),
    };
    let cloud = cloud::start(config, now.clone()).await.unwrap();
    let home = dir.path().join("till");
    std::fs::create_dir_all(&home).unwrap();
    let mut journal = Journal::open(&home).unwrap();
    let edge = EdgeStore::open(&home).unwrap();
    let mut tip = Tip::START;
    let first = genesis(&mut tip);
    journal.append(&[first]).unwrap();
    let view = watch::Sender::new(Arc::new(View { epoch: EPOCH, ..View::blank(tip) }));
    let board = Board::new(view.subscribe(), watch::Sender::new(Arc::default()).subscribe());
    let key = Arc::new(DeviceKey::from_seed(&[7; 32]).unwrap());
    let (inbox, letters) = Inbox::new();
    std::thread::spawn(move || {
        while let Ok(letter) = letters.recv() {
            letter.reply.map(|reply| reply.send(Ok(till::inbox::Reply::default())));
        }
    });
    let doors = Doors {
        inbox,
        board: board.clone(),
        reader: Reader::open(&home).unwrap(),
        edge: edge.clone(),
        now,
        chance: Arc::new(clock::draw),
    };
    let timing = Timing { pairing: Duration::from_millis(20), ..Timing::default() };
    let config = Config {
        url: format!("http://{}", cloud.address()),
        terminal: "till-1".parse().unwrap(),
        name: "Bench".to_owned(),
        device_key: Arc::clone(&key),
        timing,
    };
    let (_stop, stopped) = watch::channel(false);
    let (_owes, duties) = mpsc::channel(1);
    let way = Way::new(&doors);
    let edge_of_till = tokio::spawn(sync::run(config, doors, way, duties, stopped));
    let terminal = "till-1".parse().unwrap();
    while cloud.admin().decide_pairing(&terminal, &key.fingerprint(), Decision::Approve).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    until(|| board.link.borrow().received == 1).await;
    for _ in 0..RECORDS / 500 {
        let records: Vec<Record> = (0..500).map(|number| receipt(&mut tip, number)).collect();
        journal.append(&records).unwrap();
    }
    let began = Instant::now();
    view.send_replace(Arc::new(View { epoch: EPOCH, ..View::blank(tip) }));
    until(|| board.link.borrow().received == tip.seq).await;
    let received = began.elapsed();
    until(|| board.link.borrow().ruled == tip.seq).await;
    println!("drain of {RECORDS} records   received {received:>8.1?}  ruled on {:>8.1?}", began.elapsed());
    edge_of_till.abort();
    cloud.shutdown().await;
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn genesis(tip: &mut Tip) -> Record {
    let genesis = serde_json::json!({
        "kind": "genesis", "parent": null, "currency": "CNY", "time_zone": "Asia/Shanghai", "day_cut_minutes": 0,
        "version": "0",
    });
    seal(tip, serde_json::from_value(genesis).unwrap(), None)
}

fn receipt(tip: &mut Tip, number: u64) -> Record {
    let total = Money::new(1_000 + i64::try_from(number).unwrap(), Currency::CNY);
    let issued = tip.seq;
    seal(tip, Body::ReceiptIssued { total }, Some(issued))
}

fn seal(tip: &mut Tip, body: Body, receipt: Option<u64>) -> Record {
    let header = Header {
        format: FORMAT,
        terminal: "till-1".parse().unwrap(),
        epoch: EPOCH,
        seq: tip.seq + 1,
        previous: tip.head,
        kind: String::new(),
        kind_version: 0,
        sale: None,
        station: Some("front".parse().unwrap()),
        moment: Moment::default(),
        business_date: jiff::civil::date(2026, 11, 18),
        shift: None,
        staff: None,
        approver: None,
        mode: Mode::Live,
        receipt,
        serial: None,
        amount: None,
        body_hash: Hash::NONE,
    };
    let record = Record::seal(header, body, [1; 16]);
    *tip = Tip { seq: record.header.seq, head: record.hash };
    record
}
