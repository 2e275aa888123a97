//! Packs with a weight, a price or a date on them, and digits that may be a label or a pay code.

use super::shop::PEARS;
use super::*;
use crate::record::line::{Line, LineId, PriceFrom, Quantity, Unit};

/// Eighteen digits: a label of pears with price and weight, and the form of an Alipay code.
const LABEL_OR_CODE: &str = "261000101250006257";
/// The same of something that is not sold here.
const STRANGE_LABEL_OR_CODE: &str = "269999901250006254";

fn grams(value: i64) -> Quantity {
    Quantity { value, decimals: 3, unit: Unit::Kilogram }
}

fn line_of(made: &[Record]) -> Line {
    let added = made.iter().rev().find_map(|record| match &record.body {
        Body::LineAdded { line } => Some(line.clone()),
        _ => None,
    });
    added.expect("a line")
}

#[test]
fn a_label_with_a_price_is_charged_by_its_price_and_keeps_its_weight() {
    let mut bench = TestTill::open();
    let line = line_of(&bench.scan("2110001005008").unwrap());
    assert_eq!((line.sku.as_deref(), line.price_from), (Some(PEARS), PriceFrom::Label));
    assert_eq!((line.quantity, line.price, line.net), (Quantity::pieces(1), fen(500), Some(grams(250))));
    let both = line_of(&bench.scan("211000101250006252").unwrap());
    assert_eq!((both.price, both.net), (fen(1_250), Some(grams(625))));
    assert_eq!(bench.front().total, fen(1_750));
}

#[test]
fn a_label_with_a_weight_is_charged_by_the_catalogues_price() {
    let mut bench = TestTill::open();
    let by_weight = line_of(&bench.scan("(01)96901234000019(3103)001250").unwrap());
    assert_eq!((by_weight.quantity, by_weight.price_from), (grams(1_250), PriceFrom::Catalogue));
    assert_eq!((by_weight.gross().unwrap(), by_weight.listed), (fen(2_500), Some(fen(2_000))));
    let fine = line_of(&bench.scan("(01)96901234000019(3105)012550").unwrap());
    assert_eq!(fine.quantity, grams(126), "rounded to the gram");
    let priced = line_of(&bench.scan("(01)96901234000019(3103)001250(3922)2599").unwrap());
    assert_eq!((priced.price, priced.net, priced.listed), (fen(2_599), Some(grams(1_250)), None));
    let one_decimal = line_of(&bench.scan("(01)96901234000019(3103)001250(3931)156260").unwrap());
    assert_eq!(one_decimal.price, fen(2_600));
    let piece = line_of(&bench.scan("(01)06901234567892(3103)000330").unwrap());
    assert_eq!((piece.quantity, piece.price, piece.net), (Quantity::pieces(1), fen(350), Some(grams(330))));
}

#[test]
fn dates_lots_and_serials_reach_the_sale() {
    let mut bench = TestTill::open();
    let line = line_of(&bench.scan("(01)06901234567892(17)261122(10)L42(21)S7").unwrap());
    assert_eq!(line.expiry.as_deref(), Some("2026-11-22"));
    assert_eq!((line.lot.as_deref(), line.serial.as_deref()), (Some("L42"), Some("S7")));
    assert_eq!(line.gtin.as_deref(), Some("06901234567892"));
    assert_eq!(bench.front().total, fen(350));
}

#[test]
fn a_pack_whose_date_has_passed_is_refused_with_the_date() {
    let mut bench = TestTill::open();
    for (more, says) in [
        ("(17)261121", "Use by 2026-11-21"),
        ("(16)261121", "Sell by 2026-11-21"),
        ("(15)261100", ""),
        ("(15)261000", "Best before 2026-10-31"),
        ("(7003)2611221159", "Use by 2026-11-22 11:59"),
        ("(7003)2611221201", ""),
    ] {
        let answer = bench.scan(&format!("(01)06901234567892{more}"));
        match answer {
            Ok(_) => assert!(says.is_empty(), "{more}"),
            Err(refusal) => {
                assert_eq!(refusal.code(), "expired");
                let words = refusal.to_string();
                assert!(!says.is_empty() && words.starts_with(says), "{more}: {words}");
                let chinese = crate::locales::told("expired", &words, crate::locales::Lang::ZhHans);
                assert!(chinese.contains("已过期") && chinese.contains("2026-1"), "{chinese}");
            }
        }
    }
    assert_eq!(bench.front().lines.len(), 2);
}

#[test]
fn what_cannot_be_sold_as_it_is_labelled_says_so_and_adds_nothing() {
    let mut bench = TestTill::open();
    for (scan, refusal) in [
        ("2199999005009", "unknown_item"),
        ("(01)09506000134352", "unknown_item"),
        ("(00)095212345432100003(02)06901234567892(37)12", "scan"),
        ("(255)6901234567892000123(3941)0100", "scan"),
        ("(8018)690123456789012346", "scan"),
        ("(415)6901234567892(8020)INV000123", "scan"),
        ("(414)6901234567892(254)d9", "desk"),
        ("(01)96901234000019(3103)001250(3932)8402599", "amount"),
        ("(01)96901234000019(3103)001250(3923)2599", "amount"),
        ("(01)96901234000019(3150)000001", "key"),
        ("(01)96901234000019(3100)001000", "quantity"),
        ("(01)96901234000019(3103)000000", "quantity"),
        ("(01)06901234567892(17)261332", "scan"),
        ("hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=", "scan"),
        (
            "00020101021138570010A00000072701270006970403011200110123456780208QRIBFTTA53037045802VN6304F4E5",
            "scan",
        ),
    ] {
        assert_eq!(word(&bench.scan(scan)), refusal, "{scan}: {:?}", bench.scan(scan).map(|_| ()));
    }
    assert!(!bench.has_front());
}

#[test]
fn digits_that_may_be_a_pay_code_are_a_label_in_the_basket_and_ask_once_the_total_is_fixed() {
    let mut bench = TestTill::open();
    assert_eq!(kinds(&bench.scan(LABEL_OR_CODE).unwrap()), ["sale_opened", "line_added"]);
    assert_eq!(word(&bench.scan(STRANGE_LABEL_OR_CODE)), "scan");
    bench.act(Act::Pay).unwrap();
    let refusal = bench.scan(LABEL_OR_CODE).unwrap_err();
    assert!(refusal.to_string().contains("new code"), "{refusal}");
    assert_eq!(bench.front().lines.len(), 1, "nothing added, nothing sent");
    assert!(bench.owed().is_empty());
    // Nothing with that number is sold here, so it is no label of this shop's.
    assert_eq!(kinds(&bench.scan(STRANGE_LABEL_OR_CODE).unwrap()), ["intent_drawn"]);
}

#[test]
fn no_scan_adds_a_line_once_the_total_is_fixed() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    bench.act(Act::Pay).unwrap();
    for scan in [COLA, "2110001005008", "211000101250006252", "(01)96901234000019(3103)001250", "10001"] {
        assert_eq!(word(&bench.scan(scan)), "total_is_fixed", "{scan}");
    }
    assert_eq!(bench.front().lines.len(), 1);
}

#[test]
fn a_number_in_the_catalogue_is_that_item_whatever_a_profile_makes_of_it() {
    let mut bench = TestTill::open();
    let line = line_of(&bench.scan("2010009012346").unwrap());
    assert_eq!((line.sku.as_deref(), line.price, line.id), (Some("bread"), fen(600), LineId(1)));
}
