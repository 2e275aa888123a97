//! The four errands of a payment: send it once, ask for it, take it back, look once more.
//!
//! **Invariant:** "not found" proves nothing while a request may be on its way, and so ends no question;
//! only [`watch`], which waits longer than a request can travel, takes it for an end.
//!
//! Not here: giving a settled payment back (`refund`).

use super::{Ending, Stop, Surroundings, report, unless_stopped};
use crate::counter::duty::{PayBy, PayDuty};
use crate::counter::event::{Event, ProviderReport};
use crate::inbox::CodeInHand;
use crate::record::money_moves::Advice;
use crate::scan;
use crate::wallet::{
    Answer, CancelAction, CancelAnswer, OrderNumber, PayCode, PayRequest, PrecreateRequest, Scene, Wallet,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// The shortest and longest life that a payment gets at the wallet, in seconds.
const EXPIRES_S: std::ops::RangeInclusive<u64> = 60..=900;

/// How long the question before a cancellation may take.
const LOOK_FIRST: Duration = Duration::from_secs(3);

/// Sends the payment once, with the code in hand; or has the wallet make a code for the till to show.
pub(super) async fn submit(around: &Surroundings, duty: &PayDuty, code: Option<CodeInHand>) -> Ending {
    let outcome = match (code, around.config.wallets.get(&duty.provider)) {
        (_, Some(wallet)) if duty.by == PayBy::ShownCode => have_code_made(around, wallet, duty).await,
        (_, None) if duty.by == PayBy::ShownCode => {
            report::refused("TILL.NO_WALLET", no_wallet(duty), Advice::OtherMeans)
        }
        (None, _) => ProviderReport::Unsure(report::RESTARTED.to_owned()),
        (Some(_), None) => report::refused("TILL.NO_WALLET", no_wallet(duty), Advice::OtherMeans),
        (Some(code), Some(wallet)) => match PayCode::new(code.0) {
            Ok(code) => pay(around, wallet, duty, code).await,
            Err(error) => report::refused("TILL.PAY_CODE", error.to_string(), Advice::NewCode),
        },
    };
    post(around, duty, outcome).await
}

async fn pay(
    around: &Surroundings,
    wallet: &Arc<dyn Wallet>,
    duty: &PayDuty,
    pay_code: PayCode,
) -> ProviderReport {
    let request = PayRequest {
        order: order(duty),
        amount: duty.amount,
        subject: around.config.subject.clone(),
        scene: scene(&pay_code),
        pay_code,
        terminal: format!("{}_{}", around.config.terminal, duty.station),
        store: None,
        expires_in_s: life_s(duty),
    };
    let answer = wallet.pay(&request).await;
    if let Answer::Approved(approval) = &answer
        && let Ok(Some(odd)) = approval.disagreement()
    {
        tracing::warn!(intent.id = %duty.intent, odd, "The wallet's amounts do not add up.");
    }
    report::of_payment(answer, duty.amount)
}

async fn have_code_made(around: &Surroundings, wallet: &Arc<dyn Wallet>, duty: &PayDuty) -> ProviderReport {
    let request = PrecreateRequest {
        order: order(duty),
        amount: duty.amount,
        subject: around.config.subject.clone(),
        terminal: format!("{}_{}", around.config.terminal, duty.station),
        store: None,
        expires_in_s: life_s(duty),
    };
    report::of_code(wallet.precreate(&request).await)
}

/// How long a payment lives at the wallet.
fn life_s(duty: &PayDuty) -> u32 {
    let life_s = duty.settle_by.monotonic_ms.saturating_sub(duty.drawn.monotonic_ms) / 1000;
    u32::try_from(life_s.clamp(*EXPIRES_S.start(), *EXPIRES_S.end())).unwrap_or(u32::MAX)
}

/// A face terminal's code is sent as one; everything else came from the phone's screen.
fn scene(code: &PayCode) -> Scene {
    match scan::PayCode::read(code.expose()).map(|code| code.scene()) {
        Some(scan::Scene::SecurityCode) => Scene::SecurityCode,
        Some(scan::Scene::BarCode) | None => Scene::BarCode,
    }
}

/// Asks until it is known what became of the payment. Says once that the wallet waits for the customer.
///
/// It stops between an answer and the next only: what was read is posted.
pub(super) async fn ask(around: &Surroundings, duty: &PayDuty, stop: &mut Stop) -> Ending {
    let Some(wallet) = wallet(around, duty) else {
        return post(around, duty, ProviderReport::Unsure(no_wallet(duty))).await;
    };
    let rules = around.config.rules(duty.provider);
    let began = Instant::now();
    let mut said = Said::default();
    let mut gap = rules.query_first;
    loop {
        let question = async {
            sleep(gap).await;
            wallet.query(&order(duty), duty.amount).await
        };
        let Some(answer) = unless_stopped(stop, question).await else { return Ending::Open };
        match &answer {
            Answer::Pending if !said.pending => {
                said.pending = true;
                post(around, duty, ProviderReport::Pending).await;
            }
            Answer::Approved(approval) if approval.total != duty.amount && !said.other_amount => {
                said.other_amount = true;
                let words = report::other_amount(approval, duty.amount);
                tracing::error!(intent.id = %duty.intent, "{words}");
                post(around, duty, ProviderReport::Unsure(words)).await;
            }
            Answer::Approved(_)
            | Answer::Pending
            | Answer::Declined(_)
            | Answer::NotFound
            | Answer::Closed
            | Answer::NotSent { .. }
            | Answer::Unsure(_) => {}
        }
        if let Some(outcome) = report::conclusive(answer, duty.amount) {
            return post(around, duty, outcome).await;
        }
        gap = rules.query_gap(began.elapsed());
    }
}

/// What was said already: each is said once.
#[derive(Default)]
struct Said {
    pending: bool,
    other_amount: bool,
}

/// Takes the payment back until that is known. Says once that it is not known yet.
///
/// A cancellation gives back what was paid, so it is asked first: the customer who paid is served. A call that
/// takes back is never broken off; but one whose answer was lost, or that an earlier start sent, may still be on
/// its way and undo what a question finds paid. So after such a call an approval counts once it has stood for
/// as long as a request can travel. `sent` is none where this start has not sent or asked before.
///
/// Where the wallet lets no payment be taken back soon after it was sent, it is asked until then.
pub(super) async fn cancel(
    around: &Surroundings,
    duty: &PayDuty,
    sent: Option<Instant>,
    stop: &mut Stop,
) -> Ending {
    let Some(wallet) = wallet(around, duty) else {
        return post(around, duty, ProviderReport::CancelUnsure(no_wallet(duty))).await;
    };
    let rules = around.config.rules(duty.provider);
    let begun = Instant::now();
    // That rule is about payments that the wallet works at: a code that nobody has scanned is closed at any time.
    let may_begin = match duty.by {
        PayBy::CustomersCode => sent.unwrap_or(begun) + rules.cancel_not_before,
        PayBy::ShownCode => begun,
    };
    // Until then a call that takes back may land.
    let mut in_flight_until = if sent.is_none() { begun + rules.watch_after } else { begun };
    loop {
        match unless_stopped(stop, stands(wallet.as_ref(), duty, in_flight_until)).await {
            Some(Some(outcome)) => return post(around, duty, outcome).await,
            Some(None) => {}
            None => return Ending::Open,
        }
        let now = Instant::now();
        if may_begin <= now {
            break;
        }
        if unless_stopped(stop, sleep(rules.query_fast.min(may_begin - now))).await.is_none() {
            return Ending::Open;
        }
    }
    let mut gaps = rules.retries();
    let mut said_unsure = false;
    loop {
        match try_to_cancel(wallet.as_ref(), duty).await {
            Tried::Paid(outcome) => {
                if in_flight_until <= Instant::now() {
                    return post(around, duty, *outcome).await;
                }
                match unless_stopped(stop, stands(wallet.as_ref(), duty, in_flight_until)).await {
                    Some(Some(outcome)) => return post(around, duty, outcome).await,
                    Some(None) => {}
                    None => return Ending::Open,
                }
            }
            Tried::Cancelled(words) => {
                return post(around, duty, ProviderReport::Cancelled(words.to_owned())).await;
            }
            Tried::Open(words) => {
                in_flight_until = Instant::now() + rules.watch_after;
                if !said_unsure {
                    said_unsure = true;
                    tracing::warn!(intent.id = %duty.intent, why = words, "A payment could not be taken back yet.");
                    post(around, duty, ProviderReport::CancelUnsure(words)).await;
                }
            }
        }
        if unless_stopped(stop, gaps.wait()).await.is_none() {
            return Ending::Open;
        }
    }
}

/// The approval, if the wallet knows of one and still does when no call that takes back can be on its way.
async fn stands(wallet: &dyn Wallet, duty: &PayDuty, in_flight_until: Instant) -> Option<ProviderReport> {
    let outcome = paid_already(wallet, duty).await?;
    if in_flight_until <= Instant::now() {
        return Some(outcome);
    }
    sleep_until(in_flight_until).await;
    paid_already(wallet, duty).await
}

/// The approval, if the wallet knows of one. Any other answer, and none in time, leaves it to the cancellation.
async fn paid_already(wallet: &dyn Wallet, duty: &PayDuty) -> Option<ProviderReport> {
    let answer = timeout(LOOK_FIRST, wallet.query(&order(duty), duty.amount)).await.ok()?;
    match answer {
        Answer::Approved(_) => report::conclusive(answer, duty.amount),
        Answer::Pending
        | Answer::Declined(_)
        | Answer::NotFound
        | Answer::Closed
        | Answer::NotSent { .. }
        | Answer::Unsure(_) => None,
    }
}

enum Tried {
    /// It was not taken back: it is paid.
    Paid(Box<ProviderReport>),
    /// It was, in these words.
    Cancelled(&'static str),
    /// Not known.
    Open(String),
}

async fn try_to_cancel(wallet: &dyn Wallet, duty: &PayDuty) -> Tried {
    let cancelled = |words: &'static str| Tried::Cancelled(words);
    let open = |words: String| Tried::Open(words);
    match take_back(wallet, duty).await {
        CancelAnswer::Cancelled { action: CancelAction::Refunded } => {
            cancelled("The customer had paid, and the wallet gave the money back.")
        }
        CancelAnswer::Cancelled { action } => match after_cancel(wallet, duty).await {
            Found::Paid(outcome) => Tried::Paid(outcome),
            // It landed after the cancellation, which ended nothing.
            Found::Waiting => {
                open("The payment arrived after it was taken back: it is taken back again.".to_owned())
            }
            Found::Nothing | Found::Unclear if action == CancelAction::Closed => {
                cancelled("The wallet closed the payment unpaid.")
            }
            Found::Nothing | Found::Unclear if action == CancelAction::Ended => {
                cancelled("The wallet has ended the payment; what the customer paid goes back.")
            }
            Found::Nothing | Found::Unclear => cancelled("The wallet had no such payment to take back."),
        },
        CancelAnswer::Declined(decline) => match after_cancel(wallet, duty).await {
            Found::Paid(outcome) => Tried::Paid(outcome),
            Found::Nothing => {
                cancelled("The wallet says that the payment is over and that it kept no money.")
            }
            Found::Waiting | Found::Unclear => {
                open(format!("The wallet does not take the payment back: {}", report::words(&decline)))
            }
        },
        CancelAnswer::Retry => {
            open("The wallet asks to be called again to take the payment back.".to_owned())
        }
        CancelAnswer::NotSent { .. } => {
            open("The wallet cannot be reached to take the payment back; it is tried again.".to_owned())
        }
        CancelAnswer::Unsure(doubt) => {
            open(format!("It is not known whether the payment was taken back. ({})", doubt.why))
        }
    }
}

/// A payment that was sent is cancelled; an order that waits to be scanned is closed, and stands if it was paid.
async fn take_back(wallet: &dyn Wallet, duty: &PayDuty) -> CancelAnswer {
    match duty.by {
        PayBy::CustomersCode => wallet.cancel(&order(duty)).await,
        PayBy::ShownCode => wallet.close(&order(duty)).await,
    }
}

/// What a question after a cancellation finds.
enum Found {
    Paid(Box<ProviderReport>),
    Waiting,
    Nothing,
    Unclear,
}

async fn after_cancel(wallet: &dyn Wallet, duty: &PayDuty) -> Found {
    let answer = wallet.query(&order(duty), duty.amount).await;
    match answer {
        Answer::Approved(_) => {
            report::conclusive(answer, duty.amount).map_or(Found::Unclear, |paid| Found::Paid(Box::new(paid)))
        }
        Answer::Pending => Found::Waiting,
        Answer::Declined(_) | Answer::Closed => Found::Nothing,
        Answer::NotFound | Answer::NotSent { .. } | Answer::Unsure(_) => Found::Unclear,
    }
}

/// Looks once more whether money arrived after the payment was taken back, until that is answered.
///
/// A code that was shown may have been photographed or printed, and a wallet may know nothing of it until it is
/// scanned: it is looked for until its time at the wallet is over.
pub(super) async fn watch(around: &Surroundings, duty: &PayDuty) -> Ending {
    let rules = around.config.rules(duty.provider);
    sleep(rules.watch_after).await;
    let Some(wallet) = wallet(around, duty) else {
        tracing::warn!(intent.id = %duty.intent, "{}", no_wallet(duty));
        return Ending::Open;
    };
    let mut gaps = rules.retries();
    let lives_until = match duty.by {
        PayBy::CustomersCode => Instant::now(),
        PayBy::ShownCode => Instant::now() + Duration::from_secs(u64::from(life_s(duty))),
    };
    loop {
        let answer = wallet.query(&order(duty), duty.amount).await;
        match answer {
            Answer::NotFound if Instant::now() < lives_until => {}
            Answer::Approved(_) => {
                if let Some(outcome) = report::conclusive(answer, duty.amount) {
                    tracing::warn!(intent.id = %duty.intent, "Money came after its payment was taken back.");
                    return post(around, duty, outcome).await;
                }
                gaps.wait().await;
            }
            Answer::Declined(_) | Answer::NotFound | Answer::Closed => {
                return post(around, duty, ProviderReport::NothingLate).await;
            }
            // It waits for the customer, or has failed and wants to be ended (WeChat Pay's PAYERROR): end it, and
            // look again as long after that as after any other ending.
            Answer::Pending | Answer::Unsure(_) => {
                let _told_by_the_next_look = take_back(wallet.as_ref(), duty).await;
                sleep(rules.watch_after).await;
                gaps.wait().await;
            }
            Answer::NotSent { .. } => gaps.wait().await,
        }
    }
}

fn wallet(around: &Surroundings, duty: &PayDuty) -> Option<Arc<dyn Wallet>> {
    around.config.wallets.get(&duty.provider).cloned()
}

fn no_wallet(duty: &PayDuty) -> String {
    format!(
        "This till has no account at {:?} to ask: add it to the configuration, or look the payment up at the \
         wallet.",
        duty.provider
    )
}

fn order(duty: &PayDuty) -> OrderNumber {
    OrderNumber::parse(&duty.intent.to_string()).expect("an intent's 32 hexadecimal digits are a number")
}

/// Posts, and says whether the till will read what became of the payment.
async fn post(around: &Surroundings, duty: &PayDuty, outcome: ProviderReport) -> Ending {
    let ending = match outcome {
        ProviderReport::Approved(_) | ProviderReport::Declined { .. } => Ending::Concluded,
        ProviderReport::Told(_)
        | ProviderReport::Shown(_)
        | ProviderReport::ShownUnheard(_)
        | ProviderReport::Pending
        | ProviderReport::Unsure(_)
        | ProviderReport::Cancelled(_)
        | ProviderReport::CancelUnsure(_)
        | ProviderReport::NothingLate => Ending::Open,
    };
    if around.inbox.post(Event::Provider(duty.intent, outcome)).await {
        return ending;
    }
    tracing::warn!(intent.id = %duty.intent, "The till is gone; the next start asks for this payment.");
    Ending::Open
}
