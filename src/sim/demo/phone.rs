//! The scripted customer's phone: opens the desk's page, pays in one tap, confirms in the wallet.

use super::http::{Answer, Browser};
use serde_json::Value;

/// One phone.
pub struct Phone {
    browser: Browser,
}

/// What became of a tap on Pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tap {
    /// The wallet opened at this address.
    Wallet(String),
    /// The page said something else; its text.
    Said(String),
}

/// The bill as the phone saw it.
#[derive(Clone, Debug)]
pub struct Bill {
    fields: Vec<(String, String)>,
    action: String,
    /// The wallets that it has a button for.
    pub wallets: Vec<String>,
    /// The page that it stood on.
    pub text: String,
}

impl Bill {
    /// Whether it is the bill of this sale.
    #[must_use]
    pub fn is_of(&self, sale: &str) -> bool {
        self.field("sale") == Some(sale)
    }

    /// The bill of the same sale and amount on another page, if it has one.
    #[must_use]
    pub fn anew(&self, text: &str) -> Option<Self> {
        let same = |bill: &Self| ["sale", "total"].iter().all(|name| bill.field(name) == self.field(name));
        bill_on(text, &self.action).filter(same)
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same bill on a page that this phone has had open for so long.
    #[must_use]
    pub fn aged(mut self, ms: i64) -> Self {
        for (_, value) in self.fields.iter_mut().filter(|(name, _)| name == "shown") {
            if let Ok(shown) = value.parse::<i64>() {
                *value = (shown - ms).to_string();
            }
        }
        self
    }
}

/// What a phone has scanned the desk's code with; browsers name themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    WeChat,
    Alipay,
    Camera,
}

impl App {
    fn agent(self) -> &'static str {
        match self {
            Self::WeChat => "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.49(0x28003133) WeChat/arm64",
            Self::Alipay => "Mozilla/5.0 (iPhone) AliApp(AP/10.5.96) AlipayClient/10.5.96",
            Self::Camera => "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Safari/604.1",
        }
    }
}

/// How often a page sends a phone on: to WeChat and back is two.
const SENT_ON: usize = 5;

impl Phone {
    pub fn new() -> Result<Self, reqwest::Error> {
        Self::with(App::Camera)
    }

    /// A phone that scanned the desk's code with this.
    pub fn with(app: App) -> Result<Self, reqwest::Error> {
        Ok(Self { browser: Browser::of_phone(app.agent())? })
    }

    /// Opens the desk's page. None while it has no bill that this phone could pay.
    pub async fn open(&self, page: &str) -> Result<Option<Bill>, reqwest::Error> {
        let mut answer = self.browser.get(page).await?;
        for _ in 0..SENT_ON {
            let Some(to) = &answer.location else { break };
            answer = self.browser.get(&absolute(to, page)).await?;
        }
        Ok(bill_on(&answer.text, page))
    }

    /// The window that a page opens in WeChat: what its script hands over goes to the wallet, which answers with
    /// its own page. None where the page opens none, or the wallet refuses it.
    pub async fn window(&self, page: &str, wallet_url: &str) -> Result<Option<String>, reqwest::Error> {
        let text = self.read(page).await?;
        let Some(values) = text.split("data-window=\"").nth(1).and_then(|rest| rest.split('"').next()) else {
            return Ok(None);
        };
        let values = values.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#38;", "&");
        let values: Value = serde_json::from_str(&values).unwrap_or(Value::Null);
        let answer = self.browser.post_json(&format!("{wallet_url}/wechat/bridge"), &values).await?;
        Ok(answer.json()["page"].as_str().map(|page| format!("{wallet_url}{page}")))
    }

    /// The text of a page as this phone sees it.
    pub async fn read(&self, page: &str) -> Result<String, reqwest::Error> {
        self.browser.get(page).await.map(|answer| answer.text)
    }

    /// How often it tapped something at an address that begins so.
    pub fn taps_at(&self, base: &str) -> usize {
        self.browser.posted_to(base)
    }

    /// Shows a coupon on the desk's page.
    pub async fn show_coupon(&self, page: &str, token: &str) -> Result<Answer, reqwest::Error> {
        self.browser.post(&format!("{page}/coupon"), &[("token", token)]).await
    }

    /// Taps the first wallet's button on the bill that was seen.
    pub async fn tap(&self, bill: &Bill) -> Result<Tap, reqwest::Error> {
        let first = bill.wallets.first().cloned();
        self.tap_on(bill, first.as_deref().unwrap_or("alipay")).await
    }

    /// Taps a wallet's button.
    pub async fn tap_on(&self, bill: &Bill, wallet: &str) -> Result<Tap, reqwest::Error> {
        let seen = bill.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<(&str, &str)> = seen.chain([("wallet", wallet)]).collect();
        let answer = self.browser.post(&bill.action, &fields).await?;
        match answer.location {
            Some(location) if location.contains("/qr/") => Ok(Tap::Wallet(location)),
            Some(location) => Ok(Tap::Said(location)),
            None => Ok(Tap::Said(answer.text)),
        }
    }

    /// Confirms the payment in the wallet.
    pub async fn confirm(&self, wallet: &str) -> Result<bool, reqwest::Error> {
        self.browser.get(wallet).await?;
        let (address, query) = wallet.split_once('?').unwrap_or((wallet, ""));
        let url = format!("{address}/confirm?{query}");
        let answer = self.browser.post(&url, &[]).await?;
        Ok(answer.status < 400)
    }
}

/// The form that pays, with its fields, if the page has one.
fn bill_on(text: &str, page: &str) -> Option<Bill> {
    let form = text.split("<form").find(|form| attribute(form, "action").ends_with("/pay"))?;
    let form = form.split("</form>").next()?;
    let action = attribute(form, "action");
    let action = absolute(&action, page);
    let fields = form
        .split("<input")
        .skip(1)
        .map(|input| (attribute(input, "name"), attribute(input, "value")))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    let wallets = form.split("name=\"wallet\" value=\"").skip(1);
    let wallets = wallets.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect();
    Some(Bill { fields, action, wallets, text: text.to_owned() })
}

/// An address on a page.
fn absolute(address: &str, page: &str) -> String {
    if address.starts_with("http") {
        return address.to_owned();
    }
    let origin: String = page.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    format!("{origin}{address}")
}

fn attribute(tag: &str, name: &str) -> String {
    let mark = format!("{name}=\"");
    let Some((_, rest)) = tag.split_once(&mark) else { return String::new() };
    rest.split('"').next().unwrap_or_default().replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_is_read_off_the_form_that_pays() {
        let text = "<form action=\"/d/4/coupon\"></form><form method=\"post\" action=\"/d/4/pay\">\
                    <input type=\"hidden\" name=\"sale\" value=\"ab\"><input name=\"version\" value=\"3\"></form>";
        let bill = bill_on(text, "http://127.0.0.1:1/d/4").unwrap();
        assert_eq!(bill.action, "http://127.0.0.1:1/d/4/pay");
        assert_eq!(bill.fields, [("sale".into(), "ab".into()), ("version".into(), "3".into())]);
    }
}
