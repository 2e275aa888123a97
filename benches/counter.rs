//! What a customer waits for: a scan until its intent is on disk, held against the disk itself in the same
//! run; and the reference receipt, in bytes and in time. `cargo bench` prints both.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)] // a bench reads clocks and prints

#[path = "../hardware/tests/receipts/reference.rs"]
mod receipts;

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::{Duration, Instant};
use till::bundle::{Bundle, Content};
use till::clock::{self, Clock};
use till::counter::event::{Act, Command, Event, ProviderReport, RawScan};
use till::inbox::{InForce, Inbox, Work, doors};
use till::journal::Journal;
use till::money::{Currency, Money};
use till::record::ids::{StaffId, StationId};
use till::record::money_moves::{ProvenBy, Settled};
use till::staff::PinHash;
use till::token::KeySet;

/// Customers of one run. Enough for a p99 that means something, few enough for a minute.
const CUSTOMERS: usize = 1000;

/// What one page of SQLite's log holds.
const PAGE: usize = 4096;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let (scans, raw) = scan_to_durable_intent(dir.path());
    println!("scan to durable intent   p50 {:>8.1?}  p99 {:>8.1?}", at(&scans, 50), at(&scans, 99));
    println!("raw append, fdatasync    p50 {:>8.1?}  p99 {:>8.1?}", at(&raw, 50), at(&raw, 99));
    println!("ratio at p50             {}", ratio(at(&scans, 50), at(&raw, 50)));
    receipt();
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// A ratio with two decimals, in whole numbers.
fn ratio(of: Duration, to: Duration) -> String {
    let hundredths = of.as_nanos() * 100 / to.as_nanos().max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn scan_to_durable_intent(dir: &Path) -> (Vec<Duration>, Vec<Duration>) {
    let (inbox, letters) = Inbox::new();
    let (outbox, mut work) = doors();
    let station: StationId = "front".parse().unwrap();
    let opening = till::till::Opening {
        terminal: "till-1".parse().unwrap(),
        stations: vec![station.clone()],
        bundle: Bundle::empty(Currency::CNY, jiff::tz::TimeZone::UTC, "UTC", 0),
        kept: Some(InForce { bundle: bundle(), keys: KeySet::new(1, 0, i64::MAX) }),
        code_key: [7; 32],
        phones: till::counter::PhonesPay::AtTheWallet,
        code_ms: till::counter::CODE_MS_MAX,
        wallets: [till::record::money_moves::ProviderName::Alipay].into(),
        stamp: till::receipt::Stamp::new([0; 32], |_| [0; 64]),
        sources: till::till::Sources { clock: Clock::new(), draw: clock::draw },
        received: std::collections::BTreeMap::new(),
        signed: std::collections::BTreeMap::new(),
        room: till::journal::Room::default(),
    };
    let ready =
        till::till::open(Journal::open(&dir.join("till")).unwrap(), opening, letters, outbox).unwrap();
    let loop_ = std::thread::spawn(move || ready.till.run());
    let staff: StaffId = "mia".parse().unwrap();
    let act = |act: Act, who: Option<&StaffId>| {
        let command =
            Command { station: station.clone(), staff: who.cloned(), approver: None, seen: None, act };
        inbox.ask_blocking(Event::Act(command)).unwrap()
    };
    let pin = PinHash::with_rounds("4071", [1; 16], NonZeroU32::MIN).unwrap();
    act(Act::FirstManager { staff: staff.clone(), name: "Mia".to_owned(), pin }, None);
    act(Act::SignIn, Some(&staff));
    let mut file = File::create(dir.join("raw")).unwrap();
    let (mut scans, mut raw) = (Vec::new(), Vec::new());
    for customer in 0..CUSTOMERS {
        scan(&inbox, &station, "6901234000016");
        act(Act::Pay, Some(&staff));
        let code = format!("2868{:014}", customer * 17 + 3);
        let begun = Instant::now();
        scan(&inbox, &station, &code);
        scans.push(begun.elapsed());
        pay(&inbox, &mut work);
        let begun = Instant::now();
        file.write_all(&[0; PAGE]).unwrap();
        file.sync_data().unwrap();
        raw.push(begun.elapsed());
    }
    inbox.ask_blocking(Event::Stopping).unwrap();
    loop_.join().unwrap().unwrap();
    scans.sort_unstable();
    raw.sort_unstable();
    (scans, raw)
}

fn scan(inbox: &Inbox, station: &StationId, data: &str) {
    let scan = RawScan { data: data.as_bytes().to_vec(), aim: None, repeat_of_ms: None };
    inbox.ask_blocking(Event::Scanned { station: station.clone(), scan }).unwrap();
}

/// The wallet says yes, and the paper is where it should be, without either.
fn pay(inbox: &Inbox, work: &mut Work) {
    let duty = work.provider.blocking_recv().unwrap().duty;
    let till::counter::duty::Duty::Submit(duty) = duty else { panic!("a pay code is submitted") };
    let zero = Money::zero(duty.amount.currency);
    let settled = Settled {
        trade: "1".to_owned(),
        total: duty.amount,
        received: duty.amount,
        buyer_paid: duty.amount,
        invoice: duty.amount,
        merchant_funded: zero,
        platform_funded: zero,
        buyer: None,
        proof: None,
        proven_by: ProvenBy::Notice,
        balance: None,
        wallet: None,
        funds: vec![],
        vouchers: vec![],
    };
    inbox.ask_blocking(Event::Provider(duty.intent, ProviderReport::Approved(settled))).unwrap();
    let till::inbox::DeviceWork::Print(print, _) = work.devices.blocking_recv().unwrap() else {
        panic!("a receipt is printed")
    };
    let printed = till::record::body::PaperOutcome::Confirmed;
    let report = till::counter::event::PrintReport::Ended(printed, String::new());
    inbox.ask_blocking(Event::Print(print.job, report)).unwrap();
}

fn bundle() -> Bundle {
    let content = Content {
        version: 1,
        items: serde_json::from_value(serde_json::json!([{
            "sku": "water", "name": "Water", "gtins": ["06901234000016"], "unit": "piece",
            "price": {"minor": 200, "currency": "CNY"},
            "tax": {"code": "A", "rate_ppm": 130_000, "included": "price"},
        }]))
        .unwrap(),
        ..Bundle::empty(Currency::CNY, jiff::tz::TimeZone::UTC, "UTC", 0).content
    };
    Bundle::open(&serde_json::to_vec(&content).unwrap()).unwrap()
}

/// The reference receipt three ways: with the printer's own symbol, with the symbol drawn as a picture, and on a
/// Chinese printer.
fn receipt() {
    use hardware::profile::{Profile, QrSupport};
    let western = Profile::by_name("epson-tm-t88").unwrap();
    let drawn = Profile { qr: QrSupport::Raster, ..western.clone() };
    let document = receipts::reference_receipt();
    encoding("reference receipt       ", &document, western);
    encoding("  its symbol drawn      ", &document, &drawn);
    let chinese = Profile::by_name("generic-80mm").unwrap();
    encoding("  in Chinese, GB18030   ", &receipts::chinese_receipt(), chinese);
}

fn encoding(name: &str, document: &hardware::Document, profile: &hardware::Profile) {
    let bytes = hardware::printer::escpos::encode(document, profile).unwrap().len();
    let rounds: u32 = 20_000;
    let begun = Instant::now();
    for _ in 0..rounds {
        black_box(hardware::printer::escpos::encode(black_box(document), profile).unwrap());
    }
    let each = begun.elapsed() / rounds;
    println!("{name} {bytes:>5} bytes, {each:>8.1?} to encode, QR {} characters", receipts::QR.len());
}
