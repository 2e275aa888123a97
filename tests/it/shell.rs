//! The queue from a shell: the real program beside the real daemon. Each act is asked for by a person with a PIN, is in
//! the journal with its words and its manager, and stands on the manager's screen.
//!
//! Not here: what may be done in which state (`till::queue`), and looking at exports (`privacy`).

use crate::TILL;
use crate::counter::{Counter, WATER, both, says, text};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};
use till::sim::demo::cashier::PIN;
use till::sim::demo::http::Browser;
use till::token::{MemberRef, member_code};

/// The program as a person at this till's shell calls it, without a PIN in its environment.
fn shell(counter: &Counter, arguments: &[&str]) -> Command {
    // In a session of its own there is no terminal to ask at, wherever the tests run.
    let mut command = Command::new("setsid");
    command.args(["-w", TILL, "queue"]).args(arguments).stdin(Stdio::null());
    command.env_remove("TILL_PIN").env("TILL_CONFIG", counter.dir().join("till.toml"));
    command
}

#[track_caller]
fn ends(output: &Output, code: i32, words: &[&str]) {
    let said = both(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    words.iter().for_each(|words| says(&said, words));
}

/// An act by Mia.
fn act(counter: &Counter, arguments: &[&str], words: &str) -> Output {
    let all = [arguments, &["--staff", "mia", "--words", words]].concat();
    shell(counter, &all).env("TILL_PIN", PIN).output().unwrap()
}

/// The items that a shell lists, of one kind.
fn listed(counter: &Counter, kind: &str) -> Vec<Value> {
    let output = shell(counter, &["list", "--state", "all", "--kind", kind, "--json"]).output().unwrap();
    ends(&output, 0, &[]);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Where one record stands by the manager's screen.
async fn stands(screen: &Browser, counter: &Counter, seq: &str) -> String {
    let answer = screen.get(&format!("{}/queue.json?state=all", counter.shop.till_url)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    let (items, seq) = (answer.json()["items"].as_array().cloned(), seq.parse::<u64>().unwrap());
    let items = items.unwrap_or_default();
    let item = items.into_iter().find(|item| item["seq"] == seq);
    word(&item.unwrap_or_default()["state"])
}

/// A state without what belongs to it.
fn word(state: &Value) -> String {
    let of_object = state.as_object().and_then(|state| state.keys().next()).map(String::as_str);
    state.as_str().or(of_object).unwrap_or_default().to_owned()
}

/// A bottle of water for cash, for a member whose code is an old picture: the till cannot tell, and head office will.
async fn sell_to_a_picture(counter: &Counter) {
    let id: MemberRef = counter.shop.members[0]["member"].as_str().unwrap().parse().unwrap();
    let old = member_code(id, &[7; 20], counter.shop.clock.unix_ms() / 1000);
    counter.shop.scan(&old).unwrap();
    counter.until("a member", async || counter.front().await["member"].as_str().map(str::to_owned)).await;
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    counter.paper_of(&sale).await;
}

/// The same with the PIN typed at a terminal, which must not show it. None where the machine has no `script`.
fn typed_at_a_terminal(counter: &Counter, arguments: &str, keys: &str) -> Option<Output> {
    let config = counter.dir().join("till.toml");
    let mut script = Command::new("script")
        .args(["-qec", &format!("{TILL} queue {arguments}"), "/dev/null"])
        .env_remove("TILL_PIN")
        .env("TILL_CONFIG", config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // What is typed before the question is thrown away, so wait for it as a person does.
    let (mut shown, mut byte) = (Vec::new(), [0_u8]);
    let mut screen = script.stdout.take().unwrap();
    while !shown.ends_with(b"PIN of mia: ") && screen.read(&mut byte).unwrap() == 1 {
        shown.push(byte[0]);
    }
    script.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    screen.read_to_end(&mut shown).unwrap();
    let ended = script.wait_with_output().unwrap();
    Some(Output { stdout: shown, ..ended })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_decides_about_the_queue_from_a_shell_and_the_journal_and_the_screen_say_so() {
    let mut counter = Counter::open().await;
    let screen = Browser::of_cashier().unwrap();
    let pages = counter.shop.till_url.clone();
    let signed_in = screen.post(&format!("{pages}/queue/sign-in"), &[("staff", "mia"), ("pin", PIN)]).await;
    assert!(signed_in.unwrap().status < 400);
    let cashier = [
        ("name", "Tom"),
        ("staff", "tom"),
        ("role", "cashier"),
        ("new_pin", "2580"),
        ("new_pin_again", "2580"),
    ];
    counter.press("add-staff", &cashier).await;
    counter.shop.pull_network().await;
    sell_to_a_picture(&counter).await;
    let (sale, check_in) =
        (listed(&counter, "sale")[0]["seq"].to_string(), listed(&counter, "check_in")[0]["seq"].to_string());

    // Who may not, and what is no PIN.
    let hold = ["hold", &sale, "--words", "customer comes back", "--staff"];
    let with = |staff: &'static str| [&hold[..], &[staff]].concat();
    ends(&shell(&counter, &with("mia")).output().unwrap(), 64, &["no PIN was given", "--pin-file"]);
    let pins = counter.dir().join("pin");
    let from_file = [&with("mia")[..], &["--pin-file", pins.to_str().unwrap()]].concat();
    ends(&shell(&counter, &from_file).output().unwrap(), 74, &["the PIN cannot be read from"]);
    std::fs::write(&pins, "9999\n").unwrap();
    ends(&shell(&counter, &from_file).output().unwrap(), 1, &["not the right PIN"]);
    let toms = shell(&counter, &with("tom")).env("TILL_PIN", "2580").output().unwrap();
    ends(&toms, 1, &["manager"]);
    assert_eq!(counter.books().bodies("queue_acted").len(), 0, "nothing of this was an act");

    // Hold with the PIN in a file, and once more: the second says why not.
    std::fs::write(&pins, format!("{PIN}\n")).unwrap();
    let held = shell(&counter, &from_file).output().unwrap();
    ends(&held, 0, &[&format!("Record {sale} is held"), &format!("till queue show {sale}")]);
    ends(&act(&counter, &["hold", &sale], "again"), 1, &["This is held already."]);
    ends(&act(&counter, &["hold", "999999"], "a slip"), 1, &["no such record", "till queue show 999999"]);
    assert_eq!(stands(&screen, &counter, &sale).await, "held");
    let shown = shell(&counter, &["show", &sale]).output().unwrap();
    ends(&shown, 0, &["mia: hold (customer comes back)", &format!("till queue release {sale}")]);

    // Release with the PIN typed.
    let hold_again = format!("hold {sale} --staff mia --words x");
    if let Some(interrupted) = typed_at_a_terminal(&counter, &hold_again, "40\u{3}") {
        ends(&interrupted, 64, &["no PIN was given"]);
    }
    let release = format!("release {sale} --staff mia --words 'customer paid'");
    match typed_at_a_terminal(&counter, &release, &format!("{PIN}\n")) {
        Some(typed) => {
            ends(&typed, 0, &["PIN of mia:", "is held no longer"]);
            assert!(!both(&typed).contains(PIN), "the PIN is not shown: {}", both(&typed));
        }
        None => {
            println!("a PIN at a terminal: not tried, script is not on this machine");
            ends(&act(&counter, &["release", &sale], "customer paid"), 0, &["is held no longer"]);
        }
    }
    let state = stands(&screen, &counter, &sale).await;
    assert!(["recorded", "sent"].contains(&state.as_str()), "{state}");

    // The line is back. Head office refuses the picture; again, and then it is dealt with.
    counter.shop.plug_network().await;
    ends(&act(&counter, &["send"], "line is back"), 0, &["sent now", "till queue list"]);
    let refused = async || (stands(&screen, &counter, &check_in).await == "refused").then_some(());
    counter.until("head office to refuse it", refused).await;
    ends(&act(&counter, &["hold", &check_in], "too late"), 1, &["too late to hold it"]);
    ends(&act(&counter, &["retry", &check_in], "campaign was put right"), 0, &["again", "till queue show"]);
    counter.until("head office to refuse it again", refused).await;
    let shown = shell(&counter, &["show", &check_in]).output().unwrap();
    let ways = format!("till queue resolve {check_in} --as paid-otherwise|written-off|duplicate");
    ends(&shown, 0, &[&ways, "mia: retry (campaign was put right)"]);
    assert_eq!(both(&shown).matches("till queue resolve").count(), 1, "{}", both(&shown));
    let resolve = ["resolve", &check_in, "--as", "written-off"];
    ends(&act(&counter, &resolve, "shop bears it"), 0, &["is resolved: written off."]);
    ends(&act(&counter, &resolve, "shop bears it"), 1, &["dealt with already"]);
    assert_eq!(stands(&screen, &counter, &check_in).await, "resolved");
    counter
        .until("the sale to be settled", async || {
            (stands(&screen, &counter, &sale).await == "settled").then_some(())
        })
        .await;

    // The journal has each act, in order, with its words and who answers for it.
    let acts: Vec<String> = counter.books().bodies("queue_acted").iter().map(told).collect();
    let of = |seq: &str, act: &str| format!("{seq} {act}");
    let expected = [
        of(&sale, "\"hold\" customer comes back"),
        of(&sale, "\"release\" customer paid"),
        of("-", "\"send_now\" line is back"),
        of(&check_in, "\"retry\" campaign was put right"),
        of(&check_in, "{\"resolve\":{\"how\":\"written_off\"}} shop bears it"),
    ];
    assert_eq!(acts, expected);

    // The list on paper.
    let sheets = counter.shop.paper().cut_sheets().count();
    let print = |more: &[&str]| {
        let all = [&["print", "--staff", "mia"], more].concat();
        shell(&counter, &all).env("TILL_PIN", PIN).output().unwrap()
    };
    ends(&print(&["--station", "roof"]), 1, &["station"]);
    ends(&print(&[]), 0, &["on its way to the printer of front"]);
    let printed = async || (counter.shop.paper().cut_sheets().count() > sheets).then_some(());
    counter.until("the list on paper", printed).await;

    // Looking and taking out go on without the daemon; acts say what to do.
    counter.shop.stop_daemon().await.unwrap();
    ends(&act(&counter, &["send"], "nobody there"), 69, &["does not answer", "systemctl status till"]);
    let exported = shell(&counter, &["export", "--state", "resolved"]).output().unwrap();
    ends(&exported, 0, &[&format!(",{check_in},check_in,"), ",resolved,"]);
    assert_eq!(word(&listed(&counter, "check_in")[0]["state"]), "resolved");
    let lines = counter.dir().join("journal.jsonl");
    let exported = shell(&counter, &["export", "--format", "jsonl", "-o", lines.to_str().unwrap()]).output();
    ends(&exported.unwrap(), 0, &["signed by the device", "till journal verify"]);
    let verified = Command::new(TILL).args(["journal", "verify"]).arg(&lines).output().unwrap();
    ends(&verified, 0, &["Nothing was found that does not hold."]);
    counter.shop.start_daemon().await.unwrap();
    counter.cashier.sign_in().await.unwrap();
    counter.close().await.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_person_in_earlier_books_is_named_where_the_list_begins() {
    let mut counter = Counter::open().await;
    sell_to_a_picture(&counter).await;
    let epoch = text(&counter.view().await["till"]["epoch"]);
    let needs = || {
        let output = shell(&counter, &["list", "--state", "needs", "--json"]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let refused = async || needs()["items"].as_array()?.first().map(|item| item["seq"].to_string());
    let refused = counter.until("head office to refuse the picture", refused).await;
    assert_eq!(needs()["elsewhere"], Value::Array(Vec::new()), "nothing is elsewhere");

    counter.shop.stop_daemon().await.unwrap();
    let (copy, config) = (counter.dir().join("copy.db"), counter.dir().join("till.toml"));
    for way in ["backup", "restore"] {
        let done = Command::new(TILL).arg(way).arg(&copy).arg("--config").arg(&config).output().unwrap();
        ends(&done, 0, &[]);
    }
    counter.shop.start_daemon().await.unwrap();
    let list = shell(&counter, &["list"]).output().unwrap();
    let command = ["list", "--state", "needs", "--epoch", &epoch];
    let words = format!("Epoch {epoch}: 1 item needs a person: till queue {}", command.join(" "));
    ends(&list, 0, &[&words]);
    ends(&shell(&counter, &command).output().unwrap(), 0, &[&refused, "refused: "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_that_starts_while_head_office_is_away_knows_what_head_office_had() {
    let mut counter = Counter::open().await;
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    counter.paper_of(&sale).await;
    let settled = async || {
        let item = listed(&counter, "sale").pop()?;
        (word(&item["state"]) == "settled").then(|| item["seq"].to_string())
    };
    let sale = counter.until("the sale to be settled", settled).await;
    let before = counter.view().await["link"].clone();
    counter.shop.pull_network().await;
    counter.shop.cut_power().await.unwrap();
    counter.cashier.sign_in().await.unwrap();
    let link = counter.view().await["link"].clone();
    assert_eq!((&link["state"], &link["heard_ms"]), (&Value::from("offline"), &Value::Null), "{link}");
    for known in ["received", "ruled"] {
        assert!(link[known].as_u64() >= before[known].as_u64(), "{known}: {link}, and before {before}");
    }
    assert!(link["since_ms"].as_i64() > before["since_ms"].as_i64(), "{link}, and before {before}");
    ends(&act(&counter, &["hold", &sale], "too late"), 1, &["Head office has ruled on this"]);
    counter.close().await.counts("receipts", 1);
}

/// An act in one line: its subject, what, and why.
fn told(body: &Value) -> String {
    let subject = &body["subject"];
    let subject = if subject.is_null() { "-".to_owned() } else { subject["seq"].to_string() };
    format!("{subject} {} {}", body["act"], text(&body["words"]))
}
