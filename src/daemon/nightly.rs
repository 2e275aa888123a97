//! Once a night: every page of the journal is checked, and a verified copy of it kept in `backups/`, the last few of them.
//! Then records go that the shop wants to keep no longer, where it says so.
//!
//! A long journal is checked right after a start that follows an unclean end, too, while the till already sells.
//!
//! A journal that is found damaged ends the process in order: the next start checks every page and record of it, sets it
//! aside and opens new books before the shop opens. Not here: copies elsewhere, which a disk that dies does not take along (`till backup`).

use crate::clock::Clock;
use crate::config::DayCut;
use crate::inbox::{Board, Inbox};
use crate::journal::edge::EdgeStore;
use crate::journal::{self, Reader, Room};
use crate::till;
use crate::till::retention::{Asked, Going};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Between two looks at the clock.
const LOOK: Duration = Duration::from_secs(15 * 60);

/// The hour of the shop's day from which on a night's work may begin: nobody waits at a counter then.
const HOUR: i8 = 3;

/// Copies kept, the one just made among them; the oldest goes.
const KEPT: usize = 3;

/// What is done in one go.
type Work = fn(&Nightly) -> Result<(), journal::Error>;

/// What the night's work needs.
pub(super) struct Nightly {
    pub(super) reader: Reader,
    pub(super) state_dir: PathBuf,
    pub(super) zone: TimeZone,
    pub(super) day_cut: DayCut,
    pub(super) clock: Clock,
    pub(super) room: Room,
    /// Business days of which records are kept; none means all.
    pub(super) keep_days: Option<u16>,
    pub(super) edge: EdgeStore,
    pub(super) board: Board,
    pub(super) inbox: Inbox,
    /// The journal was too long to be checked before the till was ready.
    pub(super) owes_check: bool,
    /// The day on which the journal was last checked and copied.
    pub(super) copied_on: Mutex<Option<Date>>,
    /// The day on which old records were last let go.
    pub(super) let_go_on: Mutex<Option<Date>>,
}

impl Nightly {
    /// Works each night until it is told to stop; returns before that only when the journal is damaged.
    pub(super) async fn run(self, mut stopped: tokio::sync::watch::Receiver<bool>) {
        let night = Arc::new(self);
        let (mut work, mut wait): (Work, _) =
            if night.owes_check { (Self::check, Duration::ZERO) } else { (Self::work, LOOK) };
        loop {
            let night = Arc::clone(&night);
            let done = async {
                tokio::time::sleep(wait).await;
                tokio::task::spawn_blocking(move || work(&night)).await
            };
            // Work that is under way is left behind: it reads, a copy gets its name last, and the till decides by itself.
            let done = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                done = done => done,
            };
            if let Ok(Err(error)) = done {
                if error.is_damage() {
                    tracing::error!(error = %error, "The journal is damaged. The till starts anew, with new books.");
                    return;
                }
                tracing::warn!(error = %error, "The check or the night's copy of the journal failed.");
                // A check that is owed stays owed.
                wait = LOOK;
                continue;
            }
            (work, wait) = (Self::work, LOOK);
        }
    }

    /// Looks at every page, over a connection of its own: nobody waits for it. Where one is damaged, the next start looks
    /// at everything first.
    fn check(&self) -> Result<(), journal::Error> {
        Reader::open(&self.state_dir)?.quick_check().inspect_err(|error| {
            if error.is_damage()
                && let Err(error) = journal::check_at_start(&self.state_dir)
            {
                tracing::error!(error = %error, "The next start cannot be told to look at the whole journal.");
            }
        })
    }

    fn work(&self) -> Result<(), journal::Error> {
        let now = jiff::Timestamp::from_millisecond(self.clock.unix_ms()).unwrap_or_default();
        let now = now.to_zoned(self.zone.clone());
        let folder = self.state_dir.join("backups");
        let copy = folder.join(format!("nightly-{}.db", now.date()));
        if now.hour() < HOUR {
            return Ok(());
        }
        let mut copied_on = self.copied_on.lock().unwrap_or_else(PoisonError::into_inner);
        if *copied_on == Some(now.date()) || copy.exists() {
            return self.let_go(now.date());
        }
        self.check()?;
        let size = fs::metadata(self.state_dir.join("journal.db")).map_or(0, |file| file.len());
        let free = self.room.free(&self.state_dir);
        if free.is_some_and(|free| free < self.room.warn_bytes.saturating_add(size)) {
            tracing::warn!("The disk has no room for the night's copy of the journal: make room.");
            return Ok(());
        }
        let copied = journal::copy_into(&self.reader, &folder, &copy)?;
        tracing::info!(records = copied.records, "The journal was checked and copied.");
        *copied_on = Some(now.date());
        drop_oldest(&folder, &copy);
        self.let_go(now.date())
    }

    /// Lets old records go, once a day. A till that is busy, or does not know the time, is asked again.
    fn let_go(&self, day: Date) -> Result<(), journal::Error> {
        let mut done = self.let_go_on.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(keep_days) = self.keep_days.filter(|_| *done != Some(day)) else { return Ok(()) };
        let offset_ms = self.board.link.borrow().cloud_offset_ms;
        let moment = self.clock.moment(offset_ms);
        let going = Going {
            reader: &self.reader,
            edge: &self.edge,
            board: &self.board,
            inbox: &self.inbox,
            today: offset_ms.map(|_| moment.business_date(&self.zone, self.day_cut.0)),
        };
        match going.ask(keep_days) {
            Ok(Asked::Gone(last_day)) => {
                tracing::info!(%last_day, "Records up to this day are let go.");
                *done = Some(day);
            }
            Ok(Asked::TooFew) => {
                tracing::info!("No record is let go: none is old enough, settled and ruled on.");
                *done = Some(day);
            }
            Ok(Asked::NoTime) => {
                tracing::info!("No record is let go: head office has not told this till what time it is.")
            }
            Ok(Asked::Refused(refusal)) => tracing::info!(%refusal, "Old records are kept for now."),
            Err(till::Error::Journal(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(error = %error, "Old records are kept: the journal cannot be folded.")
            }
        }
        Ok(())
    }
}

/// Keeps the copy that was just made and the last ones before it; whatever else is in the folder stays. Names and times
/// are by a clock that may have been wrong: what is newer than the copy just made is of days that are yet to come, so it
/// was made before the clock was put right, and goes first.
fn drop_oldest(folder: &Path, made: &Path) {
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let now = modified(made);
    let paths = fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let is_nightly = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("nightly-") && name.ends_with(".db") && path != made
    };
    let mut others: Vec<_> = paths
        .filter(is_nightly)
        .map(|path| {
            let at = modified(&path);
            (at <= now, at, path)
        })
        .collect();
    others.sort();
    for (_, _, path) in others.iter().rev().skip(KEPT - 1) {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(error = %error, path = %path.display(), "An old copy cannot be removed.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::chain::Tip;
    use crate::view::View;
    use tokio::sync::watch;

    #[test]
    fn the_last_copies_of_nights_are_kept_and_nothing_else_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let names =
            ["nightly-2026-11-19.db", "nightly-2026-11-20.db", "nightly-2026-11-21.db", "journal.db.1"];
        for name in names.iter().chain(&["nightly-2026-11-22.db", "mine.db"]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        drop_oldest(dir.path(), &dir.path().join("nightly-2026-11-22.db"));
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        let wanted = ["journal.db.1", "mine.db", names[1], names[2], "nightly-2026-11-22.db"];
        assert_eq!(left, wanted.map(std::ffi::OsString::from));
    }

    /// The night's work of a till for which it is noon.
    fn night(dir: &Path) -> Nightly {
        let view = watch::Sender::new(Arc::new(View::blank(Tip::START)));
        let clock = Clock::new();
        let now = jiff::Timestamp::from_millisecond(clock.unix_ms()).unwrap().to_zoned(TimeZone::UTC);
        Nightly {
            reader: Reader::open(dir).unwrap(),
            state_dir: dir.to_owned(),
            zone: TimeZone::fixed(jiff::tz::offset(12 - now.hour())),
            day_cut: DayCut::default(),
            clock,
            room: Room::default(),
            keep_days: None,
            edge: EdgeStore::open(dir).unwrap(),
            board: Board::new(view.subscribe(), watch::Sender::new(Arc::default()).subscribe()),
            inbox: Inbox::new().0,
            owes_check: false,
            copied_on: Mutex::default(),
            let_go_on: Mutex::default(),
        }
    }

    /// The copies of a state directory, by name.
    fn copies(dir: &Path) -> Vec<String> {
        let files = fs::read_dir(dir.join("backups")).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_nights_copy_is_kept_and_made_once_though_the_clock_fell_back() {
        let dir = tempfile::tempdir().unwrap();
        drop(journal::Journal::open(dir.path()).unwrap());
        fs::create_dir(dir.path().join("backups")).unwrap();
        // Copies of days that this clock has yet to see, the last of them made last.
        let ahead = std::time::UNIX_EPOCH + Duration::from_secs(32_503_680_000);
        for day in 1..=3 {
            let path = dir.path().join(format!("backups/nightly-3000-01-0{day}.db"));
            let file = fs::File::create(path).unwrap();
            file.set_modified(ahead + day * Duration::from_secs(86_400)).unwrap();
        }
        let night = night(dir.path());
        night.work().unwrap();
        let made = copies(dir.path()).into_iter().find(|name| !name.starts_with("nightly-3000"));
        let made = made.expect("the copy that was just made stays");
        assert_eq!(copies(dir.path()), [&made, "nightly-3000-01-02.db", "nightly-3000-01-03.db"]);

        // Once is enough for a day, whatever becomes of the file.
        fs::remove_file(dir.path().join("backups").join(&made)).unwrap();
        night.work().unwrap();
        assert_eq!(copies(dir.path()), ["nightly-3000-01-02.db", "nightly-3000-01-03.db"]);
    }

    #[test]
    fn copies_of_days_to_come_make_room_for_those_of_true_days() {
        let dir = tempfile::tempdir().unwrap();
        let day = |day: u32| std::time::UNIX_EPOCH + day * Duration::from_secs(86_400);
        let write = |name: &str, at| {
            let path = dir.path().join(name);
            fs::File::create(&path).unwrap().set_modified(at).unwrap();
            path
        };
        for ahead in 1..=3 {
            write(&format!("nightly-3000-01-0{ahead}.db"), day(376_199 + ahead));
        }
        for (number, name) in
            ["nightly-2026-11-20.db", "nightly-2026-11-21.db", "nightly-2026-11-22.db"].iter().enumerate()
        {
            let made = write(name, day(20_777 + u32::try_from(number).unwrap()));
            drop_oldest(dir.path(), &made);
            assert!(made.exists());
        }
        let left = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name());
        let left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
        assert!(left.len() == 3 && left.iter().all(|name| name.starts_with("nightly-2026")), "{left:?}");
    }

    #[tokio::test]
    async fn a_long_journal_that_is_found_damaged_after_the_start_ends_the_daemon_and_the_next_one_looks_first()
     {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        drop(journal::Journal::open(dir.path()).unwrap());
        let night = || Nightly { owes_check: true, ..night(dir.path()) };
        night().check().unwrap();
        let damaged = night();
        let mut bytes = fs::read(&path).unwrap();
        bytes[4096..].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        let (_stop, stopped) = tokio::sync::watch::channel(false);
        // It returns by itself: the daemon ends when a part of it does.
        tokio::time::timeout(Duration::from_secs(20), damaged.run(stopped)).await.unwrap();
        let journal = journal::Journal::open(dir.path()).unwrap();
        assert!(journal.left().is_some(), "the next start has set it aside");
    }
}
