//! Wallets of a configuration file: every key right, and each wrong one named with its line.
//!
//! Not here: calling them.

use super::*;

const HEAD: &str = r#"terminal = "till-1"
state_dir = "state"
[shop]
currency = "CNY"
time_zone = "Asia/Shanghai"
[[station]]
id = "front"
[pages]
listen = "127.0.0.1:8040"
"#;

const ALIPAY: &str = r#"[wallet.alipay]
gateway = "http://127.0.0.1:1/gateway.do"
app_id = "2021000000000001"
app_key = "merchant.pem"
"#;

const WECHAT: &str = r#"[wallet.wechat]
gateway = "http://127.0.0.1:1"
app_id = "wxd678efh567hg6787"
merchant_id = "1900009191"
merchant_key = "merchant.pem"
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let keys = file(include_str!("../../../tests/data/alipay_keys.json"));
    let made = file(include_str!("../../../tests/data/wallet_certificates.json"));
    let pem = |owner: &str| made[owner]["pem"].as_str().unwrap().to_owned();
    for (name, text) in [
        ("merchant.pem", keys["merchant"]["pkcs8_der"].as_str().unwrap().to_owned()),
        ("gateway.pub", keys["gateway"]["spki_der"].as_str().unwrap().to_owned()),
        ("merchant.pub", keys["merchant"]["spki_der"].as_str().unwrap().to_owned()),
        ("app.crt", pem("app")),
        ("alipay.crt", pem("alipay")),
        ("merchant.crt", pem("wechat_merchant")),
        ("platform.crt", pem("wechat_platform")),
        ("root.crt", include_str!("../../../tests/data/alipay_root_bundle.pem").to_owned()),
        ("broken.pem", "not a key".to_owned()),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn wallets(rest: &str) -> Result<Vec<ProviderName>, String> {
    let folder = folder();
    let parsed = Config::parse(&folder.path().join("till.toml"), &format!("{HEAD}{rest}"));
    let read = parsed.and_then(|config| super::read(&config));
    let place = folder.path().display().to_string();
    read.map(|wallets| wallets.into_keys().collect()).map_err(|error| error.to_string().replace(&place, ""))
}

#[test]
fn both_wallets_are_read_in_every_mode() {
    let alipay = format!("{ALIPAY}alipay_key = \"gateway.pub\"\n");
    assert_eq!(wallets(&alipay), Ok(vec![ProviderName::Alipay]));
    let certificates =
        "app_cert = \"app.crt\"\nalipay_root_cert = \"root.crt\"\nalipay_cert = \"alipay.crt\"\n";
    assert_eq!(wallets(&format!("{ALIPAY}{certificates}")), Ok(vec![ProviderName::Alipay]));
    let public_key =
        "merchant_serial = \"1DDE\"\nwechat_key = \"gateway.pub\"\nwechat_key_id = \"PUB_KEY_ID_1\"\n";
    let both = wallets(&format!("{alipay}{WECHAT}{public_key}"));
    assert_eq!(both, Ok(vec![ProviderName::Alipay, ProviderName::Wechat]));
    let certificates =
        "merchant_cert = \"merchant.crt\"\nwechat_certs = \"platform.crt\"\ndevice_ip = \"192.0.2.7\"\n";
    assert_eq!(wallets(&format!("{WECHAT}{certificates}")), Ok(vec![ProviderName::Wechat]));
}

#[test]
fn each_mistake_names_its_line_and_what_to_do() {
    let certificates = |app: &str| {
        format!(
            "{ALIPAY}app_cert = \"{app}\"\nalipay_root_cert = \"root.crt\"\nalipay_cert = \"alipay.crt\"\n"
        )
    };
    let platform = |serial: &str| format!("{WECHAT}{serial}\nwechat_certs = \"platform.crt\"\n");
    for (rest, told) in [
        (ALIPAY.to_owned(), "/till.toml:10: [wallet.alipay] needs either alipay_key, or all of"),
        (format!("{ALIPAY}alipay_key = \"gone.pub\"\n"), "/till.toml:14: the key /gone.pub cannot be read"),
        (format!("{ALIPAY}alipay_key = \"broken.pem\"\n"), "/till.toml:14: broken.pem: this is not a key"),
        (
            format!("{ALIPAY}alipay_key = \"merchant.pem\"\n"),
            "/till.toml:14: merchant.pem: this is a private key",
        ),
        (
            format!("{ALIPAY}alipay_key = \"merchant.pub\"\n"),
            "/till.toml:10: [wallet.alipay]: the Alipay public key is",
        ),
        (certificates("alipay.crt"), "/till.toml:10: [wallet.alipay]: the app's certificate is not that of"),
        (certificates("root.crt"), "/till.toml:14: the app's certificate: this is not a complete RSA key"),
        (platform(""), "/till.toml:10: [wallet.wechat] needs either merchant_serial or merchant_cert"),
        (
            platform("merchant_cert = \"platform.crt\""),
            "/till.toml:15: the merchant's certificate is not that of",
        ),
        (platform("merchant_serial = \"xyz\""), "/till.toml:10: [wallet.wechat]: the serial number"),
        (
            format!("{WECHAT}merchant_serial = \"1D\"\n"),
            "/till.toml:10: [wallet.wechat] needs wechat_key with",
        ),
        (
            format!("{WECHAT}merchant_serial = \"1D\"\nwechat_key = \"gateway.pub\"\n"),
            "/till.toml:10: [wallet.wechat] wechat_key and wechat_key_id belong together",
        ),
        (
            format!(
                "{WECHAT}merchant_serial = \"1D\"\nwechat_key = \"gateway.pub\"\nwechat_key_id = \"1\"\n"
            ),
            "/till.toml:16: the id of WeChat Pay's public key begins with",
        ),
    ] {
        let found = wallets(&rest).unwrap_err();
        assert!(found.starts_with(told), "{found:?} should begin with {told:?}");
    }
}
