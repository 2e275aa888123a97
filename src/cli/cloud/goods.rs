//! What the shop sells and where: catalogue, desks, labels of scales, automatic offers.
//!
//! Not here: coupons and their campaigns (`coupons`).

use super::{DAYS, until};
use crate::bundle::Desk;
use crate::cli::say;
use crate::cloud::Admin;
use crate::money::{Currency, Money};
use crate::offer::{Funder, Offer, Rule};
use crate::record::ids::DeskId;
use anyhow::Context;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum Catalogue {
    /// Replace the catalogue by a CSV file; if a row is wrong nothing is imported
    Import {
        /// The file
        file: PathBuf,
    },
}

#[derive(Subcommand)]
pub(super) enum DeskAct {
    /// Add a desk or rename it
    Add {
        /// Its slug, as in the code's address
        id: DeskId,
        /// What people call it
        name: String,
    },
}

#[derive(Subcommand)]
pub(super) enum LabelsAct {
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
pub(super) enum OfferAct {
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
        /// The campaign that owns it, whose quota limits it: for the first hundred customers, add a campaign with
        /// --quota 100 first
        #[arg(long, value_name = "NUMBER")]
        campaign: Option<u32>,
        /// For so many days from now
        #[arg(long, default_value_t = DAYS)]
        days: i64,
    },
}

pub(super) async fn catalogue(admin: &Admin, act: &Catalogue) -> anyhow::Result<()> {
    let Catalogue::Import { file } = act;
    let csv = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let imported = admin.import_catalogue(&csv).await?;
    say(&format!(
        "{} items and {} menu keys are in bundle {}.",
        imported.items, imported.menu_keys, imported.version
    ));
    Ok(())
}

pub(super) async fn desk(admin: &Admin, act: &DeskAct) -> anyhow::Result<()> {
    let DeskAct::Add { id, name } = act;
    let version = admin.add_desk(Desk { id: id.clone(), name: name.clone() }).await?;
    say(&format!("{name} is in bundle {version}; its page is /d/{id}."));
    Ok(())
}

pub(super) async fn labels(admin: &Admin, act: &LabelsAct) -> anyhow::Result<()> {
    let LabelsAct::Use { profiles } = act;
    let labels = crate::cli::scan::profiles(profiles).map_err(anyhow::Error::msg)?;
    let names: Vec<_> = labels.iter().map(|profile| profile.name.clone()).collect();
    let version = admin.publish(move |content| content.labels = Some(labels.clone())).await?;
    let read =
        if names.is_empty() { "by no profile".to_owned() } else { format!("by {}", names.join(", then ")) };
    say(&format!("Labels are read {read} from bundle {version} on."));
    Ok(())
}

pub(super) async fn offer(
    admin: &Admin,
    act: &OfferAct,
    currency: Currency,
    now_s: i64,
) -> anyhow::Result<()> {
    let OfferAct::Add { id, spend, save, name, name_zh, campaign, days } = act;
    let offer = Offer {
        id: id.clone(),
        name: name.clone(),
        name_zh: name_zh.clone(),
        campaign: *campaign,
        funder: Funder::Merchant,
        from_s: u64::try_from(now_s).unwrap_or(0),
        until_s: u64::try_from(until(now_s, *days)?).unwrap_or(0),
        rule: Rule::SpendSave { spend: Money::parse(spend, currency)?, save: Money::parse(save, currency)? },
    };
    let version = admin.add_offer(offer).await?;
    say(&format!("{name} is in bundle {version}."));
    Ok(())
}
