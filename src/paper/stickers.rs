//! Stickers for desks: a code that a phone scans, the desk's name, the shop's, and what to do; alone or as sheets
//! of A4 with marks to cut along.
//!
//! What stands where is decided here, in tenths of a millimetre; `svg` and `picture` draw the same shapes.
//! **Invariant:** a code keeps four modules of white around it (ISO/IEC 18004, 9.1), whatever the size.
//! Not here: which desks there are (`cloud`), and files (`cli`).

mod picture;
mod svg;
#[cfg(test)]
mod tests;

use super::Lang;
use qrcode::{Color, EcLevel, QrCode};

/// White around a code on each side, in modules.
const QUIET: u32 = 4;

/// A4 (ISO 216), in tenths of a millimetre.
const SHEET: (u32, u32) = (2100, 2970);

/// How far a mark to cut along reaches, and how far from the sticker it stays.
const MARK: u32 = 50;
const MARK_GAP: u32 = 10;

/// A name is broken into two lines before it gets smaller than this part of its size.
const BREAK_BELOW_PERCENT: u32 = 70;

/// One sticker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sticker {
    /// What people call the desk.
    pub name: String,
    /// What its code says.
    pub address: String,
}

/// How large a sticker is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Size {
    /// 50 by 68 mm, twelve a sheet.
    Small,
    /// 64 by 88 mm, nine a sheet.
    #[default]
    Medium,
    /// 94 by 132 mm, four a sheet.
    Large,
}

impl Size {
    /// Width and height in tenths of a millimetre.
    fn tenths(self) -> (u32, u32) {
        match self {
            Self::Small => (500, 680),
            Self::Medium => (640, 880),
            Self::Large => (940, 1320),
        }
    }

    /// How many stand on a sheet, across and down.
    fn grid(self) -> (u32, u32) {
        match self {
            Self::Small => (3, 4),
            Self::Medium => (3, 3),
            Self::Large => (2, 2),
        }
    }

    /// How many stand on a sheet.
    pub fn on_a_sheet(self) -> usize {
        let (across, down) = self.grid();
        usize::try_from(across * down).unwrap_or(1)
    }
}

/// What all stickers of a shop share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shop {
    /// Its name.
    pub name: String,
    /// The language of the sentence.
    pub lang: Lang,
    /// How large.
    pub size: Size,
}

/// An address that no code holds.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the address of {0} is too long for a code: choose a shorter one with --public-base")]
pub struct TooLong(String);

/// A drawing: one sticker, or a sheet of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Drawing {
    width: u32,
    height: u32,
    shapes: Vec<Shape>,
}

/// Ink or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tone {
    Ink,
    Paper,
    /// Lines to cut along.
    Grey,
}

#[derive(Clone, PartialEq, Debug)]
enum Shape {
    /// A rectangle with round corners.
    Block { at: (u32, u32), size: (u32, u32), radius: u32, tone: Tone },
    /// A line of text around a middle; `height` is that of a Chinese character.
    Text { middle: u32, top: u32, height: u32, text: String, tone: Tone },
    /// A code with the white around it.
    Code { at: (u32, u32), side: u32, code: Modules },
}

/// A code's modules, row by row, without the white around them.
#[derive(Clone, PartialEq, Debug)]
struct Modules {
    width: u32,
    dark: Vec<bool>,
}

impl Drawing {
    /// One sticker.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn one(sticker: &Sticker, shop: &Shop) -> Result<Self, TooLong> {
        let (width, height) = shop.size.tenths();
        Ok(Self { width, height, shapes: sticker_at(sticker, shop, (0, 0))? })
    }

    /// Sheets of A4, as many as are needed.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn sheets(stickers: &[Sticker], shop: &Shop) -> Result<Vec<Self>, TooLong> {
        stickers.chunks(shop.size.on_a_sheet()).map(|some| sheet(some, shop)).collect()
    }

    /// As SVG, in millimetres.
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }

    /// As PNG, black and white, with its resolution in it.
    pub fn to_png(&self) -> Vec<u8> {
        picture::draw(self)
    }
}

fn sheet(stickers: &[Sticker], shop: &Shop) -> Result<Drawing, TooLong> {
    let ((width, height), (across, down)) = (shop.size.tenths(), shop.size.grid());
    let (left, top) = ((SHEET.0 - across * width) / 2, (SHEET.1 - down * height) / 2);
    let mut shapes = vec![];
    let places = (0..down).flat_map(|row| (0..across).map(move |column| (column, row)));
    for (sticker, (column, row)) in stickers.iter().zip(places) {
        shapes.extend(sticker_at(sticker, shop, (left + column * width, top + row * height))?);
    }
    let mut line = |at: (u32, u32), size: (u32, u32)| {
        shapes.push(Shape::Block { at, size, radius: 0, tone: Tone::Grey });
    };
    for column in 0..=across {
        let x = left + column * width - 1;
        line((x, top - MARK_GAP - MARK), (2, MARK));
        line((x, top + down * height + MARK_GAP), (2, MARK));
        for row in 1..down {
            line((x, top + row * height - MARK / 5), (2, MARK * 2 / 5));
        }
    }
    for row in 0..=down {
        let y = top + row * height - 1;
        line((left - MARK_GAP - MARK, y), (MARK, 2));
        line((left + across * width + MARK_GAP, y), (MARK, 2));
        for column in 1..across {
            line((left + column * width - MARK / 5, y), (MARK * 2 / 5, 2));
        }
    }
    Ok(Drawing { width: SHEET.0, height: SHEET.1, shapes })
}

/// A frame with the desk's name on its dark head, the code, the sentence, the shop's name.
fn sticker_at(sticker: &Sticker, shop: &Shop, (x, y): (u32, u32)) -> Result<Vec<Shape>, TooLong> {
    let (width, height) = shop.size.tenths();
    let (edge, middle) = (width / 20, x + width / 2);
    let inner = width - 2 * edge;
    let head = height * 17 / 100;
    let radius = width / 18;
    let rim = (width / 160).max(3);
    let mut shapes = vec![
        Shape::Block { at: (x + edge, y + edge), size: (inner, height - 2 * edge), radius, tone: Tone::Ink },
        Shape::Block {
            at: (x + edge + rim, y + edge + head),
            size: (inner - 2 * rim, height - 2 * edge - head - rim),
            radius: radius - rim,
            tone: Tone::Paper,
        },
        // The head ends straight.
        Shape::Block {
            at: (x + edge + rim, y + edge + head),
            size: (inner - 2 * rim, radius),
            radius: 0,
            tone: Tone::Paper,
        },
    ];
    let room = inner - width / 12;
    shapes.extend(lines(&sticker.name, (middle, y + edge), (room, head), head * 54 / 100, Tone::Paper));
    let code = modules(sticker)?;
    let side = width * 78 / 100;
    let top = y + edge + head + height / 200;
    shapes.push(Shape::Code { at: (middle - side / 2, top), side, code });
    let mut below = top + side;
    for (text, share) in sentence(shop.lang) {
        let tall = height * share / 1000;
        let (fits, text) = (fitted(text, room, tall), text.to_owned());
        shapes.push(Shape::Text { middle, top: below, height: fits, text, tone: Tone::Ink });
        below += tall + height / 50;
    }
    let foot = y + height - edge - height * 7 / 100;
    shapes.extend(lines(&shop.name, (middle, foot), (room, height * 6 / 100), height * 34 / 1000, Tone::Ink));
    Ok(shapes)
}

/// What to do, with each line's height in thousandths of the sticker's.
fn sentence(lang: Lang) -> Vec<(&'static str, u32)> {
    const CHINESE: &str = "扫码查看账单并付款";
    const ENGLISH: &str = "Scan to see your bill and pay";
    match lang {
        Lang::ZhHans => vec![(CHINESE, 62)],
        Lang::En => vec![(ENGLISH, 50)],
        Lang::Both => vec![(CHINESE, 50), (ENGLISH, 36)],
    }
}

fn modules(sticker: &Sticker) -> Result<Modules, TooLong> {
    // A quarter of it may be scratched off.
    let code = QrCode::with_error_correction_level(sticker.address.as_bytes(), EcLevel::Q)
        .map_err(|_| TooLong(sticker.name.clone()))?;
    let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
    Ok(Modules { width: u32::try_from(code.width()).unwrap_or(0), dark })
}

/// A text in a box, as large as wished for or as fits, in two lines where one would be too small.
fn lines(
    text: &str,
    (middle, top): (u32, u32),
    (room, tall): (u32, u32),
    wished: u32,
    tone: Tone,
) -> Vec<Shape> {
    let line = |text: &str, top: u32, height: u32| Shape::Text {
        middle,
        top,
        height,
        text: text.trim().to_owned(),
        tone,
    };
    let one = fitted(text, room, wished);
    let broken = broken(text).filter(|_| one * 100 < wished * BREAK_BELOW_PERCENT);
    match broken {
        Some((first, second)) => {
            let most = wished.min(tall * 42 / 100);
            let height = fitted(first, room, most).min(fitted(second, room, most));
            let gap = (tall.saturating_sub(2 * height)) / 3;
            vec![line(first, top + gap, height), line(second, top + 2 * gap + height, height)]
        }
        None => vec![line(text, top + tall.saturating_sub(one) / 2, one)],
    }
}

/// The largest height at which a text is no wider than the room.
fn fitted(text: &str, room: u32, wished: u32) -> u32 {
    let tenths: u32 = text.chars().map(ems_tenths).sum();
    wished.min(room * 10 / tenths.max(1))
}

/// How wide a character is, in tenths of its height: what fonts of screens have at most, so that a text that fits
/// here fits there.
fn ems_tenths(character: char) -> u32 {
    if cells(character) == 2 { 10 } else { 6 }
}

/// How many cells of a fixed font a character takes: Chinese ones two (Unicode, East Asian Width, wide).
fn cells(character: char) -> usize {
    if character >= '\u{1100}' { 2 } else { 1 }
}

/// A text in two parts of about the same width, at a space where there is one.
fn broken(text: &str) -> Option<(&str, &str)> {
    let width = |text: &str| text.chars().map(ems_tenths).sum::<u32>();
    let has_space = text.trim().contains(' ');
    let breaks = text.char_indices().skip(1).filter(|(_, character)| !has_space || *character == ' ');
    breaks.map(|(at, _)| text.split_at(at)).min_by_key(|(first, second)| width(first).max(width(second)))
}
