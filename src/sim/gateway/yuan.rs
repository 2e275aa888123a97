//! Amounts as the wallet writes them, `12.30`, and as the ledger keeps them, 1230 fen.
//!
//! Source: Alipay open platform, alipay.trade.pay, `total_amount`: yuan, at most two decimals, 0.01 to
//! 100000000. Deliberately not here: other currencies.

/// The most that one trade may cost: 100,000,000.00 yuan.
pub(super) const MAX_FEN: i64 = 10_000_000_000;

/// Fen of `12`, `12.3` or `12.30`; nothing for a sign, a third decimal, or more than the wallet takes.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let dangling = whole.is_empty() || text.ends_with('.');
    if dangling || whole.len() > 9 || decimals.len() > 2 || !all_digits(whole) || !all_digits(decimals) {
        return None;
    }
    let fen = format!("{whole}{decimals:0<2}").parse().ok()?;
    (fen <= MAX_FEN).then_some(fen)
}

/// `12.30` of 1230.
pub(super) fn format(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, fen) in
            [("0.01", 1), ("12", 1200), ("12.3", 1230), ("88.88", 8888), ("100000000", MAX_FEN)]
        {
            assert_eq!(parse(text), Some(fen), "{text}");
        }
        for text in ["", ".", "1.", ".5", "-1", "+1", "1.234", "1e3", "1,00", "100000000.01", " 1"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(format(1230), "12.30");
        assert_eq!(format(5), "0.05");
    }
}
