//! The gateway as a plain value: a request goes in, an answer or silence comes out, at a time that is handed in.
//!
//! ```text
//! let gateway = Gateway::in_memory(keys, Settings::default())?;
//! let answer = gateway.handle(&request, now_ms);          // None: the line went dead
//! for notice in gateway.notices(now_ms) {                 // what merchants are to be told now
//!     gateway.noticed(&notice, Some((200, b"success")), now_ms);
//! }
//! gateway.customers().set("A1", Manner::ConfirmAfter { after_ms: 3_000 });
//! gateway.account(Wallet::Alipay, app_id, "A1", now_ms)?; // what the books say
//! ```
//!
//! **Invariant:** with the same keys, seed, rules, requests and times the same happens, byte for byte.
//! Deliberately not here: sockets, waiting, and any reading of clocks; `server` has those.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::Transaction;

use super::{
    Error, alipay,
    books::Books,
    chance,
    customer::Customers,
    faults::{Ending, Fault, Faults, Money, Stage, Strike, Target},
    http::{Pace, RawRequest, RawResponse},
    keys::{Keys, Signing},
    ledger::{Ledger, LedgerError},
    trade::{Buyer, OrderKey},
    verb::{Verb, Wallet},
    wechat,
    wechat_app::UsedCodes,
    witness::{Line, Report, Witness},
};

/// How a gateway behaves, beside its keys and books.
#[derive(Default)]
pub struct Settings {
    /// Where chance comes from: faults by rate, trade numbers, pay codes.
    pub seed: u64,
    /// What a phone reaches the gateway by; a slash at the end is dropped.
    pub public_base: String,
    /// How many times as fast as documented notifications are sent again; 0 counts as 1.
    pub notify_speed: u32,
    /// Who is told what was verified.
    pub report: Option<Report>,
}

/// A gateway. All its methods may be called from many threads.
pub struct Gateway {
    pub(super) keys: Arc<Keys>,
    pub(super) ledger: Ledger,
    pub(super) faults: Faults,
    pub(super) customers: Customers,
    pub(super) witness: Witness,
    pub(super) seed: u64,
    pub(super) public_base: String,
    pub(super) notify_speed: u32,
    /// Counts answers, so that each has a nonce of its own.
    pub(super) answered: AtomicU64,
    pub(super) used_codes: UsedCodes,
}

/// A request that was verified, and what will strike it.
pub(super) struct Ask {
    call: Call,
    key: OrderKey,
    verb: Verb,
    strike: Strike,
}

enum Call {
    Alipay(Box<alipay::Call>),
    Wechat(Box<wechat::Call>),
}

/// What a wallet says, before it is signed.
enum Said {
    Alipay(alipay::Node),
    Wechat(wechat::Reply),
}

impl Said {
    fn outcome(&self) -> &str {
        match self {
            Said::Alipay(node) => node.outcome(),
            Said::Wechat(reply) => reply.outcome(),
        }
    }
}

impl Gateway {
    /// A gateway whose books are in memory and end with it.
    pub fn in_memory(keys: Arc<Keys>, settings: Settings) -> Result<Gateway, Error> {
        Ok(Gateway::of(keys, Ledger::in_memory()?, Faults::new(settings.seed), settings))
    }

    /// A gateway whose books are in this directory.
    pub fn on_disk(keys: Arc<Keys>, dir: &Path, settings: Settings) -> Result<Gateway, Error> {
        Ok(Gateway::of(keys, Ledger::open(dir)?, Faults::new(settings.seed), settings))
    }

    pub(super) fn of(keys: Arc<Keys>, ledger: Ledger, faults: Faults, settings: Settings) -> Gateway {
        Gateway {
            keys,
            ledger,
            faults,
            customers: Customers::default(),
            witness: Witness::telling(settings.report),
            seed: settings.seed,
            public_base: settings.public_base.trim_end_matches('/').to_owned(),
            notify_speed: settings.notify_speed.max(1),
            answered: AtomicU64::new(0),
            used_codes: UsedCodes::default(),
        }
    }

    /// The keys, for whoever sets up a client.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The fault switch.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Who pays how.
    pub fn customers(&self) -> &Customers {
        &self.customers
    }

    /// Answers one request of a merchant at `now_ms`, Unix milliseconds. None: the line goes dead, before or
    /// after the work. Delays are not waited for; [`RawResponse::pace`] says what they would be.
    pub fn handle(&self, request: &RawRequest, now_ms: i64) -> Option<RawResponse> {
        match self.receive(request, now_ms) {
            Ok(ask) => {
                let before = ask.wait_before_ms();
                let mut answer = self.perform(&ask, now_ms)?;
                answer.pace.delay_ms += before;
                Some(answer)
            }
            Err(refusal) => Some(*refusal),
        }
    }

    /// Reads and verifies a request, and says what will strike it. The error is the answer to a request that is
    /// not worked on.
    pub(super) fn receive(&self, request: &RawRequest, now_ms: i64) -> Result<Ask, Box<RawResponse>> {
        if request.path() == "/gateway.do" {
            let call = alipay::Call::read(request, &self.keys).map_err(|refused| {
                self.see(now_ms, &refused.method, "", refused.is_verified, refused.node.outcome());
                Box::new(json(200, alipay::answer::error_envelope(&refused.node)))
            })?;
            let number = call.out_trade_no().unwrap_or_default();
            let key = OrderKey { wallet: Wallet::Alipay, merchant: call.app_id.clone(), number };
            let (verb, code, amount) = (call.verb, call.pay_code(), call.amount());
            return Ok(self.ask(Call::Alipay(Box::new(call)), key, verb, code.as_deref(), amount, now_ms));
        }
        let call = wechat::Call::read(request, &self.keys, now_ms).map_err(|refused| {
            let method = format!("{} {}", request.method, request.path());
            self.see(now_ms, &method, "", refused.is_verified, refused.reply.outcome());
            let signed = self.sign_wechat(&refused.reply, refused.key_id.as_deref(), Signing::Right, now_ms);
            Box::new(signed.unwrap_or_else(|| json(500, String::new())))
        })?;
        let key = call.key();
        let (verb, code, amount) = (call.verb, call.pay_code(), call.amount());
        Ok(self.ask(Call::Wechat(Box::new(call)), key, verb, code.as_deref(), amount, now_ms))
    }

    fn ask(
        &self,
        call: Call,
        key: OrderKey,
        verb: Verb,
        code: Option<&str>,
        amount: Option<i64>,
        now_ms: i64,
    ) -> Ask {
        let found = || self.on_books(now_ms, |books| books.find(&key)).ok().flatten();
        let amount = amount.or_else(|| found().map(|trade| trade.total));
        let (wallet, merchant, number) = (key.wallet, key.merchant.as_str(), key.number.as_str());
        let strike = self.faults.strike(&Target { wallet, verb, merchant, number, code, amount });
        Ask { call, key, verb, strike }
    }

    /// Does what was asked and says it, or nothing where the line goes dead.
    pub(super) fn perform(&self, ask: &Ask, now_ms: i64) -> Option<RawResponse> {
        let method = ask.verb.name(ask.key.wallet);
        let fault = ask.fault();
        let line = |answer: Option<String>| Line {
            at_ms: now_ms,
            method: method.to_owned(),
            number: ask.key.number.clone(),
            is_verified: true,
            fault: fault.map(Fault::kind),
            answer,
        };
        if fault == Some(Fault::DropRequest) {
            self.witness.see(line(None));
            return None;
        }
        let said = self.carry_out(ask, now_ms);
        if fault == Some(Fault::DropAnswer) {
            self.witness.see(line(None));
            return None;
        }
        if let Some(Fault::HttpError { status, .. }) = fault {
            self.witness.see(line(Some(format!("HTTP {status}"))));
            return Some(ask.paced(plain_error(status)));
        }
        self.witness.see(line(Some(said.outcome().to_owned())));
        let signing = if fault == Some(Fault::WrongSignature) {
            Signing::Wrong
        } else if fault == Some(Fault::MissingSignature) {
            Signing::Missing
        } else {
            Signing::Right
        };
        let answer = match (&said, &ask.call) {
            (Said::Alipay(node), Call::Alipay(call)) => self.sign_alipay(method, node, call, signing),
            (Said::Wechat(reply), Call::Wechat(call)) => {
                self.sign_wechat(reply, call.key_id.as_deref(), signing, now_ms)
            }
            (Said::Alipay(_), Call::Wechat(_)) | (Said::Wechat(_), Call::Alipay(_)) => None,
        };
        answer.map(|answer| ask.paced(answer))
    }

    /// The work, twice where the network delivers twice.
    fn carry_out(&self, ask: &Ask, now_ms: i64) -> Said {
        let not_moved = matches!(
            ask.strike.line,
            Some(Fault::Unknown { money: Money::NotMoved } | Fault::HttpError { money: Money::NotMoved, .. })
        );
        if not_moved {
            return ask.unavailable();
        }
        let done = self.on_books(now_ms, |books| {
            if ask.strike.timing == Some(Fault::PaidBefore)
                && let Some(mut trade) = books.find(&ask.key)?
            {
                books.capture(&mut trade)?;
            }
            let said = self.work(books, ask)?;
            if ask.strike.line == Some(Fault::Duplicate) { self.work(books, ask) } else { Ok(said) }
        });
        match (done, ask.strike.line) {
            (Ok(_), Some(Fault::Unknown { .. })) => ask.unavailable(),
            (Ok(Said::Alipay(node)), Some(Fault::WrongAmount { by_fen })) => {
                Said::Alipay(node.with_amounts_off(by_fen))
            }
            (Ok(Said::Wechat(reply)), Some(Fault::WrongAmount { by_fen })) => {
                Said::Wechat(reply.with_amounts_off(by_fen))
            }
            (Ok(said), _) => said,
            (Err(error), _) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the ledger failed; answered unknown");
                ask.unavailable()
            }
        }
    }

    fn work(&self, books: &Books<'_>, ask: &Ask) -> rusqlite::Result<Said> {
        let usual = self.customers.of(&ask.key.number);
        let buyer = Buyer {
            manner: ask.strike.customer.or(usual),
            discount: ask.strike.discount.unwrap_or_default(),
        };
        match &ask.call {
            Call::Alipay(call) => {
                let leaves_open = ask.strike.line == Some(Fault::Late);
                let unheard = if leaves_open { alipay::Unheard::LeftOpen } else { alipay::Unheard::Buried };
                let certificate = &self.keys.certificates.gateway.pem;
                let house = alipay::House { public_base: &self.public_base, certificate };
                alipay::work(books, call, &buyer, unheard, &house).map(Said::Alipay)
            }
            Call::Wechat(call) => {
                let slow_ms = if let Some(Fault::SlowRefund { ms }) = ask.strike.line {
                    i64::try_from(ms).unwrap_or(i64::MAX)
                } else {
                    0
                };
                let leaves_open = ask.strike.line == Some(Fault::Late);
                let house = wechat::House {
                    keys: &self.keys,
                    public_base: &self.public_base,
                    refunds_take_ms: slow_ms,
                    unheard: if leaves_open { wechat::Unheard::LeftOpen } else { wechat::Unheard::Buried },
                };
                wechat::work(books, call, &buyer, &house).map(Said::Wechat)
            }
        }
    }

    fn sign_alipay(
        &self,
        method: &str,
        node: &alipay::Node,
        call: &alipay::Call,
        signing: Signing,
    ) -> Option<RawResponse> {
        let serial = call.has_certificates.then(|| self.keys.certificates.gateway.alipay_serial());
        let text = alipay::answer::envelope(method, node, signing, serial.as_deref(), &self.keys);
        text.ok().map(|text| json(200, text))
    }

    fn sign_wechat(
        &self,
        reply: &wechat::Reply,
        key_id: Option<&str>,
        signing: Signing,
        now_ms: i64,
    ) -> Option<RawResponse> {
        let nth = self.answered.fetch_add(1, Ordering::Relaxed).to_string();
        let nonce = chance::token(self.seed, &["nonce", &nth, &now_ms.to_string()]);
        wechat::sign(reply, &self.keys, key_id, signing, &nonce, now_ms)
    }

    fn see(&self, at_ms: i64, method: &str, number: &str, is_verified: bool, answer: &str) {
        let (method, number, answer) = (method.to_owned(), number.to_owned(), Some(answer.to_owned()));
        self.witness.see(Line { at_ms, method, number, is_verified, fault: None, answer });
    }

    /// Does `work` on the books in one transaction, at this moment.
    pub(super) fn on_books<T>(
        &self,
        now_ms: i64,
        work: impl FnOnce(&Books<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let seed = self.seed;
        self.ledger.run(|transaction: &Transaction<'_>| work(&Books { transaction, now_ms, seed }))
    }
}

impl Ask {
    /// Milliseconds that are lost before anything is done.
    pub(super) fn wait_before_ms(&self) -> u64 {
        self.strike.delay.filter(|(_, stage)| *stage == Stage::Work).map_or(0, |(ms, _)| ms)
    }

    /// The one fault that the log names.
    fn fault(&self) -> Option<Fault> {
        let delay = self.strike.delay.map(|(ms, stage)| Fault::Delay { ms, stage });
        let customer = self.strike.customer.map(Fault::Customer);
        let discount = self.strike.discount.map(Fault::Discounted);
        self.strike.line.or(self.strike.timing).or(customer).or(discount).or(delay)
    }

    fn unavailable(&self) -> Said {
        match self.key.wallet {
            Wallet::Alipay => Said::Alipay(alipay::Node::unavailable()),
            Wallet::Wechat => Said::Wechat(wechat::Reply::unavailable()),
        }
    }

    /// The answer as faults make the line carry it.
    fn paced(&self, mut answer: RawResponse) -> RawResponse {
        let delay = self.strike.delay.filter(|(_, stage)| *stage == Stage::Answer).map_or(0, |(ms, _)| ms);
        answer.pace = Pace {
            delay_ms: delay,
            notify_first: self.strike.timing == Some(Fault::NotifyFirst),
            ..Pace::default()
        };
        if let Some(Fault::SlowBytes { byte_ms }) = self.strike.line {
            answer.pace.byte_ms = byte_ms;
        }
        if let Some(Fault::Truncate { keep, ending }) = self.strike.line {
            let half = answer.body.len() / 2;
            let keep = keep.and_then(|keep| usize::try_from(keep).ok()).unwrap_or(half);
            answer.body.truncate(keep.min(answer.body.len()));
            answer.pace.breaks_off = ending == Ending::Cut;
        }
        answer
    }
}

pub(super) fn json(status: u16, text: String) -> RawResponse {
    let headers = vec![("content-type".to_owned(), "application/json;charset=utf-8".to_owned())];
    RawResponse { status, headers, body: text.into_bytes(), pace: Pace::default() }
}

/// What a balancer in front of the wallet says when the wallet is away.
fn plain_error(status: u16) -> RawResponse {
    let text = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    RawResponse { status, headers, body: text.into_bytes(), pace: Pace::default() }
}
