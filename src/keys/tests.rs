//! Codes of our own from signing to verifying, against the published vectors and against changes on the way.

use super::{CloudKeys, DeviceKey};
use crate::money::{Currency, Money};
use crate::token::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The vectors of docs/PROTOCOL.md, "Tokens".
const VECTORS: &str = include_str!("../../tests/data/tokens.json");
/// A moment at which everything in the vectors is valid: 2027-01-15 08:00:00 UTC.
const NOW: i64 = 1_800_000_000;

#[test]
fn the_published_vectors_come_out_to_the_byte() {
    let made = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
    assert_eq!(made, VECTORS, "the form of codes is fixed: a change needs a new version");
}

#[test]
fn the_published_codes_verify_from_the_file_alone() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let root = bytes32(&vectors["root_public"]);
    let signed: SignedKeySet = serde_json::from_value(vectors["key_set"].clone()).unwrap();
    let keys = signed.verify(&root, NOW).unwrap();
    let device = bytes32(&vectors["device_public"]);
    for row in vectors["codes"].as_array().unwrap() {
        let text = row["text"].as_str().unwrap();
        assert_eq!(text.len(), usize::try_from(row["length"].as_u64().unwrap()).unwrap());
        let outcome = match parse(text).unwrap() {
            Token::Coupon(code) => code.verify(&keys, NOW).map(|_| ()),
            Token::Voucher(code) => code.verify(&keys, NOW).map(|_| ()),
            Token::Proof(code) => code.verify(&keys, NOW).map(|_| ()),
            Token::Order(code) => code.verify_with(&device).map(|_| ()),
            Token::Receipt(code) => code.verify_with(&device).map(|_| ()),
            Token::Member(code) => code.verify(b"12345678901234567890123456789012", NOW).map(|_| ()),
            Token::Number(_) => Ok(()),
        };
        assert_eq!(outcome, Ok(()), "{text}");
    }
}

#[test]
fn every_kind_fits_its_symbol() {
    let device = device();
    for (text, length) in [
        (issue(&coupon(), Purpose::Coupon), 154),
        (issue(&voucher(), Purpose::Voucher), 149),
        (issue(&proof(), Purpose::Proof), 154),
        (device.draw(&receipt()).unwrap(), 151),
        (member_code(MemberRef([0xFF; 10]), b"secret", NOW), 28),
    ] {
        assert_eq!(text.len(), length);
        assert!(text.len() <= TOKEN_MAX);
    }
    let order = device.draw(&order()).unwrap();
    assert_eq!(order.len(), ORDER_LEN);
    assert!(order_url("https://pay.shop-name.example", &order).unwrap().len() <= ORDER_URL_MAX);
}

#[test]
fn each_reason_to_refuse_is_told_apart() {
    let text = issue(&coupon(), Purpose::Coupon);
    let Token::Coupon(code) = parse(&text).unwrap() else { panic!("a coupon") };
    let id = code.key_id().unwrap();
    let judge = |change: &dyn Fn(&mut KeySet), now: i64| {
        let mut keys = keys();
        change(&mut keys);
        code.verify(&keys, now).map(|verified| verified.into_inner())
    };
    let key = |set: &mut KeySet| set.keys.get(&id).cloned().unwrap();
    let with = |change: fn(&mut Key)| {
        move |set: &mut KeySet| {
            let mut changed = key(set);
            change(&mut changed);
            set.keys.insert(id, changed);
        }
    };
    assert_eq!(judge(&|_| {}, NOW), Ok(coupon()));
    assert_eq!(judge(&|_| {}, coupon().validity.from() - 1), Err(TokenError::NotYetValid));
    assert_eq!(judge(&|_| {}, coupon().validity.until()), Err(TokenError::Expired));
    assert_eq!(judge(&|set| set.keys.clear(), NOW), Err(TokenError::UnknownKey));
    assert_eq!(judge(&with(|key| key.purpose = Purpose::Voucher), NOW), Err(TokenError::WrongPurpose));
    assert_eq!(judge(&with(|key| key.revoked = Revocation::Revoked), NOW), Err(TokenError::RevokedKey));
    assert_eq!(judge(&with(|key| key.not_after = NOW), NOW), Err(TokenError::KeyOutOfDate));
    assert_eq!(judge(&with(|key| key.public_key = [9; 32]), NOW), Err(TokenError::Forged));
}

#[test]
fn no_signature_fits_two_kinds() {
    // The same bytes, signed as a coupon and presented as a proof with a key for proofs.
    let key = purpose_key(Purpose::Proof);
    let payload = issued_payload(&proof(), key.key_id()).unwrap();
    let text = assemble(Kind::Proof, &payload, &key.sign(&signing_input(Kind::Coupon, &payload)));
    let Token::Proof(code) = parse(&text).unwrap() else { panic!("a proof") };
    assert_eq!(code.verify(&keys(), NOW), Err(TokenError::Forged));
}

#[test]
fn a_newer_layout_is_refused_by_its_version() {
    let mut payload = drawn_payload(&order()).unwrap();
    payload[0] = 2;
    let text = assemble(Kind::Order, &payload, &[0; 64]);
    assert_eq!(parse(&text), Err(TokenError::UnknownVersion(2)));
}

#[test]
fn a_code_of_the_wrong_length_is_malformed() {
    let text = device().draw(&order()).unwrap();
    for wrong in
        [&text[..3], &text[..20], &text[..text.len() - 1], &(text.clone() + "A"), "O1", "", "X1.AAAA"]
    {
        assert!(matches!(parse(wrong), Err(TokenError::Malformed(_))), "{wrong}");
    }
    let longer = assemble(Kind::Receipt, &[drawn_payload(&receipt()).unwrap(), vec![0]].concat(), &[0; 64]);
    assert!(matches!(parse(&longer), Err(TokenError::Malformed(_))));
    assert!(parse(&("C1.".to_owned() + &"A".repeat(1_000_000))).is_err());
}

#[test]
fn an_unverified_code_shows_nothing_but_its_kind() {
    let code = parse(&issue(&coupon(), Purpose::Coupon)).unwrap();
    assert_eq!(format!("{code:?}"), "Coupon(Unverified(C1))");
}

#[test]
fn the_clouds_own_folder_of_keys_issues_what_its_key_set_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = CloudKeys::load_or_create(folder.path()).unwrap();
    let signed = cloud.sign_key_set(&cloud.key_set(1, 0, NOW * 2)).unwrap();
    let keys = signed.verify(&cloud.root_public(), NOW).unwrap();
    let Token::Voucher(code) = parse(&cloud.issue(&voucher()).unwrap()).unwrap() else { panic!("a voucher") };
    assert_eq!(code.verify(&keys, NOW).unwrap().into_inner(), voucher());
    assert!(matches!(code.verify(&self::keys(), NOW), Err(TokenError::UnknownKey)));
}

proptest! {
    #[test]
    fn a_coupon_comes_back_as_it_was_issued(
        issuer: u16, serial: u64, campaign: u32, from in 0_i64..2_000_000_000, days in 1_i64..2_700,
        worth in prop_oneof![
            Just(Worth::ByCampaign),
            (1_u16..=10_000).prop_map(Worth::BasisPointsOff),
            (1_i64..=u32::MAX.into()).prop_map(|minor| Worth::AmountOff(Money::new(minor, Currency::KWD))),
        ],
    ) {
        let validity = Validity::covering(from, from + days * 86_400).unwrap();
        let coupon = Coupon { issuer, serial, campaign, validity, worth };
        let Token::Coupon(code) = parse(&issue(&coupon, Purpose::Coupon)).unwrap() else { panic!("a coupon") };
        prop_assert_eq!(code.verify(&keys(), from).unwrap().into_inner(), coupon);
    }

    #[test]
    fn an_order_comes_back_as_it_was_drawn(
        epoch: u64, nonce: u64, minor in 1_i64..1 << 40, at in 0_i64..=u32::MAX.into(),
    ) {
        let amount = Money::new(minor, Currency::JPY);
        let order = Order { epoch, nonce, amount, issued_at: at, ..order() };
        let Token::Order(code) = parse(&device().draw(&order).unwrap()).unwrap() else { panic!("an order") };
        prop_assert_eq!(code.stream(), Stream { terminal: order.terminal, epoch });
        prop_assert_eq!(code.verify_with(&device().public()).unwrap().into_inner(), order);
    }

    #[test]
    fn any_single_changed_character_is_refused(
        which in 0_usize..5, at in any::<prop::sample::Index>(), with in "[ -~]",
    ) {
        let text = match which {
            0 => issue(&coupon(), Purpose::Coupon),
            1 => issue(&voucher(), Purpose::Voucher),
            2 => issue(&proof(), Purpose::Proof),
            3 => device().draw(&order()).unwrap(),
            _ => device().draw(&receipt()).unwrap(),
        };
        let at = at.index(text.len());
        prop_assume!(text[at..=at] != with);
        let mut changed = text;
        changed.replace_range(at..=at, &with);
        let accepted = match parse(&changed) {
            Err(_) => false,
            Ok(Token::Coupon(code)) => code.verify(&keys(), NOW).is_ok(),
            Ok(Token::Voucher(code)) => code.verify(&keys(), NOW).is_ok(),
            Ok(Token::Proof(code)) => code.verify(&keys(), NOW).is_ok(),
            Ok(Token::Order(code)) => code.verify_with(&device().public()).is_ok(),
            Ok(Token::Receipt(code)) => code.verify_with(&device().public()).is_ok(),
            Ok(Token::Member(_) | Token::Number(_)) => true,
        };
        prop_assert!(!accepted, "{}", changed);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "([CGPORMN]1\\.)?[A-Z2-7.]{0,170}") {
        let _ = parse(&text);
    }
}

#[test]
fn an_amount_or_a_time_beyond_its_field_is_not_signed() {
    let huge = Money::new(1 << 40, Currency::CNY);
    assert!(device().draw(&Order { amount: huge, ..order() }).is_err());
    assert!(device().draw(&Order { amount: Money::zero(Currency::CNY), ..order() }).is_err());
    assert!(device().draw(&Receipt { total: Money::new(-1, Currency::CNY), ..receipt() }).is_err());
    assert!(device().draw(&Order { issued_at: 1 << 32, ..order() }).is_err());
    assert!(device().draw(&Order { issued_at: -1, ..order() }).is_err());
}

fn device() -> DeviceKey {
    DeviceKey::from_seed(&[1; 32]).unwrap()
}

fn purpose_key(purpose: Purpose) -> DeviceKey {
    let seed = match purpose {
        Purpose::Bundle => 2,
        Purpose::Coupon => 3,
        Purpose::Voucher => 4,
        Purpose::Proof => 5,
        Purpose::Head => 6,
    };
    DeviceKey::from_seed(&[seed; 32]).unwrap()
}

fn keys() -> KeySet {
    let mut set = KeySet::new(1, 0, 4_000_000_000);
    for purpose in Purpose::ALL {
        let (public_key, revoked) = (purpose_key(purpose).public(), Revocation::Good);
        set.insert(Key { purpose, public_key, not_before: 0, not_after: 4_000_000_000, revoked });
    }
    set
}

fn issue<T: Issued>(token: &T, purpose: Purpose) -> String {
    purpose_key(purpose).issue(token).unwrap()
}

fn coupon() -> Coupon {
    Coupon {
        issuer: 42,
        serial: 0x0123_4567_89AB_CDEF,
        campaign: 7,
        validity: Validity::covering(NOW - 900, NOW + 86_400).unwrap(),
        worth: Worth::AmountOff(Money::new(1000, Currency::CNY)),
    }
}

fn voucher() -> Voucher {
    let Coupon { issuer, serial, validity, .. } = coupon();
    Voucher { issuer, serial, validity, value: Money::new(5000, Currency::CNY) }
}

fn order() -> Order {
    Order {
        terminal: TerminalTag::of("till-1"),
        epoch: 0x1122_3344_5566_7788,
        nonce: 0x99AA_BBCC_DDEE_FF00,
        amount: Money::new(1280, Currency::CNY),
        issued_at: NOW - 20,
    }
}

fn proof() -> Proof {
    Proof { order: order().hash().unwrap(), settled_minor: 1280, paid_at: NOW - 5 }
}

fn receipt() -> Receipt {
    let Order { terminal, epoch, amount, .. } = order();
    Receipt { terminal, epoch, number: 1001, total: amount, issued_at: NOW }
}

fn vectors() -> Value {
    let (root, device) = (DeviceKey::from_seed(&[0; 32]).unwrap(), device());
    let (input, payload) = SignedKeySet::signing_input(&keys()).unwrap();
    let (coupon, voucher, proof) = (coupon(), voucher(), proof());
    let key = purpose_key;
    let issued = |kind: Kind, payload: Vec<u8>, text: String| json!({ "kind": kind.code(), "payload": hex(&payload), "text": text, "length": text.len() });
    let (coupon_key, voucher_key, proof_key) =
        (key(Purpose::Coupon), key(Purpose::Voucher), key(Purpose::Proof));
    let member = MemberRef(*b"0123456789");
    let member_text = member_code(member, b"12345678901234567890123456789012", NOW);
    json!({
        "about": "Seeds: root 00.., device 01.., bundle 02.., coupon 03.., voucher 04.., proof 05.., head 06.. (32 bytes each). Valid at now.",
        "now": NOW,
        "root_public": hex(&root.public()),
        "device_public": hex(&device.public()),
        "device_fingerprint": device.fingerprint(),
        "key_set": SignedKeySet::assemble(&payload, &root.sign(&input)),
        "order_hash": hex(&proof.order.0),
        "typed_proof": { "shared_key": hex(&[7; 32]), "digits": order().typed_proof(&[7; 32]).unwrap() },
        "coupon_serial": coupon.serial(),
        "codes": [
            issued(Kind::Coupon, issued_payload(&coupon, coupon_key.key_id()).unwrap(), coupon_key.issue(&coupon).unwrap()),
            issued(Kind::Voucher, issued_payload(&voucher, voucher_key.key_id()).unwrap(), voucher_key.issue(&voucher).unwrap()),
            issued(Kind::Proof, issued_payload(&proof, proof_key.key_id()).unwrap(), proof_key.issue(&proof).unwrap()),
            issued(Kind::Order, drawn_payload(&order()).unwrap(), device.draw(&order()).unwrap()),
            issued(Kind::Receipt, drawn_payload(&receipt()).unwrap(), device.draw(&receipt()).unwrap()),
            { "kind": "M1", "text": member_text, "length": member_text.len() },
        ],
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes32(value: &Value) -> [u8; 32] {
    let text = value.as_str().unwrap();
    let bytes: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect();
    bytes.try_into().unwrap()
}
