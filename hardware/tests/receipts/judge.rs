//! The independent judge of jobs: `escpost-render`, strict about every byte; and readers of what it has drawn.
//!
//! It knows no Chinese (no `FS` commands, no bytes of GB18030), no replies and no page mode. Jobs with those are
//! compared byte by byte, or read by the virtual printer.
#![allow(dead_code, reason = "each test uses what it needs")]

use escpost_render::{DeviceEvent, RenderResult, RenderWarning, RenderedSheet};
use hardware::document::Bitmap;
use hardware::document::picture::Dither;
use hardware::profile::Profile;

/// Renders a job with the strict judge: any byte it does not know is an error.
pub(crate) fn judged(job: &[u8], judge: &str) -> RenderResult {
    let judge = escpost_profiles::resolver::resolve(judge).unwrap();
    let result = escpost_render::render(job, judge).unwrap();
    let known = |warning: &RenderWarning| matches!(warning, RenderWarning::UncuttableCut { .. });
    assert!(result.warnings.iter().all(known), "{:?}", result.warnings);
    result
}

/// The judge's printer that is nearest to one of ours.
pub(crate) fn judge_of(profile: &Profile) -> &'static str {
    match (profile.dpi, profile.width_dots) {
        (_, 384) => "NT-5890K",
        (180, _) => "TM-T88V",
        _ => "REFERENCE",
    }
}

/// A shaded disc: every kind of byte.
pub(crate) fn logo(width: u16, height: u16, dither: Dither) -> Bitmap {
    let disc = image::ImageBuffer::from_fn(u32::from(width), u32::from(height), |x, y| {
        let (across, down) = (x.abs_diff(u32::from(width) / 2), y.abs_diff(u32::from(height) / 2));
        let far = across * across + down * down;
        image::Luma([u8::try_from((far / 24).min(255)).unwrap()])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    disc.write_to(&mut png, image::ImageFormat::Png).unwrap();
    Bitmap::from_png(&png.into_inner(), width, dither).unwrap()
}

/// The drawer events as connector, on and off, in units of 2 ms.
pub(crate) fn pulses(result: &RenderResult) -> Vec<(u8, u8, u8)> {
    let pulse = |event: &DeviceEvent| match *event {
        DeviceEvent::CashDrawerPulse { connector, on_time_units, off_time_units } => {
            (connector, on_time_units, off_time_units)
        }
    };
    result.device_events.iter().map(pulse).collect()
}

/// A sheet's dots in rows, without the blank rows at its end.
pub(crate) fn dots(sheet: &RenderedSheet) -> Vec<Vec<bool>> {
    let surface = &sheet.surface;
    let mut rows: Vec<Vec<bool>> = (0..surface.height())
        .map(|y| (0..surface.width()).map(|x| surface.is_printed(x, y)).collect())
        .collect();
    while rows.last().is_some_and(|row| !row.contains(&true)) {
        rows.pop();
    }
    rows
}

/// The dots of a PNG, dark for ink.
pub(crate) fn png_dots(png: &[u8]) -> Vec<Vec<bool>> {
    let picture = image::load_from_memory(png).unwrap().into_luma8();
    picture.rows().map(|row| row.map(|pixel| pixel.0[0] < 100).collect()).collect()
}

/// All QR symbols in a picture.
pub(crate) fn read_qr(dots: &[Vec<bool>]) -> Vec<Vec<u8>> {
    // A quiet zone of paper all around, as a reader of real paper has.
    let margin = 24;
    let (width, height) = (dots.first().map_or(0, Vec::len), dots.len());
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(width + 2 * margin, height + 2 * margin, |x, y| {
            let inside = x >= margin && y >= margin && x - margin < width && y - margin < height;
            if inside && dots[y - margin][x - margin] { 0 } else { 255 }
        });
    let read = |grid: &rqrr::Grid<_>| {
        let mut out = Vec::new();
        grid.decode_to(&mut out).unwrap();
        out
    };
    picture.detect_grids().iter().map(read).collect()
}

/// Widths of bars and gaps of a row, beginning and ending with a bar, in narrowest bars.
fn elements(row: &[bool], module: usize) -> Vec<usize> {
    let ends = row.iter().position(|ink| *ink).zip(row.iter().rposition(|ink| *ink));
    let Some((first, last)) = ends else { return Vec::new() };
    row[first..=last].chunk_by(|a, b| a == b).map(|run| (run.len() + module / 2) / module).collect()
}

/// Reads EAN-13 from a row of dots by the widths of ISO/IEC 15420: for each digit the widths of two bars and two gaps.
pub(crate) fn read_ean13(row: &[bool], module: usize) -> Option<String> {
    const WIDTHS: [&str; 10] =
        ["3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112"];
    const FIRST: [&str; 10] =
        ["AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA"];
    let widths = elements(row, module);
    if widths.len() != 59 || widths[..3] != [1; 3] || widths[27..32] != [1; 5] || widths[56..] != [1; 3] {
        return None;
    }
    let (mut digits, mut sets) = (String::new(), String::new());
    for four in widths[3..27].chunks(4).chain(widths[32..56].chunks(4)) {
        let text: String = four.iter().map(usize::to_string).collect();
        let back: String = text.chars().rev().collect();
        let (set, digit) = match WIDTHS.iter().position(|known| *known == text) {
            Some(digit) => ('A', digit),
            None => ('B', WIDTHS.iter().position(|known| *known == back)?),
        };
        sets.push(set);
        digits.push_str(&digit.to_string());
    }
    let first = FIRST.iter().position(|known| *known == &sets[..6])?;
    Some(format!("{first}{digits}"))
}

/// Reads Code 128 from a row of dots, sets B and C.
pub(crate) fn read_code128(row: &[bool], module: usize) -> Option<String> {
    const TABLE: &str = include_str!("../data/code128.txt");
    let table: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
    let widths = elements(row, module);
    let (characters, stop) = widths.split_at(widths.len().checked_sub(7)?);
    if stop != [2, 3, 3, 1, 1, 1, 2] {
        return None;
    }
    let mut values = Vec::new();
    for six in characters.chunks(6) {
        let text: String = six.iter().map(usize::to_string).collect();
        values.push(table.iter().position(|known| *known == text)?);
    }
    let check = values.pop()?;
    let sum: usize = values.iter().enumerate().map(|(at, value)| at.max(1) * value).sum();
    if sum % 103 != check {
        return None;
    }
    let mut in_c = values[0] == 105;
    let mut out = String::new();
    for value in &values[1..] {
        match value {
            99 if !in_c => in_c = true,
            100 if in_c => in_c = false,
            _ if in_c => out.push_str(&format!("{value:02}")),
            _ => out.push(char::from(u8::try_from(value + 32).unwrap())),
        }
    }
    Some(out)
}
