//! Three days without the cloud, ten thousand records, and then the line is back.

use super::line::{Faults, Line};
use super::till::SimTill;
use super::{Counts, Dice, HEALED, Host, MOMENT, OPENED, copy, judge, quick_dir};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

const RECORDS: u64 = 10_000;
const HOURS: u64 = 72;

/// A cloud and a till that are level, on a line that is well.
pub(super) async fn well(dir: &Path) -> (Arc<Mutex<Host>>, SimTill) {
    copy(OPENED_BEFORE.as_path(), dir);
    let host = Host {
        dir: dir.join("cloud"),
        cloud: None,
        power: watch::Sender::new(()),
        repair: false,
        began: Instant::now(),
    };
    let host = Arc::new(Mutex::new(host));
    Host::power_up(&host).await;
    let mut faults = Faults::drawn(&mut Dice(1));
    faults.heal();
    let line = Line::new(Arc::clone(&host), Arc::new(Mutex::new(faults)), 7);
    let mut till = SimTill::open(0, &dir.join("till-0"), line, 7);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(till.left(), None, "all is well before");
    (host, till)
}

#[tokio::test(start_paused = true)]
async fn after_three_days_without_the_cloud_ten_thousand_records_arrive_and_are_ruled_on() {
    let dir = quick_dir();
    let (host, mut till) = well(dir.path()).await;
    {
        let mut host = host.lock().unwrap();
        host.repair = true;
        host.cut_power();
    }
    let began = Instant::now();
    let each = RECORDS / HOURS + 1;
    for _ in 0..HOURS {
        till.sell(each);
        sleep(Duration::from_secs(3600)).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(HOURS * 3600));
    let waiting = till.left().expect("everything waits");
    assert!(waiting.contains("Offline"), "{waiting}");
    let tries: u32 = till.tries();
    Host::power_up(&host).await;
    let back = Instant::now();
    while let Some(left) = till.left() {
        assert!(back.elapsed() < HEALED, "{left}");
        sleep(Duration::from_millis(100)).await;
    }
    let took = back.elapsed();
    // The cap that the cloud set for a small fleet, a poll, and the batches.
    assert!(took < Duration::from_secs(30), "{took:?}");
    till.stop().await;
    host.lock().unwrap().cut_power();
    sleep(MOMENT).await;
    let mut saw = Counts::new();
    judge::judge(&dir.path().join("cloud"), std::slice::from_ref(&till), &mut saw);
    assert!(saw["records"] >= RECORDS, "{saw:?}");
    println!(
        "outage: {HOURS} h, {} records, tried {tries} times meanwhile, all ruled on {took:.1?} (simulated) after the line was back",
        saw["records"]
    );
}

/// The shop that has just opened.
pub(super) static OPENED_BEFORE: std::sync::LazyLock<std::path::PathBuf> = std::sync::LazyLock::new(|| {
    // Its own runtime may not be made inside this test's.
    std::thread::spawn(|| Path::to_path_buf(OPENED.dir.path())).join().unwrap()
});
