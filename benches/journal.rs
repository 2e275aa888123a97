//! A journal of a million records beside one of a thousand: how long a customer waits for a scan to be on disk, how long
//! the till takes to be ready after a clean stop and after a kill, and how much memory it holds.
//! `cargo bench --bench journal` prints it.
//!
//! `TILL_BENCH_RECORDS=100000` makes the large one smaller.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)] // a bench reads clocks and prints

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use till::bundle::Bundle;
use till::clock::{self, Clock};
use till::counter::duty::Duty;
use till::counter::event::{Act, Command as Press, Event, PrintReport, RawScan};
use till::counter::{CODE_MS_MAX, Context, PhonesPay, Till};
use till::inbox::{InForce, Inbox, Work, doors};
use till::journal::Journal;
use till::money::{Currency, Money};
use till::record::body::PaperOutcome;
use till::record::ids::{StaffId, StationId};
use till::record::{Epoch, Record};
use till::staff::PinHash;
use till::till::Opening;
use till::token::KeySet;

/// Records of the small journal.
const FEW: u64 = 1_000;

/// Records of the large one: years of a counter.
const MANY: u64 = 1_000_000;

/// Records committed together while a journal is built.
const BATCH: usize = 20_000;

/// Scans measured on each journal: forty of them are slower than the p99.
const SCANS: usize = 4_000;

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
    for (state, records) in [("large", built), ("small", FEW)] {
        for (end, signal) in [("a clean stop", "-TERM"), ("a kill", "-KILL")] {
            let (ready, resident) = start(dir.path(), state, signal);
            println!("ready after {end:<12}  {records:>7} records  {ready:>8.1?}  resident {resident} kB");
        }
    }
    // In turns, so that a disk that changes its mind does so to both.
    let (mut few, mut lots) = (Counter::open(&small), Counter::open(&large));
    for _ in 0..SCANS {
        few.scan();
        lots.scan();
    }
    let (few, lots) = (few.close(), lots.close());
    for (name, times) in [("a thousand", &few), ("a million", &lots)] {
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
        self.post(&self::act(act));
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
    let (InForce { bundle, keys }, clock) = (InForce::of_water(), Clock::new());
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

/// Starts the daemon some times, each after `signal` has ended the one before; the median time to ready, and the most
/// memory a second later.
fn start(dir: &Path, state: &str, signal: &str) -> (Duration, u64) {
    let config = &dir.join(format!("{state}.toml"));
    let text = format!(
        "terminal = \"till-1\"\nstate_dir = \"{state}\"\n[shop]\ncurrency = \"CNY\"\ntime_zone = \"UTC\"\n\
         [[station]]\nid = \"front\"\n[pages]\nlisten = \"127.0.0.1:0\"\n"
    );
    std::fs::write(config, text).unwrap();
    // The first start replays everything and keeps its state when it is told to stop; the others have it.
    let mut first = run(config).0;
    std::thread::sleep(Duration::from_secs(1));
    end(&mut first, "-TERM");
    end(&mut run(config).0, signal);
    let (mut ready, mut resident) = (Vec::new(), 0);
    for _ in 0..STARTS {
        let (mut daemon, after) = run(config);
        ready.push(after);
        std::thread::sleep(Duration::from_secs(1));
        resident = resident_kb(daemon.id()).max(resident);
        end(&mut daemon, signal);
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

fn end(daemon: &mut Child, signal: &str) {
    Command::new("kill").args([signal, &daemon.id().to_string()]).status().unwrap();
    assert_eq!(daemon.wait().unwrap().success(), signal == "-TERM");
}

fn resident_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A till that runs on a journal that is there.
struct Counter {
    inbox: Inbox,
    _work: Work,
    thread: JoinHandle<()>,
    times: Vec<Duration>,
}

impl Counter {
    fn open(dir: &Path) -> Self {
        let (inbox, letters) = Inbox::new();
        let (outbox, work) = doors();
        let opening = Opening { kept: Some(InForce::of_water()), ..Opening::blank() };
        let ready = till::till::open(Journal::open(dir).unwrap(), opening, letters, outbox).unwrap();
        let thread = std::thread::spawn(move || ready.till.run().unwrap());
        Self { inbox, _work: work, thread, times: Vec::new() }
    }

    /// Scans one item and measures until it is on disk.
    fn scan(&mut self) {
        let scan = RawScan { data: ITEM.as_bytes().to_vec(), aim: None, repeat_of_ms: None };
        let event = Event::Scanned { station: station(), scan };
        let begun = Instant::now();
        self.inbox.ask_blocking(event).unwrap();
        self.times.push(begun.elapsed());
        if self.times.len().is_multiple_of(50) {
            self.inbox.ask_blocking(act(Act::VoidSale { reason: "measured".to_owned() })).unwrap();
        }
    }

    /// What was measured, the quickest first.
    fn close(self) -> Vec<Duration> {
        let Self { inbox, thread, mut times, .. } = self;
        inbox.ask_blocking(Event::Stopping).unwrap();
        thread.join().unwrap();
        times.sort_unstable();
        times
    }
}

fn station() -> StationId {
    "front".parse().unwrap()
}

fn act(act: Act) -> Event {
    let staff: StaffId = "mia".parse().unwrap();
    Event::Act(Press { station: station(), staff: Some(staff), approver: None, seen: None, act })
}
