//! Slips as they come out, and what is said about wrong ones.

use super::*;
use crate::paper::{Codes, Lang, text};
use serde_json::{Value, json};

fn sample() -> Value {
    serde_json::from_str(Slip::sample()).unwrap()
}

fn drawn(value: &Value, lang: Lang, size: TypeSize, columns: u8) -> String {
    let slip = Slip::read(value).unwrap();
    text(&slip.layout(Form { lang, size, columns, codes: Codes::Qr }), columns)
}

fn wrong(change: impl FnOnce(&mut Value)) -> String {
    let mut value = sample();
    change(&mut value);
    Slip::read(&value).unwrap_err().to_string()
}

#[test]
fn the_sample_is_the_receipt_that_everything_is_measured_on() {
    let measured: Value =
        serde_json::from_str(include_str!("../../../tests/data/reference_receipt.json")).unwrap();
    assert_eq!(sample(), measured);
}

#[test]
fn columns_are_those_that_are_asked_for_where_the_paper_is_as_wide() {
    let drawn = drawn(&sample(), Lang::En, TypeSize::Normal, 42);
    for line in [
        "Milk 1L                        2      2.40",
        "Coffee beans 250g              1      5.95",
        "Subtotal                             12.80",
        "VAT 20%                               2.13",
        "TOTAL                                12.80",
    ] {
        assert!(drawn.lines().any(|found| found == line), "no {line:?} in\n{drawn}");
    }
}

#[test]
fn narrow_paper_is_laid_out_anew_and_nothing_is_cut_off() {
    let mut value = sample();
    value["items"][1][0] = json!("Bread wholemeal, sliced, from the bakery next door");
    let drawn = drawn(&value, Lang::En, TypeSize::Normal, 32);
    let lines: Vec<&str> = drawn.lines().collect();
    assert!(lines.contains(&"Milk 1L                  2  2.40"), "{drawn}");
    assert!(lines.contains(&"Bread wholemeal,         1  1.85"), "{drawn}");
    assert!(lines.contains(&"TOTAL                      12.80"), "{drawn}");
}

#[test]
fn a_quantity_that_needs_the_room_gets_the_name_lines_of_its_own() {
    let mut value = sample();
    value["items"] = json!([["有机苹果 Organic apples", "12.250 kg x 1,009.90", "12,371.28"]]);
    let drawn = drawn(&value, Lang::En, TypeSize::Normal, 32);
    let expected = "有机苹果 Organic apples\n12.250 kg x 1,009.90   12,371.28\n";
    assert!(drawn.contains(expected), "{drawn}");
}

#[test]
fn labels_follow_the_language_and_names_stay() {
    let chinese = drawn(&sample(), Lang::ZhHans, TypeSize::Normal, 42);
    for words in ["小计", "增值税 20%", "合计", "谢谢惠顾", "Milk 1L", "Till 3"] {
        assert!(chinese.contains(words), "no {words} in\n{chinese}");
    }
    assert!(!chinese.contains("TOTAL"), "{chinese}");
    let both = drawn(&sample(), Lang::Both, TypeSize::Normal, 32);
    assert!(both.contains("合计 TOTAL") && both.contains("增值税 VAT 20%"), "{both}");
}

#[test]
fn large_type_says_all_of_it() {
    for columns in [32, 42, 48] {
        let large = drawn(&sample(), Lang::Both, TypeSize::Large, columns);
        for words in ["Milk 1L", "x 2", "2.40", "Coffee beans", "5.95", "增值税 VAT 20%", "2.13", "12.80"]
        {
            assert!(large.contains(words), "no {words} at {columns} in\n{large}");
        }
    }
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    for (found, expected) in [
        (
            wrong(|slip| slip["items"][2][2] = json!(2.3)),
            "items[2][2]: write the amount in quotes, such as \"2.3\"",
        ),
        (
            wrong(|slip| slip["items"][2] = json!(["Bag"])),
            "items[2]: 1 entries where name, quantity and amount belong",
        ),
        (wrong(|slip| slip["totals"] = json!("12.80")), "totals: write a list"),
        (
            wrong(|slip| slip["itmes"] = json!([])),
            "the receipt: \"itmes\" is no key of it; its keys are note, title",
        ),
        (
            wrong(|slip| slip["item_columns"] = json!("wide")),
            "item_columns: write each column's name, cells and side",
        ),
        (wrong(|slip| slip["title"]["style"] = json!("blinking")), "title.style: \"blinking\" is no style"),
        (wrong(|slip| slip["drawer"]["pin"] = json!(3)), "drawer.pin: write 2 or 5"),
        (
            wrong(|slip| slip["drawer"]["on_ms"] = json!(1000)),
            "drawer.on_ms: write whole milliseconds, 2 to 510",
        ),
        (wrong(|slip| *slip = json!([])), "the receipt: write an object"),
    ] {
        assert!(found.starts_with(expected), "{found:?} should begin with {expected:?}");
    }
}

#[test]
fn what_is_left_out_is_not_printed() {
    let bare = json!({ "items": [["Tea", 1, "3.00"]] });
    assert_eq!(drawn(&bare, Lang::En, TypeSize::Normal, 42).lines().next().unwrap().trim_end().len(), 42);
}
