//! Stickers as PNG, one bit a dot at 300 dots an inch: text from the font of paper with its edges smoothed, codes in
//! whole dots a module.

use super::{Drawing, Modules, QUIET, Shape, Tone, cells};
use hardware::font::{self, Glyph};

/// Dots an inch: what a shop's laser printer has at least.
const DPI: u32 = 300;

/// The same in dots a metre, for the file (PNG, pHYs).
const DOTS_A_METRE: u32 = 11_811;

/// Tenths of a millimetre in an inch.
const INCH: u32 = 254;

fn dots(tenths: u32) -> u32 {
    (tenths * DPI + INCH / 2) / INCH
}

struct Paper {
    width: u32,
    height: u32,
    /// Ink by row.
    ink: Vec<bool>,
}

impl Paper {
    fn dot(&mut self, x: u32, y: u32, tone: Tone) {
        if x < self.width && y < self.height {
            let at = usize::try_from(y * self.width + x).unwrap_or(usize::MAX);
            if let Some(dot) = self.ink.get_mut(at) {
                // Grey is every other dot.
                *dot = match tone {
                    Tone::Ink => true,
                    Tone::Paper => false,
                    Tone::Grey => (x + y).is_multiple_of(2),
                };
            }
        }
    }

    fn block(&mut self, (x, y): (u32, u32), (width, height): (u32, u32), radius: u32, tone: Tone) {
        // How far a dot is inside of a rounded corner, along one side.
        let beyond = |at: u32, length: u32| {
            let in_front = radius.saturating_sub(at);
            in_front.max((at + radius + 1).saturating_sub(length))
        };
        for down in 0..height {
            for across in 0..width {
                let (dx, dy) = (beyond(across, width), beyond(down, height));
                if dx * dx + dy * dy <= radius * radius {
                    self.dot(x + across, y + down, tone);
                }
            }
        }
    }

    fn text(&mut self, text: &str, middle: u32, top: u32, height: u32, tone: Tone) {
        let half = height / 2;
        let wide = |character: char| half * u32::try_from(cells(character)).unwrap_or(1);
        let width: u32 = text.chars().map(wide).sum();
        let mut x = middle.saturating_sub(width / 2);
        for character in text.chars() {
            self.glyph(&font::glyph(character, cells(character)), (x, top), (wide(character), height), tone);
            x += wide(character);
        }
    }

    /// A glyph at any size: each dot takes the shade between the four nearest of the glyph's, and is ink from half on.
    fn glyph(&mut self, glyph: &Glyph, (x, y): (u32, u32), (width, height): (u32, u32), tone: Tone) {
        let ink = |across: i64, down: i64| match (u16::try_from(across), u16::try_from(down)) {
            (Ok(across), Ok(down)) if glyph.is_ink(across, down) => 256_i64,
            (_, _) => 0,
        };
        // In 256ths of a dot of the glyph, between the middles of its dots.
        let place = |at: u32, of: u32, dots: u16| {
            (i64::from(2 * at + 1) * i64::from(dots) * 128) / i64::from(of.max(1)) - 128
        };
        for down in 0..height {
            let row = place(down, height, font::HEIGHT);
            let (upper, below) = (row.div_euclid(256), row.rem_euclid(256));
            for across in 0..width {
                let column = place(across, width, glyph.width());
                let (left, right) = (column.div_euclid(256), column.rem_euclid(256));
                let between = |down: i64| ink(left, down) * (256 - right) + ink(left + 1, down) * right;
                let shade = between(upper) * (256 - below) + between(upper + 1) * below;
                if shade >= 128 * 256 * 256 {
                    self.dot(x + across, y + down, tone);
                }
            }
        }
    }

    fn code(&mut self, (x, y): (u32, u32), side: u32, code: &Modules) {
        let modules = code.width + 2 * QUIET;
        let module = (side / modules).max(1);
        let edge = side.saturating_sub(module * modules) / 2 + QUIET * module;
        self.block((x, y), (side, side), 0, Tone::Paper);
        for (at, _) in (0_u32..).zip(&code.dark).filter(|(_, dark)| **dark) {
            let (across, down) = (at % code.width, at / code.width);
            self.block(
                (x + edge + across * module, y + edge + down * module),
                (module, module),
                0,
                Tone::Ink,
            );
        }
    }

    /// Eight dots a byte, the leftmost in the highest bit, white set (PNG, grey scale of one bit).
    fn packed(&self) -> Vec<u8> {
        let width = usize::try_from(self.width).unwrap_or(1).max(1);
        let byte = |dots: &[bool]| {
            dots.iter().enumerate().fold(0_u8, |byte, (at, ink)| byte | u8::from(!ink) << (7 - at))
        };
        self.ink.chunks(width).flat_map(|row| row.chunks(8).map(byte)).collect()
    }
}

pub(super) fn draw(drawing: &Drawing) -> Vec<u8> {
    let (width, height) = (dots(drawing.width), dots(drawing.height));
    let size = usize::try_from(width * height).unwrap_or(0);
    let mut paper = Paper { width, height, ink: vec![false; size] };
    for shape in &drawing.shapes {
        match shape {
            Shape::Block { at, size, radius, tone } => {
                let (right, bottom) = (dots(at.0 + size.0), dots(at.1 + size.1));
                let (x, y) = (dots(at.0), dots(at.1));
                paper.block((x, y), (right - x, bottom - y), dots(*radius), *tone);
            }
            Shape::Text { middle, top, height, text, tone } => {
                paper.text(text, dots(*middle), dots(*top), dots(*height), *tone);
            }
            Shape::Code { at, side, code } => paper.code((dots(at.0), dots(at.1)), dots(*side), code),
        }
    }
    encoded(&paper).expect("writing a picture to memory does not fail")
}

fn encoded(paper: &Paper) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = vec![];
    let mut encoder = png::Encoder::new(&mut out, paper.width, paper.height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: DOTS_A_METRE,
        yppu: DOTS_A_METRE,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&paper.packed())?;
    writer.finish()?;
    Ok(out)
}
