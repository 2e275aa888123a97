//! Thousands of evenings at one till: the real payments' edge against a wallet with a ledger of its own, lines
//! that lose requests and answers, customers who think for a minute, a cashier who cancels, parks, splits and
//! gives back, and a machine that dies at any commit. The clock is moved, nothing waits.
//!
//! Twice: against a wallet of some lines, and through the wallets' adapters against the simulator that is sold, with
//! every byte signed and verified on both sides. `TILL_SCHEDULES=200000 cargo test schedules` plays more than by
//! default, `TILL_SCHEDULE=7` one that failed,
//! and with `--nocapture` it says what happened.

mod cashier;
mod gateway;
mod judge;
mod simulator;
mod witness;

use super::*;
use crate::inbox::{CodeInHand, Inbox, Letter, ProviderWork, WORK_MAX};
use crate::provider;
use crate::wallet::Wallet;
use cashier::Cashier;
use gateway::Short;
use simulator::Rig;
use std::ops::Range;
use std::rc::Rc;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use witness::{Notes, Watched};

/// Schedules by default: some seconds of each of two cores, without optimisation.
const SCHEDULES: u64 = 10_000;

/// How many play at once.
const THREADS: u64 = 2;

/// An evening lasts this long at most: the longest gap between two tries, many times over.
const EVENING: Duration = Duration::from_secs(3_000);

/// When the cashier stops doing new things.
const CLOSING: Duration = Duration::from_secs(90);

/// What both wallets take.
static WALLETS: LazyLock<BTreeSet<ProviderName>> =
    LazyLock::new(|| [ProviderName::Alipay, ProviderName::Wechat].into());

/// The shop, made once: a till with a manager, a cashier and an open shift.
static OPENED: LazyLock<(Till, Vec<Record>, Moment, Bundle, KeySet)> = LazyLock::new(|| {
    let mut bench = TestTill::open();
    bench.act(Act::OpenShift { float: fen(10_000) }).unwrap();
    (bench.till.clone(), bench.records.clone(), bench.moment, bench.bundle.clone(), bench.keys.clone())
});

/// The wallets of one evening, whoever plays them.
trait Wallets {
    /// The door to one of them.
    fn of(&self, provider: ProviderName) -> Arc<dyn Wallet>;

    /// What is told now of payments: order and amount. Who looks has been told.
    fn notices(&self, notes: &Notes) -> Vec<(String, i64)>;

    /// Whether nothing happens any more by itself.
    fn is_quiet(&self) -> bool;

    /// Every order that is known.
    fn orders(&self) -> Vec<String>;

    /// Money that an order keeps, in fen.
    fn kept(&self, order: &str) -> i64;

    /// Somebody at the wallet's own pages gives the money back.
    fn give_back_by_hand(&self, order: &str);

    /// The faults that struck.
    fn struck(&self) -> Vec<&'static str>;
}

/// Who plays the wallets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Player {
    /// Some lines of our own: thousands of evenings in seconds.
    Short,
    /// The simulator that is sold, behind the adapters that are sold: signed bytes both ways.
    Simulator,
}

/// How many evenings were played, and what they had.
struct Played {
    evenings: u64,
    saw: BTreeMap<&'static str, u64>,
}

#[test]
fn whatever_happens_to_a_payment_the_till_ends_where_the_wallet_does() {
    let played = play_all(Player::Short);
    if played.evenings >= SCHEDULES {
        had(&played, &judge::EVERY_TIME);
    }
}

#[test]
fn whatever_the_wallets_gateway_does_on_the_wire_the_till_ends_where_its_ledger_does() {
    let played = play_all(Player::Simulator);
    println!("{} evenings with the simulated gateways: {:?}", played.evenings, played.saw);
    if played.evenings >= SCHEDULES {
        had(&played, &judge::EVERY_TIME);
        had(&played, &simulator::FAULTS);
    }
}

fn had(played: &Played, everything: &[&str]) {
    for what in everything {
        assert!(played.saw.contains_key(what), "no evening had {what}: {:?}", played.saw);
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Whether one evening is played again, and said aloud.
fn is_told() -> bool {
    number("TILL_SCHEDULE").is_some()
}

fn play_all(player: Player) -> Played {
    let seeds = match number("TILL_SCHEDULE") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TILL_SCHEDULES").unwrap_or(SCHEDULES),
    };
    let mut saw: BTreeMap<&'static str, u64> = BTreeMap::new();
    let step = (seeds.end - seeds.start).div_ceil(THREADS);
    let parts: Vec<Range<u64>> = (0..THREADS)
        .map(|part| {
            let from = seeds.start + part * step;
            from.min(seeds.end)..(from + step).min(seeds.end)
        })
        .collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            parts.into_iter().map(|part| scope.spawn(move || play_some(player, part))).collect();
        for thread in threads {
            let Ok(counts) = thread.join() else { panic!("a schedule went wrong: its seed is above") };
            counts.into_iter().for_each(|(what, times)| *saw.entry(what).or_default() += times);
        }
    });
    Played { evenings: seeds.end - seeds.start, saw }
}

fn play_some(player: Player, seeds: Range<u64>) -> BTreeMap<&'static str, u64> {
    let clock =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let door = Door::new();
    let rig = (player == Player::Simulator).then(Rig::new);
    let mut seen = BTreeMap::new();
    for seed in seeds {
        let evening = std::panic::AssertUnwindSafe(|| clock.block_on(play(seed, &door, rig.as_ref())));
        match std::panic::catch_unwind(evening) {
            Ok(what) => what.into_iter().for_each(|what| *seen.entry(what).or_default() += 1),
            Err(_) => panic!("TILL_SCHEDULE={seed} plays it again"),
        }
    }
    seen
}

/// Plays one schedule and says what it had.
async fn play(seed: u64, door: &Door, rig: Option<&Rig>) -> BTreeSet<&'static str> {
    let mut evening = Evening::open(seed, door, rig);
    while !evening.is_over() {
        assert!(evening.began.elapsed() < EVENING, "something has no end: {:?}", evening.till.owed());
        let events = evening.heard();
        if !events.is_empty() {
            evening.turn(&events);
        }
        let pause = 200 + evening.dice.roll(1_300);
        sleep(Duration::from_millis(pause)).await;
    }
    evening.close();
    judge::judge(&evening)
}

/// One evening at the till.
struct Evening {
    door: Door,
    till: Till,
    records: Vec<Record>,
    moment: Moment,
    draws: u64,
    dice: Dice,
    began: Instant,
    cashier: Cashier,
    wallets: Rc<dyn Wallets>,
    notes: Arc<Mutex<Notes>>,
    edge: Edge,
    in_flight: BTreeSet<DutyId>,
    codes: BTreeMap<IntentId, String>,
    crashes: u64,
    saw: BTreeSet<&'static str>,
}

/// The door into the till, made once for all evenings of a thread: its bounded channel is large.
#[derive(Clone)]
struct Door {
    inbox: Inbox,
    letters: Rc<Receiver<Letter>>,
}

impl Door {
    fn new() -> Self {
        let (inbox, letters) = Inbox::new();
        Self { inbox, letters: Rc::new(letters) }
    }
}

/// The payments' edge, as the daemon runs it.
struct Edge {
    work: mpsc::Sender<ProviderWork>,
    _stop: watch::Sender<bool>,
    _task: JoinSet<()>,
}

impl Edge {
    /// A new process: what waited at the door of the old one is gone with it.
    fn start(wallets: &dyn Wallets, notes: &Arc<Mutex<Notes>>, door: &Door) -> Self {
        while door.letters.try_recv().is_ok() {}
        let (work, duties) = mpsc::channel(WORK_MAX);
        let (stop, stopped) = watch::channel(false);
        let known = WALLETS.iter().map(|provider| {
            let watched =
                Watched { provider: *provider, wallet: wallets.of(*provider), notes: notes.clone() };
            (*provider, Arc::new(watched) as Arc<dyn Wallet>)
        });
        let config = provider::Config {
            wallets: known.collect(),
            terminal: "till-1".parse().unwrap(),
            subject: "Café 42".to_owned(),
            rules: BTreeMap::new(),
        };
        let mut task = JoinSet::new();
        task.spawn(provider::run(config, duties, door.inbox.clone(), stopped));
        Self { work, _stop: stop, _task: task }
    }
}

impl Evening {
    fn open(seed: u64, door: &Door, rig: Option<&Rig>) -> Self {
        let (till, records, moment, ..) = &*OPENED;
        let began = Instant::now();
        let mut dice = Dice(seed);
        (0..4).for_each(|_| {
            dice.roll(2);
        });
        let healthy_from = began + Duration::from_secs(dice.roll(4) * dice.roll(60));
        let notes = Arc::new(Mutex::new(Notes::default()));
        let wallets: Rc<dyn Wallets> = match rig {
            Some(rig) => Rc::new(rig.begin(seed, moment.wall_ms, healthy_from)),
            None => Rc::new(Short::new(seed, healthy_from)),
        };
        Self {
            till: till.clone(),
            records: records.clone(),
            moment: *moment,
            draws: 1_000 + seed * 100_000,
            cashier: Cashier::new(1 + dice.roll(2)),
            dice,
            began,
            edge: Edge::start(&*wallets, &notes, door),
            door: door.clone(),
            wallets,
            notes,
            in_flight: BTreeSet::new(),
            codes: BTreeMap::new(),
            crashes: 0,
            saw: BTreeSet::new(),
        }
    }

    fn is_over(&self) -> bool {
        let idle = self.till.sales.is_empty() && self.cashier.is_done();
        idle && self.wallets.is_quiet() && self.began.elapsed() > Duration::from_secs(1)
    }

    /// What came in since: reports of the edge, notices of the wallet, a passed deadline, the cashier.
    fn heard(&mut self) -> Vec<Event> {
        let passed = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        let (_, _, opened, ..) = &*OPENED;
        self.moment.monotonic_ms = opened.monotonic_ms + passed;
        self.moment.wall_ms = opened.wall_ms + i64::try_from(passed).unwrap();
        let mut events: Vec<Event> = vec![];
        while let Ok(letter) = self.door.letters.try_recv() {
            events.push(letter.event);
        }
        let told = self.wallets.notices(&self.notes.lock().unwrap());
        for (order, amount) in told {
            self.saw.insert("notice");
            let ProviderReport::Approved(settled) = approved(fen(amount)) else { unreachable!() };
            events.push(Event::Provider(order.parse().unwrap(), ProviderReport::Told(settled)));
        }
        if self.till.next_deadline().is_some_and(|deadline| self.moment.is_past(deadline)) {
            events.push(Event::DeadlinePassed);
        }
        events.extend(cashier::act(self));
        events
    }

    /// One turn of the loop: decide and apply, commit, let go. The machine may die around the commit.
    fn turn(&mut self, events: &[Event]) {
        let durable = self.records.len();
        let mut committed = durable;
        for event in events {
            let archived = self.recall(event);
            self.draws += 1;
            let (_, _, _, bundle, keys) = &*OPENED;
            let cx = Context {
                wallets: &WALLETS,
                ..context(bundle, keys, self.moment, self.draws, archived.as_ref())
            };
            let made = self.till.step(event, &cx);
            if is_told() {
                let kinds = made.as_ref().map(|made| made.iter().map(|record| record.body.kind()));
                println!("{} {event:?}: {:?}", self.moment.wall_ms, kinds.map(Vec::from_iter));
            }
            let Ok(made) = made else { continue };
            for record in &made {
                self.till.apply(record);
                if let (Body::IntentDrawn { intent, .. }, Event::Scanned { scan, .. }) = (&record.body, event)
                {
                    self.codes.insert(*intent, String::from_utf8(scan.data.clone()).unwrap());
                }
            }
            self.records.extend(made);
            committed = self.records.len();
        }
        let died = if self.crashes < 3 && committed > durable { self.dice.roll(40) } else { 99 };
        match died {
            // Before the commit: all of this turn is gone. After it: nothing was let go.
            0 => self.start_again(durable, "crash_before_commit"),
            1 => self.start_again(committed, "crash_after_commit"),
            2 => {
                self.release();
                self.start_again(committed, "crash_after_release");
            }
            _ => self.release(),
        }
    }

    fn recall(&self, event: &Event) -> Option<Sale> {
        let sale = match event {
            Event::Act(Command { act: Act::GiveBack { sale, .. }, .. }) => *sale,
            Event::Provider(intent, ProviderReport::Approved(_) | ProviderReport::Told(_)) => {
                self.till.past_sale(*intent)?
            }
            _ => return None,
        };
        if self.till.holds(sale) {
            return None;
        }
        Sale::fold(self.records.iter().filter(|record| record.header.sale == Some(sale)))
    }

    /// Starts what is owed and not under way, as the loop does.
    fn release(&mut self) {
        let owed = self.till.owed();
        let ids: BTreeSet<DutyId> = owed.iter().map(Duty::id).collect();
        self.in_flight.retain(|id| ids.contains(id));
        for duty in owed {
            let id = duty.id();
            let code = match id {
                DutyId::Submit(intent) => self.codes.remove(&intent).map(CodeInHand),
                DutyId::Ask(_) | DutyId::Cancel(_) | DutyId::Watch(_) | DutyId::Refund(_) => None,
                DutyId::Offer(_) | DutyId::Withdraw(_) | DutyId::Print(_) | DutyId::Kick(_) => continue,
            };
            if self.in_flight.insert(id) {
                self.edge.work.try_send(ProviderWork { duty, code }).unwrap();
            }
        }
    }

    /// The process dies and starts again: what is on disk is all that is known.
    fn start_again(&mut self, durable: usize, how: &'static str) {
        self.saw.insert(how);
        self.crashes += 1;
        self.records.truncate(durable);
        self.till = replay(&self.records);
        self.edge = Edge::start(&*self.wallets, &self.notes, &self.door);
        self.in_flight.clear();
        self.codes.clear();
        if self.dice.roll(3) == 0 {
            // The whole machine: its clock begins anew.
            let boot = u8::try_from(self.crashes).unwrap();
            self.moment.boot = crate::record::moment::BootId([boot; 16]);
        }
        self.crashes += 1;
        self.turn(&[Event::Booted(Shutdown::Unclean)]);
    }

    fn close(&mut self) {
        assert_eq!(replay(&self.records), self.till, "replaying the records gives the state in memory");
        if self.crashes > 0 {
            self.saw.insert("crash");
        }
    }

    fn scanned(&self, data: &str) -> Event {
        let scan = RawScan { data: data.as_bytes().to_vec(), aim: None, repeat_of_ms: None };
        Event::Scanned { station: "front".parse().unwrap(), scan }
    }

    fn act(&self, act: Act) -> Event {
        Event::Act(Command {
            station: "front".parse().unwrap(),
            staff: Some("bo".parse().unwrap()),
            approver: Some("mei".parse().unwrap()),
            seen: None,
            act,
        })
    }
}
