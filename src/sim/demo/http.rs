//! A small HTTP client for the scripted people: forms in, JSON or pages out, cookies kept.

use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Where it sends the browser, if it does.
    pub location: Option<String>,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null if it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The stable word of a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// One person's browser.
pub struct Browser {
    client: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
    accept: &'static str,
    /// Where forms went: each was a tap.
    posted: Mutex<Vec<String>>,
}

impl Browser {
    /// A browser that asks for JSON.
    pub fn of_cashier() -> Result<Self, reqwest::Error> {
        Self::new("application/json", "till-demo")
    }

    /// A browser that asks for pages and names itself so.
    pub fn of_phone(agent: &str) -> Result<Self, reqwest::Error> {
        Self::new("text/html", agent)
    }

    fn new(accept: &'static str, agent: &str) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .user_agent(agent)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()?;
        Ok(Self { client, cookies: Mutex::new(BTreeMap::new()), accept, posted: Mutex::default() })
    }

    /// Gets a page.
    pub async fn get(&self, url: &str) -> Result<Answer, reqwest::Error> {
        self.send(self.client.get(url)).await
    }

    /// Posts a form.
    pub async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Result<Answer, reqwest::Error> {
        self.posted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(url.to_owned());
        let body = form(fields);
        let origin = origin_of(url);
        let request = self.client.post(url).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.header("origin", origin).body(body)).await
    }

    /// How many forms went to addresses that begin so.
    pub fn posted_to(&self, base: &str) -> usize {
        let posted = self.posted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        posted.iter().filter(|url| url.starts_with(base)).count()
    }

    /// Posts JSON.
    pub async fn post_json(&self, url: &str, body: &Value) -> Result<Answer, reqwest::Error> {
        let request = self.client.post(url).header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let cookies = {
            let jar = self.cookies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
        };
        let request = request.header("accept", self.accept).header("cookie", cookies);
        let response = request.send().await?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let location = header("location").map(str::to_owned);
        let set: Vec<String> = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|value| value.to_str().ok().map(str::to_owned))
            .collect();
        {
            let mut jar = self.cookies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for cookie in set {
                let pair = cookie.split(';').next().unwrap_or_default();
                if let Some((name, value)) = pair.split_once('=') {
                    jar.insert(name.trim().to_owned(), value.trim().to_owned());
                }
            }
        }
        Ok(Answer { status, location, text: response.text().await? })
    }
}

/// The base address of a loopback port.
pub fn base(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn origin_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    format!("http://{}", rest.split('/').next().unwrap_or_default())
}

fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}
