//! How Alipay and the app know each other's keys: by public keys, or by certificates.
//!
//! With certificates a request names the app's certificate and the roots it was issued under, and an answer names
//! the certificate it is signed with. Source: Alipay open platform, "certificate mode", `app_cert_sn`,
//! `alipay_root_cert_sn`, `alipay_cert_sn`.
//!
//! Not here: numbers of certificates (`wallet::certificate`), downloading a new one
//! (alipay.open.app.alipaycert.download): an answer under an unknown certificate is asked for again.

use crate::wallet::certificate::{Certificate, Holder, alipay_root_number};
use crate::wallet::signing::{KeyError, SigningKey, VerifyingKey};
use std::collections::BTreeMap;

/// Whose signature counts as Alipay's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Alipay's public key for this application; not the application's own.
    PublicKey(VerifyingKey),
    /// Certificates on both sides.
    Certificates(Certificates),
}

impl From<VerifyingKey> for Trust {
    fn from(key: VerifyingKey) -> Self {
        Self::PublicKey(key)
    }
}

impl From<Certificates> for Trust {
    fn from(certificates: Certificates) -> Self {
        Self::Certificates(certificates)
    }
}

/// The certificates of an application and of Alipay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificates {
    app_number: String,
    app_public: VerifyingKey,
    root_number: String,
    /// By `alipay_cert_sn`.
    keys: BTreeMap<String, VerifyingKey>,
}

/// What is wrong with one of the three files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CertificatesError {
    /// `appCertPublicKey_*.crt`.
    #[error("the app's certificate: {0}")]
    App(#[source] KeyError),
    /// `alipayRootCert.crt`.
    #[error("the root certificates: {0}")]
    Roots(#[source] KeyError),
    /// Another bundle than Alipay's.
    #[error("the root certificates: none of them is signed with RSA; download alipayRootCert.crt again")]
    NoRsaRoot,
    /// `alipayCertPublicKey_RSA2.crt`.
    #[error("Alipay's certificate: {0}")]
    Alipay(#[source] KeyError),
}

impl Certificates {
    /// Reads the PEM files that the console hands out: the app's certificate, the roots, and Alipay's, which may
    /// be several while one replaces another. The authorities in the last one sign no answers.
    ///
    /// # Errors
    /// [`CertificatesError`], which says which file is wrong and why.
    pub fn read(app: &str, roots: &str, alipay: &str) -> Result<Self, CertificatesError> {
        let app = Certificate::read(app).map_err(CertificatesError::App)?;
        let roots = Certificate::read_all(roots).map_err(CertificatesError::Roots)?;
        let all = Certificate::read_all(alipay).map_err(CertificatesError::Alipay)?;
        let signers: Vec<&Certificate> = all.iter().filter(|one| one.holder() == Holder::Signer).collect();
        let counted = if signers.is_empty() { all.iter().take(1).collect() } else { signers };
        let mut keys = BTreeMap::new();
        for certificate in counted {
            let key = certificate.verifying_key().map_err(CertificatesError::Alipay)?;
            keys.insert(certificate.alipay_number(), key);
        }
        Ok(Self {
            app_number: app.alipay_number(),
            app_public: app.verifying_key().map_err(CertificatesError::App)?,
            root_number: alipay_root_number(&roots).ok_or(CertificatesError::NoRsaRoot)?,
            keys,
        })
    }

    /// Whether the app's certificate is that of a private key.
    pub(super) fn belong_to(&self, key: &SigningKey) -> bool {
        self.app_public == key.verifying_key()
    }
}

/// Why there is no key to verify with.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoKey {
    /// It names none.
    #[error("it does not say which certificate it is signed with")]
    Unnamed,
    /// A new one of Alipay's, or a stranger's.
    #[error("it is signed with the certificate {0}, which is not configured: download Alipay's again")]
    Unknown(String),
}

impl Trust {
    /// The key that something is said to be signed with; `number` is its `alipay_cert_sn`.
    pub(super) fn key(&self, number: Option<&str>) -> Result<&VerifyingKey, NoKey> {
        match self {
            Self::PublicKey(key) => Ok(key),
            Self::Certificates(certificates) => {
                let number = number.filter(|number| !number.is_empty()).ok_or(NoKey::Unnamed)?;
                let unknown = || NoKey::Unknown(super::response::clipped(number));
                certificates.keys.get(number).ok_or_else(unknown)
            }
        }
    }

    /// Whether the application's own key stands where Alipay's belongs.
    pub(super) fn contains(&self, own: &VerifyingKey) -> bool {
        match self {
            Self::PublicKey(key) => key == own,
            Self::Certificates(certificates) => certificates.keys.values().any(|key| key == own),
        }
    }

    /// `app_cert_sn` and `alipay_root_cert_sn` of a request; blank without certificates, and so not sent.
    pub(super) fn numbers(&self) -> (&str, &str) {
        match self {
            Self::PublicKey(_) => ("", ""),
            Self::Certificates(certificates) => (&certificates.app_number, &certificates.root_number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOTS: &str = include_str!("../../../tests/data/alipay_root_bundle.pem");

    fn made(owner: &str, what: &str) -> String {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/wallet_certificates.json")).unwrap();
        file[owner][what].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_request_names_the_apps_certificate_and_the_roots() {
        let certificates =
            Certificates::read(&made("app", "pem"), ROOTS, &(made("alipay", "pem") + &made("ca", "pem")))
                .unwrap();
        assert_eq!(certificates.keys.len(), 1, "an authority signs no answers");
        let trust = Trust::from(certificates);
        let app = made("app", "md5_of_issuer_and_serial");
        let roots = "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6";
        assert_eq!(trust.numbers(), (app.as_str(), roots));
        assert!(trust.key(Some(&made("alipay", "md5_of_issuer_and_serial"))).is_ok());
        assert_eq!(trust.key(Some(&app)).unwrap_err(), NoKey::Unknown(app));
        assert_eq!(trust.key(Some("")).unwrap_err(), NoKey::Unnamed);
        assert_eq!(trust.key(None).unwrap_err(), NoKey::Unnamed);
    }

    #[test]
    fn the_wrong_file_is_named() {
        let (app, alipay) = (made("app", "pem"), made("alipay", "pem"));
        let sm2 = &ROOTS[..ROOTS.find("-----END").unwrap() + 26];
        for (app, roots, alipay, told) in [
            ("", ROOTS, alipay.as_str(), CertificatesError::App(KeyError::NotACertificate)),
            (app.as_str(), "", &alipay, CertificatesError::Roots(KeyError::NotACertificate)),
            (&app, sm2, &alipay, CertificatesError::NoRsaRoot),
            (&app, ROOTS, "", CertificatesError::Alipay(KeyError::NotACertificate)),
            (sm2, ROOTS, &alipay, CertificatesError::App(KeyError::NotRsa)),
        ] {
            assert_eq!(Certificates::read(app, roots, alipay).unwrap_err(), told);
        }
    }
}
