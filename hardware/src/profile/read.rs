//! A profile's file: TOML, strict, every field checked, and a sentence for each mistake.
//!
//! A shop may write one for a printer that nobody knows here. What the fields mean is said at `Profile`.

use std::path::Path;

use serde::Deserialize;

use super::{
    CELL_DOTS, Charset, CodePage, Columns, Cutter, NativeBarcode, Pages, Profile, QrSupport, Raster, Replies,
};

/// The widest paper in dots. Receipt printers have 832 at most; and below 1,024 neither the two bytes of a
/// position nor those of a picture's width can be `DLE EOT` (10h, 04h).
pub const WIDTH_DOTS_MAX: u16 = 1000;
/// The narrowest line that a receipt can be laid out in.
const COLUMNS_MIN: u8 = 16;
/// The longest file. A profile is a page of text.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// The longest name, so that it can stand in an error and on a screen.
const MAX_NAME_BYTES: usize = 40;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("cannot read the printer profile {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is longer than any profile.
    #[error("{path} is longer than {MAX_FILE_BYTES} bytes, so it is no printer profile")]
    TooLong {
        /// The file.
        path: String,
    },
    /// It is not TOML, or has a field that does not exist, or lacks one.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A field makes no sense.
    #[error("{field}: {what}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong, and what to write instead.
        what: String,
    },
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Characters {
    Western,
    Gb18030,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    name: String,
    description: String,
    source: String,
    columns: u8,
    width_dots: u16,
    cell_dots: Option<u16>,
    dpi: u16,
    positioning: Columns,
    charset: Characters,
    #[serde(default)]
    code_pages: Vec<(u8, CodePage)>,
    qr: QrSupport,
    #[serde(default)]
    barcodes: Vec<NativeBarcode>,
    raster: Raster,
    #[serde(default)]
    eats_line_feed: bool,
    cutter: Cutter,
    #[serde(default)]
    drawer: bool,
    #[serde(default)]
    drawer_at_once: bool,
    #[serde(default)]
    recovers: bool,
    #[serde(default)]
    near_end_sensor: bool,
    replies: Replies,
    #[serde(default)]
    status_back: bool,
}

impl Profile {
    /// Reads a profile of a shop's own from a file.
    ///
    /// # Errors
    /// Says which file, which line or field, and what should stand there.
    pub fn read(path: &Path) -> Result<Profile, ProfileError> {
        let shown = || path.display().to_string();
        let unreadable = |source| ProfileError::Unreadable { path: shown(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
            return Err(ProfileError::TooLong { path: shown() });
        }
        Profile::parse(&std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads a profile from the text of its file.
    ///
    /// # Errors
    /// Says which line or field, and what should stand there.
    pub fn parse(text: &str) -> Result<Profile, ProfileError> {
        let file: File = toml::from_str(text)?;
        check(&file)?;
        let charset = match file.charset {
            Characters::Gb18030 => Charset::Gb18030,
            Characters::Western if file.code_pages.is_empty() => Charset::Cp437,
            Characters::Western => {
                Charset::Pages(file.code_pages.iter().map(|(_, page)| *page).collect::<Pages>())
            }
        };
        Ok(Profile {
            name: file.name,
            description: file.description,
            source: file.source,
            columns: file.columns,
            width_dots: file.width_dots,
            cell_dots: file.cell_dots.unwrap_or(CELL_DOTS),
            dpi: file.dpi,
            positioning: file.positioning,
            charset,
            code_pages: file.code_pages,
            qr: file.qr,
            barcodes: file.barcodes,
            raster: file.raster,
            eats_line_feed: file.eats_line_feed,
            cutter: file.cutter,
            drawer: file.drawer,
            drawer_at_once: file.drawer_at_once,
            recovers: file.recovers,
            near_end_sensor: file.near_end_sensor,
            replies: file.replies,
            status_back: file.status_back,
        })
    }
}

fn check(file: &File) -> Result<(), ProfileError> {
    let wrong = |field, what: String| Err(ProfileError::Field { field, what });
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if file.name.is_empty() || file.name.len() > MAX_NAME_BYTES || !file.name.bytes().all(named) {
        return wrong(
            "name",
            format!("{:?} should be 1 to {MAX_NAME_BYTES} of a to z, 0 to 9 and -", file.name),
        );
    }
    if file.source.trim().is_empty() {
        return wrong("source", "say where the facts come from: a manual, a test print".to_owned());
    }
    if !(1..=WIDTH_DOTS_MAX).contains(&file.width_dots) {
        return wrong("width-dots", format!("{} should be 1 to {WIDTH_DOTS_MAX}", file.width_dots));
    }
    let cell_dots = file.cell_dots.unwrap_or(CELL_DOTS);
    if !(CELL_DOTS..=2 * CELL_DOTS).contains(&cell_dots) {
        return wrong(
            "cell-dots",
            format!("{cell_dots} should be {CELL_DOTS} to {}, as wide as Font A", 2 * CELL_DOTS),
        );
    }
    if file.columns < COLUMNS_MIN {
        return wrong(
            "columns",
            format!("{} is too narrow for a receipt, {COLUMNS_MIN} is the least", file.columns),
        );
    }
    if u16::from(file.columns) * cell_dots > file.width_dots {
        let fit = file.width_dots / cell_dots;
        return wrong(
            "columns",
            format!(
                "{} of {cell_dots} dots are wider than {} dots; at most {fit} fit",
                file.columns, file.width_dots
            ),
        );
    }
    if !(50..=600).contains(&file.dpi) {
        return wrong("dpi", format!("{} should be 50 to 600; 180 and 203 are usual", file.dpi));
    }
    for (at, (_, page)) in file.code_pages.iter().enumerate() {
        if file.code_pages[..at].iter().any(|(_, before)| before == page) {
            return wrong("code-pages", format!("{page} is listed twice; keep the number that works"));
        }
    }
    if matches!(file.qr, QrSupport::Raster) && matches!(file.raster, Raster::None) {
        return wrong("qr", "\"raster\" needs a raster command; write \"text\", or set raster".to_owned());
    }
    if matches!(file.cutter, Cutter::TearBar { feed_lines } if feed_lines > 20) {
        return wrong("cutter", "more than 20 lines to the tear bar waste paper".to_owned());
    }
    if file.drawer_at_once && !file.drawer {
        return wrong("drawer-at-once", "a printer without a drawer opens none; set drawer".to_owned());
    }
    for (field, set) in [("drawer-at-once", file.drawer_at_once), ("recovers", file.recovers)] {
        if set && matches!(file.replies, Replies::Never) {
            return wrong(field, "it needs a printer that replies, to know when to use it".to_owned());
        }
    }
    if file.status_back && matches!(file.replies, Replies::Never) {
        return wrong(
            "status-back",
            "a printer that never replies does not tell of changes either".to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = r#"
        name = "mine"
        description = "a printer of a shop's own"
        source = "its test print"
        columns = 32
        width-dots = 384
        dpi = 203
        positioning = "by-spaces"
        charset = "western"
        code-pages = [[0, "cp437"], [16, "cp1252"]]
        qr = "raster"
        raster = "gs-v-0"
        cutter = { tear-bar = { feed-lines = 4 } }
        drawer = true
        replies = "never"
    "#;

    #[test]
    fn a_shop_can_write_a_profile_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        std::fs::write(&path, MINE).unwrap();
        let profile = Profile::read(&path).unwrap();
        assert_eq!((profile.columns, profile.cell_dots, profile.dpi), (32, 12, 203));
        assert_eq!(profile.code_pages, [(0, CodePage::Cp437), (16, CodePage::Cp1252)]);
        assert_eq!(profile.cutter, Cutter::TearBar { feed_lines: 4 });
        assert_eq!(profile.barcodes, []);
        let missing = Profile::read(&dir.path().join("none.toml")).unwrap_err().to_string();
        assert!(missing.contains("none.toml"), "{missing}");
    }

    #[test]
    fn a_mistake_in_a_profile_is_told_with_its_field() {
        for (before, after, told) in [
            ("columns = 32", "columns = 33", "at most 32 fit"),
            ("columns = 32", "columns = 3", "too narrow"),
            ("columns = 32", "colums = 32", "unknown field `colums`"),
            ("width-dots = 384", "width-dots = 1040", "1 to 1000"),
            ("dpi = 203", "dpi = 0", "180 and 203 are usual"),
            ("cp1252", "cp437", "listed twice"),
            ("cp1252", "cp1", "unknown variant `cp1`"),
            ("\"gs-v-0\"", "\"none\"", "needs a raster command"),
            ("name = \"mine\"", "name = \"My Printer\"", "a to z"),
            ("its test print", " ", "where the facts come from"),
            ("drawer = true", "status-back = true", "never replies"),
            ("drawer = true", "drawer-at-once = true", "opens none"),
            ("drawer = true", "recovers = true", "needs a printer that replies"),
            ("replies = \"never\"", "", "missing field `replies`"),
        ] {
            let text = MINE.replacen(before, after, 1);
            assert_ne!(text, MINE, "{before}");
            let error = Profile::parse(&text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
