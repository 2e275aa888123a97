//! A receipt says what the sale's records say, no more and no less.

use super::*;
use crate::offer::{Discount, Funder};
use crate::record::body::{LineTotal, Paper, Place, SaleKind, TypeSize};
use crate::record::ids::{IntentId, RefundId, SaleId};
use crate::record::line::{Line, LineId, LineKind, Modifier, PriceFrom, Quantity};
use crate::record::money_moves::{Carrier, Heard, ProvenBy, Settled};
use crate::record::{Epoch, Mode};
use crate::sale::{Cash, Fixed, Issued, Refund};
use crate::tax::{TaxAmount, TaxIn, TaxRate, Taxed};
use crate::view::LineState;

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn vat() -> TaxRate {
    TaxRate { code: "A".to_owned(), rate_ppm: 60_000, included: TaxIn::Price }
}

fn line(id: u32, pieces: i64, price: i64) -> Line {
    Line {
        id: LineId(id),
        kind: LineKind::Goods,
        sku: None,
        gtin: None,
        name: format!("Item {id}"),
        name_zh: Some(format!("物品{id}")),
        quantity: Quantity::pieces(pieces),
        listed: None,
        price: yuan(price),
        price_from: PriceFrom::Catalogue,
        override_reason: None,
        modifiers: vec![Modifier {
            id: "oat".to_owned(),
            name: "Oat milk".to_owned(),
            name_zh: None,
            price: yuan(0),
        }],
        tax: vat(),
        linked: None,
        least_age: None,
        lot: None,
        expiry: None,
        serial: None,
        net: None,
    }
}

fn wallet(state: IntentState, amount: i64, platform: i64) -> Intent {
    Intent {
        id: IntentId([u8::try_from(amount % 251).unwrap(); 16]),
        provider: ProviderName::Alipay,
        amount: yuan(amount),
        carrier: Carrier::PayCode { keyed_hash: String::new() },
        drawn: Moment::default(),
        settle_by: Moment::default().after_ms(0),
        state,
        settled: Some(Settled {
            trade: "2026112222001400001234567890".to_owned(),
            total: yuan(amount),
            received: yuan(amount),
            buyer_paid: yuan(amount - platform),
            invoice: yuan(amount - platform),
            merchant_funded: yuan(0),
            platform_funded: yuan(platform),
            buyer: None,
            proof: None,
            balance: None,
            wallet: None,
            funds: vec![],
            vouchers: vec![],
            proven_by: ProvenBy::Notice,
        }),
        words: String::new(),
        advice: None,
        left: None,
        code: None,
        given_up: None,
        heard: Heard::ByTheCloud,
        mistyped: 0,
    }
}

/// Two lines of 24.00 that count and one that was voided; 4.00 came off; 20.00 by wallet, 4.00 less
/// change in cash.
fn sale() -> Sale {
    let at = Moment {
        wall_ms: "2026-11-22T16:59:30+00:00".parse::<Timestamp>().unwrap().as_millisecond(),
        ..Moment::default()
    };
    let total = |id: u32, gross: i64| LineTotal {
        line: LineId(id),
        gross: yuan(gross),
        discount: yuan(0),
        taxed: none(),
    };
    Sale {
        id: SaleId([1; 16]),
        kind: SaleKind::Sale,
        station: "front".parse().unwrap(),
        place: Place::Front,
        opened: Moment::default(),
        mode: Mode::Live,
        version: 9,
        staff: None,
        lines: vec![
            (line(1, 2, 600), LineState::Sold),
            (line(2, 1, 999), LineState::Void),
            (line(3, 1, 1600), LineState::Sold),
        ],
        coupons: vec![],
        vouchers: vec![],
        member_proof: None,
        member: Some("MEMBERABCD".to_owned()),
        part: None,
        back: crate::sale::Back::default(),
        acknowledged: None,
        fixed: Some(Fixed {
            lines: vec![total(1, 1200), total(3, 1600)],
            discounts: vec![Discount {
                offer: "spend-20".to_owned(),
                campaign: None,
                lease: None,
                serial: None,
                name: "Spend 20 save 4".to_owned(),
                name_zh: Some("满20减4".to_owned()),
                funder: Funder::Merchant,
                amount: yuan(400),
                shares: vec![],
            }],
            taxes: vec![TaxAmount { rate: vat(), base: yuan(2264), tax: yuan(136) }],
            total: yuan(2400),
        }),
        intents: vec![wallet(IntentState::Declined, 2400, 0), wallet(IntentState::Approved, 2000, 150)],
        cash: vec![Cash { received: yuan(1000), change: yuan(600) }],
        refunds: vec![],
        receipt: Some(Issued { number: 4217, at, epoch: Epoch(0x9f3c_0000_0000_0001) }),
        copies: 0,
        size: TypeSize::Normal,
        void: None,
        frozen: false,
    }
}

fn none() -> Taxed {
    Taxed { base: yuan(0), tax: yuan(0) }
}

fn bundle() -> Bundle {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let mut bundle = Bundle::empty(Currency::CNY, zone, "Asia/Shanghai", 240);
    bundle.content.shop.name = "Corner Store".to_owned();
    bundle
}

fn about() -> ReceiptAbout {
    ReceiptAbout {
        terminal: "till-3".parse().unwrap(),
        cashier: "Mia".to_owned(),
        paper: Paper::Receipt,
        code: Some("R1.ABC".to_owned()),
        original: None,
    }
}

#[test]
fn lines_that_count_stand_on_it_and_voided_ones_do_not() {
    let receipt = Receipt::of(&sale(), &bundle(), about()).unwrap();
    let lines: Vec<_> = receipt
        .lines
        .iter()
        .map(|line| (line.name.as_str(), line.quantity.as_str(), line.amount.minor))
        .collect();
    assert_eq!(lines, [("Item 1", "2", 1200), ("Item 3", "1", 1600)]);
    assert_eq!(receipt.lines[0].modifiers, [("Oat milk".to_owned(), None)]);
    assert_eq!((receipt.subtotal, receipt.total), (yuan(2800), yuan(2400)));
    assert_eq!(receipt.discounts[0].2, yuan(400));
}

#[test]
fn only_money_that_moved_stands_on_it() {
    let receipt = Receipt::of(&sale(), &bundle(), about()).unwrap();
    let tenders: Vec<_> =
        receipt.tenders.iter().map(|tender| (tender.means.as_str(), tender.amount.minor)).collect();
    assert_eq!(tenders, [("alipay", 2000), ("cash", 1000)]);
    assert_eq!(receipt.tenders[0].wallet_discount, Some(yuan(150)));
    assert_eq!(receipt.tenders[0].trade.as_deref(), Some("2026112222001400001234567890"));
    assert_eq!(receipt.change, Some(yuan(600)));
    let exact = Sale { cash: vec![], ..sale() };
    assert_eq!(Receipt::of(&exact, &bundle(), about()).unwrap().change, None);
}

#[test]
fn money_that_went_back_stands_on_it_and_money_that_never_counted_does_not() {
    let refund = |number: u8, of: &Intent, state| Refund {
        id: RefundId([number; 16]),
        intent: of.id,
        amount: yuan(300),
        why: "a cup broke".to_owned(),
        state,
    };
    let mut sale = sale();
    let late = wallet(IntentState::PaidLate, 1900, 0);
    let paid = sale.intents[1].clone();
    sale.refunds = vec![
        refund(1, &paid, RefundState::Done),
        refund(2, &paid, RefundState::Drawn),
        refund(3, &late, RefundState::Done),
    ];
    sale.intents.push(late);
    let receipt = Receipt::of(&sale, &bundle(), about()).unwrap();
    let back: Vec<_> =
        receipt.given_back.iter().map(|back| (back.means.as_str(), back.amount.minor)).collect();
    assert_eq!(back, [("alipay", 300)]);
}

#[test]
fn a_receipt_that_was_kept_before_stations_and_units_is_still_read() {
    let receipt = Receipt::of(&sale(), &bundle(), about()).unwrap();
    let mut kept = serde_json::to_value(&receipt).unwrap();
    for key in ["station", "kind", "given_back"] {
        assert!(kept.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    }
    for line in kept["lines"].as_array_mut().unwrap() {
        line.as_object_mut().unwrap().remove("unit").unwrap();
    }
    assert_eq!(serde_json::from_value::<Receipt>(kept).unwrap(), Receipt { station: None, ..receipt });
}

#[test]
fn it_says_the_shops_own_time_and_its_series() {
    let receipt = Receipt::of(&sale(), &bundle(), about()).unwrap();
    assert_eq!(receipt.at, "2026-11-23 00:59");
    assert_eq!(receipt.numbered(), "9f3c-004217");
}

#[test]
fn a_member_is_recognised_by_the_last_characters_alone() {
    let receipt = Receipt::of(&sale(), &bundle(), about()).unwrap();
    assert_eq!(receipt.member.as_deref(), Some("****ABCD"));
    assert_eq!(masked("M1"), "****M1");
}

#[test]
fn a_sale_without_a_number_has_no_receipt() {
    let unpaid = Sale { receipt: None, ..sale() };
    assert_eq!(Receipt::of(&unpaid, &bundle(), about()), None);
}
