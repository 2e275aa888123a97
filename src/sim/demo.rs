//! The demonstration: a whole shop on one machine, real lines and real processes.
//!
//! A cloud and a wallet gateway, a scanner and a printer on pseudo-terminals, and the till's daemon as a
//! process of its own, on free loopback ports. People drive it from the counter page; `--customers` plays
//! scripted ones. Not here: anything that the product itself does. This drives it from outside, through
//! the doors that people and devices use.

pub mod cashier;
mod chance;
mod counter_page;
pub mod http;
pub mod phone;
mod plan;
mod program;
mod serve;
pub mod shop;
mod stopwatch;
mod tally;
mod wire;

use cashier::Cashier;
use chance::Chance;
use plan::Customer;
use serve::Service;
use shop::Shop;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
pub use stopwatch::Spread;
pub use tally::Tally;
use tokio::sync::Mutex;

/// Between two looks at the printer's paper, and how often it is looked at: a dozen receipts may wait.
const PAPER_LOOK: Duration = Duration::from_millis(100);
const PAPER_LOOKS: u32 = 80;

/// The longest and the shortest time between a start of the till and the next power cut, in milliseconds.
const POWER_CUT_MS: (usize, usize) = (20, 700);

/// What is asked of the demonstration.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program that each part is a process of: this one.
    pub binary: PathBuf,
    /// Scripted customers; none for people at the counter page.
    pub customers: Option<usize>,
    /// The seed of the script.
    pub seed: u64,
    /// Power cuts at random moments of the script.
    pub kills: usize,
    /// Where the figures go as JSON.
    pub json: Option<PathBuf>,
    /// Where databases and paper stay; none for a folder that is removed.
    pub keep: Option<PathBuf>,
    /// Where the counter page listens.
    pub listen: SocketAddr,
}

/// Says something to whoever watches.
pub type Say<'a> = &'a (dyn Fn(&str) + Sync);

/// Runs the demonstration: until it is interrupted, or until the last scripted customer has left.
///
/// # Errors
/// When a part cannot be started or the script is stuck; with what the part said.
pub async fn run(options: &Options, say: Say<'_>) -> io::Result<Option<Tally>> {
    if let Some(file) = &options.json {
        // Better now than after the last customer.
        std::fs::File::create(file).map_err(|error| {
            io::Error::new(error.kind(), format!("{} cannot be written: {error}", file.display()))
        })?;
    }
    let folder = Folder::new(options.keep.as_deref())?;
    match options.customers {
        None => {
            counter_page::run(folder.path(), options, say).await?;
            Ok(None)
        }
        Some(customers) => {
            let tally = tokio::select! {
                tally = play(folder.path(), customers, options, say) => tally,
                () = interrupted() => return Err(io::Error::other("the demonstration was interrupted")),
            };
            if tally.is_err() {
                say(&logs(folder.path()));
            }
            let tally = tally?;
            if let Some(file) = &options.json {
                std::fs::write(file, serde_json::to_vec_pretty(&tally)?)?;
            }
            Ok(Some(tally))
        }
    }
}

/// Waits until the program is asked to stop. The parts are then stopped with it, not left behind.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Plays a day of scripted customers, closes the shop and has it audited.
async fn play(dir: &Path, customers: usize, options: &Options, say: Say<'_>) -> io::Result<Tally> {
    let clock = crate::clock::Clock::new();
    let begun = clock.monotonic_ms();
    let (shop, cashier) = Shop::open(&options.binary, dir, options.seed, "http://127.0.0.1").await?;
    say(&format!("The shop is open: cashier {}/s/front, cloud {}", shop.till_url, shop.cloud_url));
    let shop = Mutex::new(shop);
    let mut tally = Tally::default();
    let day = plan::day(customers, options.seed);
    let over = AtomicBool::new(false);
    let cuts = power_cuts(&shop, options, &over);
    let served = async {
        let served = serve_all(&shop, &cashier, &day, options, &mut tally, say).await;
        over.store(true, Ordering::Relaxed);
        served
    };
    let (served, cuts) = tokio::join!(served, cuts);
    served?;
    cuts?;
    let mut shop = shop.into_inner();
    shop.plug_network().await;
    settle(&shop, &cashier).await?;
    let_paper_out(&shop, tally.sales_paid).await;
    tally.receipts_printed = shop.paper().cut_sheets().count();
    tally.kills = shop.kills;
    tally.to_screen = Spread::of(std::mem::take(&mut shop.measured.to_screen_ms));
    tally.to_cut = Spread::of(std::mem::take(&mut shop.measured.to_cut_ms));
    if let Some(hits) = shop.fault_hits().await?.as_object() {
        let counted = hits.iter().map(|(kind, times)| (kind.clone(), times.as_u64().unwrap_or(0)));
        tally.faults = counted.collect();
    }
    for customer in &day {
        if let plan::Means::PayCode(Some(trouble)) = customer.means
            && !tally.faults.contains_key(trouble.word())
        {
            tally.findings.push(format!("fault_not_played: the wallet's {} never struck", trouble.word()));
        }
    }
    shop.close().await?;
    let folder = dir.to_string_lossy();
    let audit = program::call(&options.binary, &["audit", &folder, "--json", "--no-fail"]).await?;
    tally.take_audit(&serde_json::from_str(&audit).map_err(io::Error::other)?);
    tally.seconds = (clock.monotonic_ms() - begun) / 1000;
    Ok(tally)
}

/// Waits for the last receipts, which may still be on their way. After a power cut some never come.
async fn let_paper_out(shop: &Shop, receipts: usize) {
    for _ in 0..PAPER_LOOKS {
        if shop.cuts() >= receipts {
            return;
        }
        tokio::time::sleep(PAPER_LOOK).await;
    }
}

async fn serve_all(
    shop: &Mutex<Shop>,
    cashier: &Cashier,
    day: &[Customer],
    options: &Options,
    tally: &mut Tally,
    say: Say<'_>,
) -> io::Result<()> {
    let mut number = 0;
    loop {
        let kills = shop.lock().await.kills;
        if number >= day.len() && kills >= options.kills {
            return Ok(());
        }
        // Power cuts still to come are played on more customers of the same sorts.
        let customer = &day[number % day.len()];
        {
            let shop = shop.lock().await;
            if customer.offline == shop.is_online() {
                if customer.offline {
                    shop.pull_network().await;
                } else {
                    shop.plug_network().await;
                }
            }
        }
        let end = Service { shop, cashier, number }.serve(customer).await?;
        number += 1;
        tally.count(end, !customer.offline);
        say(&format!("customer {number} of {}: {}", day.len().max(number), words(customer, end)));
    }
}

fn words(customer: &Customer, end: serve::End) -> String {
    let network = if customer.offline { ", network cut" } else { "" };
    let means = match (customer.means, end) {
        (plan::Means::PayCode(Some(trouble)), _) => {
            format!("pay code, wallet fault: {}", trouble.word().replace('_', " "))
        }
        (plan::Means::PayCode(None), _) => "pay code".to_owned(),
        (plan::Means::Cash, _) => "cash".to_owned(),
        (plan::Means::Voucher, _) => "voucher".to_owned(),
        (plan::Means::Desk, _) => "phone at the desk".to_owned(),
        (plan::Means::WalksAway, _) => "left without paying".to_owned(),
    };
    let coupon = if customer.coupon { ", coupon" } else { "" };
    let member = if customer.member { ", member" } else { "" };
    format!("{means}{coupon}{member}{network}")
}

/// Cuts the till's power at random moments until enough were cut or the day is over.
async fn power_cuts(shop: &Mutex<Shop>, options: &Options, over: &AtomicBool) -> io::Result<()> {
    let mut chance = Chance::new(options.seed ^ 0x00FF_00FF);
    for _ in 0..options.kills {
        let (least, most) = POWER_CUT_MS;
        let wait = least + chance.below(most - least);
        tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
        if over.load(Ordering::Relaxed) {
            return Ok(());
        }
        shop.lock().await.cut_power().await?;
    }
    Ok(())
}

/// Waits until the till owes nothing and the cloud has everything.
async fn settle(shop: &Shop, cashier: &Cashier) -> io::Result<()> {
    let quiet = shop.eventually(async || {
        let view = cashier.view().await.ok()?;
        let recent = view["till"]["recent"].as_array()?;
        let printing = recent.iter().any(|paid| paid["paper"] == "printing" || paid["paper"] == "waiting");
        let received = view["link"]["received"].as_u64()?;
        let tip = view["till"]["tip"]["seq"].as_u64()?;
        (!printing && received == tip).then_some(())
    });
    match quiet.await {
        Some(()) => Ok(()),
        None => {
            let view = cashier.view().await.map(|view| view.to_string()).unwrap_or_default();
            Err(io::Error::other(format!("the till does not come to rest: {view}")))
        }
    }
}

/// The last lines of each part's log, for whoever has to find out what went wrong.
fn logs(dir: &Path) -> String {
    let tail = |name: &str| {
        let text = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(15).collect();
        let lines: Vec<&str> = lines.into_iter().rev().collect();
        format!("--- {name}\n{}", lines.join("\n"))
    };
    ["till.log", "cloud.log", "gateway.log"].map(tail).join("\n")
}

/// The folder of a run: kept where it was asked for, else removed at the end.
struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    fn new(keep: Option<&Path>) -> io::Result<Self> {
        let (path, kept) = match keep {
            Some(path) => (path.to_owned(), true),
            None => {
                let name = crate::record::ids::hex(&crate::clock::draw()[..6]);
                (std::env::temp_dir().join(format!("till-demo-{name}")), false)
            }
        };
        std::fs::create_dir_all(&path)?;
        if std::fs::read_dir(&path)?.next().is_some() {
            let words =
                format!("{} is not empty: name a new folder, so that nothing is overwritten", path.display());
            return Err(io::Error::other(words));
        }
        Ok(Self { path: path.canonicalize()?, kept })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // Best effort: what stays is in the system's folder for such things.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
