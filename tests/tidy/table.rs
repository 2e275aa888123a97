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
    "queue",
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

/// What it takes to be a wallet for others and to call one elsewhere: none of the adapters.
const CARRIED_WALLET: &[&str] = &[
    "http",
    "relay",
    "Advice",
    "Answer",
    "CancelAnswer",
    "Decline",
    "Doubt",
    "OrderNumber",
    "PayRequest",
    "PrecreateAnswer",
    "PrecreateRequest",
    "RefundAnswer",
    "RefundRequest",
    "Reply",
    "Wallet",
];

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
    // A wallet whose keys the cloud holds is a wallet too: its calls travel the way that everything does.
    Room {
        name: "sync",
        knows: &[Whole("inbox"), JOURNAL_READ, Whole("keys"), Only("wallet", CARRIED_WALLET)],
    },
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
    // Bodies between till and cloud.
    ("flate2", Home::Only(&[("sync::http", &[]), ("cloud", &[])])),
    (
        "hardware",
        Home::Only(&[
            ("paper", &["document", "font", "preview", "profile", "Document", "Profile"]),
            ("devices", &[]),
            ("config", &[]),
            ("daemon", &[]),
            ("cli", &[]),
            ("sim", &["sim"]),
        ]),
    ),
    ("image", Home::Only(&[("paper", &[])])),
    ("png", Home::Only(&[("paper", &[])])),
    ("jiff", Home::Anywhere),
    // Alipay numbers certificates by it; nothing is protected by it.
    ("md5", Home::Only(&[("wallet::certificate", &[]), ("sim::gateway", &[])])),
    ("nix", Home::Only(&[("clock", &[]), ("journal", &[]), ("sim", &[]), ("daemon", &[]), ("cli", &[])])),
    ("qrcode", Home::Only(&[("paper", &[]), ("sim", &[])])),
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
    ("x509_parser", Home::Only(&[("wallet::certificate", &[])])),
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
        &["canvas", "font", "link", "preview", "printer", "scanner", "sim"],
        "a document is data, free of any printer's commands",
    ),
    (
        "profile",
        &["canvas", "document", "font", "link", "preview", "printer", "scanner", "sim"],
        "a profile is a table",
    ),
    (
        "symbol",
        &["canvas", "document", "font", "link", "preview", "printer", "profile", "scanner", "sim"],
        "bars are a table",
    ),
    (
        "font",
        &["canvas", "document", "link", "preview", "printer", "profile", "scanner", "sim"],
        "a font is dots",
    ),
    (
        "canvas",
        &["document", "link", "preview", "printer", "profile", "scanner", "sim"],
        "a canvas knows dots, not papers",
    ),
    (
        "preview",
        &["link", "printer", "scanner", "sim"],
        "what is shown comes from the layout, as the bytes do",
    ),
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
