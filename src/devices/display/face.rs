//! What two lines say of a sale: the line that was touched last and the total, what is to pay, the change.
//!
//! Pure but for what it remembers of the lines it saw last, to tell which one was touched.

use super::DisplayConfig;
use crate::paper::Lang;
use crate::record::ids::SaleId;
use crate::view::{LineState, LineView, PaidView, Phase, SaleView};
use hardware::display::{Charset, Frame, Line};

/// A word on a display: Chinese, English. English ones leave room for an amount of ten characters.
type Word = (&'static str, &'static str);

const WELCOME: Word = ("欢迎光临", "Welcome");
const TOTAL: Word = ("合计", "TOTAL");
const TO_PAY: Word = ("待付", "TO PAY");
const PLEASE: Word = ("请付款", "Please pay");
const PAYING: Word = ("支付中", "Paying...");
const SCAN: Word = ("请扫码付款", "Scan code to pay");
const CASH: Word = ("收现金", "CASH");
const PAID: Word = ("已付", "PAID");
const CHANGE: Word = ("找零", "CHANGE");
const THANKS: Word = ("谢谢惠顾", "Thank you");
const REMOVED: Word = ("取消", "Removed");

/// Whether a code is shown that nobody has begun to pay.
fn is_to_be_scanned(sale: &SaleView) -> bool {
    sale.payments.last().is_some_and(|payment| payment.lets_scan() && payment.code.is_some())
}

/// What a display says.
pub(super) struct Face {
    lang: Lang,
    idle: Vec<String>,
    /// The sale that was shown last, its lines, and which of them was touched.
    seen: Option<(SaleId, Vec<LineView>, Option<usize>)>,
}

impl Face {
    pub(super) fn new(display: &DisplayConfig) -> Self {
        let lang = match display.profile.charset {
            Charset::Ascii | Charset::Cp437 => Lang::En,
            Charset::Gb2312 => display.lang,
        };
        Self { lang, idle: display.idle.clone(), seen: None }
    }

    /// Nobody buys.
    pub(super) fn idle(&self, shop: &str) -> Frame {
        match self.idle.as_slice() {
            [] => Frame { upper: Line::centred(shop), lower: Line::centred(self.say(WELCOME)) },
            [upper] => Frame { upper: Line::centred(upper.clone()), lower: Line::default() },
            [upper, lower, ..] => {
                Frame { upper: Line::centred(upper.clone()), lower: Line::centred(lower.clone()) }
            }
        }
    }

    /// A sale under way.
    pub(super) fn sale(&mut self, sale: &SaleView) -> Frame {
        let touched = self.touched(sale);
        let total = Line::amount(self.say(TOTAL), sale.total.decimal());
        let left = sale.total.minus(sale.paid).unwrap_or(sale.total);
        let to_pay = if sale.paid.is_zero() {
            Line::centred(self.say(PLEASE))
        } else {
            Line::amount(self.say(TO_PAY), left.decimal())
        };
        match sale.phase {
            Phase::Basket => Frame { upper: touched.unwrap_or_default(), lower: total },
            Phase::Tender => Frame { upper: total, lower: to_pay },
            // Two lines show no symbol: they say that there is one, on the screen or on paper.
            Phase::Paying if is_to_be_scanned(sale) => {
                let asked = sale.payments.last().map_or(sale.total, |payment| payment.amount);
                Frame {
                    upper: Line::centred(self.say(SCAN)),
                    lower: Line::amount(self.say(TO_PAY), asked.decimal()),
                }
            }
            Phase::Paying => Frame { upper: total, lower: Line::centred(self.say(PAYING)) },
            Phase::Paid | Phase::Void | Phase::Frozen => Frame { upper: Line::default(), lower: total },
        }
    }

    /// A sale that was paid.
    pub(super) fn paid(&self, paid: &PaidView) -> Frame {
        let sum = |word, amount: &str| Line::amount(self.say(word), amount);
        let total = paid.total.decimal();
        match (paid.change, &paid.wallet) {
            (Some(change), None) => {
                let received = paid.total.plus(change).unwrap_or(paid.total);
                Frame { upper: sum(CASH, &received.decimal()), lower: sum(CHANGE, &change.decimal()) }
            }
            (Some(change), Some(_)) => {
                Frame { upper: sum(PAID, &total), lower: sum(CHANGE, &change.decimal()) }
            }
            (None, _) => Frame { upper: sum(PAID, &total), lower: Line::centred(self.say(THANKS)) },
        }
    }

    /// The line that was touched last: added, counted anew, or taken out. The last one that counts where nothing is
    /// known of before.
    fn touched(&mut self, sale: &SaleView) -> Option<Line> {
        let now = &sale.lines;
        let before = self.seen.take().filter(|(id, ..)| *id == sale.id);
        let at = match &before {
            Some((_, before, at)) => {
                let differs = |at: &usize| before.get(*at) != now.get(*at);
                (0..now.len()).rev().find(differs).or(*at)
            }
            None => now.iter().rposition(|line| line.state == LineState::Sold),
        };
        self.seen = Some((sale.id, now.clone(), at));
        now.get(at?).map(|line| self.line(line))
    }

    fn line(&self, line: &LineView) -> Line {
        let name = match (&line.name_zh, self.lang) {
            (Some(chinese), Lang::ZhHans | Lang::Both) => chinese,
            (Some(_) | None, _) => &line.name,
        };
        match (line.state, line.quantity.as_str()) {
            (LineState::Void, _) => Line::amount(format!("{} {name}", self.say(REMOVED)), ""),
            (LineState::Sold, "1") => Line::amount(name, line.amount.decimal()),
            (LineState::Sold, quantity) => {
                Line::amount(format!("{quantity}{} {name}", line.unit.sign()), line.amount.decimal())
            }
        }
    }

    /// Twenty characters hold no word in two languages.
    fn say(&self, (chinese, english): Word) -> &'static str {
        match self.lang {
            Lang::ZhHans | Lang::Both => chinese,
            Lang::En => english,
        }
    }
}
