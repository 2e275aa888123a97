//! The virtual printer's thread: takes bytes in, works them off, answers, and does as its health allows.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::health::Health;
use super::{Busy, Handshake, PrinterOptions, Shared, State, When};
use crate::link::Deadline;
use crate::sim::boundary::Boundary;
use crate::sim::interpreter::{Answer, Interpreter};
use crate::sim::paper::PaperError;
use crate::sim::pty::Pty;
use crate::sim::real_time::{RealTime, Sorted};

/// How long a read waits, and so how soon the printer notices what happens to it.
const TICK: Duration = Duration::from_millis(50);
/// A start bit, eight bits, a stop bit.
const BITS_A_BYTE: u64 = 10;
/// A printer asks its host to wait while this many bytes still fit, and lets it go on at twice as many. 256 and 512
/// are what Epson's EPL/SQ manual gives; a small buffer takes its quarter.
const ROOM_BYTES: usize = 256;

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// The printer's own thread and what only it touches.
pub(super) struct Machine {
    shared: Arc<Shared>,
    options: PrinterOptions,
    spool: File,
    interpreter: Interpreter,
    buffer: VecDeque<u8>,
    real_time: RealTime,
    boundary: Boundary,
    /// What forgets itself with the power.
    set: Settings,
    /// Its health when it was last told.
    told: Health,
    /// XOFF was sent.
    host_waits: bool,
}

#[derive(Debug, Default)]
struct Settings {
    /// `GS a`: it tells of changes by itself.
    status_back: u8,
    /// `GS ( H` function 49.
    offline_id: Option<[u8; 4]>,
    /// `GS ( D`: `DLE DC4` function 1 is not obeyed.
    no_pulses: bool,
}

impl Machine {
    pub(super) fn new(shared: Arc<Shared>, options: PrinterOptions, spool: File) -> Machine {
        Machine {
            shared,
            options,
            spool,
            interpreter: Interpreter::new(options.width_dots),
            buffer: VecDeque::new(),
            real_time: RealTime::default(),
            boundary: Boundary::default(),
            set: Settings::default(),
            told: Health::default(),
            host_waits: false,
        }
    }

    pub(super) fn run(mut self) {
        let mut pty: Option<Pty> = None;
        let mut chunk = [0; 256];
        let at_once = self.bytes_at_once().min(chunk.len());
        loop {
            if !self.look_around(&mut pty) {
                return;
            }
            let Some(open) = &mut pty else {
                self.rest(TICK);
                continue;
            };
            self.tell(open);
            self.work_off(open);
            self.hold_or_release(open);
            if !self.takes_bytes() {
                self.rest(TICK);
                continue;
            }
            match open.read(&mut chunk[..at_once], TICK) {
                Ok(0) => {}
                Ok(count) => {
                    self.take_in(open, &chunk[..count]);
                    self.work_off(open);
                    self.pace(count);
                }
                // The host's side cannot hang up while we hold it open; whatever this is, do not spin on it.
                Err(_) => self.rest(TICK),
            }
        }
    }

    /// Notices plugs, power and the end; `false` is the end.
    fn look_around(&mut self, pty: &mut Option<Pty>) -> bool {
        let mut state = self.shared.lock();
        if state.stop {
            return false;
        }
        let unplugged = std::mem::take(&mut state.unplug);
        if unplugged {
            *pty = None;
        }
        if std::mem::take(&mut state.forgets) || unplugged {
            std::mem::swap(&mut state.paper, self.interpreter.paper());
            self.interpreter.power_cycle();
            std::mem::swap(&mut state.paper, self.interpreter.paper());
            if let Some(line) = &mut state.line {
                line.power_cycle();
            }
            self.buffer.clear();
            self.real_time = RealTime::default();
            self.boundary.reset();
            self.set = Settings::default();
            // A host that was asked to wait is told when the power is back.
            self.host_waits |= self.options.handshake == Handshake::XonXoff;
        }
        if let Some(fresh) = state.plugged.take() {
            *pty = Some(fresh);
        }
        drop(state);
        if unplugged {
            self.shared.changed.notify_all();
        }
        true
    }

    /// Whether it takes bytes off the line.
    fn takes_bytes(&self) -> bool {
        let state = self.shared.lock();
        match self.options.handshake {
            Handshake::XonXoff | Handshake::Nothing => true,
            Handshake::Line => {
                let busy = self.options.busy == Busy::FullOrOffline && state.health.is_offline();
                state.health.powered
                    && !state.health.stalled
                    && !busy
                    && self.buffer.len() < self.options.buffer_bytes
            }
        }
    }

    /// Sends XOFF or XON when it is time.
    fn hold_or_release(&mut self, pty: &mut Pty) {
        if self.options.handshake != Handshake::XonXoff {
            return;
        }
        let health = self.shared.lock().health;
        let room = ROOM_BYTES.min(self.options.buffer_bytes / 4);
        let free = self.options.buffer_bytes.saturating_sub(self.buffer.len());
        let wanted = if self.host_waits { free < room * 2 } else { free <= room };
        let busy = self.options.busy == Busy::FullOrOffline && health.is_offline();
        let waits = wanted || busy || health.stalled;
        if health.powered && waits != self.host_waits {
            self.host_waits = waits;
            if waits || !std::mem::take(&mut self.shared.lock().health.xon_lost) {
                let _ = pty.write(&[if waits { XOFF } else { XON }]);
            }
        }
    }

    /// What arrives in about 10 ms at the printer's rate.
    fn bytes_at_once(&self) -> usize {
        match self.options.baud {
            0 => usize::MAX,
            baud => usize::try_from(u64::from(baud) / BITS_A_BYTE / 100).unwrap_or(1).max(1),
        }
    }

    fn pace(&self, count: usize) {
        if self.options.baud > 0 {
            let bits = u64::try_from(count).unwrap_or(0) * BITS_A_BYTE;
            self.rest(Duration::from_micros(bits * 1_000_000 / u64::from(self.options.baud)));
        }
    }

    /// Waits, or until somebody stops or unplugs the printer or something else happens to it.
    fn rest(&self, wait: Duration) {
        let deadline = Deadline::after(wait);
        let mut state = self.shared.lock();
        while !state.stop && !state.unplug && state.plugged.is_none() {
            let left = deadline.left();
            if left.is_zero() {
                return;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes bytes off the line: real-time commands are obeyed here and now, the rest waits its turn.
    fn take_in(&mut self, pty: &mut Pty, bytes: &[u8]) {
        let _ = self.spool.write_all(bytes);
        let powered = self.shared.lock().health.powered;
        let for_printer: Vec<u8> = match &mut self.shared.lock().line {
            Some(line) => bytes.iter().filter(|_| powered).flat_map(|byte| line.push(*byte)).collect(),
            None => bytes.iter().filter(|_| powered).copied().collect(),
        };
        for byte in for_printer {
            match self.real_time.push(byte) {
                Sorted::Bytes(bytes) => {
                    for byte in bytes {
                        self.boundary.push(byte);
                        if self.buffer.len() < self.options.buffer_bytes {
                            self.buffer.push_back(byte);
                        } else if self.options.handshake == Handshake::Line {
                            // What was read at once with the last byte that fits.
                            self.buffer.push_back(byte);
                        } else {
                            self.shared.lock().overrun += 1;
                        }
                    }
                }
                Sorted::Question(n) => {
                    let answer = self.shared.lock().health.answer(n);
                    self.say(pty, &[answer]);
                }
                Sorted::Recover => self.shared.lock().health.recover(),
                Sorted::RecoverEmpty => {
                    self.shared.lock().health.recover();
                    self.forget();
                }
                Sorted::Clear => {
                    self.forget();
                    self.say(pty, &[0x37, 0x25, 0]);
                }
                Sorted::Pulse { pin, tenths } => self.pulse_at_once(pin, tenths),
            }
        }
        let mut state = self.shared.lock();
        state.received += u64::try_from(bytes.len()).unwrap_or(0);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// `DLE DC4 1`: obeyed off line too, and not in an error. Within another command it is obeyed, and a mistake of
    /// whoever sent it.
    fn pulse_at_once(&mut self, pin: u8, tenths: u8) {
        let mut state = self.shared.lock();
        if self.boundary.is_within() {
            let what = "a real-time pulse within another command".to_owned();
            let offset = state.received;
            state.paper.errors.push(PaperError { offset, what });
        }
        if !self.set.no_pulses && !state.health.has_error() {
            state.paper.pulse_at_once(pin, tenths);
            state.health.pulse();
        }
    }

    /// Empties the buffer; what is half said is forgotten too.
    fn forget(&mut self) {
        self.buffer.clear();
        self.boundary.reset();
        let mut state = self.shared.lock();
        std::mem::swap(&mut state.paper, self.interpreter.paper());
        self.interpreter.power_cycle();
        std::mem::swap(&mut state.paper, self.interpreter.paper());
    }

    /// Prints what waits, until something holds the printer.
    fn work_off(&mut self, pty: &mut Pty) {
        while !self.buffer.is_empty() {
            let shared = Arc::clone(&self.shared);
            let answer = {
                let mut state = shared.lock();
                if state.health.holds() || state.forgets {
                    return;
                }
                self.work_until_answer(&mut state)
            };
            self.shared.changed.notify_all();
            if let Some(answer) = answer {
                self.answer(pty, answer);
            }
            self.tell(pty);
        }
    }

    /// Prints until a command wants an answer, something happens, or nothing is left.
    fn work_until_answer(&mut self, state: &mut State) -> Option<Answer> {
        while let Some(byte) = self.buffer.pop_front() {
            let pulses = state.paper.pulses.len();
            // The paper lives where others can look at it, and moves over here for the time of printing.
            std::mem::swap(&mut state.paper, self.interpreter.paper());
            let answer = self.interpreter.push(byte);
            std::mem::swap(&mut state.paper, self.interpreter.paper());
            if state.paper.pulses.len() > pulses {
                state.health.pulse();
            }
            state.worked += 1;
            if self.plans_come_true(state) || answer.is_some() {
                return answer;
            }
        }
        None
    }

    fn plans_come_true(&self, state: &mut State) -> bool {
        if state.plans.is_empty() {
            return false;
        }
        let (worked, lines) = (state.worked, state.lines());
        let cuts = state.paper.cut_sheets().count();
        let (now, later): (Vec<_>, Vec<_>) = state.plans.drain(..).partition(|(when, _)| match when {
            When::Bytes(at) => worked >= *at,
            When::Lines(at) => lines >= *at,
            When::Cuts(at) => cuts >= *at,
        });
        state.plans = later;
        now.iter().for_each(|(_, happening)| state.happen(*happening));
        !now.is_empty()
    }

    /// Answers a command of the job.
    fn answer(&mut self, pty: &mut Pty, answer: Answer) {
        match answer {
            Answer::PaperSensor => {
                let sensor = self.shared.lock().health.paper_sensor();
                self.say(pty, &[sensor]);
            }
            Answer::DrawerSensor => {
                let level = self.shared.lock().health.drawer_level();
                self.say(pty, &[u8::from(level)]);
            }
            Answer::StatusBack(of) => {
                self.set.status_back = of;
                if of != 0 {
                    let packet = self.shared.lock().health.packet();
                    self.say(pty, &packet);
                }
            }
            Answer::Identity(n) => self.say_who(pty, n),
            Answer::ProcessId(id) => self.say_block(pty, &[b"\x37\x22", id.as_slice()].concat()),
            Answer::OfflineId(id) => self.set.offline_id = Some(id),
            Answer::RealTime { function: 1, obeyed } => self.set.no_pulses = !obeyed,
            Answer::RealTime { .. } => {}
        }
    }

    /// `GS I`: 1 to 3 in one byte, 65 to 69 in words.
    fn say_who(&mut self, pty: &mut Pty, n: u8) {
        match n {
            1 | 49 => self.say(pty, &[0x20]),
            // It has a knife, and no customer display.
            2 | 50 => self.say(pty, &[0x02]),
            3 | 51 => self.say(pty, &[0x01]),
            65 => self.say_block(pty, b"\x5f1.00"),
            66 => self.say_block(pty, b"\x5fTILL"),
            67 => self.say_block(pty, b"\x5fVIRTUAL"),
            68 => self.say_block(pty, b"\x5f000001"),
            _ => self.say_block(pty, b"\x5fCHINA GB18030"),
        }
    }

    /// Sends a block and its NUL; an old packet may slip into it.
    fn say_block(&mut self, pty: &mut Pty, block: &[u8]) {
        let mut said = block.to_vec();
        said.push(0);
        let mut state = self.shared.lock();
        if std::mem::take(&mut state.health.packet_slips_in) {
            let packet = state.health.packet();
            said.splice(2..2, packet);
        }
        drop(state);
        self.say(pty, &said);
    }

    /// Tells of a change by itself.
    fn tell(&mut self, pty: &mut Pty) {
        let health = self.shared.lock().health;
        if health == self.told {
            return;
        }
        let before = std::mem::replace(&mut self.told, health);
        if self.set.status_back != 0 && before.packet() != health.packet() {
            self.say(pty, &health.packet());
        }
        if health.is_offline()
            && !before.is_offline()
            && let Some(id) = self.set.offline_id
        {
            self.say_block(pty, &[b"\x37\x23", id.as_slice()].concat());
        }
        self.shared.changed.notify_all();
    }

    /// Sends to the host, unless this answer is lost on the way. One that cannot be sent is lost too, as on a real
    /// line.
    fn say(&mut self, pty: &mut Pty, bytes: &[u8]) {
        let gets_through = self.shared.lock().health.answer_gets_through();
        if gets_through {
            let _ = pty.write(bytes);
        }
    }
}
