//! What a till takes while head office cannot be reached: value vouchers up to the limits, cash always; and quotas that
//! several tills share. Head office's own commands, real HTTP, real processes.
//!
//! A till counts as offline after a minute of silence, by a clock that nobody can move from outside: so one test here
//! takes that minute, and sells for cash meanwhile. Not here: each limit by itself (`till::counter`).

use crate::counter::{BEANS, Counter, WATER, says, text};
use crate::second::{Second, lease_in};
use serde_json::Value;

/// Looks at the screen before a minute of silence is over for certain: one each second.
const LOOKS: usize = 120;

/// Value vouchers, one a line.
async fn vouchers(counter: &Counter, value: &str, count: usize) -> Vec<String> {
    let issue = ["voucher", "issue", "--value", value, "--count", &count.to_string()];
    codes(&counter.shop.head_office(&issue).await.unwrap(), "G1.", count)
}

fn codes(said: &str, kind: &str, count: usize) -> Vec<String> {
    let codes: Vec<String> = said.lines().filter(|line| line.starts_with(kind)).map(str::to_owned).collect();
    assert_eq!(codes.len(), count, "{said}");
    codes
}

/// Runs a command that changes the bundle, and waits until the till has it.
async fn decreed(counter: &Counter, arguments: &[&str]) {
    let said = counter.shop.head_office(arguments).await.unwrap();
    let (_, version) = said.rsplit_once("bundle ").unwrap_or_else(|| panic!("no bundle in {said}"));
    let version: u64 = version.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    counter
        .until("the bundle", async || {
            (counter.view().await["till"]["bundle_version"].as_u64()? >= version).then_some(())
        })
        .await;
}

/// Beans in front, 63.00 after the offer, with Pay pressed.
async fn to_pay(counter: &Counter) -> String {
    let sale = text(&counter.basket(&[BEANS]).await["id"]);
    counter.press("pay", &[]).await;
    sale
}

/// Scans a voucher, which pays a part.
async fn part_paid(counter: &Counter, voucher: &str) {
    let paid = counter.front().await["paid"].clone();
    counter.shop.scan(voucher).unwrap();
    counter.until("the voucher", async || (counter.front().await["paid"] != paid).then_some(())).await;
}

/// Types what is refused: the same code scanned twice at once would be one scan. The stable word and the sentence.
async fn turned_away(counter: &Counter, code: &str) -> (String, String) {
    counter.refused("type-code", &[("code", code)]).await
}

/// Pays what is left in cash.
async fn rest_in_cash(counter: &Counter, sale: &str) {
    let due = counter.front().await["due"]["minor"].as_i64().unwrap();
    counter.press("cash", &[("received", &format!("{}.{:02}", due / 100, due % 100))]).await;
    counter.paid(sale).await;
}

async fn exposure(counter: &Counter) -> Value {
    counter.view().await["till"]["exposure"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_vouchers_pay_offline_up_to_the_limit_cash_goes_on_and_all_of_it_settles() {
    let counter = Counter::open().await;
    decreed(&counter, &["limits", "set", "--each", "30.00", "--at-risk", "100.00", "--count", "50"]).await;
    let small = vouchers(&counter, "20.00", 8).await;
    let large = vouchers(&counter, "50.00", 1).await.remove(0);

    // On the line: it pays, and once only.
    let sale = to_pay(&counter).await;
    part_paid(&counter, &small[0]).await;
    let (code, words) = turned_away(&counter, &small[0]).await;
    assert_eq!((code.as_str(), words.as_str()), ("voucher", "This voucher is on an open sale already."));
    rest_in_cash(&counter, &sale).await;
    let sale = to_pay(&counter).await;
    let (_, words) = turned_away(&counter, &small[0]).await;
    assert_eq!(words, "This voucher was used here already.");
    rest_in_cash(&counter, &sale).await;
    counter
        .until("head office's word", async || (exposure(&counter).await["items"] == 0).then_some(()))
        .await;

    // The line is pulled. Cash goes on until the till counts as offline, and after.
    counter.shop.pull_network().await;
    let silent_ms = async || exposure(&counter).await["silent_ms"].as_u64().unwrap_or(0);
    let mut looks = 0;
    while silent_ms().await < 60_000 {
        looks += 1;
        assert!(looks < LOOKS, "the till does not see that nobody is heard: {:#}", exposure(&counter).await);
        if looks % 20 == 1 {
            let sale = text(&counter.basket(&[WATER]).await["id"]);
            counter.press("cash", &[("received", "2.00")]).await;
            counter.paid(&sale).await;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    for (number, voucher) in small[1..6].iter().enumerate() {
        let sale = to_pay(&counter).await;
        part_paid(&counter, voucher).await;
        rest_in_cash(&counter, &sale).await;
        let expected = ["fine", "fine", "fine", "near", "reached"][number];
        let standing = async || {
            let standing = exposure(&counter).await["standing"]["value"].clone();
            (standing == expected).then_some(())
        };
        counter.until(expected, standing).await;
        if expected == "near" {
            says(&counter.cashier.page().await.unwrap(), "¥80.00");
        }
    }
    let sale = to_pay(&counter).await;
    let (code, words) = turned_away(&counter, &small[6]).await;
    assert_eq!(code, "limit_value");
    says(&words, "no more than CNY 100.00 may wait for its word. Take another means of payment");
    let (code, words) = turned_away(&counter, &large).await;
    assert_eq!(code, "limit_each");
    says(&words, "one voucher counts for CNY 30.00 at most");
    rest_in_cash(&counter, &sale).await;

    // The line is back: all of it settles, and what was refused is taken again.
    counter.plug().await;
    counter
        .until("everything to be settled", async || {
            let exposure = exposure(&counter).await;
            (exposure["items"] == 0 && exposure["standing"]["value"] == "fine").then_some(())
        })
        .await;
    let sale = to_pay(&counter).await;
    part_paid(&counter, &small[6]).await;
    rest_in_cash(&counter, &sale).await;
    let closed = counter.close().await;
    closed.counts("vouchers", 7);
    closed.counts("verdicts_refused", 0);
    println!("vouchers offline: 5 of 20.00 up to the limit of 100.00, 2 refused, all settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_that_two_tills_took_counts_once_and_the_other_till_has_a_task() {
    let counter = Counter::open().await;
    let voucher = vouchers(&counter, "20.00", 1).await.remove(0);
    let second = Second::open(&counter).await;
    counter.shop.pull_network().await;
    let sale = to_pay(&counter).await;
    part_paid(&counter, &voucher).await;
    rest_in_cash(&counter, &sale).await;

    let other = second.to_pay(BEANS).await;
    second.code(&voucher).await.unwrap();
    second.rest_in_cash(&other).await;
    second.settled().await;

    counter.plug().await;
    let words = counter
        .until("head office's refusal", async || {
            let open = counter.view().await["till"]["attention"].as_array()?.first()?.clone();
            open["words"].as_str().map(str::to_owned)
        })
        .await;
    says(&words, "oucher already used at till-2");
    second.close();
    let closed = counter.close().await;
    closed.counts("verdicts_refused", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_two_tills_share_a_quota_by_leases_and_never_give_more_than_there_is() {
    // Enough that each till soon holds more than it asks at, so that no question is on its way when the line is cut.
    const QUOTA: u64 = 21;
    const ENOUGH: u64 = 6;
    let counter = Counter::open().await;
    let second = Second::open(&counter).await;
    let quota = QUOTA.to_string();
    decreed(&counter, &["campaign", "add", "9", "--name", "Nine", "--quota", &quota]).await;
    let issue = ["coupon", "issue", "--campaign", "9", "--amount", "1.00", "--count", "22"];
    let mut coupons = codes(&counter.shop.head_office(&issue).await.unwrap(), "C1.", 22);
    let listed = async || counter.shop.head_office(&["campaign", "list"]).await.unwrap();
    let enough = |held: &u64| *held >= ENOUGH;
    second.until("leases", async || second.lease(9).await.filter(enough)).await;
    let held = counter.until("leases", async || lease_in(&counter.view().await, 9).filter(enough)).await;
    assert!(held < QUOTA / 2, "{held} of {QUOTA} at one till");

    // The first till is cut off with what it holds; the second goes on asking, and gets all the rest.
    counter.shop.pull_network().await;
    for round in 0..QUOTA {
        let coupon = coupons.pop().unwrap();
        if round % 2 == 0 && round / 2 < held {
            let sale = text(&counter.basket(&[WATER]).await["id"]);
            counter.press("type-code", &[("code", &coupon)]).await;
            counter.press("pay", &[]).await;
            rest_in_cash(&counter, &sale).await;
        } else {
            second.until("a lease", async || second.lease(9).await).await;
            let sale = second.basket(WATER).await;
            second.code(&coupon).await.unwrap();
            second.press("pay", &[]).await.unwrap();
            second.rest_in_cash(&sale).await;
        }
    }

    // Nothing is left: each says so, whether it can ask or not, and the sale goes on without.
    let coupon = coupons.pop().unwrap();
    counter.basket(&[WATER]).await;
    let (code, words) = counter.refused("type-code", &[("code", &coupon)]).await;
    assert_eq!(code, "quota_spent", "{words}");
    let sale = text(&counter.front().await["id"]);
    counter.press("pay", &[]).await;
    rest_in_cash(&counter, &sale).await;
    let sale = second.basket(WATER).await;
    assert!(second.code(&coupon).await.is_err());
    second.press("pay", &[]).await.unwrap();
    second.rest_in_cash(&sale).await;

    counter.plug().await;
    counter
        .until("all of it to be spent at head office", async || {
            listed().await.contains("quota 21: 21 spent, 0 leased, 0 free").then_some(())
        })
        .await;
    second.settled().await;
    second.close();
    let closed = counter.close().await;
    closed.counts("verdicts_refused", 0);
    println!("quota of {QUOTA} over two tills: {held} at one, {} at the other, none more", QUOTA - held);
}
