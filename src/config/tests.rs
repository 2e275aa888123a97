//! Configurations that are taken, and the file, line and reason of those that are not.
//!
//! Not here: the keys that a configuration names (`daemon`).

use super::*;

const GOOD: &str = r#"terminal = "till-1"
state_dir = "state"
[shop]
currency = "CNY"
time_zone = "Asia/Shanghai"
day_cut = "04:00"
[[station]]
id = "front"
[station.scanner]
port = "/dev/till/scanner"
[station.printer]
port = "/dev/till/printer"
profile = "epson-tm-t88"
[pages]
listen = "127.0.0.1:8040"
"#;

fn error(text: &str) -> String {
    Config::parse(Path::new("etc/till.toml"), text).unwrap_err().to_string()
}

#[test]
fn a_shop_can_use_a_printer_profile_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ours.toml");
    let text = include_str!("../../hardware/profiles/printers/raster-58mm.toml");
    std::fs::write(&path, text.replace("raster-58mm", "ours")).unwrap();
    let named = |name: &str| name.parse::<ProfileName>();
    assert_eq!(named(path.to_str().unwrap()).unwrap().0.name, "ours");
    assert!(named("ours.toml").unwrap_err().contains("whole path"));
    std::fs::write(&path, text.replace("columns", "colums")).unwrap();
    assert!(named(path.to_str().unwrap()).unwrap_err().contains("unknown field `colums`"));
}

#[test]
fn a_drawer_has_a_port_and_a_display_may_share_the_printers() {
    let more = "[station.drawer]\nport = \"/dev/till/drawer\"\n[station.display]\nthrough = \"printer\"\nprofile = \"cd5220\"\n[pages]";
    let config = Config::parse(Path::new("etc/till.toml"), &GOOD.replace("[pages]", more)).unwrap();
    let station = config.stations().next().unwrap();
    assert_eq!(station.drawer.as_ref().unwrap().profile.0.name, "bell");
    assert_eq!(station.display.as_ref().unwrap().through, Some(Through::Printer));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ours.toml");
    let text = include_str!("../../hardware/profiles/drawers/bell.toml").replace("\"bell\"", "\"ours\"");
    std::fs::write(&path, &text).unwrap();
    let named = |name: &str| name.parse::<DrawerProfileName>();
    assert_eq!(named(path.to_str().unwrap()).unwrap().0.name, "ours");
    std::fs::write(&path, text.replace("open =", "opens =")).unwrap();
    assert!(named(path.to_str().unwrap()).unwrap_err().contains("unknown field `opens`"));
    assert!(named("ours.toml").unwrap_err().contains("whole path"));
}

#[test]
fn a_good_file_is_taken_and_paths_start_at_its_folder() {
    let config = Config::parse(Path::new("etc/till.toml"), GOOD).unwrap();
    assert_eq!(config.state_dir, Path::new("etc/state"));
    assert_eq!(config.shop.day_cut, DayCut(240));
    assert_eq!(config.stations().count(), 1);
}

#[test]
fn each_mistake_names_its_line_and_what_to_do() {
    let with = |from: &str, to: &str| error(&GOOD.replace(from, to));
    let cases = [
        (with("listen =", "lisen ="), "etc/till.toml:15: unknown field `lisen`"),
        (with("\"till-1\"", "\"Till 1\""), "etc/till.toml:1: \"Till 1\" is not a name"),
        (with("\"CNY\"", "\"RMB\""), "etc/till.toml:4: unknown currency \"RMB\""),
        (with("Asia/Shanghai", "Beijing"), "etc/till.toml:5: \"Beijing\" is not a time zone"),
        (with("04:00", "4am"), "etc/till.toml:6: \"4am\" is not a time of day"),
        (with("epson-tm-t88", "epson"), "etc/till.toml:13: there is no printer profile"),
        (
            with("\"epson-tm-t88\"", "\"epson-tm-t88\"\ntype = \"huge\""),
            "etc/till.toml:14: unknown variant `huge`",
        ),
        (
            with("[pages]", "[station.display]\nport = \"/dev/till/display\"\nprofile = \"vfd\"\n[pages]"),
            "etc/till.toml:16: there is no display profile \"vfd\": use one of dm-d",
        ),
        (
            with("[pages]", "[station.display]\nport = \"/dev/till/printer\"\nprofile = \"dm-d\"\n[pages]"),
            "etc/till.toml:7: /dev/till/printer is used twice",
        ),
        (
            with("[pages]", "[station.drawer]\nport = \"/dev/till/drawer\"\nprofile = \"kick\"\n[pages]"),
            "etc/till.toml:16: there is no drawer profile \"kick\": use one of bell,",
        ),
        (
            with("[pages]", "[station.drawer]\nport = \"/dev/till/printer\"\n[pages]"),
            "etc/till.toml:7: /dev/till/printer is used twice",
        ),
        (
            with("[pages]", "[station.drawer]\nprofile = \"bell\"\n[pages]"),
            "etc/till.toml:7: the drawer of front needs either port or tcp",
        ),
        (
            with("[pages]", "[station.drawer]\nport = \"/dev/till/drawer\"\nbaud = 0\n[pages]"),
            "etc/till.toml:7: a device of front has a baud rate of 0",
        ),
        (
            with("[pages]", "[station.display]\nthrough = \"scanner\"\nprofile = \"dm-d\"\n[pages]"),
            "etc/till.toml:15: unknown variant `scanner`",
        ),
        (
            with(
                "[pages]",
                "[station.display]\nthrough = \"printer\"\nport = \"/dev/x\"\nprofile = \"dm-d\"\n[pages]",
            ),
            "etc/till.toml:7: the display of front is on the printer's line: leave out port",
        ),
        (
            with(
                "[station.printer]\nport = \"/dev/till/printer\"\nprofile = \"epson-tm-t88\"",
                "[station.display]\nthrough = \"printer\"\nprofile = \"dm-d\"",
            ),
            "etc/till.toml:7: the display of front is on the printer's line, and there is no printer",
        ),
        (with("/dev/till/printer", "/dev/till/scanner"), "etc/till.toml:7: /dev/till/scanner is used twice"),
        (with("127.0.0.1:8040", "8040"), "etc/till.toml:15: invalid socket address"),
        (
            with("[pages]", "[journal]\nkeep_days = 7\n[pages]"),
            "etc/till.toml: [journal]: keep_days is 7: at least 31",
        ),
        (with("port = \"/dev/till/scanner\"", ""), "etc/till.toml:7: the scanner of front needs either"),
    ];
    for (found, expected) in cases {
        assert!(found.starts_with(expected), "{found:?} should begin with {expected:?}");
    }
}

#[test]
fn a_cloud_in_the_clear_is_refused() {
    let text = format!("{GOOD}[cloud]\nurl = \"http://cloud.example\"\n");
    assert!(error(&text).starts_with("etc/till.toml:17: "), "{}", error(&text));
}

#[test]
fn a_merchants_key_on_the_counter_is_pointed_out_and_more_so_beside_a_cloud() {
    let alone = format!("{GOOD}{ALIPAY}");
    let told = |text: &str| {
        let config = Config::parse(Path::new("etc/till.toml"), text).unwrap();
        config.cautions().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(told(GOOD).is_empty());
    let [note] = &told(&alone)[..] else { panic!() };
    assert!(note.starts_with("etc/till.toml:16: note: [wallet.alipay] puts the merchant's key"), "{note}");
    let [warning] = &told(&format!("{alone}[cloud]\nurl = \"https://cloud.example\"\n"))[..] else {
        panic!()
    };
    assert!(warning.contains("warning: [wallet.alipay] beside [cloud]"), "{warning}");
    assert!(told(&format!("{GOOD}[cloud]\nurl = \"https://cloud.example\"\n")).is_empty());
}

const ALIPAY: &str = r#"[wallet.alipay]
gateway = "https://openapi.alipay.com/gateway.do"
app_id = "2021000000000001"
app_key = "app.pem"
alipay_key = "alipay.pem"
"#;
