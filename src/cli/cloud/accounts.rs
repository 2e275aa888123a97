//! The merchant's accounts that a cloud is started with: from `--wallets`, and from the options of Alipay.
//!
//! Not here: what is in the files (`wallet`), how they are read (`daemon`).

use super::Cloud;
use crate::cloud::{self, Account, AlipayFiles, Elsewhere, WALLET_TIMEOUTS, WeChatPhones};
use crate::config::{ConfigError, WalletsFile};
use crate::daemon::wallets::{self, Around};
use std::path::Path;
use std::sync::Arc;

pub(super) fn read(cloud: &Cloud, now: &cloud::Clock) -> anyhow::Result<Vec<Account>> {
    let mut accounts = match &cloud.wallets {
        Some(file) => of_file(file, now)?,
        None => vec![],
    };
    let options = (&cloud.alipay_gateway, &cloud.alipay_app, &cloud.alipay_app_key, &cloud.alipay_key);
    if let (Some(gateway), Some(app), Some(app_key), Some(key)) = options {
        let files = AlipayFiles {
            gateway: gateway.clone(),
            app_id: app.clone(),
            merchant_key: app_key.clone(),
            gateway_key: key.clone(),
        };
        accounts.push(files.read(now)?);
    }
    Ok(accounts)
}

fn of_file(file: &Path, now: &cloud::Clock) -> Result<Vec<Account>, ConfigError> {
    let WalletsFile { source, wallet } = WalletsFile::read(file)?;
    let around = Around { timeouts: WALLET_TIMEOUTS, now: Arc::clone(now) };
    let mut accounts = vec![];
    if let Some(settings) = &wallet.alipay {
        let seller_id = settings.get_ref().seller_id.clone();
        accounts.push(Account::Alipay { wallet: wallets::alipay(&source, settings, &around)?, seller_id });
    }
    if let Some(settings) = &wallet.wechat {
        let api_v3_key = wallets::api_v3_key(&source, settings)?;
        let phones = WeChatPhones {
            inside: wallets::openids(&source, settings, &around)?,
            elsewhere: if settings.get_ref().h5 { Elsewhere::H5 } else { Elsewhere::No },
        };
        let wallet = wallets::wechat(&source, settings, &around)?;
        accounts.push(Account::WeChat { wallet, api_v3_key, phones });
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let keys: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/alipay_keys.json")).unwrap();
        let key = |owner: &str, form: &str| keys[owner][form].as_str().unwrap().to_owned();
        for (name, content) in [
            ("merchant.pem", key("merchant", "pkcs8_der")),
            ("gateway.pub", key("gateway", "spki_der")),
            ("apiv3.key", "0123456789abcdef0123456789abcdef\n".to_owned()),
            ("wallets.toml", text.to_owned()),
        ] {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let read = of_file(&folder.path().join("wallets.toml"), &(Arc::new(|| 0_i64) as cloud::Clock));
        let place = format!("{}/", folder.path().display());
        read.map(|accounts| accounts.len()).map_err(|error| error.to_string().replace(&place, ""))
    }

    const ALIPAY: &str = "[wallet.alipay]\ngateway = \"http://127.0.0.1:1/gateway.do\"\n\
        app_id = \"2021000000000001\"\napp_key = \"merchant.pem\"\nalipay_key = \"gateway.pub\"\n\
        seller_id = \"2088000000000001\"\n";
    const WECHAT: &str = "[wallet.wechat]\ngateway = \"http://127.0.0.1:1\"\napp_id = \"wxd678efh567hg6787\"\n\
        merchant_id = \"1900009191\"\nmerchant_key = \"merchant.pem\"\nmerchant_serial = \"1DDE\"\n\
        wechat_key = \"gateway.pub\"\nwechat_key_id = \"PUB_KEY_ID_1\"\n";

    #[test]
    fn a_file_of_accounts_says_what_is_wrong_and_where() {
        assert_eq!(told(ALIPAY), Ok(1));
        assert_eq!(told(&format!("{ALIPAY}{WECHAT}api_v3_key = \"apiv3.key\"\n")), Ok(2));
        assert_eq!(told(&format!("{WECHAT}app_secret = \"apiv3.key\"\nh5 = true\n")), Ok(1));
        for (text, words) in [
            (
                format!("{WECHAT}app_secret = \"merchant.pem\"\n"),
                "wallets.toml:9: merchant.pem: an official account's secret is one line",
            ),
            (String::new(), "wallets.toml:1: missing field `wallet`"),
            ("[wallet]\n".to_owned(), "wallets.toml: there is no [wallet.alipay] and no [wallet.wechat]"),
            (format!("{ALIPAY}terminal = 1\n"), "wallets.toml:7: unknown field `terminal`"),
            (
                format!("{WECHAT}api_v3_key = \"gateway.pub\"\n"),
                "wallets.toml:9: gateway.pub: an APIv3 key has",
            ),
            (format!("{WECHAT}api_v3_key = \"gone\"\n"), "wallets.toml:9: the key gone cannot be read"),
        ] {
            let found = told(&text).unwrap_err();
            assert!(found.starts_with(words), "{found:?} should begin with {words:?}");
        }
    }
}
