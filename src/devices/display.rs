//! A customer display: the latest view of a station as two lines of twenty characters.
//!
//! A display is shown what is, not what happened: frames that were overtaken are never sent, and a display that was
//! pulled out is drawn anew when it is back. Not here: the display in a browser (`pages`), and the bytes
//! (`hardware::display`).

mod face;

use super::lamp::Lamp;
use super::words::sentence;
use super::{Config, DisplayConfig, told_to_stop};
use crate::inbox::{Board, PortState};
use crate::record::ids::{SaleId, StationId};
use crate::view::View;
use face::Face;
use hardware::display::{Frame, begin, encode};
use hardware::link::{Port, PortConfig, PortEvent, PortHandle, Raw, Written};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two frames. A frame is 50 ms on a line of 9600 baud, and nobody reads faster than this.
const PACE: Duration = Duration::from_millis(100);

/// How long a line that takes nothing is waited for before the frame is given up: two lines are small.
const STALL: Duration = Duration::from_secs(1);

/// A display that runs.
pub(super) struct Display {
    port: Arc<PortHandle>,
    /// The number of the opening under way; none while the display is away. After each opening it shows nothing of
    /// what it was told before.
    opening: watch::Receiver<Option<u64>>,
    view: watch::Receiver<Arc<View>>,
    station: StationId,
    config: DisplayConfig,
    face: Face,
    lamp: Lamp,
    /// The payment under show, and when it has been shown long enough.
    paid: Option<(SaleId, Instant)>,
}

/// Starts driving a display.
pub(super) fn start(
    config: &Config,
    display: &DisplayConfig,
    station: &StationId,
    board: &Board,
    lamp: &Lamp,
) -> io::Result<Display> {
    lamp.show(PortState::Gone("The display is being looked for.".to_owned()));
    let (openings, opening) = watch::channel(None);
    let mut opened = 0;
    let for_port = lamp.clone();
    let port = PortConfig { reopen: config.reopen, ..PortConfig::new(display.address.clone()) };
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
    Ok(Display {
        port: Arc::new(port),
        opening,
        view: board.view.clone(),
        station: station.clone(),
        config: display.clone(),
        face: Face::new(display),
        lamp: lamp.clone(),
        paid: None,
    })
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
                tokio::select! {
                    () = tokio::time::sleep(PACE) => continue,
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
        self.port.stop();
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
    async fn send(&self, frame: Frame, shown: Option<Frame>) -> Option<Frame> {
        let profile = self.config.profile;
        let mut bytes = if shown.is_none() { begin(profile) } else { vec![] };
        bytes.extend(encode(&frame, shown.as_ref(), profile));
        if bytes.is_empty() {
            return Some(frame);
        }
        let port = Arc::clone(&self.port);
        match tokio::task::spawn_blocking(move || port.write(bytes, STALL)).await {
            Ok(Written::All) => {
                self.lamp.show(PortState::Ready);
                Some(frame)
            }
            Ok(Written::Partly { why, .. }) => {
                tracing::debug!(station = self.station.as_str(), %why, "A frame did not reach the display.");
                // It comes again with the next opening or the next turn, and never faster than the pace.
                None
            }
            Err(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
