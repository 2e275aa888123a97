//! Power cuts at any point of what a till writes: none of what was acknowledged is lost, and nothing is corrupt.
//!
//! The controls are the same rows over connections with `synchronous=NORMAL` and `OFF`: a harness that finds nothing
//! wrong with them would find nothing wrong with anything.

use crate::judge::{Wrong, judge};
use crate::pen::Pen;
use crate::story::{self, Story};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use till::journal::Journal;
use till::record::Record;
use vfs::chance::Chance;
use vfs::replay::{Replay, Unflushed};

/// Points of the default run: a little more than a minute of two cores.
const POINTS: u64 = 20_000;

/// Points tried of one story: enough that neighbours are among them, few enough that stories differ.
const POINTS_A_STORY: u64 = 800;

/// Points of each control.
const CONTROL_POINTS: u64 = 800;

/// A journal as the first released version leaves it, with thirty records that no cloud has.
const RELEASED: &[u8] = include_bytes!("../../../data/journal-v1/released.db");

/// The records in it.
fn held() -> Vec<Record> {
    Pen::new(0x0123).many(30, 200)
}

#[derive(Default)]
struct Tally {
    points: AtomicU64,
    lost: AtomicU64,
    corrupt: AtomicU64,
    first: Mutex<Option<String>>,
}

impl Tally {
    fn count(&self, place: &str, found: Result<(), Wrong>) {
        self.points.fetch_add(1, Ordering::Relaxed);
        let Err(wrong) = found else { return };
        match &wrong {
            Wrong::Lost(_) => self.lost.fetch_add(1, Ordering::Relaxed),
            Wrong::Corrupt(_) => self.corrupt.fetch_add(1, Ordering::Relaxed),
        };
        self.first.lock().unwrap().get_or_insert_with(|| format!("{place}: {wrong:?}"));
    }

    fn read(&self) -> (u64, u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.points), read(&self.lost), read(&self.corrupt))
    }
}

/// A directory in memory where there is one: the disk is modelled, and the machine's own would only slow it down.
fn scratch() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Cuts the power at `points` places of a story by chance and looks at what is left.
///
/// Keys are plain files, flushed with their names before anything lies under them (`journal::vault`): they are there.
fn cut(story: &Story, home: &Path, seed: u64, points: u64, tally: &Tally) {
    let mut chance = Chance::new(seed ^ 0xc0ff_ee00);
    let places = u64::try_from(story.tape.ops.len()).unwrap() + 1;
    // How often each place is tried.
    let mut wanted = vec![0_u32; usize::try_from(places).unwrap()];
    for _ in 0..points {
        wanted[usize::try_from(chance.below(places)).unwrap()] += 1;
    }
    let mut replay = Replay::new(&story.tape);
    loop {
        for _ in 0..wanted[replay.at()] {
            let unflushed = match chance.below(8) {
                0 => Unflushed::Lost,
                1 => Unflushed::Kept,
                _ => Unflushed::Torn,
            };
            let dir = scratch();
            replay.cut(unflushed, &mut chance, dir.path());
            copy_keys(home, dir.path());
            let place = format!("seed {seed}, after operation {}, {unflushed:?}", replay.at());
            tally.count(&place, judge(dir.path(), story, replay.told()));
        }
        if !replay.step() {
            return;
        }
    }
}

fn copy_keys(home: &Path, to: &Path) {
    let keys = home.join("keys");
    let Ok(entries) = std::fs::read_dir(&keys) else { return };
    std::fs::create_dir_all(to.join("keys")).unwrap();
    for entry in entries {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join("keys").join(entry.file_name())).unwrap();
    }
}

/// Runs stories on two threads until so many points were tried.
fn run(points: u64, tell: impl Fn(&Path, u64) -> Story + Sync) -> Tally {
    let (tally, next) = (Tally::default(), AtomicU64::new(number("TILL_POWER_SEED", 1)));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while tally.points.load(Ordering::Relaxed) < points {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let dir = scratch();
                    let story = tell(dir.path(), seed);
                    cut(&story, dir.path(), seed, POINTS_A_STORY.min(points), &tally);
                }
            });
        }
    });
    tally
}

#[test]
fn proof_power_cuts_lose_nothing_that_was_acknowledged_and_corrupt_nothing() {
    let begun = Instant::now();
    let held = held();
    let tally = run(number("TILL_POWER_POINTS", POINTS), |dir, seed| match seed % 8 {
        0 => story::upgrade(dir, RELEASED, &held, seed),
        _ => story::till(dir, seed),
    });
    let (points, lost, corrupt) = tally.read();
    let seconds = begun.elapsed().as_secs();
    println!("power cuts: {points} points, {lost} lost, {corrupt} corrupt, {seconds} s");
    assert_eq!((lost, corrupt), (0, 0), "{:?}", tally.first.lock().unwrap());
}

#[test]
fn proof_a_connection_that_is_not_durable_fails_the_same_cuts() {
    let begun = Instant::now();
    let normal = run(CONTROL_POINTS, |dir, seed| story::careless(dir, "NORMAL", seed)).read();
    let off = run(CONTROL_POINTS, |dir, seed| story::careless(dir, "OFF", seed)).read();
    let seconds = begun.elapsed().as_secs();
    for (name, (points, lost, corrupt)) in [("NORMAL", normal), ("OFF", off)] {
        println!(
            "power cuts, control synchronous={name}: {points} points, {lost} lost, {corrupt} corrupt, {seconds} s"
        );
    }
    assert!(normal.1 > 0, "NORMAL loses what was acknowledged");
    assert!(off.2 > 0, "OFF corrupts");
}

/// Writes the released journal where there is none; it never overwrites.
#[test]
#[ignore = "makes the journal of a released version"]
fn write_the_released_journal() {
    let dir = scratch();
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&held()).unwrap();
    journal.close().unwrap();
    let bytes = std::fs::read(dir.path().join("journal.db")).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/journal-v1/released.db");
    let mut file = std::fs::File::create_new(path).expect("a released journal is never overwritten");
    std::io::Write::write_all(&mut file, &bytes).unwrap();
}
