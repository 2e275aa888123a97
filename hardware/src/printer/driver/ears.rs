//! What a driver has heard from its printer, sorted by what it may be waiting for.
//!
//! Bytes come in whenever the printer likes; what they prove about a job is in `word`.

use std::collections::VecDeque;

use crate::printer::status::{PrinterStatus, Reply, StatusDecoder};

/// Answers to `DLE EOT` that wait to be looked at. One question is out at a time; more are late or noise.
const MAX_ANSWERS: usize = 16;

/// The first bytes of an answer to `GS ( H` function 48. Epson TM-L90 specification, p. 429.
const PROCESS_ID: [u8; 2] = [0x37, 0x22];

/// Listens.
#[derive(Debug, Default)]
pub(super) struct Ears {
    decoder: StatusDecoder,
    /// The printer's health by the newest word, asked for or not.
    pub(super) status: PrinterStatus,
    /// Its health by its last packet on this opening.
    pub(super) told: Option<PrinterStatus>,
    /// Its last packet on this opening.
    packet: Option<[u8; 4]>,
    /// Whether that packet said the same as the one before. A printer that tells of changes by itself never does this
    /// unasked.
    pub(super) repeated: bool,
    /// The word of this printer is such a packet, and answers in order are none of ours.
    pub(super) by_packets: bool,
    /// Answers to `DLE EOT`, oldest first.
    pub(super) answers: VecDeque<u8>,
    /// Fences sent on this opening whose answers may still come. An answer that comes late belongs to an older job.
    pub(super) fences_out: usize,
    /// More answers than fences: the rest of a torn packet looks like answers.
    pub(super) surplus: bool,
    /// The last process id that was said to be printed.
    pub(super) printed: Option<[u8; 4]>,
}

impl Ears {
    /// Nothing heard yet; whether the printer's word is a packet.
    pub(super) fn new(by_packets: bool) -> Ears {
        Ears { by_packets, ..Ears::default() }
    }

    /// Takes one byte in.
    pub(super) fn take_in(&mut self, byte: u8) {
        let mut replies = Vec::new();
        self.decoder.push(byte, &mut |reply| replies.push(reply));
        for reply in replies {
            match reply {
                Reply::RealTime(answer) => {
                    if self.answers.len() == MAX_ANSWERS {
                        self.answers.pop_front();
                    }
                    self.answers.push_back(answer);
                }
                Reply::Packet(packet) => {
                    self.status = PrinterStatus::of_packet(packet);
                    self.told = Some(self.status);
                    let before = self.packet.replace(packet);
                    self.repeated = before == Some(packet);
                    // The first packet of an opening answers the first request for packets.
                    if self.by_packets && (before.is_none() || self.repeated) {
                        self.fences_out = self.fences_out.saturating_sub(1);
                    }
                }
                Reply::InOrder(_) if self.by_packets => {}
                Reply::InOrder(_) => match self.fences_out.checked_sub(1) {
                    Some(left) => self.fences_out = left,
                    None => self.surplus = true,
                },
                Reply::Block(block) => {
                    if let [head @ .., a, b, c, d] = block.as_slice()
                        && *head == PROCESS_ID
                    {
                        self.printed = Some([*a, *b, *c, *d]);
                    }
                }
                // Who holds the line is the line's affair: most never let these through.
                Reply::Xon | Reply::Xoff | Reply::Noise(_) => {}
            }
        }
    }

    /// The line was opened anew: nothing that was asked before is answered any more.
    pub(super) fn reset(&mut self) {
        *self = Ears::new(self.by_packets);
    }
}
