//! Receipts as they come out, on wide and narrow paper, in each language.

use super::*;
use crate::bundle::Shop;
use crate::money::{Currency, Money};
use crate::receipt::{OriginalReceipt, Receipt, ReceiptLine, ReceiptTender};
use crate::record::body::{Paper, SaleKind};
use crate::record::line::{Quantity, Unit};
use crate::record::{Epoch, Mode};
use crate::tax::{TaxAmount, TaxIn, TaxRate};
use hardware::document::width::text_cells;
use hardware::document::{Item, Style};
use hardware::profile::Charset;
use proptest::prelude::*;

fn form(lang: Lang, columns: u8) -> Form {
    Form { lang, size: TypeSize::Normal, columns, codes: Codes::Qr }
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn item(name: &str, chinese: Option<&str>, quantity: &str, price: i64, amount: i64) -> ReceiptLine {
    ReceiptLine {
        name: name.to_owned(),
        name_zh: chinese.map(str::to_owned),
        quantity: quantity.to_owned(),
        unit: if quantity.contains('.') { Unit::Kilogram } else { Unit::Piece },
        net: None,
        price: yuan(price),
        amount: yuan(amount),
        modifiers: vec![],
        tax_code: "A".to_owned(),
    }
}

/// A receipt with one of everything.
fn cafe() -> Receipt {
    let mut latte = item("Caffè latte", Some("拿铁咖啡"), "2", 1800, 3600);
    latte.modifiers = vec![
        ("Oat milk".to_owned(), Some("燕麦奶".to_owned())),
        ("Extra shot".to_owned(), Some("加浓".to_owned())),
    ];
    let long = item(
        "Organic single origin coffee beans from Yunnan, medium roast",
        Some("云南单一产地有机中度烘焙咖啡豆礼盒装"),
        "1",
        12800,
        12800,
    );
    let mut weighed = item("Apples", None, "1.255", 999, 1254);
    weighed.tax_code = "B".to_owned();
    let rate = |code: &str, rate_ppm| TaxRate { code: code.to_owned(), rate_ppm, included: TaxIn::Price };
    Receipt {
        shop: Shop {
            name: "街角咖啡".to_owned(),
            address: vec!["上海市静安区南京西路1266号".to_owned(), "Tel 021 5555 0123".to_owned()],
            thanks: "谢谢惠顾 Thank you".to_owned(),
            issuer: 1,
        },
        terminal: "till-3".parse().unwrap(),
        station: Some("front".parse().unwrap()),
        kind: SaleKind::Sale,
        epoch: Epoch(0x9f3c_0000_0000_0001),
        number: 4217,
        at: "2026-11-22 12:51".to_owned(),
        cashier: "Mia".to_owned(),
        lines: vec![latte, long, weighed],
        subtotal: yuan(17654),
        discounts: vec![("Spend 100 save 10".to_owned(), Some("满100减10".to_owned()), yuan(1000))],
        total: yuan(16654),
        taxes: vec![
            TaxAmount { rate: rate("A", 60_000), base: yuan(14595), tax: yuan(876) },
            TaxAmount { rate: rate("B", 90_000), base: yuan(1085), tax: yuan(98) },
        ],
        tenders: vec![
            ReceiptTender {
                means: "alipay".to_owned(),
                amount: yuan(10000),
                trade: Some("2026112222001400001234567890".to_owned()),
                wallet_discount: Some(yuan(150)),
                balance: None,
            },
            ReceiptTender {
                means: "cash".to_owned(),
                amount: yuan(7000),
                trade: None,
                wallet_discount: None,
                balance: None,
            },
        ],
        change: Some(yuan(346)),
        given_back: vec![],
        member: Some("****ABCD".to_owned()),
        paper: Paper::Receipt,
        mode: Mode::Live,
        code: Some("R1.EXAMPLE".to_owned()),
        original: None,
    }
}

#[test]
fn a_pack_says_what_is_in_it() {
    let net = |value, unit| Some(Quantity { value, decimals: 3, unit });
    let pears = ReceiptLine { net: net(250, Unit::Kilogram), ..item("Pears", None, "1", 500, 500) };
    let juice = ReceiptLine { net: net(1_000, Unit::Litre), ..item("Juice", None, "2", 990, 1980) };
    let apples = item("Apples", None, "1.255", 999, 1254);
    let receipt = Receipt { lines: vec![pears, juice, apples], ..cafe() };
    let drawn = text(
        &layout(&receipt, Form { lang: Lang::En, size: TypeSize::Normal, columns: 42, codes: Codes::Qr }),
        42,
    );
    for words in ["0.250 kg", "2 x 9.90 (1.000 L)", "1.255 kg x 9.99"] {
        assert!(drawn.contains(words), "no {words} in\n{drawn}");
    }
}

/// Goods back against a sale, printed a second time.
fn refund() -> Receipt {
    let mut back = item("Caffè latte", Some("拿铁咖啡"), "1", 1800, -1800);
    back.tax_code = "A".to_owned();
    Receipt {
        kind: SaleKind::Refund,
        lines: vec![back],
        subtotal: yuan(-1800),
        discounts: vec![],
        total: yuan(-1800),
        taxes: vec![],
        tenders: vec![ReceiptTender {
            means: "wechat".to_owned(),
            amount: yuan(-1800),
            trade: None,
            wallet_discount: None,
            balance: None,
        }],
        change: None,
        member: None,
        paper: Paper::Copy(2),
        given_back: vec![],
        original: Some(OriginalReceipt {
            number: Some("9f3c-004211".to_owned()),
            at: Some("2026-11-21 18:03".to_owned()),
            tenders: vec![ReceiptTender {
                means: "wechat".to_owned(),
                amount: yuan(3600),
                trade: Some("4200001234202611211234567890".to_owned()),
                wallet_discount: None,
                balance: None,
            }],
        }),
        ..cafe()
    }
}

/// The same receipts in each language, on wide and narrow paper, in usual and in large type.
macro_rules! expected {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../tests/data/receipts/", $name, ".txt")))),*]
    };
}

#[test]
fn receipts_come_out_as_they_always_did() {
    let expected = expected![
        "en-42",
        "en-32",
        "zh-42",
        "zh-32",
        "both-42",
        "both-32",
        "en-42-large",
        "en-32-large",
        "zh-42-large",
        "zh-32-large",
        "both-42-large",
        "both-32-large",
        "refund-zh-32",
        "refund-both-42-large"
    ];
    for (name, expected) in expected {
        let words: Vec<&str> = name.split('-').collect();
        let receipt = if words[0] == "refund" { refund() } else { cafe() };
        let lang = match () {
            () if words.contains(&"en") => Lang::En,
            () if words.contains(&"zh") => Lang::ZhHans,
            () => Lang::Both,
        };
        let size = if words.contains(&"large") { TypeSize::Large } else { TypeSize::Normal };
        let columns = if words.contains(&"42") { 42 } else { 32 };
        let drawn = text(&layout(&receipt, Form { lang, size, columns, codes: Codes::Qr }), columns);
        assert_eq!(drawn, expected, "{name} now is:\n{drawn}");
    }
}

#[test]
fn a_receipt_that_was_kept_as_json_comes_out_the_same() {
    let kept: Receipt = serde_json::from_str(include_str!("../../tests/data/receipts/kept.json")).unwrap();
    assert_eq!(kept, cafe(), "{}", serde_json::to_string_pretty(&cafe()).unwrap());
}

/// Names as shops write them, and as nobody should.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9 ,.&%-]{1,60}",
        "[一-龥]{1,40}",
        "[a-z一-龥 ]{1,50}",
        "[a-z\u{300}\u{301}\u{308}é]{1,40}",
        "[\u{1f370}\u{2615}\u{fe0f}\u{200d}\u{1f468} a]{1,30}",
        "[\u{5d0}-\u{5ea}\u{627}-\u{64a} \u{202e}\u{2067}]{1,40}",
        "\\PC{1,60}",
        "[a\n\r\t\u{1b}\u{7}]{1,20}",
    ]
}

/// What must be found again of a text: all but blanks and what has no width or place of its own.
fn bare(text: &str) -> String {
    text.chars().filter_map(text::shown).filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_things_are_called_all_of_it_is_there_and_no_line_is_wider_than_the_paper(
        goods in prop::collection::vec((names(), prop::option::of(names()), 1_i64..999_999_999), 1..6),
        people in names(),
        columns in 24_u8..60,
        large in any::<bool>(),
        both in any::<bool>(),
    ) {
        let line = |(name, chinese, price): &(String, Option<String>, i64)| ReceiptLine {
            modifiers: vec![(people.clone(), None)],
            ..item(name, chinese.as_deref(), "2.500", *price, *price)
        };
        let receipt = Receipt { lines: goods.iter().map(line).collect(), cashier: people.clone(), ..cafe() };
        let lang = if both { Lang::Both } else { Lang::En };
        let size = if large { TypeSize::Large } else { TypeSize::Normal };
        let drawn = text(&layout(&receipt, Form { lang, size, columns, codes: Codes::Qr }), columns);
        for line in drawn.lines() {
            prop_assert!(text_cells(line, Charset::Cp437) <= usize::from(columns), "{line:?}\n{drawn}");
        }
        let all = bare(&drawn);
        for (name, chinese, price) in &goods {
            prop_assert!(drawn.contains(&yuan(*price).decimal()), "no {price} in\n{drawn}");
            if chinese.is_none() || !both {
                // An amount stands between a name's first line and the next one.
                let found = bare(name).chars().all(|c| all.contains(c));
                prop_assert!(found, "no {name:?} in\n{drawn}");
            }
        }
    }
}

#[test]
fn no_line_is_wider_than_its_paper() {
    for lang in [Lang::En, Lang::ZhHans, Lang::Both] {
        for (columns, size) in
            (24..=48).flat_map(|columns| [(columns, TypeSize::Normal), (columns, TypeSize::Large)])
        {
            for line in
                text(&layout(&cafe(), Form { lang, size, columns, codes: Codes::Qr }), columns).lines()
            {
                assert!(
                    text_cells(line, Charset::Cp437) <= usize::from(columns),
                    "{lang:?} {columns}: {line:?}"
                );
            }
        }
    }
}

#[test]
fn a_copy_and_a_training_receipt_say_so_at_both_ends() {
    let receipt = Receipt { paper: Paper::Copy(2), mode: Mode::Training, ..cafe() };
    for (lang, marks) in [
        (Lang::En, ["*** TRAINING ***", "*** COPY 2 ***"]),
        (Lang::ZhHans, ["*** 练习 ***", "*** 副本 COPY 2 ***"]),
    ] {
        let drawn = text(&layout(&receipt, form(lang, 32)), 32);
        let lines: Vec<&str> = drawn.lines().map(str::trim).collect();
        assert_eq!(lines[..2], marks);
        assert_eq!(lines[lines.len() - 3..lines.len() - 1], marks);
    }
    assert!(!text(&layout(&cafe(), form(Lang::Both, 42)), 42).contains("*** "));
}

#[test]
fn the_total_is_the_biggest_thing_that_fits() {
    let style = |total: i64, columns| {
        let document = layout(&Receipt { total: yuan(total), ..cafe() }, form(Lang::En, columns));
        let rows =
            document.items.iter().filter_map(|item| if let Item::Row(row) = item { Some(row) } else { None });
        let mut totals = rows.filter(|row| row.cells[0].text.starts_with("TOTAL"));
        totals.next().unwrap().cells[1].style
    };
    assert_eq!(style(1280, 32), Style::TITLE);
    assert_eq!(style(123_456_789, 32), Style::TITLE, "the amount, while its label is small");
    let huge = style(123_456_789_012_345, 32);
    assert!(!huge.wide && huge.tall);
}

#[test]
fn tax_on_top_stands_between_subtotal_and_total() {
    let mut receipt = cafe();
    receipt.discounts.clear();
    receipt.taxes = vec![TaxAmount {
        rate: TaxRate { code: "NY".to_owned(), rate_ppm: 88_750, included: TaxIn::OnTop },
        base: yuan(1000),
        tax: yuan(89),
    }];
    let drawn = text(&layout(&receipt, form(Lang::En, 42)), 42);
    let at = |word: &str| drawn.find(word).unwrap_or_else(|| panic!("no {word} in\n{drawn}"));
    assert!(at("Subtotal") < at("Tax NY 8.875%") && at("Tax NY 8.875%") < at("TOTAL CNY"));
}

#[test]
fn where_nothing_is_taxed_there_is_neither_a_table_nor_a_code() {
    let mut receipt = cafe();
    receipt.lines.truncate(1);
    receipt.taxes = vec![TaxAmount { rate: TaxRate::none(), base: yuan(3600), tax: yuan(0) }];
    let drawn = text(&layout(&receipt, form(Lang::En, 42)), 42);
    assert!(!drawn.contains("Rate"), "{drawn}");
    assert!(drawn.lines().any(|line| line.ends_with("36.00")), "{drawn}");
}

#[test]
fn a_long_code_gets_smaller_modules_so_that_it_fits_narrow_paper() {
    let dots = |length: usize| {
        let receipt = Receipt { code: Some("A".repeat(length)), ..cafe() };
        let items = layout(&receipt, form(Lang::En, 32)).items;
        let mut symbols =
            items.iter().filter_map(|item| if let Item::Qr(qr) = item { Some(qr) } else { None });
        symbols.next().unwrap().module_dots
    };
    assert_eq!((dots(154), dots(400)), (6, 4));
}

#[test]
fn the_codes_that_are_asked_for_stand_at_the_foot_and_every_printer_takes_them() {
    use hardware::profile::Profile;
    let receipt = Receipt { code: Some("R1.".to_owned() + &"A".repeat(148)), ..cafe() };
    let symbols = |codes, receipt: &Receipt| -> Vec<&str> {
        let document = layout(receipt, Form { codes, ..form(Lang::Both, 48) });
        let symbol = |item: &Item| match item {
            Item::Qr(_) => Some("qr"),
            Item::Barcode(bars) if bars.data == "N1.9F3C-004217" => Some("bars"),
            Item::Barcode(_) => Some("other bars"),
            Item::Line(_)
            | Item::Row(_)
            | Item::Rule
            | Item::Picture(_)
            | Item::Feed { .. }
            | Item::Cut(_)
            | Item::Drawer(_) => None,
        };
        document.items.iter().filter_map(symbol).collect()
    };
    for (codes, expected) in [
        (Codes::None, vec![]),
        (Codes::Qr, vec!["qr"]),
        (Codes::Bar, vec!["bars"]),
        (Codes::Both, vec!["qr", "bars"]),
    ] {
        assert_eq!(symbols(codes, &receipt), expected, "{codes:?}");
    }
    let practice = Receipt { mode: Mode::Training, code: None, ..cafe() };
    assert!(symbols(Codes::Both, &practice).is_empty(), "practice has no number in the books");
    for profile in Profile::list() {
        for number in [4217, 1_234_567] {
            let stock = Stock { codes: Codes::Both, ..Stock::new(profile) };
            let document = stock.document(&Receipt { number, ..receipt.clone() }, TypeSize::Normal);
            let encoded = hardware::printer::escpos::encode(&document, profile);
            assert!(encoded.is_ok(), "{}: {:?}", profile.name, encoded.err());
        }
    }
}

#[test]
fn the_larger_of_two_sizes_is_printed() {
    let profile = hardware::profile::Profile::by_name("generic-80mm").unwrap();
    let stock = |size| Stock { size, ..Stock::new(profile) };
    let large = stock(TypeSize::Large).document(&cafe(), TypeSize::Normal);
    assert_eq!(large, stock(TypeSize::Normal).document(&cafe(), TypeSize::Large));
    assert_ne!(large, stock(TypeSize::Normal).document(&cafe(), TypeSize::Normal));
    let ascii = Stock::new(hardware::profile::Profile::by_name("epson-tm-t88").unwrap());
    assert_eq!(ascii.lang(), Lang::En, "without Chinese characters");
}

#[test]
fn a_slip_with_a_code_says_what_is_asked_for_until_when_and_that_it_is_no_receipt() {
    let slip = crate::receipt::CodeSlip {
        shop: "Café 42".to_owned(),
        amount: yuan(2_800),
        text: "HTTPS://PAY.EXAMPLE/O/O1.ABC".to_owned(),
        wallet: None,
        until: "12:56".to_owned(),
    };
    let drawn = text(&code::code_slip(&slip, form(Lang::Both, 32)), 32);
    for part in [
        "Café 42",
        "扫码付款 Scan to pay",
        "28.00",
        "HTTPS://PAY.EXAMPLE/O/O1.ABC",
        "有效期至 Good until 12:56",
        "不是收据 Not a receipt",
    ] {
        assert!(drawn.contains(part), "{part} in\n{drawn}");
    }
    let wallet = crate::receipt::CodeSlip { wallet: Some("wechat"), ..slip };
    let drawn = text(&code::code_slip(&wallet, form(Lang::En, 42)), 42);
    assert!(drawn.contains("Scan to pay (WeChat Pay)") && !drawn.contains("扫"), "{drawn}");
}

#[test]
fn what_is_left_of_stored_value_stands_under_what_it_paid() {
    let mut receipt = cafe();
    receipt.tenders[0].balance = Some(yuan(4_600));
    let drawn = text(&layout(&receipt, form(Lang::En, 42)), 42);
    let balance = drawn.lines().find(|line| line.contains("Balance")).expect("a balance");
    assert!(balance.ends_with("46.00"), "{balance}");
}

#[test]
fn a_code_on_a_screen_is_a_symbol_with_its_margin_and_what_fits_none_is_not_drawn() {
    // ISO/IEC 18004, table 7: 195 alphanumeric characters at level L are version 6, 41 modules.
    let url = format!("HTTPS://P.EXAMPLE/O/O1.{}", "A".repeat(172));
    let drawn = svg(&url).unwrap();
    assert!(drawn.contains("viewBox=\"0 0 49 49\""), "{drawn}");
    // The finder pattern begins at the margin: seven dark modules in its first row, and none in the column after.
    for column in 4..11 {
        assert!(drawn.contains(&format!("M{column} 4h1")), "{column}");
    }
    assert!(!drawn.contains("M11 4h1") && !drawn.contains("M3 4h1"));
    assert_eq!(svg(&"x".repeat(2000)), None);
}
