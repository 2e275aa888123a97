//! Receipts that are scanned at the counter.

use super::*;
use crate::keys::DeviceKey;
use crate::receipt::{NotOurs, Shown, Stamp};
use crate::record::Mode;
use crate::sale::back::Wanted;
use crate::scan::{Scanned, classify};
use crate::token::{self, TerminalTag};
use crate::view::Phase;

fn stamp() -> Stamp {
    let key = super::device();
    Stamp::new(key.public(), move |message| key.sign(message))
}

/// A cola paid in cash, long printed: the till, and the sale as the journal has it.
fn sold() -> (TestTill, Sale) {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    let sale = bench.front().id;
    bench.cash(500).unwrap();
    bench.finish_devices();
    assert!(!bench.till.holds(sale));
    let sale = Sale::fold(&bench.of_sale(sale)).unwrap();
    (bench, sale)
}

fn code(sale: &Sale) -> String {
    stamp().code(sale, &"till-1".parse().unwrap()).unwrap()
}

/// A scan, and what stands in the journal under the number that it says.
fn show(bench: &mut TestTill, text: &str, found: &[Sale]) -> Answer {
    let scan = RawScan { data: text.as_bytes().to_vec(), aim: None, repeat_of_ms: None };
    bench.post_found(&Event::Scanned { station: bench.station.clone(), scan }, found)
}

fn said(answer: &Answer) -> String {
    answer.as_ref().unwrap_err().to_string()
}

#[test]
fn a_receipt_opens_its_return_and_nothing_is_written_down() {
    let (mut bench, sale) = sold();
    for text in [code(&sale), format!("HTTPS://TILL.EXAMPLE/R/{}", code(&sale)), "N1.0000-000001".to_owned()]
    {
        assert_eq!(show(&mut bench, &text, std::slice::from_ref(&sale)), Ok(vec![]), "{text}");
    }
    bench.scan(COLA).unwrap();
    assert_eq!(show(&mut bench, &code(&sale), std::slice::from_ref(&sale)), Ok(vec![]), "beside a basket");
}

#[test]
fn its_code_is_the_same_whenever_it_is_made() {
    let (_, sale) = sold();
    assert_eq!(code(&sale), code(&sale));
    assert_eq!(code(&sale).len(), 151);
    let Scanned::Token(token) = classify(code(&sale).as_bytes(), None, &[]) else { panic!("no token") };
    let wanted = Shown::of(&token)
        .unwrap()
        .wanted(stamp().public())
        .map(|(number, of)| (number, of(Epoch(0xE9)), of(Epoch(0xEA))));
    assert_eq!(wanted, Some((1, true, false)));
    assert_eq!(
        stamp().code(&Sale { mode: Mode::Training, ..sale.clone() }, &"till-1".parse().unwrap()),
        None
    );
    assert_eq!(stamp().code(&Sale { receipt: None, ..sale }, &"till-1".parse().unwrap()), None);
}

#[test]
fn each_receipt_that_opens_nothing_is_told_why() {
    let (mut bench, sale) = sold();
    let foreign = DeviceKey::from_seed(&[77; 32]).unwrap();
    let facts = token::Receipt {
        terminal: TerminalTag::of("till-1"),
        epoch: 0xE9,
        number: 1,
        total: fen(350),
        issued_at: i64::try_from(sale.receipt.as_ref().unwrap().at.unix_s()).unwrap(),
    };
    let ours = super::device();
    assert_eq!(ours.draw(&facts).unwrap(), code(&sale));
    let elsewhere = token::Receipt { terminal: TerminalTag::of("till-2"), ..facts.clone() };
    let dearer = token::Receipt { total: fen(35_000), ..facts.clone() };
    let practice = Sale { mode: Mode::Training, ..sale.clone() };
    let one = vec![sale.clone()];
    for (text, found, why) in [
        (foreign.draw(&elsewhere).unwrap(), vec![], NotOurs::OtherTill),
        (foreign.draw(&facts).unwrap(), one.clone(), NotOurs::Forged),
        (code(&sale), vec![], NotOurs::Unknown),
        ("N1.9F3C-000001".to_owned(), vec![], NotOurs::Unknown),
        ("N1.0000-000001".to_owned(), vec![sale.clone(), sale.clone()], NotOurs::Two),
        (ours.draw(&dearer).unwrap(), one.clone(), NotOurs::Differs),
        (code(&sale), vec![practice.clone()], NotOurs::Practice),
        ("N1.0000-000001".to_owned(), vec![practice], NotOurs::Practice),
        (code(&sale)[..150].to_owned(), one.clone(), NotOurs::Misread),
        (code(&sale).to_lowercase(), one.clone(), NotOurs::Misread),
        ("N1.0000-00001".to_owned(), one, NotOurs::Misread),
    ] {
        let answer = show(&mut bench, &text, &found);
        assert_eq!((word(&answer), said(&answer)), ("receipt", why.to_string()), "{text}");
    }
}

#[test]
fn the_receipt_of_a_return_and_a_sale_with_nothing_left_open_nothing() {
    let (mut bench, sale) = sold();
    let command =
        Act::GiveBack { sale: sale.id, returns_seen: 0, wanted: Wanted::Whole, reason: "flat".to_owned() };
    bench.approver = Some("mei".parse().unwrap());
    let command = bench.command(command);
    let made = bench.post_about(&Event::Act(command), Some(&sale)).unwrap();
    let back = made.iter().find_map(|record| record.header.sale.filter(|id| *id != sale.id)).unwrap();
    bench.finish_devices();
    let back = Sale::fold(&bench.of_sale(back)).unwrap();
    let answer = show(&mut bench, &code(&back), std::slice::from_ref(&back));
    assert_eq!(said(&answer), NotOurs::OfAReturn.to_string());
    let gone = Sale::fold(&bench.of_sale(sale.id)).unwrap();
    assert_eq!(word(&show(&mut bench, &code(&gone), std::slice::from_ref(&gone))), "back");
}

#[test]
fn while_money_is_awaited_a_receipt_is_no_code_to_pay_with() {
    let (mut bench, sale) = sold();
    bench.scan(COLA).unwrap();
    bench.act(Act::Pay).unwrap();
    let answer = show(&mut bench, &code(&sale), std::slice::from_ref(&sale));
    assert_eq!(word(&answer), "scan");
    assert!(said(&answer).starts_with("This is a receipt, not a pay code."));
    assert_eq!(bench.front().phase, Phase::Tender);
}
