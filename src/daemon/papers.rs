//! What the paper of each station is, and the shop's logo on it, read once.
//!
//! `check-config` refuses a logo that cannot be read. A start does not: a shop sells without its picture.

use crate::config::{self, Config, ConfigError};
use crate::paper::{self, LOGO_BYTES_MAX, Logo, Stock};
use crate::record::ids::StationId;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The paper of a station without a printer, as its pages show receipts.
const SCREEN_PROFILE: &str = "generic-80mm";

/// Reads every logo that the configuration names.
///
/// # Errors
/// [`ConfigError`] with the first that cannot be used.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let named = config.stations().filter_map(|station| station.printer.as_ref());
    named.filter(|printer| printer.logo.is_some()).try_for_each(|printer| logo(config, printer).map(drop))
}

/// The paper of each station. A logo that cannot be used is left out, and the log says why.
pub(super) fn stocks(config: &Config) -> BTreeMap<StationId, Stock> {
    let stock = |station: &config::Station| match &station.printer {
        Some(printer) => Some(stock(config, printer)),
        None => hardware::Profile::by_name(SCREEN_PROFILE).map(Stock::new),
    };
    config.stations().filter_map(|station| Some((station.id.clone(), stock(station)?))).collect()
}

fn stock(config: &Config, printer: &config::Printer) -> Stock {
    let logo = logo(config, printer).unwrap_or_else(|error| {
        tracing::warn!(%error, "Receipts are printed without the logo.");
        None
    });
    Stock {
        profile: printer.profile.0,
        lang: super::parts::lang(printer.language),
        size: match printer.size {
            config::TypeSize::Normal => paper::TypeSize::Normal,
            config::TypeSize::Large => paper::TypeSize::Large,
        },
        codes: match printer.codes {
            config::Codes::None => paper::Codes::None,
            config::Codes::Qr => paper::Codes::Qr,
            config::Codes::Bar => paper::Codes::Bar,
            config::Codes::Both => paper::Codes::Both,
        },
        logo: logo.map(Arc::new),
    }
}

fn logo(config: &Config, printer: &config::Printer) -> Result<Option<Logo>, ConfigError> {
    let Some(named) = &printer.logo else { return Ok(None) };
    let (file, at) = (config.beside(named.get_ref()), named.span().start);
    let wrong = |why: &dyn std::fmt::Display| {
        config.source.error_at(at, format!("the logo {}: {why}", file.display()))
    };
    let png = read(&file).map_err(|error| wrong(&error))?;
    Logo::read(&png, printer.profile.0).map(Some).map_err(|error| wrong(&error))
}

/// A file up to one byte more than a logo may have: a device or a film would otherwise fill the memory.
pub(crate) fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(LOGO_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"terminal = "till-1"
state_dir = "state"
[shop]
currency = "CNY"
time_zone = "Asia/Shanghai"
[[station]]
id = "front"
[station.printer]
port = "/dev/till/printer"
profile = "generic-80mm"
codes = "both"
logo = "logo.png"
[[station]]
id = "bar"
[pages]
listen = "127.0.0.1:0"
"#;

    #[test]
    fn a_logo_that_cannot_be_used_is_named_with_its_line_and_stops_no_receipt() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("till.toml");
        let config = Config::parse(&file, CONFIG).unwrap();
        let said = check(&config).unwrap_err().to_string();
        let logo = folder.path().join("logo.png");
        assert!(said.starts_with(&format!("{}:12: the logo {}: ", file.display(), logo.display())), "{said}");
        std::fs::write(&logo, "no picture").unwrap();
        assert!(check(&config).unwrap_err().to_string().contains("cannot be read as PNG"));

        let stocks = stocks(&config);
        let front = &stocks[&"front".parse().unwrap()];
        assert!(front.logo.is_none() && front.codes == paper::Codes::Both);
        assert_eq!(stocks[&"bar".parse().unwrap()].profile.name, SCREEN_PROFILE);
    }

    #[test]
    fn a_file_without_an_end_is_not_read_to_its_end() {
        assert_eq!(read(Path::new("/dev/zero")).unwrap().len(), LOGO_BYTES_MAX + 1);
    }
}
