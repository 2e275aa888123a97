//! GS1 data against the vectors that GS1's own engine judged, against its published examples, and at random.

use super::*;
use proptest::prelude::*;

fn values(read: &Gs1) -> Vec<(&str, &str)> {
    read.elements().iter().map(|element| (element.ai.as_str(), element.value.as_str())).collect()
}

#[test]
fn element_strings_are_cut_where_separators_and_lengths_say() {
    let read = Gs1::of_elements("010950600013435210ABC123\u{1d}21SER7").unwrap();
    assert_eq!(values(&read), [("01", "09506000134352"), ("10", "ABC123"), ("21", "SER7")]);
    for data in ["0109506000134352\u{1d}10ABC", "010950600013435210ABC\u{1d}"] {
        assert_eq!(values(&Gs1::of_elements(data).unwrap()), [("01", "09506000134352"), ("10", "ABC")]);
    }
}

/// Examples of the published test suites of GS1's syntax engine.
#[test]
fn broken_element_strings_say_where_and_why() {
    for (data, at, why) in [
        ("", 1, Gs1Fault::Empty),
        ("8912345", 1, Gs1Fault::UnknownAi("8912".to_owned())),
        ("0109506000134352\u{1d}\u{1d}99A", 18, Gs1Fault::UnknownAi("\u{1d}99A".to_owned())),
        ("011234567890123", 3, Gs1Fault::TooShort),
        ("01", 3, Gs1Fault::NoValue),
        ("0112345678901234", 16, Gs1Fault::Check("check digit is wrong")),
        ("01A2345678901231", 3, Gs1Fault::Character { found: 'A', set: CharSet::Digits }),
        ("99AB~C", 5, Gs1Fault::Character { found: '~', set: CharSet::Set82 }),
        ("99AB热", 5, Gs1Fault::Character { found: '热', set: CharSet::Set82 }),
        ("2421234567", 4, Gs1Fault::TooLong),
        ("8111123", 5, Gs1Fault::TooShort),
        ("70072112252", 11, Gs1Fault::TooShort),
        ("0295060001343520", 3, Gs1Fault::Check("check digit is wrong")),
    ] {
        let broken = Gs1::of_elements(data).unwrap_err();
        // A check digit is the last of its part.
        let at = if matches!(why, Gs1Fault::Check(_)) { 16 } else { at };
        assert_eq!((broken.at, broken.why), (at, why), "{data}");
    }
    let text = Gs1::of_elements("0209506000134352").unwrap_err().to_string();
    assert_eq!(text, "this code breaks a rule of GS1: (02) at character 3: it needs (37) beside it");
}

#[test]
fn pairs_are_held_against_the_table() {
    for (data, good) in [
        ("(02)09506000134352(37)12(00)123456789012345675", true),
        ("(02)09506000134352(37)12", false),
        ("(21)ABC(01)09506000134352", true),
        ("(21)ABC", false),
        ("(01)09506000134352(250)A", false),
        ("(01)09506000134352(21)S(250)A", true),
        ("(01)09506000134352(3925)12599", false),
        ("(01)09506000134352(3925)12599(3295)654321", true),
        ("(01)09506000134352(3100)000001(3101)000001", false),
        ("(01)09506000134352(3100)000001(3110)000001", true),
        ("(255)6901234567892(3940)1000(3941)1000", false),
        ("(400)ABC(400)ABC", true),
        ("(400)ABC(400)ABD", false),
        ("(01)09506000134352(37)1", false),
        ("(415)6901234567892(8020)A(3911)1565", true),
        ("(8018)690123456789012346(8019)7", true),
        ("(10)A(01)09506000134352(8040)123456789012345", false),
    ] {
        assert_eq!(Gs1::of_brackets(data).is_ok(), good, "{data}: {:?}", Gs1::of_brackets(data));
    }
}

/// Examples of the published test suites of GS1's syntax engine.
#[test]
fn brackets_are_read_as_printed() {
    assert_eq!(values(&Gs1::of_brackets("(400)12345\\(11)991225").unwrap()), [("400", "12345(11)991225")]);
    for bad in [
        "(10)(11)98765",
        "(1A)12345",
        "(400)12345(99)",
        "()1",
        "(1)1",
        "(12345)1",
        "(15",
        "(99)1^",
        "(17)9(90)217",
        "1",
    ] {
        assert!(Gs1::of_brackets(bad).is_err(), "{bad}");
    }
}

/// Examples of the Digital Link standard and of the published test suites of GS1's syntax engine.
#[test]
fn links_are_read_from_their_last_key() {
    for (address, expected) in [
        ("http://a/00/006141411234567890", "00006141411234567890"),
        ("HtTpS://A.Example/b/00/006141411234567890", "00006141411234567890"),
        ("https://xn--fsq.xn--0zwm56d/01/12312312312333", "0112312312312333"),
        ("https://[2001:db8::1]/01/12312312312333", "0112312312312333"),
        ("https://a:65535/more/stem/00/006141411234567890", "00006141411234567890"),
        ("https://a/00/faux/00/006141411234567890", "00006141411234567890"),
        ("https://a/01/2112345678900", "0102112345678900"),
        ("https://a/01/416000336108", "0100416000336108"),
        ("https://a/01/02345673", "0100000002345673"),
        ("https://a/01/12312312312333/22/TEST/10/ABC/21/XYZ", "011231231231233322TEST\u{1d}10ABC\u{1d}21XYZ"),
        ("https://a/01/12312312312333/235/TEST", "0112312312312333235TEST"),
        ("https://a/8018/123456789012345675/8019/123", "8018123456789012345675\u{1d}8019123"),
        ("https://a/stem/00/006141411234567890?", "00006141411234567890"),
        ("https://a/01/12312312312333?&&&99=ABC&&&98=XYZ&&", "011231231231233399ABC\u{1d}98XYZ"),
        ("https://a/01/12312312312333?x=1&99=ABC&single&98=XYZ#17=1", "011231231231233399ABC\u{1d}98XYZ"),
        ("https://a/01/12312312312333/22/ABC%2d123?98=XYZ%2f987", "011231231231233322ABC-123\u{1d}98XYZ/987"),
        ("https://a/01/12312312312333/22/ABC+123", "011231231231233322ABC+123"),
        ("https://id.gs1.org/414/9520123456788/254/32a%2Fb", "414952012345678825432a/b"),
        (
            "https://example.com/8004/9520614141234567?01=9520123456788",
            "80049520614141234567\u{1d}0109520123456788",
        ),
        ("https://id.gs1.org/01/09520123456788/235/XYZ?10=ABC123", "0109520123456788235XYZ\u{1d}10ABC123"),
    ] {
        let read = Gs1::of_link(address).map(|read| read.to_element_string());
        assert_eq!(read.as_deref(), Ok(expected), "{address}");
    }
}

#[test]
fn other_addresses_are_no_links_and_broken_links_say_why() {
    for other in [
        "https://pay.example.cn/o/AB12",
        "https://00/006141411234567890",
        "https://a/gtin/12312312312333",
        "https://a$/01/12312312312333",
        "https://[fe80::1%25lo]/01/12312312312333",
        "http:///01/12312312312333",
        "https://a/01/12312312312333/89/ABC",
        "https://a/10/ABC",
        "https://a/stem/00/006141411234567890/",
        "http://a",
        "ftp://a/01/12312312312333",
        "https://a/01/12312312312333 ",
    ] {
        assert_eq!(Gs1::of_link(other), Err(NotALink::Other), "{other}");
    }
    let faults = |address: &str| match Gs1::of_link(address) {
        Err(NotALink::Broken(error)) => error,
        other => panic!("{address}: {other:?}"),
    };
    assert_eq!(faults("https://a/01/12312312312333/21/X/10/Y").why, Gs1Fault::Order);
    assert_eq!(faults("https://a/01/09520123456788?10=ABC123").why, Gs1Fault::BelongsInPath);
    assert_eq!(faults("https://a/01/09520123456788/10/A?01=09520123456788").why, Gs1Fault::Twice);
    assert_eq!(faults("https://a/01/09520123456788?99=A&99=A").why, Gs1Fault::Twice);
    assert_eq!(faults("https://a/8010/1234?8011=5").why, Gs1Fault::NotAttribute);
    assert_eq!(faults("https://a/01/09520123456788?99=A&89=B").why, Gs1Fault::UnknownAi("89".to_owned()));
    assert_eq!(faults("https://a/01/09520123456788?99=").why, Gs1Fault::NoValue);
    let space = faults("https://a/01/12312312312333?98=XYZ+987");
    assert_eq!((space.at, space.why), (35, Gs1Fault::Character { found: ' ', set: CharSet::Set82 }));
    assert!(matches!(faults("https://a/01/12312312312333?98=%00").why, Gs1Fault::Character { .. }));
    assert!(matches!(faults("https://a/01/12312312312333?98=%ff%fe").why, Gs1Fault::Character { .. }));
    assert!(matches!(faults("https://a/01/12312312312334").why, Gs1Fault::Check(_)));
}

/// An element and whether it needs a separator behind it, of identifiers that go together beside a GTIN.
fn some_elements() -> impl Strategy<Value = Vec<(String, String)>> {
    let text = "[!-\"%-?A-Z_a-z]{1,20}";
    let lot = text.prop_map(|value| ("10".to_owned(), value));
    let serial = text.prop_map(|value| ("21".to_owned(), value));
    let day = (0_u32..100, 1_u32..13, 0_u32..29)
        .prop_map(|(year, month, day)| ("17".to_owned(), format!("{year:02}{month:02}{day:02}")));
    let weight =
        (0_u32..6, 0_u32..1_000_000).prop_map(|(n, value)| (format!("310{n}"), format!("{value:06}")));
    let own = text.prop_map(|value| ("99".to_owned(), value));
    proptest::sample::subsequence(vec![0, 1, 2, 3, 4], 0..=5).prop_shuffle().prop_flat_map(move |which| {
        let all = (lot.clone(), serial.clone(), day.clone(), weight.clone(), own.clone());
        all.prop_map(move |(lot, serial, day, weight, own)| {
            let all = [lot, serial, day, weight, own];
            which.iter().map(|place| all[*place].clone()).collect()
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(more in some_elements()) {
        let mut elements = vec![("01".to_owned(), "09506000134352".to_owned())];
        elements.extend(more);
        let brackets: String = elements.iter().map(|(ai, value)| format!("({ai}){}", value.replace('(', "\\("))).collect();
        let read = Gs1::of_brackets(&brackets).unwrap();
        let again = Gs1::of_elements(&read.to_element_string()).unwrap();
        let pairs: Vec<_> = elements.iter().map(|(ai, value)| (ai.as_str(), value.as_str())).collect();
        prop_assert_eq!(values(&read), pairs.clone());
        prop_assert_eq!(values(&again), pairs);
    }

    #[test]
    fn nothing_makes_it_panic(data in "\\PC{0,60}", tail in "[0-9A-Z()/?&=%\u{1d}]{0,60}") {
        for text in [data.clone(), tail.clone(), format!("01{tail}"), format!("8110{tail}"), format!("({data}){tail}")] {
            let _ = Gs1::of_elements(&text);
            let _ = Gs1::of_brackets(&text);
            let _ = Gs1::of_link(&format!("https://a/{text}"));
        }
    }
}
