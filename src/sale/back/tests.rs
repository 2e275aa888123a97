//! Shares of returns: whatever goes back in whatever order, the parts sum to what there was.

use super::*;
use crate::money::Currency;
use proptest::prelude::*;

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

/// Three lines and two tenders: 1.00 in three pieces, 0.07 in one, 9.99 in a weight of 1.255.
fn left() -> Left {
    let line = |line: u32, steps: i64, total: i64, tax: i64| LineShare {
        line: LineId(line),
        steps,
        total: yuan(total),
        tax: yuan(tax),
    };
    let wallet = Means::Wallet {
        intent: crate::record::ids::IntentId([1; 16]),
        provider: crate::record::money_moves::ProviderName::Alipay,
        captured_by: CapturedBy::Till,
    };
    Left {
        lines: vec![line(1, 3, 100, 6), line(2, 1, 7, 0), line(3, 1255, 999, 115)],
        shares: vec![
            TenderShare { means: wallet, amount: yuan(701) },
            TenderShare { means: Means::Cash, amount: yuan(405) },
        ],
        total: yuan(1106),
    }
}

/// What is left after a return, as the fold of the sale computes it.
fn after(left: &Left, taken: &Taken) -> Left {
    let mut rest = left.clone();
    for gone in &taken.lines {
        let line = rest.lines.iter_mut().find(|line| line.line == gone.line).unwrap();
        line.steps -= gone.steps;
        line.total = line.total.minus(gone.total).unwrap();
        line.tax = line.tax.minus(gone.tax).unwrap();
    }
    for gone in &taken.shares {
        let share = rest.shares.iter_mut().find(|share| share.means == gone.means).unwrap();
        share.amount = share.amount.minus(gone.amount).unwrap();
    }
    rest.total = rest.total.minus(taken.total).unwrap();
    rest
}

fn wanted() -> impl Strategy<Value = Wanted> {
    prop_oneof![
        1 => Just(Wanted::Whole),
        4 => (1u32..5, 1i64..700).prop_map(|(line, steps)| Wanted::Lines(vec![(LineId(line), steps)])),
        2 => (1u32..4, 1i64..3).prop_map(|(line, steps)| Wanted::Lines(vec![(LineId(line), steps), (LineId(3), 77)])),
        4 => (-2i64..600).prop_map(|minor| Wanted::Amount(yuan(minor))),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_returns_gives_back_more_than_there_was(all in proptest::collection::vec(wanted(), 1..12)) {
        let mut rest = left();
        for wanted in all.iter().chain([&Wanted::Whole]) {
            let Ok(taken) = rest.take(wanted) else { continue };
            let sum = |shares: &[TenderShare]| -> i64 { shares.iter().map(|share| share.amount.minor).sum() };
            prop_assert_eq!(sum(&taken.shares), taken.total.minor);
            prop_assert_eq!(taken.lines.iter().map(|line| line.total.minor).sum::<i64>(), taken.total.minor);
            rest = after(&rest, &taken);
            prop_assert!(rest.shares.iter().all(|share| !share.amount.is_negative()));
            prop_assert!(rest.lines.iter().all(|line| line.steps >= 0 && !line.total.is_negative()));
            prop_assert!(rest.lines.iter().all(|line| !line.tax.is_negative() && line.tax <= line.total));
        }
        // The last return took exactly the rest.
        prop_assert!(rest.total.is_zero());
        prop_assert!(rest.lines.iter().all(|line| line.total.is_zero() && line.tax.is_zero()));
        prop_assert_eq!(rest.take(&Wanted::Whole), Err(NotLeft::Nothing));
    }
}

#[test]
fn a_return_goes_to_the_tenders_by_what_is_left_of_each() {
    let taken = left().take(&Wanted::Amount(yuan(100))).unwrap();
    let amounts: Vec<i64> = taken.shares.iter().map(|share| share.amount.minor).collect();
    assert_eq!(amounts, [63, 37]);
    let piece = left().take(&Wanted::Lines(vec![(LineId(1), 1)])).unwrap();
    assert_eq!((piece.total, piece.lines[0].tax), (yuan(33), yuan(2)));
}

#[test]
fn more_than_is_left_is_told_with_what_is_left() {
    let error = left().take(&Wanted::Amount(yuan(1107))).unwrap_err();
    assert_eq!(error.to_string(), "CNY 11.06 is left of this sale. Type an amount up to that.");
    for lines in [vec![(LineId(1), 4)], vec![(LineId(9), 1)], vec![(LineId(1), 1), (LineId(1), 1)]] {
        assert!(matches!(left().take(&Wanted::Lines(lines)), Err(NotLeft::Line(_))));
    }
}
