//! Any bytes from a scanner, by every profile: nothing panics, nothing is kept for ever, and it does not matter where
//! the bytes are split.
#![no_main]

use hardware::link::Decode;
use hardware::scanner::framer::MAX_SCAN_BYTES;
use hardware::scanner::label::{compare, hear};
use hardware::scanner::{ScanDecoder, ScannerProfile, Scanned};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    for profile in ScannerProfile::list() {
        let whole = read(profile, bytes, bytes.len().max(1));
        assert_eq!(whole, read(profile, bytes, usize::from(piece).max(1)));
        for scanned in &whole {
            if let Scanned::Scan(scan) = scanned {
                assert!(scan.data.len() <= MAX_SCAN_BYTES);
            }
        }
    }
    let _ = compare(&hear(bytes));
    // A profile is read from a file of the shop's own.
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = ScannerProfile::parse("own.toml", text);
    }
});

/// All that comes of the bytes, given in such pieces, the last silence included.
fn read(profile: &ScannerProfile, bytes: &[u8], piece: usize) -> Vec<Scanned> {
    let (mut decoder, mut all) = (ScanDecoder::of(profile), Vec::new());
    for piece in bytes.chunks(piece) {
        decoder.decode(piece, &mut |scanned| all.push(scanned));
    }
    decoder.quiet(&mut |scanned| all.push(scanned));
    assert_eq!(decoder.quiet_after(), None, "a silence ends what was unfinished");
    all
}
