//! Where items stand, what may be done, and how it is said.

use super::checklist::{Check, Same};
use super::filter::Which;
use super::*;
use crate::locales::Lang;
use crate::money::Currency;
use crate::record::body::Body;
use crate::record::money_moves::{Ruling, Verdict};
use crate::record::queue_act::Resolution;
use crate::record::{FORMAT, Hash, Moment, Record};
use jiff::civil::Date;

const EPOCH: Epoch = Epoch(7);

fn record(seq: u64, body: Body, amount: Option<i64>) -> Record {
    let header = Header {
        format: FORMAT,
        terminal: "till-3".parse().unwrap(),
        epoch: EPOCH,
        seq,
        previous: Hash::NONE,
        kind: String::new(),
        kind_version: 0,
        sale: None,
        station: None,
        moment: Moment { wall_ms: i64::try_from(seq).unwrap() * 1000, ..Moment::default() },
        business_date: Date::constant(2026, 11, 22),
        shift: None,
        staff: None,
        approver: Some("ann".parse().unwrap()),
        mode: Mode::Live,
        receipt: None,
        serial: Some("A1B2C3D4".to_owned()),
        amount: amount.map(|minor| Money::new(minor, Currency::CNY)),
        body_hash: Hash::NONE,
    };
    Record::seal(header, body, [0; 16])
}

fn receipt(seq: u64, minor: i64) -> Record {
    record(seq, Body::ReceiptIssued { total: Money::new(minor, Currency::CNY) }, Some(minor))
}

fn verdict(seq: u64, of: u64, ruling: Ruling, code: &str) -> Record {
    let words = "Coupon already used at till-3, 10:42 on 2026-11-22.".to_owned();
    let verdict =
        Verdict { number: seq, epoch: EPOCH, seq: of, sale: None, ruling, code: code.to_owned(), words };
    record(seq, Body::Noted { verdict }, None)
}

fn act(seq: u64, of: u64, act: QueueAct) -> Record {
    let subject = Some(Subject { epoch: EPOCH, seq: of });
    record(seq, Body::QueueActed { subject, act, words: "the customer paid cash".to_owned() }, None)
}

fn after(records: &[Record]) -> Cases {
    let mut cases = Cases::default();
    records.iter().for_each(|record| cases.apply(record));
    cases
}

fn marks(received: u64, ruled: u64) -> Marks {
    Marks { received, ruled, ..Marks::default() }
}

fn standing(seq: u64, marks: &Marks, cases: &Cases) -> Standing {
    Item::of(&receipt(seq, 100).header, marks, cases).state.standing()
}

#[test]
fn an_item_moves_from_recorded_to_settled_as_the_marks_rise() {
    let none = Cases::default();
    assert_eq!(standing(5, &marks(0, 0), &none), Standing::Recorded);
    let mut tried = marks(0, 0);
    tried.tries.push(Tries { first: 1, last: 5, tries: 3, first_ms: 10, last_ms: 90, words: None });
    assert_eq!(standing(5, &tried, &none), Standing::Sent);
    assert_eq!(standing(6, &tried, &none), Standing::Recorded);
    let item = Item::of(&receipt(5, 100).header, &tried, &none);
    assert_eq!(item.tries.unwrap().tries, 3);
    tried.tries.push(Tries { first: 1, last: 9, tries: 2, first_ms: 50, last_ms: 95, words: None });
    let both = tried.tries_of(5).unwrap();
    assert_eq!((both.tries, both.first_ms, both.last_ms), (5, 10, 95));
    tried.tries.pop();
    assert_eq!(standing(5, &marks(5, 4), &none), Standing::Received);
    assert_eq!(standing(5, &marks(9, 5), &none), Standing::Settled);
    let heads = vec![Head { seq: 4, at_ms: 1 }, Head { seq: 9, at_ms: 2 }, Head { seq: 12, at_ms: 3 }];
    assert_eq!(Marks { heads, ..marks(9, 5) }.received_ms(5), Some(2));
}

#[test]
fn a_refusal_stays_until_head_office_accepts_or_a_manager_ends_it() {
    let refused = verdict(20, 5, Ruling::Refused, "coupon_already_used");
    let far = marks(30, 30);
    assert_eq!(standing(5, &far, &after(std::slice::from_ref(&refused))), Standing::Refused);

    let resolve = act(21, 5, QueueAct::Resolve { how: Resolution::WrittenOff });
    let resolved = after(&[refused.clone(), resolve]);
    assert_eq!(standing(5, &far, &resolved), Standing::Resolved);
    assert_eq!(resolved.needing_a_person().count(), 0);

    // Asked again it waits, until head office has seen the question.
    let mut asked = after(&[refused.clone(), act(21, 5, QueueAct::Retry)]);
    assert_eq!(standing(5, &marks(30, 20), &asked), Standing::Received);
    asked.apply(&verdict(22, 5, Ruling::Refused, "coupon_already_used"));
    assert_eq!(standing(5, &marks(30, 21), &asked), Standing::Refused);
    asked.apply(&verdict(23, 5, Ruling::Accepted, "coupon_redeemed"));
    assert_eq!(standing(5, &marks(30, 21), &asked), Standing::Settled);
    // A word that was on its way while a manager ended it opens nothing.
    let mut late = after(&[refused, act(21, 5, QueueAct::Resolve { how: Resolution::Duplicate })]);
    late.apply(&verdict(24, 5, Ruling::Refused, "coupon_already_used"));
    assert_eq!(standing(5, &far, &late), Standing::Resolved);
}

#[test]
fn a_hold_lasts_until_it_is_released_wherever_the_record_is() {
    let held = after(&[act(8, 5, QueueAct::Hold)]);
    assert_eq!(standing(5, &marks(0, 0), &held), Standing::Held);
    assert_eq!(standing(5, &marks(9, 9), &held), Standing::Held);
    let released = after(&[act(8, 5, QueueAct::Hold), act(9, 5, QueueAct::Release)]);
    assert_eq!(standing(5, &marks(0, 0), &released), Standing::Recorded);
    assert_eq!(standing(5, &marks(9, 8), &released), Standing::Received);
    assert_eq!(standing(5, &marks(9, 9), &released), Standing::Settled);
    let said = after(&[verdict(8, 5, Ruling::Refused, "held")]);
    assert_eq!(standing(5, &marks(9, 9), &said), Standing::Held);
}

#[test]
fn an_act_that_came_in_vain_leaves_its_item_where_it_stood() {
    let far = marks(30, 30);
    let too_late = [act(8, 5, QueueAct::Hold), verdict(9, 8, Ruling::Refused, "act_in_vain")];
    let cases = after(&too_late);
    assert_eq!(standing(5, &far, &cases), Standing::Settled);
    assert_eq!(standing(8, &far, &cases), Standing::Refused, "and the manager hears of it");
    let refused = verdict(7, 5, Ruling::Refused, "sums_differ");
    let in_vain = verdict(12, 11, Ruling::Refused, "act_in_vain");
    let retried = after(&[refused, act(11, 5, QueueAct::Retry), in_vain]);
    assert_eq!(standing(5, &far, &retried), Standing::Refused);
}

#[test]
fn an_act_in_vain_leaves_what_head_office_has_said_since() {
    let far = marks(30, 30);
    let in_vain = |seq, of| verdict(seq, of, Ruling::Refused, "act_in_vain");
    // Head office had ruled before the hold was done, and its word was on the way.
    let refused = verdict(9, 5, Ruling::Refused, "coupon_already_used");
    let cases = after(&[act(8, 5, QueueAct::Hold), refused.clone(), in_vain(10, 8)]);
    assert_eq!(standing(5, &far, &cases), Standing::Refused);
    // Two managers release it; the first one's word is heard after the second has pressed.
    let held = verdict(8, 5, Ruling::Refused, "held");
    let (first, second) = (act(9, 5, QueueAct::Release), act(11, 5, QueueAct::Release));
    let counts = verdict(12, 5, Ruling::Accepted, "ruled_again");
    let cases = after(&[held.clone(), first, held, second, counts, in_vain(13, 11)]);
    assert_eq!(standing(5, &far, &cases), Standing::Settled);
    // A hold that came too late, and was let go of before anybody had heard that.
    let both = [act(8, 5, QueueAct::Hold), act(9, 5, QueueAct::Release), in_vain(10, 8), in_vain(11, 9)];
    assert_eq!(standing(5, &far, &after(&both)), Standing::Settled);
    // What ended it was in vain, too: head office's word of meanwhile stands, with its reason.
    let resolve = act(8, 5, QueueAct::Resolve { how: Resolution::Duplicate });
    let cases = after(&[act(7, 5, QueueAct::Hold), resolve, refused, in_vain(10, 8)]);
    assert_eq!(standing(5, &far, &cases), Standing::Refused);
    assert_eq!(cases.of(Subject { epoch: EPOCH, seq: 5 }).unwrap().code, "coupon_already_used");
}

#[test]
fn an_act_that_head_office_does_not_understand_leaves_its_item_where_it_stood() {
    let refused = verdict(7, 5, Ruling::Refused, "sums_differ");
    for code in ["parked", "unreadable"] {
        let act = act(11, 5, QueueAct::Retry);
        let cases = after(&[refused.clone(), act, verdict(12, 11, Ruling::Refused, code)]);
        assert_eq!(standing(5, &marks(30, 30), &cases), Standing::Refused, "{code}");
    }
}

#[test]
fn an_act_in_vain_is_taken_back_in_whichever_life_of_the_journal_it_was_done() {
    let subject = Subject { epoch: Epoch(6), seq: 5 };
    let body = Body::QueueActed { subject: Some(subject), act: QueueAct::Hold, words: "wait".to_owned() };
    let cases = after(&[record(8, body, None), verdict(9, 8, Ruling::Refused, "act_in_vain")]);
    assert_eq!(cases.of(subject).unwrap().step, Step::Accepted);
}

#[test]
fn what_cannot_be_read_is_parked_and_what_was_late_is_expired() {
    let far = marks(30, 30);
    for (code, expected) in [
        ("parked", Standing::Parked),
        ("unreadable", Standing::Parked),
        ("coupon_expired", Standing::Expired),
        ("anything_else", Standing::Refused),
    ] {
        assert_eq!(standing(5, &far, &after(&[verdict(9, 5, Ruling::Refused, code)])), expected, "{code}");
    }
    let mut broken = receipt(5, 100);
    broken.body = Body::Unreadable { kind_name: "receipt_issued".to_owned() };
    assert_eq!(standing(5, &marks(0, 0), &after(&[broken])), Standing::Parked);
}

#[test]
fn each_state_has_its_acts_and_a_sentence_for_all_others() {
    let refused = after(&[verdict(9, 5, Ruling::Refused, "x")]);
    let held = after(&[act(9, 5, QueueAct::Hold)]);
    let resolved = after(&[act(9, 5, QueueAct::Resolve { how: Resolution::Duplicate })]);
    let none = Cases::default();
    let words = |marks: &Marks, cases: &Cases| -> Vec<&str> {
        let item = Item::of(&receipt(5, 100).header, marks, cases);
        let mut words: Vec<&str> = item.acts_allowed(EPOCH).map(QueueAct::word).collect();
        words.dedup();
        for act in allowed::ACTS {
            for epoch in [EPOCH, Epoch(8)] {
                let Err(sentence) = allowed(&item, act, epoch) else { continue };
                assert!(sentence.ends_with('.'), "{sentence}");
                let chinese = crate::locales::told("queue", sentence, Lang::ZhHans);
                assert_ne!(chinese, sentence, "no Chinese for it");
            }
        }
        words
    };
    assert_eq!(words(&marks(0, 0), &none), ["hold"]);
    let later =
        |marks: &Marks| Item::of(&receipt(5, 100).header, marks, &none).acts_allowed(Epoch(8)).count();
    assert_eq!([(0, 0), (9, 0)].map(|(received, ruled)| later(&marks(received, ruled))), [0, 1]);
    assert_eq!(words(&marks(9, 0), &none), ["hold"]);
    assert_eq!(words(&marks(9, 9), &none), [""; 0]);
    assert_eq!(words(&marks(9, 9), &refused), ["retry", "resolve"]);
    assert_eq!(words(&marks(9, 9), &held), ["release", "resolve"]);
    assert_eq!(words(&marks(9, 9), &resolved), [""; 0]);
    let own = Item::of(&act(5, 1, QueueAct::Hold).header, &marks(0, 0), &none);
    assert_eq!((own.kind, own.acts_allowed(EPOCH).count()), (ItemKind::Act, 0));
}

#[test]
fn a_state_is_said_with_its_reason_in_both_languages() {
    let refused = after(&[verdict(9, 5, Ruling::Refused, "coupon_already_used")]);
    let item = Item::of(&receipt(5, 100).header, &marks(9, 9), &refused);
    assert_eq!(words::state(&item, Lang::En), "refused: coupon already used at till-3, 10:42 on 2026-11-22");
    assert_eq!(words::state(&item, Lang::ZhHans), "被拒绝：优惠券已在 till-3 使用，2026-11-22 10:42");
    assert!(words::advice("coupon_already_used", Lang::En).contains("Write it off"));
    for code in ["receipt_gap", "sums_differ", "fork", "never heard of"] {
        for lang in [Lang::En, Lang::ZhHans] {
            assert!(!words::advice(code, lang).is_empty() && !words::why(code, "x", lang).is_empty());
        }
    }
    assert_eq!(words::why("never heard of", "As head office says.", Lang::ZhHans), "As head office says.");
    assert_eq!(item.serial.as_deref(), Some("…C3D4"));
    assert_eq!(Item::of(&receipt(5, -100).header, &marks(9, 9), &refused).kind, ItemKind::Return);
}

#[test]
fn a_filter_takes_exactly_the_records_that_are_in_its_state() {
    let mut marks = marks(20, 12);
    marks.tries.push(Tries { first: 21, last: 25, tries: 1, first_ms: 0, last_ms: 0, words: None });
    let cases = after(&[
        verdict(31, 3, Ruling::Refused, "x"),
        verdict(32, 4, Ruling::Refused, "coupon_expired"),
        act(33, 18, QueueAct::Hold),
        act(34, 23, QueueAct::Hold),
        act(35, 3, QueueAct::Retry),
        act(36, 24, QueueAct::Hold),
        act(37, 24, QueueAct::Release),
    ]);
    let all = Standing::ALL.map(Which::One).into_iter().chain([Which::All, Which::Open, Which::Needs]);
    for which in all {
        let filter = Filter { which, ..Filter::default() };
        let chosen = filter.selection(EPOCH, &marks, &cases, 0);
        for seq in 1..=40 {
            let in_range = chosen.ranges.iter().any(|(first, last)| (*first..=*last).contains(&seq));
            let taken = (in_range && !chosen.except.contains(&seq)) || chosen.only.contains(&seq);
            let state = standing(seq, &marks, &cases);
            assert_eq!(taken, which.takes(state), "{which:?} {seq} is {state:?}");
        }
    }
}

#[test]
fn a_filter_is_read_from_named_values_and_says_what_else_can_be_written() {
    let read = |name: &'static str, value: &'static str| {
        Filter::read(|asked| (asked == name).then_some(value), Currency::CNY)
    };
    assert_eq!(read("state", "held").unwrap().which, Which::One(Standing::Held));
    assert_eq!(read("kind", "check_in").unwrap().kind, Some(ItemKind::CheckIn));
    assert_eq!(read("min", "12.80").unwrap().min_minor, Some(1280));
    assert_eq!(read("older", "24").unwrap().older_h, Some(24));
    assert_eq!(read("state", " ").unwrap(), Filter::default());
    for (name, value) in [("state", "gone"), ("kind", "x"), ("older", "-1"), ("min", "a"), ("max", "-3")] {
        let error = read(name, value).unwrap_err().to_string();
        assert!(error.contains(value) && error.ends_with('.'), "{error}");
    }
}

#[test]
fn cases_survive_a_snapshot_and_have_a_limit() {
    let mut cases = after(&[verdict(9, 5, Ruling::Refused, "x"), act(10, 5, QueueAct::Retry)]);
    let kept = serde_json::to_value(&cases).unwrap();
    assert_eq!(serde_json::from_value::<Cases>(kept).unwrap(), cases);
    cases.apply(&act(11, 5, QueueAct::Resolve { how: Resolution::Duplicate }));
    for seq in 100..10_200 {
        cases.apply(&verdict(seq, seq, Ruling::Refused, "x"));
    }
    assert!(cases.of(Subject { epoch: EPOCH, seq: 5 }).is_none(), "what is ended goes first");
    assert_eq!(cases.needing_a_person().count(), 10_000);
}

#[test]
fn the_checklist_says_of_which_books_the_sums_are_and_that_there_are_no_receipts_yet() {
    let says = |from: u64, worth: Option<i64>, lang: Lang| {
        let worth = worth.map(|minor| Money::new(minor, Currency::CNY));
        Check::SumsAgree { same: Same::Yes, from, until: 42, worth }.words(lang, |money| money.decimal())
    };
    for (from, worth, lang, said) in [
        (1, Some(560), Lang::En, "sums as this till: 5.60 in receipts."),
        (1, None, Lang::En, "Up to record 42 of today's books, "),
        (1, None, Lang::En, "sums as this till: no receipts yet."),
        (7, None, Lang::En, "From record 7 to 42 of today's books, "),
        (1, Some(560), Lang::ZhHans, "：小票共 5.60。"),
        (7, None, Lang::ZhHans, "：尚无小票。"),
        (7, None, Lang::ZhHans, "今天的账本第 7 至 42 条"),
    ] {
        let words = says(from, worth, lang);
        assert!(words.contains(said), "{said} in {words}");
    }
}
