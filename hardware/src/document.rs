//! A printable document: what a receipt says, free of any printer's commands.
//!
//! Pure data. Which characters a printer owns and how wide its paper is come in with a `Profile` when the
//! document is laid out (`document::layout`), encoded (`printer::escpos`) or shown (`preview`). Every reader of a
//! document matches all items, so for a new one the compiler finds each place.

pub mod codes;
pub mod drawn;
pub mod instead;
pub mod layout;
pub mod picture;
pub mod width;

pub use codes::{Barcode, BarcodeText, Qr, QrLevel, Symbology};
pub use picture::{Bitmap, Picture};

/// A document, top to bottom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its parts in the order they come out of the printer.
    pub items: Vec<Item>,
}

/// One part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Running text, wrapped at the paper's width.
    Line(Line),
    /// Cells at columns of their own.
    Row(Row),
    /// A line drawn across the paper.
    Rule,
    /// A QR symbol, centred.
    Qr(Qr),
    /// A bar code, centred.
    Barcode(Barcode),
    /// A picture: a logo, a signature.
    Picture(Picture),
    /// Empty lines.
    Feed {
        /// How many; 0 does nothing.
        lines: u8,
    },
    /// The end of a sheet.
    Cut(Cut),
    /// The cash drawer springs open.
    Drawer(DrawerPulse),
}

/// Where a line stands on the paper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// How characters look. The plain style is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Heavier strokes.
    pub bold: bool,
    /// Twice as wide: each character takes twice its cells.
    pub wide: bool,
    /// Twice as tall.
    pub tall: bool,
}

impl Style {
    /// As the printer comes out of its box.
    pub const PLAIN: Style = Style { bold: false, wide: false, tall: false };
    /// Heavier strokes.
    pub const BOLD: Style = Style { bold: true, wide: false, tall: false };
    /// Bold and twice the size both ways: a title or an amount to be seen from afar.
    pub const TITLE: Style = Style { bold: true, wide: true, tall: true };
}

/// Text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The text; line ends and other control characters in it are not obeyed but shown as `?`.
    pub text: String,
    /// How it looks.
    pub style: Style,
}

/// Running text with one alignment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub align: Align,
    /// Its parts, left to right.
    pub runs: Vec<Run>,
}

impl Line {
    /// Plain text at the left edge.
    pub fn left(text: impl Into<String>) -> Line {
        Line { align: Align::Left, runs: vec![Run { text: text.into(), style: Style::PLAIN }] }
    }

    /// Plain text in the middle.
    pub fn centred(text: impl Into<String>) -> Line {
        Line { align: Align::Centre, ..Line::left(text) }
    }

    /// Plain text at the right edge.
    pub fn right(text: impl Into<String>) -> Line {
        Line { align: Align::Right, ..Line::left(text) }
    }

    /// The same line with every run in `style`.
    #[must_use]
    pub fn styled(mut self, style: Style) -> Line {
        for run in &mut self.runs {
            run.style = style;
        }
        self
    }

    /// The same line with one more run at its end.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>, style: Style) -> Line {
        self.runs.push(Run { text: text.into(), style });
        self
    }
}

/// Cells side by side. Left cells that are too long for their room go on below; nothing is cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The cells, left to right.
    pub cells: Vec<Cell>,
}

/// Where a cell stands, in single-width columns counted from 0 at the left edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Its first character stands in this column.
    From(u8),
    /// Its last character ends before this column: amounts of one column of figures share it.
    UpTo(u8),
}

/// Text at a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The text; control characters in it are shown as `?`.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// How it looks.
    pub style: Style,
}

impl Row {
    /// A row without cells, to be filled by `from` and `up_to`, left to right.
    #[must_use]
    pub fn new() -> Row {
        Row::default()
    }

    /// The same row with one more plain cell that begins at `column`.
    #[must_use]
    pub fn from(self, column: u8, text: impl Into<String>) -> Row {
        self.with(Cell { text: text.into(), place: Place::From(column), style: Style::PLAIN })
    }

    /// The same row with one more plain cell that ends before `column`.
    #[must_use]
    pub fn up_to(self, column: u8, text: impl Into<String>) -> Row {
        self.with(Cell { text: text.into(), place: Place::UpTo(column), style: Style::PLAIN })
    }

    /// The same row with one more cell.
    #[must_use]
    pub fn with(mut self, cell: Cell) -> Row {
        self.cells.push(cell);
        self
    }

    /// The same row with every cell in `style`.
    #[must_use]
    pub fn styled(mut self, style: Style) -> Row {
        for cell in &mut self.cells {
            cell.style = style;
        }
        self
    }
}

/// How the knife cuts. A printer with a tear bar feeds to the bar instead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cut {
    /// A bridge of paper is left, so that the receipt does not fall.
    #[default]
    Partial,
    /// All the way.
    Full,
}

/// The drawer connector's pin that is pulsed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DrawerPin {
    /// Pin 2: the first or only drawer.
    #[default]
    Two,
    /// Pin 5: a second drawer.
    Five,
}

/// A pulse to the drawer's solenoid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawerPulse {
    /// The pin.
    pub pin: DrawerPin,
    /// How long current flows; 2 to 510 ms in steps of 2.
    pub on_ms: u16,
    /// How long it rests before another pulse; 2 to 510 ms, at least `on_ms`.
    pub off_ms: u16,
}

impl Default for DrawerPulse {
    /// 50 ms on pin 2, then 500 ms of rest: what most drawers want.
    fn default() -> DrawerPulse {
        DrawerPulse { pin: DrawerPin::Two, on_ms: 50, off_ms: 500 }
    }
}

impl Document {
    /// An empty document.
    #[must_use]
    pub fn new() -> Document {
        Document::default()
    }

    /// Adds a part at the end.
    pub fn push(&mut self, item: Item) -> &mut Document {
        self.items.push(item);
        self
    }

    /// Adds running text.
    pub fn line(&mut self, line: Line) -> &mut Document {
        self.push(Item::Line(line))
    }

    /// Adds a row of cells.
    pub fn row(&mut self, row: Row) -> &mut Document {
        self.push(Item::Row(row))
    }

    /// Adds a line across the paper.
    pub fn rule(&mut self) -> &mut Document {
        self.push(Item::Rule)
    }

    /// Adds a QR symbol.
    pub fn qr(&mut self, qr: Qr) -> &mut Document {
        self.push(Item::Qr(qr))
    }

    /// Adds a bar code.
    pub fn barcode(&mut self, barcode: Barcode) -> &mut Document {
        self.push(Item::Barcode(barcode))
    }

    /// Adds a picture.
    pub fn picture(&mut self, picture: Picture) -> &mut Document {
        self.push(Item::Picture(picture))
    }

    /// Adds empty lines.
    pub fn feed(&mut self, lines: u8) -> &mut Document {
        self.push(Item::Feed { lines })
    }

    /// Ends the sheet.
    pub fn cut(&mut self, cut: Cut) -> &mut Document {
        self.push(Item::Cut(cut))
    }

    /// Opens the drawer.
    pub fn drawer(&mut self, pulse: DrawerPulse) -> &mut Document {
        self.push(Item::Drawer(pulse))
    }
}
