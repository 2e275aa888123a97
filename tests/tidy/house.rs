//! Rules about files: how long, how named, how begun, and words that mean nothing to a stranger.

use std::collections::BTreeSet;

/// A file longer than this is listed: it may hold two things.
pub(crate) const LINES_SMELL: usize = 400;

/// A file longer than this fails.
pub(crate) const LINES_MAX: usize = 600;

/// Names that say what a file is to others instead of what is in it.
const ROLE_NAMES: &[&str] =
    &["common", "helper", "helpers", "misc", "service", "services", "types", "util", "utils"];

/// Files that are read as a whole by people, and so may not be long.
const READ_AS_A_WHOLE: &[&str] = &["css", "html", "js", "rs", "sql"];

/// Folders of the machine on which something was written. Halved, so that this file does not name them itself.
const MACHINE_FOLDERS: &[(&str, &str)] = &[("/wo", "rk"), ("/ro", "ot"), ("/ho", "me")];

/// Hosts of package registries: only lock files name them. Halved as above.
const REGISTRY_HOSTS: &[(&str, &str)] = &[
    ("crates", ".io"),
    ("registry.npm", "js.org"),
    ("npm", "js.com"),
    ("py", "pi.org"),
    ("pythonhosted", ".org"),
    ("proxy.go", "lang.org"),
];

/// Words about how something came to be written, which say nothing about what it is. Halved as above.
const WORKSHOP_WORDS: &[(&str, &str)] = &[
    ("helper", " session"),
    ("sub", "agent"),
    ("brief", ".md"),
    ("../sha", "red"),
    ("git work", "tree"),
    ("language ", "model"),
];

/// What is wrong with one file of Rust.
pub(crate) fn check_rust(path: &str, text: &str, code: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let first = text.lines().next().unwrap_or("");
    let says = first.strip_prefix("//! ").unwrap_or("");
    if says.split_whitespace().count() < 2 || says.to_lowercase().contains("placeholder") {
        wrong.push(format!(
            "{path}:1: the file does not begin with what it is for. Write `//! …`: its purpose, then what is deliberately not here."
        ));
    }
    for (number, line) in code.lines().enumerate() {
        for unfinished in ["todo!", "unimplemented!"] {
            if line.contains(unfinished) {
                wrong.push(format!("{path}:{}: `{unfinished}` ends the process at the counter. Finish it, or leave the door out.", number + 1));
            }
        }
    }
    wrong
}

/// What is wrong with a file's name or length.
pub(crate) fn check_file(path: &str, lines: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if name == "mod.rs" {
        wrong.push(format!("{path}: two files of one name in an editor. Use `foo.rs` beside `foo/`."));
    }
    if ROLE_NAMES.contains(&stem) && extension != "md" {
        wrong.push(format!("{path}: `{stem}` says what the file is to others, so anything fits in. Name it after what is in it, or move each part to whom it belongs."));
    }
    if READ_AS_A_WHOLE.contains(&extension) && lines > LINES_MAX {
        wrong.push(format!("{path}: {lines} lines; at most {LINES_MAX}. Find the second thing that it holds and give it a file."));
    }
    wrong
}

/// Whether a file is long enough to be looked at.
pub(crate) fn smells(path: &str, lines: usize) -> bool {
    READ_AS_A_WHOLE.iter().any(|extension| path.ends_with(&format!(".{extension}"))) && lines > LINES_SMELL
}

/// What a file says that only its writer's machine or day can know.
pub(crate) fn check_words(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let low = line.to_lowercase();
        let at = format!("{path}:{}", number + 1);
        for folder in MACHINE_FOLDERS.iter().map(|(a, b)| format!("{a}{b}")) {
            if names_folder(line, &folder) {
                wrong.push(format!("{at}: `{folder}` is a folder of one machine. Use a path relative to the repository, a temporary one, or a parameter."));
            }
        }
        for host in REGISTRY_HOSTS.iter().map(|(a, b)| format!("{a}{b}")) {
            if low.contains(&host) {
                wrong.push(format!(
                    "{at}: `{host}` is a registry; only lock files name one. Name the package instead."
                ));
            }
        }
        for word in WORKSHOP_WORDS.iter().map(|(a, b)| format!("{a}{b}")) {
            if low.contains(&word) {
                wrong.push(format!("{at}: \"{word}\" means nothing to a stranger. Say what holds and why."));
            }
        }
    }
    wrong
}

/// Whether `line` has `folder` as the beginning of an absolute path.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        let begins = before.is_none_or(|c| !c.is_alphanumeric() && !"._-/)}".contains(c));
        let ends = after.is_none_or(|c| !c.is_alphanumeric() && !"._-".contains(c));
        begins && ends
    })
}

/// Rooms of the source that the code map in docs/ARCHITECTURE.md does not name.
pub(crate) fn missing_from_map(architecture: &str, rooms: &BTreeSet<String>) -> Vec<String> {
    let map = architecture.split("\n## Code map").nth(1).unwrap_or("");
    let map = map.split("\n## ").next().unwrap_or("");
    rooms
        .iter()
        .filter(|room| !map.contains(&format!("`{room}`")))
        .map(|room| format!("docs/ARCHITECTURE.md: the code map does not name `{room}`. Add a paragraph: what it is for, and what always holds in it."))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_first_what_it_is_for() {
        assert_eq!(check_rust("a.rs", "//! Money in minor units.\n", ""), Vec::<String>::new());
        for text in
            ["use std;\n", "//! x\n", "//! placeholder for now\n", "\n//! Money in minor units.\n", ""]
        {
            assert_eq!(check_rust("a.rs", text, "").len(), 1, "{text}");
        }
    }

    #[test]
    fn unfinished_code_is_told_with_its_line() {
        let code = "fn f() {\n    todo!()\n}";
        assert!(check_rust("a.rs", "//! Money in minor units.", code)[0].starts_with("a.rs:2"));
    }

    #[test]
    fn names_and_lengths_are_held() {
        assert_eq!(check_file("src/money.rs", LINES_MAX), Vec::<String>::new());
        assert_eq!(check_file("src/money.rs", LINES_MAX + 1).len(), 1);
        assert_eq!(check_file("docs/PROTOCOL.md", 5000), Vec::<String>::new());
        for path in ["src/utils.rs", "src/pages/helpers.rs", "src/till/mod.rs", "src/pages/assets/common.js"]
        {
            assert_eq!(check_file(path, 1).len(), 1, "{path}");
        }
        assert_eq!(check_file("systemd/till.service", 50), Vec::<String>::new());
        assert!(smells("src/money.rs", LINES_SMELL + 1) && !smells("src/money.rs", LINES_SMELL));
    }

    #[test]
    fn folders_of_one_machine_are_told_and_words_like_them_are_not() {
        let folder = |(a, b): &(&str, &str)| format!("{a}{b}");
        for text in MACHINE_FOLDERS.iter().map(folder) {
            assert_eq!(check_words("a.md", &format!("see {text}/x")).len(), 1, "{text}");
            assert_eq!(check_words("a.md", &format!("cd {text}")).len(), 1, "{text}");
            assert!(
                check_words("a.md", &format!("src{text}/x and {text}flow and https:/{text}.example"))
                    .is_empty()
            );
        }
    }

    #[test]
    fn registries_and_workshop_words_are_told() {
        for (a, b) in REGISTRY_HOSTS.iter().chain(WORKSHOP_WORDS) {
            assert!(!check_words("a.md", &format!("x {a}{b} y")).is_empty(), "{a}{b}");
        }
    }

    #[test]
    fn the_map_names_every_room() {
        let rooms = BTreeSet::from(["money".to_owned(), "till".to_owned()]);
        let text = "# Till\n`money`\n## Code map\n`till` is the loop.\n## Elsewhere\n`money`\n";
        let told = missing_from_map(text, &rooms);
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("`money`"));
    }
}
