//! A journal that cannot be written while the till sells: somebody else holds it, or its disk went read-only. Either the
//! sale is done or nothing of it is; the screens say so; a start later all is as it was.
//!
//! Not here: a disk that fills, flushes that fail and files that are damaged (`disks`).

use crate::counter::{Counter, WATER, both, log, says, text, till};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use till::sim::demo::cashier::Trouble;

/// Larger than the room that a till wants on its disk; what is not written takes no room here.
const DISK_BYTES: u64 = 2 << 30;

async fn sell(counter: &Counter) {
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    counter.paper_of(&sale).await;
}

/// That nothing is sold, nothing half done, and every screen says why.
async fn stands_still(counter: &Counter, receipts: usize, sheets: usize) {
    for (act, fields) in
        [("cash", &[("received", "5.00")][..]), ("hold", &[]), ("no-sale", &[("reason", "x")])]
    {
        let (code, words) = counter.refused(act, fields).await;
        assert_eq!(code, "read_only", "{act}: {words}");
        says(&words, "stopped selling");
    }
    let view = counter.view().await;
    assert!(view["till"]["selling"]["read_only"].is_string(), "{:#}", view["till"]["selling"]);
    assert_eq!(counter.shop.paper().cut_sheets().count(), sheets, "nothing is printed");
    // Read from a copy: what is held or read-only is not opened.
    assert_eq!(counter.books().receipts().len(), receipts, "nothing was sold");
}

/// Somebody else with the journal in hand, who lets nobody write.
#[allow(clippy::disallowed_methods)] // a stranger sets no pragmas
fn stranger(counter: &Counter) -> rusqlite::Connection {
    let stranger = rusqlite::Connection::open(counter.dir().join("till/journal.db")).unwrap();
    stranger.execute_batch("BEGIN EXCLUSIVE").unwrap();
    stranger
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_a_journal_that_somebody_else_holds_stops_selling_until_the_till_is_started_anew() {
    let mut counter = Counter::open().await;
    sell(&counter).await;
    let (receipts, sheets) = (1, counter.shop.paper().cut_sheets().count());
    let sale = text(&counter.basket(&[WATER]).await["id"]);

    // A second daemon is no such somebody: it is turned away at the door, and the first sells on.
    let config = counter.dir().join("till.toml").to_string_lossy().into_owned();
    let second = till(&["run", "--config", &config]);
    assert_eq!(second.status.code(), Some(69), "{}", both(&second));
    says(&both(&second), "another Till");

    let stranger = stranger(&counter);
    let (code, words) = counter.refused("cash", &[("received", "5.00")]).await;
    assert_eq!(code, "read_only", "{words}");
    stands_still(&counter, receipts, sheets).await;
    stranger.execute_batch("ROLLBACK").unwrap();
    drop(stranger);
    stands_still(&counter, receipts, sheets).await;

    counter.shop.kill_daemon().await.unwrap();
    counter.shop.start_daemon().await.unwrap();
    counter.cashier.sign_in().await.unwrap();
    assert_eq!(counter.front().await["id"], sale.as_str(), "the basket is as it was");
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    counter.close().await.counts("receipts", 2);
    println!("journal held by another process: 1 acknowledged, 0 lost, read-only until started anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_somebody_else_holds_for_a_moment_costs_a_moment() {
    let counter = Counter::open().await;
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    let stranger = stranger(&counter);
    let pressed = counter.press("cash", &[("received", "5.00")]);
    let lets_go = async {
        // Long enough that the till is at it, and shorter than its patience.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        stranger.execute_batch("ROLLBACK").unwrap();
    };
    tokio::join!(pressed, lets_go);
    counter.paid(&sale).await;
    counter.close().await.counts("receipts", 1);
}

/// A disk of its own under a folder, which its file system can be told to give up writing on. It is taken off again.
struct Disk {
    image: PathBuf,
    at: PathBuf,
}

impl Disk {
    /// None where this machine does not let us: it takes root, loop devices and ext4.
    fn under(at: &Path) -> Option<Self> {
        let image = at.with_extension("image");
        fs::File::create(&image).and_then(|file| file.set_len(DISK_BYTES)).ok()?;
        run("mkfs.ext4", &["-q", "-F", "-e", "remount-ro", image.to_str()?])?;
        let disk = Self { image, at: at.to_owned() };
        let aside = at.with_extension("aside");
        fs::rename(at, &aside).unwrap();
        fs::create_dir(at).unwrap();
        if disk.mount().is_none() {
            fs::remove_dir(at).unwrap();
            fs::rename(&aside, at).unwrap();
            return None;
        }
        run("cp", &["-a", &format!("{}/.", aside.display()), at.to_str()?]).unwrap();
        // What lies there since long is on the disk.
        run("sync", &[]).unwrap();
        Some(disk)
    }

    fn mount(&self) -> Option<()> {
        run("mount", &["-o", "loop", self.image.to_str()?, self.at.to_str()?])
    }

    /// Has the file system meet a fault, after which it writes nothing more, whoever has files open.
    fn fail(&self) -> Option<()> {
        let mounts = fs::read_to_string("/proc/mounts").ok()?;
        let device = mounts.lines().find(|line| line.split(' ').nth(1) == self.at.to_str())?;
        let device = device.split(' ').next()?.rsplit('/').next()?;
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "a test").ok()
    }

    /// Takes it off, checks it and puts it back, as a person does after a look at it.
    fn mend(&self) {
        run("umount", &[self.at.to_str().unwrap()]).unwrap();
        // It says by its status that there was something to mend.
        let _ = run("fsck.ext4", &["-y", self.image.to_str().unwrap()]);
        self.mount().unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &["-l", &self.at.to_string_lossy()]);
    }
}

/// Runs one of the machine's own programs; none where it is not there or says no.
fn run(program: &str, arguments: &[&str]) -> Option<()> {
    // Not every account has these on its path.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(program).args(arguments).env("PATH", path).output().ok()?;
    output.status.success().then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_a_disk_that_went_read_only_stops_selling_and_a_start_on_the_mended_one_goes_on() {
    let mut counter = Counter::open().await;
    sell(&counter).await;
    counter.shop.stop_daemon().await.unwrap();
    let Some(disk) = Disk::under(&counter.dir().join("till")) else {
        println!(
            "read-only disk: not tried, this machine lets nobody mount a disk (it takes root, loop and ext4)"
        );
        return;
    };
    counter.shop.start_daemon().await.unwrap();
    counter.cashier.sign_in().await.unwrap();
    sell(&counter).await;
    let sheets = counter.shop.paper().cut_sheets().count();
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    if disk.fail().is_none() {
        println!("read-only disk: not tried, this kernel cannot be told that a disk fails");
        counter.shop.stop_daemon().await.unwrap();
        return;
    }
    match counter.cashier.press("cash", None, &[("received", "5.00")]).await {
        Err(Trouble::No(code, words)) => assert_eq!(code, "read_only", "{words}"),
        other => panic!("{other:?}"),
    }
    stands_still(&counter, 2, sheets).await;
    // Told to stop it stops, and does not say that all is well.
    assert!(counter.shop.stop_daemon().await.is_err());
    assert_eq!(
        till(&["run", "--config", &counter.dir().join("till.toml").to_string_lossy()]).status.code(),
        Some(74)
    );

    disk.mend();
    let started = counter.shop.start_daemon().await;
    started.unwrap_or_else(|error| panic!("{error}: {}", log(counter.dir())));
    counter.cashier.sign_in().await.unwrap();
    assert_eq!(counter.front().await["id"], sale.as_str(), "the basket is as it was");
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    let books = counter.books();
    assert_eq!(books.receipts(), [1, 2, 3]);
    counter.close().await.counts("receipts", 3);
    println!(
        "read-only disk: 2 acknowledged, 0 lost, read-only until it was mended and the till started anew"
    );
    drop(disk);
}
