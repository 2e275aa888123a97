//! Stickers for desks as files: sheets of A4 or one by one, as SVG or PNG.
//!
//! A sticker's code is an address of the cloud and never a wallet's own collection code: what it opens is decided
//! when it is scanned. Not here: the drawing (`paper::stickers`), and which desks there are (`cloud`).

use super::folder;
use super::receipt::Language;
use crate::bundle::Desk;
use crate::clock::Clock;
use crate::cloud::{Admin, ShopDefaults};
use crate::paper::stickers::{self, Drawing, Sticker};
use crate::record::ids::DeskId;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  till desk-codes --dir head-office --public-base https://shop.example -o desks.svg\n  till desk-codes --dir head-office --public-base https://shop.example --size large --lang zh-Hans -o desks.png\n  till desk-codes --dir head-office --public-base https://shop.example --single -o stickers/\n\nDesks are those of head office: till cloud --dir head-office desk add table-4 \"Table 4\"\nMore desks than a sheet holds make more files: desks-1.png, desks-2.png. Print without scaling.\nExits 0 when all is written, 1 where there are no desks, 64 for wrong usage, 74 when a file cannot be written."
)]
pub(super) struct DeskCodes {
    /// Home of head office's database and keys
    #[arg(long, value_name = "DIR", default_value = "till-cloud", env = "TILL_CLOUD_DIR")]
    dir: PathBuf,
    /// What phones reach head office by, such as https://shop.example
    #[arg(long, value_name = "URL", env = "TILL_PUBLIC_BASE", value_parser = super::cloud::public_base)]
    public_base: String,
    /// These desks only; without it all
    #[arg(long = "desk", value_name = "DESK")]
    desks: Vec<DeskId>,
    /// Language of the sentence
    #[arg(long, value_enum, default_value_t = Language::Both)]
    lang: Language,
    /// How large: small is 50 by 68 mm (12 a sheet), medium 64 by 88 (9), large 94 by 132 (4)
    #[arg(long, value_enum, default_value_t = Size::Medium)]
    size: Size,
    /// One file for each desk, in a folder, instead of sheets
    #[arg(long)]
    single: bool,
    /// What to write; by default what the file's name ends in
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file (- is standard output), or with --single the folder
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Svg,
    Png,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Size {
    Small,
    Medium,
    Large,
}

pub(super) fn act(wanted: &DeskCodes) -> anyhow::Result<ExitCode> {
    if wanted.single && is_standard(&wanted.output) {
        let words = "--single writes a file for each desk: name a folder with -o";
        return Err(super::devices::Usage(words.to_owned()).into());
    }
    let Some(format) = wanted.format.or_else(|| wanted.by_name()) else {
        let _ = writeln!(
            std::io::stderr(),
            "till: {} ends in neither .svg nor .png: say which with --format",
            wanted.output.display()
        );
        return Ok(ExitCode::from(super::EX_USAGE));
    };
    let (name, desks) = read(wanted)?;
    let chosen = chosen(desks, &wanted.desks)?;
    let base = &wanted.public_base;
    let stickers: Vec<Sticker> = chosen
        .iter()
        .map(|desk| Sticker { name: desk.name.clone(), address: format!("{base}/d/{}", desk.id) })
        .collect();
    let shop = stickers::Shop {
        name,
        lang: wanted.lang.on_paper(),
        size: match wanted.size {
            Size::Small => stickers::Size::Small,
            Size::Medium => stickers::Size::Medium,
            Size::Large => stickers::Size::Large,
        },
    };
    let files = if wanted.single {
        let one = |(sticker, desk): (&Sticker, &Desk)| {
            let file = wanted.output.join(format!("{}.{}", desk.id, format.extension()));
            Ok((file, Drawing::one(sticker, &shop)?))
        };
        std::fs::create_dir_all(&wanted.output)
            .with_context(|| format!("the folder {} cannot be made", wanted.output.display()))?;
        stickers.iter().zip(&chosen).map(one).collect::<anyhow::Result<Vec<_>>>()?
    } else {
        let sheets = Drawing::sheets(&stickers, &shop)?;
        let count = sheets.len();
        sheets
            .into_iter()
            .zip(1..)
            .map(|(sheet, nth)| (numbered(&wanted.output, nth, count), sheet))
            .collect()
    };
    for (file, drawing) in &files {
        write(file, &drawn(drawing, format))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The shop's name and its desks, as head office publishes them.
fn read(wanted: &DeskCodes) -> anyhow::Result<(String, Vec<Desk>)> {
    // Opening makes what is not there; a misspelt folder must not become a new head office.
    if !wanted.dir.join("cloud.db").is_file() {
        bail!("{} is no head office: name its folder with --dir", wanted.dir.display());
    }
    let dir = folder(&wanted.dir)?;
    let clock = Clock::new();
    super::runtime()?.block_on(async {
        let admin = Admin::open(&dir, &ShopDefaults::default(), Arc::new(move || clock.unix_ms())).await?;
        Ok(admin.desks().await?)
    })
}

fn chosen(desks: Vec<Desk>, wanted: &[DeskId]) -> anyhow::Result<Vec<Desk>> {
    if desks.is_empty() {
        bail!("there are no desks: add one with till cloud desk add table-4 \"Table 4\"");
    }
    if wanted.is_empty() {
        return Ok(desks);
    }
    let find = |id: &DeskId| {
        let found = desks.iter().find(|desk| desk.id == *id).cloned();
        found.with_context(|| {
            let known: Vec<&str> = desks.iter().map(|desk| desk.id.as_str()).collect();
            format!("there is no desk {id}; there are {}", known.join(", "))
        })
    };
    wanted.iter().map(find).collect()
}

impl DeskCodes {
    /// What the file's name says of its form. A folder says nothing, and gets SVG.
    fn by_name(&self) -> Option<Format> {
        if self.single {
            return Some(Format::Svg);
        }
        let ending = self.output.extension()?.to_str()?.to_ascii_lowercase();
        [Format::Svg, Format::Png].into_iter().find(|format| format.extension() == ending)
    }
}

/// `desks.png`, or `desks-2.png` where there are several.
fn numbered(output: &Path, nth: usize, count: usize) -> PathBuf {
    if count < 2 || is_standard(output) {
        return output.to_owned();
    }
    let stem = output.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let ending =
        output.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    output.with_file_name(format!("{stem}-{nth}{ending}"))
}

fn drawn(drawing: &Drawing, format: Format) -> Vec<u8> {
    match format {
        Format::Svg => drawing.to_svg().into_bytes(),
        Format::Png => drawing.to_png(),
    }
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if is_standard(file) {
        if std::io::stdout().is_terminal() {
            bail!("a drawing is not for a terminal: name a file with -o");
        }
        let mut out = std::io::stdout().lock();
        return out.write_all(bytes).and_then(|()| out.flush()).context("standard output takes no more");
    }
    std::fs::write(file, bytes).with_context(|| format!("{} cannot be written", file.display()))?;
    super::say(&file.display().to_string());
    Ok(())
}
