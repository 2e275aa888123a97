//! Stickers as SVG: shapes in tenths of a millimetre, a code as one path in its own modules.

use super::{Drawing, Modules, QUIET, Shape, Tone};
use std::fmt::Write;

/// Fonts with Chinese characters that machines have.
const FONTS: &str = "'Noto Sans SC','Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',\
                     'Helvetica Neue',Arial,sans-serif";

/// Where letters stand on, in hundredths of a text's height from its top.
const BASELINE: u32 = 86;

pub(super) fn draw(drawing: &Drawing) -> String {
    let (width, height) = (drawing.width, drawing.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"{FONTS}\" font-weight=\"600\" text-anchor=\"middle\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
        millimetres(width),
        millimetres(height)
    );
    for shape in &drawing.shapes {
        // Writing to a text does not fail.
        let _ = match shape {
            Shape::Block { at, size, radius, tone } => writeln!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{radius}\" fill=\"{}\"/>",
                at.0,
                at.1,
                size.0,
                size.1,
                color(*tone)
            ),
            Shape::Text { middle, top, height, text, tone } => writeln!(
                out,
                "<text x=\"{middle}\" y=\"{}\" font-size=\"{height}\" fill=\"{}\">{}</text>",
                top + height * BASELINE / 100,
                color(*tone),
                escaped(text)
            ),
            Shape::Code { at, side, code } => {
                let modules = code.width + 2 * QUIET;
                // The path is in modules, so that edges meet exactly; a nested drawing scales it.
                writeln!(
                    out,
                    "<svg x=\"{}\" y=\"{}\" width=\"{side}\" height=\"{side}\" viewBox=\"0 0 {modules} {modules}\" \
                     shape-rendering=\"crispEdges\"><rect width=\"{modules}\" height=\"{modules}\" fill=\"#fff\"/>\
                     <path d=\"{}\"/></svg>",
                    at.0,
                    at.1,
                    path(code)
                )
            }
        };
    }
    out.push_str("</svg>\n");
    out
}

fn millimetres(tenths: u32) -> String {
    format!("{}.{}mm", tenths / 10, tenths % 10)
}

fn color(tone: Tone) -> &'static str {
    match tone {
        Tone::Ink => "#000",
        Tone::Paper => "#fff",
        Tone::Grey => "#888",
    }
}

/// Dark modules, each run of a row as one rectangle.
fn path(code: &Modules) -> String {
    let mut path = String::new();
    let quiet = usize::try_from(QUIET).unwrap_or(0);
    let width = usize::try_from(code.width).unwrap_or(1).max(1);
    for (y, row) in code.dark.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&true) {
                let (left, top, length) = (x + quiet, y + quiet, run.len());
                let _ = write!(path, "M{left} {top}h{length}v1h-{length}z");
            }
            x += run.len();
        }
    }
    path
}

/// Text inside an element (XML 1.0, section 2.4); what XML cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text
        .chars()
        .filter(|character| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}'))
    {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
    out
}
