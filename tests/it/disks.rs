//! Disks that damage, refuse or fill: what the real daemon does, and copies of its journal.
//!
//! Not here: power cuts at each single write (the package `vfs`), and processes that are killed (`power`).

use crate::counter::{Counter, WATER, both, says, text, till};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn config(counter: &Counter) -> String {
    counter.dir().join("till.toml").to_string_lossy().into_owned()
}

async fn sell(counter: &Counter) -> String {
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    sale
}

fn spoil(path: &Path) {
    let mut bytes = fs::read(path).unwrap_or_default();
    for (index, byte) in bytes.iter_mut().enumerate() {
        // Every third kilobyte, and the beginning.
        if (index / 1024) % 3 == 0 {
            *byte = 0xa5;
        }
    }
    fs::write(path, bytes).unwrap();
}

/// A manager ends that only cash is taken.
async fn adopt(counter: &Counter, reason: &str) {
    let approved = [("reason", reason), ("approver", "mia"), ("approver_pin", till::sim::demo::cashier::PIN)];
    counter.press("adopt-epoch", &approved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_damaged_journal_the_till_opens_new_books_and_takes_cash_until_a_manager_adopts_them() {
    let mut counter = Counter::open().await;
    sell(&counter).await;
    let heard = async || counter.view().await["link"]["received"].as_u64().filter(|seq| *seq > 0);
    counter.until("head office to have some of it", heard).await;
    let old = counter.view().await["till"]["epoch"].clone();
    counter.shop.kill_daemon().await.unwrap();
    for name in ["till/journal.db", "till/journal.db-wal"] {
        spoil(&counter.dir().join(name));
    }
    counter.shop.start_daemon().await.unwrap();
    assert!(counter.dir().join("till/aside/0001/journal.db").exists());
    let list: Value =
        serde_json::from_slice(&fs::read(counter.dir().join("till/aside/0001/lacking.json")).unwrap())
            .unwrap();
    assert!(list["received"].as_u64().unwrap() > 0, "{list:#}");

    // Whose PIN could be read signs in with it; else the file has the code for the first manager again.
    if counter.cashier.sign_in().await.is_err() {
        let code = fs::read_to_string(counter.dir().join("till/first-manager-code")).unwrap();
        counter.cashier.begin(code.trim()).await.unwrap();
    }
    let view = counter.view().await;
    assert_eq!(view["till"]["standing"], "provisional", "{view:#}");
    assert_ne!(view["till"]["epoch"], old);
    // Without the time no code is shown, whatever else is known.
    let online = async || (counter.view().await["link"]["state"] == "online").then_some(());
    counter.until("head office", online).await;
    let sale = sell(&counter).await;
    assert_eq!(counter.paid(&sale).await, 1, "its numbers begin anew, in a series of its own");
    counter.basket(&[WATER]).await;
    counter.press("pay", &[]).await;
    let (code, words) = counter.refused("show-code", &[]).await;
    assert_eq!(code, "cash_only");
    says(&words, "cash only");
    let (code, _) = counter.refused("adopt-epoch", &[("reason", "the disk was replaced")]).await;
    assert_eq!(code, "needs_manager", "a manager at the till types the PIN all the same");
    adopt(&counter, "the disk was replaced").await;
    assert_eq!(counter.view().await["till"]["standing"], "regular");
    counter.press("show-code", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_made_beside_the_running_till_and_put_back_in_a_series_of_its_own() {
    let mut counter = Counter::open().await;
    sell(&counter).await;
    let copy = counter.dir().join("copy.db").to_string_lossy().into_owned();
    let made = till(&["backup", &copy, "--config", &config(&counter)]);
    assert_eq!(made.status.code(), Some(0), "{}", both(&made));
    says(&both(&made), "records, good.");
    let again = till(&["backup", &copy, "--config", &config(&counter)]);
    assert_eq!(again.status.code(), Some(74), "{}", both(&again));
    let running = till(&["restore", &copy, "--config", &config(&counter)]);
    assert_eq!(running.status.code(), Some(69), "{}", both(&running));

    sell(&counter).await;
    let old = counter.view().await["till"]["epoch"].clone();
    counter.shop.stop_daemon().await.unwrap();
    let restored = till(&["restore", &copy, "--config", &config(&counter)]);
    assert_eq!(restored.status.code(), Some(0), "{}", both(&restored));
    says(&both(&restored), "Head office has");
    // The copy goes onto another disk: what edges remembered is not on it.
    fs::remove_file(counter.dir().join("till/edge.db")).unwrap();
    counter.shop.start_daemon().await.unwrap();
    counter.cashier.sign_in().await.unwrap();
    let view = counter.view().await;
    assert_eq!(view["till"]["standing"], "provisional", "{view:#}");
    assert_ne!(view["till"]["epoch"], old);
    let sale = sell(&counter).await;
    assert_eq!(counter.paid(&sale).await, 1, "no number is written twice");
    let genesis = counter.books().bodies("genesis").pop().unwrap();
    assert_eq!(genesis["parent"]["epoch"], old);
    adopt(&counter, "restored on purpose").await;
    // Head office takes the new series.
    counter
        .until("the cloud to have it", async || {
            let view = counter.view().await;
            (view["link"]["received"] == view["till"]["tip"]["seq"]).then_some(())
        })
        .await;
}

/// Makes every flush of a process fail, for as long as it runs; none where the machine cannot do that.
fn fail_flushes(counter: &Counter) -> Option<Child> {
    let process = fs::read_to_string(counter.dir().join("till/lock")).unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO"]);
    strace.args(["-p", process.trim()]).stdout(Stdio::null()).stderr(Stdio::null());
    strace.spawn().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_a_flush_that_fails_is_no_sale_until_the_till_is_started_anew() {
    let mut counter = Counter::open().await;
    sell(&counter).await;
    let before = counter.books().receipts().len();
    counter.basket(&[WATER]).await;
    let Some(mut strace) = fail_flushes(&counter) else {
        println!("failed flush of the daemon: not tried, strace is not on this machine");
        return;
    };
    let refused = counter
        .until("a flush that fails", async || {
            // Until the tracer has hold of it, the till may still answer as ever.
            let answer = counter.cashier.press("hold", None, &[]).await;
            let recall = matches!(answer, Ok(()));
            if recall {
                let held = counter.view().await["till"]["held"][0]["id"].clone();
                let _ = counter.cashier.press("recall", None, &[("sale", held.as_str()?)]).await;
            }
            match answer {
                Err(till::sim::demo::cashier::Trouble::No(code, words)) if code == "read_only" => Some(words),
                _ => None,
            }
        })
        .await;
    says(&refused, "stopped selling");
    strace.kill().unwrap();
    strace.wait().unwrap();
    let (code, _) = counter.refused("cash", &[("received", "5.00")]).await;
    assert_eq!(code, "read_only", "a later success heals nothing");
    counter.shop.kill_daemon().await.unwrap();
    counter.shop.start_daemon().await.unwrap();
    assert_eq!(counter.books().receipts().len(), before, "nothing was sold that was not acknowledged");
    counter.cashier.sign_in().await.unwrap();
    if counter.front().await.is_null() {
        counter.basket(&[WATER]).await;
    }
    counter.press("cash", &[("received", "5.00")]).await;
    println!("failed flush of the daemon: {before} acknowledged, 0 lost, read-only until started anew");
}
