//! Signed requests: RFC 9421 HTTP message signatures with Ed25519, and RFC 9530 content digests.
//!
//! One form only: the signature covers method, path, query and the digest of the body, so that a proxy may change
//! host and scheme and nothing else. **Invariant:** what is verified is rebuilt from the request as received;
//! nothing that was not signed is looked at. Not here: refusing a nonce for the second time (the receiver keeps
//! them for as long as its window is), HTTP itself, and signatures of answers.

use super::DeviceKey;
use crate::token::verify_signature;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest::{SHA256, SHA512, digest};

/// The label of our signature in its two header fields.
const LABEL: &str = "till";
/// What is covered, in this order.
const COVERED: &str = r#"("@method" "@path" "@query" "content-digest")"#;
/// A key id or nonce longer than this is not ours.
const PARAMETER_MAX: usize = 64;
/// The header fields are far shorter.
const HEADER_MAX: usize = 512;

/// The header fields that carry a signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headers {
    /// `Content-Digest`
    pub content_digest: String,
    /// `Signature-Input`
    pub signature_input: String,
    /// `Signature`
    pub signature: String,
}

/// What is said about a signature beside what it covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// When it was made, in unix seconds.
    pub created: i64,
    /// Drawn by the sender; the receiver takes each once.
    pub nonce: String,
    /// Which key: what the receiver looks the public key up by.
    pub keyid: String,
}

/// Why a request was not accepted, in words for the log of the other side.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestError {
    /// The header fields are not in our form.
    #[error("the request is not signed in a form we know: {0}")]
    Malformed(&'static str),
    /// The body is not the one the digest speaks of.
    #[error("the body does not match its Content-Digest")]
    BodyChanged,
    /// Too old or from the future.
    #[error("the signature was made at {created}, and it is {now} here: set the clock and sign again")]
    OutsideWindow {
        /// When it says it was made.
        created: i64,
        /// The receiver's time.
        now: i64,
    },
    /// Nobody with this key.
    #[error("no key is known as {0:?}: pair this device first")]
    UnknownKey(String),
    /// The signature does not match.
    #[error("the signature does not match the request")]
    Forged,
}

/// Signs a request.
///
/// `created` in unix seconds; `nonce` at least 64 random bits as text; `nonce` and `keyid` of letters, digits and
/// `-_.:/+=`, at most 64.
///
/// # Errors
/// [`RequestError::Malformed`] when `nonce` or `keyid` is not of that form.
pub fn sign_request(
    method: &str,
    path_and_query: &str,
    body: &[u8],
    parameters: &Parameters,
    key: &DeviceKey,
) -> Result<Headers, RequestError> {
    plain(&parameters.nonce)?;
    plain(&parameters.keyid)?;
    let content_digest = content_digest(body);
    let signed = parameters.to_field();
    let base = request_base(method, path_and_query, &content_digest, &signed);
    let signature = BASE64.encode(key.sign(base.as_bytes()));
    Ok(Headers {
        content_digest,
        signature_input: format!("{LABEL}={signed}"),
        signature: format!("{LABEL}=:{signature}:"),
    })
}

/// Verifies a request and says who signed it.
///
/// `public_key_of` finds a key by its id; `now` in unix seconds; `window_s` is how far `created` may be from it on
/// either side.
///
/// # Errors
/// [`RequestError`]. The window is judged after the signature, so that [`RequestError::OutsideWindow`] is only
/// said to somebody who holds the key.
pub fn verify_request(
    method: &str,
    path_and_query: &str,
    body: &[u8],
    headers: &Headers,
    public_key_of: impl FnOnce(&str) -> Option<[u8; 32]>,
    now: i64,
    window_s: i64,
) -> Result<Parameters, RequestError> {
    let input = field(&headers.signature_input, "Signature-Input has another label")?;
    let parameters = Parameters::of_field(input)?;
    let signature = field(&headers.signature, "Signature has another label")?
        .strip_prefix(':')
        .and_then(|text| BASE64.decode(text.strip_suffix(':')?).ok())
        .ok_or(RequestError::Malformed("Signature is not a byte sequence"))?;
    digest_holds(&headers.content_digest, body)?;
    let public_key =
        public_key_of(&parameters.keyid).ok_or_else(|| RequestError::UnknownKey(parameters.keyid.clone()))?;
    let base = request_base(method, path_and_query, &headers.content_digest, input);
    verify_signature(&public_key, base.as_bytes(), &signature).map_err(|_| RequestError::Forged)?;
    if now.abs_diff(parameters.created) > window_s.unsigned_abs() {
        return Err(RequestError::OutsideWindow { created: parameters.created, now });
    }
    Ok(parameters)
}

/// `sha-256=:…:` of a body (RFC 9530 section 2).
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(digest(&SHA256, body)))
}

/// Whether a Content-Digest is that of a body: each of sha-256 and sha-512 that stands in it has to be right, one at
/// least has to, and others are passed over (RFC 9530 section 2).
fn digest_holds(field: &str, body: &[u8]) -> Result<(), RequestError> {
    if field.len() > HEADER_MAX {
        return Err(RequestError::Malformed("a header field is too long"));
    }
    let mut known = 0;
    for member in field.split(',').map(str::trim) {
        let algorithm = match member.split_once('=') {
            Some(("sha-256", _)) => &SHA256,
            Some(("sha-512", _)) => &SHA512,
            Some(_) => continue,
            None => return Err(RequestError::Malformed("Content-Digest is not a list of digests")),
        };
        let (name, value) = member.split_once('=').unwrap_or_default();
        if value != format!(":{}:", BASE64.encode(digest(algorithm, body))) || name.is_empty() {
            return Err(RequestError::BodyChanged);
        }
        known += 1;
    }
    if known > 0 {
        Ok(())
    } else {
        Err(RequestError::Malformed("Content-Digest has neither sha-256 nor sha-512"))
    }
}

impl Parameters {
    /// The inner list with its parameters (RFC 9421 section 2.3).
    fn to_field(&self) -> String {
        let Self { created, nonce, keyid } = self;
        format!(r#"{COVERED};created={created};nonce="{nonce}";keyid="{keyid}";alg="ed25519""#)
    }

    /// Reads [`Self::to_field`], parameters in any order, each once, none missing, none unknown.
    fn of_field(field: &str) -> Result<Self, RequestError> {
        let rest = field
            .strip_prefix(COVERED)
            .and_then(|rest| rest.strip_prefix(';'))
            .ok_or(RequestError::Malformed("it covers something else than method, path, query and body"))?;
        let (mut created, mut nonce, mut keyid, mut alg) = (None, None, None, None);
        for parameter in rest.split(';') {
            let (name, value) =
                parameter.split_once('=').ok_or(RequestError::Malformed("a parameter has no value"))?;
            let place = match name {
                "created" => &mut created,
                "nonce" => &mut nonce,
                "keyid" => &mut keyid,
                "alg" => &mut alg,
                _ => return Err(RequestError::Malformed("it has a parameter we do not know")),
            };
            if place.replace(value).is_some() {
                return Err(RequestError::Malformed("a parameter stands twice"));
            }
        }
        if alg != Some(r#""ed25519""#) {
            return Err(RequestError::Malformed("its algorithm is not ed25519"));
        }
        let created = created
            .and_then(|digits| digits.parse::<i64>().ok().filter(|at| at.to_string() == digits))
            .ok_or(RequestError::Malformed("it does not say when it was made"))?;
        Ok(Self { created, nonce: quoted(nonce)?, keyid: quoted(keyid)? })
    }
}

fn request_base(method: &str, path_and_query: &str, content_digest: &str, signed: &str) -> String {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let path = if path.is_empty() { "/" } else { path };
    // Without a query the component is the question mark alone (RFC 9421 section 2.2.7).
    let query = format!("?{query}");
    signature_base(
        &[("@method", method), ("@path", path), ("@query", &query), ("content-digest", content_digest)],
        signed,
    )
}

/// One line for each component, then the parameters (RFC 9421 section 2.5).
fn signature_base(components: &[(&str, &str)], signed: &str) -> String {
    let mut base = String::new();
    for (name, value) in components {
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {signed}"));
    base
}

fn field<'a>(text: &'a str, problem: &'static str) -> Result<&'a str, RequestError> {
    if text.len() > HEADER_MAX {
        return Err(RequestError::Malformed("a header field is too long"));
    }
    text.strip_prefix(LABEL).and_then(|rest| rest.strip_prefix('=')).ok_or(RequestError::Malformed(problem))
}

fn quoted(value: Option<&str>) -> Result<String, RequestError> {
    let text = value
        .and_then(|text| text.strip_prefix('"')?.strip_suffix('"'))
        .ok_or(RequestError::Malformed("nonce or keyid is missing"))?;
    plain(text)?;
    Ok(text.to_owned())
}

fn plain(text: &str) -> Result<(), RequestError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    if (1..=PARAMETER_MAX).contains(&text.len()) && text.bytes().all(known) {
        Ok(())
    } else {
        Err(RequestError::Malformed("nonce or keyid has characters we do not take"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// RFC 9421 appendix B.1.4, `test-key-ed25519`: private and public half.
    fn rfc_key() -> DeviceKey {
        let half = |text: &str| -> [u8; 32] { URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap() };
        let key = DeviceKey::from_seed(&half("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU")).unwrap();
        assert_eq!(key.public(), half("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"));
        key
    }

    #[test]
    fn the_ed25519_example_of_rfc_9421_comes_out_to_the_byte() {
        // Appendix B.2.6.
        let signed = r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
        let base = signature_base(
            &[
                ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
                ("@method", "POST"),
                ("@path", "/foo"),
                ("@authority", "example.com"),
                ("content-type", "application/json"),
                ("content-length", "18"),
            ],
            signed,
        );
        let signature = BASE64.encode(rfc_key().sign(base.as_bytes()));
        assert_eq!(
            signature,
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
        );
    }

    #[test]
    fn the_digests_of_rfc_9530_come_out() {
        // Appendix B.1 and B.2.
        assert_eq!(
            content_digest(b"{\"hello\": \"world\"}\n"),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
        assert_eq!(content_digest(b""), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    }

    #[test]
    fn an_honest_request_is_accepted_and_its_sender_named() {
        assert_eq!(verify(&Asked::honest(), 1_000), Ok(parameters()));
    }

    #[test]
    fn whatever_is_changed_on_the_way_is_noticed() {
        let honest = Asked::honest();
        for changed in [
            Asked { method: "PUT", ..honest.clone() },
            Asked { target: "/v1/other?after=3", ..honest.clone() },
            Asked { target: "/v1/records?after=4", ..honest.clone() },
            Asked { target: "/v1/records", ..honest.clone() },
        ] {
            assert_eq!(verify(&changed, 1_000), Err(RequestError::Forged), "{changed:?}");
        }
        let body = Asked { body: b"other", ..honest.clone() };
        assert_eq!(verify(&body, 1_000), Err(RequestError::BodyChanged));
        let mut both = body;
        both.headers.content_digest = content_digest(both.body);
        assert_eq!(verify(&both, 1_000), Err(RequestError::Forged));
        let mut later = honest;
        later.headers.signature_input = later.headers.signature_input.replace("created=1000", "created=1001");
        assert_eq!(verify(&later, 1_000), Err(RequestError::Forged));
    }

    #[test]
    fn a_digest_of_either_kind_is_read_and_every_one_that_is_there_has_to_be_right() {
        // RFC 9530 appendix B.1 has this content's sha-256; RFC 9530 section 2 shows both in one field.
        let body = b"{\"hello\": \"world\"}\n".as_slice();
        let one = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:".to_owned();
        let other = format!("sha-512=:{}:", BASE64.encode(digest(&SHA512, body)));
        let wrong = format!("sha-512=:{}:", BASE64.encode(digest(&SHA512, b"")));
        for good in [one.clone(), other.clone(), format!("{one}, {other}"), format!("md5=:AA==:,{one}")] {
            assert_eq!(digest_holds(&good, body), Ok(()), "{good}");
        }
        assert_eq!(digest_holds(&format!("{one}, {wrong}"), body), Err(RequestError::BodyChanged));
        assert_eq!(digest_holds(&other, b""), Err(RequestError::BodyChanged));
        for bad in ["", "md5=:AA==:", "sha-256"] {
            assert!(matches!(digest_holds(bad, body), Err(RequestError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn a_request_from_another_time_is_refused_on_either_side() {
        assert!(verify(&Asked::honest(), 1_300).is_ok());
        assert!(verify(&Asked::honest(), 700).is_ok());
        for now in [1_301, 699, i64::MIN, i64::MAX] {
            assert_eq!(
                verify(&Asked::honest(), now),
                Err(RequestError::OutsideWindow { created: 1_000, now })
            );
        }
    }

    #[test]
    fn a_stranger_is_told_to_pair_first() {
        let asked = Asked::honest();
        let verified = verify_request("POST", asked.target, asked.body, &asked.headers, |_| None, 1_000, 300);
        assert_eq!(verified, Err(RequestError::UnknownKey("till-1".to_owned())));
    }

    #[test]
    fn a_header_in_another_form_is_refused() {
        let good = Asked::honest().headers.signature_input;
        for input in [
            String::new(),
            "till=".to_owned(),
            good.replace("till=", "other="),
            good.replace("\"@query\" ", ""),
            good.replace("ed25519", "hmac-sha256"),
            good.replace(";created=1000", ""),
            good.replace("created=1000", "created=+1000"),
            good.replace(";created", ";created=1;created"),
            good.replace(";alg=", ";expires=1;alg="),
            good.replace("till-1", "till\\\"1"),
            good.replace("till-1", &"t".repeat(65)),
            good.clone() + &" ".repeat(600),
            good.clone() + ", other=()",
        ] {
            let mut asked = Asked::honest();
            asked.headers.signature_input.clone_from(&input);
            assert!(matches!(verify(&asked, 1_000), Err(RequestError::Malformed(_))), "{input}");
        }
        for signature in ["", "till=", "till=::", "till=:AA==:", "till=AA==", "till=:!:"] {
            let mut asked = Asked::honest();
            asked.headers.signature = signature.to_owned();
            assert!(verify(&asked, 1_000).is_err(), "{signature}");
        }
    }

    #[test]
    fn a_nonce_that_could_break_the_header_is_not_signed() {
        for nonce in ["", "a\"b", "a;b", "a\nb", "ä"] {
            let parameters = Parameters { nonce: nonce.to_owned(), ..parameters() };
            assert!(sign_request("GET", "/", b"", &parameters, &rfc_key()).is_err(), "{nonce}");
        }
    }

    #[derive(Clone, Debug)]
    struct Asked {
        method: &'static str,
        target: &'static str,
        body: &'static [u8],
        headers: Headers,
    }

    impl Asked {
        fn honest() -> Self {
            let (method, target, body) = ("POST", "/v1/records?after=3", b"{}".as_slice());
            let headers = sign_request(method, target, body, &parameters(), &rfc_key()).unwrap();
            Self { method, target, body, headers }
        }
    }

    fn parameters() -> Parameters {
        Parameters { created: 1_000, nonce: "q83vASNFZ4k".to_owned(), keyid: "till-1".to_owned() }
    }

    fn verify(asked: &Asked, now: i64) -> Result<Parameters, RequestError> {
        let key = |id: &str| (id == "till-1").then(|| rfc_key().public());
        verify_request(asked.method, asked.target, asked.body, &asked.headers, key, now, 300)
    }
}
