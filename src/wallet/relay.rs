//! A wallet's calls as JSON between a till and its cloud, which holds the merchant's keys for it.
//!
//! What is asked here is what [`super::Wallet`] asks; the answers are the types of `answer`, which are JSON
//! already. Not here: who may ask (`cloud`), and carrying it (`sync`).

use super::{OrderNumber, PayCode, PayRequest, PrecreateRequest, RefundNumber, RefundRequest, Scene};
use crate::money::Money;
use crate::record::ids::{IntentId, RefundId};
use serde::{Deserialize, Serialize};

/// Take money with a pay code.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// The intent, which the wallet knows as its order.
    pub intent: IntentId,
    /// What the customer owes.
    pub amount: Money,
    /// What the customer reads in the wallet's list.
    pub subject: String,
    /// What the phone showed. It is good for one payment: whoever takes it in makes a [`PayCode`] of it.
    pub pay_code: String,
    /// How it was shown.
    pub scene: SceneWord,
    /// After so many seconds the wallet closes the unpaid order.
    pub expires_in_s: u32,
}

/// [`Scene`] as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneWord {
    /// A bar code or QR code.
    BarCode,
    /// A sound.
    WaveCode,
    /// A face.
    SecurityCode,
}

/// Open an order that the customer scans.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Precreate {
    /// The intent.
    pub intent: IntentId,
    /// What the customer owes.
    pub amount: Money,
    /// What the customer reads.
    pub subject: String,
    /// After so many seconds the wallet closes the unpaid order.
    pub expires_in_s: u32,
}

/// Ask after an intent, or take it back.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The intent.
    pub intent: IntentId,
    /// What was asked for with it; not needed to take it back.
    pub amount: Option<Money>,
}

/// Give money back, or ask after that.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The paid intent.
    pub intent: IntentId,
    /// This refund of it.
    pub refund: RefundId,
    /// How much.
    pub amount: Money,
    /// What the customer reads.
    pub reason: Option<String>,
}

impl From<Scene> for SceneWord {
    fn from(scene: Scene) -> Self {
        match scene {
            Scene::BarCode => Self::BarCode,
            Scene::WaveCode => Self::WaveCode,
            Scene::SecurityCode => Self::SecurityCode,
        }
    }
}

impl From<SceneWord> for Scene {
    fn from(word: SceneWord) -> Self {
        match word {
            SceneWord::BarCode => Self::BarCode,
            SceneWord::WaveCode => Self::WaveCode,
            SceneWord::SecurityCode => Self::SecurityCode,
        }
    }
}

impl Pay {
    /// A till's request, with the code in it. None when the order is no intent of a till.
    pub fn of(request: &PayRequest) -> Option<Self> {
        Some(Self {
            intent: request.order.as_str().parse().ok()?,
            amount: request.amount,
            subject: request.subject.clone(),
            pay_code: request.pay_code.expose().to_owned(),
            scene: request.scene.into(),
            expires_in_s: request.expires_in_s,
        })
    }

    /// The request that the wallet gets. None when the code is none.
    pub fn request(mut self, terminal: &str) -> Option<PayRequest> {
        Some(PayRequest {
            order: order(self.intent)?,
            amount: self.amount,
            subject: self.subject,
            pay_code: PayCode::new(std::mem::take(&mut self.pay_code)).ok()?,
            scene: self.scene.into(),
            terminal: terminal.to_owned(),
            store: None,
            expires_in_s: self.expires_in_s,
        })
    }
}

impl Precreate {
    /// A till's request. None when the order is no intent of a till.
    pub fn of(request: &PrecreateRequest) -> Option<Self> {
        Some(Self {
            intent: request.order.as_str().parse().ok()?,
            amount: request.amount,
            subject: request.subject.clone(),
            expires_in_s: request.expires_in_s,
        })
    }

    /// The request that the wallet gets.
    pub fn request(self, terminal: &str) -> Option<PrecreateRequest> {
        Some(PrecreateRequest {
            order: order(self.intent)?,
            amount: self.amount,
            subject: self.subject,
            terminal: terminal.to_owned(),
            store: None,
            expires_in_s: self.expires_in_s,
        })
    }
}

impl Refund {
    /// A till's request. None when its numbers are none of a till.
    pub fn of(request: &RefundRequest) -> Option<Self> {
        Some(Self {
            intent: request.order.as_str().parse().ok()?,
            refund: request.refund.as_str().parse().ok()?,
            amount: request.amount,
            reason: request.reason.clone(),
        })
    }

    /// The request that the wallet gets.
    pub fn request(self) -> Option<RefundRequest> {
        Some(RefundRequest {
            order: order(self.intent)?,
            refund: RefundNumber::parse(&self.refund.to_string()).ok()?,
            amount: self.amount,
            reason: self.reason,
        })
    }
}

/// An intent as a wallet knows it.
pub fn order(intent: IntentId) -> Option<OrderNumber> {
    OrderNumber::parse(&intent.to_string()).ok()
}
