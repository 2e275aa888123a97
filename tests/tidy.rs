//! The rules of the house, as a test: who may import whom, how files look, and that what stands around the code
//! keeps up with it. Each failure says what to do.
//!
//! Not here: what clippy and rustfmt hold already (clippy.toml, rustfmt.toml, the lints in Cargo.toml).

#[path = "tidy/house.rs"]
mod house;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/table.rs"]
mod table;

use imports::Source;
use std::fs;
use std::path::Path;

/// Folders that are not ours to judge: built, or of tools.
const PASSED_OVER: &[&str] = &[".git", "target", "node_modules"];

/// Files that a program writes.
const LOCK_FILES: &[&str] = &["Cargo.lock", "fuzz/Cargo.lock"];

#[test]
fn imports_point_inwards() {
    let sources = imports::of_the_product(sources("src/"));
    assert!(sources.len() > 50, "only {} sources were found: look at how they are read", sources.len());
    let mut wrong = imports::check(&sources);
    wrong.extend(imports::check_hardware(&imports::of_the_product(self::sources("hardware/src/"))));
    wrong.extend(imports::unknown_dependencies(&read("Cargo.toml")));
    assert_tidy(&wrong);
}

#[test]
fn files_are_short_named_after_what_is_in_them_and_say_what_they_are_for() {
    let (mut wrong, mut long) = (Vec::new(), Vec::new());
    for path in files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        let lines = text.lines().count();
        wrong.extend(house::check_file(&path, lines));
        if house::smells(&path, lines) {
            long.push(format!("{path}: {lines} lines"));
        }
        if path.ends_with(".rs") {
            let (code, _) = source::without_tests(&source::code_only(&text));
            wrong.extend(house::check_rust(&path, &text, &code));
        }
    }
    if !long.is_empty() {
        println!("Longer than {} lines; do they hold two things?\n{}", house::LINES_SMELL, long.join("\n"));
    }
    assert_tidy(&wrong);
}

#[test]
fn everything_is_written_for_strangers() {
    let mut wrong = Vec::new();
    for path in files().iter().filter(|path| !LOCK_FILES.contains(&path.as_str())) {
        if let Ok(text) = fs::read_to_string(root().join(path)) {
            wrong.extend(house::check_words(path, &text));
        }
    }
    assert_tidy(&wrong);
}

#[test]
fn the_code_map_names_every_room() {
    let rooms = imports::rooms_of(&sources("src/"));
    assert_tidy(&house::missing_from_map(&read("docs/ARCHITECTURE.md"), &rooms));
}

#[test]
fn the_sample_configuration_is_taken_with_and_without_what_is_left_out() {
    let sample = read("systemd/till.toml");
    // A line that begins with `#` and no space is a setting that is left out.
    let left_in = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    let whole: Vec<String> = sample.lines().map(left_in).collect();
    assert!(whole.contains(&"[cloud]".to_owned()), "nothing was left in");
    for text in [sample, whole.join("\n")] {
        if let Err(error) = till::config::Config::parse(Path::new("systemd/till.toml"), &text) {
            panic!("{error}: change systemd/till.toml with the configuration's format");
        }
    }
}

fn assert_tidy(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n\n{}\n\n{} in all.\n", wrong.join("\n\n"), wrong.len());
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

fn sources(under: &str) -> Vec<Source> {
    let ours = |path: &String| path.starts_with(under) && path.ends_with(".rs");
    files().iter().filter(|path| ours(path)).map(|path| Source::new(under, path, &read(path))).collect()
}

/// Every file of the repository, by its path from the root, in order.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries.map(|entry| entry.expect("a folder of the repository can be listed")) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().expect("a file of the repository has a type");
            if kind.is_dir() && !PASSED_OVER.contains(&name.as_str()) {
                folders.push(entry.path());
            } else if kind.is_file() && name != ".git" {
                let path = entry.path();
                let path = path.strip_prefix(root()).expect("it was found under the root");
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}
