//! What a code was printed as, from the AIM symbology identifier before it.
//!
//! Source: ISO/IEC 15424. Not here: taking the identifier off the data (`hardware`).

/// What the code was printed as, as far as it matters for reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carrier {
    /// The scanner does not say.
    Unsaid,
    /// `]E0`: EAN-13, UPC-A, and UPC-E.
    Ean,
    /// `]E3`: EAN-13 with an add-on of two or five digits; `]E1` and `]E2`: such an add-on alone, which is no number.
    EanWithAddOn,
    /// `]E4`
    Ean8,
    /// `]I`: interleaved two of five.
    Itf,
    /// `]Q`: QR code.
    Qr,
    /// `]C1`, `]e`, `]d2`, `]Q3`, `]J1`, and with extended channel interpretations `]d5` and `]Q4`: GS1 element strings.
    Gs1,
    /// `]X`, which each maker uses for what it likes (books, often), and identifiers that are none.
    Unclear,
    /// Any other symbol.
    Other,
}

impl Carrier {
    /// From the identifier, with or without its `]`.
    pub(super) fn of(aim: Option<&[u8]>) -> Self {
        let Some(aim) = aim else { return Self::Unsaid };
        match bare(aim) {
            b"E0" => Self::Ean,
            b"E1" | b"E2" | b"E3" => Self::EanWithAddOn,
            b"E4" => Self::Ean8,
            b"C1" | b"d2" | b"d5" | b"Q3" | b"Q4" | b"J1" | [b'e', _] => Self::Gs1,
            [b'I', _] => Self::Itf,
            [b'Q', _] => Self::Qr,
            known if symbology(known, "").is_some() => Self::Other,
            _ => Self::Unclear,
        }
    }
}

/// The symbol's name as people know it, for an identifier with or without its `]`; the data tells the symbols of
/// EAN and UPC apart. `None` for an identifier of no symbol.
pub fn symbology(aim: &[u8], data: &str) -> Option<&'static str> {
    Some(match bare(aim) {
        b"E1" | b"E2" => "EAN add-on",
        b"E0" | b"E3" => match data.len() {
            8 if data.starts_with(['0', '1']) => "UPC-E",
            8 => "EAN-8",
            12 => "UPC-A",
            _ if data.starts_with('0') => "UPC-A",
            _ => "EAN-13",
        },
        b"E4" => "EAN-8",
        b"C1" => "GS1-128",
        [b'C', _] => "Code 128",
        [b'e', _] => "DataBar",
        b"d2" | b"d5" => "GS1 DataMatrix",
        [b'd', _] => "DataMatrix",
        b"Q3" | b"Q4" => "GS1 QR",
        [b'Q', _] => "QR",
        b"J1" => "GS1 DotCode",
        [b'J', _] => "DotCode",
        [b'I', _] => "ITF",
        [b'A', _] => "Code 39",
        [b'F', _] => "Codabar",
        [b'G', _] => "Code 93",
        [b'H', _] => "Code 11",
        [b'L', _] => "PDF417",
        [b'M', _] => "MSI",
        [b'R' | b'S', _] => "2 of 5",
        [b'U', _] => "MaxiCode",
        [b'h', _] => "Han Xin",
        [b'z', _] => "Aztec",
        _ => return None,
    })
}

/// Without its `]`.
pub(super) fn bare(aim: &[u8]) -> &[u8] {
    aim.strip_prefix(b"]").unwrap_or(aim)
}
