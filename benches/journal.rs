//! A journal of a million records beside one of a thousand: how long a customer waits for a scan to be on disk, how long
//! the till takes to be ready after a clean stop, and how much memory it holds. `cargo bench --bench journal` prints it.
//!
//! `TILL_BENCH_RECORDS=100000` makes the large one smaller.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)] // a bench reads clocks and prints

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use till::bundle::{Bundle, Content};
use till::clock::{self, Clock};
use till::counter::duty::Duty;
use till::counter::event::{Act, Command as Press, Event, PrintReport, RawScan};
use till::counter::{CODE_MS_MAX, Context, PhonesPay, Till};
use till::inbox::{InForce, Inbox, doors};
use till::journal::{Journal, Room};
use till::money::{Currency, Money};
use till::record::body::PaperOutcome;
use till::record::ids::{StaffId, StationId};
use till::record::{Epoch, Record};
use till::staff::PinHash;
use till::token::KeySet;

/// Records of the small journal.
const FEW: u64 = 1_000;

/// Records of the large one: years of a counter.
const MANY: u64 = 1_000_000;

/// Records committed together while a journal is built.
const BATCH: usize = 20_000;

/// Scans measured on each journal.
const SCANS: usize = 1_000;

/// Starts measured.
const STARTS: usize = 5;

const ITEM: &str = "6901234000016";

fn main() {
    let many = std::env::var("TILL_BENCH_RECORDS").ok().and_then(|text| text.parse().ok()).unwrap_or(MANY);
    let dir = tempfile::tempdir().unwrap();
    let (small, large) = (dir.path().join("small"), dir.path().join("large"));
    build(&small, FEW);
    let begun = Instant::now();
    let built = build(&large, many);
    println!("built {built} records in {:.1?}", begun.elapsed());
    let ready = start(&dir.path().join("large.toml"), "large", STARTS);
    println!("ready after a clean stop, {built} records   {:>8.1?}  resident {} kB", ready.0, ready.1);
    let ready = start(&dir.path().join("small.toml"), "small", STARTS);
    println!("ready after a clean stop, {FEW} records   {:>8.1?}  resident {} kB", ready.0, ready.1);
    // In turns, so that a disk that changes its mind does so to both.
    let (mut few, mut lots) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        few.extend(scans(&small));
        lots.extend(scans(&large));
    }
    for (name, times) in [("a thousand", &mut few), ("a million", &mut lots)] {
        times.sort_unstable();
        println!("scan to durable, {name:<10}  p50 {:>8.1?}  p99 {:>8.1?}", at(times, 50), at(times, 99));
    }
    println!(
        "ratio at p50 {}, at p99 {}",
        ratio(at(&lots, 50), at(&few, 50)),
        ratio(at(&lots, 99), at(&few, 99))
    );
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

fn ratio(of: Duration, to: Duration) -> String {
    let hundredths = of.as_nanos() * 100 / to.as_nanos().max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
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

/// A till's own deciding, without its loop: as many sales as make so many records, a few thousand to a commit.
struct Builder {
    journal: Journal,
    till: Till,
    bundle: Bundle,
    keys: KeySet,
    wallets: BTreeSet<till::record::money_moves::ProviderName>,
    clock: Clock,
    records: Vec<Record>,
}

impl Builder {
    fn post(&mut self, event: &Event) {
        let cx = context(&self.bundle, &self.keys, &self.wallets, &self.clock);
        for record in self.till.step(event, &cx).unwrap() {
            self.till.apply(&record);
            self.records.push(record);
        }
        if self.records.len() >= BATCH {
            self.journal.append(&self.records).unwrap();
            self.records.clear();
        }
    }

    fn act(&mut self, act: Act) {
        let staff: StaffId = "mia".parse().unwrap();
        let station: StationId = "front".parse().unwrap();
        self.post(&Event::Act(Press { station, staff: Some(staff), approver: None, seen: None, act }));
    }

    fn sell(&mut self) {
        self.act(Act::TypeCode(ITEM.to_owned()));
        self.act(Act::Cash { received: Money::new(200, Currency::CNY) });
        let done = || PrintReport::Ended(PaperOutcome::Confirmed, String::new());
        for duty in self.till.owed() {
            if let Duty::Print(print) = duty {
                self.post(&Event::Print(print.job, PrintReport::Starting));
                self.post(&Event::Print(print.job, done()));
            } else if let Duty::Kick(kick) = duty {
                self.post(&Event::Drawer(kick.kick, PrintReport::Starting));
                self.post(&Event::Drawer(kick.kick, done()));
            }
        }
    }
}

fn context<'a>(
    bundle: &'a Bundle,
    keys: &'a KeySet,
    wallets: &'a BTreeSet<till::record::money_moves::ProviderName>,
    clock: &Clock,
) -> Context<'a> {
    Context {
        contact: till::counter::Contact::default(),
        proof_key: None,
        moment: clock.moment(None),
        draw: clock::draw(),
        bundle,
        keys,
        code_key: &[7; 32],
        wallets,
        phones: PhonesPay::AtTheWallet,
        code_ms: CODE_MS_MAX,
        archived: None,
        device: &[0; 32],
        found: &[],
    }
}

/// A journal of so many records and a clean stop after them.
fn build(dir: &Path, records: u64) -> u64 {
    let (bundle, keys, clock) = (bundle(), KeySet::new(1, 0, i64::MAX), Clock::new());
    let wallets = BTreeSet::new();
    let cx = context(&bundle, &keys, &wallets, &clock);
    let genesis = Till::genesis("till-1".parse().unwrap(), Epoch(1), None, "0.1.0", &cx);
    let till = Till::begin(&genesis).unwrap();
    let journal = Journal::open(dir).unwrap();
    let mut builder = Builder { journal, till, bundle, keys, wallets, clock, records: vec![genesis] };
    let pin = PinHash::with_rounds("4071", [1; 16], NonZeroU32::MIN).unwrap();
    builder.act(Act::FirstManager { staff: "mia".parse().unwrap(), name: "Mia".to_owned(), pin });
    builder.act(Act::SignIn);
    while builder.till.tip().seq < records {
        builder.sell();
    }
    builder.post(&Event::Stopping);
    let Builder { mut journal, till, records, .. } = builder;
    journal.append(&records).unwrap();
    journal.close().unwrap();
    till.tip().seq
}

/// Starts the daemon so often in order; the median time to ready, and its memory a second later.
fn start(config: &Path, state: &str, times: usize) -> (Duration, u64) {
    let text = format!(
        "terminal = \"till-1\"\nstate_dir = \"{state}\"\n[shop]\ncurrency = \"CNY\"\ntime_zone = \"UTC\"\n\
         [[station]]\nid = \"front\"\n[pages]\nlisten = \"127.0.0.1:0\"\n"
    );
    std::fs::write(config, text).unwrap();
    // The first start replays everything and keeps its state; the others have it.
    let mut first = run(config).0;
    std::thread::sleep(Duration::from_secs(1));
    stop(&mut first);
    let (mut ready, mut resident) = (Vec::new(), 0);
    for _ in 0..times {
        let (mut daemon, after) = run(config);
        ready.push(after);
        std::thread::sleep(Duration::from_secs(1));
        resident = resident_kb(daemon.id()).max(resident);
        stop(&mut daemon);
    }
    ready.sort_unstable();
    (at(&ready, 50), resident)
}

fn run(config: &Path) -> (Child, Duration) {
    let begun = Instant::now();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_till"))
        .args(["run", "--config"])
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("ready"), "{line:?}");
    (daemon, begun.elapsed())
}

fn stop(daemon: &mut Child) {
    Command::new("kill").args(["-TERM", &daemon.id().to_string()]).status().unwrap();
    assert!(daemon.wait().unwrap().success());
}

fn resident_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Scans of one item, each measured until it is on disk.
fn scans(dir: &Path) -> Vec<Duration> {
    let (inbox, letters) = Inbox::new();
    let (outbox, _work) = doors();
    let station: StationId = "front".parse().unwrap();
    let opening = till::till::Opening {
        terminal: "till-1".parse().unwrap(),
        stations: vec![station.clone()],
        bundle: Bundle::empty(Currency::CNY, jiff::tz::TimeZone::UTC, "UTC", 0),
        kept: Some(InForce { bundle: bundle(), keys: KeySet::new(1, 0, i64::MAX) }),
        code_key: [7; 32],
        phones: PhonesPay::AtTheWallet,
        code_ms: CODE_MS_MAX,
        wallets: BTreeSet::new(),
        stamp: till::receipt::Stamp::new([0; 32], |_| [0; 64]),
        sources: till::till::Sources { clock: Clock::new(), draw: clock::draw },
        received: BTreeMap::new(),
        signed: BTreeMap::new(),
        room: Room::default(),
    };
    let ready = till::till::open(Journal::open(dir).unwrap(), opening, letters, outbox).unwrap();
    let thread = std::thread::spawn(move || ready.till.run());
    let mut times = Vec::new();
    for scan in 0..SCANS / 4 {
        let data = ITEM.as_bytes().to_vec();
        let event = Event::Scanned {
            station: station.clone(),
            scan: RawScan { data, aim: None, repeat_of_ms: None },
        };
        let begun = Instant::now();
        inbox.ask_blocking(event).unwrap();
        times.push(begun.elapsed());
        if scan % 50 == 49 {
            let staff: StaffId = "mia".parse().unwrap();
            let act = Act::VoidSale { reason: "measured".to_owned() };
            let press =
                Press { station: station.clone(), staff: Some(staff), approver: None, seen: None, act };
            inbox.ask_blocking(Event::Act(press)).unwrap();
        }
    }
    inbox.ask_blocking(Event::Stopping).unwrap();
    thread.join().unwrap().unwrap();
    times
}
