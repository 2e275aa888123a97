//! The columns of a slip: as they are asked for, and as they fit the paper.

use crate::paper::wrap::cells;

/// A name's room on paper that is narrower than was asked for; below it names get lines of their own.
pub(super) const NAME_LEAST: usize = 10;

/// Between two columns on paper that is narrower than was asked for.
const GAP: usize = 2;

/// At which edge of its column a text stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Left,
    Right,
}

/// Columns as asked for: cells and side of each, left to right. The first one takes what the others leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ruled<const N: usize>(pub(super) [(u8, Side); N]);

/// A column on the paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Column {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) side: Side,
}

/// Columns on the paper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fitted<const N: usize>(pub(super) [Column; N]);

impl<const N: usize> Ruled<N> {
    /// Reads `name 28 left, quantity 4 right, amount 10 right`.
    pub(super) fn read(words: &str) -> Option<Self> {
        let mut columns = [(0, Side::Left); N];
        let mut written = words.split(',');
        for column in &mut columns {
            let mut words = written.next()?.split_whitespace().rev();
            let side = match words.next()? {
                "left" => Side::Left,
                "right" => Side::Right,
                _ => return None,
            };
            *column = (words.next()?.parse().ok().filter(|cells| *cells > 0)?, side);
        }
        written.next().is_none().then_some(Self(columns))
    }

    /// On paper of so many columns, for these texts.
    pub(super) fn fit(&self, paper: u8, texts: &[[&str; N]]) -> Fitted<N> {
        let asked: usize = self.0.iter().map(|(cells, _)| usize::from(*cells)).sum();
        let narrow = usize::from(paper) < asked;
        let mut to = usize::from(paper);
        let mut columns = self.0.map(|(_, side)| Column { from: 0, to: 0, side });
        for at in (0..N).rev() {
            let mut wide = usize::from(self.0[at].0);
            if narrow {
                let widest = texts.iter().map(|row| cells(row[at])).max().unwrap_or(0);
                wide = wide.min(widest + GAP);
            }
            let from = if at == 0 { 0 } else { to.saturating_sub(wide) };
            columns[at] = Column { from, to, side: self.0[at].1 };
            to = from;
        }
        Fitted(columns)
    }
}
