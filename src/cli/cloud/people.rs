//! Who takes part: tills that ask to be paired, members and what they have loaded, and what a manager is to decide.

use crate::cli::say;
use crate::cloud::{Admin, Decision};
use crate::money::{Currency, Money};
use crate::record::ids::{IntentId, TerminalId};
use anyhow::bail;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Pair {
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
pub(super) enum MemberAct {
    /// Make members and print each with the secret for its phone, one JSON object a line
    Add {
        /// How many
        #[arg(long, default_value_t = 1)]
        count: usize,
    },
    /// Forget a member who asked for it: nothing here or at any till says any more who it was
    #[command(
        after_help = "Example:\n  till cloud members forget GAYTEMZUGU3DOOBZ\n\nSales, taxes and payments stay and belong to nobody. Tills that are off do the same when they are heard again."
    )]
    Forget {
        /// The member's reference
        member: String,
    },
}

#[derive(Subcommand)]
pub(super) enum StoredValue {
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
pub(super) enum OrderAct {
    /// Give back what a phone paid and never showed to its till; the server does it
    GiveBack {
        /// The order's 32 digits: the merchant's order number on the customer's wallet
        intent: IntentId,
    },
}

pub(super) async fn orders(admin: &Admin, act: &OrderAct) -> anyhow::Result<()> {
    let OrderAct::GiveBack { intent } = act;
    let amount = admin.give_back_order(*intent).await?;
    say(&format!(
        "{amount} goes back. Should a till show the proof of it after all, nothing is to be handed over."
    ));
    Ok(())
}

#[derive(Subcommand)]
pub(super) enum TaskAct {
    /// List what is open
    List,
    /// Say that one is dealt with
    Settle {
        /// Its number
        number: i64,
    },
}

pub(super) async fn members(admin: &Admin, act: &MemberAct) -> anyhow::Result<()> {
    match act {
        MemberAct::Add { count } => {
            for member in admin.add_members(*count).await? {
                say(&serde_json::to_string(&member)?);
            }
        }
        MemberAct::Forget { member } => {
            let (erased, tills) = admin.forget_member(member).await?;
            say(&format!("Forgotten: {erased} bodies were erased here, and {tills} tills are told."));
        }
    }
    Ok(())
}

pub(super) async fn stored_value(admin: &Admin, act: &StoredValue, currency: Currency) -> anyhow::Result<()> {
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

pub(super) async fn pairings(admin: &Admin, act: &Pair) -> anyhow::Result<()> {
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

pub(super) async fn streams(admin: &Admin) -> anyhow::Result<()> {
    let streams = admin.streams().await?;
    if streams.is_empty() {
        say("No till has sent anything yet.");
    }
    for stream in streams {
        say(&format!("{:<16}{}", stream.terminal.as_str(), stream.words()));
    }
    Ok(())
}

pub(super) async fn tasks(admin: &Admin, act: &TaskAct) -> anyhow::Result<()> {
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
