//! `O1.` orders, which a till signs so that a phone can pay; `P1.` paid proofs, which the cloud signs back; and
//! the eight digits that stand in for a proof when nothing can be scanned.
//!
//! Not here: claiming an order and calling a wallet (`cloud`), and what a late proof means (`sale`).

use super::{
    Drawn, Issued, Kind, Layout, Purpose, Reader, Stream, TerminalTag, TokenError, Validity, Writer,
};
use crate::money::Money;
use crate::token::member::truncated_digits;
use ring::{digest, hmac};

/// Nothing starts to be paid later than this after an order was drawn, in seconds.
pub const ORDER_LIFETIME_S: i64 = 300;
/// How far a till's clock may run ahead of the reader's before its orders are not believed, in seconds.
pub const ORDER_AHEAD_S: i64 = 60;
/// The longest address of an order, in characters: QR version 6, level L, alphanumeric.
pub const ORDER_URL_MAX: usize = 195;

/// One intent of a till, for a phone to pay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Which terminal drew it.
    pub terminal: TerminalTag,
    /// In which epoch.
    pub epoch: u64,
    /// 64 random bits; (terminal, epoch, nonce) is what the cloud claims once.
    pub nonce: u64,
    /// What is to be settled for the merchant: more than nothing.
    pub amount: Money,
    /// When it was drawn, in unix seconds.
    pub issued_at: i64,
}

/// The cloud's word that an order was paid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// Which order.
    pub order: OrderHash,
    /// What was settled for the merchant, in minor units of the order's currency.
    pub settled_minor: i64,
    /// When, in unix seconds.
    pub paid_at: i64,
}

/// The first 16 bytes of SHA-256 over an order's signing input.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderHash(pub [u8; 16]);

impl Order {
    /// What a proof names it by.
    ///
    /// # Errors
    /// [`TokenError::DoesNotFit`] when it could not have been signed.
    pub fn hash(&self) -> Result<OrderHash, TokenError> {
        let payload = super::drawn_payload(self)?;
        let digest = digest::digest(&digest::SHA256, &super::signing_input(Kind::Order, &payload));
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest.as_ref()[..16]);
        Ok(OrderHash(hash))
    }

    /// Whether a payment may still begin at `now`, in unix seconds.
    ///
    /// # Errors
    /// [`TokenError::Expired`] five minutes after it was drawn; [`TokenError::NotYetValid`] when it was drawn
    /// more than a minute in the future.
    pub fn check_age(&self, now: i64) -> Result<(), TokenError> {
        if now > self.issued_at.saturating_add(ORDER_LIFETIME_S) {
            Err(TokenError::Expired)
        } else if now < self.issued_at.saturating_sub(ORDER_AHEAD_S) {
            Err(TokenError::NotYetValid)
        } else {
            Ok(())
        }
    }

    /// The eight digits that a customer reads to the cashier: HMAC-SHA-256 over the order under a key that this
    /// till and the cloud share, shortened as in RFC 4226 section 5.3.
    ///
    /// Eight digits can be guessed in 10^8 tries: whoever asks for them allows three, up to a low amount.
    ///
    /// # Errors
    /// [`TokenError::DoesNotFit`] when it could not have been signed.
    pub fn typed_proof(&self, shared_key: &[u8; 32]) -> Result<String, TokenError> {
        let mut message = b"till/typed-proof/1\n".to_vec();
        message.extend(super::drawn_payload(self)?);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, shared_key), &message);
        Ok(format!("{:08}", truncated_digits(tag.as_ref())))
    }
}

impl Proof {
    /// Whether it closes this order: the same order, and the amount in full.
    ///
    /// # Errors
    /// [`TokenError::OtherOrder`] otherwise.
    pub fn settles(&self, order: &Order) -> Result<(), TokenError> {
        if self.order == order.hash()? && self.settled_minor == order.amount.minor {
            Ok(())
        } else {
            Err(TokenError::OtherOrder)
        }
    }
}

/// The address that a phone opens: `{base}/O/{order}`, all upper case.
///
/// `base` is scheme and host, such as `https://pay.example.com`.
///
/// # Errors
/// [`TokenError::DoesNotFit`] beyond [`ORDER_URL_MAX`] or outside the alphanumeric set of a QR code.
pub fn order_url(base: &str, order: &str) -> Result<String, TokenError> {
    let url = format!("{}/O/{order}", base.trim_end_matches('/').to_ascii_uppercase());
    let alphanumeric = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase() || b"$%*+-./:".contains(&b);
    if url.len() > ORDER_URL_MAX || !url.bytes().all(alphanumeric) {
        return Err(TokenError::DoesNotFit("the address of the pay page (use a shorter host name)"));
    }
    Ok(url)
}

impl Layout for Order {
    const KIND: Kind = Kind::Order;

    fn write(&self, out: &mut Writer) -> Result<(), TokenError> {
        if self.amount.minor < 1 {
            return Err(TokenError::DoesNotFit("an order's amount"));
        }
        out.bytes(&self.terminal.0);
        out.bytes(&self.epoch.to_be_bytes());
        out.bytes(&self.nonce.to_be_bytes());
        out.money(self.amount)?;
        out.seconds(self.issued_at)
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, TokenError> {
        let order = Self {
            terminal: TerminalTag(from.take()?),
            epoch: from.u64()?,
            nonce: from.u64()?,
            amount: from.money()?,
            issued_at: from.seconds()?,
        };
        if order.amount.minor == 0 {
            return Err(TokenError::Malformed("it asks for nothing"));
        }
        Ok(order)
    }
}

impl Drawn for Order {
    fn stream(&self) -> Stream {
        Stream { terminal: self.terminal, epoch: self.epoch }
    }
}

impl Layout for Proof {
    const KIND: Kind = Kind::Proof;

    fn write(&self, out: &mut Writer) -> Result<(), TokenError> {
        out.bytes(&self.order.0);
        out.amount(self.settled_minor)?;
        out.seconds(self.paid_at)
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, TokenError> {
        Ok(Self { order: OrderHash(from.take()?), settled_minor: from.amount()?, paid_at: from.seconds()? })
    }
}

impl Issued for Proof {
    const PURPOSE: Purpose = Purpose::Proof;

    /// It is true for ever; whether it still closes a sale is the sale's question.
    fn validity(&self) -> Option<Validity> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn order() -> Order {
        Order {
            terminal: TerminalTag::of("till-1"),
            epoch: 7,
            nonce: 9,
            amount: Money::new(1280, Currency::CNY),
            issued_at: 1_800_000_000,
        }
    }

    #[test]
    fn a_proof_closes_only_its_own_order_and_only_in_full() {
        let proof = Proof { order: order().hash().unwrap(), settled_minor: 1280, paid_at: 1_800_000_030 };
        assert_eq!(proof.settles(&order()), Ok(()));
        assert_eq!(proof.settles(&Order { nonce: 10, ..order() }), Err(TokenError::OtherOrder));
        assert_eq!(Proof { settled_minor: 1279, ..proof }.settles(&order()), Err(TokenError::OtherOrder));
    }

    #[test]
    fn nothing_starts_more_than_five_minutes_after_the_order_was_drawn() {
        assert_eq!(order().check_age(1_800_000_300), Ok(()));
        assert_eq!(order().check_age(1_800_000_301), Err(TokenError::Expired));
        assert_eq!(order().check_age(1_799_999_940), Ok(()));
        assert_eq!(order().check_age(1_799_999_939), Err(TokenError::NotYetValid));
    }

    #[test]
    fn the_typed_digits_depend_on_the_key_and_on_every_field() {
        let digits = order().typed_proof(&[1; 32]).unwrap();
        assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()));
        assert_ne!(digits, order().typed_proof(&[2; 32]).unwrap());
        let dearer = Order { amount: Money::new(1281, Currency::CNY), ..order() };
        assert_ne!(digits, dearer.typed_proof(&[1; 32]).unwrap());
    }

    #[test]
    fn an_address_that_would_not_fit_the_symbol_is_refused() {
        let text = "O1.".to_owned() + &"A".repeat(154);
        let host = "https://".to_owned() + &"h".repeat(27);
        let url = order_url(&host, &text).unwrap();
        assert_eq!(url.len(), ORDER_URL_MAX);
        assert!(url.starts_with("HTTPS://HHH"));
        assert!(order_url(&(host + "h"), &text).is_err());
        assert!(order_url("https://a_b", &text).is_err());
    }
}
