//! The same export spelled otherwise: whoever changes a byte of it must not be told that everything holds, by either
//! reader. Not here: changes of what it says (`tests`).

use super::*;
use serde_json::{Value, json};

/// Longer than a line of an export may be.
const TOO_LONG_BYTES: usize = 9_000_000;

/// A base64 text whose unused bits, which decoding leaves out, are not zero.
fn other_unused_bits(text: &str) -> String {
    let (digits, padding) = text.split_at(text.find('=').expect("it is padded"));
    let (kept, last) = digits.split_at(digits.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    assert!(next.is_ascii_alphanumeric(), "{text}");
    format!("{kept}{next}{padding}")
}

/// One line as JSON, changed.
fn edited(at: Option<usize>, change: impl Fn(&mut Value) + 'static) -> Edit {
    Box::new(move |lines| {
        let at = at.unwrap_or(lines.len() - 1);
        let mut line: Value = serde_json::from_str(&lines[at]).unwrap();
        let before = line.clone();
        change(&mut line);
        assert_ne!(line, before);
        lines[at] = line.to_string();
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The body of line 4 in base64, spelled by `change` instead of as text.
fn in_base64(change: impl Fn(String) -> String + 'static) -> Edit {
    edited(Some(3), move |line| {
        let body = line.as_object_mut().unwrap().remove("body").unwrap();
        line["body_base64"] = change(BASE64.encode(text(&body))).into();
    })
}

/// Spellings that anybody can make.
fn by_anybody() -> Vec<Trick> {
    let member = 11;
    vec![
        ("base64 with blanks", in_base64(|text| format!("{}\n {}", &text[..8], &text[8..]))),
        ("base64 with a foreign sign", in_base64(|text| format!("!{text}"))),
        (
            "base64 without its padding",
            edited(None, |end| {
                end["signature"] = text(&end["signature"]).trim_end_matches('=').into();
            }),
        ),
        (
            "base64 with more padding",
            edited(None, |end| {
                end["signature"] = format!("{}====", text(&end["signature"])).into();
            }),
        ),
        (
            "unused bits of a signature",
            edited(None, |end| {
                end["signature"] = other_unused_bits(text(&end["signature"])).into();
            }),
        ),
        (
            "unused bits of a key",
            edited(None, |end| {
                end["device_key"] = other_unused_bits(text(&end["device_key"])).into();
            }),
        ),
        (
            "a header in upper case",
            edited(Some(3), |line| line["head"] = text(&line["head"]).to_uppercase().into()),
        ),
        (
            "a salt in upper case",
            edited(Some(9), |line| line["salt"] = text(&line["salt"]).to_uppercase().into()),
        ),
        (
            "a salt with blanks",
            edited(Some(3), |line| line["salt"] = format!(" {}\n", text(&line["salt"])).into()),
        ),
        ("the end says more", edited(None, |end| end["note"] = "x".into())),
        ("the end has a hash", edited(None, |end| end["hash"] = "aa".into())),
        ("null for what is not erased", edited(Some(3), |line| line["erased"] = Value::Null)),
        ("null for what is not base64", edited(Some(3), |line| line["body_base64"] = Value::Null)),
        ("null for what has no salt", edited(Some(member), |line| line["salt"] = Value::Null)),
        ("null for what has no body", edited(Some(member), |line| line["body"] = Value::Null)),
        ("an erased body that is no base64", edited(Some(member), |line| line["body_base64"] = "!!!".into())),
        ("two bodies", edited(Some(3), |line| line["body_base64"] = BASE64.encode("{}").into())),
        (
            "the same body twice",
            edited(Some(3), |line| {
                line["body_base64"] = BASE64.encode(text(&line["body"])).into();
            }),
        ),
        (
            "a list instead of an object",
            edited(Some(3), |line| {
                *line = json!([line["hash"], line["head"], line["salt"], line["body"]]);
            }),
        ),
        ("lists in lists", Box::new(|lines| lines[3] = "[".repeat(200_000))),
        ("objects in objects", Box::new(|lines| lines[3] = r#"{"a":"#.repeat(100_000))),
        ("a line that is too long", Box::new(|lines| lines[3] += &" ".repeat(TOO_LONG_BYTES))),
        (
            "a number beyond every number",
            Box::new(|lines| {
                for line in &mut lines[3..5] {
                    let mut record = record(line);
                    let header = Header { seq: u64::MAX, ..Header::decode(&unhex(&record.head)).unwrap() };
                    record.head = hex(&header.encode());
                    record.hash = header_hash(&header.encode()).to_string();
                    *line = serde_json::to_string(&record).unwrap();
                }
            }),
        ),
    ]
}

/// The end as JSON, changed and signed again by the device.
fn signed(change: impl Fn(&mut Value) + 'static) -> Edit {
    signed_text(move |text| {
        let mut end = serde_json::from_str(text).unwrap();
        change(&mut end);
        end.to_string()
    })
}

fn signed_text(change: impl Fn(&str) -> String + 'static) -> Edit {
    Box::new(move |lines| {
        let last: EndLine = serde_json::from_str(lines.last().unwrap()).unwrap();
        let end = change(&last.end);
        let signature = BASE64.encode(key(DEVICE[0]).sign(&signing_input(&end)));
        let last = EndLine { end, signature, ..last };
        *lines.last_mut().unwrap() = serde_json::to_string(&last).unwrap();
    })
}

/// The last record with another header, for which the device signs.
fn with_header(change: impl Fn(Vec<u8>) -> Vec<u8> + 'static) -> Edit {
    Box::new(move |lines| {
        let at = lines.len() - 2;
        let mut record = record(&lines[at]);
        let head = change(unhex(&record.head));
        (record.head, record.hash) = (hex(&head), header_hash(&head).to_string());
        lines[at] = serde_json::to_string(&record).unwrap();
        let hash = header_hash(&head);
        signed_again(lines, &key(DEVICE[0]), |end| end.streams.last_mut().unwrap().head = hash);
    })
}

/// Spellings that only the till's device can make.
fn by_the_device() -> Vec<Trick> {
    vec![
        (
            "surplus bytes in a header",
            with_header(|head| {
                let (before, body_hash) = head.split_at(head.len() - 32);
                [before, b"x", body_hash].concat()
            }),
        ),
        (
            "a flag that is neither 0 nor 1",
            with_header(|mut head| {
                let at = 3 + usize::from(head[2]) + 48;
                let sale = at + 1 + usize::from(head[at]) + 2;
                assert_eq!(head[sale], 1, "it has a sale");
                head[sale] = 7;
                head
            }),
        ),
        ("the form is true", signed(|end| end["export"] = true.into())),
        ("the form is a fraction", signed_text(|end| end.replacen("\"export\":1", "\"export\":1.0", 1))),
        ("it was made at no time", signed(|end| drop(end.as_object_mut().unwrap().remove("made_ms")))),
        ("it was made at a text", signed(|end| end["made_ms"] = "x".into())),
        ("it was made at a fraction", signed_text(|end| end.replacen(&MADE_MS.to_string(), "1e3", 1))),
        (
            "it was made beyond all time",
            signed_text(|end| end.replacen(&MADE_MS.to_string(), "1000000000000000000000", 1)),
        ),
        ("a last number with a fraction", signed_text(|end| end.replacen("\"seq\":14", "\"seq\":14.0", 1))),
        ("a first number that is true", signed(|end| end["streams"][0]["first_seq"] = true.into())),
        ("trust in nothing", signed(|end| end["trust"] = json!({}))),
        ("trust in 0", signed(|end| end["trust"] = 0.into())),
        ("trust in a text", signed(|end| end["trust"] = "".into())),
        ("heads that are no list", signed(|end| end["received"] = json!({}))),
        ("a name that stands twice", signed_text(|end| format!("{},\"export\":1}}", &end[..end.len() - 1]))),
        ("a key's id in upper case", signed(|end| end["received"][0]["key_id"] = "ABCDEF00".into())),
        ("a key's id that is null", signed(|end| end["received"][0]["key_id"] = Value::Null)),
        ("a key's id that is short", signed(|end| end["received"][0]["key_id"] = "11".into())),
        (
            "a signature that is no base64",
            signed(|end| end["received"][0]["signature"] = "!".repeat(88).into()),
        ),
        (
            "a short signature by nobody",
            signed(|end| {
                end["received"][0]["key_id"] = "00000000".into();
                end["received"][0]["signature"] = "AAAA".into();
            }),
        ),
        ("lists in lists in the end", signed_text(|_| "[".repeat(100_000))),
    ]
}

#[test]
fn no_spelling_but_the_one_that_the_till_writes_is_good_for_either_reader() {
    each_is_found(&by_anybody());
    each_is_found(&by_the_device());
}

#[test]
fn a_line_that_is_too_long_is_called_that_and_the_lines_after_it_are_read() {
    let shop = shop();
    let mut lines = export(&shop, Part::default());
    lines[3] += &" ".repeat(TOO_LONG_BYTES);
    let report = ours(&joined(&lines));
    let codes: Vec<_> = report.faults.iter().map(|fault| (fault.code, fault.line)).collect();
    assert_eq!(codes, [("long", Some(4)), ("sequence", Some(5))]);
    let (_, said) = theirs(shop.dir.path(), &joined(&lines));
    assert!(said.contains("line 4: the line is longer than any record may be"), "{said}");
}

#[test]
fn what_a_file_says_moves_no_terminal() {
    let shop = shop();
    let mut lines = export(&shop, Part::default());
    let at = lines.len() - 2;
    let mut header = Header::decode(&unhex(&record(&lines[at]).head)).unwrap();
    header.kind = "\u{1b}[2J\u{1b}[32mGOOD\nEverything holds.".to_owned();
    let head = header.encode();
    let (hash, head) = (header_hash(&head).to_string(), hex(&head));
    lines[at] = format!(r#"{{"hash":"{hash}","head":"{head}","erased":true}}"#);
    let words: String = ours(&joined(&lines)).faults.into_iter().map(|fault| fault.words).collect();
    let (_, said) = theirs(shop.dir.path(), &joined(&lines));
    for said in [words, said] {
        assert!(said.contains("GOOD"), "{said}");
        assert!(!said.contains('\u{1b}') && !said.contains("\nEverything holds."), "{said:?}");
    }
}
