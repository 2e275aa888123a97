//! Devices and the way to head office, in words: small while all is well, a sentence when not.

use super::voice::Voice;
use crate::inbox::{Link, LinkState, PortState, StationDevices};
use crate::locales::Msg;

/// A small mark in the bar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Chip {
    pub(super) mark: &'static str,
    pub(super) words: &'static str,
}

/// The way to head office.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct LinkLine {
    /// Class: colour is never the only signal, so there is a sign too.
    pub(super) mark: &'static str,
    pub(super) sign: &'static str,
    pub(super) words: String,
    pub(super) short: String,
    pub(super) trouble: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) heard: String,
    pub(super) next: Option<String>,
}

/// The way to head office in words; `last` is the journal's last number.
pub(super) fn line(link: &Link, last: u64, v: &Voice, now_ms: i64) -> LinkLine {
    let since = v.time(&link.since_ms);
    let (mark, sign, words, short) = match link.state {
        LinkState::Absent => ("calm", "○", v.say(Msg::LinkAbsent).to_owned(), v.say(Msg::LinkAbsentShort)),
        LinkState::Pairing => ("warn", "◐", v.say(Msg::LinkPairing).to_owned(), v.say(Msg::LinkPairingShort)),
        LinkState::Online if link.trouble.is_some() || link.next_try_ms.is_some() => {
            let refused = link.trouble.is_some() && link.next_try_ms.is_some();
            let words = if refused { Msg::LinkOnlineNotTaken } else { Msg::LinkOnline };
            ("warn", "◐", v.with(words, since), v.say(Msg::LinkOnlineShort))
        }
        LinkState::Online => ("good", "●", v.with(Msg::LinkOnline, since), v.say(Msg::LinkOnlineShort)),
        LinkState::Offline => ("warn", "○", v.with(Msg::LinkOffline, since), v.say(Msg::LinkOfflineShort)),
    };
    let waiting = last.saturating_sub(link.received);
    let short = match link.state {
        LinkState::Absent => short.to_owned(),
        LinkState::Pairing | LinkState::Online | LinkState::Offline if waiting == 0 => short.to_owned(),
        LinkState::Pairing | LinkState::Online | LinkState::Offline => {
            let words = if waiting == 1 { Msg::RecordWaits } else { Msg::RecordsWait };
            format!("{short} · {}", v.with(words, waiting))
        }
    };
    LinkLine {
        mark,
        sign,
        words,
        short,
        trouble: link.trouble.clone(),
        fingerprint: link.fingerprint.clone().filter(|_| link.state == LinkState::Pairing),
        heard: link
            .heard_ms
            .map_or_else(|| v.say(Msg::HeardNever).to_owned(), |at| v.with(Msg::HeardAt, v.time(&at))),
        next: link.next_try_ms.map(|at| v.with(Msg::NextTry, at.saturating_sub(now_ms).max(0) / 1000)),
    }
}

/// A station's devices as small marks.
pub(super) fn chips(devices: &StationDevices, v: &Voice) -> Vec<Chip> {
    let chip = |state: &PortState, [ready, absent, asks, gone]: [Msg; 4]| match state {
        PortState::Ready => Chip { mark: "good", words: v.say(ready) },
        PortState::Absent => Chip { mark: "calm", words: v.say(absent) },
        PortState::Asks(_) | PortState::Held(_) | PortState::Jammed(_) => {
            Chip { mark: "warn", words: v.say(asks) }
        }
        PortState::Gone(_) => Chip { mark: "bad", words: v.say(gone) },
    };
    let mut chips = vec![
        chip(&devices.scanner, [Msg::ScannerReady, Msg::ScannerAbsent, Msg::ScannerAsks, Msg::ScannerGone]),
        chip(&devices.printer, [Msg::PrinterReady, Msg::PrinterAbsent, Msg::PrinterAsks, Msg::PrinterGone]),
    ];
    // Few counters have one: where there is none, nothing is missing.
    if devices.display != PortState::Absent {
        let words = [Msg::DisplayReady, Msg::DisplayGone, Msg::DisplayGone, Msg::DisplayGone];
        chips.push(chip(&devices.display, words));
    }
    if devices.drawer != PortState::Absent {
        let words = [Msg::DrawerReady, Msg::DrawerGone, Msg::DrawerGone, Msg::DrawerGone];
        chips.push(chip(&devices.drawer, words));
    }
    chips
}

/// Whether a receipt stands still in a station's printer, and a person may give it up.
pub(super) fn holds_paper(devices: &StationDevices) -> bool {
    matches!(devices.printer, PortState::Held(_))
}

/// Whether a station's printer is jammed, and goes on when a person says that it is free.
pub(super) fn is_jammed(devices: &StationDevices) -> bool {
    matches!(devices.printer, PortState::Jammed(_))
}

/// What a person has to see to, in sentences.
pub(super) fn troubles(devices: &StationDevices, v: &Voice) -> Vec<String> {
    let trouble = |state: &PortState, frame: Msg| match state {
        PortState::Ready | PortState::Absent => None,
        PortState::Asks(why) | PortState::Held(why) | PortState::Jammed(why) | PortState::Gone(why) => {
            Some(v.with(frame, v.device(why)))
        }
    };
    let all = [
        trouble(&devices.scanner, Msg::ScannerTrouble),
        trouble(&devices.printer, Msg::PrinterTrouble),
        trouble(&devices.display, Msg::DisplayTrouble),
        trouble(&devices.drawer, Msg::DrawerTrouble),
    ];
    all.into_iter().flatten().collect()
}
