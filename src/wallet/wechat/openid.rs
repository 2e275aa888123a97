//! Who a customer is to the merchant's official account, where a page is open in WeChat: the `openid`.
//!
//! WeChat's browser is sent to an address of WeChat's and comes back with a code, without asking the customer
//! anything (`snsapi_base`); the code is exchanged for the `openid`. Needs an official account whose pages may ask
//! ("web page authorization domain"). Answers here are not signed: they come over TLS, and a wrong `openid` can
//! only keep a payment from opening. Source: WeChat open documentation, official accounts, "Web page
//! authorization".
//!
//! Not here: paying (`phone`); names and pictures of customers, which nobody here wants to know.

use crate::wallet::http::{self, HttpError, Timeouts};
use serde::Deserialize;
use std::fmt;

/// Where a customer's browser is sent.
pub const AUTHORIZE_AT: &str = "https://open.weixin.qq.com";

/// Where codes are exchanged.
pub const EXCHANGE_AT: &str = "https://api.weixin.qq.com";

/// The longest name that is believed (JSAPI order, `openid`: 128 characters).
const NAME_CHARACTERS: usize = 128;

/// The longest code that is sent on; WeChat's have 32 characters.
const CODE_CHARACTERS: usize = 128;

/// The longest secret; WeChat's have 32 characters.
const SECRET_CHARACTERS: usize = 128;

/// The official account's secret.
#[derive(Clone, PartialEq, Eq)]
pub struct AppSecret(String);

impl fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSecret(..)")
    }
}

/// Not a secret of an official account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "an official account's secret is one line of letters and digits: copy it from the account's basic settings"
)]
pub struct AppSecretError;

impl AppSecret {
    /// Reads the content of a file; spaces and line ends around it are dropped.
    ///
    /// # Errors
    /// [`AppSecretError`].
    pub fn read(text: &str) -> Result<Self, AppSecretError> {
        let text = text.trim();
        let sound = (16..=SECRET_CHARACTERS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if sound { Ok(Self(text.to_owned())) } else { Err(AppSecretError) }
    }
}

/// An official account that asks WeChat who its customers are.
#[derive(Clone, Debug)]
pub struct OpenIds {
    app_id: String,
    secret: AppSecret,
    authorize_at: String,
    exchange_at: reqwest::Url,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct Told {
    openid: Option<String>,
    errcode: Option<i64>,
    errmsg: Option<String>,
}

impl OpenIds {
    /// Nothing is called. `authorize_at` and `exchange_at` are [`AUTHORIZE_AT`] and [`EXCHANGE_AT`], or a
    /// simulator.
    ///
    /// # Errors
    /// [`HttpError`], where an address is none.
    pub fn new(
        app_id: &str,
        secret: AppSecret,
        authorize_at: &str,
        exchange_at: &str,
        timeouts: Timeouts,
    ) -> Result<Self, HttpError> {
        http::endpoint(authorize_at)?;
        Ok(Self {
            app_id: app_id.to_owned(),
            secret,
            authorize_at: authorize_at.trim_end_matches('/').to_owned(),
            exchange_at: http::endpoint(exchange_at)?,
            client: http::client(timeouts)?,
        })
    }

    /// Where to send a customer's browser so that it comes back to `back` with a code and with `state`, which is
    /// letters and digits. The order of the parameters is WeChat's: it compares them as a text.
    pub fn ask(&self, back: &str, state: &str) -> String {
        let back = http::percent_encoded(back);
        format!(
            "{}/connect/oauth2/authorize?appid={}&redirect_uri={back}&response_type=code&scope=snsapi_base\
             &state={state}#wechat_redirect",
            self.authorize_at, self.app_id
        )
    }

    /// Exchanges a code, once.
    ///
    /// # Errors
    /// Why there is no name, for the log; no secrets in it.
    pub async fn exchange(&self, code: &str) -> Result<String, String> {
        if !(1..=CODE_CHARACTERS).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it is no code of WeChat's".to_owned());
        }
        let address = format!(
            "{}/sns/oauth2/access_token?appid={}&secret={}&code={}&grant_type=authorization_code",
            self.exchange_at.as_str().trim_end_matches('/'),
            self.app_id,
            self.secret.0,
            http::percent_encoded(code)
        );
        let url = reqwest::Url::parse(&address).map_err(|_| "the address is none".to_owned())?;
        let received = http::call(self.client.get(url), http::ANSWER_LIMIT_BYTES).await;
        // Its words hold no address, and so no secret.
        let received = received.map_err(|error| error.to_string())?;
        let told: Told = serde_json::from_slice(&received.body)
            .map_err(|_| format!("WeChat's answer with HTTP status {} is no JSON", received.status))?;
        match told.openid {
            Some(openid) if is_name(&openid) => Ok(openid),
            Some(_) => Err("the name is not of letters, digits, _ and -".to_owned()),
            None => Err(format!(
                "WeChat refuses: {} ({})",
                super::clipped(told.errmsg.as_deref().unwrap_or("no reason given")),
                told.errcode.unwrap_or_default()
            )),
        }
    }
}

/// Whether a text could be an `openid`.
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (6..=NAME_CHARACTERS).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_browser_is_sent_with_parameters_in_the_order_that_wechat_compares() {
        let secret = AppSecret::read("0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(format!("{secret:?}"), "AppSecret(..)");
        let timeouts = Timeouts { connect: Duration::from_secs(1), total: Duration::from_secs(1) };
        let account =
            OpenIds::new("wx520c15f417810387", secret, AUTHORIZE_AT, EXCHANGE_AT, timeouts).unwrap();
        assert_eq!(
            account.ask("https://shop.example/wechat/back?to=/d/table-4", "a1"),
            "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx520c15f417810387&redirect_uri=\
             https%3A%2F%2Fshop.example%2Fwechat%2Fback%3Fto%3D%2Fd%2Ftable-4&response_type=code\
             &scope=snsapi_base&state=a1#wechat_redirect"
        );
    }

    #[test]
    fn names_and_secrets_are_what_wechat_gives_out() {
        assert!(is_name("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"));
        for bad in ["", "short", "a b c d e f", "o\"><script>", &"o".repeat(129)] {
            assert!(!is_name(bad), "{bad}");
        }
        for bad in ["", "short", "two lines of\nsecrets", &"a".repeat(200)] {
            assert_eq!(AppSecret::read(bad).unwrap_err(), AppSecretError, "{bad}");
        }
    }
}
