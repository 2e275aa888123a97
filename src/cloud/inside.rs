//! A cloud without a port, for simulations in which every till calls it in the same process: the routes, the store
//! and the task that judges are those that run in a shop; each call of the store is answered at once and in order.
//!
//! Not here: wallets, phones, and how often another process's changes are looked for.

use super::accounts::Accounts;
use super::bells::Bells;
use super::store::Store;
use super::store::sqlite::Sqlite;
use super::{Admin, Clock, Cloud, Parts, ShopDefaults, http, make_private, projector, publish};
use crate::keys::CloudKeys;
use axum::Router;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Nobody else writes this store.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// A cloud at work. Dropping it is a power cut: what was answered is in its folder.
pub(crate) struct Inside {
    pub(crate) router: Router,
    pub(crate) admin: Admin,
    _stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

/// Opens the cloud of a folder.
pub(crate) async fn open(dir: &Path, clock: Clock) -> Inside {
    std::fs::create_dir_all(dir).unwrap();
    make_private(&dir.join("keys")).unwrap();
    let store: Arc<dyn Store> = Arc::new(Sqlite::in_place(dir).unwrap());
    let keys = || CloudKeys::load_or_create(&dir.join("keys")).unwrap();
    publish::first_bundle(store.as_ref(), &keys(), &ShopDefaults::default(), clock()).await.unwrap();
    let admin = Admin::new(Arc::clone(&store), keys(), Arc::clone(&clock));
    let public_base = "http://127.0.0.1".to_owned();
    let accounts = Accounts::of(vec![], &public_base).unwrap();
    let (stop, stopped) = watch::channel(false);
    let bells = Bells::new(LOOK_AGAIN);
    let parts = Parts { store, keys: keys(), clock, accounts, bells, public_base, stop: stopped };
    let cloud = Arc::new(Cloud::of(parts));
    let mut tasks = JoinSet::new();
    tasks.spawn(projector::run(Arc::clone(&cloud)));
    Inside { router: http::router(cloud), admin, _stop: stop, _tasks: tasks }
}
