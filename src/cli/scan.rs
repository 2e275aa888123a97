//! `till scan decode`: what each line of standard input is as a scan, one JSON object a line.
//!
//! Not here: what a scan is (`scan`), and reading a scanner's port (`devices`).

use crate::clock::Clock;
use crate::scan::SCAN_MAX_BYTES;
use crate::scan::label::LabelProfile;
use crate::scan::report::{Awaiting, Report};
use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use hardware::scanner::{AimPrefix, ScannerProfile};
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// The longest line that is kept: every byte of the longest scan written as `\xNN`, with room to see that there
/// was more.
const LINE_BYTES_MAX: u64 = 4 * (SCAN_MAX_BYTES as u64 + 64);

#[derive(Subcommand)]
pub(super) enum Scan {
    /// Say what each line of standard input is, as one JSON object a line
    #[command(after_help = AFTER_HELP)]
    Decode(Decode),
}

const AFTER_HELP: &str = r#"A line is one scan. \xNN stands for the byte with that hexadecimal number (\x1d is GS, the
separator of GS1 codes) and \\ for a backslash; any other backslash is itself. Answers follow line by
line.

Examples:
  echo 4006381333931 | till scan decode
  echo ']C1010950600013435210ABC\x1d21SER7' | till scan decode --aim
  echo 2110001005008 | till scan decode --profile kg13
  echo 261000101250006257 | till scan decode --state tender
  echo ']C1010950600013435210ABC|21SER7' | till scan decode --profile my-scanner.toml

kind is one of item, weighed, coupon, member, voucher, proof, order, receipt, pay_code, emv, desk,
text, error. Digits that may be a label of a scale as well as a pay code are weighed goods in the
state sale, and an error that asks in the state tender.

Label profiles, of which the first two are tried in this order when none is named:
  cn13-price, cn18, cn18-left, kg13, kg7-5, price4-verified, price5-verified, upc-price,
  none for no labels, or a form such as 21.....{NNDDD}

A scanner's profile is a profile, too: a line is then read as that scanner sends it, with or without
its AIM identifier and with its own bytes for GS:
  generic, generic-marked, generic-silent, honeywell, metrologic, zebra, datalogic, newland,
  cipherlab, or a file of your own that ends in .toml"#;

#[derive(Args)]
pub(super) struct Decode {
    /// Lines begin with an AIM identifier such as ]E0; without this a ] belongs to the data
    #[arg(long)]
    aim: bool,
    /// Read in-store labels by this profile, and lines as this scanner sends them; may be given more than once, and
    /// the first label that fits counts
    #[arg(long, value_name = "P")]
    profile: Vec<String>,
    /// What the sale in front waits for
    #[arg(long, value_enum, default_value_t = State::Sale)]
    state: State,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    /// Goods: the basket is open
    Sale,
    /// Money: Pay was pressed
    Tender,
}

/// A line, as far as it is kept.
enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// By what lines are read.
#[derive(Debug, PartialEq)]
struct Reading {
    labels: Vec<LabelProfile>,
    scanner: ScannerProfile,
}

pub(super) fn act(scan: &Scan) -> anyhow::Result<ExitCode> {
    match scan {
        Scan::Decode(decode) => match reading(decode) {
            Ok(by) => decode_lines(decode, &by, &mut io::stdin().lock(), &mut io::stdout().lock()),
            Err(why) => {
                let _ = writeln!(io::stderr(), "till: {why}");
                Ok(ExitCode::from(super::EX_USAGE))
            }
        },
    }
}

/// What the profiles on the command line come to.
fn reading(decode: &Decode) -> Result<Reading, String> {
    let (mut labels, mut scanner) = (Vec::new(), None);
    for name in &decode.profile {
        let before = scanner.is_some();
        if let Some(known) = ScannerProfile::by_name(name) {
            scanner = Some(known.clone());
        } else if name.ends_with(".toml") {
            scanner = Some(ScannerProfile::read(Path::new(name)).map_err(|error| chain(&error))?);
        } else {
            labels.push(name.clone());
            continue;
        }
        if before {
            return Err(format!("{name} is a second scanner, and one reads: name one of them"));
        }
    }
    let mut scanner = scanner.unwrap_or_else(ScannerProfile::generic);
    if decode.aim {
        scanner.aim = AimPrefix::Sent;
    }
    Ok(Reading { labels: profiles(&labels).map_err(|why| or_scanners(&why))?, scanner })
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

pub(super) fn profiles(names: &[String]) -> Result<Vec<LabelProfile>, String> {
    if names.is_empty() {
        return Ok(LabelProfile::usual());
    }
    let named = names.iter().filter(|name| *name != "none");
    named.map(|name| LabelProfile::named(name).map_err(|error| help(&error.to_string()))).collect()
}

fn help(why: &str) -> String {
    let names: Vec<_> = LabelProfile::all().into_iter().map(|profile| profile.name).collect();
    format!("{why}. Profiles: {}, none, or a form such as 21.....{{NNDDD}}", names.join(", "))
}

/// The scanners that may be named as well.
fn or_scanners(why: &str) -> String {
    let names: Vec<_> = ScannerProfile::list().iter().map(|profile| profile.name.as_str()).collect();
    format!("{why}; or a scanner's: {}, or a file that ends in .toml", names.join(", "))
}

fn decode_lines(
    decode: &Decode,
    by: &Reading,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let awaiting = match decode.state {
        State::Sale => Awaiting::Goods,
        State::Tender => Awaiting::Money,
    };
    let today = today();
    while let Some(line) = next_line(input).context("standard input cannot be read")? {
        let scan = match line {
            Line::Whole(line) => unescaped(&line),
            // Longer than any scan, which is what it is then told.
            Line::TooLong => vec![b' '; SCAN_MAX_BYTES + 1],
        };
        let scan = by.scanner.scan_of(&scan);
        let aim = scan.aim.map(|aim| [aim.code, aim.modifier]);
        let aim = aim.as_ref().map(<[u8; 2]>::as_slice);
        let report = Report::of(&scan.data, aim, &by.labels, awaiting, today);
        let mut text = serde_json::to_string(&report)?;
        text.push('\n');
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            // Whoever read this has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            written => written.context("standard output cannot be written")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The calendar's date at Greenwich: it chooses the century of two-digit years.
fn today() -> jiff::civil::Date {
    let now =
        jiff::Timestamp::from_millisecond(Clock::new().unix_ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The next line without its end, or none at the end of the input. What is beyond the limit is read and dropped.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        return Ok(Some(Line::Whole(line)));
    }
    if u64::try_from(line.len()).is_ok_and(|length| length < LINE_BYTES_MAX) {
        return Ok(Some(Line::Whole(line)));
    }
    input.skip_until(b'\n')?;
    Ok(Some(Line::TooLong))
}

/// Undoes `\xNN` and `\\`. Any other backslash is one.
fn unescaped(line: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.strip_prefix(b"x").and_then(|digits| digits.get(..2)).filter(|_| *first == b'\\');
        let code = code.filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let code = code.and_then(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok());
        let (byte, taken) = match (first, code, tail.first()) {
            (_, Some(code), _) => (code, 3),
            (b'\\', None, Some(b'\\')) => (b'\\', 1),
            _ => (*first, 0),
        };
        bytes.push(byte);
        rest = &tail[taken..];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn decode(profile: &[&str], aim: bool) -> Decode {
        Decode { aim, profile: profile.iter().map(|name| (*name).to_owned()).collect(), state: State::Sale }
    }

    fn answers(aim: bool, input: &[u8]) -> Vec<Value> {
        by_profile(&[], aim, input)
    }

    fn by_profile(profile: &[&str], aim: bool, input: &[u8]) -> Vec<Value> {
        let decode = decode(profile, aim);
        let mut output = Vec::new();
        decode_lines(&decode, &reading(&decode).unwrap(), &mut &*input, &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn kinds(aim: bool, input: &[u8]) -> Vec<String> {
        answers(aim, input).iter().map(|answer| answer["kind"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_line_has_one_answer() {
        let input = b"]E04006381333931\r\n\n\xff\xfe\n]C10109506000134352\n4006381333931\n]Q1no end";
        assert_eq!(kinds(true, input), ["item", "error", "error", "item", "item", "text"]);
        assert!(kinds(true, b"").is_empty());
        assert_eq!(kinds(false, b"]E04006381333931\n"), ["text"]);
    }

    /// Options, a line, and what the answer must hold.
    const SCANS: &str = include_str!("../../tests/data/scans.tsv");

    #[test]
    fn every_line_of_the_table_is_answered_as_it_says() {
        let rows: Vec<&str> = SCANS.lines().filter(|row| !row.starts_with('#')).collect();
        assert!(rows.len() > 190, "{} rows", rows.len());
        for row in rows {
            let [options, line, expected] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let mut decode = decode(&[], false);
            let mut options = options.split_whitespace();
            while let Some(option) = options.next() {
                match option {
                    "--aim" => decode.aim = true,
                    "--profile" => decode.profile.push(options.next().unwrap().to_owned()),
                    "--state" => decode.state = State::from_str(options.next().unwrap(), false).unwrap(),
                    other => panic!("{other} is no option"),
                }
            }
            let mut output = Vec::new();
            let input = format!("{line}\n");
            decode_lines(&decode, &reading(&decode).unwrap(), &mut input.as_bytes(), &mut output).unwrap();
            let answer: Value = serde_json::from_slice(&output).unwrap();
            let expected: Value = serde_json::from_str(expected).unwrap();
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(answer.get(name).unwrap_or(&Value::Null), value, "{row}\n{answer}");
            }
            assert_eq!(answer["error"].is_string(), answer["kind"] == "error", "{row}\n{answer}");
        }
    }

    #[test]
    fn control_characters_are_written_as_numbers() {
        assert_eq!(unescaped(br"a\x1dB\\x1d\x1\q\"), b"a\x1dB\\x1d\\x1\\q\\");
        assert_eq!(unescaped(br"\x1D\xff"), b"\x1d\xff");
        let read = answers(true, b"]C1010950600013435210ABC\\x1d21S\n");
        assert_eq!(read[0]["ais"][1], serde_json::json!(["10", "ABC"]));
    }

    #[test]
    fn a_line_without_an_end_in_sight_is_an_error_and_the_next_is_read() {
        let mut input = vec![b'7'; 3_000_000];
        input.extend(b"\n4006381333931\n");
        assert_eq!(kinds(false, &input), ["error", "item"]);
        let longest = r"\x41".repeat(SCAN_MAX_BYTES);
        assert_eq!(kinds(false, longest.as_bytes()), ["text"]);
        assert_eq!(kinds(false, format!("{longest}A").as_bytes()), ["error"]);
    }

    #[test]
    fn a_profile_that_is_none_is_told_with_those_there_are() {
        assert!(profiles(&["cn18".to_owned(), "21.....{NNDDD}".to_owned()]).is_ok());
        assert_eq!(profiles(&["none".to_owned()]), Ok(vec![]));
        assert!(profiles(&["nobody".to_owned()]).unwrap_err().contains("cn18-left"));
    }

    #[test]
    fn a_scanners_profile_says_what_stands_before_a_scan_and_for_its_separators() {
        let kind = |profile: &str, aim: bool| {
            by_profile(&[profile], aim, b"]E04006381333931\n")[0]["kind"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            [kind("honeywell", false), kind("generic", false), kind("generic", true)],
            ["item", "text", "item"]
        );
        let file = std::env::temp_dir().join(format!("till-scan-profile-{}.toml", std::process::id()));
        let own = "name = \"own\"\ndescription = \"a scanner of the shop\"\nsource = \"its manual\"\naim = \"on\"\ngs = \"7C\"\n[line]\nbaud = 9600\n[framing]\nby = \"enclosed\"\nbegin = \"STX\"\nend = \"ETX\"\n";
        std::fs::write(&file, own).unwrap();
        let input = br"\x02]C1010950600013435210ABC|21SER7\x03
]Q1a|b
2110001005008
";
        let read = by_profile(&[file.to_str().unwrap(), "kg13"], false, input);
        std::fs::remove_file(&file).unwrap();
        let expected = serde_json::json!([["01", "09506000134352"], ["10", "ABC"], ["21", "SER7"]]);
        assert_eq!(read[0]["ais"], expected);
        assert_eq!((&read[1]["text"], &read[2]["profile"]), (&"a|b".into(), &"kg13".into()));
        assert!(reading(&decode(&["zebra", "honeywell"], false)).unwrap_err().contains("name one"));
        assert!(reading(&decode(&["no-such.toml"], false)).unwrap_err().starts_with("the scanner profile"));
    }
}
