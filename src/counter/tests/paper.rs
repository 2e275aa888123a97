//! Paper and drawer: started once, ended once, printed again only by a person.

use super::*;
use crate::record::body::Paper;

/// A cola paid in cash: its sale, its paper, its drawer.
fn paid() -> (TestTill, SaleId, JobId, KickId) {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    let sale = bench.front().id;
    bench.cash(500).unwrap();
    let (job, kick) = (bench.last_job(), bench.last_kick());
    (bench, sale, job, kick)
}

fn reprint(bench: &mut TestTill, sale: SaleId) -> Answer {
    let archived = if bench.till.holds(sale) { None } else { Sale::fold(&bench.of_sale(sale)) };
    let command = bench.command(Act::Reprint { sale, size: TypeSize::Normal });
    bench.post_about(&Event::Act(command), archived.as_ref())
}

fn attention(bench: &TestTill) -> Vec<&'static str> {
    bench.view().attention.iter().map(|asks| asks.code).collect()
}

#[test]
fn paper_is_started_once_and_ended_once() {
    let (mut bench, _, job, _) = paid();
    assert_eq!(kinds(&bench.print(job, PrintReport::Starting).unwrap()), ["print_started"]);
    assert_eq!(word(&bench.print(job, PrintReport::Starting)), "not_now");
    assert_eq!(bench.view().recent[0].paper, "printing");
    bench.print(job, ended(PaperOutcome::Confirmed)).unwrap();
    assert_eq!(bench.view().recent[0].paper, "printed");
    assert_eq!(word(&bench.print(job, PrintReport::Starting)), "not_now");
    assert_eq!(word(&bench.print(job, ended(PaperOutcome::Confirmed))), "not_now");
    assert_eq!(bench.owed(), ["kick"]);
}

#[test]
fn paper_that_did_not_start_is_owed_again_after_a_restart_but_no_drawer_opens_by_itself() {
    let (mut bench, _, job, _) = paid();
    assert_eq!(kinds(&bench.restart()), ["booted", "drawer_ended"]);
    assert_eq!(bench.owed(), ["print"]);
    assert_eq!(attention(&bench), ["drawer_unconfirmed"]);
    bench.print(job, PrintReport::Starting).unwrap();
}

#[test]
fn paper_and_drawer_that_were_started_at_a_restart_are_unconfirmed() {
    let (mut bench, _, job, kick) = paid();
    bench.print(job, PrintReport::Starting).unwrap();
    bench.post(&Event::Drawer(kick, PrintReport::Starting)).unwrap();
    assert_eq!(kinds(&bench.restart()), ["booted", "print_ended", "drawer_ended"]);
    assert!(bench.owed().is_empty(), "nothing is printed twice by itself");
    assert_eq!(attention(&bench), ["paper_unconfirmed", "drawer_unconfirmed"]);
    assert_eq!(kinds(&bench.restart()), ["booted"]);
    assert_eq!(word(&bench.print(job, PrintReport::Starting)), "not_now");
    let settle = |job, words: &str| Act::Settle { job, words: words.to_owned() };
    assert_eq!(word(&bench.act(settle(job, ""))), "not_now");
    bench.act(settle(job, "it is there")).unwrap();
    assert_eq!(word(&bench.act(settle(job, "it is there"))), "not_now");
    bench.act(settle(JobId(kick.0), "it was open")).unwrap();
    assert!(attention(&bench).is_empty());
}

#[test]
fn the_drawer_opens_once() {
    let (mut bench, _, _, kick) = paid();
    bench.post(&Event::Drawer(kick, PrintReport::Starting)).unwrap();
    assert_eq!(word(&bench.post(&Event::Drawer(kick, PrintReport::Starting))), "not_now");
    bench.post(&Event::Drawer(kick, ended(PaperOutcome::Confirmed))).unwrap();
    assert_eq!(word(&bench.post(&Event::Drawer(kick, PrintReport::Starting))), "not_now");
    assert_eq!(bench.owed(), ["print"]);
}

#[test]
fn a_copy_is_counted_and_settles_the_paper_before_it() {
    let (mut bench, sale, job, _) = paid();
    assert_eq!(word(&reprint(&mut bench, sale)), "not_now");
    bench.print(job, PrintReport::Starting).unwrap();
    bench.print(job, ended(PaperOutcome::FailedPartWay)).unwrap();
    assert_eq!(attention(&bench), ["paper_failed"]);
    for number in 1..=20 {
        let made = reprint(&mut bench, sale).unwrap();
        let Body::PrintOrdered { paper, .. } = &made.last().unwrap().body else { panic!("no paper") };
        assert_eq!(*paper, crate::record::body::Paper::Copy(number));
        assert!(attention(&bench).is_empty());
        assert_eq!(word(&reprint(&mut bench, sale)), "not_now");
        let copy = bench.last_job();
        bench.print(copy, PrintReport::Starting).unwrap();
        let outcome = if number % 2 == 0 { PaperOutcome::Confirmed } else { PaperOutcome::Unconfirmed };
        bench.print(copy, ended(outcome)).unwrap();
    }
    assert_eq!(word(&reprint(&mut bench, sale)), "not_now");
}

#[test]
fn a_sale_without_a_receipt_has_no_copy() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    let sale = bench.front().id;
    assert_eq!(word(&reprint(&mut bench, sale)), "not_now");
    assert_eq!(word(&reprint(&mut bench, SaleId([0; 16]))), "not_now");
}

#[test]
fn a_copy_names_the_cashier_of_the_sale() {
    let (mut bench, sale, _, _) = paid();
    bench.finish_devices();
    bench.staff = Some("mei".parse().unwrap());
    bench.act(Act::SignIn).unwrap();
    reprint(&mut bench, sale).unwrap();
    let folded = Sale::fold(&bench.of_sale(sale)).unwrap();
    assert_eq!((folded.staff.unwrap().as_str(), folded.copies), ("bo", 1));
}

#[test]
fn words_from_outside_are_cut_to_what_a_record_carries() {
    let (mut bench, _, job, kick) = paid();
    let long = "\u{1b}paper ".repeat(100_000);
    let said = |outcome| PrintReport::Ended(outcome, long.clone());
    bench.print(job, said(PaperOutcome::FailedBefore)).unwrap();
    bench.post(&Event::Drawer(kick, said(PaperOutcome::FailedBefore))).unwrap();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(1)).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, ProviderReport::Unsure(long.clone())).unwrap();
    bench.act(Act::CancelPayment { intent }).unwrap();
    bench.report(intent, ProviderReport::CancelUnsure(long.clone())).unwrap();
    bench.report(intent, ProviderReport::Cancelled(long.clone())).unwrap();
    bench.report(intent, approved(fen(2_800))).unwrap();
    let refund = bench.last_refund();
    let refused = super::super::event::RefundReport::Refused(long.clone());
    bench.post(&Event::Refund(refund, refused)).unwrap();
    let longest = bench.records.iter().map(|record| record.bytes.len()).max().unwrap();
    assert!(longest < 2_000, "{longest} bytes");
}

fn ordered(made: &[Record]) -> (Paper, TypeSize) {
    let of = |record: &Record| match &record.body {
        Body::PrintOrdered { paper, size, .. } => Some((*paper, *size)),
        _ => None,
    };
    made.iter().find_map(of).expect("no paper")
}

fn large(size: TypeSize) -> Act {
    Act::ChooseTypeSize { size }
}

#[test]
fn a_customer_who_wants_large_type_gets_it_and_so_does_every_copy() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.act(large(TypeSize::Large))), "no_sale");
    bench.scan(COLA).unwrap();
    let sale = bench.front().id;
    for (size, made) in
        [(TypeSize::Large, 1), (TypeSize::Large, 0), (TypeSize::Normal, 1), (TypeSize::Large, 1)]
    {
        assert_eq!(bench.act(large(size)).unwrap().len(), made, "{size:?}");
        assert_eq!(bench.front().size, size);
    }
    bench.act(Act::Pay).unwrap();
    bench.restart();
    assert_eq!(bench.front().size, TypeSize::Large, "it is on disk");
    assert_eq!(ordered(&bench.cash(500).unwrap()), (Paper::Receipt, TypeSize::Large));
    let [Duty::Print(duty)] =
        &bench.till.owed().into_iter().filter(|duty| matches!(duty, Duty::Print(_))).collect::<Vec<_>>()[..]
    else {
        panic!("no paper is owed")
    };
    assert_eq!(duty.size, TypeSize::Large);
    bench.finish_devices();
    let made = reprint(&mut bench, sale).unwrap();
    assert_eq!(ordered(&made), (Paper::Copy(1), TypeSize::Large), "never smaller than it was wanted");
}

#[test]
fn a_receipt_is_printed_again_in_large_type_as_a_counted_copy() {
    let (mut bench, sale, ..) = paid();
    bench.finish_devices();
    let archived = Sale::fold(&bench.of_sale(sale));
    let command = bench.command(Act::Reprint { sale, size: TypeSize::Large });
    let made = bench.post_about(&Event::Act(command), archived.as_ref()).unwrap();
    assert_eq!(ordered(&made), (Paper::Copy(1), TypeSize::Large));
    bench.finish_devices();
    assert_eq!(ordered(&reprint(&mut bench, sale).unwrap()), (Paper::Copy(2), TypeSize::Normal));
}

#[test]
fn paper_of_the_usual_size_is_written_down_as_it_always_was() {
    let (bench, ..) = paid();
    let ordered = bench.records.iter().find(|record| record.body.kind() == "print_ordered").unwrap();
    assert!(!String::from_utf8_lossy(&ordered.bytes).contains("size"));
    let old = Body::parse(
        "print_ordered",
        br#"{"kind":"print_ordered","job":"00000000000000000000000000000001","paper":"receipt"}"#,
    );
    assert!(matches!(old, Body::PrintOrdered { size: TypeSize::Normal, .. }), "{old:?}");
}
