//! Where text stands: wrapping of lines and placing of cells, in single-width columns.
//!
//! Pure, and the same for every way a document is shown. What bytes move a print head there is not here.

use super::width::{printed, text_cells};
use super::{Line, Place, Row, Style};
use crate::profile::Charset;

/// The longest beginning of `text` that fits into `room` cells: its length in bytes and its width in cells.
///
/// A wide character is never split; if not even the first character fits, both are 0.
#[must_use]
pub fn fit(text: &str, style: Style, room: usize, charset: Charset) -> (usize, usize) {
    let factor = if style.wide { 2 } else { 1 };
    let whole = text_cells(text, charset) * factor;
    if whole <= room {
        return (text.len(), whole);
    }
    let mut used = 0;
    for (at, character) in text.char_indices() {
        let cells = printed(character, charset).cells() * factor;
        if used + cells > room {
            return (at, used);
        }
        used += cells;
    }
    (text.len(), used)
}

/// Length in bytes of the first character: what is taken when nothing fits, so that wrapping always moves on.
fn first_character(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Where a text of which so many bytes fit is broken: the bytes that stay, and the space after them that is dropped.
fn break_before(text: &str, fitting: usize) -> (usize, usize) {
    if text.as_bytes().get(fitting) == Some(&b' ') {
        return (fitting, 1);
    }
    match text.as_bytes()[..fitting].iter().rposition(|byte| *byte == b' ') {
        Some(space) if space > 0 => (space, 1),
        Some(_) | None => (fitting, 0),
    }
}

/// A piece of text on one physical line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<'a> {
    /// The text.
    pub text: &'a str,
    /// How it looks.
    pub style: Style,
    /// Its first column.
    pub column: usize,
    /// The cells it takes.
    pub cells: usize,
}

/// Wraps running text, one call of `emit` for each physical line. Columns count from the line's own start: the
/// printer aligns it.
///
/// Lines break at a space where there is one, which is then dropped, and between any two characters otherwise.
pub fn place_line<'a>(line: &'a Line, columns: u8, charset: Charset, mut emit: impl FnMut(&[Placed<'a>])) {
    let columns = usize::from(columns);
    let mut pieces: Vec<Placed<'a>> = Vec::with_capacity(line.runs.len());
    let mut used = 0;
    for run in &line.runs {
        let mut rest = run.text.as_str();
        while !rest.is_empty() {
            let (mut taken, mut cells) = fit(rest, run.style, columns - used, charset);
            let mut skipped = 0;
            if taken < rest.len() {
                (taken, skipped) = break_before(rest, taken);
                if taken == 0 && used == 0 && skipped == 0 {
                    taken = first_character(rest);
                }
                cells = fit(&rest[..taken], run.style, usize::MAX, charset).1;
            }
            if taken > 0 {
                pieces.push(Placed { text: &rest[..taken], style: run.style, column: used, cells });
                used = (used + cells).min(columns);
            }
            rest = &rest[taken + skipped..];
            if !rest.is_empty() {
                emit(&pieces);
                pieces.clear();
                used = 0;
            }
        }
    }
    emit(&pieces);
}

/// Lays a row out, one call of `emit` for each physical line, its pieces left to right.
///
/// Cells at a right edge come first and keep their room; a cell that begins at a column and does not fit before
/// its neighbour goes on below, in its own column. A right cell longer than the line is broken at the line's width.
pub fn place_row<'a>(row: &'a Row, columns: u8, charset: Charset, mut emit: impl FnMut(&[Placed<'a>])) {
    let columns = usize::from(columns);
    let mut rest: Vec<&'a str> = row.cells.iter().map(|cell| cell.text.as_str()).collect();
    let mut line: Vec<Placed<'a>> = Vec::with_capacity(rest.len());
    let mut first = true;
    while first || rest.iter().any(|text| !text.is_empty()) {
        line.clear();
        let mut from = 0;
        for (at, cell) in row.cells.iter().enumerate() {
            if rest[at].is_empty() {
                continue;
            }
            let mut column = match cell.place {
                Place::From(column) => usize::from(column).clamp(from, columns),
                Place::UpTo(end) => {
                    let (_, cells) = fit(rest[at], cell.style, columns, charset);
                    usize::from(end).min(columns).saturating_sub(cells).max(from)
                }
            };
            let edge = match cell.place {
                Place::From(_) => next_start(row, &rest, at, columns, charset).max(column),
                Place::UpTo(end) => usize::from(end).min(columns).max(column),
            };
            let (mut taken, mut cells) = fit(rest[at], cell.style, edge - column, charset);
            if taken == 0 && line.is_empty() {
                // Nothing else stands on this line and still it does not fit: take what the line can hold, and
                // move left for a character that is wider than what is left of the line.
                taken = fit(rest[at], cell.style, columns.saturating_sub(column), charset).0;
                taken = taken.max(first_character(rest[at]));
                cells = fit(&rest[at][..taken], cell.style, usize::MAX, charset).1;
                column = column.min(columns.saturating_sub(cells));
            }
            let mut skipped = 0;
            if taken < rest[at].len() {
                (taken, skipped) = break_before(rest[at], taken);
                cells = fit(&rest[at][..taken], cell.style, usize::MAX, charset).1;
            }
            let (now, later) = (&rest[at][..taken], &rest[at][taken + skipped..]);
            rest[at] = later;
            if taken == 0 {
                continue;
            }
            line.push(Placed { text: now, style: cell.style, column, cells });
            from = (column + cells).min(columns);
        }
        emit(&line);
        first = false;
    }
}

/// The column at which the next cell that has text left begins, less one cell of air where it is a right cell.
fn next_start(row: &Row, rest: &[&str], at: usize, columns: usize, charset: Charset) -> usize {
    for (next, cell) in row.cells.iter().enumerate().skip(at + 1) {
        if rest[next].is_empty() {
            continue;
        }
        return match cell.place {
            Place::From(column) => usize::from(column).min(columns),
            Place::UpTo(end) => {
                let (_, cells) = fit(rest[next], cell.style, columns, charset);
                usize::from(end).min(columns).saturating_sub(cells + 1)
            }
        };
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(row: &Row, columns: u8) -> Vec<String> {
        let mut all = Vec::new();
        place_row(row, columns, Charset::Gb18030, |pieces| {
            let (mut text, mut cells) = (String::new(), 0);
            for piece in pieces {
                text.extend(std::iter::repeat_n(' ', piece.column - cells));
                text.push_str(piece.text);
                cells = piece.column + piece.cells;
            }
            all.push(text);
        });
        all
    }

    #[test]
    fn figures_of_a_column_share_their_right_edge() {
        let row = Row::new().from(0, "Milk").up_to(14, "2").up_to(20, "2.40");
        assert_eq!(lines(&row, 20), ["Milk         2  2.40"]);
    }

    #[test]
    fn a_name_that_is_too_long_goes_on_below_and_nothing_is_lost() {
        let row = Row::new().from(0, "Coffee beans").up_to(10, "5.95");
        assert_eq!(lines(&row, 10), ["Coffe 5.95", "e beans"]);
    }

    #[test]
    fn a_cell_breaks_between_words_where_it_can() {
        let row = Row::new().from(0, "Organic oat milk").up_to(18, "12.80");
        assert_eq!(lines(&row, 18), ["Organic oat  12.80", "milk"]);
        let title = Row::new().from(0, "合计 TOTAL").up_to(32, "160.60").styled(Style::TITLE);
        assert_eq!(lines(&title, 32)[1], "TOTAL");
    }

    #[test]
    fn a_wide_character_is_never_split() {
        let row = Row::new().from(0, "有机牛奶").up_to(10, "5.95");
        assert_eq!(lines(&row, 10), ["有机  5.95", "牛奶"]);
    }

    #[test]
    fn running_text_breaks_at_spaces_and_between_wide_characters() {
        let wrapped = |text: &str, style: Style| {
            let line = Line::left(text).styled(style);
            let mut all = Vec::new();
            place_line(&line, 10, Charset::Gb18030, |pieces| {
                all.push(pieces.iter().map(|piece| piece.text).collect::<String>());
            });
            all
        };
        assert_eq!(wrapped("Thank you very much", Style::PLAIN), ["Thank you", "very much"]);
        assert_eq!(wrapped("谢谢惠顾请再来", Style::PLAIN), ["谢谢惠顾请", "再来"]);
        assert_eq!(wrapped("x谢谢惠顾请再来", Style::PLAIN), ["x谢谢惠顾", "请再来"]);
        assert_eq!(wrapped("谢谢惠顾", Style::TITLE), ["谢谢", "惠顾"]);
        assert_eq!(wrapped("", Style::PLAIN), [""]);
    }

    #[test]
    fn a_row_narrower_than_one_character_still_ends() {
        let row = Row::new().from(9, "牛奶").from(9, "x");
        assert_eq!(lines(&row, 10).concat().replace(' ', "").chars().count(), 3);
        assert_eq!(lines(&Row::new(), 10), [""]);
    }
}
