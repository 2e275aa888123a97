//! What scans are taken for: a table, the wallets' vectors, and bytes drawn at random.

use super::*;
use crate::token::{Kind, Order, TerminalTag, order_url};
use proptest::prelude::*;

/// Classification vectors: code, and what it is in words.
const AUTH_CODES: &str = include_str!("../../tests/data/auth_codes.json");
/// A label of a counter scale which has the shape of an Alipay code as well.
const LABEL_OR_ALIPAY: &str = "261000101250006257";

fn item(digits: &str) -> Scanned {
    Scanned::Item(digits.parse().unwrap())
}

fn wallet(scanned: &Scanned) -> Option<(Wallet, Scene)> {
    let Scanned::PayCode(code) = scanned else { return None };
    Some((code.wallet(), code.scene()))
}

fn plain(text: &str) -> Scanned {
    read(text.as_bytes(), None)
}

fn with_aim(aim: &str, text: &str) -> Scanned {
    read(text.as_bytes(), Some(aim.as_bytes()))
}

fn read(data: &[u8], aim: Option<&[u8]>) -> Scanned {
    classify(data, aim, &LabelProfile::usual())
}

#[test]
fn the_vectors_of_pay_codes_are_classified_as_they_say() {
    let rows: Vec<(String, String)> = serde_json::from_str(AUTH_CODES).unwrap();
    assert_eq!(rows.len(), 13);
    for (code, said) in rows {
        let scanned = plain(&code);
        let expected = match said.split([' ', '(']).next().unwrap() {
            "alipay" if said.contains("security_code") => Some((Wallet::Alipay, Scene::SecurityCode)),
            "alipay" => Some((Wallet::Alipay, Scene::BarCode)),
            "wechat" => Some((Wallet::WeChat, Scene::BarCode)),
            "unionpay" => Some((Wallet::UnionPay, Scene::BarCode)),
            "invalid" => {
                assert_eq!(scanned, Scanned::Text(code.clone()));
                None
            }
            "emv-cpm" => {
                assert!(matches!(scanned, Scanned::Emv(Emv::Consumer(_))));
                None
            }
            other => panic!("a vector says {other:?}"),
        };
        assert_eq!(wallet(&scanned), expected, "{said}");
    }
}

#[test]
fn the_borders_of_each_wallets_rule_hold() {
    let alipay = Some((Wallet::Alipay, Scene::BarCode));
    assert_eq!(wallet(&plain("28763443825664394")), alipay);
    assert_eq!(wallet(&plain("134567890123456789")), Some((Wallet::WeChat, Scene::BarCode)));
    assert_eq!(wallet(&plain("6212345678901234567")), Some((Wallet::UnionPay, Scene::BarCode)));
    let face = "fp".to_owned() + &"0".repeat(33);
    assert_eq!(wallet(&plain(&face)), Some((Wallet::Alipay, Scene::SecurityCode)));
    for (prefix, digits) in [("25", 16), ("30", 16), ("25", 24), ("30", 24)] {
        assert_eq!(wallet(&plain(&format!("{prefix}{}", "7".repeat(digits - 2)))), alipay);
    }
    for (prefix, digits) in
        [("24", 17), ("31", 17), ("25", 15), ("25", 25), ("10", 17), ("10", 19), ("62", 20)]
    {
        let code = format!("{prefix}{}", "7".repeat(digits - 2));
        assert_eq!(plain(&code), Scanned::Text(code.clone()));
    }
    assert_eq!(plain("163456789012345678"), Scanned::Text("163456789012345678".to_owned()));
}

#[test]
fn a_scale_label_that_looks_like_a_pay_code_is_left_to_the_sale() {
    let pay_code = PayCode::read(LABEL_OR_ALIPAY).unwrap();
    let label = LabelProfile::named("cn18").unwrap().read(LABEL_OR_ALIPAY).unwrap();
    let either =
        Scanned::Ambiguous(Ambiguous::PayCodeOrLabel { pay_code: pay_code.clone(), label: label.clone() });
    assert_eq!(plain(LABEL_OR_ALIPAY), either);
    assert_eq!(with_aim("]C0", LABEL_OR_ALIPAY), either);
    // A scale prints no QR code, and no phone shows an interleaved two of five.
    assert_eq!(with_aim("]Q1", LABEL_OR_ALIPAY), Scanned::PayCode(pay_code.clone()));
    assert_eq!(with_aim("]I0", LABEL_OR_ALIPAY), Scanned::Weighed(label));
    // A shop whose scales print no such labels says so.
    assert_eq!(classify(LABEL_OR_ALIPAY.as_bytes(), None, &[]), Scanned::PayCode(pay_code));
}

#[test]
fn labels_are_read_by_the_first_profile_that_fits_and_nothing_is_guessed() {
    let label = |scanned: Scanned| {
        let Scanned::Weighed(label) = scanned else { panic!("{scanned:?}") };
        (label.profile, label.plu)
    };
    let price = ("cn13-price".to_owned(), "10001".to_owned());
    for aim in [None, Some(&b"]E0"[..]), Some(b"]C0"), Some(b"]X0")] {
        assert_eq!(label(read(b"2110001005008", aim)), price);
        assert_eq!(read(b"2900001000000", aim), item("2900001000000"));
        assert_eq!(
            read(b"2110001000003", aim),
            item("2110001000003"),
            "zeros for its price: the item itself"
        );
    }
    assert_eq!(with_aim("]Q1", "2110001005008"), item("2110001005008"));
    assert_eq!(label(plain("211000100500501004")).0, "cn18");
    let weight_first: Vec<_> = ["kg13", "cn13-price"].map(|name| LabelProfile::named(name).unwrap()).to_vec();
    assert_eq!(label(classify(b"2110001005008", None, &weight_first)).0, "kg13");
}

#[test]
fn items_are_known_by_every_form_of_their_number() {
    for (aim, text, gtin) in [
        ("]E0", "4006381333931", "4006381333931"),
        ("E0", "4006381333931", "4006381333931"),
        ("]E0", "0036000291452", "036000291452"),
        ("]E0", "04252614", "042100005264"),
        ("]E4", "96385074", "96385074"),
        ("]I1", "14006381333938", "14006381333938"),
        ("]C0", "4006381333931", "4006381333931"),
        ("]Q1", "4006381333931", "4006381333931"),
    ] {
        assert_eq!(with_aim(aim, text), item(gtin), "{aim} {text}");
    }
    for (text, number, beside) in [
        ("400638133393112", "4006381333931", "12"),
        ("400638133393112345", "4006381333931", "12345"),
        ("03600029145212", "036000291452", "12"),
        ("0425261412", "042100005264", "12"),
    ] {
        let gtin = number.parse().unwrap();
        assert_eq!(with_aim("]E3", text), Scanned::ItemWithAddOn { gtin, add_on: beside.to_owned() });
    }
    for (text, gtin) in [
        ("4006381333931", "4006381333931"),
        (" 4006381333931 ", "4006381333931"),
        ("036000291452", "0036000291452"),
        ("14006381333938", "14006381333938"),
        ("96385074", "96385074"),
        ("04252614", "042100005264"),
    ] {
        assert_eq!(plain(text), item(gtin), "{text}");
    }
}

#[test]
fn eight_digits_with_two_readings_are_left_to_the_catalogue() {
    let both = (0..100_000)
        .map(|n| format!("0{n:07}"))
        .find(|text| text.parse::<Gtin>().is_ok() && Gtin::of_upc_e(text).is_ok())
        .unwrap();
    let (ean_8, upc_e) = (both.parse().unwrap(), Gtin::of_upc_e(&both).unwrap());
    assert_eq!(plain(&both), Scanned::Ambiguous(Ambiguous::TwoItems { ean_8, upc_e }));
    assert_eq!(with_aim("]E4", &both), Scanned::Item(ean_8));
    assert_eq!(with_aim("]E0", &both), Scanned::Item(upc_e));
}

#[test]
fn a_bad_check_digit_says_what_to_do_and_keeps_the_text() {
    for aim in [None, Some(b"]E0".as_slice())] {
        let Scanned::Misread { text, why } = read(b"4006381333932", aim) else { panic!("a bad check digit") };
        assert_eq!(text, "4006381333932");
        assert!(why.to_string().contains("scan or type it again"), "{why}");
    }
    // Code 128 has its own checksum: this is a number of the shop's own.
    assert_eq!(with_aim("]C0", "4006381333932"), Scanned::Text("4006381333932".to_owned()));
}

#[test]
fn what_nobody_can_read_is_garbage_and_says_why() {
    let long = "A".repeat(SCAN_MAX_BYTES + 1);
    for (bytes, why) in [
        (b"".as_slice(), Garbage::Empty),
        (b"   ", Garbage::Empty),
        (b"\xff\xfe", Garbage::NotText),
        (b"40063\x0081333931", Garbage::ControlBytes),
        (b"abc\x1b[2J", Garbage::ControlBytes),
        ("a\u{85}b".as_bytes(), Garbage::ControlBytes),
        (long.as_bytes(), Garbage::TooLong),
    ] {
        assert_eq!(read(bytes, None), Scanned::Garbage(why));
    }
}

#[test]
fn gs1_data_is_read_wherever_it_is_sure_to_be_gs1_data() {
    let lot = "010950600013435210ABC123";
    for (aim, data, expected) in [
        (Some("]C1"), "010950600013435210ABC123\x1d21SER7", "010950600013435210ABC123\x1d21SER7"),
        (Some("]e0"), "0196901234000019310300125039222599", "0196901234000019310300125039222599"),
        (Some("]d2"), "01095060001343521526113010L42", "01095060001343521526113010L42"),
        (Some("]Q3"), "0109506000134352", "0109506000134352"),
        (Some("]J1"), "0109506000134352", "0109506000134352"),
        (Some("]d1"), "https://id.gs1.org/01/09506000134352/10/ABC123", lot),
        (Some("]Q1"), "HTTPS://EXAMPLE.CN/01/6901028088886", "0106901028088886"),
        (None, "010950600013435210ABC123\x1d21SER7", "010950600013435210ABC123\x1d21SER7"),
        (None, "\x1d010950600013435210ABC123", lot),
        (None, "(01)09506000134352(10)ABC123", lot),
        (None, lot, lot),
        (None, "0109506000134352", "0109506000134352"),
    ] {
        let Scanned::Gs1(gs1) = read(data.as_bytes(), aim.map(str::as_bytes)) else { panic!("{data}") };
        assert_eq!(gs1.to_element_string(), expected, "{data}");
    }
    assert_eq!(with_aim("]Q1", "A\x1dB"), Scanned::Garbage(Garbage::ControlBytes));
    assert_eq!(with_aim("]C0", lot), Scanned::Text(lot.to_owned()));
    // Ten to fifteen begin a wallet's code, and a number that is not whole is not taken for GS1's.
    assert!(matches!(plain("110123456789012345"), Scanned::PayCode(_)));
    assert_eq!(plain("010950600013435310AB"), Scanned::Text("010950600013435310AB".to_owned()));
}

#[test]
fn a_space_at_either_end_of_gs1_data_is_none_of_its_characters() {
    for data in ["010950600013435210ABC ", " 0109506000134352", "0109506000134352 "] {
        assert!(
            matches!(with_aim("]C1", data), Scanned::Misread { why: Misreading::Gs1(_), .. }),
            "{data:?}"
        );
    }
    assert!(matches!(with_aim("]Q3", "   "), Scanned::Garbage(Garbage::Empty)));
    assert_eq!(plain(" 4006381333931 "), item("4006381333931"));
}

#[test]
fn a_periodical_is_known_with_its_add_on_from_a_scanner_that_does_not_say_what_it_read() {
    for (digits, number, add_on) in
        [("977123456789801", "9771234567898", "01"), ("978030640615751299", "9780306406157", "51299")]
    {
        let expected = Scanned::ItemWithAddOn { gtin: number.parse().unwrap(), add_on: add_on.to_owned() };
        assert_eq!(plain(digits), expected, "{digits}");
    }
    for other in ["400638133393112", "977123456789901", "978030640615851299"] {
        assert_eq!(plain(other), Scanned::Text(other.to_owned()), "{other}");
    }
}

#[test]
fn a_composite_is_its_number_and_what_stands_above_it() {
    let Scanned::Gs1(gs1) = with_aim("]E0", "2112345678900|]e010LOT\x1d21S") else { panic!("a composite") };
    assert_eq!(gs1.to_element_string(), "010211234567890010LOT\x1d21S");
    for broken in ["2112345678901|]e010LOT", "2112345678900|]e0", "|]e010LOT"] {
        assert!(matches!(with_aim("]E0", broken), Scanned::Misread { .. }), "{broken}");
    }
}

#[test]
fn an_identifier_that_names_no_symbol_is_taken_for_what_fits_or_for_nothing() {
    let isbn = "9783161484100";
    assert_eq!(with_aim("]X0", isbn), item(isbn));
    for (aim, data) in [("]X0", "123"), ("]7", "ABC"), ("]", "ABC"), ("]XX", "9783161484101")] {
        assert!(matches!(with_aim(aim, data), Scanned::Misread { .. }), "{aim} {data}");
    }
}

#[test]
fn our_addresses_are_told_from_other_peoples() {
    let desk = |host: &str, desk: &str| Scanned::Desk { host: host.to_owned(), desk: desk.to_owned() };
    assert_eq!(plain("HTTPS://PAY.EXAMPLE.COM/D/DESK-7"), desk("pay.example.com", "desk-7"));
    assert_eq!(plain("http://127.0.0.1:8080/d/7"), desk("127.0.0.1:8080", "7"));
    for other in [
        "https://pay.example.cn/o/AB12",
        "https://pay.example.cn/d/",
        "https://pay.example.cn/d/a/b",
        "https://pay.example.cn/d/7?x=1",
        "ftp://pay.example.cn/d/7",
        "https:///d/7",
        "WAREHOUSE-17",
        "热拿铁",
    ] {
        assert_eq!(plain(other), Scanned::Text(other.to_owned()));
    }
}

#[test]
fn codes_of_ours_are_read_bare_and_in_their_addresses() {
    let order = signed_order();
    for text in [order.clone(), order_url("https://pay.example.com", &order).unwrap()] {
        let Scanned::Token(token) = plain(&text) else { panic!("{text} is ours") };
        assert_eq!(token.kind(), Kind::Order);
    }
    let Scanned::Token(member) = plain("M1.GAYTEMZUGU3DOOBZ.67062674") else {
        panic!("a member code is ours")
    };
    assert_eq!(member.kind(), Kind::Member);
    for aim in [None, Some(&b"]C0"[..]), Some(b"]Q1")] {
        let Scanned::Token(number) = classify(b"N1.9F3C-004217", aim, &LabelProfile::usual()) else {
            panic!("a receipt's number is ours")
        };
        assert_eq!(number.kind(), Kind::Number);
    }
}

#[test]
fn a_damaged_code_of_ours_says_what_to_do() {
    let order = signed_order();
    for text in [
        order[..100].to_owned(),
        order.to_ascii_lowercase(),
        format!("HTTPS://H/O/{}", &order[..100]),
        format!("HTTPS://H/R/{order}"),
        "C1.".to_owned(),
        "M1.5".to_owned(),
        "N1.9f3c-004217".to_owned(),
    ] {
        let Scanned::Misread { text: kept, why } = plain(&text) else { panic!("{text} is damaged") };
        assert_eq!(kept, text);
        assert!(why.to_string().len() > 20, "{why}");
    }
}

#[test]
fn a_pay_code_is_not_shown_in_a_log() {
    let shown = format!("{:?} {:?}", plain("286802123456789012"), plain(LABEL_OR_ALIPAY));
    assert!(!shown.contains("286802") && !shown.contains("261000"), "{shown}");
}

fn signed_order() -> String {
    let order = Order {
        terminal: TerminalTag::of("till-1"),
        epoch: 1,
        nonce: 2,
        amount: crate::money::Money::new(1280, crate::money::Currency::CNY),
        issued_at: 1_800_000_000,
    };
    let payload = crate::token::drawn_payload(&order).unwrap();
    crate::token::assemble(Kind::Order, &payload, &[7; 64])
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        data in proptest::collection::vec(any::<u8>(), 0..64),
        aim in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..4)),
    ) {
        let _ = read(&data, aim.as_deref());
    }

    #[test]
    fn a_number_is_never_two_wallets_nor_an_item_by_chance(digits in "[0-9]{1,30}") {
        match plain(&digits) {
            Scanned::Item(_) => prop_assert!(matches!(digits.len(), 8 | 12..=14)),
            Scanned::PayCode(code) => prop_assert_eq!(code.expose(), &digits),
            Scanned::Ambiguous(Ambiguous::PayCodeOrLabel { .. }) => prop_assert_eq!(digits.len(), 18),
            Scanned::Ambiguous(Ambiguous::TwoItems { .. }) => prop_assert_eq!(digits.len(), 8),
            Scanned::Misread { .. } => prop_assert!(matches!(digits.len(), 8 | 12..=14)),
            Scanned::Weighed(label) => {
                prop_assert!(matches!(digits.len(), 13 | 18) && digits.starts_with('2'));
                prop_assert_eq!(&label.digits, &digits);
            }
            Scanned::Gs1(read) => prop_assert_eq!(read.to_element_string(), digits),
            Scanned::Text(text) => prop_assert_eq!(text, digits),
            other @ (Scanned::Token(_)
            | Scanned::Desk { .. }
            | Scanned::Emv(_)
            | Scanned::ItemWithAddOn { .. }
            | Scanned::Garbage(_)) => {
                prop_assert!(false, "{:?}", other);
            }
        }
    }
}
