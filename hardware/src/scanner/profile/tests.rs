//! Profiles of scanners: those that ship, a shop's own, and what is wrong with a file.

use super::*;

#[test]
fn every_profile_that_ships_is_read_and_found_by_its_name() {
    for (name, text) in SHIPPED {
        let profile = ScannerProfile::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(profile.name, name);
        assert_eq!(ScannerProfile::by_name(name), Some(&profile));
        assert!(!profile.description.is_empty());
    }
    assert_eq!(ScannerProfile::list().len(), SHIPPED.len());
    assert_eq!(ScannerProfile::by_name("nothing of ours"), None);
    let generic = ScannerProfile::by_name("generic").unwrap();
    let (description, source) = (generic.description.clone(), generic.source.clone());
    assert_eq!(*generic, ScannerProfile { description, source, ..ScannerProfile::generic() });
}

#[test]
fn a_scan_that_is_cut_out_already_is_read_with_or_without_its_marks() {
    let of = |name: &str, data: &[u8]| {
        let scan = ScannerProfile::by_name(name).unwrap().scan_of(data);
        (scan.aim.map(|aim| aim.to_string()), String::from_utf8(scan.data).unwrap())
    };
    let bare = |text: &str| (None, text.to_owned());
    let ean = (Some("]E0".to_owned()), "4006381333931".to_owned());
    for data in [&b"]E04006381333931"[..], b"\x02]E04006381333931\x03"] {
        assert_eq!(of("generic-marked", data), ean);
        assert_eq!(of("honeywell", data), ean);
    }
    assert_eq!(of("honeywell", b"]E04006381333931\r\n"), ean);
    assert_eq!(of("generic-silent", b"A\r\n"), bare("A"));
    assert_eq!(of("generic", b"]E04006381333931\r"), bare("]E04006381333931"));
    // Line ends may belong to what stands between marks; half a pair of marks is data.
    assert_eq!(of("generic-marked", b"A\r"), bare("A\r"));
    assert_eq!(of("generic", b"\x02A"), bare("\x02A"));
    let own = "name = \"own\"\ndescription = \"x\"\nsource = \"manual\"\ngs = \"7C\"\n[line]\nbaud = 9600\n[framing]\nby = \"terminated\"\nend = \"ETX\"\n";
    let own = ScannerProfile::parse("own.toml", own).unwrap();
    assert_eq!(own.scan_of(b"10AB|21C\x03").data, b"10AB\x1d21C");
    assert_eq!(own.scan_of(b"").data, b"");
}

#[test]
fn each_mistake_in_a_profile_says_where_and_what_to_write() {
    const GOOD: &str = "name = \"own\"\ndescription = \"x\"\nsource = \"manual\"\n[line]\nbaud = 9600\n[framing]\nby = \"enclosed\"\nbegin = \"STX\"\nend = \"ETX\"\n";
    assert!(ScannerProfile::parse("own.toml", GOOD).is_ok());
    let error = |from: &str, to: &str| {
        ScannerProfile::parse("own.toml", &GOOD.replace(from, to)).unwrap_err().to_string()
    };
    for (found, expected) in [
        (error("baud =", "bauds ="), "own.toml:5: unknown field `bauds`"),
        (error("9600", "0"), "own.toml: baud is 0"),
        (error("\"STX\"", "\"\""), "own.toml:6: a mark is 1 to 8 bytes"),
        (error("\"STX\"", "\"<<\""), "own.toml:6: \"<<\" is not a byte"),
        (error("\"enclosed\"", "\"silence\""), "own.toml:7: unknown variant `silence`"),
        (error("\"manual\"", "\" \""), "own.toml: source is empty"),
        (error("\"own\"", "\"My Own\""), "own.toml: the name"),
        (error("[line]", "gs = \"1\"\n[line]"), "own.toml:4: gs is \"sent\", \"lost\", or the bytes"),
        (
            error("[line]", "commands.beep = { bytes = \"07\", source = \"\" }\n[line]"),
            "own.toml: beep has no source",
        ),
        (
            error("by = \"enclosed\"\nbegin = \"STX\"\nend = \"ETX\"", "by = \"idle\"\nidle_ms = 5"),
            "own.toml: a silence of 5 ms",
        ),
    ] {
        assert!(found.starts_with(expected), "{found:?} should begin with {expected:?}");
    }
}
