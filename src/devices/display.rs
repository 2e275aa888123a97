//! A customer display: the latest view of a station as two lines of twenty characters.
//!
//! A display is shown what is, not what happened: frames that were overtaken are never sent, and a display that was
//! pulled out is drawn anew when it is back. Not here: the display in a browser (`pages`), and the bytes
//! (`hardware::display`).

mod face;

use super::lamp::Lamp;
use super::printer::Running;
use super::words::sentence;
use super::{Config, DisplayConfig, told_to_stop};
use crate::inbox::{Board, PortState};
use crate::record::ids::{SaleId, StationId};
use crate::view::View;
use face::Face;
use hardware::display::{DisplayProfile, Frame, begin, encode};
use hardware::link::{Address, Port, PortConfig, PortEvent, PortHandle, Raw, Written};
use hardware::printer::{JobOutcome, PrinterHandle};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two frames. A frame is 50 ms on a line of 9600 baud, and nobody reads faster than this.
const PACE: Duration = Duration::from_millis(100);

/// How long a line that takes nothing is waited for before the frame is given up: two lines are small.
const STALL: Duration = Duration::from_secs(1);

/// How many frames may be given to a printer that does not print: they wait in its buffer, and one that is full is held.
const FRAMES_HELD_MAX: u32 = 16;

/// How a display is reached.
pub(super) enum Way {
    /// On a line of its own.
    Port(Arc<PortHandle>),
    /// On the line of a printer, which lets a frame through between two jobs.
    Printer(Arc<PrinterHandle>),
}

impl Way {
    /// The line of a printer that runs, and its openings.
    pub(super) fn of_printer(printer: &Running) -> (Way, watch::Receiver<Option<u64>>) {
        (Way::Printer(Arc::clone(&printer.handle)), printer.opening.clone())
    }
}

/// A display that runs.
pub(super) struct Display {
    way: Way,
    /// The number of the opening under way; none while the display is away. After each opening it shows nothing of
    /// what it was told before.
    opening: watch::Receiver<Option<u64>>,
    view: watch::Receiver<Arc<View>>,
    station: StationId,
    config: DisplayConfig,
    profile: DisplayProfile,
    face: Face,
    lamp: Lamp,
    /// The payment under show, and when it has been shown long enough.
    paid: Option<(SaleId, Instant)>,
    /// How soon a frame that did not get through is tried again.
    again: Duration,
    /// Frames given to a printer since it last could print.
    held: u32,
}

/// Starts driving a display; `printer` is the printer's line, for one that has none of its own.
pub(super) fn start(
    config: &Config,
    display: &DisplayConfig,
    printer: Option<(Way, watch::Receiver<Option<u64>>)>,
    station: &StationId,
    board: &Board,
    lamp: &Lamp,
) -> io::Result<Display> {
    lamp.show(PortState::Gone("The display is being looked for.".to_owned()));
    let (way, opening, profile, again) = match (&display.address, printer) {
        (Some(address), _) => {
            let (port, opening) = open(config, address, lamp)?;
            (Way::Port(Arc::new(port)), opening, display.profile.clone(), PACE)
        }
        (None, Some((way, opening))) => {
            (way, opening, display.profile.on_shared_line(), config.printer_poll.max(PACE))
        }
        (None, None) => return Err(io::Error::other("the printer whose line it shares is not driven")),
    };
    Ok(Display {
        way,
        opening,
        view: board.view.clone(),
        station: station.clone(),
        config: display.clone(),
        profile,
        face: Face::new(display),
        lamp: lamp.clone(),
        paid: None,
        again,
        held: 0,
    })
}

/// Keeps a line of the display's own.
fn open(
    config: &Config,
    address: &Address,
    lamp: &Lamp,
) -> io::Result<(PortHandle, watch::Receiver<Option<u64>>)> {
    let (openings, opening) = watch::channel(None);
    let mut opened = 0;
    let for_port = lamp.clone();
    let port = PortConfig { reopen: config.reopen, ..PortConfig::new(address.clone()) };
    let port = Port::start(port, Raw, move |event| match event {
        PortEvent::Opened => {
            for_port.show(PortState::Ready);
            opened += 1;
            openings.send_replace(Some(opened));
        }
        PortEvent::Gone { reason } => {
            for_port.show(PortState::Gone(sentence(&reason)));
            openings.send_replace(None);
        }
        // A display says nothing that is waited for.
        PortEvent::Received(_) => {}
    })?;
    Ok((port, opening))
}

impl Display {
    /// Shows until the till stops.
    pub(super) async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut shown: Option<Frame> = None;
        let mut drawn_on = None;
        loop {
            let opening = *self.opening.borrow_and_update();
            if opening != drawn_on {
                (drawn_on, shown) = (opening, None);
            }
            let (frame, until) = self.frame();
            if opening.is_some() && shown.as_ref() != Some(&frame) {
                shown = self.send(frame, shown).await;
                let pause = if shown.is_some() { PACE } else { self.again };
                tokio::select! {
                    () = tokio::time::sleep(pause) => continue,
                    () = told_to_stop(&mut shutdown) => break,
                }
            }
            let over = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.view.changed() => if changed.is_err() { break },
                changed = self.opening.changed() => if changed.is_err() { break },
                () = over => {}
                () = told_to_stop(&mut shutdown) => break,
            }
        }
        // What the customer sees last is not the last customer's bill.
        if drawn_on.is_some() {
            let shop = self.view.borrow().shop.clone();
            let _ = self.send(self.face.idle(&shop), shown).await;
        }
        match &self.way {
            Way::Port(port) => port.stop(),
            // The printer's own worker ends it.
            Way::Printer(_) => {}
        }
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// What is to be seen now, and until when if time alone changes it.
    fn frame(&mut self) -> (Frame, Option<Instant>) {
        let view = Arc::clone(&self.view.borrow_and_update());
        let here = view.stations.get(&self.station);
        let Some(paid) = here.filter(|here| here.sale.is_none()).and_then(|here| here.paid.as_ref()) else {
            self.paid = None;
            let frame = match here.and_then(|here| here.sale.as_ref()) {
                Some(sale) => self.face.sale(sale),
                None => self.face.idle(&view.shop),
            };
            return (frame, None);
        };
        let until = match self.paid {
            Some((sale, until)) if sale == paid.sale => until,
            Some(_) | None => Instant::now() + self.config.paid,
        };
        self.paid = Some((paid.sale, until));
        if until <= Instant::now() {
            return (self.face.idle(&view.shop), None);
        }
        (self.face.paid(paid), Some(until))
    }

    /// Sends what has changed; what is shown is not known when the line did not take all of it.
    async fn send(&mut self, frame: Frame, shown: Option<Frame>) -> Option<Frame> {
        // Of a display behind a printer nobody hears whether it was off: it is told all of it each time.
        let known = match self.way {
            Way::Port(_) => shown.as_ref(),
            Way::Printer(_) => None,
        };
        let mut bytes = if shown.is_none() { begin(&self.profile) } else { vec![] };
        bytes.extend(encode(&frame, known, &self.profile));
        if bytes.is_empty() {
            return Some(frame);
        }
        let taken = match &self.way {
            Way::Port(port) => {
                let port = Arc::clone(port);
                let written = tokio::task::spawn_blocking(move || port.write(bytes, STALL)).await;
                matches!(written, Ok(Written::All))
            }
            Way::Printer(printer) => {
                let printer = Arc::clone(printer);
                self.held = if printer.status().can_print() { 0 } else { self.held.saturating_add(1) };
                if self.held > FRAMES_HELD_MAX {
                    return None;
                }
                let outcome = tokio::task::spawn_blocking(move || printer.show(bytes)).await;
                matches!(outcome, Ok(JobOutcome::Confirmed))
            }
        };
        if taken {
            self.lamp.show(PortState::Ready);
            return Some(frame);
        }
        if let Way::Printer(_) = self.way {
            self.lamp.show(PortState::Gone("The printer's line takes nothing just now.".to_owned()));
        }
        // It comes again with the next opening or the next turn, and never faster than the pace.
        tracing::debug!(station = self.station.as_str(), "A frame did not reach the display.");
        None
    }
}

#[cfg(test)]
mod tests;
