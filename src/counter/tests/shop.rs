//! The shop around the bench: what it sells, its offers, desks and campaigns, and who signs its coupons.

use super::fen;
use crate::bundle::{Bundle, Campaign, CampaignState, Content, Desk, Shop};
use crate::catalogue::{Item, MenuKey};
use crate::keys::DeviceKey;
use crate::limits::Limits;
use crate::money::{Currency, Money};
use crate::offer::{Funder, Offer, Rule};
use crate::record::line::{Modifier, Unit};
use crate::record::money_moves::CouponTerms;
use crate::tax::{TaxIn, TaxRate};
use crate::token::{
    Coupon, Issued, Key, KeySet, Purpose, Revocation, Validity, Voucher, Worth, assemble, issued_payload,
    signing_input,
};
use std::sync::LazyLock;

/// Noon of 22 November 2026 in Shanghai.
pub(super) const NOW_S: i64 = 1_795_320_000;

/// The shop's number as an issuer.
const ISSUER: u16 = 42;

/// A coupon of this serial was withdrawn.
pub(super) const WITHDRAWN: u64 = 666;

/// Pears by the kilogram: their number on the scale.
pub(super) const PEARS: &str = "10001";

/// The shop's bundle, read once for all benches.
pub(super) fn bundle() -> Bundle {
    static BUNDLE: LazyLock<Bundle> = LazyLock::new(published);
    BUNDLE.clone()
}

fn published() -> Bundle {
    let content = Content {
        version: 3,
        issued_at_s: 1_795_000_000,
        shop: Shop { name: "Café 42".to_owned(), address: vec![], thanks: String::new(), issuer: ISSUER },
        currency: Currency::CNY,
        time_zone: "Asia/Shanghai".to_owned(),
        day_cut_minutes: 240,
        items: items(),
        menu: vec![
            MenuKey { page: "Coffee".to_owned(), row: 1, column: 1, sku: "latte".to_owned() },
            MenuKey { page: "Coffee".to_owned(), row: 1, column: 2, sku: "cake".to_owned() },
        ],
        offers: vec![Offer {
            id: "hundred".to_owned(),
            name: "Spend 100, save 10".to_owned(),
            name_zh: Some("满100减10".to_owned()),
            campaign: None,
            funder: Funder::Merchant,
            from_s: 0,
            until_s: u64::MAX,
            rule: Rule::SpendSave { spend: fen(10_000), save: fen(1_000) },
        }],
        campaigns: vec![
            campaign(7, CampaignState::Running, None, Some(CouponTerms::AmountOff(fen(500)))),
            campaign(8, CampaignState::Stopped, None, Some(CouponTerms::AmountOff(fen(500)))),
            campaign(9, CampaignState::Running, Some(fen(5_000)), None),
            campaign(10, CampaignState::Running, None, Some(CouponTerms::AmountOff(yen(5)))),
            campaign(11, CampaignState::Running, Some(yen(5)), None),
        ],
        desks: ["d1", "d2"].map(|id| Desk { id: id.parse().unwrap(), name: format!("Desk {id}") }).to_vec(),
        keys: serde_json::Value::Null,
        revoked_serials: vec![
            coupon_of(WITHDRAWN, 7).serial().to_string(),
            voucher_of(WITHDRAWN, 1).serial().to_string(),
        ],
        limits: Limits::default(),
        labels: None,
    };
    Bundle::open(&serde_json::to_vec(&content).unwrap()).unwrap()
}

fn yen(minor: i64) -> Money {
    Money::new(minor, Currency::JPY)
}

fn items() -> Vec<Item> {
    let item = |sku: &str, gtins: &[&str], price: Option<i64>, rate_ppm: i64| Item {
        sku: sku.to_owned(),
        name: sku.to_owned(),
        name_zh: None,
        gtins: gtins.iter().map(|gtin| (*gtin).to_owned()).collect(),
        price: price.map(fen),
        unit: Unit::Piece,
        tax: TaxRate { code: "A".to_owned(), rate_ppm, included: TaxIn::Price },
        least_age: None,
        modifiers: vec![],
    };
    let modifier = |id: &str, price: i64| Modifier {
        id: id.to_owned(),
        name: id.to_owned(),
        name_zh: None,
        price: fen(price),
    };
    let latte = Item {
        modifiers: vec![modifier("oat", 400), modifier("shot", 500)],
        ..item("latte", &[], Some(2_800), 60_000)
    };
    let pears = Item { unit: Unit::Kilogram, ..item(PEARS, &["96901234000019"], Some(2_000), 90_000) };
    let apples = Item { unit: Unit::Kilogram, ..item("apples", &[], Some(998), 90_000) };
    vec![
        item("cola", &["06901234567892"], Some(350), 130_000),
        item("wine", &[], Some(10_000), 130_000),
        item("cake", &[], None, 60_000),
        latte,
        apples,
        pears,
        item("bread", &["02010009012346"], Some(600), 90_000),
    ]
}

fn campaign(
    number: u32,
    state: CampaignState,
    minimum: Option<Money>,
    terms: Option<CouponTerms>,
) -> Campaign {
    Campaign { number, name: format!("Campaign {number}"), name_zh: None, minimum, terms, quota: None, state }
}

fn signer(seed: u8) -> DeviceKey {
    DeviceKey::from_seed(&[seed; 32]).unwrap()
}

pub(super) fn keys() -> KeySet {
    let mut keys = KeySet::new(1, 0, i64::MAX);
    for (purpose, seed) in [(Purpose::Coupon, 1), (Purpose::Proof, PROOFS), (Purpose::Voucher, VOUCHERS)] {
        keys.insert(Key {
            purpose,
            public_key: signer(seed).public(),
            not_before: 0,
            not_after: i64::MAX,
            revoked: Revocation::Good,
        });
    }
    keys
}

/// Seeds of the cloud's keys for proofs and vouchers.
pub(super) const PROOFS: u8 = 3;
pub(super) const VOUCHERS: u8 = 4;

/// A code of the cloud under one key's number, signed with another key where they differ.
pub(super) fn issued<T: Issued>(token: &T, key: u8, signing: u8) -> String {
    let payload = issued_payload(token, signer(key).key_id()).unwrap();
    let signature = signer(signing).sign(&signing_input(T::KIND, &payload));
    assemble(T::KIND, &payload, &signature)
}

/// A voucher of this shop, good for a day.
pub(super) fn voucher_of(serial: u64, value: i64) -> Voucher {
    let validity = Validity::covering(NOW_S - 3_600, NOW_S + 86_400).unwrap();
    Voucher { issuer: ISSUER, serial, validity, value: fen(value) }
}

/// Its text.
pub(super) fn voucher(serial: u64, value: i64) -> String {
    issued(&voucher_of(serial, value), VOUCHERS, VOUCHERS)
}

/// A coupon of this shop, good for a day, worth what its campaign says.
pub(super) fn coupon_of(serial: u64, campaign: u32) -> Coupon {
    let validity = Validity::covering(NOW_S - 3_600, NOW_S + 86_400).unwrap();
    Coupon { issuer: ISSUER, serial, campaign, validity, worth: Worth::ByCampaign }
}

/// A coupon's text, signed by the shop's key.
pub(super) fn signed(coupon: &Coupon) -> String {
    signed_by(1, coupon)
}

/// A coupon's text under the shop's key number, signed with the key of another seed.
pub(super) fn forged(coupon: &Coupon) -> String {
    signed_by(2, coupon)
}

fn signed_by(seed: u8, coupon: &Coupon) -> String {
    issued(coupon, 1, seed)
}

/// The text of coupon `serial` of campaign 7: five off.
pub(super) fn five_off(serial: u64) -> String {
    signed(&coupon_of(serial, 7))
}
