//! Where each fact of a receipt stands.
//!
//! Amounts share a right edge, so that they are one column of figures; the encoder reaches it by an
//! absolute position where the printer has one.

use super::Lang;
use super::words::Word;
use super::wrap::{cells, wrap};
use crate::money::Money;
use crate::receipt::{Receipt, ReceiptLine, ReceiptTender};
use crate::record::Mode;
use crate::record::body::Paper;
use crate::tax::TaxIn;
use hardware::document::{Cell, Cut, Document, Line, Place, Qr, Row, Style};

/// The narrowest paper that is laid out for; on narrower paper lines break where they must.
const COLUMNS_MIN: u8 = 24;

/// Between the right edges of `2 x 1.20` and of the amounts: room for amounts below ten million.
const DETAIL_ROOM: usize = 11;

/// Between the right edges of net amounts and of tax.
const TAX_ROOM: u8 = 11;

/// The longest tax code that stands beside each line; longer ones stand in the tax table alone.
const CODE_CELLS_MAX: usize = 3;

/// Last characters of a provider's trade number that are printed: enough to find it in a list.
const TRADE_SHOWN: usize = 8;

/// Payloads up to this many bytes make a symbol of at most 53 modules (version 9, level L: ISO/IEC
/// 18004, table 7), which at 6 dots a module fits paper of 384 dots. Longer ones get smaller modules.
const QR_LARGE_BYTES: usize = 230;
const QR_SMALL_MODULE_DOTS: u8 = 4;

/// Twice as tall, but no wider: for totals that do not fit at double size, and for marks.
const TALL: Style = Style { bold: true, wide: false, tall: true };

/// Lays a receipt out for paper of so many columns.
pub fn layout(receipt: &Receipt, lang: Lang, columns: u8) -> Document {
    let columns = columns.max(COLUMNS_MIN);
    let mut sheet = Sheet { document: Document::new(), lang, columns, codes: code_cells(receipt) };
    sheet.marks(receipt);
    sheet.head(receipt);
    sheet.document.feed(1);
    for line in &receipt.lines {
        sheet.item(line);
    }
    sheet.document.feed(1);
    sheet.sums(receipt);
    for tender in &receipt.tenders {
        sheet.tender(tender);
    }
    if let Some(change) = receipt.change {
        sheet.pair(&lang.say(Word::Change), &change.decimal(), Style::PLAIN);
    }
    sheet.taxes(receipt);
    sheet.foot(receipt);
    sheet.marks(receipt);
    sheet.document.cut(Cut::Partial);
    sheet.document
}

/// Cells of the column of tax codes; none when nothing is taxed.
fn code_cells(receipt: &Receipt) -> usize {
    if !is_taxed(receipt) {
        return 0;
    }
    let widest = receipt.lines.iter().map(|line| cells(&line.tax_code)).max().unwrap_or(0);
    if widest > CODE_CELLS_MAX { 0 } else { widest }
}

fn is_taxed(receipt: &Receipt) -> bool {
    receipt.taxes.iter().any(|tax| tax.rate.rate_ppm != 0)
}

/// A document under way.
struct Sheet {
    document: Document,
    lang: Lang,
    columns: u8,
    codes: usize,
}

impl Sheet {
    /// What must not be overlooked on a paper that is not the first or not for real: at both ends.
    fn marks(&mut self, receipt: &Receipt) {
        if receipt.mode == Mode::Training {
            let word = self.lang.say(Word::Training);
            self.document.line(Line::centred(format!("*** {word} ***")).styled(TALL));
        }
        if let Paper::Copy(number) = receipt.paper {
            let word = self.lang.say(Word::Copy);
            self.document.line(Line::centred(format!("*** {word} {number} ***")).styled(TALL));
        }
    }

    fn head(&mut self, receipt: &Receipt) {
        let lang = self.lang;
        if !receipt.shop.name.is_empty() {
            self.document.line(Line::centred(receipt.shop.name.clone()).styled(Style::TITLE));
        }
        for line in &receipt.shop.address {
            self.document.line(Line::centred(line.clone()));
        }
        let number = format!("{} {}", lang.say(Word::Number), receipt.numbered());
        self.pair(&receipt.at, &number, Style::PLAIN);
        let till = format!("{} {}", lang.say(Word::Till), receipt.terminal);
        let cashier = match receipt.cashier.as_str() {
            "" => String::new(),
            name => format!("{} {name}", lang.say(Word::Cashier)),
        };
        self.pair(&till, &cashier, Style::PLAIN);
    }

    fn item(&mut self, line: &ReceiptLine) {
        let amount = line.amount.decimal();
        let amount_end = match self.codes {
            0 => usize::from(self.columns),
            codes => usize::from(self.columns) - codes - 1,
        };
        let amount_from = amount_end.saturating_sub(cells(&amount));
        let detail = match line.quantity.as_str() {
            "1" => String::new(),
            quantity => format!("{quantity} x {}", line.price.decimal()),
        };
        let detail_end = amount_end - DETAIL_ROOM;
        let detail_from = detail_end.saturating_sub(cells(&detail));
        let name = self.lang.name(&line.name, line.name_zh.as_deref());
        // Beside the name where it leaves the name whole, otherwise on a line of its own.
        let beside = !detail.is_empty() && cells(&name) < detail_from && detail_end < amount_from;
        let mut pieces = wrap(&name, amount_from.saturating_sub(1)).into_iter();
        let mut row = Row::new().from(0, pieces.next().unwrap_or_default());
        if beside {
            row = row.up_to(column(detail_end), detail.clone());
        }
        row = row.up_to(column(amount_end), amount);
        if self.codes > 0 {
            row = row.from(column(amount_end + 1), line.tax_code.clone());
        }
        self.document.row(row);
        for piece in pieces {
            self.document.line(Line::left(piece));
        }
        if !beside && !detail.is_empty() {
            self.document.line(Line::left(format!("  {detail}")));
        }
        for (name, chinese) in &line.modifiers {
            let name = self.lang.name(name, chinese.as_deref());
            for (at, piece) in wrap(&name, usize::from(self.columns) - 4).into_iter().enumerate() {
                let sign = if at == 0 { '+' } else { ' ' };
                self.document.line(Line::left(format!("  {sign} {piece}")));
            }
        }
    }

    fn sums(&mut self, receipt: &Receipt) {
        let lang = self.lang;
        let on_top = receipt.taxes.iter().filter(|tax| tax.rate.included == TaxIn::OnTop);
        let on_top: Vec<_> = on_top.filter(|tax| !tax.tax.is_zero()).collect();
        if !receipt.discounts.is_empty() || !on_top.is_empty() {
            self.pair(&lang.say(Word::Subtotal), &receipt.subtotal.decimal(), Style::PLAIN);
        }
        for (name, chinese, amount) in &receipt.discounts {
            let name = lang.name(name, chinese.as_deref());
            self.pair(&name, &taken_off(*amount), Style::PLAIN);
        }
        for tax in on_top {
            let name = format!("{} {} {}", lang.say(Word::Tax), tax.rate.code, tax.rate.percent());
            self.pair(&name, &tax.tax.decimal(), Style::PLAIN);
        }
        let total = format!("{} {}", lang.say(Word::Total), receipt.total.currency.code());
        let amount = receipt.total.decimal();
        let doubled = 2 * (cells(&total) + cells(&amount) + 1);
        let style = if doubled <= usize::from(self.columns) { Style::TITLE } else { TALL };
        self.pair(&total, &amount, style);
    }

    fn tender(&mut self, tender: &ReceiptTender) {
        let mut means = self.lang.means(&tender.means);
        if let Some(trade) = &tender.trade {
            let hidden = trade.chars().count().saturating_sub(TRADE_SHOWN);
            means.push_str(" *");
            means.extend(trade.chars().skip(hidden));
        }
        self.pair(&means, &tender.amount.decimal(), Style::PLAIN);
        if let Some(discount) = tender.wallet_discount {
            let words = format!("  {}", self.lang.say(Word::WalletDiscount));
            self.pair(&words, &taken_off(discount), Style::PLAIN);
        }
    }

    /// The tax table: code and rate, net, tax. Left out where nothing is taxed.
    fn taxes(&mut self, receipt: &Receipt) {
        if !is_taxed(receipt) {
            return;
        }
        let (net_end, tax_end) = (self.columns - TAX_ROOM, self.columns);
        let say = |word| self.lang.say(word);
        let head = Row::new().from(0, say(Word::Rate)).up_to(net_end, say(Word::Net));
        let head = head.up_to(tax_end, say(Word::Tax));
        self.document.feed(1).row(head);
        for tax in &receipt.taxes {
            let rate = format!("{} {}", tax.rate.code, tax.rate.percent());
            let row = Row::new().from(0, rate).up_to(net_end, tax.base.decimal());
            self.document.row(row.up_to(tax_end, tax.tax.decimal()));
        }
    }

    fn foot(&mut self, receipt: &Receipt) {
        if let Some(member) = &receipt.member {
            let words = format!("{} {member}", self.lang.say(Word::Member));
            self.document.feed(1).line(Line::left(words));
        }
        if let Some(code) = receipt.code.as_ref().filter(|code| !code.is_empty()) {
            let mut symbol = Qr::new(code.as_bytes());
            if code.len() > QR_LARGE_BYTES {
                symbol.module_dots = QR_SMALL_MODULE_DOTS;
            }
            self.document.feed(1).qr(symbol);
        }
        if !receipt.shop.thanks.is_empty() {
            self.document.feed(1).line(Line::centred(receipt.shop.thanks.clone()));
        }
    }

    /// A text at the left and one at the right edge, on one line where both fit.
    fn pair(&mut self, left: &str, right: &str, style: Style) {
        let factor = if style.wide { 2 } else { 1 };
        let columns = usize::from(self.columns);
        if right.is_empty() {
            self.document.line(Line::left(left).styled(style));
        } else if factor * (cells(left) + 1 + cells(right)) <= columns {
            let cell = |text: &str, place| Cell { text: text.to_owned(), place, style };
            let row = Row::new().with(cell(left, Place::From(0)));
            self.document.row(row.with(cell(right, Place::UpTo(self.columns))));
        } else {
            for piece in wrap(left, columns / factor) {
                self.document.line(Line::left(piece).styled(style));
            }
            self.document.line(Line::right(right).styled(style));
        }
    }
}

fn taken_off(amount: Money) -> String {
    format!("-{}", amount.decimal())
}

/// Columns come from a `u8` and only ever shrink.
fn column(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(u8::MAX)
}
