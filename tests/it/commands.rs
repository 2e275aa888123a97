//! The program's other commands: what it says of a wrong configuration, a held state directory, a broken
//! catalogue, and how it ends.

use crate::TILL;
use crate::counter::{both, says, till};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A till with a screen and nothing else.
const CONFIG: &str = r#"terminal = "till-1"
state_dir = "state"

[shop]
currency = "CNY"
time_zone = "Asia/Shanghai"

[[station]]
id = "front"

[pages]
listen = "127.0.0.1:0"
"#;

const CATALOGUE: &str = "sku,name,gtins,price,tax_code,tax_percent\nwater,Water,6901234000016,2.00,A,13\n";

/// A daemon that is killed when the test ends.
struct Daemon(Child);

impl Daemon {
    fn start(config: &str) -> Self {
        let mut child = Command::new(TILL)
            .args(["run", "--config", config])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("ready ")));
        assert!(ready.is_some(), "the till ended before it was ready: {:?}", child.wait());
        Self(child)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Gone already, or going now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn written(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn a_key_that_is_not_known_is_named_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "good.toml", CONFIG);
    let output = till(&["check-config", "--config", &good]);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));

    let wrong = CONFIG.replace("currency = ", "curency = \"CNY\"\ncurrency = ");
    let wrong = written(folder.path(), "wrong.toml", &wrong);
    for command in ["check-config", "run"] {
        let output = till(&[command, "--config", &wrong]);
        assert_eq!(output.status.code(), Some(78), "{}", both(&output));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        says(&said, &format!("{wrong}:5: "));
        says(&said, "curency");
    }
    assert!(!folder.path().join("state").exists(), "nothing was opened");
}

#[test]
fn a_second_till_on_the_same_state_directory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = written(folder.path(), "till.toml", CONFIG);
    let first = Daemon::start(&config);
    let second = till(&["run", "--config", &config]);
    assert_eq!(second.status.code(), Some(69), "{}", both(&second));
    says(&both(&second), "state");
    drop(first);
    // The lock went with the process: nothing is to be removed by hand.
    drop(Daemon::start(&config));
}

#[test]
fn a_till_that_is_told_to_stop_while_it_opens_ends_in_order() {
    for round in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let config = written(folder.path(), "till.toml", CONFIG);
        let command = ["run", "--config", &config];
        let till = Command::new(TILL).args(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut till = Daemon(till.unwrap());
        // One of the last things before it says that it is ready.
        let nearly_open = folder.path().join("state/first-manager-code");
        while !nearly_open.exists() {
            assert!(till.0.try_wait().unwrap().is_none(), "it ended before it was open");
            std::hint::spin_loop();
        }
        let told = Command::new("kill").args(["-TERM", &till.0.id().to_string()]).status().unwrap();
        assert!(told.success());
        let ended = till.0.wait().unwrap();
        assert_eq!(ended.code(), Some(0), "round {round}: {ended}");
        let journal = rusqlite::Connection::open_with_flags(
            folder.path().join("state/journal.db"),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        );
        let last = "SELECT kind FROM record ORDER BY position DESC LIMIT 1";
        let last: String = journal.unwrap().query_row(last, [], |row| row.get(0)).unwrap();
        assert_eq!(last, "stopped", "round {round}");
    }
}

#[test]
fn a_port_that_is_taken_is_tried_again_later_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = CONFIG.replace("127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    let config = written(folder.path(), "till.toml", &text);
    let output = till(&["run", "--config", &config]);
    // Not 78, after which systemd would leave the till down for good.
    assert_eq!(output.status.code(), Some(69), "{}", both(&output));
    says(&both(&output), "listen");
    let journal = rusqlite::Connection::open_with_flags(
        folder.path().join("state/journal.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    );
    let records: i64 =
        journal.unwrap().query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap();
    assert_eq!(records, 0, "a start that could not be is no start");
    drop(taken);
    drop(Daemon::start(&config));
}

#[test]
fn a_broken_catalogue_is_named_line_by_line_and_nothing_of_it_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = folder.path().join("cloud").to_string_lossy().into_owned();
    let import =
        |file: &str| till(&["cloud", "--dir", &cloud, "--currency", "CNY", "catalogue", "import", file]);
    let good = import(&written(folder.path(), "good.csv", CATALOGUE));
    assert_eq!(good.status.code(), Some(0), "{}", both(&good));
    says(&both(&good), "1 items");
    let version = version_in(&both(&good));

    let broken = format!(
        "{CATALOGUE}tea,Tea,,three,A,13\ncola,Cola,6901234000024,3.50,A,13\nwater,Water again,,2.00,A,13\nbread,Bread\n"
    );
    let broken = import(&written(folder.path(), "broken.csv", &broken));
    assert_eq!(broken.status.code(), Some(1), "{}", both(&broken));
    let said = both(&broken);
    says(&said, "Nothing was imported.");
    for line in ["line 3: ", "line 4: ", "line 5: ", "line 6: "] {
        says(&said, line);
    }

    let again = import(&written(folder.path(), "again.csv", &CATALOGUE.replace("2.00", "2.50")));
    assert_eq!(version_in(&both(&again)), version + 1, "the broken file made no bundle: {}", both(&again));
}

#[test]
fn stickers_are_drawn_for_head_offices_desks_in_the_order_that_people_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let cloud = path("cloud");
    let draw = |more: &[&str]| {
        let base = ["desk-codes", "--dir", &cloud, "--public-base", "https://shop.example/"];
        till(&[&base, more].concat())
    };
    let early = draw(&["-o", &path("a.svg")]);
    assert_eq!(early.status.code(), Some(1));
    says(&both(&early), "is no head office");
    assert!(!Path::new(&cloud).exists(), "looking makes no head office");

    for (id, name) in [("table-10", "Table 10"), ("table-9", "Table 9"), ("bar", "Tom & Jo's")] {
        let added = till(&["cloud", "--dir", &cloud, "--shop", "Corner Cafe", "desk", "add", id, name]);
        assert_eq!(added.status.code(), Some(0), "{}", both(&added));
    }
    let sheet = draw(&["-o", &path("a.svg")]);
    assert_eq!(sheet.status.code(), Some(0), "{}", both(&sheet));
    let svg = std::fs::read_to_string(path("a.svg")).unwrap();
    let at = |text: &str| svg.find(text).unwrap_or_else(|| panic!("no {text} in {svg}"));
    assert!(at("Tom &amp; Jo&#39;s") < at(">Table 9<") && at(">Table 9<") < at(">Table 10<"));
    at("Corner Cafe");

    let single = draw(&["--single", "--format", "png", "--desk", "table-9", "-o", &path("single")]);
    assert_eq!(single.status.code(), Some(0), "{}", both(&single));
    assert!(std::fs::read(path("single/table-9.png")).unwrap().starts_with(b"\x89PNG"));
    for (more, code, words) in [
        (&["-o", "desks.gif"][..], 64, "ends in neither .svg nor .png"),
        (&["--desk", "roof", "-o", "a.svg"], 1, "there is no desk roof; there are bar, table-9, table-10"),
        (&["-o", "/nowhere/at/all.svg"], 74, "cannot be written"),
    ] {
        let refused = draw(more);
        assert_eq!(refused.status.code(), Some(code), "{}", both(&refused));
        says(&both(&refused), words);
    }
}

/// The number in `… are in bundle 3.`
fn version_in(said: &str) -> u64 {
    let (_, rest) = said.split_once("bundle ").unwrap_or_else(|| panic!("no bundle in {said:?}"));
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_receipt_quietly_and_the_exit_code_says_so() {
    for arguments in [&["receipt", "sample"][..], &["receipt", "sample", "--format", "png"], &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(TILL).args(arguments).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(141), "{arguments:?}: {}", both(&output));
        assert!(output.stderr.is_empty(), "{}", both(&output));
    }
}

#[test]
fn each_command_has_a_man_page_with_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("man8").to_string_lossy().into_owned();
    let written = till(&["man", "--dir", &dir]);
    assert_eq!(written.status.code(), Some(0), "{}", both(&written));
    let page = |name: &str| {
        let path = Path::new(&dir).join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    says(&page("till.8"), ".TH till 8");
    says(&page("till-queue.8"), "till\\-queue\\-list(8)");
    says(&page("till-queue-resolve.8"), "written\\-off");
    says(&page("till-cloud-limits-set.8"), "silent\\-hours");
    let pages = std::fs::read_dir(&dir).unwrap().count();
    says(&both(&written), &format!("{pages} pages are in "));
    assert!(!Path::new(&dir).join("till-help.8").exists(), "help needs no page");
}

#[test]
fn a_logo_that_cannot_be_printed_is_named_and_a_good_one_heads_the_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let logo = written(folder.path(), "logo.png", "no picture");
    let rendered = |format: &str| till(&["receipt", "sample", "--format", format, "--logo", &logo]);
    let output = rendered("text");
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    says(&both(&output), "cannot be read as PNG");
    // Any picture will do: that of a receipt is at hand.
    let picture = till(&["receipt", "sample", "--format", "png", "--profile", "chinese-58mm"]).stdout;
    let crop = image::load_from_memory(&picture).unwrap().crop_imm(0, 0, 300, 80);
    crop.save(&logo).unwrap();
    let output = rendered("text");
    assert!(output.stdout.starts_with(b"[picture]\n"), "{}", both(&output));
    let plain = till(&["receipt", "sample", "--format", "escpos"]).stdout.len();
    assert!(rendered("escpos").stdout.len() > plain + 1_000);
}
