//! A database that is put back from a copy, and what tills hold that it has forgotten.

use super::{CAMPAIGN, Chain, Happening, NewLease, Sqlite};
use crate::cloud::store::Leases as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A till's part of a quota is let out after the copy was made; the till sells by it and says so when the copy is back.
async fn put_back_under_a_till() -> Chain {
    let mut chain = Chain::new().await;
    chain.send(0, usize::MAX).await;
    chain.send(1, usize::MAX).await;
    chain.happen(Happening::Copy).await;
    for _ in 0..2 {
        chain.happen(Happening::Ask(0, false)).await;
        for _ in 0..2 {
            chain.happen(Happening::Sell(0)).await;
        }
    }
    chain.send(0, usize::MAX).await;
    assert_eq!(chain.store().quotas().await.unwrap()[0].spent, 4);
    chain.happen(Happening::PutBack).await;
    chain
}

/// How many uses another till is let out in all.
async fn let_out(chain: &mut Chain, till: usize) -> u64 {
    for _ in 0..20 {
        chain.happen(Happening::Ask(till, false)).await;
        chain.happen(Happening::Sell(till)).await;
    }
    chain.tills[till].given()
}

#[tokio::test]
async fn a_cloud_that_was_put_back_lets_nothing_out_that_it_has_forgotten_giving() {
    let mut chain = put_back_under_a_till().await;
    assert_eq!(let_out(&mut chain, 1).await, 4, "four of eight were another till's, who is not heard yet");
    chain.send(1, usize::MAX).await;
    chain.check().await;
}

#[tokio::test]
async fn what_tills_bring_again_fills_the_books_of_a_quota_that_was_put_back() {
    let mut chain = put_back_under_a_till().await;
    chain.send(0, usize::MAX).await;
    let quota = chain.store().quotas().await.unwrap()[0];
    assert_eq!((quota.spent, quota.leased, quota.lost, quota.free()), (4, 0, 0, 4), "{quota:?}");
    assert_eq!(let_out(&mut chain, 1).await, 4);
}

#[tokio::test]
async fn without_any_memory_of_its_own_a_cloud_counts_the_leases_that_tills_bring() {
    let mut chain = put_back_under_a_till().await;
    // The whole folder was put back, not the database alone.
    for entry in std::fs::read_dir(chain.folder.path()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.contains(".db") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    chain.happen(Happening::PutBack).await;
    chain.send(0, usize::MAX).await;
    let quota = chain.store().quotas().await.unwrap()[0];
    assert_eq!((quota.spent, quota.free()), (4, 4), "{quota:?}");
    assert_eq!(let_out(&mut chain, 1).await, 4);
    chain.send(1, usize::MAX).await;
    assert_eq!(chain.store().quotas().await.unwrap()[0].spent, 8);
}

/// Head office's commands open the same store beside the running cloud.
#[tokio::test]
async fn what_was_let_out_is_known_beside_the_database_whoever_else_opens_it() {
    const LEASES: u64 = 60;
    let chain = Chain::new().await;
    assert!(chain.store().set_quota(CAMPAIGN, 1_000).await.unwrap());
    let home = chain.folder.path().to_owned();
    let beside = || -> BTreeMap<u32, u64> {
        serde_json::from_slice(&std::fs::read(home.join("granted.json")).unwrap()).unwrap()
    };
    let done = Arc::new(AtomicBool::new(false));
    let commands = std::thread::spawn({
        let (done, home) = (Arc::clone(&done), home.clone());
        move || {
            while !done.load(Ordering::Relaxed) {
                drop(Sqlite::open(&home).unwrap());
            }
        }
    });
    let mut out = 0;
    for has in 0..LEASES {
        let wanted = NewLease { has, most: 2, ..chain.tills[0].wants(u64::MAX >> 1) };
        out += u64::from(chain.store().lease(wanted).await.unwrap().unwrap().uses);
        assert!(beside()[&CAMPAIGN] >= out, "{:?} of {out}", beside());
    }
    done.store(true, Ordering::Relaxed);
    commands.join().unwrap();
    assert_eq!(beside()[&CAMPAIGN], out);
}
