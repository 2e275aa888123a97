//! The virtual scanner as a program: each line of its commands is a pull of the trigger or a mishap.
//!
//! Text is taken as bytes: a line that is no UTF-8 is scanned as it is.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::scanner::{Acknowledged, Garble, Scanner};
use crate::scanner::{AimId, AimPrefix, ScannerProfile};

/// The longest line: four times the longest scan, as every byte may be written `\xNN`.
const LINE_BYTES_MAX: u64 = 4 * 4096 + 64;

/// What the scanner understands.
pub const SCANNER_COMMANDS: &str = "\
scan TEXT           scan a code; \\xNN is a byte, \\\\ a backslash, and ]Q3 at the beginning its AIM identifier;
                    a line that begins with a digit, ] or ( is a code without this word
split TEXT          the same, byte by byte
split N TEXT        the same, in pieces of N bytes
merge TEXT | TEXT   two codes and more in one go; \\x7c is a bar
garble TEXT         the same with one bit, byte or gap that is wrong; each time another
raw TEXT            these bytes and no others: no terminator, no identifier
cut TEXT            scan, and pull the plug before the end
ack TEXT            scan, wait for ACK, and send again upon NAK or silence
heard               what the host has said: ACK, NAK or nothing
paste               every line from here to one that is empty is a code
label FILE.png      draw the test label; label FILE.png TEXT draws a QR code of TEXT
unplug, replug      pull the plug, push it in again
help, quit";

/// How a scanner is played.
#[derive(Debug, Clone)]
pub struct ScannerOptions {
    /// How it frames its scans.
    pub profile: ScannerProfile,
    /// Whether it sends AIM identifiers, if not as its profile says.
    pub aim: Option<AimPrefix>,
}

impl Default for ScannerOptions {
    fn default() -> ScannerOptions {
        ScannerOptions { profile: ScannerProfile::generic(), aim: None }
    }
}

/// Runs a scanner at `link` until its commands end or say `quit`.
///
/// # Errors
/// When the terminal cannot be made or the streams fail.
pub fn run_scanner(link: &Path, commands: impl BufRead, answers: impl Write) -> io::Result<()> {
    run_scanner_as(link, ScannerOptions::default(), commands, answers)
}

/// As [`run_scanner`], for a scanner of another profile.
///
/// # Errors
/// As [`run_scanner`].
pub fn run_scanner_as(
    link: &Path,
    options: ScannerOptions,
    mut commands: impl BufRead,
    mut answers: impl Write,
) -> io::Result<()> {
    let mut profile = options.profile;
    profile.aim = options.aim.unwrap_or(profile.aim);
    let name = profile.name.clone();
    let mut console = Console { scanner: Scanner::start_as(link, profile)?, chance: 0, pasting: false };
    writeln!(answers, "scanner at {} ({name}): scan TEXT, unplug, replug, help, quit", link.display())?;
    answers.flush()?;
    while let Some(line) = next_line(&mut commands)? {
        if !console.pasting && line == b"quit" {
            return Ok(());
        }
        match console.obey(&line) {
            Ok(said) => writeln!(answers, "{said}")?,
            Err(error) => writeln!(answers, "not done: {error}")?,
        }
        answers.flush()?;
    }
    Ok(())
}

/// The next line without its end, none after the last. What a line has beyond the limit is its own next line.
fn next_line(commands: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if io::Read::take(&mut *commands, LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    Ok(Some(line))
}

struct Console {
    scanner: Scanner,
    /// Another place is garbled each time, and the same ones in each run.
    chance: u64,
    pasting: bool,
}

impl Console {
    fn obey(&mut self, line: &[u8]) -> io::Result<String> {
        if self.pasting {
            self.pasting = !line.is_empty();
            return if self.pasting { self.scan(line) } else { Ok("pasted".to_owned()) };
        }
        let at = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (word, rest) = (&line[..at], line.get(at + 1..).unwrap_or_default());
        match word {
            b"scan" => self.scan(rest),
            b"raw" => self.scanner.scan(&bytes_of(rest)?).map(done),
            b"split" => self.split(rest),
            b"merge" => {
                let scans: io::Result<Vec<Vec<u8>>> =
                    rest.split(|byte| *byte == b'|').map(|text| self.framed(text.trim_ascii())).collect();
                self.scanner.merge(&scans?).map(done)
            }
            b"garble" => {
                let garble = [Garble::Flip, Garble::Lose, Garble::Insert];
                let kind = garble[usize::try_from(self.chance % 3).unwrap_or(0)];
                let spoiled = kind.spoil(&self.framed(rest)?, self.chance);
                self.chance += 1;
                self.scanner.scan(&spoiled)?;
                Ok(format!("ok, sent {}", crate::scanner::label::readable(&spoiled)))
            }
            b"cut" => {
                let whole = self.framed(rest)?;
                self.scanner.scan_and_unplug(&whole[..whole.len().div_ceil(2)])?;
                Ok("ok, unplugged in the middle; replug plugs it in".to_owned())
            }
            b"ack" => {
                let wait = self.scanner.profile().acknowledge.as_ref().map_or(2000, |words| words.wait_ms);
                let said = self
                    .scanner
                    .scan_acknowledged(&self.framed(rest)?, Duration::from_millis(u64::from(wait)))?;
                Ok(match said {
                    Acknowledged::Taken { sendings: 1 } => "ok, acknowledged".to_owned(),
                    Acknowledged::Taken { sendings } => format!("ok, acknowledged after {sendings} sendings"),
                    Acknowledged::No => "not acknowledged: is acknowledge = \"on\" at the till?".to_owned(),
                })
            }
            b"heard" => Ok(match self.scanner.heard(Duration::from_millis(200))? {
                Some(0x06) => "ACK".to_owned(),
                Some(_) => "NAK".to_owned(),
                None => "nothing".to_owned(),
            }),
            b"paste" => {
                self.pasting = true;
                Ok("ok, an empty line ends it".to_owned())
            }
            b"label" => label(rest),
            b"unplug" => {
                self.scanner.unplug();
                Ok(done(()))
            }
            b"replug" => self.scanner.replug().map(done),
            b"help" => Ok(SCANNER_COMMANDS.to_owned()),
            [b'0'..=b'9' | b']' | b'(', ..] => self.scan(line),
            _ => Err(io::Error::other("say scan TEXT, unplug, replug or quit; help shows the rest")),
        }
    }

    fn scan(&self, text: &[u8]) -> io::Result<String> {
        self.scanner.scan(&self.framed(text)?).map(done)
    }

    fn split(&self, rest: &[u8]) -> io::Result<String> {
        let at = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let number = std::str::from_utf8(&rest[..at]).ok().and_then(|text| text.parse::<u8>().ok());
        match (number, rest.get(at + 1..)) {
            (Some(piece), Some(text)) => {
                self.scanner.split(&self.framed(text)?, usize::from(piece)).map(done)
            }
            (_, None) | (None, _) => self.scanner.split(&self.framed(rest)?, 1).map(done),
        }
    }

    /// What is sent for a code: its identifier only if the scanner sends any, and the profile's marks.
    fn framed(&self, text: &[u8]) -> io::Result<Vec<u8>> {
        let bytes = bytes_of(text)?;
        let sends = self.scanner.profile().aim != AimPrefix::NotSent;
        let aim = AimId::decode(&bytes).filter(|aim| sends && aim.is_assigned());
        let content = if aim.is_some() { &bytes[3..] } else { &bytes[..] };
        Ok(self.scanner.framed(aim.or_else(|| self.guessed(content)), content))
    }

    /// The identifier of the symbol that a code of such content is usually in.
    fn guessed(&self, content: &[u8]) -> Option<AimId> {
        let digits = content.iter().all(u8::is_ascii_digit);
        let guess: &[u8] = match content.len() {
            8 if digits => b"]E4",
            12 | 13 if digits => b"]E0",
            _ if digits => b"]C0",
            _ if content.contains(&0x1d) => b"]Q3",
            _ => b"]Q1",
        };
        AimId::decode(guess).filter(|_| self.scanner.profile().aim == AimPrefix::Sent)
    }
}

fn done((): ()) -> String {
    "ok".to_owned()
}

fn label(rest: &[u8]) -> io::Result<String> {
    let rest = std::str::from_utf8(rest).map_err(|_| io::Error::other("a file's name is text"))?;
    let (file, text) = rest.split_once(' ').unwrap_or((rest, ""));
    if file.is_empty() {
        return Err(io::Error::other("say where the picture goes: label FILE.png"));
    }
    let picture = if text.is_empty() {
        super::label::test_label()
    } else {
        super::label::qr(&bytes_of(text.as_bytes())?)
    };
    std::fs::write(PathBuf::from(file), picture.map_err(io::Error::other)?)?;
    Ok(format!("ok, {file}"))
}

/// Bytes as people type them: `\xNN` is one, `\\` a backslash, everything else itself.
fn bytes_of(text: &[u8]) -> io::Result<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                rest = after;
            }
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digit =
                    |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    return Err(io::Error::other("write a byte as \\x and two hexadecimal digits: \\x1d"));
                };
                bytes.push(high * 16 + low);
                rest = after;
            }
            (b'\\', _) => {
                return Err(io::Error::other("write a byte as \\x1d and a backslash as \\\\"));
            }
            (byte, after) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_people_type_them() {
        assert_eq!(bytes_of(b"10A\\x1d21\\\\\xff").unwrap(), b"10A\x1d21\\\xff");
        for wrong in [&b"\\"[..], b"\\x1", b"\\xg0", b"\\n"] {
            assert!(bytes_of(wrong).is_err());
        }
    }

    #[test]
    fn a_line_that_can_only_be_a_code_is_scanned_and_a_slip_of_the_finger_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut said = Vec::new();
        let lines = b"4006381333931\n]E04006381333931\n(01)09506000134352\nscn 4006381333931\nquit\n";
        run_scanner(&folder.path().join("scanner"), &lines[..], &mut said).unwrap();
        let said = String::from_utf8(said).unwrap();
        let said: Vec<&str> = said.lines().skip(1).collect();
        assert_eq!(said[..3], ["ok"; 3], "{said:?}");
        assert!(said[3].starts_with("not done: say scan TEXT"), "{said:?}");
    }
}
