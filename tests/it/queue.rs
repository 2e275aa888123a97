//! The manager's page in a real browser: the line is cut, sales are made, and the morning after is put in order, in both
//! languages, on a wide screen and on a phone.
//!
//! Not here: what each state means (`till::queue`), and the answers for programs (beside the pages).

use crate::browser::Browser;
use crate::counter::{Counter, WATER, text};
use till::sim::demo::cashier::PIN;
use till::token::{MemberRef, member_code};

const WIDE: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

/// A sale of two bottles of water for cash.
async fn sell(counter: &Counter) {
    let sale = text(&counter.basket(&[WATER, WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    counter.paper_of(&sale).await;
}

/// A sale for a member whose code is an old picture: the till cannot tell, and head office will.
async fn sell_to_a_picture(counter: &Counter) {
    let id: MemberRef = counter.shop.members[0]["member"].as_str().unwrap().parse().unwrap();
    let old = member_code(id, &[7; 20], counter.shop.clock.unix_ms() / 1000);
    counter.shop.scan(&old).unwrap();
    counter.until("a member", async || counter.front().await["member"].as_str().map(str::to_owned)).await;
    sell(counter).await;
}

/// Does an act on the page that is shown: a few words, the PIN, and the button.
async fn act(browser: &Browser, words: &str, button: &str) {
    browser.write("#words", words).await;
    browser.write("#act-pin", PIN).await;
    browser.press(button).await;
}

/// Looks at the page on both screens and in both languages.
async fn look(browser: &Browser, page: &str, name: &str) {
    for (lang, (width, height)) in [("en", WIDE), ("zh", WIDE), ("zh", PHONE), ("en", PHONE)] {
        browser.size(width, height).await;
        let joint = if page.contains('?') { '&' } else { '?' };
        browser.go(&format!("{page}{joint}lang={lang}")).await;
        browser.picture(&format!("{name}-{lang}-{width}")).await;
        browser.fits(&format!("{name} in {lang} at {width}")).await;
    }
    let (width, height) = WIDE;
    browser.size(width, height).await;
    browser.go(page).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_puts_the_morning_after_an_outage_in_order() {
    let counter = Counter::open().await;
    let browser = Browser::open().await;
    let queue = format!("{}/queue", counter.shop.till_url);
    counter.shop.pull_network().await;
    sell_to_a_picture(&counter).await;
    sell(&counter).await;

    browser.size(WIDE.0, WIDE.1).await;
    browser.go(&format!("{queue}?lang=en")).await;
    browser.write("#pin", PIN).await;
    browser.press("form.signin .btn.go").await;
    browser.sees("Not received yet").await;
    browser.sees("next attempt in").await;
    look(&browser, &queue, "cut-off").await;

    // The state is chosen by a link, and the totals follow.
    browser.press(".states a[href*='state=open']").await;
    browser.sees("Sale 2 · ¥8.00").await;
    browser.press(".items a[href^='/queue/item']").await;
    browser.sees("Do something about it").await;
    look(
        &browser,
        &browser
            .script("return location.pathname")
            .await
            .as_str()
            .map(|path| format!("{}{path}", counter.shop.till_url))
            .unwrap(),
        "item",
    )
    .await;
    act(&browser, "the customer comes back", "button[formaction*='act=hold']").await;
    browser.sees("Mia: the customer comes back").await;
    browser.sees("Release").await;
    browser.write("#words", "a wrong PIN").await;
    browser.write("#act-pin", "9999").await;
    browser.press("button[formaction*='act=release']").await;
    browser.sees("That is not the right PIN").await;
    browser.write("#act-pin", PIN).await;
    browser.press("button[formaction*='act=release']").await;
    browser.sees("Released").await;

    // The line is back: one press, and the page follows by itself.
    browser.go(&format!("{queue}?lang=zh")).await;
    browser.sees("尚未上传").await;
    counter.shop.plug_network().await;
    browser.press("#send-now > summary").await;
    act(&browser, "网络已恢复", "#send-now button.go").await;
    browser.sees("店长处理").await;
    browser.sees("会员码与当时手机上的不符").await;
    browser.go(&format!("{queue}?lang=en&state=needs")).await;
    look(&browser, &format!("{queue}?state=needs"), "needs").await;
    browser.press("#needs .btn[href^='/queue/item']").await;
    browser.sees("What to do").await;
    look(&browser, browser.script("return location.href").await.as_str().unwrap(), "refused").await;
    act(&browser, "head office counted it by hand", "button[formaction*='how=written_off']").await;
    browser.sees("Resolved: written off").await;
    browser.go(&format!("{queue}?lang=en")).await;
    browser.sees("Nothing needs you.").await;

    // What is left to look at, on the screen and on paper.
    look(&browser, &format!("{queue}/checklist"), "checklist").await;
    browser.sees("Nothing is refused, expired or parked.").await;
    let before = counter.shop.paper().cut_sheets().count();
    browser.press("#print .btn").await;
    browser.sees("is on its way to the printer").await;
    counter
        .until("the list on paper", async || {
            (counter.shop.paper().cut_sheets().count() > before).then_some(())
        })
        .await;
    // A wrong PIN is answered by a status that browsers write down, and nothing else went wrong.
    let errors: Vec<String> =
        browser.errors().await.into_iter().filter(|error| !error.contains("403 (Forbidden)")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    drop(browser);
    counter.close().await;
}
