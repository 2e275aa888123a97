//! Codes that the till shows in front of a station: orders at a cloud, and codes of a wallet.

use super::*;
use crate::record::body::Paper;
use crate::record::money_moves::Carrier;
use crate::view::{Phase, SafeAct};

const URL: &str = "HTTPS://PAY.EXAMPLE/O/O1.ABC";

/// A latte for 28.00, and Pay pressed.
fn to_pay() -> TestTill {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench
}

fn show(bench: &mut TestTill) -> Answer {
    bench.act(Act::ShowCode { at: None })
}

/// And a code is on the screens.
fn shown() -> (TestTill, IntentId) {
    let mut bench = to_pay();
    assert_eq!(kinds(&show(&mut bench).unwrap()), ["intent_drawn"]);
    let intent = bench.last_intent();
    assert_eq!(kinds(&bench.report(intent, ProviderReport::Shown(URL.to_owned())).unwrap()), ["code_shown"]);
    (bench, intent)
}

/// The same at a till that calls Alipay itself.
fn shown_by_wallet() -> (TestTill, IntentId) {
    let mut bench = to_pay();
    bench.phones = PhonesPay::AtTheWallet;
    show(&mut bench).unwrap();
    let intent = bench.last_intent();
    assert_eq!(bench.owed(), ["submit"]);
    bench.report(intent, ProviderReport::Shown("https://qr.example/1".to_owned())).unwrap();
    (bench, intent)
}

fn back(bench: &mut TestTill, intent: IntentId) -> Answer {
    bench.act(Act::CancelPayment { intent })
}

fn gone() -> ProviderReport {
    ProviderReport::Cancelled("nobody has paid it".to_owned())
}

fn run_out(bench: &mut TestTill) -> Vec<Record> {
    bench.wait_ms(285_000);
    bench.post(&Event::DeadlinePassed).unwrap()
}

#[test]
fn a_code_is_an_order_of_this_sale_and_a_phone_pays_it() {
    let (mut bench, intent) = shown();
    let [Duty::Offer(duty)] = &bench.till.owed()[..] else { panic!("not offered") };
    assert_eq!((duty.intent, duty.amount, duty.terms.desk.clone()), (intent, fen(2_800), None));
    let payment = bench.payment();
    assert_eq!((payment.code.as_deref(), payment.carrier), (Some(URL), "code"));
    assert_eq!(payment.until_ms - payment.drawn_ms, 285_000, "less than the five minutes of an order");
    bench.report(intent, ProviderReport::Pending).unwrap();
    assert_eq!(bench.payment().safe, SafeAct::WaitForPhone);
    let made = bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(kinds(&made), ["approved", "receipt_issued", "print_ordered"]);
}

#[test]
fn nothing_is_shown_that_nobody_can_scan_yet() {
    let mut bench = to_pay();
    show(&mut bench).unwrap();
    assert_eq!(bench.payment().code, None);
    assert!(bench.payment().words.contains("made ready"));
    let intent = bench.last_intent();
    bench.report(intent, ProviderReport::Shown(URL.to_owned())).unwrap();
    assert!(bench.report(intent, ProviderReport::Shown("ANOTHER".to_owned())).unwrap().is_empty());
    assert_eq!(bench.payment().code.as_deref(), Some(URL));
}

#[test]
fn while_a_code_is_open_no_other_money_is_taken_and_the_basket_is_shut() {
    for (mut bench, intent) in [shown(), shown_by_wallet()] {
        for answer in [
            bench.cash(2_800),
            bench.scan(&pay_code(1)),
            show(&mut bench),
            bench.act(Act::Back),
            bench.press("latte"),
            bench.act(Act::Part { amount: Some(fen(100)) }),
            bench.act(Act::VoidSale { reason: "no".to_owned() }),
        ] {
            assert_eq!(word(&answer), "phone_is_paying");
        }
        assert_eq!(bench.payment().safe, SafeAct::LetScan);
        back(&mut bench, intent).unwrap();
        assert_eq!(bench.payment().code, None, "what was taken back is shown no more");
    }
}

#[test]
fn an_order_that_is_taken_back_leaves_the_total_for_the_next_tender() {
    let (mut bench, intent) = shown();
    assert_eq!(kinds(&back(&mut bench, intent).unwrap()), ["abandoned"]);
    assert_eq!((bench.owed(), bench.front().phase), (vec!["withdraw"], Phase::Tender));
    assert_eq!(word(&show(&mut bench)), "code_unsettled", "never two that may both be paid");
    bench.cash(2_800).unwrap();
    bench.finish_devices();
    let made = bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(kinds(&made), ["paid_late", "refund_drawn"], "the phone was too late");
    assert_eq!(bench.count("receipt_issued"), 1);
    let refund = bench.last_refund();
    bench.post(&Event::Refund(refund, super::super::event::RefundReport::Refunded)).unwrap();
}

#[test]
fn a_code_that_runs_out_is_renewed_once_the_old_one_is_settled() {
    let (mut bench, first) = shown();
    assert_eq!(kinds(&run_out(&mut bench)), ["abandoned"]);
    assert_eq!(bench.count("intent_drawn"), 1);
    assert_eq!(kinds(&bench.report(first, gone()).unwrap()), ["tombstoned", "intent_drawn"]);
    let second = bench.last_intent();
    assert_ne!(first, second);
    bench.report(second, ProviderReport::Shown(URL.to_owned())).unwrap();
    assert_eq!(kinds(&bench.report(second, approved(fen(2_800))).unwrap())[0], "approved");
}

#[test]
fn an_unattended_code_is_renewed_twice_and_then_waits_for_a_press() {
    for (mut bench, _) in [shown(), shown_by_wallet()] {
        for renewed in [1, 1, 0] {
            run_out(&mut bench);
            let intent = bench.last_intent();
            let before = bench.count("intent_drawn");
            bench.report(intent, gone()).unwrap();
            assert_eq!(bench.count("intent_drawn") - before, renewed);
            if renewed == 1 {
                let intent = bench.last_intent();
                bench.report(intent, ProviderReport::Shown(URL.to_owned())).unwrap();
            }
        }
        show(&mut bench).unwrap();
    }
}

#[test]
fn what_somebody_took_back_is_not_renewed() {
    for (mut bench, intent) in [shown(), shown_by_wallet()] {
        back(&mut bench, intent).unwrap();
        bench.report(intent, gone()).unwrap();
        assert_eq!((bench.count("intent_drawn"), bench.front().phase), (1, Phase::Tender));
    }
}

#[test]
fn a_code_is_renewed_only_where_its_sale_still_waits_for_the_same_money() {
    type Meanwhile = fn(&mut TestTill);
    let cases: [(&str, Meanwhile); 4] = [
        ("put aside", |bench| drop(bench.act(Act::Hold).unwrap())),
        ("paid in cash", |bench| drop(bench.cash(2_800).unwrap())),
        ("another part", |bench| drop(bench.act(Act::Part { amount: Some(fen(100)) }).unwrap())),
        ("open again", |bench| drop(bench.act(Act::Back).unwrap())),
    ];
    for (name, meanwhile) in cases {
        let (mut bench, intent) = shown();
        run_out(&mut bench);
        meanwhile(&mut bench);
        bench.report(intent, gone()).unwrap();
        assert_eq!(bench.count("intent_drawn"), 1, "{name}");
    }
}

#[test]
fn a_phone_that_has_begun_to_pay_is_heard_out_past_the_codes_time() {
    let (mut bench, intent) = shown();
    bench.report(intent, ProviderReport::Pending).unwrap();
    assert!(run_out(&mut bench).is_empty());
    bench.wait_ms(60_000);
    assert!(bench.post(&Event::DeadlinePassed).unwrap().is_empty());
    assert_eq!(kinds(&bench.report(intent, approved(fen(2_800))).unwrap())[0], "approved");

    let (mut bench, intent) = shown();
    bench.report(intent, ProviderReport::Pending).unwrap();
    bench.wait_ms(285_000 + 90_000);
    assert_eq!(kinds(&bench.post(&Event::DeadlinePassed).unwrap()), ["abandoned"]);
    bench.report(intent, gone()).unwrap();
}

#[test]
fn a_part_of_the_total_is_shown_and_the_rest_is_cash() {
    let mut bench = to_pay();
    bench.act(Act::Part { amount: Some(fen(1_000)) }).unwrap();
    show(&mut bench).unwrap();
    let intent = bench.last_intent();
    assert_eq!(bench.payment().amount, fen(1_000));
    bench.report(intent, approved(fen(1_000))).unwrap();
    assert_eq!(bench.front().due, Some(fen(1_800)));
    bench.cash(1_800).unwrap();
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn a_till_that_is_not_sure_of_the_time_shows_no_order() {
    let mut bench = to_pay();
    let heard = bench.moment.cloud_offset_ms.take();
    assert_eq!(word(&show(&mut bench)), "clock_unsure", "the cloud was never heard");
    bench.moment.cloud_offset_ms = heard;
    bench.act(Act::Back).unwrap();
    bench.act(Act::Pay).unwrap();
    bench.moment.wall_ms += 3_600_000;
    assert_eq!(word(&show(&mut bench)), "clock_unsure", "somebody moved the clock");
    bench.moment.cloud_offset_ms = Some(-3_600_000);
    show(&mut bench).unwrap();
    let intent = bench.last_intent();
    back(&mut bench, intent).unwrap();
    bench.report(intent, gone()).unwrap();
    // A wallet's own code says no time.
    bench.moment.cloud_offset_ms = None;
    bench.phones = PhonesPay::AtTheWallet;
    show(&mut bench).unwrap();
}

#[test]
fn without_a_cloud_the_wallet_is_chosen_before_the_scan() {
    let mut bench = to_pay();
    bench.phones = PhonesPay::AtTheWallet;
    bench.wallets.clear();
    assert_eq!(word(&show(&mut bench)), "no_code_here");
    bench.wallets = [ProviderName::Alipay, ProviderName::Wechat].into();
    assert_eq!(word(&show(&mut bench)), "choose_wallet");
    assert_eq!(word(&bench.act(Act::ShowCode { at: Some(ProviderName::House) })), "no_code_here");
    let made = bench.act(Act::ShowCode { at: Some(ProviderName::Wechat) }).unwrap();
    let Body::IntentDrawn { provider, carrier, .. } = &made[0].body else { panic!() };
    assert_eq!((*provider, carrier), (ProviderName::Wechat, &Carrier::WalletCode {}));
    assert_eq!(made[0].header.kind_version, 2, "an older build knows no such carrier");
}

#[test]
fn a_wallets_code_is_asked_for_closed_and_looked_for_again() {
    let (mut bench, intent) = shown_by_wallet();
    assert_eq!(bench.owed(), ["ask"]);
    assert!(bench.report(intent, ProviderReport::Pending).unwrap().is_empty());
    run_out(&mut bench);
    assert_eq!(bench.owed(), ["cancel"]);
    assert_eq!(kinds(&bench.report(intent, gone()).unwrap()), ["cancelled", "intent_drawn"]);
    assert_eq!(bench.owed(), ["watch", "submit"]);
    let made = bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(kinds(&made), ["paid_late", "refund_drawn"], "an old code that was paid goes back");
}

#[test]
fn a_wallet_that_gives_no_code_leaves_the_sale_to_other_money() {
    let mut bench = to_pay();
    bench.phones = PhonesPay::AtTheWallet;
    show(&mut bench).unwrap();
    let first = bench.last_intent();
    assert_eq!(
        kinds(&bench.report(first, ProviderReport::Unsure("lost".to_owned())).unwrap()),
        ["cancelling"]
    );
    assert_eq!(kinds(&bench.report(first, gone()).unwrap()), ["cancelled"]);
    show(&mut bench).unwrap();
    let second = bench.last_intent();
    assert_eq!(kinds(&bench.report(second, declined()).unwrap()), ["declined"]);
    bench.cash(2_800).unwrap();
}

#[test]
fn a_restart_keeps_a_code_that_was_shown_and_ends_one_that_was_not() {
    let (mut bench, _) = shown();
    bench.restart();
    assert_eq!((bench.owed(), bench.payment().code.as_deref()), (vec!["offer"], Some(URL)));
    let (mut bench, intent) = shown_by_wallet();
    bench.restart();
    assert_eq!(bench.owed(), ["ask"]);
    assert!(bench.payment().code.is_some());
    bench.report(intent, approved(fen(2_800))).unwrap();
    let mut bench = to_pay();
    bench.phones = PhonesPay::AtTheWallet;
    show(&mut bench).unwrap();
    assert_eq!(kinds(&bench.restart()), ["booted", "cancelling"]);
}

#[test]
fn a_code_on_paper_asks_nobody_and_is_not_printed_once_it_is_over() {
    let (mut bench, intent) = shown();
    let made = bench.act(Act::PrintCode { intent }).unwrap();
    let Body::PrintOrdered { job, paper, .. } = &made[0].body else { panic!() };
    assert_eq!((*paper, made[0].header.kind_version), (Paper::ShownCode(intent), 2));
    let job = *job;
    assert_eq!(word(&bench.act(Act::PrintCode { intent })), "not_now");
    bench.print(job, PrintReport::Starting).unwrap();
    bench.print(job, ended(PaperOutcome::FailedPartWay)).unwrap();
    assert!(bench.view().attention.is_empty(), "it stands on the screen, too");
    bench.act(Act::PrintCode { intent }).unwrap();
    let job = bench.last_job();
    back(&mut bench, intent).unwrap();
    assert_eq!(bench.owed(), ["withdraw"]);
    assert_eq!(word(&bench.print(job, PrintReport::Starting)), "not_now");
    assert_eq!(word(&bench.act(Act::PrintCode { intent })), "not_now");
    bench.report(intent, gone()).unwrap();
}

#[test]
fn a_sale_with_a_code_is_put_aside_and_the_next_customer_served() {
    let (mut bench, intent) = shown();
    bench.act(Act::Hold).unwrap();
    bench.press("latte").unwrap();
    bench.cash(2_800).unwrap();
    let made = bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(kinds(&made)[0], "approved");
    assert_eq!(bench.view().notices[0].code, "parked_paid");
}
