//! A line in memory: two ends in one process, with the same deadlines and the same way of going away.
//!
//! For tests and for devices that live beside their user. It paces nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Deadline, Link, LinkError};

/// Bytes one direction holds before its writer has to wait, as a serial driver's buffer would.
pub const CAPACITY_BYTES: usize = 4096;

#[derive(Debug, Default)]
struct Way {
    state: Mutex<WayState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct WayState {
    bytes: VecDeque<u8>,
    closed: bool,
}

impl Way {
    fn lock(&self) -> MutexGuard<'_, WayState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `ready` or closed, or until the deadline has passed.
    fn wait(&self, wait: Duration, ready: impl Fn(&WayState) -> bool) -> MutexGuard<'_, WayState> {
        let deadline = Deadline::after(wait);
        let mut state = self.lock();
        while !ready(&state) && !state.closed {
            let left = deadline.left();
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Both ways of a line, closed when an end is dropped.
#[derive(Debug)]
struct End {
    incoming: Arc<Way>,
    outgoing: Arc<Way>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.incoming.close();
        self.outgoing.close();
    }
}

/// One end of a line in memory. When the last clone of an end is dropped, the other end's device is gone.
#[derive(Debug, Clone)]
pub struct MemoryLink {
    end: Arc<End>,
}

/// A line: its two ends.
#[must_use]
pub fn pair() -> (MemoryLink, MemoryLink) {
    let (there, back) = (Arc::new(Way::default()), Arc::new(Way::default()));
    let end = |incoming: &Arc<Way>, outgoing: &Arc<Way>| MemoryLink {
        end: Arc::new(End { incoming: Arc::clone(incoming), outgoing: Arc::clone(outgoing) }),
    };
    (end(&there, &back), end(&back, &there))
}

impl Link for MemoryLink {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        let mut state = self.end.incoming.wait(wait, |state| !state.bytes.is_empty());
        if state.bytes.is_empty() {
            return if state.closed { Err(LinkError::Gone) } else { Ok(0) };
        }
        let count = buffer.len().min(state.bytes.len());
        for (place, byte) in buffer.iter_mut().zip(state.bytes.drain(..count)) {
            *place = byte;
        }
        self.end.incoming.changed.notify_all();
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<usize, LinkError> {
        let mut state = self.end.outgoing.wait(wait, |state| state.bytes.len() < CAPACITY_BYTES);
        if state.closed {
            return Err(LinkError::Gone);
        }
        let count = bytes.len().min(CAPACITY_BYTES - state.bytes.len());
        state.bytes.extend(&bytes[..count]);
        self.end.outgoing.changed.notify_all();
        Ok(count)
    }

    fn clone_link(&self) -> Result<Box<dyn Link>, LinkError> {
        Ok(Box::new(self.clone()))
    }

    fn discard(&mut self) {
        self.end.outgoing.lock().bytes.clear();
        self.end.outgoing.changed.notify_all();
    }
}

/// Where a device in memory can be plugged in, over and over. Its clones are the same socket.
#[derive(Debug, Clone, Default)]
pub struct Socket {
    plugged: Arc<Mutex<Option<MemoryLink>>>,
}

impl Socket {
    /// An empty socket.
    #[must_use]
    pub fn new() -> Socket {
        Socket::default()
    }

    /// Plugs a device in and returns the device's end. Dropping that end pulls it out.
    #[must_use]
    pub fn plug(&self) -> MemoryLink {
        let (device, host) = pair();
        *self.plugged.lock().unwrap_or_else(PoisonError::into_inner) = Some(host);
        device
    }

    pub(super) fn open(&self) -> Result<Box<dyn Link>, LinkError> {
        match self.plugged.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(link) => Ok(Box::new(link)),
            None => Err(LinkError::NotFound { address: "memory".to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(5);

    #[test]
    fn bytes_arrive_in_order_and_a_full_line_takes_no_more() {
        let (mut device, mut host) = pair();
        let long = vec![7; CAPACITY_BYTES + 10];
        assert_eq!(host.write(&long, SHORT).unwrap(), CAPACITY_BYTES);
        assert_eq!(host.write(&long, SHORT).unwrap(), 0);
        let mut buffer = [0; 100];
        assert_eq!(device.read(&mut buffer, SHORT).unwrap(), 100);
        assert_eq!(host.write(&long, SHORT).unwrap(), 100);
    }

    #[test]
    fn an_end_that_is_dropped_is_gone_for_the_other_after_its_last_bytes() {
        let (mut device, mut host) = pair();
        device.write(b"last", SHORT).unwrap();
        drop(device);
        let mut buffer = [0; 100];
        assert_eq!(host.read(&mut buffer, SHORT).unwrap(), 4);
        assert!(matches!(host.read(&mut buffer, SHORT), Err(LinkError::Gone)));
        assert!(matches!(host.write(b"x", SHORT), Err(LinkError::Gone)));
    }
}
