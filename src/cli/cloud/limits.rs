//! What tills may do while they cannot reach head office.

use crate::cli::say;
use crate::cloud::Admin;
use crate::limits::Limits;
use crate::money::{Currency, Money};
use anyhow::bail;
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(super) enum LimitsAct {
    /// Show the limits in force
    Show,
    /// Set some of them; the others stay as they are
    #[command(
        after_help = "Only coupons, vouchers and typed proofs are limited: cash and wallets never are.\nTills warn at four fifths of a limit and refuse at the whole; once they hear head office again,\nno limit binds. A limit of 0 takes nothing while offline.\n\nExample: till cloud limits set --each 200 --at-risk 3000 --count 200 --oldest-hours 24 --silent-hours 48"
    )]
    Set(Wanted),
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(super) struct Wanted {
    /// The most that one coupon or voucher may be worth
    #[arg(long, value_name = "AMOUNT")]
    each: Option<String>,
    /// The most that one typed proof may be worth
    #[arg(long, value_name = "AMOUNT")]
    typed_proof: Option<String>,
    /// The most that everything at risk may be worth together
    #[arg(long, value_name = "AMOUNT")]
    at_risk: Option<String>,
    /// How many may wait for head office's word
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// How old the oldest of them may be, in hours
    #[arg(long, value_name = "HOURS")]
    oldest_hours: Option<u64>,
    /// How long tills go on without hearing head office, in hours
    #[arg(long, value_name = "HOURS")]
    silent_hours: Option<u64>,
}

pub(super) async fn limits(admin: &Admin, act: &LimitsAct, currency: Currency) -> anyhow::Result<()> {
    match act {
        LimitsAct::Show => show(&admin.limits().await?, currency),
        LimitsAct::Set(wanted) => {
            let mut limits = Limits::default();
            let version = admin
                .publish_if(|content| -> anyhow::Result<()> {
                    limits = wanted.over(content.limits, currency)?;
                    agree(&limits, currency)?;
                    content.limits = limits;
                    Ok(())
                })
                .await?;
            show(&limits, currency);
            say(&format!("These limits hold from bundle {version} on."));
        }
    }
    Ok(())
}

/// Whether limits can be published together.
fn agree(limits: &Limits, currency: Currency) -> anyhow::Result<()> {
    if let Err(clause) = limits.check() {
        bail!("{clause}");
    }
    if limits.each_minor > limits.at_risk_minor {
        bail!(
            "one coupon may be worth {}, and everything at risk {}: raise --at-risk or lower --each",
            Money::new(limits.each_minor, currency),
            Money::new(limits.at_risk_minor, currency)
        );
    }
    Ok(())
}

fn show(limits: &Limits, currency: Currency) {
    let money = |minor| Money::new(minor, currency).to_string();
    let hours = |seconds: u64| format!("{} hours", seconds / 3600);
    for (what, most) in [
        ("one coupon or voucher", money(limits.each_minor)),
        ("one typed proof", money(limits.typed_proof_minor.min(limits.each_minor))),
        ("everything at risk", money(limits.at_risk_minor)),
        ("how many may wait", limits.items_max.to_string()),
        ("age of the oldest", hours(limits.oldest_s)),
        ("without contact", hours(limits.silent_s)),
    ] {
        say(&format!("{what:<22} {most}"));
    }
}

impl Wanted {
    fn over(&self, limits: Limits, currency: Currency) -> anyhow::Result<Limits> {
        let minor = |text: &Option<String>, before: i64| -> anyhow::Result<i64> {
            Ok(text
                .as_ref()
                .map(|text| Money::parse(text, currency))
                .transpose()?
                .map_or(before, |m| m.minor))
        };
        let seconds =
            |hours: Option<u64>, before: u64| hours.map_or(before, |hours| hours.saturating_mul(3600));
        Ok(Limits {
            each_minor: minor(&self.each, limits.each_minor)?,
            typed_proof_minor: minor(&self.typed_proof, limits.typed_proof_minor)?,
            at_risk_minor: minor(&self.at_risk, limits.at_risk_minor)?,
            items_max: self.count.unwrap_or(limits.items_max),
            oldest_s: seconds(self.oldest_hours, limits.oldest_s),
            silent_s: seconds(self.silent_hours, limits.silent_s),
            ..limits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::ShopDefaults;
    use std::sync::Arc;

    fn nothing() -> Wanted {
        let (each, typed_proof, at_risk) = (None, None, None);
        Wanted { each, typed_proof, at_risk, count: None, oldest_hours: None, silent_hours: None }
    }

    #[tokio::test]
    async fn limits_that_two_people_set_at_once_are_all_set() {
        let folder = tempfile::tempdir().unwrap();
        let shop = ShopDefaults::default();
        let open = || Admin::open(folder.path(), &shop, Arc::new(|| 1_795_000_000_000));
        let (one, other) = (open().await.unwrap(), open().await.unwrap());
        for round in 1..=10 {
            let each = LimitsAct::Set(Wanted { each: Some(format!("{round}.00")), ..nothing() });
            let count = LimitsAct::Set(Wanted { count: Some(round), ..nothing() });
            let both =
                tokio::join!(limits(&one, &each, Currency::CNY), limits(&other, &count, Currency::CNY));
            both.0.unwrap();
            both.1.unwrap();
            let found = one.limits().await.unwrap();
            assert_eq!((u64::try_from(found.each_minor).unwrap(), found.items_max), (round * 100, round));
        }
    }

    #[tokio::test]
    async fn one_coupon_cannot_be_worth_more_than_everything_at_risk() {
        let folder = tempfile::tempdir().unwrap();
        let shop = ShopDefaults::default();
        let admin = Admin::open(folder.path(), &shop, Arc::new(|| 1_795_000_000_000)).await.unwrap();
        let before = admin.limits().await.unwrap();
        let wanted =
            Wanted { each: Some("20.00".to_owned()), at_risk: Some("10.00".to_owned()), ..nothing() };
        let refused = limits(&admin, &LimitsAct::Set(wanted), Currency::CNY).await.unwrap_err();
        assert!(refused.to_string().contains("raise --at-risk"), "{refused}");
        assert_eq!(admin.limits().await.unwrap(), before, "nothing was published");
    }
}
