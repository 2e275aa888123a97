//! Campaigns, the coupons that they own, and value vouchers.

use super::{DAYS, until};
use crate::bundle::{Campaign, CampaignState};
use crate::cli::say;
use crate::cloud::{Admin, CouponIssue, Quota, VoucherIssue};
use crate::money::{Currency, Money};
use crate::paper::{VoucherSlip, voucher_png};
use crate::record::ids::TerminalId;
use crate::token::Worth;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use jiff::Timestamp;
use std::path::PathBuf;

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
        /// How often its offers and coupons are given in all shops together: until it is said, without end
        #[arg(long, value_name = "N")]
        quota: Option<u64>,
    },
    /// List campaigns, with what is spent of their quotas and what lies at tills
    List,
    /// Declare a till lost: what it holds of quotas stays spent
    Lost {
        /// Which till
        terminal: TerminalId,
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

#[derive(Subcommand)]
pub(super) enum VoucherAct {
    /// Issue single-use vouchers and print them, one a line
    Issue {
        /// What each is worth
        #[arg(long)]
        value: String,
        /// How many
        #[arg(long, default_value_t = 1)]
        count: usize,
        /// For so many days from now
        #[arg(long, default_value_t = VOUCHER_DAYS)]
        days: i64,
        /// Also draw each as a picture to print or send, in this folder
        #[arg(long, value_name = "DIR")]
        png: Option<PathBuf>,
    },
}

/// Days that a voucher holds when nothing else is said: a present is used within a year.
const VOUCHER_DAYS: i64 = 365;

pub(super) async fn issue_vouchers(
    admin: &Admin,
    act: &VoucherAct,
    currency: Currency,
    now_s: i64,
) -> anyhow::Result<()> {
    let VoucherAct::Issue { value, count, days, png } = act;
    let until_s = until(now_s, *days)?;
    let wanted =
        VoucherIssue { value: Money::parse(value, currency)?, from_s: now_s, until_s, count: *count };
    // Before any is good: vouchers without their pictures would have to be found again.
    if let Some(folder) = png {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let shop = admin.desks().await?.0;
    let last_day = Timestamp::from_second(until_s - 1)?.to_zoned(admin.zone().await?).date().to_string();
    for (at, text) in admin.issue_vouchers(&wanted).await?.into_iter().enumerate() {
        say(&text);
        if let Some(folder) = png {
            let slip = VoucherSlip { shop: &shop, value: wanted.value, text: &text, until: &last_day };
            let path = folder.join(format!("voucher-{}.png", at + 1));
            std::fs::write(&path, voucher_png(&slip))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

pub(super) async fn campaign(admin: &Admin, act: &CampaignAct, currency: Currency) -> anyhow::Result<()> {
    match act {
        CampaignAct::Add { number, name, name_zh, minimum, quota } => {
            let minimum = minimum.as_deref().map(|text| Money::parse(text, currency)).transpose()?;
            // First the books, then the tills: no till asks for what is not there.
            if let Some(total) = quota {
                admin.set_quota(*number, *total).await?;
            }
            let campaign = Campaign {
                number: *number,
                name: name.clone(),
                name_zh: name_zh.clone(),
                minimum,
                terms: None,
                quota: *quota,
                state: CampaignState::Running,
            };
            let version = admin.put_campaign(campaign).await?;
            say(&format!("Campaign {number}, {name}, is in bundle {version}."));
        }
        CampaignAct::List => {
            for (campaign, quota) in admin.campaigns().await? {
                say(&line_of(&campaign, quota));
            }
        }
        CampaignAct::Lost { terminal } => {
            let uses = admin.write_off(terminal).await?;
            say(&format!("{terminal} is written off: {uses} uses of quotas that it held stay spent."));
        }
        CampaignAct::Stop { number } => {
            let version = admin.stop_campaign(*number).await?;
            say(&format!("Campaign {number} is stopped from bundle {version} on."));
        }
    }
    Ok(())
}

/// A campaign as the list shows it.
fn line_of(campaign: &Campaign, quota: Option<Quota>) -> String {
    let state = match campaign.state {
        CampaignState::Running => "running",
        CampaignState::Stopped => "stopped",
    };
    let quota = match (campaign.quota, quota) {
        (Some(_), Some(quota)) => {
            let lost = if quota.lost > 0 { format!(", {} lost", quota.lost) } else { String::new() };
            format!(
                "quota {}: {} spent, {} leased{lost}, {} free",
                quota.total,
                quota.spent,
                quota.leased,
                quota.free()
            )
        }
        (Some(_), None) | (None, _) => "no quota".to_owned(),
    };
    format!("{}  {}  {state}  {quota}", campaign.number, campaign.name)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::ShopDefaults;
    use std::sync::Arc;

    /// Two processes at the books of one head office.
    async fn two() -> (tempfile::TempDir, Admin, Admin) {
        let folder = tempfile::tempdir().unwrap();
        let shop = ShopDefaults::default();
        let open = || Admin::open(folder.path(), &shop, Arc::new(|| 1_795_000_000_000));
        let (one, other) = (open().await.unwrap(), open().await.unwrap());
        (folder, one, other)
    }

    fn add(quota: Option<u64>) -> CampaignAct {
        CampaignAct::Add { number: 7, name: "Autumn".to_owned(), name_zh: None, minimum: None, quota }
    }

    /// What another process changes at the same moment.
    async fn set_quota(admin: &Admin, quota: u64) {
        admin
            .publish(|content| {
                content.campaigns.iter_mut().for_each(|campaign| campaign.quota = Some(quota));
            })
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_campaign_that_is_stopped_while_it_is_given_a_quota_is_both() {
        let (_folder, one, other) = two().await;
        campaign(&one, &add(None), Currency::CNY).await.unwrap();
        for quota in 1..=10 {
            let stop = campaign(&one, &CampaignAct::Stop { number: 7 }, Currency::CNY);
            let (_, stopped) = tokio::join!(set_quota(&other, quota), stop);
            stopped.unwrap();
            let found = one.campaign(7).await.unwrap().unwrap();
            assert_eq!((found.quota, found.state), (Some(quota), CampaignState::Stopped));
        }
    }

    #[tokio::test]
    async fn a_campaign_that_is_renamed_keeps_the_quota_that_it_is_given_meanwhile() {
        let (_folder, one, other) = two().await;
        campaign(&one, &add(None), Currency::CNY).await.unwrap();
        for quota in 1..=10 {
            let act = add(None);
            let rename = campaign(&one, &act, Currency::CNY);
            let (_, renamed) = tokio::join!(set_quota(&other, quota), rename);
            renamed.unwrap();
            assert_eq!(one.campaign(7).await.unwrap().unwrap().quota, Some(quota));
        }
        campaign(&one, &add(Some(50)), Currency::CNY).await.unwrap();
        assert_eq!(one.campaign(7).await.unwrap().unwrap().quota, Some(50));
    }

    #[tokio::test]
    async fn coupons_of_a_campaign_that_somebody_adds_meanwhile_leave_it_as_it_is() {
        let (_folder, one, other) = two().await;
        for number in 1..=10 {
            let theirs = Campaign {
                number,
                name: "Theirs".to_owned(),
                name_zh: None,
                minimum: None,
                terms: None,
                quota: Some(9),
                state: CampaignState::Stopped,
            };
            let wanted = CouponIssue {
                campaign: number,
                name: "Coupon".to_owned(),
                name_zh: None,
                minimum: None,
                worth: Worth::BasisPointsOff(1000),
                from_s: 1_795_000_000,
                until_s: 1_795_086_400,
                count: 20,
            };
            let add = other.put_campaign(theirs.clone());
            let (added, issued) = tokio::join!(add, one.issue_coupons(&wanted));
            added.unwrap();
            assert_eq!(issued.unwrap().len(), 20);
            assert_eq!(one.campaign(number).await.unwrap(), Some(theirs));
        }
    }

    #[tokio::test]
    async fn a_campaign_that_is_not_there_cannot_be_stopped() {
        let (_folder, one, _other) = two().await;
        let refused = campaign(&one, &CampaignAct::Stop { number: 8 }, Currency::CNY).await.unwrap_err();
        assert!(refused.to_string().contains("no campaign 8"), "{refused}");
    }
}
