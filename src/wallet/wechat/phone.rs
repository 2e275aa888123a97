//! Orders that the customer opens: by scanning a code (native), or on the phone itself, in WeChat's own browser
//! (JSAPI) or in any other (H5).
//!
//! In WeChat a page hands signed values to a script of WeChat's (`getBrandWCPayRequest`), and the customer must be
//! known to the merchant's official account (`openid`). Elsewhere the wallet gives an address (`h5_url`, good for
//! five minutes) that opens the app; it refuses to work inside WeChat. Each is a product of its own, which the
//! merchant has to have at WeChat Pay. Sources: WeChat Pay APIv3 for direct merchants, "JSAPI order", "JSAPI:
//! invoking the payment", "H5 order" (pay.weixin.qq.com/doc/v3/merchant/4012791834).
//!
//! Not here: learning the `openid` (`openid`), what a page does with the values (the cloud's).

use super::request::{Native, Request, post};
use super::{Trouble, WeChat, outcome, refused, request};
use crate::wallet::{Advice, Decline, PhoneBrowser, PrecreateAnswer, PrecreateRequest, Reply};
use serde::Serialize;

impl WeChat {
    /// Opens an order that the customer pays: by scanning, or on the phone itself.
    pub(super) fn open<'a>(
        &'a self,
        request: &'a PrecreateRequest,
        browser: Option<&'a PhoneBrowser>,
    ) -> Reply<'a, PrecreateAnswer> {
        Box::pin(async move {
            if let Some(decline) = refused(&request.order, request.amount) {
                return PrecreateAnswer::Declined(decline);
            }
            let Some(notify_url) = self.notify_url.as_deref() else {
                return PrecreateAnswer::Declined(Decline {
                    code: "TILL.NOTIFY_URL".to_owned(),
                    advice: Advice::TellShop,
                    message: "WeChat Pay opens no order to scan without a notify_url: set one".to_owned(),
                    left: None,
                });
            };
            let Some(expiry) = request::expiry((self.now)(), request.expires_in_s) else {
                return PrecreateAnswer::NotSent { why: "the clock is beyond the calendar".to_owned() };
            };
            let call = match browser {
                None => request::native(self, request, notify_url, &expiry),
                Some(browser) => body(self, request, browser, notify_url, &expiry),
            };
            match (self.call(call).await, browser) {
                (Ok(spoken), None) => outcome::native(&spoken),
                (Ok(spoken), Some(PhoneBrowser::Wallet { .. })) => {
                    outcome::jsapi(&spoken, |prepay_id| window(self, prepay_id))
                }
                (Ok(spoken), Some(PhoneBrowser::Other { .. })) => outcome::h5(&spoken),
                (Err(Trouble::NotSent(why)), _) => PrecreateAnswer::NotSent { why },
                (Err(Trouble::Unsure(doubt)), _) => PrecreateAnswer::Unsure(doubt),
            }
        })
    }
}

#[derive(Serialize)]
struct Jsapi<'a> {
    #[serde(flatten)]
    order: Native<'a>,
    payer: Payer<'a>,
}

#[derive(Serialize)]
struct Payer<'a> {
    openid: &'a str,
}

#[derive(Serialize)]
struct H5<'a> {
    #[serde(flatten)]
    order: Native<'a>,
    scene_info: Scene,
}

#[derive(Serialize)]
struct Scene {
    payer_client_ip: String,
    h5_info: Kind,
}

#[derive(Serialize)]
struct Kind {
    r#type: &'static str,
}

/// The request for a phone.
fn body(
    wallet: &WeChat,
    order: &PrecreateRequest,
    browser: &PhoneBrowser,
    notify_url: &str,
    time_expire: &str,
) -> Result<Request, String> {
    let order = Native::of(wallet, order, notify_url, time_expire);
    match browser {
        PhoneBrowser::Wallet { payer: Some(openid) } => {
            let body = Jsapi { order, payer: Payer { openid } };
            post("/v3/pay/transactions/jsapi".to_owned(), &body)
        }
        PhoneBrowser::Wallet { payer: None } => {
            Err("WeChat has not said who the customer is: open the page again".to_owned())
        }
        PhoneBrowser::Other { ip } => {
            let scene_info = Scene { payer_client_ip: ip.to_string(), h5_info: Kind { r#type: "Wap" } };
            post("/v3/pay/transactions/h5".to_owned(), &H5 { order, scene_info })
        }
    }
}

/// What `getBrandWCPayRequest` takes; every value is text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Brand<'a> {
    app_id: &'a str,
    time_stamp: String,
    nonce_str: String,
    package: String,
    sign_type: &'static str,
    pay_sign: String,
}

/// The values for WeChat's script, as a JSON object. Signed are app, time stamp, nonce and package, a line each
/// ("JSAPI: invoking the payment", paySign).
fn window(wallet: &WeChat, prepay_id: &str) -> Result<String, String> {
    let time_stamp = (wallet.now)().div_euclid(1000).to_string();
    let nonce_str = request::nonce((wallet.chance)());
    let package = format!("prepay_id={prepay_id}");
    let signed = format!("{}\n{time_stamp}\n{nonce_str}\n{package}\n", wallet.app_id);
    let pay_sign = wallet.merchant_key.sign(signed.as_bytes()).map_err(|error| error.to_string())?;
    let brand = Brand { app_id: &wallet.app_id, time_stamp, nonce_str, package, sign_type: "RSA", pay_sign };
    serde_json::to_string(&brand).map_err(|error| error.to_string())
}
