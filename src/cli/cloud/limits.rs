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
            let limits = wanted.over(admin.limits().await?, currency)?;
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
            let version = admin.publish(move |content| content.limits = limits).await?;
            show(&limits, currency);
            say(&format!("These limits hold from bundle {version} on."));
        }
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
