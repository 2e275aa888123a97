//! Head office: the server, and what a manager does to its books.
//!
//! Not here: what each act does (`goods`, `coupons`, `people`), and the accounts at wallets (`accounts`).

mod accounts;
mod coupons;
mod goods;
mod limits;
mod people;

use super::{asked_to_stop, folder, log, runtime, say};
use crate::clock::Clock;
use crate::cloud::{self, Admin, ShopDefaults};
use crate::money::Currency;
use anyhow::bail;
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Days that coupons and offers hold when nothing else is said.
const DAYS: i64 = 30;

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = false,
    after_help = "Examples:\n  till cloud --dir head-office --listen 127.0.0.1:8050\n  till cloud --dir head-office --wallets wallets.toml --public-base https://shop.example\n  till cloud catalogue import goods.csv --dir head-office\n  till cloud --dir head-office pair list\n  till cloud --dir head-office coupon issue --campaign 7 --amount 3.00 --count 100"
)]
pub(super) struct Cloud {
    /// Home of its database and keys
    #[arg(long, global = true, value_name = "DIR", default_value = "till-cloud", env = "TILL_CLOUD_DIR")]
    dir: PathBuf,
    /// Where it listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8050")]
    listen: SocketAddr,
    /// What phones reach it by, such as https://shop.example
    #[arg(long, value_name = "URL", value_parser = public_base)]
    public_base: Option<String>,
    /// The shop's name, at the first start
    #[arg(long, value_name = "NAME", default_value = "Till")]
    shop: String,
    /// The shop's currency, at the first start
    #[arg(long, value_name = "CODE", default_value = "CNY")]
    currency: String,
    /// The shop's time zone, at the first start
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai")]
    time_zone: String,
    /// The merchant's accounts: a file with [wallet.alipay] and [wallet.wechat], as a till's configuration has them
    #[arg(long, value_name = "FILE")]
    wallets: Option<PathBuf>,
    /// Alipay's gateway, where the account goes by public keys and there is no such file
    #[arg(long, value_name = "URL", requires_all = ["alipay_app", "alipay_app_key", "alipay_key"])]
    alipay_gateway: Option<String>,
    /// The number of the merchant's app
    #[arg(long, value_name = "ID")]
    alipay_app: Option<String>,
    /// The app's private key, a PEM file
    #[arg(long, value_name = "FILE")]
    alipay_app_key: Option<PathBuf>,
    /// Alipay's public key, a PEM file
    #[arg(long, value_name = "FILE")]
    alipay_key: Option<PathBuf>,
    #[command(subcommand)]
    office: Option<Office>,
}

#[derive(Subcommand)]
enum Office {
    /// Tills that ask to be paired
    #[command(subcommand)]
    Pair(people::Pair),
    /// What the shop sells
    #[command(subcommand)]
    Catalogue(goods::Catalogue),
    /// Desks with a code that customers scan
    #[command(subcommand)]
    Desk(goods::DeskAct),
    /// Automatic offers
    #[command(subcommand)]
    Offer(goods::OfferAct),
    /// Labels that the shop's counter scales print
    #[command(subcommand)]
    Labels(goods::LabelsAct),
    /// Campaigns, which own coupons
    #[command(subcommand)]
    Campaign(coupons::CampaignAct),
    /// Coupons
    #[command(subcommand)]
    Coupon(coupons::CouponAct),
    /// What tills may do while they cannot reach head office
    #[command(subcommand)]
    Limits(limits::LimitsAct),
    /// Value vouchers
    #[command(subcommand, visible_alias = "vouchers")]
    Voucher(coupons::VoucherAct),
    /// Payments that a phone made for a till's order
    #[command(subcommand)]
    Order(people::OrderAct),
    /// Members
    #[command(subcommand, alias = "members")]
    Member(people::MemberAct),
    /// Value that members have loaded
    #[command(subcommand)]
    StoredValue(people::StoredValue),
    /// Lists the lives of each till's journal: how far they have come, which began by themselves, what is missing
    Streams,
    /// What needs a manager
    #[command(subcommand)]
    Task(people::TaskAct),
}

/// What phones reach head office by: scheme and host. What stands on stickers for years is looked at twice.
pub(super) fn public_base(text: &str) -> Result<String, String> {
    let bare = text.trim_end_matches('/');
    let host = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://"));
    let is_host = |host: &str| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(c))
    };
    if host.is_some_and(is_host) {
        Ok(bare.to_owned())
    } else {
        Err("write scheme and host only, such as https://shop.example".to_owned())
    }
}

pub(super) fn act(cloud: &Cloud) -> anyhow::Result<ExitCode> {
    let dir = folder(&cloud.dir)?;
    let shop = ShopDefaults {
        name: cloud.shop.clone(),
        currency: Currency::by_code(&cloud.currency)?,
        time_zone: cloud.time_zone.clone(),
        ..ShopDefaults::default()
    };
    let clock = Clock::new();
    let now: cloud::Clock = Arc::new(move || clock.unix_ms());
    runtime()?.block_on(async {
        match &cloud.office {
            None => serve(cloud, dir, shop, now).await?,
            Some(office) => {
                let admin = Admin::open(&dir, &shop, Arc::clone(&now)).await?;
                let currency = admin.currency().await?;
                keep_books(&admin, office, currency, now() / 1000).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn serve(cloud: &Cloud, dir: PathBuf, shop: ShopDefaults, now: cloud::Clock) -> anyhow::Result<()> {
    log();
    let accounts = accounts::read(cloud, &now)?;
    let config =
        cloud::Config { listen: cloud.listen, dir, public_base: cloud.public_base.clone(), accounts, shop };
    let mut running = cloud::start(config, now).await?;
    say(&format!("root fingerprint {}", running.admin().root_fingerprint()));
    say(&format!("ready http://{}", running.address()));
    let ended = tokio::select! {
        () = asked_to_stop() => Ok(()),
        error = running.ended() => Err(error.into()),
    };
    running.shutdown().await;
    ended
}

async fn keep_books(admin: &Admin, office: &Office, currency: Currency, now_s: i64) -> anyhow::Result<()> {
    match office {
        Office::Pair(act) => people::pairings(admin, act).await,
        Office::Catalogue(act) => goods::catalogue(admin, act).await,
        Office::Desk(act) => goods::desk(admin, act).await,
        Office::Labels(act) => goods::labels(admin, act).await,
        Office::Offer(act) => goods::offer(admin, act, currency, now_s).await,
        Office::Campaign(act) => coupons::campaign(admin, act, currency).await,
        Office::Coupon(act) => coupons::issue(admin, act, currency, now_s).await,
        Office::Limits(act) => limits::limits(admin, act, currency).await,
        Office::Voucher(act) => coupons::issue_vouchers(admin, act, currency, now_s).await,
        Office::Order(act) => people::orders(admin, act).await,
        Office::Member(act) => people::members(admin, act).await,
        Office::StoredValue(act) => people::stored_value(admin, act, currency).await,
        Office::Streams => people::streams(admin).await,
        Office::Task(act) => people::tasks(admin, act).await,
    }
}

fn until(now_s: i64, days: i64) -> anyhow::Result<i64> {
    if (1..=2000).contains(&days) { Ok(now_s + days * 86_400) } else { bail!("days are from 1 to 2000") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_stickers_is_a_scheme_and_a_host() {
        for good in
            ["https://shop.example", "https://shop.example/", "http://192.0.2.7:8050", "http://[::1]:80"]
        {
            assert_eq!(public_base(good).unwrap(), good.trim_end_matches('/'));
        }
        for bad in
            ["shop.example", "https://", "https://shop.example/a?x=1", "https://shop.example/ x", "ftp://a"]
        {
            assert!(public_base(bad).unwrap_err().contains("scheme and host"), "{bad}");
        }
    }
}
