//! Holds the paths of each file against the import table, and says what to do about each that does not fit.

use crate::source::{Mention, code_only, mentions, module_of, without_tests};
use crate::table::{CORE, CRATES, Door, HARDWARE, Home, KEY_HOLDERS, KNOTS, OUTSIDE, ROOMS};
use std::collections::BTreeSet;

/// One source file, read once.
pub(crate) struct Source {
    /// Under the repository's root: `src/till/start.rs`.
    pub(crate) path: String,
    /// `["till", "start"]`.
    pub(crate) module: Vec<String>,
    /// Without comments, literals and tests.
    pub(crate) code: String,
    /// Modules of this file that are compiled for tests only.
    pub(crate) test_modules: Vec<String>,
}

impl Source {
    /// Reads a file that lies under `root`, which is `src/` or `hardware/src/`.
    pub(crate) fn new(root: &str, path: &str, text: &str) -> Self {
        let (code, test_modules) = without_tests(&code_only(text));
        let module = module_of(path.strip_prefix(root).unwrap_or(path));
        Self { path: path.to_owned(), module, code, test_modules }
    }

    fn mentions(&self) -> Vec<Mention> {
        mentions(&self.code, &self.module)
    }

    fn room(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }
}

/// The sources that are part of the product: not those which are modules for tests only.
pub(crate) fn of_the_product(sources: Vec<Source>) -> Vec<Source> {
    let tests: BTreeSet<Vec<String>> = sources
        .iter()
        .flat_map(|source| {
            source.test_modules.iter().map(|name| {
                let mut module = source.module.clone();
                module.push(name.clone());
                module
            })
        })
        .collect();
    let for_tests = |source: &Source| (1..=source.module.len()).any(|n| tests.contains(&source.module[..n]));
    sources.into_iter().filter(|source| !for_tests(source)).collect()
}

/// Names of the top-level modules among the sources.
pub(crate) fn rooms_of(sources: &[Source]) -> BTreeSet<String> {
    sources.iter().filter_map(|source| source.room().map(str::to_owned)).collect()
}

/// What in the package `till` does not fit the table.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    let rooms = rooms_of(sources);
    for room in &rooms {
        if !CORE.contains(&room.as_str()) && !ROOMS.iter().any(|known| known.name == room) {
            wrong.push(format!(
                "src/{room}: this room is not in the import table. Decide whom it may know, add a row to tests/tidy/table.rs and say why in docs/ARCHITECTURE.md."
            ));
        }
    }
    for source in sources {
        let Some(room) = source.room() else { continue };
        let mut told = BTreeSet::new();
        for mention in source.mentions() {
            let problem = if mention.path[0] == "crate" {
                mention
                    .path
                    .get(1)
                    .filter(|other| rooms.contains(*other))
                    .and_then(|_| of_ours(room, &mention.path))
            } else {
                of_others(&source.module, &mention.path)
            };
            // Once for each file and what it should not know: the other lines go with the first.
            let what: Vec<String> = mention.path.iter().take(2).cloned().collect();
            if let Some(problem) = problem
                && told.insert(what)
            {
                wrong.push(format!("{}:{}: {problem}", source.path, mention.line));
            }
        }
    }
    wrong.extend(knots(sources));
    wrong
}

/// Whether `room` may know `crate::…`; the sentence if not.
fn of_ours(room: &str, path: &[String]) -> Option<String> {
    let other = path[1].as_str();
    if room == other || CORE.contains(&other) {
        return None;
    }
    let whole = path.join("::");
    if CORE.contains(&room) {
        return Some(format!(
            "`{room}` is core and may not know `{whole}`: the core has no clock, no I/O, no async and no chance. Let the caller bring the value, or make it a duty."
        ));
    }
    let known = ROOMS.iter().find(|known| known.name == room)?;
    let part = path.get(2).map(String::as_str);
    let fits = known.knows.iter().any(|door| match *door {
        Door::Whole(name) => name == other,
        // The bare module may be named; what is taken from it is seen where it is used.
        Door::Only(name, parts) => name == other && part.is_none_or(|part| parts.contains(&part)),
        Door::Except(name, out) => name == other && part != Some(out),
    });
    if fits {
        return None;
    }
    let doors: Vec<String> = known.knows.iter().map(|door| said(*door)).collect();
    let doors = if doors.is_empty() { "nothing else of ours".to_owned() } else { doors.join(", ") };
    Some(format!(
        "`{room}` may not know `{whole}`: besides the core it knows {doors}. Rooms meet through `inbox` and in `daemon`; pass the value in, or argue for a new row in tests/tidy/table.rs."
    ))
}

fn said(door: Door) -> String {
    match door {
        Door::Whole(name) => format!("`{name}`"),
        Door::Only(name, parts) => format!("`{name}::{{{}}}`", parts.join(", ")),
        Door::Except(name, out) => format!("`{name}` but for `{out}`"),
    }
}

/// Whether a module may know this path of another crate; the sentence if not.
fn of_others(module: &[String], path: &[String]) -> Option<String> {
    let room = module.first().map_or("", String::as_str);
    let (here, whole) = (module.join("::"), path.join("::"));
    let is_core = CORE.contains(&room);
    let begins = |prefix: &str| whole == prefix || whole.starts_with(&format!("{prefix}::"));
    if is_core && let Some((_, why)) = OUTSIDE.iter().find(|(prefix, _)| begins(prefix)) {
        return Some(format!(
            "`{room}` is core and may not use `{whole}`: {why}. Let an edge do it and bring the result."
        ));
    }
    let lies_in = |home: &str| here == home || here.starts_with(&format!("{home}::"));
    let holds_key = path.last().is_some_and(|last| last.ends_with("KeyPair"))
        || path.iter().any(|part| part.len() > 7 && part.ends_with("KeyPair"));
    if holds_key && !KEY_HOLDERS.iter().any(|home| lies_in(home)) {
        return Some(format!(
            "`{here}` may not hold a private key (`{whole}`): private keys live in {}. Take a `DeviceKey` or what it signed.",
            KEY_HOLDERS.join(", ")
        ));
    }
    let (name, home) = CRATES.iter().find(|(name, _)| *name == path[0])?;
    match home {
        Home::Anywhere => None,
        Home::OutsideCore if is_core => Some(format!(
            "`{room}` is core and may not use `{whole}`: the core neither waits nor writes logs. Return a value and let the edge do it."
        )),
        Home::OutsideCore => None,
        Home::Only(homes) => {
            let fits = |(home, parts): &(&str, &[&str])| {
                lies_in(home)
                    && (parts.is_empty() || path.get(1).is_none_or(|part| parts.contains(&part.as_str())))
            };
            if homes.iter().any(fits) {
                return None;
            }
            let places: Vec<String> = homes
                .iter()
                .map(|(home, parts)| {
                    if parts.is_empty() {
                        format!("`{home}`")
                    } else {
                        format!("`{home}` (only {})", parts.join(", "))
                    }
                })
                .collect();
            Some(format!(
                "`{here}` may not use `{whole}`: `{name}` lives in {}. One outside thing belongs to one room; ask that room, or argue for a new row in tests/tidy/table.rs.",
                places.join(", ")
            ))
        }
    }
}

/// Core modules that know each other both ways, and ties in the list that are gone.
fn knots(sources: &[Source]) -> Vec<String> {
    let mut edges = BTreeSet::new();
    for source in sources {
        let Some(room) = source.room().filter(|room| CORE.contains(room)) else { continue };
        for mention in source.mentions().iter().filter(|mention| mention.path[0] == "crate") {
            if let Some(other) =
                mention.path.get(1).filter(|other| CORE.contains(&other.as_str()) && *other != room)
            {
                edges.insert((room.to_owned(), other.clone()));
            }
        }
    }
    let both = |a: &str, b: &str| {
        edges.contains(&(a.to_owned(), b.to_owned())) && edges.contains(&(b.to_owned(), a.to_owned()))
    };
    let listed = |a: &str, b: &str| KNOTS.iter().any(|(c, d, _)| (*c, *d) == (a, b) || (*c, *d) == (b, a));
    let mut wrong: Vec<String> = edges
        .iter()
        .filter(|(a, b)| a < b && both(a, b) && !listed(a, b))
        .map(|(a, b)| format!("src/{a} and src/{b} know each other both ways: neither can be read alone. Move what both need into one of them, or below both."))
        .collect();
    let present = rooms_of(sources);
    wrong.extend(
        KNOTS.iter().filter(|(a, b, _)| present.contains(*a) && present.contains(*b) && !both(a, b)).map(|(a, b, _)| {
            format!("`{a}` and `{b}` no longer know each other both ways. Good: take them off KNOTS in tests/tidy/table.rs.")
        }),
    );
    wrong
}

/// What in the crate `hardware` does not fit.
pub(crate) fn check_hardware(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let Some(room) = source.room() else { continue };
        for mention in source.mentions() {
            let (line, path) = (mention.line, mention.path.join("::"));
            let told = match mention.path[0].as_str() {
                "till" => Some(format!(
                    "`hardware` knows nothing of ours, so not `{path}`. Pass it in as a value of `hardware`."
                )),
                "tokio" => Some("`hardware` has no async: a port is two threads.".to_owned()),
                "serialport" if source.module != ["link", "serial"] => Some(
                    "`serialport` lives in `link::serial`: everything else goes through a `Link`.".to_owned(),
                ),
                "crate" => HARDWARE
                    .iter()
                    .find(|(name, not, _)| {
                        *name == room
                            && mention.path.get(1).is_some_and(|other| not.contains(&other.as_str()))
                    })
                    .map(|(name, _, why)| format!("`{name}` may not know `{path}`: {why}.")),
                _ => None,
            };
            wrong.extend(told.map(|told| format!("{}:{line}: {told}", source.path)));
        }
    }
    wrong
}

/// Dependencies in a manifest that the table does not know.
pub(crate) fn unknown_dependencies(manifest: &str) -> Vec<String> {
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or("");
    let section = section.split("\n[").next().unwrap_or("");
    let names = section.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim());
    names
        .filter(|name| !name.starts_with('#') && !CRATES.iter().any(|(known, _)| *known == name.replace('-', "_")))
        .map(|name| {
            format!("Cargo.toml: `{name}` has no row in tests/tidy/table.rs. Say there in which rooms it may live, or do without it.")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the table says about one file, beside an empty file for each other room.
    fn told(path: &str, text: &str) -> String {
        let mut sources: Vec<Source> = CORE
            .iter()
            .copied()
            .chain(ROOMS.iter().map(|room| room.name))
            .map(|room| Source::new("src/", &format!("src/{room}.rs"), ""))
            .collect();
        sources.push(Source::new("src/", path, text));
        let wrong = check(&of_the_product(sources));
        wrong.into_iter().filter(|line| line.starts_with(path)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_core_may_know_the_core_and_nothing_outside() {
        assert_eq!(told("src/sale/quote.rs", "use crate::money::Money; use std::collections::BTreeMap;"), "");
        for reach in [
            "use crate::journal::Journal;",
            "use std::time::{Duration, Instant};",
            "fn f() { std::fs::read(x) }",
            "use tokio::sync::mpsc;",
            "tracing::info!(x);",
            "use ring::rand;",
            "use std::sync as s; static X: s::Mutex<u8> = y;",
            "use ring::signature; fn f(k: signature::Ed25519KeyPair) {}",
        ] {
            assert!(told("src/sale/quote.rs", reach).contains("src/sale/quote.rs:1"), "{reach}");
        }
        assert_eq!(told("src/sale/quote.rs", "use std::time::Duration;"), "");
    }

    #[test]
    fn rooms_know_what_their_row_says() {
        assert_eq!(
            told(
                "src/provider.rs",
                "use crate::wallet::Wallet; use crate::inbox::Inbox; use crate::sale::Sale;"
            ),
            ""
        );
        assert!(
            told("src/provider.rs", "use crate::journal::Reader;")
                .contains("besides the core it knows `inbox`, `wallet`")
        );
        assert!(told("src/sim/demo.rs", "use crate::wallet::http;").contains("may not know"));
        assert!(told("src/audit.rs", "use crate::journal::Reader;").contains("may not know"));
        assert!(told("src/inbox.rs", "use super::journal;").contains("may not know"));
    }

    #[test]
    fn a_part_of_a_room_can_be_open_and_another_shut() {
        assert_eq!(
            told("src/sync.rs", "use crate::journal::{Reader, edge::Edge}; use crate::wallet::http;"),
            ""
        );
        assert!(told("src/sync.rs", "use crate::journal::Journal;").contains("but for `Journal`"));
        assert!(
            told("src/pages.rs", "use crate::journal;\nfn f(j: journal::Journal) {}")
                .contains("src/pages.rs:2")
        );
        assert!(
            told("src/sync.rs", "use crate::wallet;\nfn f(w: wallet::alipay::Alipay) {}")
                .contains("src/sync.rs:2")
        );
    }

    #[test]
    fn crates_stay_in_their_rooms() {
        assert_eq!(told("src/cloud/store/sqlite.rs", "use rusqlite::Connection;"), "");
        assert!(told("src/cloud/judge.rs", "use rusqlite::Connection;").contains("`rusqlite` lives in"));
        assert!(told("src/pages/menu.rs", "use rusqlite::Connection;").contains("`rusqlite` lives in"));
        assert_eq!(told("src/sim/demo.rs", "use hardware::sim::Printer;"), "");
        assert!(told("src/sim/demo.rs", "use hardware::printer::escpos;").contains("`sim` (only sim)"));
        assert!(told("src/till.rs", "use reqwest::Client;").contains("`reqwest` lives in"));
    }

    #[test]
    fn a_file_is_told_once_for_each_thing() {
        let text = "use reqwest::Client;\nfn f(c: reqwest::Client, j: crate::journal::Journal) {}";
        assert_eq!(told("src/devices.rs", text).lines().count(), 2);
    }

    #[test]
    fn tests_may_know_everything() {
        let text = "use crate::inbox::Inbox;\n#[cfg(test)]\nmod tests { use crate::sim::gateway; }";
        assert_eq!(told("src/provider.rs", text), "");
        let sources = vec![
            Source::new("src/", "src/provider.rs", "#[cfg(test)]\nmod tests;"),
            Source::new("src/", "src/provider/tests.rs", "use crate::sim::gateway;"),
            Source::new("src/", "src/sim.rs", ""),
        ];
        assert_eq!(check(&of_the_product(sources)), Vec::<String>::new());
    }

    #[test]
    fn a_room_without_a_row_and_a_crate_without_a_home_are_told() {
        let sources = vec![Source::new("src/", "src/loyalty/points.rs", "")];
        assert!(check(&sources)[0].contains("src/loyalty: this room is not in the import table"));
        let manifest = "[package]\nname = \"x\"\n\n[dependencies]\n# why = yes\nserde = \"1\"\nsd-notify = \"0.5\"\nhyper = \"1\"\n\n[dev-dependencies]\nrqrr = \"1\"\n";
        let told = unknown_dependencies(manifest);
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("`hyper` has no row"));
    }

    #[test]
    fn a_new_knot_in_the_core_is_told_and_so_is_one_that_is_undone() {
        let tied = vec![
            Source::new("src/", "src/money.rs", "use crate::tax::Tax;"),
            Source::new("src/", "src/tax.rs", "use crate::money::Money;"),
        ];
        assert!(check(&tied)[0].contains("src/money and src/tax know each other both ways"));
        let undone = vec![
            Source::new("src/", "src/offer.rs", "use crate::record::Line;"),
            Source::new("src/", "src/record.rs", ""),
        ];
        assert!(check(&undone)[0].contains("take them off KNOTS"));
    }

    #[test]
    fn the_drivers_know_nothing_of_a_till_and_the_virtual_printer_nothing_of_the_encoder() {
        let wrong =
            |path: &str, text: &str| check_hardware(&[Source::new("hardware/src/", path, text)]).len();
        assert_eq!(wrong("hardware/src/printer/escpos.rs", "use crate::document::Document;"), 0);
        assert_eq!(wrong("hardware/src/sim/interpreter.rs", "use crate::printer::escpos;"), 1);
        assert_eq!(wrong("hardware/src/link/tcp.rs", "use serialport::SerialPort;"), 1);
        assert_eq!(wrong("hardware/src/scanner.rs", "use till::scan;"), 1);
    }
}
