//! Bars of digits and letters: EAN-13 (ISO/IEC 15420) and Code 128 (ISO/IEC 15417).
//!
//! Tables and check characters alone. What a code may say is checked in `document::drawn`; the virtual printer reads its
//! own commands and comes here for the bars.

/// Widths of space, bar, space, bar of the digits 0 to 9, number set A. Set C has the same with bars for spaces, set
/// B is set C from right to left.
const EAN: [[u8; 4]; 10] = [
    [3, 2, 1, 1],
    [2, 2, 2, 1],
    [2, 1, 2, 2],
    [1, 4, 1, 1],
    [1, 1, 3, 2],
    [1, 2, 3, 1],
    [1, 1, 1, 4],
    [1, 3, 1, 2],
    [1, 2, 1, 3],
    [3, 1, 1, 2],
];
/// For each first digit the number sets of the six that follow; a set bit is B, the highest of six first.
const EAN_SETS: [u8; 10] = [
    0b00_0000, 0b00_1011, 0b00_1101, 0b00_1110, 0b01_0011, 0b01_1001, 0b01_1100, 0b01_0101, 0b01_0110,
    0b01_1010,
];

/// The bars of EAN-13, true for a bar. What is no digit counts as 0.
pub fn ean13_bars(digits: [u8; 13]) -> Vec<bool> {
    let digits = digits.map(|digit| if digit < 10 { digit } else { 0 });
    let mut out = Vec::with_capacity(95);
    push(&mut out, true, &[1, 1, 1]);
    for (at, digit) in digits[1..7].iter().enumerate() {
        let mut widths = EAN[usize::from(*digit)];
        if EAN_SETS[usize::from(digits[0])] & (0b10_0000 >> at) != 0 {
            widths.reverse();
        }
        push(&mut out, false, &widths);
    }
    push(&mut out, false, &[1, 1, 1, 1, 1]);
    for digit in &digits[7..] {
        push(&mut out, true, &EAN[usize::from(*digit)]);
    }
    push(&mut out, true, &[1, 1, 1]);
    out
}

/// Adds elements in turn, the first of them a bar or not.
fn push(out: &mut Vec<bool>, first: bool, widths: &[u8]) {
    let mut bar = first;
    for width in widths {
        out.extend(std::iter::repeat_n(bar, usize::from(*width)));
        bar = !bar;
    }
}

/// Widths of bar, space, bar, space, bar, space of the symbol characters 0 to 105, as decimal digits.
const CODE128: [u32; 106] = [
    212222, 222122, 222221, 121223, 121322, 131222, 122213, 122312, 132212, 221213, 221312, 231212, 112232,
    122132, 122231, 113222, 123122, 123221, 223211, 221132, 221231, 213212, 223112, 312131, 311222, 321122,
    321221, 312212, 322112, 322211, 212123, 212321, 232121, 111323, 131123, 131321, 112313, 132113, 132311,
    211313, 231113, 231311, 112133, 112331, 132131, 113123, 113321, 133121, 313121, 211331, 231131, 213113,
    213311, 213131, 311123, 311321, 331121, 312113, 312311, 332111, 314111, 221411, 431111, 111224, 111422,
    121124, 121421, 141122, 141221, 112214, 112412, 122114, 122411, 142112, 142211, 241211, 221114, 413111,
    241112, 134111, 111242, 121142, 121241, 114212, 124112, 124211, 411212, 421112, 421211, 212141, 214121,
    412121, 111143, 111341, 131141, 114113, 114311, 411113, 411311, 113141, 114131, 311141, 411131, 211412,
    211214, 211232,
];
const CODE128_STOP: [u8; 7] = [2, 3, 3, 1, 1, 1, 2];
/// Changes to code set C.
pub const TO_C: u8 = 99;
/// Changes to code set B.
pub const TO_B: u8 = 100;
/// Begins in code set B.
pub const START_B: u8 = 104;
/// Begins in code set C.
pub const START_C: u8 = 105;

/// The bars of Code 128: its values with the start character first, to which the check character and the stop are
/// added. Values above 105 are none and count as 0.
pub fn code128_bars(values: &[u8]) -> Vec<bool> {
    let mut characters: Vec<u8> = values.iter().map(|value| if *value < 106 { *value } else { 0 }).collect();
    // The start counts once, every other character as often as its place says, modulo 103.
    let sum = characters.iter().enumerate().map(|(at, value)| at.max(1) * usize::from(*value)).sum::<usize>();
    characters.push(u8::try_from(sum % 103).unwrap_or(0));
    let mut out = Vec::with_capacity(characters.len() * 11 + 13);
    for character in characters {
        let mut widths = [0; 6];
        let mut rest = CODE128[usize::from(character)];
        for width in widths.iter_mut().rev() {
            *width = u8::try_from(rest % 10).unwrap_or(1);
            rest /= 10;
        }
        push(&mut out, true, &widths);
    }
    push(&mut out, true, &CODE128_STOP);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_character_of_code_128_is_eleven_modules_of_which_bars_are_even() {
        for widths in CODE128 {
            let digits: Vec<u32> = (0..6).map(|at| widths / 10_u32.pow(5 - at) % 10).collect();
            assert_eq!(digits.iter().sum::<u32>(), 11, "{widths}");
            assert_eq!((digits[0] + digits[2] + digits[4]) % 2, 0, "{widths}");
        }
    }
}
