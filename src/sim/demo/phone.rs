//! The scripted customer's phone: opens the desk's page, pays in one tap, confirms in the wallet.

use super::http::{Answer, Browser};

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
}

impl Bill {
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

impl Phone {
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { browser: Browser::of_phone()? })
    }

    /// Opens the desk's page. None while it has no bill that this phone could pay.
    pub async fn open(&self, page: &str) -> Result<Option<Bill>, reqwest::Error> {
        let answer = self.browser.get(page).await?;
        Ok(bill_on(&answer, page))
    }

    /// The text of a page as this phone sees it.
    pub async fn read(&self, page: &str) -> Result<String, reqwest::Error> {
        self.browser.get(page).await.map(|answer| answer.text)
    }

    /// Shows a coupon on the desk's page.
    pub async fn show_coupon(&self, page: &str, token: &str) -> Result<Answer, reqwest::Error> {
        self.browser.post(&format!("{page}/coupon"), &[("token", token)]).await
    }

    /// Taps Pay on the bill that was seen.
    pub async fn tap(&self, bill: &Bill) -> Result<Tap, reqwest::Error> {
        let fields: Vec<(&str, &str)> =
            bill.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
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
fn bill_on(answer: &Answer, page: &str) -> Option<Bill> {
    let form = answer.text.split("<form").find(|form| attribute(form, "action").ends_with("/pay"))?;
    let form = form.split("</form>").next()?;
    let action = attribute(form, "action");
    let origin: String = page.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let action = if action.starts_with("http") { action } else { format!("{origin}{action}") };
    let fields = form
        .split("<input")
        .skip(1)
        .map(|input| (attribute(input, "name"), attribute(input, "value")))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    Some(Bill { fields, action })
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
        let answer = Answer { status: 200, location: None, text: text.to_owned() };
        let bill = bill_on(&answer, "http://127.0.0.1:1/d/4").unwrap();
        assert_eq!(bill.action, "http://127.0.0.1:1/d/4/pay");
        assert_eq!(bill.fields, [("sale".into(), "ab".into()), ("version".into(), "3".into())]);
    }
}
