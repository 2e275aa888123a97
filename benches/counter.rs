//! What a customer waits for: a scan until its intent is on disk, and a wallet's yes until paper may begin, held against
//! the disk itself in the same run; and the reference receipt, in bytes and in time. `cargo bench` prints both.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)] // a bench reads clocks and prints

#[path = "../hardware/tests/receipts/reference.rs"]
mod receipts;

use std::fs::File;
use std::hint::black_box;
use std::io::{Seek, Write};
use std::num::NonZeroU32;
use std::path::Path;
use std::time::{Duration, Instant};
use till::counter::event::{Act, Command, Event, PrintReport, ProviderReport, RawScan};
use till::inbox::{InForce, Inbox, Work, doors};
use till::journal::Journal;
use till::money::Money;
use till::record::ids::{StaffId, StationId};
use till::record::money_moves::{ProvenBy, Settled};
use till::staff::PinHash;

/// Customers of one run. Enough for a p99 that means something, few enough for a minute.
const CUSTOMERS: usize = 1000;

/// What one page of SQLite's log holds.
const PAGE: usize = 4096;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let Times { intents, papers, appended, in_place } = customers(dir.path());
    for (name, times) in [
        ("scan to durable intent ", &intents),
        ("approval to paper      ", &papers),
        ("raw append, fdatasync  ", &appended),
        ("raw in place, fdatasync", &in_place),
    ] {
        println!("{name}  p50 {:>8.1?}  p99 {:>8.1?}", at(times, 50), at(times, 99));
    }
    for (name, times) in [("intent", &intents), ("paper ", &papers)] {
        let (append, place) =
            (ratio(at(times, 50), at(&appended, 50)), ratio(at(times, 50), at(&in_place, 50)));
        println!("{name} at p50, ratio to a raw append {append}, in place {place}");
    }
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

/// What was measured in turns, each the quickest first.
#[derive(Default)]
struct Times {
    /// From the scan of a pay code until its intent is on disk.
    intents: Vec<Duration>,
    /// From the wallet's yes until the printer may have its first byte: sale paid, receipt numbered, print begun.
    papers: Vec<Duration>,
    /// A page at the end of a file, flushed: the file grows, as SQLite's log does until it is first folded in.
    appended: Vec<Duration>,
    /// A page over one that is there, flushed: as the log does afterwards. A disk can do nothing durable in less.
    in_place: Vec<Duration>,
}

fn customers(dir: &Path) -> Times {
    let (inbox, letters) = Inbox::new();
    let (outbox, mut work) = doors();
    let station: StationId = "front".parse().unwrap();
    let wallets = [till::record::money_moves::ProviderName::Alipay].into();
    let opening =
        till::till::Opening { kept: Some(InForce::of_water()), wallets, ..till::till::Opening::blank() };
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
    let mut growing = File::create(dir.join("growing")).unwrap();
    let mut standing = File::create(dir.join("standing")).unwrap();
    flushed(&mut standing, &[0; PAGE]);
    let mut times = Times::default();
    for customer in 0..CUSTOMERS {
        scan(&inbox, &station, "6901234000016");
        act(Act::Pay, Some(&staff));
        let code = format!("2868{:014}", customer * 17 + 3);
        let begun = Instant::now();
        scan(&inbox, &station, &code);
        times.intents.push(begun.elapsed());
        times.papers.push(pay(&inbox, &mut work));
        times.appended.push(flushed(&mut growing, &[1; PAGE]));
        standing.rewind().unwrap();
        times.in_place.push(flushed(&mut standing, &[1; PAGE]));
    }
    inbox.ask_blocking(Event::Stopping).unwrap();
    loop_.join().unwrap().unwrap();
    let Times { intents, papers, appended, in_place } = &mut times;
    [intents, papers, appended, in_place].into_iter().for_each(|times| times.sort_unstable());
    times
}

fn flushed(file: &mut File, bytes: &[u8]) -> Duration {
    let begun = Instant::now();
    file.write_all(bytes).unwrap();
    file.sync_data().unwrap();
    begun.elapsed()
}

fn scan(inbox: &Inbox, station: &StationId, data: &str) {
    let scan = RawScan { data: data.as_bytes().to_vec(), aim: None, repeat_of_ms: None };
    inbox.ask_blocking(Event::Scanned { station: station.clone(), scan }).unwrap();
}

/// The wallet says yes, and the paper is where it should be, without either; says how long the printer waited.
fn pay(inbox: &Inbox, work: &mut Work) -> Duration {
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
    let begun = Instant::now();
    inbox.ask_blocking(Event::Provider(duty.intent, ProviderReport::Approved(settled))).unwrap();
    let till::inbox::DeviceWork::Print(print, _) = work.devices.blocking_recv().unwrap() else {
        panic!("a receipt is printed")
    };
    inbox.ask_blocking(Event::Print(print.job, PrintReport::Starting)).unwrap();
    let waited = begun.elapsed();
    let printed = till::record::body::PaperOutcome::Confirmed;
    inbox.ask_blocking(Event::Print(print.job, PrintReport::Ended(printed, String::new()))).unwrap();
    waited
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
