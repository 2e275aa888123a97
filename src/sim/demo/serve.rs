//! Serving one scripted customer through the real lines.
//!
//! The scripted cashier never assumes that a press or a scan took: it looks at the screen and does what is
//! missing. So the same script goes on after a power cut, as a person would.

use super::cashier::{Cashier, GLANCE, Trouble};
use super::phone::{Bill, Phone, Tap};
use super::plan::{self, Customer, Means, Thing};
use super::shop::{DESK, Shop};
use crate::token::{MemberRef, member_code};
use hardware::sim::Fault;
use serde_json::{Value, json};
use std::io;
use tokio::sync::Mutex;

/// How long one wish of the script may take before the run is called stuck, in milliseconds. A power cut
/// and a start lie within it.
const STUCK_MS: u64 = 45_000;

/// How long a scan or a press may stay without effect before it is repeated, in milliseconds.
const REPEAT_MS: u64 = 1_500;

/// How long a cashier waits for a wallet that does not answer before taking other money, in milliseconds.
const PATIENCE_MS: u64 = 4_000;

/// How closely the scripted eyes look where time is measured.
const STARE: std::time::Duration = std::time::Duration::from_millis(1);

/// How many such looks are taken before something is thought to have gone another way.
const STARES: u32 = 2_000;

/// A printer that takes no byte for so long is idle.
const IDLE: std::time::Duration = std::time::Duration::from_millis(150);

/// How often that is looked for.
const IDLE_LOOKS: u32 = 20;

/// How long the roll stays empty.
const ROLL_MS: u64 = 600;

/// What became of a customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// Paid at the counter.
    Paid,
    /// Paid at the desk, by phone.
    PaidAtDesk,
    /// Left without paying.
    Abandoned,
}

/// The shop and the people in it, as the script and the power cuts share them.
pub(super) type Shared<'a> = &'a Mutex<Shop>;

/// One customer at the counter or at the desk.
pub(super) struct Service<'a> {
    pub(super) shop: Shared<'a>,
    pub(super) cashier: &'a Cashier,
    pub(super) number: usize,
}

type Result<T> = io::Result<T>;

impl Service<'_> {
    /// Serves the customer to the end.
    pub(super) async fn serve(&self, customer: &Customer) -> Result<End> {
        self.settle_leftovers().await?;
        if customer.replug {
            let shop = self.shop.lock().await;
            shop.scanner.unplug();
            shop.scanner.replug()?;
        }
        if customer.stray_scan {
            self.shop.lock().await.scan("6901234567899")?;
        }
        for (index, thing) in customer.things.iter().enumerate() {
            self.add(thing, index + 1).await?;
        }
        if customer.member {
            self.show_member_code().await?;
        }
        let mut coupon = if customer.coupon { self.shop.lock().await.coupons.pop_front() } else { None };
        if customer.means != Means::Desk
            && let Some(token) = coupon.take()
        {
            self.show(&token, |sale| sale["coupons"].as_array().is_some_and(|list| !list.is_empty())).await?;
        }
        let sale = self.front().await?.ok_or_else(|| io::Error::other("the basket is gone"))?;
        let id = sale["id"].as_str().unwrap_or_default().to_owned();
        if customer.paper_out {
            self.shop.lock().await.set_paper(Fault::PaperOut);
        }
        let end = match customer.means {
            Means::Cash => self.pay_cash(&id).await.map(|()| End::Paid),
            Means::Voucher => {
                let voucher = self.shop.lock().await.vouchers.pop_front();
                self.pay_by_voucher(&id, voucher).await.map(|()| End::Paid)
            }
            Means::PayCode(trouble) => {
                let is_measured = trouble.is_none() && !customer.paper_out && !customer.offline;
                let cuts = if is_measured { self.cuts_of_those_before().await } else { 0 };
                self.pay_by_code(&id, trouble).await?;
                if is_measured {
                    self.measure_paper(cuts).await;
                }
                Ok(End::Paid)
            }
            Means::Desk => self.pay_at_desk(&id, coupon).await.map(|()| End::PaidAtDesk),
            Means::WalksAway => self.walk_away(&id).await.map(|()| End::Abandoned),
        }?;
        if customer.paper_out {
            tokio::time::sleep(std::time::Duration::from_millis(ROLL_MS)).await;
            self.shop.lock().await.set_paper(Fault::None);
        }
        Ok(end)
    }

    /// Adds one thing and waits until it is the `wanted`th line on the screen.
    async fn add(&self, thing: &Thing, wanted: usize) -> Result<()> {
        let lines = |sale: &Value| sale["lines"].as_array().map_or(0, Vec::len);
        match thing {
            Thing::Scan(code) => self.show(code, |sale| lines(sale) >= wanted).await,
            Thing::Key(sku, choices) => {
                let mut fields = vec![("sku", *sku)];
                fields.extend(choices.iter().map(|choice| ("modifier", *choice)));
                self.until("a key press", async || {
                    let front = self.front().await?;
                    if front.as_ref().map_or(0, &lines) >= wanted {
                        return Ok(Some(()));
                    }
                    self.press("press-key", front.as_ref(), &fields).await.map(|()| None)
                })
                .await
            }
        }
    }

    /// Scans until the sale in front shows it.
    async fn show(&self, code: &str, seen: impl Fn(&Value) -> bool) -> Result<()> {
        let mut scanned_at: Option<u64> = None;
        self.until("a scan", async || {
            if self.front().await?.as_ref().is_some_and(&seen) {
                return Ok(Some(()));
            }
            let shop = self.shop.lock().await;
            let now = shop.clock.monotonic_ms();
            if scanned_at.is_none_or(|at| now > at + REPEAT_MS) {
                scanned_at = Some(now);
                shop.scan(code)?;
            }
            Ok(None)
        })
        .await
    }

    async fn show_member_code(&self) -> Result<()> {
        let (member, secret) = {
            let shop = self.shop.lock().await;
            let known = &shop.members[self.number / 6 % shop.members.len().max(1)];
            (known["member"].as_str().unwrap_or_default().to_owned(), secret_of(known))
        };
        let member: MemberRef = member.parse().map_err(|_| io::Error::other("a member without a number"))?;
        let at = self.shop.lock().await.clock.unix_ms() / 1000;
        self.show(&member_code(member, &secret, at), |sale| !sale["member"].is_null()).await
    }

    async fn pay_cash(&self, id: &str) -> Result<()> {
        self.until("cash", async || {
            if self.paid(id).await? {
                return Ok(Some(()));
            }
            let Some(sale) = self.front().await? else { return Ok(None) };
            let total = money(&sale["total"]);
            let received = total.div_euclid(1000) * 1000 + 1000;
            let received = format!("{}.{:02}", received / 100, received % 100);
            self.press("cash", Some(&sale), &[("received", &received)]).await.map(|()| None)
        })
        .await
    }

    /// Fixes the total and scans a voucher until a part is paid by it; the rest is cash. Without a voucher all of it is.
    async fn pay_by_voucher(&self, id: &str, voucher: Option<String>) -> Result<()> {
        let Some(voucher) = voucher else { return self.pay_cash(id).await };
        let mut scanned_at: Option<u64> = None;
        self.until("a voucher", async || {
            if self.paid(id).await? {
                return Ok(Some(()));
            }
            let Some(sale) = self.front().await? else { return Ok(None) };
            if sale["phase"] == "basket" {
                self.press("pay", Some(&sale), &[]).await?;
                return Ok(None);
            }
            if let Some(due) = sale["due"]["minor"].as_i64().filter(|due| *due < money(&sale["total"])) {
                let received = format!("{}.{:02}", due / 100, due % 100);
                return self.press("cash", Some(&sale), &[("received", &received)]).await.map(|()| None);
            }
            let shop = self.shop.lock().await;
            let now = shop.clock.monotonic_ms();
            if scanned_at.is_none_or(|at| now > at + REPEAT_MS) {
                scanned_at = Some(now);
                shop.scan(&voucher)?;
            }
            Ok(None)
        })
        .await
    }

    /// Fixes the total and shows pay codes until one is taken; with a wallet that cannot be asked, cash.
    async fn pay_by_code(&self, id: &str, trouble: Option<plan::Trouble>) -> Result<()> {
        let mut code = self.fresh_code(trouble).await?;
        let mut shown_at: Option<u64> = None;
        self.until("a pay code", async || {
            if self.paid(id).await? {
                return Ok(Some(()));
            }
            let Some(sale) = self.front().await? else { return Ok(None) };
            let now = self.shop.lock().await.clock.monotonic_ms();
            let payment = sale["payments"].as_array().and_then(|list| list.last()).cloned();
            let state = payment.as_ref().map_or("", |payment| payment["state"].as_str().unwrap_or(""));
            match (sale["phase"].as_str().unwrap_or(""), state) {
                ("basket", _) => self.press("pay", Some(&sale), &[]).await?,
                ("tender", "cancelled" | "tombstoned") => {
                    // What was taken back is paid in cash: one trouble is enough for one customer.
                    let received = format!("{}.00", money(&sale["total"]) / 100 + 1);
                    self.press("cash", Some(&sale), &[("received", &received)]).await?;
                }
                ("tender", state) => {
                    if state == "declined" {
                        code = self.fresh_code(None).await?;
                        shown_at = None;
                    }
                    if shown_at.is_none_or(|at| now > at + REPEAT_MS) {
                        shown_at = Some(now);
                        let online = {
                            let shop = self.shop.lock().await;
                            shop.scan(&code)?;
                            shop.is_online()
                        };
                        // Nothing is to go wrong: eyes on the screen.
                        if trouble.is_none() && online {
                            self.measure_screen(id).await?;
                        }
                    }
                }
                ("paying", "unsure" | "pending") if shown_at.is_none_or(|at| now > at + PATIENCE_MS) => {
                    let intent =
                        payment.as_ref().map_or("", |payment| payment["intent"].as_str().unwrap_or(""));
                    self.press("cancel-payment", Some(&sale), &[("intent", intent)]).await?;
                }
                _ => {}
            }
            Ok(None)
        })
        .await
    }

    /// Stares at the screen until the sale is paid, or for as long as an approval should take.
    async fn measure_screen(&self, id: &str) -> Result<()> {
        for _ in 0..STARES {
            if self.paid(id).await? {
                let mut shop = self.shop.lock().await;
                let waited_ms = shop.since_wallet_ms();
                shop.measured.to_screen_ms.push(waited_ms);
                return Ok(());
            }
            tokio::time::sleep(STARE).await;
        }
        Ok(())
    }

    /// The sheets that were cut once the printer has been idle for a moment.
    async fn cuts_of_those_before(&self) -> usize {
        let mut received = 0;
        for _ in 0..IDLE_LOOKS {
            let before = std::mem::replace(&mut received, self.shop.lock().await.printer.received());
            if before == received {
                break;
            }
            tokio::time::sleep(IDLE).await;
        }
        self.shop.lock().await.cuts()
    }

    /// Stares at the printer until one more sheet is cut than there was.
    async fn measure_paper(&self, cuts: usize) {
        for _ in 0..STARES {
            let mut shop = self.shop.lock().await;
            if shop.cuts() > cuts {
                let waited_ms = shop.since_wallet_ms();
                shop.measured.to_cut_ms.push(waited_ms);
                return;
            }
            drop(shop);
            tokio::time::sleep(STARE).await;
        }
    }

    /// A pay code from the wallet, with the trouble that it is to meet.
    async fn fresh_code(&self, trouble: Option<plan::Trouble>) -> Result<String> {
        let shop = self.shop.lock().await;
        let code = shop.pay_code().await?;
        if let Some(trouble) = trouble {
            shop.add_fault(fault_rule(trouble, &code)).await?;
        }
        Ok(code)
    }

    async fn pay_at_desk(&self, id: &str, coupon: Option<String>) -> Result<()> {
        let phone = Phone::new().map_err(io::Error::other)?;
        let page = self.shop.lock().await.desk_page(DESK);
        let mut coupon = coupon;
        let mut tapped_at: Option<u64> = None;
        self.until("a phone at the desk", async || {
            if self.paid(id).await? {
                return Ok(Some(()));
            }
            if let Some(sale) = self.front().await? {
                self.press("put-on-desk", Some(&sale), &[("desk", DESK)]).await?;
                return Ok(None);
            }
            if let Some(token) = &coupon {
                let shown = self
                    .desk_sale()
                    .await?
                    .is_some_and(|sale| sale["coupons"].as_array().is_some_and(|list| !list.is_empty()));
                if shown {
                    coupon = None;
                } else {
                    // The page may not have the bill yet; it is shown again until the bill carries it.
                    let _ = phone.show_coupon(&page, token).await;
                    tokio::time::sleep(GLANCE * 5).await;
                    return Ok(None);
                }
            }
            let now = self.shop.lock().await.clock.monotonic_ms();
            if tapped_at.is_none_or(|at| now > at + REPEAT_MS * 2)
                && let Ok(Some(bill)) = phone.open(&page).await
            {
                tapped_at = tap(&phone, &bill).await?.then_some(now);
            }
            Ok(None)
        })
        .await
    }

    async fn walk_away(&self, id: &str) -> Result<()> {
        self.until("a customer who leaves", async || match self.front().await? {
            Some(sale) if sale["id"] == id => {
                self.press("void-sale", Some(&sale), &[("reason", "the customer left")]).await?;
                Ok(None)
            }
            Some(_) | None => Ok(Some(())),
        })
        .await
    }

    /// Decides about paper and drawers that a power cut left open, as a person would after a look.
    async fn settle_leftovers(&self) -> Result<()> {
        let Ok(view) = self.cashier.view().await else { return Ok(()) };
        let list = view["till"]["attention"].as_array().cloned().unwrap_or_default();
        for open in list {
            if let Some(job) = open["job"].as_str() {
                self.press("settle", None, &[("job", job), ("words", "looked")]).await?;
            }
        }
        Ok(())
    }

    /// The sale in front.
    async fn front(&self) -> Result<Option<Value>> {
        let view = self.look().await?;
        let sale = &view["till"]["stations"]["front"]["sale"];
        Ok((!sale.is_null()).then(|| sale.clone()))
    }

    async fn desk_sale(&self) -> Result<Option<Value>> {
        let view = self.look().await?;
        let desks = view["till"]["desks"].as_array().cloned().unwrap_or_default();
        Ok(desks.into_iter().find(|desk| desk["id"] == DESK).map(|desk| desk["sale"].clone()))
    }

    /// Whether this sale has its receipt.
    async fn paid(&self, id: &str) -> Result<bool> {
        let view = self.look().await?;
        let recent = view["till"]["recent"].as_array().cloned().unwrap_or_default();
        Ok(recent.iter().any(|paid| paid["sale"] == id))
    }

    /// The screen; after a power cut, once there is one again.
    async fn look(&self) -> Result<Value> {
        self.until("the screen", async || match self.cashier.view().await {
            Ok(view) => Ok(Some(view)),
            Err(Trouble::Away(_)) => Ok(None),
            Err(no @ Trouble::No(..)) => Err(io::Error::other(no.to_string())),
        })
        .await
    }

    /// Presses a button. A refusal is no trouble: the next look at the screen says what to do.
    async fn press(&self, act: &str, seen: Option<&Value>, fields: &[(&str, &str)]) -> Result<()> {
        match self.cashier.press(act, seen, fields).await {
            Ok(()) => Ok(()),
            Err(Trouble::No(code, words)) if code == "sign_in_first" => Err(io::Error::other(words)),
            Err(trouble) => {
                tracing::debug!(act, trouble = %trouble, "A press did nothing.");
                Ok(())
            }
        }
    }

    /// Looks and acts until there is what was wanted.
    async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
        let clock = crate::clock::Clock::new();
        let end = clock.monotonic_ms() + STUCK_MS;
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if clock.monotonic_ms() > end {
                let screen = self.cashier.view().await.map(|view| view.to_string()).unwrap_or_default();
                let words = format!("customer {}: {what} came to nothing; the screen: {screen}", self.number);
                return Err(io::Error::other(words));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
}

/// Taps and confirms. Whether the wallet opened.
async fn tap(phone: &Phone, bill: &Bill) -> Result<bool> {
    match phone.tap(bill).await {
        Ok(Tap::Wallet(wallet)) => phone.confirm(&wallet).await.map_err(io::Error::other),
        Ok(Tap::Said(_)) | Err(_) => Ok(false),
    }
}

fn fault_rule(trouble: plan::Trouble, code: &str) -> Value {
    let fault = match trouble {
        plan::Trouble::Delay => json!({"kind": "delay", "delay_ms": 2500}),
        plan::Trouble::PayingThenPaid => json!({"kind": "paying_then_paid", "after_queries": 3}),
        plan::Trouble::Unknown => json!({"kind": "unknown", "money": "moved"}),
        plan::Trouble::DropRequest
        | plan::Trouble::DropAnswer
        | plan::Trouble::WrongSignature
        | plan::Trouble::Refuse => json!({"kind": trouble.word()}),
    };
    let mut rule = fault;
    rule["pay_code"] = json!(code);
    rule["times"] = json!(1);
    rule
}

fn money(value: &Value) -> i64 {
    value["minor"].as_i64().unwrap_or(0)
}

pub(super) fn secret_of(member: &Value) -> Vec<u8> {
    let text = member["secret"].as_str().unwrap_or_default();
    (0..text.len() / 2).filter_map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}
