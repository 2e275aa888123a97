//! The cashier's page in a real browser under quick fingers: no press is lost because the page follows the till.
//!
//! Not here: what a press does (beside the pages), and the manager's page (`queue`).

use crate::browser::Browser;
use crate::counter::{Counter, WATER};
use till::sim::demo::cashier::PIN;

/// A key on the first page of the menu, of something that nothing more is asked about.
const EGG_TART: &str = "button[value=egg-tart]";

/// Puts a finger down, and notes from then on when the page was asked for and when it was drawn.
const DOWN: &str = "
    window.since = performance.now();
    window.drawn = [];
    document.addEventListener('till:drawn', () => window.drawn.push(performance.now() - since));
    document.body.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, pointerId: 7 }));";

const UP: &str =
    "document.body.dispatchEvent(new PointerEvent('pointerup', { bubbles: true, pointerId: 7 }))";

/// How often the page was asked for and came since the finger went down.
const ASKED: &str = "
    const asked = (entry) => entry.initiatorType === 'fetch' && entry.name.includes('/s/front')
        && entry.startTime > since && entry.responseEnd > 0 && !entry.name.includes('/act/');
    return performance.getEntriesByType('resource').filter(asked).length;";

/// What the next press is called.
const COMMAND: &str = "return document.querySelector('#plain input[name=command]').value";

/// A press by a script, which a finger elsewhere on the glass does not stop.
async fn presses_egg_tart(browser: &Browser) {
    browser.script(&format!("document.querySelector('{EGG_TART}').click()")).await;
}

/// Whether the journal has so many lines: the browser has the station's session now.
fn has_lines(counter: &Counter, count: usize) -> Option<()> {
    (counter.books().bodies("line_added").len() == count).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_under_a_finger_is_drawn_when_it_is_up_and_each_press_counts() {
    let counter = Counter::open().await;
    let browser = Browser::open().await;
    browser.size(1280, 900).await;
    browser.go(&format!("{}/s/front?lang=en", counter.shop.till_url)).await;
    browser.write("#pin", PIN).await;
    browser.press("form.signin .btn.go").await;
    browser.sees("Egg tart").await;

    // The till sells while a finger rests on the glass.
    browser.script(DOWN).await;
    counter.shop.scan(WATER).unwrap();
    counter.until("a line", async || has_lines(&counter, 1)).await;
    let asked = async || (browser.script(ASKED).await.as_u64()? > 0).then_some(());
    counter.until("the page to ask what is new", asked).await;
    let drawn = browser.script("return window.drawn").await;
    let soon = drawn.as_array().unwrap().iter().filter(|ms| ms.as_f64().unwrap() < 1000.0).count();
    assert_eq!(soon, 0, "drawn under a finger: {drawn}");
    browser.script(UP).await;
    browser.sees("Spring water").await;

    // One key twice: the page hears of the first press while the finger is down for the second.
    browser.script(DOWN).await;
    let first = browser.script(COMMAND).await;
    presses_egg_tart(&browser).await;
    counter.until("the first", async || has_lines(&counter, 2)).await;
    let heard = async || (browser.script(COMMAND).await != first).then_some(());
    counter.until("the page to hear of it", heard).await;
    presses_egg_tart(&browser).await;
    browser.script(UP).await;
    counter.until("the second", async || has_lines(&counter, 3)).await;
    drop(browser);
    counter.cashier.sign_in().await.unwrap();
    counter.press("cash", &[("received", "50.00")]).await;
    counter.close().await.counts("receipts", 1);
}
