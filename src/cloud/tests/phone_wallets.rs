//! A phone pays by the wallet that it has the page open in, against the gateway simulator: JSAPI in WeChat, H5 or
//! Alipay elsewhere. Calls, late money and refunds go to that wallet.
//!
//! Not here: what is true of any wallet (`desk`).

use super::desk::notice_while_time_passes;
use super::shop::{Page, Shop};
use super::till::{Answer, Till};
use crate::bundle::Desk;
use crate::record::ids::{IntentId, SaleId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const SALE: SaleId = SaleId([1; 16]);
const INTENT: IntentId = IntentId([2; 16]);
const DESK: &str = "/d/table-4";
const IN_WECHAT: &str = "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.49(0x28003133) WeChat/arm64";
const IN_ALIPAY: &str = "Mozilla/5.0 (iPhone) AliApp(AP/10.5.96) AlipayClient/10.5.96";
const ELSEWHERE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Version/17.4 Safari/604.1";

/// A phone's browser: it names itself and keeps cookies.
struct Browser<'a> {
    shop: &'a Shop,
    agent: &'static str,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(shop: &'a Shop, agent: &'static str) -> Self {
        Self { shop, agent, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("user-agent", self.agent).header("cookie", jar.join("; "));
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Page::of(response).await
    }

    async fn get(&mut self, path: &str) -> Page {
        let request = self.shop.http.get(self.shop.address(path));
        self.send(request).await
    }

    /// Gets a page and goes wherever it is sent; bounded.
    async fn open(&mut self, path: &str) -> Page {
        let mut page = self.get(path).await;
        for _ in 0..5 {
            let Some(to) = page.to.clone() else { return page };
            page = self.get(&to).await;
        }
        panic!("sent on and on to {:?}", page.to)
    }

    async fn post(&mut self, path: &str, form: &str) -> Page {
        let request = self.shop.http.post(self.shop.address(path)).body(form.to_owned());
        self.send(request.header("content-type", "application/x-www-form-urlencoded")).await
    }
}

async fn shop_with_bill() -> (Shop, Arc<Till>) {
    let shop = Shop::with_wallet().await;
    let desk = Desk { id: "table-4".parse().unwrap(), name: "Table 4".to_owned() };
    shop.cloud.admin().add_desk(desk).await.unwrap();
    let mut till = shop.till("till-1").await;
    let records = till.bill(SALE, "table-4", 2600);
    till.send_well(&records).await;
    (shop, Arc::new(till))
}

/// The till's side: answers the phone's wish with an order for the wallet that was wished for.
async fn answer_wish(till: Arc<Till>) -> (Value, Answer) {
    let wish = till.notice("order_requested").await;
    let text = till.key.draw(&till.order(77, 2600)).unwrap();
    let body = json!({
        "intent": INTENT, "sale": SALE, "order": text, "desk": "table-4", "bill_version": wish["bill_version"],
        "provider": wish["provider"],
    });
    let target = format!("/v1/terminals/{}/orders", till.id);
    (wish, till.call("POST", &target, body.to_string().as_bytes()).await)
}

/// One tap on a wallet's button: where the phone is sent.
async fn tap(browser: &mut Browser<'_>, till: &Arc<Till>, page: &Page, wallet: &str) -> String {
    let form = format!("{}&wallet={wallet}", page.pay_form());
    let mut answering = tokio::task::JoinSet::new();
    answering.spawn(answer_wish(Arc::clone(till)));
    let sent = browser.post(&format!("{DESK}/pay"), &form).await;
    let (wish, answer) = answering.join_next().await.unwrap().unwrap();
    assert_eq!(wish["provider"], json!(wallet));
    assert_eq!(answer.0, 200, "{}", answer.1);
    assert_eq!(sent.status, 303, "{}", sent.text);
    sent.to.unwrap()
}

fn buttons(page: &Page) -> Vec<String> {
    let parts = page.text.split("<button name=\"wallet\" value=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

/// What the page hands to WeChat's script.
fn window(page: &Page) -> Option<Value> {
    let values = page.text.split("data-window=\"").nth(1)?.split('"').next()?;
    let values = values.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#38;", "&");
    Some(serde_json::from_str(&values).unwrap())
}

/// WeChat's script opens its window: the simulator verifies what the page signed.
async fn open_window(shop: &Shop, values: &Value) -> (u16, Value) {
    let at = format!("http://{}", shop.gateway.as_ref().unwrap().address());
    let request = shop.http.post(format!("{at}/wechat/bridge")).header("content-type", "application/json");
    let sent = request.body(values.to_string()).send().await.unwrap();
    let status = sent.status().as_u16();
    let mut told: Value = serde_json::from_slice(&sent.bytes().await.unwrap()).unwrap();
    if let Some(page) = told["page"].as_str() {
        told["page"] = json!(format!("{at}{page}"));
    }
    (status, told)
}

async fn paid(shop: &Shop, till: &Till) -> Value {
    notice_while_time_passes(shop, till, "order_paid").await
}

/// Wallet and state of each trade, as the simulator tells everybody.
async fn trades(shop: &Shop) -> Vec<(String, String)> {
    let at = format!("http://{}/play/trades", shop.gateway.as_ref().unwrap().address());
    let told = shop.http.get(at).send().await.unwrap().bytes().await.unwrap();
    let told: Vec<Value> = serde_json::from_slice(&told).unwrap();
    let text = |trade: &Value, name: &str| trade[name].as_str().unwrap().to_owned();
    told.iter().map(|trade| (text(trade, "wallet"), text(trade, "trade_status"))).collect()
}

async fn confirm(browser: &mut Browser<'_>, page: &str) {
    let (address, query) = page.split_once('?').unwrap_or((page, ""));
    browser.get(page).await;
    let confirmed = browser.post(&format!("{address}/confirm?{query}"), "").await;
    assert_eq!(confirmed.status, 303);
}

async fn refunded(till: &Till) -> Value {
    let refund = json!({
        "refund": "0f".repeat(16), "intent": INTENT, "amount": { "minor": 600, "currency": "CNY" }, "why": "",
    });
    let target = format!("/v1/terminals/{}/refunds", till.id);
    till.call("POST", &target, refund.to_string().as_bytes()).await.1
}

#[tokio::test]
async fn in_wechat_one_tap_opens_wechats_own_window_and_the_money_is_wechats() {
    let (shop, till) = shop_with_bill().await;
    let mut phone = Browser::new(&shop, IN_WECHAT);
    let first = phone.get(DESK).await;
    assert!(first.to.as_ref().unwrap().contains("/connect/oauth2/authorize?appid="), "{:?}", first.to);
    let page = phone.open(DESK).await;
    assert_eq!(buttons(&page), ["wechat"], "{}", page.text);
    let openid = phone.cookies["till_payer"].clone();

    let to = tap(&mut phone, &till, &page, "wechat").await;
    assert_eq!(to, format!("{DESK}?sale={SALE}"), "the page itself opens the window");
    let waiting = phone.get(&to).await;
    let values = window(&waiting).unwrap();
    assert!(!values.to_string().contains(&openid));
    let mut tampered = values.clone();
    tampered["timeStamp"] = json!("1");
    assert_eq!(open_window(&shop, &tampered).await.0, 400, "only what the merchant signed opens");
    let (status, told) = open_window(&shop, &values).await;
    assert_eq!(status, 200, "{told}");
    let stranger = Browser::new(&shop, ELSEWHERE).get(&to).await;
    assert!(window(&stranger).is_none(), "another phone gets nothing to open");

    confirm(&mut phone, told["page"].as_str().unwrap()).await;
    let notice = paid(&shop, &till).await;
    assert!(notice["settled"]["trade"].as_str().unwrap().starts_with("42000"), "{notice}");
    assert_eq!(refunded(&till).await["state"], "refunded");
    assert_eq!(trades(&shop).await, [("wechat".to_owned(), "TRADE_SUCCESS".to_owned())]);
}

#[tokio::test]
async fn elsewhere_each_wallet_has_a_button_and_wechats_leads_to_its_page_and_back() {
    let (shop, till) = shop_with_bill().await;
    let mut phone = Browser::new(&shop, ELSEWHERE);
    let page = phone.get(DESK).await;
    assert_eq!(buttons(&page), ["alipay", "wechat"], "{}", page.text);
    assert_eq!(page.referrer.as_deref(), Some("strict-origin"), "H5 payment asks whose page it was");
    let to = tap(&mut phone, &till, &page, "wechat").await;
    assert!(to.contains("prepay_id=") && to.contains("&redirect_url=http"), "{to}");
    let waiting = phone.get(DESK).await;
    assert!(waiting.text.contains("Open the wallet again") && window(&waiting).is_none(), "{}", waiting.text);
    confirm(&mut phone, &to).await;
    paid(&shop, &till).await;
    assert_eq!(trades(&shop).await, [("wechat".to_owned(), "TRADE_SUCCESS".to_owned())]);
}

#[tokio::test]
async fn in_alipay_only_alipay_opens_whatever_a_form_says() {
    let (shop, till) = shop_with_bill().await;
    let mut phone = Browser::new(&shop, IN_ALIPAY);
    let page = phone.get(DESK).await;
    assert_eq!(buttons(&page), ["alipay"]);
    let refused = phone.post(&format!("{DESK}/pay"), &format!("{}&wallet=wechat", page.pay_form())).await;
    assert_eq!(refused.to.unwrap(), format!("{DESK}?said=no_wallet"));
    let to = tap(&mut phone, &till, &page, "alipay").await;
    confirm(&mut phone, &to).await;
    paid(&shop, &till).await;
    assert_eq!(trades(&shop).await, [("alipay".to_owned(), "TRADE_SUCCESS".to_owned())]);
}

#[tokio::test]
async fn a_phone_that_wechat_does_not_name_is_sent_to_the_counter_and_not_round_and_round() {
    let (shop, _till) = shop_with_bill().await;
    let mut phone = Browser::new(&shop, IN_WECHAT);
    phone.get(DESK).await;
    for answer in ["", "&code=made-up", "&code=made-up&state=0123456789"] {
        phone.cookies.remove("till_payer");
        let back = phone.get(&format!("/wechat/back?to={DESK}{answer}")).await;
        assert_eq!(back.to.as_deref(), Some(DESK));
        let page = phone.get(DESK).await;
        assert_eq!(page.to, None, "not sent to WeChat again");
        assert!(page.text.contains("cannot be paid in this app") && buttons(&page).is_empty());
    }
    let away = phone.get("/wechat/back?to=https://evil.example/").await;
    assert_eq!(away.to.as_deref(), Some("/d/-"));
}

#[tokio::test]
async fn a_bill_taken_back_while_wechats_window_is_open_can_no_longer_be_paid_there() {
    let (shop, till) = shop_with_bill().await;
    let mut phone = Browser::new(&shop, IN_WECHAT);
    let page = phone.open(DESK).await;
    let to = tap(&mut phone, &till, &page, "wechat").await;
    let values = window(&phone.get(&to).await).unwrap();
    let (_, told) = open_window(&shop, &values).await;
    let (status, answer) = till.withdraw(INTENT).await;
    assert_eq!((status, &answer["state"]), (200, &json!("withdrawn")), "{answer}");
    confirm(&mut phone, told["page"].as_str().unwrap()).await;
    assert_eq!(trades(&shop).await, [("wechat".to_owned(), "TRADE_CLOSED".to_owned())]);
}

#[tokio::test]
async fn an_order_that_the_till_drew_for_another_wallet_is_not_handed_to_this_phone() {
    let (shop, till) = shop_with_bill().await;
    let mut phone = Browser::new(&shop, ELSEWHERE);
    let page = phone.get(DESK).await;
    let form = format!("{}&wallet=wechat", page.pay_form());
    let address = format!("{DESK}/pay");
    let asked = phone.post(&address, &form);
    let drawn = async {
        till.notice("order_requested").await;
        let text = till.key.draw(&till.order(77, 2600)).unwrap();
        let body = json!({
            "intent": INTENT, "sale": SALE, "order": text, "desk": "table-4", "bill_version": 2,
            "provider": "alipay",
        });
        let target = format!("/v1/terminals/{}/orders", till.id);
        till.call("POST", &target, body.to_string().as_bytes()).await
    };
    let (sent, (status, answer)) = tokio::join!(asked, drawn);
    assert_eq!((status, &answer["state"]), (200, &json!("ended")), "{answer}");
    assert_eq!(sent.status, 303);
    assert!(!sent.to.unwrap().contains("/qr/"), "no wallet opens");
    assert!(trades(&shop).await.is_empty());
}

#[tokio::test]
async fn a_phone_that_goes_back_and_taps_another_wallet_pays_with_that_one() {
    let (shop, till) = shop_with_bill().await;
    let mut phone = Browser::new(&shop, ELSEWHERE);
    let page = phone.get(DESK).await;
    let address = format!("{DESK}/pay");
    let [by_alipay, by_wechat] =
        ["alipay", "wechat"].map(|wallet| format!("{}&wallet={wallet}", page.pay_form()));
    let first = tokio::select! {
        sent = phone.post(&address, &by_alipay) => panic!("sent to {:?}", sent.to),
        wish = till.notice("order_requested") => wish,
    };
    assert_eq!(first["provider"], "alipay");
    let asked = phone.post(&address, &by_wechat);
    let drawn = async {
        let after = first["number"].as_u64().unwrap();
        for _ in 0..4 {
            let told = till.notices(after, 1_000).await["notices"].clone();
            if let Some(wish) = told.as_array().unwrap().iter().find(|told| told["provider"] == "wechat") {
                assert_eq!(wish["kind"], "order_requested");
                let text = till.key.draw(&till.order(77, 2600)).unwrap();
                let body = json!({
                    "intent": INTENT, "sale": SALE, "order": text, "desk": "table-4", "bill_version": 2,
                    "provider": "wechat",
                });
                let target = format!("/v1/terminals/{}/orders", till.id);
                return till.call("POST", &target, body.to_string().as_bytes()).await;
            }
        }
        panic!("the till never hears of the other wallet");
    };
    let (sent, (status, answer)) = tokio::join!(asked, drawn);
    assert_eq!((status, &answer["state"]), (200, &json!("started")), "{answer}");
    assert!(sent.to.as_ref().unwrap().contains("prepay_id="), "{:?}", sent.to);
}

#[tokio::test]
async fn a_code_shown_at_the_counter_is_for_any_wallet_and_the_till_hears_which() {
    let (shop, till) = shop_with_bill().await;
    let order = till.order(78, 2600);
    let (status, brought) = till.bring_order(INTENT, SALE, &order).await;
    assert_eq!((status, &brought["state"]), (200, &json!("open")), "{brought}");
    let url = brought["url"].as_str().unwrap();
    let path = &url[url.find("/O/").unwrap()..];
    let mut phone = Browser::new(&shop, ELSEWHERE);
    let page = phone.get(path).await;
    assert_eq!(buttons(&page), ["alipay", "wechat"], "{}", page.text);
    let sent = phone.post(&format!("{path}/pay"), "wallet=wechat").await;
    confirm(&mut phone, &sent.to.unwrap()).await;
    let told = paid(&shop, &till).await;
    assert_eq!(told["settled"]["wallet"], "wechat", "{told}");
    assert_eq!(trades(&shop).await, [("wechat".to_owned(), "TRADE_SUCCESS".to_owned())]);
}

#[tokio::test]
async fn a_language_is_chosen_by_the_phone_and_can_be_changed_on_the_page() {
    let (shop, _till) = shop_with_bill().await;
    let mut phone = Browser::new(&shop, ELSEWHERE);
    let page = phone.get(DESK).await;
    assert!(page.text.contains("lang=\"en\"") && page.text.contains("Latte"), "{}", page.text);
    let chosen = phone.get(&format!("{DESK}?lang=zh-Hans")).await;
    assert_eq!(chosen.to.as_deref(), Some(DESK));
    let page = phone.get(DESK).await;
    for words in ["lang=\"zh-Hans\"", "拿铁", "支付宝付款", "应付", ">English</a>"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
}
