//! Where each fact of a receipt stands.

use super::sheet::{Sheet, Sold, TALL_BOLD, column};
use super::words::Word;
use super::wrap::cells;
use super::{Codes, Form, Lang, TypeSize};
use crate::money::Money;
use crate::receipt::{OriginalReceipt, Receipt, ReceiptLine, ReceiptTender};
use crate::record::Mode;
use crate::record::body::{Paper, SaleKind};
use crate::record::line::{Quantity, Unit};
use crate::tax::TaxIn;
use hardware::document::{Align, Barcode, BarcodeText, Cut, Document, Qr, Row, Style};

/// Between net amounts and the column of tax.
const TAX_GAP: usize = 2;

/// The longest tax code that stands beside each line; longer ones stand in the tax table alone.
const CODE_CELLS_MAX: usize = 3;

/// Last characters of a provider's trade number that are printed: enough to find it in a list.
const TRADE_SHOWN: usize = 8;

/// Payloads up to this many bytes make a symbol of at most 53 modules (version 9, level L: ISO/IEC
/// 18004, table 7), which at 6 dots a module fits paper of 384 dots. Longer ones get smaller modules.
const QR_LARGE_BYTES: usize = 230;
const QR_SMALL_MODULE_DOTS: u8 = 4;

/// The narrowest bar: a quarter of a millimetre. Wider bars would fill broad paper to its edges and leave no white for
/// a scanner to begin at; narrow paper has no room for them.
const BARS_MODULE_DOTS: u8 = 2;

/// The height of the bar code, eight millimetres: a hand scanner held askew still finds a line through all bars.
const BARS_HEIGHT_DOTS: u8 = 64;

/// Lays a receipt out.
pub fn layout(receipt: &Receipt, form: Form) -> Document {
    let mut sheet = Sheet::new(form, code_cells(receipt));
    sheet.marks(receipt);
    sheet.head(receipt);
    sheet.document.feed(1);
    for line in &receipt.lines {
        sheet.line(line);
    }
    sheet.document.feed(1);
    sheet.sums(receipt);
    for tender in &receipt.tenders {
        sheet.tender(tender);
    }
    if let Some(change) = receipt.change {
        sheet.sum(&sheet.lang.say(Word::Change), &change.decimal(), sheet.body());
    }
    for back in &receipt.given_back {
        let words = format!("{} {}", sheet.lang.say(Word::GivenBack), sheet.lang.means(&back.means));
        sheet.sum(&words, &taken_off(back.amount), sheet.body());
    }
    sheet.taxes(receipt);
    sheet.foot(receipt, form.codes);
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

impl Sheet {
    /// What must not be overlooked on a paper that is not the first or not for real: at both ends.
    fn marks(&mut self, receipt: &Receipt) {
        let kind = match receipt.kind {
            SaleKind::Sale => None,
            SaleKind::Refund | SaleKind::RefundWithoutOriginal => Some(Word::Refund),
            SaleKind::NoSale => Some(Word::NoSale),
            SaleKind::PaidIn => Some(Word::PaidIn),
            SaleKind::PaidOut => Some(Word::PaidOut),
        };
        let training = (receipt.mode == Mode::Training).then_some(Word::Training);
        for word in [training, kind].into_iter().flatten() {
            self.text(&format!("*** {} ***", self.lang.say(word)), Align::Centre, TALL_BOLD);
        }
        if let Paper::Copy(number) = receipt.paper {
            // In both languages, unless the printer may have no Chinese: an inspector must know a copy.
            let lang = if self.lang == Lang::En { Lang::En } else { Lang::Both };
            let words = format!("*** {} {number} ***", lang.say(Word::Copy));
            self.text(&words, Align::Centre, TALL_BOLD);
        }
    }

    fn head(&mut self, receipt: &Receipt) {
        let lang = self.lang;
        if !receipt.shop.name.is_empty() {
            self.text(&receipt.shop.name, Align::Centre, Style::TITLE);
        }
        for line in &receipt.shop.address {
            self.text(line, Align::Centre, Style::PLAIN);
        }
        let number = format!("{} {}", lang.say(Word::Number), receipt.numbered());
        self.ends(&receipt.at, &number, Style::PLAIN);
        let mut till = format!("{} {}", lang.say(Word::Till), receipt.terminal);
        if let Some(station) = &receipt.station {
            till.push_str(&format!("/{station}"));
        }
        let cashier = match receipt.cashier.as_str() {
            "" => String::new(),
            name => format!("{} {name}", lang.say(Word::Cashier)),
        };
        self.ends(&till, &cashier, Style::PLAIN);
        if let Some(original) = &receipt.original {
            self.original(original);
        }
    }

    /// The receipt that money goes back of: its number and date, and how it was paid.
    fn original(&mut self, original: &OriginalReceipt) {
        let lang = self.lang;
        let Some(number) = &original.number else { return };
        self.document.feed(1);
        let number = format!("{} {number}", lang.say(Word::Original));
        self.ends(&number, original.at.as_deref().unwrap_or_default(), self.body());
        let mut paid: Vec<String> = original.tenders.iter().map(|tender| self.means(tender)).collect();
        // Cash that was handed over twice was one way to pay.
        paid.dedup();
        for means in paid {
            let words = format!("{} {means}", lang.say(Word::PaidBy));
            self.text(&words, Align::Left, self.body());
        }
    }

    /// How a part was paid, with the last characters of the wallet's number for it.
    fn means(&self, tender: &ReceiptTender) -> String {
        let mut means = self.lang.means(&tender.means);
        if let Some(trade) = &tender.trade {
            let hidden = trade.chars().count().saturating_sub(TRADE_SHOWN);
            means.push_str(" *");
            means.extend(trade.chars().skip(hidden));
        }
        means
    }

    fn line(&mut self, line: &ReceiptLine) {
        let space = if line.unit == Unit::Piece { "" } else { " " };
        let net = line.net.map(Quantity::with_unit);
        let detail = match (line.quantity.as_str(), line.unit, net) {
            ("1", Unit::Piece, net) => net.unwrap_or_default(),
            (quantity, unit, net) => {
                let net = net.map(|net| format!(" ({net})")).unwrap_or_default();
                format!("{quantity}{space}{} x {}{net}", unit.sign(), line.price.decimal())
            }
        };
        let code =
            if self.edge() < usize::from(self.columns) { line.tax_code.clone() } else { String::new() };
        let name = self.lang.name(&line.name, line.name_zh.as_deref());
        self.sold(&Sold { name, detail, amount: line.amount.decimal(), code });
        for (name, chinese) in &line.modifiers {
            self.below('+', &self.lang.name(name, chinese.as_deref()));
        }
    }

    fn sums(&mut self, receipt: &Receipt) {
        let (lang, body) = (self.lang, self.body());
        let on_top = receipt.taxes.iter().filter(|tax| tax.rate.included == TaxIn::OnTop);
        let on_top: Vec<_> = on_top.filter(|tax| !tax.tax.is_zero()).collect();
        if !receipt.discounts.is_empty() || !on_top.is_empty() {
            self.sum(&lang.say(Word::Subtotal), &receipt.subtotal.decimal(), body);
        }
        for (name, chinese, amount) in &receipt.discounts {
            self.sum(&lang.name(name, chinese.as_deref()), &taken_off(*amount), body);
        }
        for tax in on_top {
            let name = format!("{} {} {}", lang.say(Word::Tax), tax.rate.code, tax.rate.percent());
            self.sum(&name, &tax.tax.decimal(), body);
        }
        let total = format!("{} {}", lang.say(Word::Total), receipt.total.currency.code());
        self.total(&total, &receipt.total.decimal());
        // Among large goods, air makes the total the largest.
        if self.size == TypeSize::Large {
            self.document.feed(1);
        }
    }

    fn tender(&mut self, tender: &ReceiptTender) {
        let body = self.body();
        self.sum(&self.means(tender), &tender.amount.decimal(), body);
        if let Some(discount) = tender.wallet_discount {
            let words = format!("  {}", self.lang.say(Word::WalletDiscount));
            self.sum(&words, &taken_off(discount), body);
        }
        if let Some(balance) = tender.balance {
            self.sum(&format!("  {}", self.lang.say(Word::Balance)), &balance.decimal(), body);
        }
    }

    /// The tax table: code and rate, net, tax. Left out where nothing is taxed.
    fn taxes(&mut self, receipt: &Receipt) {
        if !is_taxed(receipt) {
            return;
        }
        let say = |word| self.lang.say(word);
        let taxes = receipt.taxes.iter().map(|tax| cells(&tax.tax.decimal()));
        let room = taxes.chain([cells(&say(Word::Tax))]).max().unwrap_or(0) + TAX_GAP;
        let (tax_end, net_end) = (column(self.edge()), column(self.edge().saturating_sub(room)));
        let head = Row::new().from(0, say(Word::Rate)).up_to(net_end, say(Word::Net));
        let head = head.up_to(tax_end, say(Word::Tax));
        self.document.feed(1).row(head);
        for tax in &receipt.taxes {
            let rate = format!("{} {}", tax.rate.code, tax.rate.percent());
            let row = Row::new().from(0, rate).up_to(net_end, tax.base.decimal());
            self.document.row(row.up_to(tax_end, tax.tax.decimal()));
        }
    }

    fn foot(&mut self, receipt: &Receipt, codes: Codes) {
        if let Some(member) = &receipt.member {
            let words = format!("{} {member}", self.lang.say(Word::Member));
            self.document.feed(1);
            self.text(&words, Align::Left, self.body());
        }
        let (square, bars) = match codes {
            Codes::None => (None, None),
            Codes::Qr => (receipt.code.as_deref(), None),
            Codes::Bar => (None, receipt.bar_code()),
            Codes::Both => (receipt.code.as_deref(), receipt.bar_code()),
        };
        if let Some(code) = square.filter(|code| !code.is_empty()) {
            self.document.feed(1);
            self.symbol(code);
        }
        if let Some(code) = bars {
            // Its text is the number at the head.
            self.document.feed(1).barcode(Barcode {
                module_dots: BARS_MODULE_DOTS,
                height_dots: BARS_HEIGHT_DOTS,
                text: BarcodeText::None,
                ..Barcode::code128(code)
            });
        }
        if !receipt.shop.thanks.is_empty() {
            self.document.feed(1);
            self.text(&receipt.shop.thanks, Align::Centre, self.body());
        }
    }

    /// A code to be read by a phone.
    pub(super) fn symbol(&mut self, payload: &str) {
        let mut symbol = Qr::new(payload.as_bytes());
        if payload.len() > QR_LARGE_BYTES {
            symbol.module_dots = QR_SMALL_MODULE_DOTS;
        }
        self.document.qr(symbol);
    }
}

fn taken_off(amount: Money) -> String {
    format!("-{}", amount.decimal())
}
