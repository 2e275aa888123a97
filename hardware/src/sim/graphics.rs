//! Pictures and bar codes as the virtual printer reads them: `GS v 0`, `GS ( L`, `ESC * 33`, `GS k` function B.
//!
//! Written from Epson's command reference, like the interpreter it belongs to. QR symbols are there.

use super::paper::{BarSymbol, Picture, Side};
use crate::symbol::{START_B, START_C, TO_B, TO_C, code128_bars, ean13_bars};

/// What is kept between commands.
pub(super) struct Graphics {
    /// `GS h`, dots.
    pub(super) bar_height: u8,
    /// `GS w`, dots.
    pub(super) bar_width: u8,
    kept: Option<Picture>,
    /// Columns of 24 dots that the next line feed prints.
    columns: Vec<[u8; 3]>,
}

impl Default for Graphics {
    fn default() -> Graphics {
        Graphics { bar_height: 162, bar_width: 3, kept: None, columns: Vec::new() }
    }
}

impl Graphics {
    /// Keeps rows of bytes, each dot to be printed so many times across and down.
    pub(super) fn keep(&mut self, (width, height): (u16, u16), (across, down): (u8, u8), data: &[u8]) {
        let bytes = usize::from(width.div_ceil(8));
        let mut picture = Picture::default();
        for row in data.chunks_exact(bytes.max(1)).take(usize::from(height)) {
            let dots = (0..width).map(|x| row[usize::from(x / 8)] & (0x80 >> (x % 8)) != 0);
            let row: Vec<bool> =
                dots.flat_map(|dot| std::iter::repeat_n(dot, usize::from(across.max(1)))).collect();
            picture.rows.extend(std::iter::repeat_n(row, usize::from(down.max(1))));
        }
        self.kept = (picture.rows.len() == usize::from(height) * usize::from(down.max(1))).then_some(picture);
    }

    /// Takes out what was kept.
    pub(super) fn print(&mut self, side: Side) -> Result<Picture, String> {
        match self.kept.take() {
            Some(picture) => Ok(Picture { side, ..picture }),
            None => Err("a picture was to be printed, and none was there or it was not whole".to_owned()),
        }
    }

    pub(super) fn columns(&mut self, data: &[u8]) {
        self.columns.extend(data.chunks_exact(3).map(|column| [column[0], column[1], column[2]]));
    }

    /// The band that a line feed prints, if there is one.
    pub(super) fn band(&mut self, side: Side) -> Option<Picture> {
        if self.columns.is_empty() {
            return None;
        }
        let columns = std::mem::take(&mut self.columns);
        let row = |y: usize| columns.iter().map(|column| column[y / 8] & (0x80 >> (y % 8)) != 0).collect();
        Some(Picture { side, rows: (0..24).map(row).collect() })
    }
}

/// Bar codes.
pub(super) struct Bars;

impl Bars {
    pub(super) fn read(kind: u8, data: &[u8], side: Side, graphics: &Graphics) -> Result<BarSymbol, String> {
        let (name, data, bars) = match kind {
            67 => {
                let digits: Result<[u8; 13], _> = data.try_into();
                match digits {
                    Ok(digits) if digits.iter().all(u8::is_ascii_digit) => {
                        let text = String::from_utf8_lossy(&digits).into_owned();
                        ("EAN-13", text, ean13_bars(digits.map(|digit| digit - b'0')))
                    }
                    Ok(_) | Err(_) => return Err(format!("GS k EAN-13 with {data:02x?}")),
                }
            }
            73 => {
                let (text, values) =
                    code128(data).ok_or_else(|| format!("GS k Code 128 with {data:02x?}"))?;
                ("Code 128", text, code128_bars(&values))
            }
            _ => return Err(format!("GS k {kind}, a bar code that is not known here")),
        };
        let (module_dots, height_dots) = (graphics.bar_width, graphics.bar_height);
        Ok(BarSymbol { name, data, bars, module_dots, height_dots, side })
    }
}

/// What a Code 128 symbol says, and its characters.
fn code128(data: &[u8]) -> Option<(String, Vec<u8>)> {
    let (mut text, mut values, mut in_c) = (String::new(), Vec::new(), false);
    let mut rest = data;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'{' {
            let [next, tail @ ..] = tail else { return None };
            rest = tail;
            match next {
                b'B' => values.push(if values.is_empty() { START_B } else { TO_B }),
                b'C' => values.push(if values.is_empty() { START_C } else { TO_C }),
                b'{' if !in_c => {
                    values.push(b'{' - 0x20);
                    text.push('{');
                    continue;
                }
                _ => return None,
            }
            in_c = *next == b'C';
        } else if values.is_empty() {
            return None;
        } else if in_c {
            if *first > 99 {
                return None;
            }
            values.push(*first);
            text.push_str(&format!("{first:02}"));
        } else {
            if !(0x20..0x7f).contains(first) {
                return None;
            }
            values.push(first - 0x20);
            text.push(char::from(*first));
        }
    }
    (!text.is_empty()).then_some((text, values))
}
