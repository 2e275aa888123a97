//! Head office: the server, and what a manager does to its books.

mod accounts;

use super::{asked_to_stop, folder, log, runtime, say};
use crate::bundle::{Campaign, CampaignState, Desk};
use crate::clock::Clock;
use crate::cloud::{self, Admin, CouponIssue, Decision, ShopDefaults};
use crate::money::{Currency, Money};
use crate::offer::{Funder, Offer, Rule};
use crate::record::ids::{DeskId, TerminalId};
use crate::token::Worth;
use anyhow::{Context, bail};
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
    #[arg(long, value_name = "URL")]
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
    Pair(Pair),
    /// What the shop sells
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// Desks with a code that customers scan
    #[command(subcommand)]
    Desk(DeskAct),
    /// Automatic offers
    #[command(subcommand)]
    Offer(OfferAct),
    /// Labels that the shop's counter scales print
    #[command(subcommand)]
    Labels(LabelsAct),
    /// Campaigns, which own coupons
    #[command(subcommand)]
    Campaign(CampaignAct),
    /// Coupons
    #[command(subcommand)]
    Coupon(CouponAct),
    /// Members
    #[command(subcommand)]
    Member(MemberAct),
    /// Value that members have loaded
    #[command(subcommand)]
    StoredValue(StoredValue),
    /// What needs a manager
    #[command(subcommand)]
    Task(TaskAct),
}

#[derive(Subcommand)]
enum Pair {
    /// List tills that ask, with the fingerprints to compare
    List,
    /// Approve a till whose screen shows this fingerprint
    Approve {
        /// The till
        terminal: TerminalId,
        /// The fingerprint on its screen
        fingerprint: String,
    },
    /// Refuse it
    Refuse {
        /// The till
        terminal: TerminalId,
        /// The fingerprint that was listed
        fingerprint: String,
    },
}

#[derive(Subcommand)]
enum Catalogue {
    /// Replace the catalogue by a CSV file; if a row is wrong nothing is imported
    Import {
        /// The file
        file: PathBuf,
    },
}

#[derive(Subcommand)]
enum DeskAct {
    /// Add a desk or rename it
    Add {
        /// Its slug, as in the code's address
        id: DeskId,
        /// What people call it
        name: String,
    },
}

#[derive(Subcommand)]
enum LabelsAct {
    /// Read labels by these profiles, in this order; `none` for no labels at all
    #[command(
        after_help = "Profiles: cn13-price, cn18, cn18-left, kg13, kg7-5, price4-verified, price5-verified, upc-price,\nor a form such as 21.....{NNDDD}. Until something is said here: cn13-price, then cn18.\n\nTry one: echo 2110001005008 | till scan decode --profile kg13"
    )]
    Use {
        /// The profiles
        #[arg(required = true)]
        profiles: Vec<String>,
    },
}

#[derive(Subcommand)]
enum OfferAct {
    /// Spend so much, save so much
    Add {
        /// Its slug
        id: String,
        /// The least basket
        #[arg(long)]
        spend: String,
        /// What comes off
        #[arg(long)]
        save: String,
        /// What it is called on the bill
        #[arg(long)]
        name: String,
        /// The same in Chinese
        #[arg(long)]
        name_zh: Option<String>,
        /// For so many days from now
        #[arg(long, default_value_t = DAYS)]
        days: i64,
    },
}

#[derive(Subcommand)]
enum CampaignAct {
    /// Add a campaign or change it
    Add {
        /// Its number
        number: u32,
        /// What it is called on the bill
        #[arg(long)]
        name: String,
        /// The same in Chinese
        #[arg(long)]
        name_zh: Option<String>,
        /// The least basket for its coupons
        #[arg(long)]
        minimum: Option<String>,
    },
    /// Stop a campaign: tills refuse its coupons from now on
    Stop {
        /// Its number
        number: u32,
    },
}

#[derive(Subcommand)]
enum CouponAct {
    /// Issue single-use coupons and print them, one a line
    Issue {
        /// The campaign that owns them
        #[arg(long)]
        campaign: u32,
        /// An amount off
        #[arg(long, conflicts_with = "percent", required_unless_present = "percent")]
        amount: Option<String>,
        /// A whole percentage off
        #[arg(long)]
        percent: Option<u16>,
        /// How many
        #[arg(long, default_value_t = 1)]
        count: usize,
        /// For so many days from now
        #[arg(long, default_value_t = DAYS)]
        days: i64,
    },
}

#[derive(Subcommand)]
enum MemberAct {
    /// Make members and print each with the secret for its phone, one JSON object a line
    Add {
        /// How many
        #[arg(long, default_value_t = 1)]
        count: usize,
    },
}

#[derive(Subcommand)]
enum StoredValue {
    /// Load value for a member who has paid for it
    #[command(
        after_help = "Example:\n  till cloud stored-value load GAYTEMZUGU3DOOBZ 200.00 --reference invoice-1042"
    )]
    Load {
        /// The member's reference
        member: String,
        /// How much
        amount: String,
        /// The invoice or slip it was paid with: the same one again loads nothing
        #[arg(long)]
        reference: String,
    },
    /// Show what a member has, and the latest movements
    Show {
        /// The member's reference
        member: String,
    },
    /// Count every account again
    Count,
}

#[derive(Subcommand)]
enum TaskAct {
    /// List what is open
    List,
    /// Say that one is dealt with
    Settle {
        /// Its number
        number: i64,
    },
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
    let running = cloud::start(config, now).await?;
    say(&format!("root fingerprint {}", running.admin().root_fingerprint()));
    say(&format!("ready http://{}", running.address()));
    asked_to_stop().await;
    running.shutdown().await;
    Ok(())
}

async fn keep_books(admin: &Admin, office: &Office, currency: Currency, now_s: i64) -> anyhow::Result<()> {
    match office {
        Office::Pair(pair) => pairings(admin, pair).await,
        Office::Catalogue(Catalogue::Import { file }) => {
            let csv = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
            let imported = admin.import_catalogue(&csv).await?;
            say(&format!(
                "{} items and {} menu keys are in bundle {}.",
                imported.items, imported.menu_keys, imported.version
            ));
            Ok(())
        }
        Office::Desk(DeskAct::Add { id, name }) => {
            let version = admin.add_desk(Desk { id: id.clone(), name: name.clone() }).await?;
            say(&format!("{name} is in bundle {version}; its page is /d/{id}."));
            Ok(())
        }
        Office::Labels(LabelsAct::Use { profiles }) => use_labels(admin, profiles).await,
        Office::Offer(OfferAct::Add { id, spend, save, name, name_zh, days }) => {
            let offer = Offer {
                id: id.clone(),
                name: name.clone(),
                name_zh: name_zh.clone(),
                funder: Funder::Merchant,
                from_s: u64::try_from(now_s).unwrap_or(0),
                until_s: u64::try_from(until(now_s, *days)?).unwrap_or(0),
                rule: Rule::SpendSave {
                    spend: Money::parse(spend, currency)?,
                    save: Money::parse(save, currency)?,
                },
            };
            let version = admin.add_offer(offer).await?;
            say(&format!("{name} is in bundle {version}."));
            Ok(())
        }
        Office::Campaign(act) => campaigns(admin, act, currency).await,
        Office::Coupon(CouponAct::Issue { campaign, amount, percent, count, days }) => {
            let worth = match (amount, percent) {
                (Some(amount), _) => Worth::AmountOff(Money::parse(amount, currency)?),
                (None, Some(percent @ 1..=100)) => Worth::BasisPointsOff(percent * 100),
                (None, _) => bail!("a percentage is from 1 to 100"),
            };
            let known = admin.campaign(*campaign).await?;
            match known.as_ref().map(|known| known.state) {
                Some(CampaignState::Running) => {}
                Some(CampaignState::Stopped) => {
                    bail!("campaign {campaign} is stopped: tills refuse its coupons")
                }
                None => bail!(
                    "there is no campaign {campaign}: add it with till cloud campaign add {campaign} --name NAME"
                ),
            }
            let wanted = CouponIssue {
                campaign: *campaign,
                name: known.as_ref().map_or_else(|| "Coupon".to_owned(), |known| known.name.clone()),
                name_zh: known.as_ref().and_then(|known| known.name_zh.clone()),
                minimum: known.and_then(|known| known.minimum),
                worth,
                from_s: now_s,
                until_s: until(now_s, *days)?,
                count: *count,
            };
            for coupon in admin.issue_coupons(&wanted).await? {
                say(&coupon);
            }
            Ok(())
        }
        Office::Member(MemberAct::Add { count }) => {
            for member in admin.add_members(*count).await? {
                say(&serde_json::to_string(&member)?);
            }
            Ok(())
        }
        Office::StoredValue(act) => stored_value(admin, act, currency).await,
        Office::Task(act) => tasks(admin, act).await,
    }
}

async fn stored_value(admin: &Admin, act: &StoredValue, currency: Currency) -> anyhow::Result<()> {
    match act {
        StoredValue::Load { member, amount, reference } => {
            let held = admin.load(member, Money::parse(amount, currency)?, reference).await?;
            say(&format!("{member} has {held}."));
        }
        StoredValue::Show { member } => {
            say(&format!("{member} has {}.", admin.balance(member, currency).await?));
            for movement in admin.statement(member).await? {
                let at = jiff::Timestamp::from_millisecond(movement.made_ms)?;
                say(&format!("{at:.0}  {:>14}  {}", movement.amount.to_string(), movement.words));
            }
        }
        StoredValue::Count => {
            let count = admin.count_ledger().await?;
            let (accounts, transfers) = (count.accounts, count.transfers);
            if !count.wrong.is_empty() || !count.uneven.is_empty() {
                bail!(
                    "{accounts} accounts and {transfers} transfers do not agree: {}",
                    [count.wrong, count.uneven.iter().map(Money::to_string).collect()].concat().join(", ")
                );
            }
            say(&format!("{accounts} accounts and {transfers} transfers agree; all together hold nothing."));
        }
    }
    Ok(())
}

async fn pairings(admin: &Admin, act: &Pair) -> anyhow::Result<()> {
    let decide = async |terminal: &TerminalId, fingerprint: &str, decision, words: &str| {
        admin.decide_pairing(terminal, fingerprint, decision).await?;
        say(&format!("{terminal} with {fingerprint} is {words}."));
        Ok(())
    };
    match act {
        Pair::List => {
            say(&format!("This cloud's root is {}.", admin.root_fingerprint()));
            let pairings = admin.pairings().await?;
            if pairings.is_empty() {
                say("No till has asked to be paired.");
            }
            for pairing in pairings {
                let fingerprint = crate::token::fingerprint(&pairing.public_key);
                let state = format!("{:?}", pairing.state).to_lowercase();
                say(&format!("{:<18}{fingerprint:<24}{state:<10}{}", pairing.terminal, pairing.name));
            }
            Ok(())
        }
        Pair::Approve { terminal, fingerprint } => {
            decide(terminal, fingerprint, Decision::Approve, "approved").await
        }
        Pair::Refuse { terminal, fingerprint } => {
            decide(terminal, fingerprint, Decision::Refuse, "refused").await
        }
    }
}

async fn use_labels(admin: &Admin, profiles: &[String]) -> anyhow::Result<()> {
    let labels = super::scan::profiles(profiles).map_err(anyhow::Error::msg)?;
    let names: Vec<_> = labels.iter().map(|profile| profile.name.clone()).collect();
    let version = admin.publish(move |content| content.labels = Some(labels.clone())).await?;
    let read =
        if names.is_empty() { "by no profile".to_owned() } else { format!("by {}", names.join(", then ")) };
    say(&format!("Labels are read {read} from bundle {version} on."));
    Ok(())
}

async fn campaigns(admin: &Admin, act: &CampaignAct, currency: Currency) -> anyhow::Result<()> {
    match act {
        CampaignAct::Add { number, name, name_zh, minimum } => {
            let minimum = minimum.as_deref().map(|text| Money::parse(text, currency)).transpose()?;
            let campaign = Campaign {
                number: *number,
                name: name.clone(),
                name_zh: name_zh.clone(),
                minimum,
                terms: None,
                state: CampaignState::Running,
            };
            let version = admin.put_campaign(campaign).await?;
            say(&format!("Campaign {number}, {name}, is in bundle {version}."));
        }
        CampaignAct::Stop { number } => {
            let Some(mut campaign) = admin.campaign(*number).await? else {
                bail!("there is no campaign {number}")
            };
            campaign.state = CampaignState::Stopped;
            let version = admin.put_campaign(campaign).await?;
            say(&format!("Campaign {number} is stopped from bundle {version} on."));
        }
    }
    Ok(())
}

async fn tasks(admin: &Admin, act: &TaskAct) -> anyhow::Result<()> {
    match act {
        TaskAct::List => {
            let tasks = admin.tasks().await?;
            if tasks.is_empty() {
                say("Nothing is open.");
            }
            for task in tasks {
                say(&format!("{:<6}{:<24}{}", task.number, task.code, task.words));
            }
        }
        TaskAct::Settle { number } => {
            admin.settle_task(*number).await?;
            say(&format!("Task {number} is settled."));
        }
    }
    Ok(())
}

fn until(now_s: i64, days: i64) -> anyhow::Result<i64> {
    if (1..=2000).contains(&days) { Ok(now_s + days * 86_400) } else { bail!("days are from 1 to 2000") }
}
