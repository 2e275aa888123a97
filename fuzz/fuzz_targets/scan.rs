//! Any bytes as a scan: nothing panics, every report is JSON of a known kind, an element string that is written is
//! read again, and no digits of a label reach a wallet from an open basket.
#![no_main]

use jiff::civil::Date;
use libfuzzer_sys::fuzz_target;
use till::scan::report::{Awaiting, Report};
use till::scan::{Ambiguous, Gs1, LabelProfile, SCAN_MAX_BYTES, Scanned, classify};

const KINDS: [&str; 13] = [
    "item", "weighed", "coupon", "member", "voucher", "proof", "order", "receipt", "pay_code", "emv", "desk",
    "text", "error",
];

fuzz_target!(|bytes: &[u8]| {
    let labels = LabelProfile::all();
    let today = Date::constant(2026, 11, 22);
    let aim = (bytes.first() == Some(&b']')).then(|| &bytes[..bytes.len().min(3)]);
    let data = &bytes[aim.map_or(0, <[u8]>::len)..];
    for awaiting in [Awaiting::Goods, Awaiting::Money] {
        let report = Report::of(data, aim, &labels, awaiting, today);
        assert!(KINDS.contains(&report.kind));
        assert_eq!(report.kind == "error", report.error.is_some());
        assert!(report.gtin.as_ref().is_none_or(|gtin| gtin.len() == 14));
        assert!(report.wallet.is_some() == (report.kind == "pay_code"));
        let text = serde_json_of(&report);
        assert!(text.starts_with("{\"kind\":") && !text.contains('\n'));
    }
    match classify(data, aim, &labels) {
        Scanned::Gs1(read) => {
            let written = read.to_element_string();
            // A value of a link or of brackets may be longer written out than a scan can be.
            if written.len() <= SCAN_MAX_BYTES {
                let again = Gs1::of_elements(&written).map(|again| again.to_element_string());
                assert_eq!(again.as_deref(), Ok(written.as_str()));
            }
        }
        Scanned::Ambiguous(Ambiguous::PayCodeOrLabel { pay_code, label }) => {
            assert_eq!(pay_code.expose(), label.digits);
            assert_eq!(Report::of(data, aim, &labels, Awaiting::Goods, today).kind, "weighed");
            assert_eq!(Report::of(data, aim, &labels, Awaiting::Money, today).kind, "error");
        }
        _ => {}
    }
});

fn serde_json_of(report: &Report) -> String {
    serde_json::to_string(report).expect("a report is JSON")
}
