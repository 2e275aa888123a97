//! The figures on top of the manager's page, and the picture of how far head office is.

use super::scene::{Scene, Waiting};
use super::speech::limit_mark;
use crate::inbox::LinkState;
use crate::locales::Msg;
use crate::money::Money;
use crate::pages::voice::Voice;
use crate::view::{Disk, DiskState};

/// How wide the picture is, in its own units.
const WIDE: u64 = 1000;

/// The least width of a part in which there is something: enough to be seen.
const LEAST: u64 = 24;

/// The longest age that is shown as a clock that runs; an older one is said in words.
const RUNS_MS: i64 = 3_600_000;

/// A figure with what stands above and below it.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) amounts: Vec<Words>,
    pub(super) below: Vec<Words>,
    pub(super) mark: &'static str,
    /// Unix milliseconds at which a limit is reached, with the clock as it stands now.
    pub(super) until: Option<(i64, String)>,
}

/// A few words that stay on one line, or as many as they need.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) words: String,
    /// An age that they end with: since when in Unix milliseconds, and the clock as it stands now.
    pub(super) since: Option<(i64, String)>,
}

impl From<String> for Words {
    fn from(words: String) -> Self {
        Self { words, since: None }
    }
}

impl Words {
    /// An age, at the end of the words that `say` makes of it.
    fn aged(at_ms: i64, v: &Voice, say: impl Fn(&str) -> String) -> Self {
        let age = v.since(at_ms);
        if age >= RUNS_MS {
            return say(&v.age(age)).into();
        }
        Self { words: say("").trim_end().to_owned(), since: Some((at_ms, v.clock(age))) }
    }
}

/// A part of the picture.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) x: u64,
    pub(super) width: u64,
    pub(super) words: String,
}

/// The figures, the most wanted first.
pub(super) fn figures(scene: &Scene, waiting: &Waiting, v: &Voice) -> Vec<Figure> {
    let mut figures = vec![unsent(scene, waiting, v), worth(waiting, v), at_risk(scene, v)];
    figures.extend(oldest(scene, v));
    figures.extend(scene.view.disk.as_ref().map(|disk| room(disk, v)));
    figures
}

fn unsent(scene: &Scene, waiting: &Waiting, v: &Voice) -> Figure {
    let received = scene.marks.received.min(scene.last);
    Figure {
        label: v.say(Msg::NotReceivedCount),
        amounts: vec![waiting.count.to_string().into()],
        below: vec![v.with2(Msg::ReceivedOf, received, scene.last).into()],
        mark: "",
        until: None,
    }
}

fn worth(waiting: &Waiting, v: &Voice) -> Figure {
    let amounts: Vec<Words> = waiting.value.iter().map(|sum| v.money(sum).into()).collect();
    let mut below = vec![v.with(Msg::InReceipts, waiting.receipts).into()];
    below.extend(waiting.oldest_ms.map(|at| Words::aged(at, v, |age| v.with(Msg::OldestWaits, age))));
    let amounts = if amounts.is_empty() { vec!["—".to_owned().into()] } else { amounts };
    Figure { label: v.say(Msg::WorthNotSent), amounts, below, mark: "", until: None }
}

fn at_risk(scene: &Scene, v: &Voice) -> Figure {
    let exposure = &scene.view.exposure;
    let most = Money::new(exposure.limits.at_risk_minor, exposure.at_risk.currency);
    let items = v.with2(Msg::AtRiskItems, exposure.items, exposure.limits.items_max);
    Figure {
        label: v.say(Msg::AtRisk),
        amounts: vec![v.money(&exposure.at_risk).into()],
        below: vec![v.with(Msg::OfAtMost, v.money(&most)).into(), items.into()],
        mark: limit_mark(exposure.standing.value.max(exposure.standing.items)),
        until: None,
    }
}

/// The age of the oldest at risk and the time without contact, whichever reaches its limit first. While head office is
/// heard no limit binds: then it is the age alone.
fn oldest(scene: &Scene, v: &Voice) -> Option<Figure> {
    let exposure = &scene.view.exposure;
    let ms = |seconds: u64| i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    let is_online = scene.link.state == LinkState::Online;
    let old = exposure.oldest_ms.map(|at| {
        let standing = exposure.standing.oldest;
        (Msg::OldestAtRisk, at, ms(exposure.limits.oldest_s), standing)
    });
    let silent = scene.link.heard_ms.filter(|_| scene.link.state == LinkState::Offline).map(|at| {
        let standing = exposure.standing.silence;
        (Msg::SilentFor, at, ms(exposure.limits.silent_s), standing)
    });
    let left = |at: i64, limit: i64| limit.saturating_sub(v.since(at));
    let (label, at, limit, standing) =
        old.into_iter().chain(silent).min_by_key(|(_, at, limit, _)| left(*at, *limit))?;
    let amounts = vec![Words::aged(at, v, ToOwned::to_owned)];
    let label = v.say(label);
    if is_online {
        return Some(Figure { label, amounts, below: Vec::new(), mark: "", until: None });
    }
    let left = left(at, limit);
    let below = v.say(if left > 0 { Msg::LimitIn } else { Msg::LimitIsReached }).to_owned();
    let until = (left > 0).then(|| (scene.now_ms.saturating_add(left), v.clock(left)));
    Some(Figure { label, amounts, below: vec![below.into()], mark: limit_mark(standing), until })
}

/// The disk left; what to do about it stands among the warnings.
fn room(disk: &Disk, v: &Voice) -> Figure {
    let (mark, below) = match disk.state {
        DiskState::Fine => ("", v.with(Msg::DiskFine, v.bytes(disk.floor_bytes))),
        DiskState::Low => ("warn", v.say(Msg::DiskLow).to_owned()),
        DiskState::Stopped => ("bad", v.say(Msg::DiskStopped).to_owned()),
    };
    let amounts = vec![v.bytes(disk.free_bytes).into()];
    Figure { label: v.say(Msg::DiskLeft), amounts, below: vec![below.into()], mark, until: None }
}

/// How far head office is, as one bar: ruled on, received, not received.
pub(super) fn picture(scene: &Scene, v: &Voice) -> Vec<Part> {
    let received = scene.marks.received.min(scene.last);
    let ruled = scene.marks.ruled.min(received);
    let counts = [
        ("ruled", Msg::BarRuled, ruled),
        ("received", Msg::BarReceived, received - ruled),
        ("recorded", Msg::BarRecorded, scene.last - received),
    ];
    let there = counts.iter().filter(|(_, _, count)| *count > 0).count();
    let spare = WIDE - LEAST * u64::try_from(there).unwrap_or(0);
    let mut x = 0;
    let part = |(class, msg, count): (&'static str, Msg, u64)| {
        let width = match count {
            0 => 0,
            count => LEAST + count.saturating_mul(spare) / scene.last.max(1),
        };
        let part = Part { class, x, width, words: v.with(msg, count) };
        x += width;
        part
    };
    counts.into_iter().map(part).collect()
}
