//! Copies of a till's journal: made while it runs, and put back while it does not.

use super::{log, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::journal::{self, Reader, Unsent};
use anyhow::Context;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Copies the journal of a till that may be running.
#[derive(Args)]
#[command(
    after_help = "The copy is verified before it has its name. It holds every sale, and none of the keys.\n\nExamples:\n  till backup /media/stick                  names the file by till and time\n  till backup /media/stick/monday.db\n\nExit codes: 0 the copy is good, 74 it could not be made, 78 wrong configuration."
)]
pub(super) struct Backup {
    /// A folder, or the copy's own name
    to: PathBuf,
    #[command(flatten)]
    config: super::run::Config,
}

/// Puts a copy in the place of a till's journal.
#[derive(Args)]
#[command(
    after_help = "Stop the till first. Its present files are set aside, never deleted. At its next start the till begins a new\nseries that follows the copy, and takes cash only until a manager has adopted it.\n\nExample:\n  systemctl stop till && till restore /media/stick/monday.db && systemctl start till\n\nExit codes: 0 done, 1 it would leave records behind or is of another till, 69 the till runs, 74 the copy cannot be used."
)]
pub(super) struct Restore {
    /// The copy
    from: PathBuf,
    /// Set records aside, too, that head office has not received; they are listed on the manager's page
    #[arg(long)]
    even_unsent: bool,
    #[command(flatten)]
    config: super::run::Config,
}

pub(super) fn back_up(arguments: &Backup) -> anyhow::Result<ExitCode> {
    let config = arguments.config.read()?;
    let to = if arguments.to.is_dir() { arguments.to.join(name_now(&config)) } else { arguments.to.clone() };
    let opened = Reader::open(&config.state_dir);
    let reader = if config.state_dir.join("journal.db").exists() {
        opened?
    } else {
        opened.with_context(|| format!("there is no journal in {}", config.state_dir.display()))?
    };
    let shown = std::io::stderr().is_terminal();
    let copied = reader.back_up(&to, |done, all| {
        if shown && done < all {
            // Whoever watches sees that it goes on; a reader that went away changes nothing.
            let _ = write!(std::io::stderr(), "\r{done} of {all} pages");
        }
    })?;
    if shown {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    say(&format!("{}: {} records, good.", to.display(), copied.records));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(arguments: &Restore) -> anyhow::Result<ExitCode> {
    let config = arguments.config.read()?;
    log();
    let unsent = if arguments.even_unsent { Unsent::SetAside } else { Unsent::Refuse };
    let done = journal::put_back(&config.state_dir, &arguments.from, &config.terminal, unsent)?;
    say(&format!("The journal is {} with {} records.", text(&arguments.from), done.copied.records));
    if done.beyond > 0 {
        say(&format!("Head office has {} records after its end: nothing of them is lost.", done.beyond));
    }
    say(&format!("What was there before is in {}.", config.state_dir.join("aside").display()));
    say("At its next start the till begins a new series. It takes cash only until a manager has adopted it.");
    Ok(ExitCode::SUCCESS)
}

/// `till-1-20261123-0415.db`, by the shop's clock.
fn name_now(config: &Config) -> String {
    let now = jiff::Timestamp::from_millisecond(Clock::new().unix_ms()).unwrap_or_default();
    let now = now.to_zoned(config.shop.time_zone.zone.clone());
    format!("{}-{}.db", config.terminal, now.strftime("%Y%m%d-%H%M%S"))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{EX_IOERR, exit_code};
    use clap::Parser;

    #[derive(Parser)]
    struct One {
        #[command(flatten)]
        backup: Backup,
    }

    #[test]
    fn a_backup_that_cannot_be_made_says_what_is_the_matter() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("till.toml");
        let text = "terminal = \"till-1\"\nstate_dir = \"state\"\n[shop]\ncurrency = \"CNY\"\ntime_zone = \"UTC\"\n[[station]]\nid = \"front\"\n[pages]\nlisten = \"127.0.0.1:0\"\n";
        std::fs::write(&config, text).unwrap();
        let to = dir.path().join("copy.db");
        let words = ["backup", to.to_str().unwrap(), "--config", config.to_str().unwrap()];
        let fails = || {
            let error = back_up(&One::try_parse_from(words).unwrap().backup).unwrap_err();
            (exit_code(&error), format!("{error:#}"))
        };
        let (code, said) = fails();
        assert!(code == EX_IOERR && said.contains("there is no journal in"), "{code} {said}");
        let state = dir.path().join("state");
        std::fs::create_dir_all(&state).unwrap();
        std::fs::write(state.join("journal.db"), "a shopping list ".repeat(999)).unwrap();
        let (code, said) = fails();
        assert!(
            code == EX_IOERR && said.contains("journal.db") && !said.contains("no journal"),
            "{code} {said}"
        );
    }
}
