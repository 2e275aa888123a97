//! A slip: a receipt of any program, given as JSON with its words and amounts ready to print.
//!
//! Columns are those that the slip asks for where the paper is as wide as they are together; otherwise they are
//! laid out anew. Not here: taking the JSON apart (`slip::read`), and our own receipts (`layout`).

mod columns;
mod read;

use super::sheet::{Sheet, Sold};
use super::wrap::{cells, wrap};
use super::{Form, TypeSize};
use columns::{Fitted, NAME_LEAST, Ruled, Side};
use hardware::document::{Align, Cell, Cut, Document, DrawerPulse, Line, Place, Row, Style};
pub use read::SlipError;

/// The receipt that sizes and speeds are measured on, in a slip's form.
const SAMPLE: &str = include_str!("slip/sample.json");

/// A receipt in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slip {
    title: Option<Title>,
    head: Vec<String>,
    items: Vec<Item>,
    item_columns: Ruled<3>,
    totals: Vec<[String; 2]>,
    total_columns: Ruled<2>,
    foot: Vec<String>,
    qr: Option<String>,
    drawer: Option<DrawerPulse>,
}

/// What stands on top.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Title {
    text: String,
    align: Align,
    style: Style,
}

/// Name, quantity, amount.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Item {
    name: String,
    quantity: String,
    amount: String,
}

impl Slip {
    /// The sample's JSON.
    pub fn sample() -> &'static str {
        SAMPLE
    }

    /// Lays it out.
    pub fn layout(&self, form: Form) -> Document {
        let mut sheet = Sheet::new(form, 0);
        if let Some(title) = &self.title {
            sheet.text(&title.text, title.align, title.style);
        }
        for line in &self.head {
            sheet.text(line, Align::Left, Style::PLAIN);
        }
        match form.size {
            TypeSize::Normal => self.columns(&mut sheet),
            TypeSize::Large => self.large(&mut sheet),
        }
        for line in &self.foot {
            sheet.text(&sheet.lang.label(line), Align::Left, sheet.body());
        }
        if let Some(payload) = &self.qr {
            // A reader wants white around a symbol, above as well.
            sheet.document.feed(1);
            sheet.symbol(payload);
        }
        sheet.document.feed(1).cut(Cut::Partial);
        if let Some(pulse) = self.drawer {
            sheet.document.drawer(pulse);
        }
        sheet.document
    }

    /// In the columns that were asked for, or as near to them as the paper allows.
    fn columns(&self, sheet: &mut Sheet) {
        let items: Vec<[&str; 3]> =
            self.items.iter().map(|item| [item.name.as_str(), &item.quantity, &item.amount]).collect();
        let fitted = self.item_columns.fit(sheet.columns, &items);
        for item in items {
            set(sheet, &fitted, item);
        }
        let totals: Vec<[String; 2]> =
            self.totals.iter().map(|[label, amount]| [sheet.lang.label(label), amount.clone()]).collect();
        let totals: Vec<[&str; 2]> =
            totals.iter().map(|total| total.each_ref().map(String::as_str)).collect();
        let fitted = self.total_columns.fit(sheet.columns, &totals);
        for total in totals {
            set(sheet, &fitted, total);
        }
    }

    /// Goods in large type; the last of the totals is what is to pay.
    fn large(&self, sheet: &mut Sheet) {
        sheet.document.feed(1);
        for item in &self.items {
            let detail = if item.quantity == "1" { String::new() } else { format!("x {}", item.quantity) };
            let (name, amount) = (item.name.clone(), item.amount.clone());
            sheet.sold(&Sold { name, detail, amount, code: String::new() });
        }
        sheet.document.feed(1);
        let to_pay = self.totals.iter().rposition(|[label, _]| is_total(label));
        for (at, [label, amount]) in self.totals.iter().enumerate() {
            let label = sheet.lang.label(label);
            if Some(at) == to_pay {
                sheet.total(&label, amount);
            } else {
                sheet.sum(&label, amount, sheet.body());
            }
        }
        sheet.document.feed(1);
    }
}

/// Whether a label is that of what is to pay.
fn is_total(label: &str) -> bool {
    super::Lang::ZhHans.label(label).starts_with("合计")
}

/// Sets one row. The first cell wraps within its column; a row whose other cells leave it no room gets its name on
/// lines of its own.
fn set<const N: usize>(sheet: &mut Sheet, fitted: &Fitted<N>, texts: [&str; N]) {
    let [name, others @ ..] = &texts[..] else { return };
    let mut next = usize::from(sheet.columns);
    let mut right: Vec<Cell> = Vec::new();
    let mut room = true;
    for (at, text) in others.iter().enumerate().rev() {
        if text.is_empty() {
            continue;
        }
        let column = &fitted.0[at + 1];
        let wide = cells(text);
        let place = match column.side {
            Side::Left if column.from + wide <= next => Place::From(super::sheet::column(column.from)),
            Side::Left | Side::Right => Place::UpTo(super::sheet::column(column.to.min(next))),
        };
        let from = match place {
            Place::From(from) => usize::from(from),
            Place::UpTo(to) => usize::from(to).saturating_sub(wide),
        };
        room &= from > 0;
        next = from.saturating_sub(1);
        right.push(Cell { text: (*text).to_owned(), place, style: Style::PLAIN });
    }
    right.reverse();
    let name_room = next.min(fitted.0[0].to);
    if !room || (name_room < NAME_LEAST && cells(name) > name_room) {
        sheet.text(name, Align::Left, Style::PLAIN);
        let mut rest = others.to_vec();
        let last = rest.pop().unwrap_or_default();
        sheet.sum(&rest.join(" "), last, Style::PLAIN);
        return;
    }
    let side = fitted.0[0].side;
    let mut pieces = wrap(name, name_room).into_iter();
    let cell = |text: String| {
        let place = match side {
            Side::Left => Place::From(0),
            Side::Right => Place::UpTo(super::sheet::column(name_room)),
        };
        Cell { text, place, style: Style::PLAIN }
    };
    let mut row = Row::new().with(cell(pieces.next().unwrap_or_default()));
    row.cells.extend(right);
    sheet.document.row(row);
    for piece in pieces {
        match side {
            Side::Left => sheet.document.line(Line::left(piece)),
            Side::Right => sheet.document.row(Row::new().with(cell(piece))),
        };
    }
}

#[cfg(test)]
mod tests;
