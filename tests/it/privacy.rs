//! What lies on the disk of a till: after a sale with everything that is personal in it, and after the customer asked
//! to be forgotten.

use crate::TILL;
use crate::counter::{BEANS, Counter, WATER, both, says, text, till};
use std::path::Path;
use std::process::Command;
use till::token::{MemberRef, member_code};

/// Every file below a folder that has these words in it, sockets and the like left out.
fn holding(dir: &Path, words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(holding(&path, words));
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(words.len()).any(|part| part == words.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(TILL).args(arguments).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_members_lie_nowhere_in_the_clear_and_who_is_forgotten_is_gone() {
    let counter = Counter::open().await;
    let (till, log) = (counter.dir().join("till"), counter.dir().join("till.log"));
    let member = counter.shop.members[0].clone();
    let (reference, hex) = (text(&member["member"]), text(&member["secret"]));
    let secret: Vec<u8> =
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    let id: MemberRef = reference.parse().unwrap();
    let code = member_code(id, &secret, counter.shop.clock.unix_ms() / 1000);
    let digits = code.rsplit('.').next().unwrap().to_owned();
    let coupon = counter.shop.coupons[0].clone();
    let pay_code = &counter.shop.pay_code().await.unwrap();

    let sale = text(&counter.basket(&[WATER, BEANS]).await["id"]);
    counter.shop.scan(&code).unwrap();
    counter.until("the member", async || counter.front().await["member"].as_str().map(str::to_owned)).await;
    counter.shop.scan(&coupon).unwrap();
    counter
        .until("the coupon", async || {
            counter.front().await["coupons"].as_array().filter(|coupons| !coupons.is_empty()).map(|_| ())
        })
        .await;
    counter.press("pay", &[]).await;
    counter.shop.scan(pay_code).unwrap();
    counter.paid(&sale).await;
    let approved = counter.books().bodies("approved")[0].clone();
    let trade = text(&approved["settled"]["trade"]);
    for words in [pay_code, &code, &reference, &coupon, &trade] {
        assert_eq!(holding(&till, words), [""; 0], "{words} lies in the clear");
        assert!(!std::fs::read_to_string(&log).unwrap_or_default().contains(words), "{words} is in the log");
    }
    assert!(!counter.view().await.to_string().contains(&reference), "no screen has all of the reference");

    // Forgotten at head office, and then here.
    says(&counter.shop.head_office(&["members", "forget", &reference]).await.unwrap(), "Forgotten");
    counter
        .until("the member to be gone", async || {
            let bodies = counter.books().bodies("member_recognised");
            bodies[0].is_null().then_some(())
        })
        .await;
    assert!(counter.books().bodies("approved")[0].is_null(), "and who paid");
    assert!(counter.books().bodies("member_forgotten")[0].is_null(), "and who it was that asked");
    let dir = till.to_string_lossy().into_owned();
    let (code, said) = run(&["journal", "verify", "--dir", &dir]);
    assert_eq!(code, Some(0), "{said}");
    says(&said, "were erased because a member asked to be forgotten");
    let (code, said) = run(&["queue", "list", "--dir", &dir, "--state", "all"]);
    assert_eq!(code, Some(0), "{said}");
    says(&said, "records received by head office");
    assert!(!said.contains(&reference) && !said.contains(&digits));
    // The next start and the books cope with it; the audit joins the payment by what the header says.
    counter.close().await.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_a_running_till_is_good_for_both_readers() {
    let counter = Counter::open().await;
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    counter
        .until("head office to have it", async || {
            let view = counter.view().await;
            (view["link"]["received"] == view["till"]["tip"]["seq"]).then_some(())
        })
        .await;
    let dir = counter.dir().join("till").to_string_lossy().into_owned();
    let file = counter.dir().join("export.jsonl").to_string_lossy().into_owned();
    let (code, said) = run(&["queue", "export", "--dir", &dir, "--format", "jsonl", "-o", &file]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["journal", "verify", &file]);
    assert_eq!(code, Some(0), "{said}");
    says(&said, "Nothing was found that does not hold.");
    says(&said, "Received up to record");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.py");
    let output = Command::new("python3").arg(script).arg(&file).output().expect("python3 is needed");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    says(&said, "Everything holds.");

    let (code, said) = run(&["queue", "export", "--dir", &dir, "--state", "all"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.starts_with("epoch,number,kind,") && said.contains(",sale,") && said.contains(",2.00,CNY,1,"),
        "{said}"
    );
    // Without the key that opens bodies a state would be a guess; what is said of that is not in the document.
    let (key, away) = (counter.dir().join("till/keys/seal"), counter.dir().join("away"));
    std::fs::rename(&key, &away).unwrap();
    let output = till(&["queue", "list", "--dir", &dir, "--state", "all", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("standard output is JSON");
    assert!(list["items"][0]["state"].is_null() && list["items"][0]["seq"].is_u64(), "{list}");
    for output in [output, till(&["queue", "export", "--dir", &dir, "--state", "all"])] {
        assert_eq!(output.status.code(), Some(0), "{}", both(&output));
        let notes = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(notes.matches("the key that opens bodies is not here").count(), 1, "{notes}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("Note"), "{}", both(&output));
    }
    std::fs::rename(&away, &key).unwrap();

    let (code, said) = run(&["queue", "list", "--dir", &dir, "--state", "lost"]);
    assert_eq!(code, Some(64), "{said}");
    says(&said, "There is no state");
    let missing = counter.dir().join("nowhere").to_string_lossy().into_owned();
    assert_eq!(run(&["queue", "list", "--dir", &missing]).0, Some(74));
    counter.close().await.counts("receipts", 1);
}
