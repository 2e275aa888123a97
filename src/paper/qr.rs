//! A code for a phone as a picture in a page: one path of squares, in black on white with the margin that readers want.

use qrcode::{Color, EcLevel, QrCode};

/// The margin around a symbol, in modules (ISO/IEC 18004, section 5.3.8).
const QUIET: usize = 4;

/// The largest symbol that is drawn for a screen: at more, a phone at arm's length sees no modules.
const MODULES_MAX: usize = 81;

/// Draws a QR code as SVG, at error correction level L as on paper. None for a text that fits no such symbol.
pub fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = code.width();
    if width > MODULES_MAX {
        return None;
    }
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            path.push_str(&format!("M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET));
        }
    }
    let side = width + 2 * QUIET;
    Some(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}
