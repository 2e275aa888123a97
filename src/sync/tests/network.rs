//! Thousands of evenings of three tills and their cloud on a bad line: the edge that is sold, the cloud that is sold,
//! real journals and a real store, in one process on a clock that is moved.
//!
//! The line loses requests and answers, sends twice, brings an old request late, refuses with 429, 503 and 413, and cuts
//! answers short; the cloud's power is cut, also between its commit and its answer, and its store is put back to an
//! earlier backup; tills restart, begin new epochs, and their clocks jump. Then everything is well again, and within
//! bounded time nothing may be left: `TILL_NETWORK_SCHEDULES=10000 cargo test network` plays more than by default,
//! `TILL_NETWORK_SCHEDULE=7` one that failed, some times over: which of two tasks that one signal wakes goes first is
//! Tokio's own draw, and no seed of ours.

mod judge;
mod line;
mod outage;
mod put_back;
mod till;

use super::super::{Timing, Way};
use crate::cloud::handed_out::autumn;
use crate::cloud::{Clock, Decision, NewMember, inside};
use crate::record::ids::unhex;
use crate::token::MemberRef;
use line::{Faults, Line};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use till::SimTill;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Schedules by default: some minutes of each of two cores, without optimisation.
const SCHEDULES: u64 = 2_000;
/// How often one that is asked for by its number is played: a draw of Tokio's that came once comes again.
const REPLAYS: usize = 20;
/// How many play at once.
const THREADS: u64 = 2;
/// Tills of each evening.
const TILLS: usize = 3;
/// Coupons that are about; some are taken twice.
const COUPONS: usize = 4;
/// Members who come by; some come to two tills, or twice to one.
const MEMBERS: usize = 3;
/// How long things go wrong.
const BAD: Duration = Duration::from_secs(12);
/// How long it may take, once all is well, until nothing is left to bring or to rule on.
const HEALED: Duration = Duration::from_secs(300);
/// Until whatever was under way when the power went has ended.
const MOMENT: Duration = Duration::from_millis(1);
/// When it all begins.
pub(super) const START_MS: i64 = 1_795_000_000_000;

/// Chance that a seed plays again: splitmix64.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// What a kind of fault or a figure counted.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// A shop that has just opened, made once: what each evening begins with.
struct Opened {
    dir: TempDir,
    coupons: Vec<String>,
    members: Vec<Member>,
}

/// A member, and what the member's phone knows.
pub(super) struct Member {
    pub(super) reference: MemberRef,
    pub(super) secret: [u8; 20],
}

static OPENED: LazyLock<Opened> = LazyLock::new(|| {
    let dir = quick_dir();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let (coupons, members) = runtime.unwrap().block_on(async {
        let cloud = inside::open(&dir.path().join("cloud"), Arc::new(|| START_MS)).await;
        let coupons = cloud.admin.issue_coupons(&autumn(START_MS, COUPONS)).await.unwrap();
        let members = cloud.admin.add_members(MEMBERS).await.unwrap();
        let known = |member: NewMember| Member {
            reference: member.member.parse().unwrap(),
            secret: unhex(&member.secret).unwrap(),
        };
        let members: Vec<Member> = members.into_iter().map(known).collect();
        for number in 0..TILLS {
            till::ask_to_be_paired(&cloud, number).await;
            let print = till::key(number).fingerprint();
            cloud.admin.decide_pairing(&till::id(number), &print, Decision::Approve).await.unwrap();
            till::make(&dir.path().join(format!("till-{number}")));
        }
        (coupons, members)
    });
    Opened { dir, coupons, members }
});

/// Where files are quick: in memory, where the machine has such a place.
fn quick_dir() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::with_prefix_in("till-", memory) } else { tempfile::tempdir() }.unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// The cloud of an evening: its folder, and itself while it has power.
pub(super) struct Host {
    pub(super) dir: PathBuf,
    pub(super) cloud: Option<inside::Inside>,
    /// Changes when the power goes: whatever the cloud was doing ends there.
    pub(super) power: watch::Sender<()>,
    /// Somebody works on its files: nobody else may give it power.
    pub(super) repair: bool,
    began: Instant,
}

impl Host {
    fn clock(&self) -> Clock {
        let began = self.began;
        Arc::new(move || START_MS + i64::try_from(began.elapsed().as_millis()).unwrap())
    }

    async fn power_up(host: &Mutex<Self>) {
        let (dir, clock) = {
            let host = host.lock().unwrap();
            (host.dir.clone(), host.clock())
        };
        let cloud = inside::open(&dir, clock).await;
        let mut host = host.lock().unwrap();
        (host.cloud, host.repair) = (Some(cloud), false);
    }

    /// Takes effect once others have run: wait a moment before the cloud's files are touched.
    fn cut_power(&mut self) {
        self.cloud = None;
        self.power.send_replace(());
    }
}

#[test]
fn whatever_the_line_and_the_machines_do_each_record_arrives_once_and_is_ruled_on() {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match asked("TILL_NETWORK_SCHEDULE") {
        Some(seed) => vec![seed; REPLAYS],
        None => (0..asked("TILL_NETWORK_SCHEDULES").unwrap_or(SCHEDULES)).collect(),
    };
    let began = crate::clock::Clock::new();
    let started_ms = began.unix_ms();
    LazyLock::force(&OPENED);
    let next = Mutex::new(seeds.iter());
    let counts = Mutex::new(Counts::new());
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let Some(&seed) = next.lock().unwrap().next() else { return };
                let evening = std::panic::AssertUnwindSafe(|| play_alone(seed));
                match std::panic::catch_unwind(evening) {
                    Ok(saw) => {
                        let mut counts = counts.lock().unwrap();
                        saw.into_iter().for_each(|(what, times)| *counts.entry(what).or_default() += times);
                    }
                    Err(_) => panic!("TILL_NETWORK_SCHEDULE={seed} plays it again"),
                }
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            assert!(thread.join().is_ok(), "a schedule went wrong: its seed is above");
        }
    });
    let counts = counts.into_inner().unwrap();
    let schedules = seeds.len() as u64;
    let seconds = (began.unix_ms() - started_ms) / 1000;
    println!(
        "network: {schedules} schedules in {seconds} s, nothing lost, nothing doubled, nothing left: {counts:?}"
    );
    if schedules >= SCHEDULES {
        for what in line::KINDS.into_iter().chain(HAPPENINGS) {
            assert!(counts.contains_key(what), "no schedule had {what}: {counts:?}");
        }
    }
}

/// What happens to machines.
const HAPPENINGS: [&str; 7] = [
    "cloud restarted",
    "cloud put back",
    "till restarted",
    "epoch begun",
    "clock jumped",
    "both took a coupon",
    "a member came again",
];

fn play_alone(seed: u64) -> Counts {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.unwrap();
    let saw = runtime.block_on(play(seed));
    runtime.shutdown_background();
    saw
}

async fn play(seed: u64) -> Counts {
    let dir = quick_dir();
    copy(OPENED.dir.path(), dir.path());
    let mut dice = Dice(seed);
    let host = Host {
        dir: dir.path().join("cloud"),
        cloud: None,
        power: watch::Sender::new(()),
        repair: false,
        began: Instant::now(),
    };
    let host = Arc::new(Mutex::new(host));
    Host::power_up(&host).await;
    let faults = Arc::new(Mutex::new(Faults::drawn(&mut dice)));
    let mut tills: Vec<SimTill> = (0..TILLS)
        .map(|number| {
            let line = Line::new(Arc::clone(&host), Arc::clone(&faults), dice.next());
            SimTill::open(number, &dir.path().join(format!("till-{number}")), line, dice.next())
        })
        .collect();
    let mut saw = Counts::new();
    let ends = Instant::now() + BAD;
    while Instant::now() < ends {
        sleep(Duration::from_millis(1 + dice.below(800))).await;
        happen(&mut dice, &host, &mut tills, &mut saw, dir.path()).await;
    }
    // What a cloud said before it was put back has come by then.
    sleep(Duration::from_millis(line::FLIGHT_MS)).await;
    // All is well again.
    faults.lock().unwrap().heal();
    if host.lock().unwrap().cloud.is_none() {
        Host::power_up(&host).await;
    }
    let healed = Instant::now();
    while let Some(left) = tills.iter_mut().find_map(SimTill::left) {
        assert!(healed.elapsed() < HEALED, "five minutes after all is well again {left}");
        sleep(Duration::from_millis(500)).await;
    }
    for till in &mut tills {
        till.stop().await;
    }
    host.lock().unwrap().cut_power();
    sleep(MOMENT).await;
    judge::judge(&dir.path().join("cloud"), &tills, &mut saw);
    faults.lock().unwrap().counted.iter().for_each(|(what, times)| *saw.entry(what).or_default() += times);
    saw
}

/// One thing that happens to the shop or its machines.
async fn happen(
    dice: &mut Dice,
    host: &Arc<Mutex<Host>>,
    tills: &mut [SimTill],
    saw: &mut Counts,
    dir: &Path,
) {
    let at = usize::try_from(dice.below(TILLS as u64)).unwrap();
    let mut count = |what| *saw.entry(what).or_default() += 1;
    match dice.below(24) {
        0 | 8 => {
            count("cloud restarted");
            {
                let mut host = host.lock().unwrap();
                host.repair = true;
                host.cut_power();
            }
            sleep(MOMENT).await;
            judge::prefixes(&dir.join("cloud"), tills);
            let (store, backup) = (dir.join("cloud/cloud.db"), dir.join("backup.db"));
            if dice.one_in(2) {
                std::fs::copy(&store, &backup).unwrap();
            } else if backup.exists() {
                count("cloud put back");
                std::fs::copy(&backup, &store).unwrap();
            }
            sleep(Duration::from_millis(dice.below(4_000))).await;
            Host::power_up(host).await;
        }
        1 => {
            count("till restarted");
            tills[at].stop().await;
            sleep(Duration::from_millis(dice.below(3_000))).await;
            tills[at].start();
        }
        2 => {
            count("epoch begun");
            tills[at].begin_epoch();
        }
        3 => {
            count("clock jumped");
            let hours = i64::try_from(dice.below(72)).unwrap() - 36;
            tills[at].jump_ms(hours * 3_600_000);
        }
        4 => tills[at].send_now(),
        5 | 6 => {
            let coupon = usize::try_from(dice.below(COUPONS as u64)).unwrap();
            let before = tills.iter().filter(|till| till.took(coupon)).count();
            if before == 1 && !tills[at].took(coupon) {
                count("both took a coupon");
            }
            if !tills[at].took(coupon) {
                tills[at].take_coupon(coupon, &OPENED.coupons[coupon]);
            }
        }
        9 | 10 => {
            let member = usize::try_from(dice.below(MEMBERS as u64)).unwrap();
            if tills.iter().any(|till| till.check_ins.contains(&member)) {
                count("a member came again");
            }
            tills[at].check_in(member, &OPENED.members[member]);
        }
        // More than a batch holds, at times.
        7 => tills[at].sell(if dice.one_in(20) { 600 } else { 30 }),
        _ => tills[at].sell(1 + dice.below(6)),
    }
}

/// Time as a till has it: the evening's, and how far its own clock is off.
pub(super) fn till_clock(off_ms: &Arc<AtomicI64>, began: Instant) -> super::super::Now {
    let off_ms = Arc::clone(off_ms);
    Arc::new(move || {
        START_MS + i64::try_from(began.elapsed().as_millis()).unwrap() + off_ms.load(Ordering::Relaxed)
    })
}
