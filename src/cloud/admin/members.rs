//! Members: who joins and who is forgotten, and the stored value on their accounts.
//!
//! Not here: the ledger itself (`store`).

use super::{Admin, AdminError, COUPONS_AT_ONCE};
use crate::cloud::store::{Forgot, LedgerCount, Movement};
use crate::money::{Currency, Money};
use crate::record::ids::hex;
use crate::token::MemberRef;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Movements that a statement shows.
const STATEMENT_ROWS: u32 = 100;

/// A member who just joined, as the phone needs to know.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct NewMember {
    /// The reference that tills and journals know.
    pub member: String,
    /// The secret of its one-time numbers, hexadecimal: RFC 6238, HMAC-SHA-256, 30 seconds, eight digits.
    pub secret: String,
}

impl Admin {
    /// Makes members, each with a secret for its phone. The secret is shown here and never again.
    ///
    /// # Errors
    /// [`AdminError::NoSerials`] when references could not be drawn.
    pub async fn add_members(&self, count: usize) -> Result<Vec<NewMember>, AdminError> {
        if !(1..=COUPONS_AT_ONCE).contains(&count) {
            return Err(AdminError::Count(count));
        }
        let chance = SystemRandom::new();
        let mut members = Vec::with_capacity(count);
        for _ in 0..count {
            let (mut reference, mut secret) = ([0; 10], [0; 20]);
            chance.fill(&mut reference).map_err(|_| AdminError::NoSerials)?;
            chance.fill(&mut secret).map_err(|_| AdminError::NoSerials)?;
            members.push((MemberRef(reference).to_string(), secret));
        }
        if !self.store.add_members(members.clone(), (self.clock)()).await? {
            return Err(AdminError::NoSerials);
        }
        let shown = |(member, secret): (String, [u8; 20])| NewMember { member, secret: hex(&secret) };
        Ok(members.into_iter().map(shown).collect())
    }

    /// Forgets a member: the secret, the visits and every body that speaks of the member are erased here, and each
    /// till is told to do the same. What was sold and paid stays, and belongs to nobody. Safe to ask twice.
    ///
    /// # Errors
    /// [`AdminError::NoSuchMember`], or [`AdminError::StillHolds`] while there is value on the account.
    pub async fn forget_member(&self, member: &str) -> Result<(usize, usize), AdminError> {
        match self.store.forget_member(member.to_owned(), (self.clock)()).await? {
            Forgot::Done { erased, tills } => Ok((erased, tills)),
            Forgot::Holds(money) => Err(AdminError::StillHolds(money)),
            Forgot::Nobody => Err(AdminError::NoSuchMember(member.to_owned())),
        }
    }

    /// Loads stored value for a member who paid for it. The same reference again changes nothing. Says what the
    /// account holds then.
    ///
    /// # Errors
    /// [`AdminError::Amount`] or [`AdminError::NoSuchMember`]; nothing is loaded then.
    pub async fn load(&self, member: &str, amount: Money, reference: &str) -> Result<Money, AdminError> {
        if !amount.is_positive() {
            return Err(AdminError::Amount(amount));
        }
        let reference = format!("load:{reference}");
        if self.store.load(member.to_owned(), amount, reference, (self.clock)()).await? {
            self.balance(member, amount.currency).await
        } else {
            Err(AdminError::NoSuchMember(member.to_owned()))
        }
    }

    /// What a member's account holds.
    ///
    /// # Errors
    /// [`AdminError::NoSuchMember`].
    pub async fn balance(&self, member: &str, currency: Currency) -> Result<Money, AdminError> {
        let held = self.store.balance(member.to_owned(), currency).await?;
        held.ok_or_else(|| AdminError::NoSuchMember(member.to_owned()))
    }

    /// The latest movements of a member's account, newest first.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn statement(&self, member: &str) -> Result<Vec<Movement>, AdminError> {
        Ok(self.store.statement(member.to_owned(), STATEMENT_ROWS).await?)
    }

    /// Counts the ledger of stored value again: each account against its transfers, and all against nothing.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn count_ledger(&self) -> Result<LedgerCount, AdminError> {
        Ok(self.store.count_ledger().await?)
    }
}
