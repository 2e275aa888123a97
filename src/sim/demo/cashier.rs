//! The scripted cashier: presses what a cashier presses, and looks at the screen like one.

use super::http::{Answer, Browser};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The person who is made first manager and serves.
pub const PIN: &str = "4071";

/// How often the scripted eyes look at the screen.
pub const GLANCE: Duration = Duration::from_millis(20);

/// One cashier at one station.
pub struct Cashier {
    browser: Browser,
    base: String,
    staff: String,
    presses: AtomicU64,
    run: u64,
}

/// Why a press did nothing.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The till does not answer: it is starting, or down.
    Away(String),
    /// The till said no, with its word and its sentence.
    No(String, String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(words) => write!(f, "the till does not answer: {words}"),
            Self::No(code, words) => write!(f, "{code}: {words}"),
        }
    }
}

impl Cashier {
    pub fn new(base: String, run: u64) -> Result<Self, reqwest::Error> {
        let browser = Browser::of_cashier()?;
        Ok(Self { browser, base, staff: String::new(), presses: AtomicU64::new(0), run })
    }

    /// Makes the first manager with the one-time code, and signs in.
    pub async fn begin(&mut self, code: &str) -> Result<(), Trouble> {
        let fields =
            [("code", code), ("name", "Mia"), ("staff", "mia"), ("new_pin", PIN), ("new_pin_again", PIN)];
        self.post("first-manager", &fields).await?;
        "mia".clone_into(&mut self.staff);
        self.sign_in().await
    }

    pub async fn sign_in(&self) -> Result<(), Trouble> {
        self.post("sign-in", &[("staff", self.staff.as_str()), ("pin", PIN)]).await.map(|_| ())
    }

    /// What the screen shows.
    pub async fn view(&self) -> Result<Value, Trouble> {
        let url = format!("{}/s/front/view.json", self.base);
        let answer = self.browser.get(&url).await.map_err(|error| Trouble::Away(error.to_string()))?;
        judged(answer).map(|answer| answer.json())
    }

    /// The page as it is drawn, in English.
    pub async fn page(&self) -> Result<String, Trouble> {
        let url = format!("{}/s/front?lang=en", self.base);
        let answer = self.browser.get(&url).await.map_err(|error| Trouble::Away(error.to_string()))?;
        judged(answer).map(|answer| answer.text)
    }

    /// Presses a button; the sale that is seen goes with it, so that nothing is done twice.
    pub async fn press(
        &self,
        act: &str,
        seen: Option<&Value>,
        fields: &[(&str, &str)],
    ) -> Result<(), Trouble> {
        let number = self.presses.fetch_add(1, Ordering::Relaxed);
        let command = format!("demo-{:08x}-{number:08}", self.run);
        let seen =
            seen.map(|sale| format!("{}:{}", sale["id"].as_str().unwrap_or_default(), sale["version"]));
        let mut all = vec![("command", command.as_str())];
        if let Some(seen) = &seen {
            all.push(("seen", seen));
        }
        all.extend_from_slice(fields);
        self.post(&format!("act/{act}"), &all).await.map(|_| ())
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, Trouble> {
        let url = format!("{}/s/front/{path}", self.base);
        let answer = self.browser.post(&url, fields).await;
        judged(answer.map_err(|error| Trouble::Away(error.to_string()))?)
    }
}

fn judged(answer: Answer) -> Result<Answer, Trouble> {
    if answer.status == 200 {
        return Ok(answer);
    }
    let words = answer.json()["words"].as_str().unwrap_or("no words").to_owned();
    let code = answer.code();
    if code.is_empty() {
        Err(Trouble::Away(format!("status {}", answer.status)))
    } else {
        Err(Trouble::No(code, words))
    }
}
