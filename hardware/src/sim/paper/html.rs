//! Paper as HTML for a page: text in preformatted lines, symbols as inline SVG. Everything printed is escaped.
//!
//! Classes only, no style: `paper`, `sheet`, `cut`, `line`, `centre`, `right`, `bold`, `wide`, `tall`, `qr`, `dots`, `pulse`.
//! A span that does not follow its neighbour directly is placed by spaces of the preformatted line.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

use super::{CELL_DOTS, Paper, Printed, QrSymbol, Sheet, Side, TextLine};

impl Paper {
    /// All sheets, oldest first.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut out = String::from("<div class=\"paper\">");
        for sheet in &self.sheets {
            out.push_str(&sheet.to_html());
        }
        out.push_str("</div>");
        out
    }
}

impl Sheet {
    /// This sheet alone.
    #[must_use]
    pub fn to_html(&self) -> String {
        let class = if self.cut.is_some() { "sheet cut" } else { "sheet" };
        let mut out = format!("<div class=\"{class}\">");
        for printed in &self.lines {
            match printed {
                Printed::Text(line) => text_line(&mut out, line),
                Printed::Qr(symbol) => qr(&mut out, symbol),
                Printed::Bars(symbol) => {
                    let row: Vec<bool> = symbol
                        .bars
                        .iter()
                        .flat_map(|bar| std::iter::repeat_n(*bar, usize::from(symbol.module_dots)))
                        .collect();
                    dots(&mut out, symbol.side, &vec![row; usize::from(symbol.height_dots)]);
                }
                Printed::Picture(picture) => dots(&mut out, picture.side, &picture.rows),
            }
        }
        out.push_str("</div>");
        out
    }
}

fn side_class(side: Side) -> &'static str {
    match side {
        Side::Left => "",
        Side::Centre => " centre",
        Side::Right => " right",
    }
}

fn text_line(out: &mut String, line: &TextLine) {
    let _ = write!(out, "<pre class=\"line{}\">", side_class(line.side));
    let mut dot = 0;
    for span in &line.spans {
        let gap = span.dot.saturating_sub(dot) / CELL_DOTS;
        out.extend(std::iter::repeat_n(' ', usize::try_from(gap).unwrap_or(0)));
        let classes: Vec<&str> =
            [(span.look.bold, "bold"), (span.look.wide(), "wide"), (span.look.tall(), "tall")]
                .into_iter()
                .filter_map(|(is, class)| is.then_some(class))
                .collect();
        if classes.is_empty() {
            escape(out, &span.text);
        } else {
            let _ = write!(out, "<span class=\"{}\">", classes.join(" "));
            escape(out, &span.text);
            out.push_str("</span>");
        }
        dot = span.dot + span.dots;
    }
    // An empty line keeps its height.
    if line.spans.is_empty() {
        out.push(' ');
    }
    out.push_str("</pre>");
}

fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
}

/// Rows of dots as they are. Equal rows below each other are drawn at once.
fn dots(out: &mut String, side: Side, rows: &[Vec<bool>]) {
    let (width, height) = (rows.first().map_or(0, Vec::len), rows.len());
    let _ = write!(
        out,
        "<div class=\"dots{}\"><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" shape-rendering=\"crispEdges\" role=\"img\"><path d=\"",
        side_class(side)
    );
    let mut y = 0;
    while y < height {
        let same = rows[y..].iter().take_while(|row| **row == rows[y]).count();
        let mut x = 0;
        while x < width {
            let run = rows[y][x..].iter().take_while(|ink| **ink).count();
            if run > 0 {
                let _ = write!(out, "M{x} {y}h{run}v{same}h-{run}z");
            }
            x += run.max(1);
        }
        y += same;
    }
    out.push_str("\"/></svg></div>");
}

/// The symbol, or its payload as text if no symbol can hold it.
fn qr(out: &mut String, symbol: &QrSymbol) {
    let _ = write!(out, "<div class=\"qr{}\">", side_class(symbol.side));
    match modules(symbol) {
        Some((width, dark)) => {
            // The four modules of quiet zone are part of the picture: paper around a symbol is white as well.
            let (size, dots) = (width + 8, (width + 8) * usize::from(symbol.module_dots));
            let _ = write!(
                out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{dots}\" height=\"{dots}\" \
                 viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\" role=\"img\">\
                 <path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/><path d=\""
            );
            for (y, row) in dark.chunks(width).enumerate() {
                let mut x = 0;
                while x < width {
                    let run = row[x..].iter().take_while(|dark| **dark).count();
                    if run > 0 {
                        let _ = write!(out, "M{} {}h{run}v1h-{run}z", x + 4, y + 4);
                    }
                    x += run.max(1);
                }
            }
            out.push_str("\"/></svg>");
        }
        None => escape(out, &String::from_utf8_lossy(&symbol.payload)),
    }
    out.push_str("</div>");
}

/// Width and modules of a symbol, true for dark.
pub(super) fn modules(symbol: &QrSymbol) -> Option<(usize, Vec<bool>)> {
    let level = match symbol.level {
        'M' => EcLevel::M,
        'Q' => EcLevel::Q,
        'H' => EcLevel::H,
        _ => EcLevel::L,
    };
    let code = QrCode::with_error_correction_level(&symbol.payload, level).ok()?;
    Some((code.width(), code.to_colors().into_iter().map(|color| color == Color::Dark).collect()))
}
