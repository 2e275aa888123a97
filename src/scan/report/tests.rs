//! Reports against the vectors of GS1's engine, of labels and of pay codes, and at random.

use super::*;
use proptest::prelude::*;

const GS1: &str = include_str!("../../../tests/data/gs1.json");

fn today() -> Date {
    Date::new(2026, 11, 22).unwrap()
}

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(GS1).unwrap();
    all[section].as_array().unwrap().clone()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{vector} has no {name}"))
}

/// What is said of a scan that begins with its AIM identifier.
fn with_aim(scan: &str) -> Value {
    let (aim, data) = scan.split_at(3);
    said(data, Some(aim), &LabelProfile::usual(), Awaiting::Goods)
}

fn said(data: &str, aim: Option<&str>, labels: &[LabelProfile], awaiting: Awaiting) -> Value {
    let report = Report::of(data.as_bytes(), aim.map(str::as_bytes), labels, awaiting, today());
    serde_json::to_value(report).unwrap()
}

#[test]
fn what_gs1s_own_engine_accepts_is_read_and_what_it_refuses_is_an_error() {
    let vectors = vectors("gs1");
    assert_eq!(vectors.len(), 35);
    for vector in vectors {
        let input = text(&vector, "input");
        let got = match text(&vector, "via") {
            "ai" => said(input, None, &[], Awaiting::Goods),
            _ => with_aim(input),
        };
        // The engine knows no other symbols and no other addresses; the till does.
        let is_other = matches!(text(&vector, "id"), "GS1-019" | "GS1-021");
        if !vector["ok"].as_bool().unwrap() {
            let kind = if is_other { "text" } else { "error" };
            assert_eq!(got["kind"], kind, "{vector}\n{got}");
            assert_eq!(got["error"].is_string(), !is_other, "{got}");
            continue;
        }
        assert_ne!(got["kind"], "error", "{vector}\n{got}");
        let none = Value::Array(vec![]);
        assert_eq!(got.get("ais").unwrap_or(&none), &vector["ais"], "{vector}\n{got}");
        let gtin = vector.get("gtin14").or_else(|| vector["derived"].get("gtin14"));
        assert_eq!(got.get("gtin"), gtin, "{vector}\n{got}");
        for (name, value) in vector["derived"].as_object().into_iter().flatten() {
            let name = if name == "gtin14" { "gtin" } else { name };
            assert_eq!(&got[name], value, "{vector}\n{got}");
        }
    }
}

#[test]
fn in_store_labels_are_read_by_their_profile_only() {
    for vector in vectors("rcn") {
        let profile = text(&vector, "profile").split(':').next().unwrap();
        let input = text(&vector, "input");
        let by = |name: &str| said(input, None, &[LabelProfile::named(name).unwrap()], Awaiting::Goods);
        let got = match profile {
            "odoo 21.....{NNDDD}" => by("21.....{NNDDD}"),
            "CN13 price" => said(input, None, &LabelProfile::usual(), Awaiting::Goods),
            "CN18 (left-aligned 1,3 reading of \"EAN-13 method\")" => {
                assert_ne!(by("cn18")["kind"], "weighed");
                assert_eq!(by("cn18-left")["kind"], "weighed");
                continue;
            }
            "unknown prefix 29" => {
                let got = said(input, None, &LabelProfile::usual(), Awaiting::Goods);
                assert_eq!((&got["kind"], &got["gtin"]), (&json!("item"), &json!("02900001000000")));
                continue;
            }
            other => panic!("{other}"),
        };
        assert_eq!(got["kind"], "weighed", "{got}");
        for (name, value) in vector["expect"].as_object().unwrap() {
            assert_eq!(&got[name], value, "{vector}\n{got}");
        }
    }
}

#[test]
fn pay_codes_are_told_and_a_label_that_may_be_one_is_neither_sent_nor_sold() {
    for vector in vectors("paycodes") {
        let input = text(&vector, "input");
        let usual = LabelProfile::usual();
        let got = |awaiting| said(input, None, &usual, awaiting);
        let Some(expected) = vector["expect"].as_str() else {
            let (sale, tender) = (got(Awaiting::Goods), got(Awaiting::Money));
            assert_eq!((&sale["kind"], &tender["kind"]), (&json!("weighed"), &json!("error")));
            assert_eq!(sale["ambiguous"], tender["ambiguous"]);
            assert_eq!((&sale["plu"], &sale["weight_kg"]), (&json!("10001"), &json!("0.625")));
            assert_eq!(said(input, None, &[], Awaiting::Money)["kind"], "pay_code");
            continue;
        };
        for got in [got(Awaiting::Goods), got(Awaiting::Money)] {
            match expected.split(' ').next().unwrap() {
                "unknown" => assert_eq!(got["kind"], "text", "{vector}"),
                wallet => assert_eq!((&got["kind"], &got["wallet"]), (&json!("pay_code"), &json!(wallet))),
            }
        }
    }
}

#[test]
fn symbols_are_named_as_people_know_them() {
    for (scan, symbology) in [
        ("]E04006381333931", "EAN-13"),
        ("]E00036000291452", "UPC-A"),
        ("]E004252614", "UPC-E"),
        ("]E496385074", "EAN-8"),
        ("]C10109506000134352", "GS1-128"),
        ("]C0WAREHOUSE-17", "Code 128"),
        ("]e00109506000134352", "DataBar"),
        ("]d1热拿铁", "DataMatrix"),
        ("]Q1https://pay.example.cn/o/AB12", "QR"),
        ("]I114006381333938", "ITF"),
    ] {
        assert_eq!(with_aim(scan)["symbology"], symbology, "{scan}");
    }
    assert_eq!(with_aim("]X0123").get("symbology"), None);
}

#[test]
fn a_pack_says_its_dates_lot_and_serial() {
    let got = with_aim("]d201095060001343521526113010L42\u{1d}21S7");
    assert_eq!((&got["kind"], &got["expiry"]), (&json!("item"), &json!("2026-11-30")));
    assert_eq!(
        (&got["expiry_kind"], &got["lot"], &got["serial"]),
        (&json!("best_before"), &json!("L42"), &json!("S7"))
    );
    assert_eq!(with_aim("]C18018690123456789012346")["kind"], "member");
    assert_eq!(with_aim("]e02556901234567892000123")["kind"], "coupon");
    let desk = with_aim("]Q1https://shop.example.cn/414/6901234567892/254/DESK07");
    assert_eq!((&desk["kind"], &desk["desk"]), (&json!("desk"), &json!("DESK07")));
}

#[test]
fn card_schemes_codes_are_read_and_damaged_ones_refused() {
    let own =
        "00020101021138570010A00000072701270006970403011200110123456780208QRIBFTTA53037045802VN6304F4E5";
    let got = said(own, Some("]Q1"), &[], Awaiting::Money);
    assert_eq!(
        (&got["kind"], &got["emv"]["mode"], &got["emv"]["country"]),
        (&json!("emv"), &json!("merchant"), &json!("VN"))
    );
    assert_eq!(said(&own.replace("F4E5", "F4E6"), None, &[], Awaiting::Money)["kind"], "error");
    let customer = said("hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=", None, &[], Awaiting::Money);
    assert_eq!(
        (&customer["kind"], &customer["emv"]["application"]),
        (&json!("emv"), &json!("A0000000555555"))
    );
}

proptest! {
    #[test]
    fn every_scan_has_a_report_of_a_known_kind(
        data in proptest::collection::vec(any::<u8>(), 0..80),
        aim in proptest::option::of("\\][CEIQdeJX][0-4]"),
    ) {
        let report = Report::of(&data, aim.as_deref().map(str::as_bytes), &LabelProfile::all(), Awaiting::Goods, today());
        prop_assert_eq!(report.kind == "error", report.error.is_some());
        prop_assert!(serde_json::to_string(&report).is_ok());
    }
}

#[test]
fn the_bar_code_of_a_receipt_is_a_receipt_with_its_number() {
    let report = with_aim("]C0N1.9F3C-004217");
    assert_eq!((&report["kind"], &report["number"]), (&"receipt".into(), &"9f3c-004217".into()), "{report}");
    assert_eq!(with_aim("]C0N1.9F3C-4217")["kind"], "error");
}
