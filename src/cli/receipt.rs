//! Receipts as bytes, text and pictures, without a till: for trying a printer's profile, for e-mail, for other programs.
//!
//! Two forms of JSON are read and told apart by their keys: a slip, as `till receipt sample` prints it, and a receipt
//! of Till as it serialises. Not here: the layout (`paper`), and the bytes (`hardware`).

use crate::paper::{self, Codes, Form, Lang, Logo, Slip, TypeSize};
use crate::receipt::Receipt;
use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use hardware::document::{Document, Item};
use hardware::profile::{Charset, Profile};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The largest receipt that is read: some ten thousand lines. A larger file is another file.
const INPUT_MAX_BYTES: u64 = 1024 * 1024;

#[derive(Subcommand)]
pub(super) enum Paper {
    /// Lay a receipt out and write it as printer bytes, plain text or a picture
    #[command(
        after_help = "Examples:\n  till receipt render sale.json --profile epson-tm-t88 --format escpos -o receipt.bin\n  till receipt sample | till receipt render - --profile chinese-58mm --format text --lang both\n  till receipt render sale.json --profile generic-80mm --format png --large -o receipt.png\n\nsale.json has the form that `till receipt sample` prints, or is a receipt of Till."
    )]
    Render {
        /// The receipt as JSON; - is standard input
        #[arg(value_name = "SALE.json")]
        sale: PathBuf,
        #[command(flatten)]
        output: Output,
        /// What to write; by default what the file's name ends in (.png, .txt, .bin), else text
        #[arg(long, value_enum)]
        format: Option<Format>,
    },
    /// Print the sample receipt as JSON, or render it
    #[command(
        after_help = "Examples:\n  till receipt sample > sale.json\n  till receipt sample --format png --profile chinese-58mm --lang both --large -o receipt.png"
    )]
    Sample {
        #[command(flatten)]
        output: Output,
        /// Render it so instead of printing its JSON; by default what the file's name ends in (.png, .txt, .bin)
        #[arg(long, value_enum)]
        format: Option<Format>,
    },
}

#[derive(Args)]
pub(super) struct Output {
    /// The printer's profile, or a file of your own that ends in .toml: it has the paper's width and the commands
    #[arg(long, value_name = "NAME", default_value = "epson-tm-t88", value_parser = profile)]
    profile: &'static Profile,
    /// Language of the words that are not names: zh-Hans, en or both
    #[arg(long, value_enum, default_value_t = Language::En)]
    lang: Language,
    /// Large type
    #[arg(long)]
    large: bool,
    /// A PNG for the top of the paper
    #[arg(long, value_name = "FILE.png")]
    logo: Option<PathBuf>,
    /// Codes at the foot of a receipt of Till: the signed square one, a bar code of its number, both or none
    #[arg(long, value_enum, default_value_t = CodeChoice::Qr)]
    codes: CodeChoice,
    /// Where to write it; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

impl Output {
    /// What the file's name says of its form.
    fn by_name(&self) -> Option<Format> {
        match self.output.extension()?.to_str()? {
            "png" => Some(Format::Png),
            "txt" => Some(Format::Text),
            "bin" => Some(Format::Escpos),
            _ => None,
        }
    }
}

/// What a receipt becomes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Bytes for the printer
    Escpos,
    /// Text as wide as the paper
    Text,
    /// A picture of the paper
    Png,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    #[value(name = "zh-Hans")]
    Chinese,
    #[value(name = "en")]
    En,
    #[value(name = "both")]
    Both,
}

impl Language {
    pub(super) fn on_paper(self) -> Lang {
        match self {
            Self::Chinese => Lang::ZhHans,
            Self::En => Lang::En,
            Self::Both => Lang::Both,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CodeChoice {
    None,
    Qr,
    Bar,
    Both,
}

/// A logo for this printer's paper.
fn logo(file: &Path, profile: &Profile) -> anyhow::Result<Logo> {
    let png = crate::daemon::read_logo(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Logo::read(&png, profile).with_context(|| format!("{} cannot be printed", file.display()))
}

/// A printer's profile by its name, or from a file of the shop's own.
pub(super) fn profile(name: &str) -> Result<&'static Profile, String> {
    if Path::new(name).extension().is_some_and(|ending| ending == "toml") {
        let own = Profile::read(Path::new(name)).map_err(|error| error.to_string())?;
        // One for the life of the program, as those that are built in.
        return Ok(Box::leak(Box::new(own)));
    }
    let known = || Profile::list().iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>().join(", ");
    Profile::by_name(name).ok_or_else(|| {
        format!("there is no printer profile {name:?}: name a file of your own (.toml) or one of {}", known())
    })
}

pub(super) fn act(paper: &Paper) -> anyhow::Result<ExitCode> {
    match paper {
        Paper::Render { sale, output, format } => {
            let text = read(sale)?;
            let receipt = Kind::parse(&text).map_err(|why| anyhow::anyhow!("{}: {why}", called(sale)))?;
            render(&receipt, output, format.or(output.by_name()).unwrap_or(Format::Text))
        }
        Paper::Sample { output, format } => match format.or(output.by_name()) {
            None => write(output, Slip::sample().as_bytes()),
            Some(format) => {
                let receipt =
                    Kind::parse(Slip::sample()).map_err(|why| anyhow::anyhow!("the sample: {why}"))?;
                render(&receipt, output, format)
            }
        },
    }
}

/// A receipt in either form.
enum Kind {
    Slip(Slip),
    Till(Box<Receipt>),
}

impl Kind {
    /// Reads either form; an error says where.
    fn parse(text: &str) -> Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))?;
        let has = |key: &str| value.get(key).is_some();
        if has("terminal") || has("lines") {
            let receipt = serde_json::from_str(text);
            return receipt.map(|receipt| Self::Till(Box::new(receipt))).map_err(|error| error.to_string());
        }
        if value.is_object() && !["title", "head", "items", "totals", "foot", "qr"].into_iter().any(has) {
            return Err("this is no receipt: `till receipt sample` prints one to begin with".to_owned());
        }
        Slip::read(&value).map(Self::Slip).map_err(|error| error.to_string())
    }

    fn layout(&self, form: Form) -> Document {
        match self {
            Self::Slip(slip) => slip.layout(form),
            Self::Till(receipt) => paper::layout(receipt, form),
        }
    }
}

fn render(receipt: &Kind, output: &Output, format: Format) -> anyhow::Result<ExitCode> {
    let size = if output.large { TypeSize::Large } else { TypeSize::Normal };
    let codes = match output.codes {
        CodeChoice::None => Codes::None,
        CodeChoice::Qr => Codes::Qr,
        CodeChoice::Bar => Codes::Bar,
        CodeChoice::Both => Codes::Both,
    };
    let lang = printable(output.lang.on_paper(), output.profile);
    let form = Form { lang, size, columns: output.profile.columns, codes };
    let logo = output.logo.as_deref().map(|file| logo(file, output.profile)).transpose()?;
    let laid_out = |form| {
        let mut document = receipt.layout(form);
        if let Some(logo) = &logo {
            logo.head(&mut document);
        }
        document
    };
    let bytes = match format {
        Format::Escpos => {
            let document = without_drawer_where_none(laid_out(form), output.profile);
            hardware::printer::escpos::encode(&document, output.profile)?
        }
        Format::Text => paper::text(&laid_out(form), form.columns).into_bytes(),
        Format::Png => paper::png(&laid_out(form), output.profile, lang),
    };
    if format != Format::Text && is_standard(&output.output) && std::io::stdout().is_terminal() {
        anyhow::bail!("these bytes are not for a terminal: name a file with -o");
    }
    write(output, &bytes)
}

/// What a printer can print of a language, as the till does it: one without Chinese prints English.
fn printable(lang: Lang, profile: &Profile) -> Lang {
    if lang != Lang::En && profile.charset != Charset::Gb18030 {
        note(&format!("{} has no Chinese characters, so its receipt is in English.", profile.name));
        return Lang::En;
    }
    lang
}

fn without_drawer_where_none(mut document: Document, profile: &Profile) -> Document {
    let before = document.items.len();
    document.items.retain(|item| profile.drawer || !matches!(item, Item::Drawer(_)));
    if document.items.len() < before {
        note(&format!("{} has no drawer connector, so no drawer is opened.", profile.name));
    }
    document
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

fn called(path: &Path) -> String {
    if is_standard(path) { "standard input".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut read = |from: &mut dyn Read| from.take(INPUT_MAX_BYTES + 1).read_to_string(&mut text);
    let done = if is_standard(path) {
        read(&mut std::io::stdin().lock())
    } else {
        std::fs::File::open(path).and_then(|mut file| read(&mut file))
    };
    done.with_context(|| format!("{} cannot be read", called(path)))?;
    if text.len() as u64 > INPUT_MAX_BYTES {
        anyhow::bail!("{} is larger than a receipt can be (1 MiB)", called(path));
    }
    // Some editors begin a text file with a byte order mark.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn write(output: &Output, bytes: &[u8]) -> anyhow::Result<ExitCode> {
    if is_standard(&output.output) {
        super::put(bytes)
    } else {
        std::fs::write(&output.output, bytes)
            .with_context(|| format!("{} cannot be written", output.output.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Says something beside the output.
fn note(words: &str) {
    let _ = writeln!(std::io::stderr(), "till: {words}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        Kind::parse(text).err().unwrap()
    }

    #[test]
    fn the_forms_are_told_apart_by_their_keys() {
        assert!(matches!(Kind::parse(Slip::sample()), Ok(Kind::Slip(_))));
        let kept = include_str!("../../tests/data/receipts/kept.json");
        assert!(matches!(Kind::parse(kept), Ok(Kind::Till(_))));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_place() {
        assert_eq!(wrong("{\n\"items\": [[}"), "this is not JSON: expected value at line 2 column 12");
        assert!(wrong("{\"a\": 1}").starts_with("this is no receipt: `till receipt sample`"));
        assert!(wrong("[]").starts_with("the receipt: write an object"));
        assert!(wrong("{\"terminal\": \"till-1\"}").starts_with("missing field `shop` at line 1"));
        let misspelt = Slip::sample().replace("\"foot\"", "\"food\"");
        assert!(wrong(&misspelt).starts_with("the receipt: \"food\" is no key of it"));
    }

    #[test]
    fn the_sample_is_as_short_as_the_measured_receipt_and_large_type_needs_a_little_more() {
        let bytes = |size| {
            let profile = profile("epson-tm-t88").unwrap();
            let form = Form { lang: Lang::En, size, columns: profile.columns, codes: Codes::Qr };
            let document = Kind::parse(Slip::sample()).unwrap().layout(form);
            hardware::printer::escpos::encode(&document, profile).unwrap().len()
        };
        assert_eq!(bytes(TypeSize::Normal), 372);
        assert!(bytes(TypeSize::Large) < 700, "{}", bytes(TypeSize::Large));
    }

    #[test]
    fn an_unknown_profile_lists_those_there_are() {
        assert!(profile("epson").unwrap_err().contains("one of epson-tm-t88, "));
    }
}
