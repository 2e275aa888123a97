//! Campaigns, and the coupons that they own.

use super::{DAYS, until};
use crate::bundle::{Campaign, CampaignState};
use crate::cli::say;
use crate::cloud::{Admin, CouponIssue};
use crate::money::{Currency, Money};
use crate::token::Worth;
use anyhow::bail;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum CampaignAct {
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
pub(super) enum CouponAct {
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

pub(super) async fn campaign(admin: &Admin, act: &CampaignAct, currency: Currency) -> anyhow::Result<()> {
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

pub(super) async fn issue(
    admin: &Admin,
    act: &CouponAct,
    currency: Currency,
    now_s: i64,
) -> anyhow::Result<()> {
    let CouponAct::Issue { campaign, amount, percent, count, days } = act;
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
