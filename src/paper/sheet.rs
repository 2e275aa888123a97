//! A document under way: the few shapes that every receipt is made of, in usual and in large type.
//!
//! Amounts share a right edge, so that they are one column of figures; the encoder reaches it by an
//! absolute position where the printer has one. Texts are wrapped here, between words, so that a printer never
//! has to break a line. Not here: what stands on a receipt (`layout`, `slip`).

use super::wrap::{cells, wrap};
use super::{Form, Lang, TypeSize};
use hardware::document::{Align, Cell, Document, Line, Place, Row, Style};

/// The narrowest paper that is laid out for; on narrower paper lines break where they must.
const COLUMNS_MIN: u8 = 24;

/// Between the right edges of `2 x 1.20` and of the amounts: room for amounts below ten million.
const DETAIL_ROOM: usize = 11;

/// A name's least room beside its amount; with less it stands above it.
const NAME_ROOM_MIN: usize = 10;

/// Twice as tall, but no wider.
const TALL: Style = Style { bold: false, wide: false, tall: true };

/// The same, bold: for marks, and for totals that do not fit at double size.
pub(super) const TALL_BOLD: Style = Style { bold: true, wide: false, tall: true };

/// Twice as large both ways, but not bold: goods and their amounts in large type.
const DOUBLE: Style = Style { bold: false, wide: true, tall: true };

/// A document under way.
pub(super) struct Sheet {
    pub(super) document: Document,
    pub(super) lang: Lang,
    pub(super) size: TypeSize,
    pub(super) columns: u8,
    /// Cells at the right edge kept free for codes beside amounts.
    codes: usize,
}

/// One thing that was sold, in words.
pub(super) struct Sold {
    /// What.
    pub(super) name: String,
    /// How much of it, `2 x 18.00`; empty where it is one piece.
    pub(super) detail: String,
    /// What it came to.
    pub(super) amount: String,
    /// The code beside the amount; empty where there is none.
    pub(super) code: String,
}

impl Sheet {
    /// An empty sheet; `codes` are the cells of the widest code beside an amount.
    pub(super) fn new(form: Form, codes: usize) -> Self {
        let columns = form.columns.max(COLUMNS_MIN);
        Self { document: Document::new(), lang: form.lang, size: form.size, columns, codes }
    }

    /// Where amounts end.
    pub(super) fn edge(&self) -> usize {
        match self.codes {
            0 => usize::from(self.columns),
            codes => usize::from(self.columns) - codes - 1,
        }
    }

    /// How running facts are printed.
    pub(super) fn body(&self) -> Style {
        match self.size {
            TypeSize::Normal => Style::PLAIN,
            TypeSize::Large => TALL,
        }
    }

    /// Running text, wrapped between words.
    pub(super) fn text(&mut self, text: &str, align: Align, style: Style) {
        for piece in wrap(text, usize::from(self.columns) / factor(style)) {
            let line = Line { align, ..Line::left(piece) };
            self.document.line(line.styled(style));
        }
    }

    /// Two texts at the two edges of the paper, or below each other where a line does not hold both.
    pub(super) fn ends(&mut self, left: &str, right: &str, style: Style) {
        let columns = usize::from(self.columns);
        if !right.is_empty() && factor(style) * (cells(left) + 1 + cells(right)) <= columns {
            let row = Row::new().with(from(0, left, style));
            self.document.row(row.with(up_to(columns, right, style)));
        } else {
            for text in [left, right].into_iter().filter(|text| !text.is_empty()) {
                self.text(text, Align::Left, style);
            }
        }
    }

    /// A name and its amount at the amounts' edge.
    pub(super) fn sum(&mut self, name: &str, amount: &str, style: Style) {
        self.apart((name, style), (amount, style), self.edge());
    }

    /// The total: as large as fits.
    pub(super) fn total(&mut self, name: &str, amount: &str) {
        let (edge, doubled) = (self.edge(), 2 * cells(amount));
        let (name_style, style) = if 2 * cells(name) + 2 + doubled <= edge {
            (Style::TITLE, Style::TITLE)
        } else if cells(name) + 1 + doubled <= edge {
            (TALL_BOLD, Style::TITLE)
        } else if self.size == TypeSize::Large && doubled <= edge {
            (Style::TITLE, Style::TITLE)
        } else {
            (TALL_BOLD, TALL_BOLD)
        };
        self.apart((name, name_style), (amount, style), edge);
    }

    /// A name at the left and its amount at the amounts' edge. A long name goes on below.
    fn apart(&mut self, (name, name_style): (&str, Style), (amount, style): (&str, Style), edge: usize) {
        let amount_from = edge.saturating_sub(factor(style) * cells(amount));
        let room = amount_from.saturating_sub(1) / factor(name_style);
        if room < cells(name).min(NAME_ROOM_MIN) {
            self.text(name, Align::Left, name_style);
            return self.alone(amount, style, edge);
        }
        // Wrapping takes what a name is set in by.
        let pieces = if cells(name) <= room { vec![name.to_owned()] } else { wrap(name, room) };
        let mut pieces = pieces.into_iter();
        let first = from(0, &pieces.next().unwrap_or_default(), name_style);
        self.document.row(Row::new().with(first).with(up_to(edge, amount, style)));
        for piece in pieces {
            self.document.line(Line::left(piece).styled(name_style));
        }
    }

    /// A text alone at an edge, or running where it is longer than a line.
    fn alone(&mut self, text: &str, style: Style, edge: usize) {
        if factor(style) * cells(text) <= edge {
            self.document.row(Row::new().with(up_to(edge, text, style)));
        } else {
            self.text(text, Align::Left, style);
        }
    }

    /// One thing that was sold.
    pub(super) fn sold(&mut self, sold: &Sold) {
        match self.size {
            TypeSize::Normal => self.sold_normal(sold),
            TypeSize::Large => self.sold_large(sold),
        }
    }

    fn sold_normal(&mut self, sold: &Sold) {
        let edge = self.edge();
        let amount_from = edge.saturating_sub(cells(&sold.amount));
        let detail_end = edge - DETAIL_ROOM;
        let detail_from = detail_end.saturating_sub(cells(&sold.detail));
        // Beside the name where it leaves the name whole, otherwise on a line of its own.
        let beside = !sold.detail.is_empty() && cells(&sold.name) < detail_from && detail_end < amount_from;
        let mut pieces = wrap(&sold.name, amount_from.saturating_sub(1)).into_iter();
        let mut row = Row::new().from(0, pieces.next().unwrap_or_default());
        if beside {
            row = row.up_to(column(detail_end), sold.detail.clone());
        }
        row = row.up_to(column(edge), sold.amount.clone());
        if !sold.code.is_empty() {
            row = row.from(column(edge + 1), sold.code.clone());
        }
        self.document.row(row);
        for piece in pieces {
            self.document.line(Line::left(piece));
        }
        if !beside && !sold.detail.is_empty() {
            self.below(' ', &sold.detail);
        }
    }

    /// The name on lines of its own, how much and its amount on the next.
    fn sold_large(&mut self, sold: &Sold) {
        let edge = self.edge();
        self.text(&sold.name, Align::Left, DOUBLE);
        let style = if 2 * cells(&sold.amount) <= edge { DOUBLE } else { TALL };
        let amount_from = edge.saturating_sub(factor(style) * cells(&sold.amount));
        let mut row = Row::new();
        if cells(&sold.detail) < amount_from {
            row = row.with(from(0, &sold.detail, TALL));
        } else {
            self.text(&sold.detail, Align::Left, TALL);
        }
        row = row.with(up_to(edge, &sold.amount, style));
        if !sold.code.is_empty() {
            row = row.with(from(edge + 1, &sold.code, TALL));
        }
        self.document.row(row);
    }

    /// More about the thing above, set in behind a sign.
    pub(super) fn below(&mut self, sign: char, text: &str) {
        let style = self.body();
        for (at, piece) in wrap(text, usize::from(self.columns) - 4).into_iter().enumerate() {
            let line = match (sign, at) {
                (' ', _) => format!("  {piece}"),
                (sign, 0) => format!("  {sign} {piece}"),
                (_, _) => format!("    {piece}"),
            };
            self.document.line(Line::left(line).styled(style));
        }
    }
}

fn factor(style: Style) -> usize {
    if style.wide { 2 } else { 1 }
}

fn from(at: usize, text: &str, style: Style) -> Cell {
    Cell { text: text.to_owned(), place: Place::From(column(at)), style }
}

fn up_to(end: usize, text: &str, style: Style) -> Cell {
    Cell { text: text.to_owned(), place: Place::UpTo(column(end)), style }
}

/// Columns come from a `u8` and only ever shrink.
pub(super) fn column(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(u8::MAX)
}
