//! The import table: which room may know which. A new row is a design decision; docs/ARCHITECTURE.md says why.
//!
//! Not here: reading sources (`source`), and holding them against the table (`imports`).

/// No clock, no input or output, no async, no chance. They may know each other and nothing else.
pub(crate) const CORE: &[&str] = &[
    "bundle",
    "catalogue",
    "counter",
    "emv",
    "limits",
    "locales",
    "member",
    "money",
    "offer",
    "receipt",
    "record",
    "sale",
    "scan",
    "shift",
    "staff",
    "tax",
    "token",
    "view",
];

/// What one room may know besides the core.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) knows: &'static [Door],
}

/// How much of another room may be known.
#[derive(Clone, Copy)]
pub(crate) enum Door {
    /// All that it shows.
    Whole(&'static str),
    /// One part of it.
    Only(&'static str, &'static [&'static str]),
    /// All but one part.
    Except(&'static str, &'static str),
}

use Door::{Except, Only, Whole};

/// Reading the journal is for everyone who shows or sends it; writing it is the till's alone.
const JOURNAL_READ: Door = Except("journal", "Journal");

/// Every room that is not core. Edges that need the time are handed a function; they do not know `clock`.
pub(crate) const ROOMS: &[Room] = &[
    Room { name: "clock", knows: &[] },
    Room { name: "inbox", knows: &[] },
    Room { name: "keys", knows: &[] },
    Room { name: "paper", knows: &[] },
    Room { name: "wallet", knows: &[] },
    Room { name: "till", knows: &[Whole("inbox"), Whole("journal"), Whole("clock")] },
    Room { name: "journal", knows: &[Whole("keys")] },
    Room { name: "provider", knows: &[Whole("inbox"), Whole("wallet")] },
    // It may share the wallets' rule for addresses and their HTTP client, and nothing about wallets.
    Room { name: "sync", knows: &[Whole("inbox"), JOURNAL_READ, Whole("keys"), Only("wallet", &["http"])] },
    Room { name: "devices", knows: &[Whole("inbox"), Whole("paper")] },
    Room { name: "pages", knows: &[Whole("inbox"), JOURNAL_READ, Whole("paper")] },
    Room { name: "cloud", knows: &[Whole("wallet"), Whole("paper"), Whole("keys")] },
    // None of `wallet`: a mistake shared with the part it judges would be judged right.
    Room { name: "sim", knows: &[Whole("clock")] },
    // The reader that is not the writer: none of `journal`, `cloud` or `sim`.
    Room { name: "audit", knows: &[] },
    Room {
        name: "config",
        knows: &[
            Whole("cloud"),
            Whole("devices"),
            Whole("keys"),
            Whole("pages"),
            Whole("paper"),
            Whole("provider"),
            Whole("sync"),
            Whole("wallet"),
        ],
    },
    Room {
        name: "daemon",
        knows: &[
            Whole("clock"),
            Whole("config"),
            Whole("devices"),
            Whole("inbox"),
            Whole("journal"),
            Whole("keys"),
            Whole("pages"),
            Whole("paper"),
            Whole("provider"),
            Whole("sync"),
            Whole("till"),
            Whole("wallet"),
        ],
    },
    Room {
        name: "cli",
        knows: &[
            Whole("audit"),
            Whole("clock"),
            Whole("cloud"),
            Whole("config"),
            Whole("daemon"),
            Whole("devices"),
            Whole("inbox"),
            Whole("journal"),
            Whole("keys"),
            Whole("pages"),
            Whole("paper"),
            Whole("provider"),
            Whole("sim"),
            Whole("sync"),
            Whole("till"),
            Whole("wallet"),
        ],
    },
];

/// Where another crate may live.
pub(crate) enum Home {
    /// In every room.
    Anywhere,
    /// In every room but the core.
    OutsideCore,
    /// In these rooms or parts of rooms (`cloud::store`), each with the parts of the crate it may use; none
    /// named means all.
    Only(&'static [(&'static str, &'static [&'static str])]),
}

/// Every dependency of the package `till`.
pub(crate) const CRATES: &[(&str, Home)] = &[
    ("anyhow", Home::Only(&[("cli", &[]), ("daemon", &[])])),
    ("askama", Home::Only(&[("pages", &[]), ("cloud", &[]), ("sim", &[])])),
    ("axum", Home::Only(&[("pages", &[]), ("cloud", &[]), ("sim", &[])])),
    ("base64", Home::Anywhere),
    ("clap", Home::Only(&[("cli", &[])])),
    ("clap_complete", Home::Only(&[("cli", &[])])),
    ("clap_mangen", Home::Only(&[("cli", &[])])),
    ("csv", Home::Only(&[("cloud", &[])])),
    (
        "hardware",
        Home::Only(&[
            ("paper", &["document", "profile", "Document", "Profile"]),
            ("devices", &[]),
            ("config", &[]),
            ("daemon", &[]),
            ("cli", &[]),
            ("sim", &["sim"]),
        ]),
    ),
    ("image", Home::Only(&[("paper", &[])])),
    ("jiff", Home::Anywhere),
    ("md5", Home::Only(&[("sim::gateway", &[])])),
    ("nix", Home::Only(&[("clock", &[]), ("sim", &[]), ("daemon", &[]), ("cli", &[])])),
    ("qrcode", Home::Only(&[("paper", &[]), ("cloud", &[]), ("sim", &[])])),
    ("reqwest", Home::Only(&[("wallet", &[]), ("sync", &[]), ("cloud", &[]), ("sim", &[])])),
    ("ring", Home::Anywhere),
    ("rsa", Home::Only(&[("sim::gateway", &[])])),
    (
        "rusqlite",
        Home::Only(&[("journal", &[]), ("cloud::store", &[]), ("sim::gateway", &[]), ("audit", &[])]),
    ),
    // One TLS stack, on ring: chosen when the program starts, or with the first client.
    ("rustls", Home::Only(&[("wallet::http", &[]), ("sync::http", &[]), ("cli", &[])])),
    ("sd_notify", Home::Only(&[("daemon", &[])])),
    ("serde", Home::Anywhere),
    ("serde_json", Home::Anywhere),
    ("thiserror", Home::Anywhere),
    ("tokio", Home::OutsideCore),
    ("tokio_stream", Home::Only(&[("pages", &[]), ("cloud", &[]), ("sim", &[])])),
    ("toml", Home::Only(&[("config", &[]), ("sim", &[])])),
    ("tracing", Home::OutsideCore),
    ("tracing_subscriber", Home::Only(&[("daemon", &[]), ("cli", &[])])),
];

/// What no core module may touch, wherever it comes from.
pub(crate) const OUTSIDE: &[(&str, &str)] = &[
    ("std::env", "the core is told; `config` reads"),
    ("std::fs", "the core has no files; `journal` has"),
    ("std::io", "the core moves no bytes; edges do"),
    ("std::net", "the core has no network; edges have"),
    ("std::os", "the core knows no system"),
    ("std::process", "the core starts and ends nothing"),
    ("std::sync::mpsc", "the core has no channels; `inbox` has"),
    ("std::sync::Mutex", "the core is one thread's"),
    ("std::sync::RwLock", "the core is one thread's"),
    ("std::thread", "the core is one thread's"),
    ("std::time::Instant", "time is a parameter: `Context::moment`"),
    ("std::time::SystemTime", "time is a parameter: `Context::moment`"),
    ("ring::rand", "chance is a parameter: `Context::draw`"),
    ("ring::aead", "sealing needs a secret: `keys`"),
    ("jiff::Timestamp::now", "time is a parameter: `Context::moment`"),
    ("jiff::Zoned::now", "time is a parameter: `Context::moment`"),
];

/// Where private keys may be held. Types whose names end in `KeyPair` are private keys.
pub(crate) const KEY_HOLDERS: &[&str] = &["keys", "wallet::signing", "sim::gateway"];

/// Pairs of core modules that know each other both ways. The list only shrinks.
pub(crate) const KNOTS: &[(&str, &str, &str)] = &[
    ("offer", "record", "a discount is part of a record's body, and offers read a record's lines"),
    ("counter", "view", "a view carries a refusal's words, and the counter makes views"),
];

/// The crate `hardware`: what each of its modules may not know of the others, and why.
pub(crate) const HARDWARE: &[(&str, &[&str], &str)] = &[
    (
        "document",
        &["link", "printer", "scanner", "sim"],
        "a document is data, free of any printer's commands",
    ),
    ("profile", &["document", "link", "printer", "scanner", "sim"], "a profile is a table"),
    (
        "link",
        &["document", "printer", "profile", "sim"],
        "a link moves bytes and does not know what they mean",
    ),
    ("printer", &["scanner", "sim"], "a driver does not know that it is tried on a virtual device"),
    ("scanner", &["document", "printer", "profile", "sim"], "a scanner's codec is pure"),
    (
        "sim",
        &["printer", "document"],
        "the virtual printer reads bytes with its own eyes, so that a mistake is not made twice",
    ),
];
