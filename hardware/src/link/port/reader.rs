//! The reading half of a port: opens its link, frames what comes in, and waits for a device that is away.
//!
//! Not here: what is written (`writer`), and what a watch over a name is (`link::watch`).

use std::time::Duration;

use super::{Decode, PortConfig, PortEvent, Shared};
use crate::link::watch::Watch;
use crate::link::{Deadline, Link, LinkError, Stopwatch};

/// How soon a reader notices that it is asked to stop.
const READ_WAIT: Duration = Duration::from_millis(100);
/// What is read at once.
const READ_BYTES: usize = 1024;
/// Between a device's going and the first look for it: a plug that is pushed in makes and breaks contact for a while.
const SETTLE: Duration = Duration::from_millis(20);
/// A link that lasted less than this is looked for no sooner than the configuration says, so that a device which is
/// there and always fails does not keep the machine busy.
const LASTED: Duration = Duration::from_secs(1);
/// How often a device is looked for whose name is watched: the kernel tells, this is for what it may have missed.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);

/// Opens the link, reads until the device is gone, and looks for it again, until the port is stopped.
pub(super) fn run_reader<D: Decode>(
    shared: &Shared,
    config: &PortConfig,
    mut decoder: D,
    mut on_event: impl FnMut(PortEvent<D::Item>),
) {
    let mut last_reason = None;
    let mut watch = None;
    loop {
        let wait = match config.address.open().and_then(|link| Ok((link.clone_link()?, link))) {
            Ok((for_writer, mut link)) => {
                watch = None;
                let opened = Stopwatch::start();
                let opening = lend(shared, for_writer);
                decoder.reset();
                on_event(PortEvent::Opened);
                let reason = read_until_gone(shared, opening, link.as_mut(), &mut decoder, &mut on_event);
                take_back(shared, opening);
                let Some(reason) = reason else { return };
                // The device cannot take what is left; closing must not wait for it.
                link.discard();
                drop(link);
                decoder.cut(&mut |item| on_event(PortEvent::Received(item)));
                last_reason = Some(reason.clone());
                on_event(PortEvent::Gone { reason });
                if opened.elapsed() < LASTED { config.reopen } else { Duration::ZERO }
            }
            Err(error) => {
                let reason = in_words(&error);
                if last_reason.as_ref() != Some(&reason) {
                    // After "went away" comes "is not there", which says nothing new.
                    let news = last_reason.is_none() || !matches!(error, LinkError::NotFound { .. });
                    last_reason = Some(reason.clone());
                    if news {
                        on_event(PortEvent::Gone { reason });
                    }
                }
                match (&error, &watch) {
                    (LinkError::NotFound { .. }, Some(_)) => LOOK_ANYWAY,
                    // A watch is about to begin: what came before it is looked for once more.
                    (LinkError::NotFound { .. }, None) => Duration::ZERO,
                    _ => config.reopen,
                }
            }
        };
        let wait = if watch.is_some() || begin_watch(&mut watch, config) { wait } else { config.reopen };
        if !away(shared, watch.as_mut(), wait) {
            return;
        }
    }
}

/// Whether the device's name is watched from now on.
fn begin_watch(watch: &mut Option<Watch>, config: &PortConfig) -> bool {
    *watch = config.address.watch();
    watch.is_some()
}

/// Lets the writer have its clone of a link that was just opened, and counts the opening.
fn lend(shared: &Shared, for_writer: Box<dyn Link>) -> u64 {
    let mut state = shared.lock();
    state.opening += 1;
    state.link = Some(for_writer);
    let opening = state.opening;
    drop(state);
    shared.changed.notify_all();
    opening
}

/// Takes the link from the writer: a writer that still holds its clone must not give it back.
fn take_back(shared: &Shared, opening: u64) {
    let mut state = shared.lock();
    state.link = None;
    state.dead = Some(opening);
}

/// Waits for a device that is away: until its name means something else, or until `wait` has passed. Never shorter
/// than [`SETTLE`]. Says whether the port goes on.
fn away(shared: &Shared, watch: Option<&mut Watch>, wait: Duration) -> bool {
    let deadline = Deadline::after(wait.max(SETTLE));
    let Some(watch) = watch else { return shared.pause(wait.max(SETTLE)) };
    if !shared.pause(SETTLE) {
        return false;
    }
    while !deadline.has_passed() && !watch.wait(deadline.left().min(READ_WAIT)) {
        if shared.lock().stop {
            return false;
        }
    }
    !shared.lock().stop
}

/// Reads until the device is gone, and says why; none if the port is stopped.
fn read_until_gone<D: Decode>(
    shared: &Shared,
    opening: u64,
    link: &mut dyn Link,
    decoder: &mut D,
    on_event: &mut impl FnMut(PortEvent<D::Item>),
) -> Option<String> {
    /// A wait of nothing would be a busy loop.
    const LEAST: Duration = Duration::from_millis(1);
    let mut buffer = [0; READ_BYTES];
    let mut silence = Stopwatch::start();
    loop {
        {
            let state = shared.lock();
            if state.stop {
                return None;
            }
            if state.dead == Some(opening) {
                return Some(in_words(&LinkError::Gone));
            }
        }
        let quiet_in = decoder.quiet_after().map(|after| after.saturating_sub(silence.elapsed()));
        match link.read(&mut buffer, quiet_in.unwrap_or(READ_WAIT).clamp(LEAST, READ_WAIT)) {
            Ok(0) => {
                if decoder.quiet_after().is_some_and(|after| silence.elapsed() >= after) {
                    decoder.quiet(&mut |item| on_event(PortEvent::Received(item)));
                }
            }
            Ok(count) => {
                decoder.decode(&buffer[..count], &mut |item| on_event(PortEvent::Received(item)));
                // After the callback: while it works, nobody listens to the line.
                silence = Stopwatch::start();
            }
            Err(error) => return Some(in_words(&error)),
        }
    }
}

fn in_words(error: &LinkError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
