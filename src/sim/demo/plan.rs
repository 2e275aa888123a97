//! Who comes into the shop, drawn from a seed: what they buy, what they show, how they pay.

use super::chance::Chance;

/// Bar codes of the example catalogue.
pub(super) const GOODS: [&str; 6] =
    ["6901234000016", "6901234000023", "6901234000047", "6901234000078", "6901234000085", "6901234000092"];

/// Menu keys of the example catalogue, with the choices to make on them.
pub(super) const KEYS: [(&str, &[&str]); 5] = [
    ("latte", &["oat"]),
    ("americano", &[]),
    ("flat-white", &["shot", "oat"]),
    ("jasmine-tea", &[]),
    ("cheesecake", &[]),
];

/// One thing to buy.
#[derive(Clone, Debug)]
pub(super) enum Thing {
    /// Scanned.
    Scan(&'static str),
    /// Pressed on the screen.
    Key(&'static str, &'static [&'static str]),
}

/// How the wallet misbehaves for one customer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Trouble {
    Delay,
    DropRequest,
    DropAnswer,
    WrongSignature,
    PayingThenPaid,
    Unknown,
    Refuse,
}

impl Trouble {
    /// Every sort, each played at least once in a run of twenty.
    pub(super) const ALL: [Self; 7] = [
        Self::Delay,
        Self::DropRequest,
        Self::DropAnswer,
        Self::WrongSignature,
        Self::PayingThenPaid,
        Self::Unknown,
        Self::Refuse,
    ];

    /// The gateway's word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::DropRequest => "drop_request",
            Self::DropAnswer => "drop_answer",
            Self::WrongSignature => "wrong_signature",
            Self::PayingThenPaid => "paying_then_paid",
            Self::Unknown => "unknown",
            Self::Refuse => "refuse",
        }
    }
}

/// How a customer pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Means {
    Cash,
    PayCode(Option<Trouble>),
    /// With a value voucher, and what is left in cash.
    Voucher,
    Desk,
    /// Leaves without paying.
    WalksAway,
}

/// One customer.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub(super) things: Vec<Thing>,
    pub(super) coupon: bool,
    pub(super) member: bool,
    pub(super) means: Means,
    /// The network is pulled while this customer is served.
    pub(super) offline: bool,
    /// The cashier's first scan is one that no item has.
    pub(super) stray_scan: bool,
    /// The roll ends before this customer's receipt.
    pub(super) paper_out: bool,
    /// The scanner is unplugged and plugged in again first.
    pub(super) replug: bool,
}

/// Draws a day of `count` customers.
pub(super) fn day(count: usize, seed: u64) -> Vec<Customer> {
    let mut chance = Chance::new(seed);
    let (cut_from, cut_until) = (count * 9 / 20, count * 12 / 20);
    let mut troubles = Trouble::ALL.to_vec();
    let mut day = Vec::with_capacity(count);
    for index in 0..count {
        let offline = count >= 5 && (cut_from..cut_until).contains(&index);
        let means = match index % 4 {
            // Neither needs the network.
            _ if offline => [Means::Voucher, Means::Cash][index % 2],
            _ if count >= 20 && index == count - 3 => Means::WalksAway,
            2 => Means::Desk,
            3 if index % 16 == 3 => Means::Voucher,
            3 if index % 8 == 3 => Means::Cash,
            _ => Means::PayCode(if count >= 20 { troubles.pop() } else { None }),
        };
        let things = (0..=chance.below(3)).map(|_| thing(&mut chance)).collect();
        day.push(Customer {
            things,
            coupon: index % 5 == 2,
            member: index % 6 == 1,
            means,
            offline,
            stray_scan: index % 11 == 4,
            paper_out: index == count / 3,
            replug: index == count / 4,
        });
    }
    day
}

fn thing(chance: &mut Chance) -> Thing {
    if chance.below(2) == 0 {
        Thing::Scan(GOODS[chance.below(GOODS.len())])
    } else {
        let (sku, choices) = KEYS[chance.below(KEYS.len())];
        Thing::Key(sku, choices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_same_for_the_same_seed_and_plays_every_trouble() {
        let troubles = |count| {
            let mut found: Vec<_> = day(count, 7)
                .iter()
                .filter_map(|customer| match customer.means {
                    Means::PayCode(trouble) => trouble,
                    Means::Cash | Means::Voucher | Means::Desk | Means::WalksAway => None,
                })
                .collect();
            found.sort_unstable();
            found
        };
        let mut all = Trouble::ALL.to_vec();
        all.sort_unstable();
        assert_eq!(troubles(20), all);
        assert_eq!(troubles(40), all);
        assert_eq!(format!("{:?}", day(40, 7)), format!("{:?}", day(40, 7)));
        assert_ne!(format!("{:?}", day(40, 7)), format!("{:?}", day(40, 8)));
    }
}
