//! A machine made of files: a scanner on USB, a printer, a port that is built in and one that is not.

use super::*;
use std::os::unix::fs::symlink;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn machine(root: &Path) -> System {
    let system = System { sys: root.join("sys"), dev: root.join("dev"), proc: root.join("proc") };
    let usb = root.join("sys/devices/usb1/1-2");
    for (name, text) in [
        ("idVendor", "0c2e\n"),
        ("idProduct", "0b6a\n"),
        ("manufacturer", "示例公司\n"),
        ("product", "Example\u{1b}[2J scanner\n"),
    ] {
        write(&usb.join(name), text);
    }
    fs::create_dir_all(usb.join("1-2:1.0")).unwrap();
    fs::create_dir_all(root.join("sys/devices/platform/serial")).unwrap();
    let class = root.join("sys/class/tty");
    for (name, device, kind) in [
        ("ttyACM0", Some("usb1/1-2/1-2:1.0"), None),
        ("ttyS0", Some("platform/serial"), Some("4")),
        ("ttyS1", Some("platform/serial"), Some("0")),
        ("tty1", None, None),
    ] {
        fs::create_dir_all(class.join(name)).unwrap();
        if let Some(device) = device {
            symlink(root.join("sys/devices").join(device), class.join(name).join("device")).unwrap();
        }
        if let Some(kind) = kind {
            write(&class.join(name).join("type"), kind);
        }
        write(&root.join("dev").join(name), "");
    }
    let lp = root.join("sys/class/usbmisc/lp0");
    fs::create_dir_all(&lp).unwrap();
    symlink(usb.join("1-2:1.0"), lp.join("device")).unwrap();
    write(&root.join("dev/usb/lp0"), "");
    write(&root.join("dev/till/none"), "");
    fs::remove_file(root.join("dev/till/none")).unwrap();
    symlink("../ttyACM0", root.join("dev/till/scanner")).unwrap();
    write(&root.join("proc/locks"), "");
    system
}

#[test]
fn ports_are_listed_with_what_they_say_their_names_and_their_users() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let system = machine(&root);
    let about = fs::metadata(root.join("dev/ttyACM0")).unwrap();
    let (major, minor) = (about.dev() >> 8 & 0xfff, about.dev() & 0xff | about.dev() >> 12 & 0xf_ff00);
    write(
        &root.join("proc/locks"),
        &format!(
            "1: POSIX  ADVISORY  WRITE 9 00:05:1 0 EOF\n2: FLOCK  ADVISORY  WRITE 708 {major:02x}:{minor:02x}:{} 0 EOF\nrubbish\n",
            about.ino()
        ),
    );
    write(&root.join("proc/708/comm"), "till\n");
    fs::create_dir_all(root.join("proc/9/fd")).unwrap();
    symlink(root.join("dev/ttyS0"), root.join("proc/9/fd/3")).unwrap();

    let ports = list(&system, &[root.join("dev/till/scanner"), root.join("dev/gone")]).unwrap();
    let short: Vec<_> =
        ports.iter().map(|port| (port.kind, port.path.strip_prefix(&root).unwrap())).collect();
    assert_eq!(
        short,
        [
            (Kind::UsbSerial, Path::new("dev/ttyACM0")),
            (Kind::Serial, Path::new("dev/ttyS0")),
            (Kind::UsbPrinter, Path::new("dev/usb/lp0")),
        ]
    );
    let usb = ports[0].usb.clone().unwrap();
    assert_eq!((usb.vendor_id.as_str(), usb.product_id.as_str()), ("0c2e", "0b6a"));
    assert_eq!(usb.maker.as_deref(), Some("示例公司"));
    assert_eq!(usb.product.as_deref(), Some("Example[2J scanner"), "no control characters");
    assert_eq!(ports[0].names, [root.join("dev/till/scanner")]);
    let till = User { pid: 708, program: Some("till".to_owned()), lock: Lock::Held };
    assert_eq!(ports[0].users, [till]);
    assert_eq!(ports[1].users, [User { pid: 9, program: None, lock: Lock::None }]);
}
