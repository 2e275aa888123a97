//! Chance that can be played again: one number decides a whole day.

/// A linear congruential generator (Knuth, MMIX) with its high bits: days that can be played again.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let sides = u64::try_from(from.len()).unwrap();
        if sides == 0 { None } else { Some(from[usize::try_from(self.roll(sides)).unwrap()].clone()) }
    }

    /// Any of them, more often a late one: what is under way now is more telling than what is over.
    pub(super) fn pick_late<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let late = from.len().saturating_sub(3);
        if self.roll(3) > 0 { self.pick(&from[late..]) } else { self.pick(from) }
    }
}
