//! Tells apart what a printer says: answers, packets of automatic status, data blocks, XON and XOFF.
//!
//! Pure and incremental: any bytes in any pieces, and after noise it finds its place again. What the bits of an
//! answer mean is in `printer::status`. Fixed bits: "ESC/POS Command Reference for TM Printers" (Epson), appendix
//! on transmission status; Citizen CBM1000 user's manual, appendix 3; "header to NUL" blocks and what may stand
//! within them: Epson TM-J2000/J2100 specification 10.05, notes for transmission.

/// The longest data block taken in, header included. A printer's send buffer has 99 bytes; a longer block is noise.
pub const MAX_BLOCK_BYTES: usize = 128;

/// One thing that a printer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer to `DLE EOT`: fixed bits 0xx1xx10.
    RealTime(u8),
    /// A packet of automatic status: fixed bits 0xx1xx00, then three times 0xx0xxxx.
    Packet([u8; 4]),
    /// An answer of one byte to a command in the job, such as `GS r`: fixed bits 0xx0xxxx.
    InOrder(u8),
    /// A data block from its header to before its NUL.
    Block(Vec<u8>),
    /// The printer takes data again.
    Xon,
    /// The printer takes no data.
    Xoff,
    /// Something that fits nowhere.
    Noise(u8),
}

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// The first bytes of data blocks. All have bits 0 and 4 set, as XON and XOFF have.
const HEADERS: [u8; 5] = [0x35, 0x37, 0x3b, 0x3d, 0x5f];

/// Reads a printer's bytes.
#[derive(Debug, Default)]
pub struct StatusDecoder {
    /// A packet that has begun.
    packet: Vec<u8>,
    /// A block that has begun.
    block: Vec<u8>,
}

impl StatusDecoder {
    /// Takes one byte in and delivers what it completes.
    pub fn push(&mut self, byte: u8, deliver: &mut dyn FnMut(Reply)) {
        // Either may come between the bytes of anything else.
        match byte {
            XON => return deliver(Reply::Xon),
            XOFF => return deliver(Reply::Xoff),
            _ => {}
        }
        if !self.packet.is_empty() {
            if byte & 0x90 == 0 {
                return self.grow_packet(byte, deliver);
            }
            // A byte was lost. What was gathered means nothing; this one may begin something.
            self.packet.drain(..).for_each(|lost| deliver(Reply::Noise(lost)));
        }
        if !self.block.is_empty() {
            return self.grow_block(byte, deliver);
        }
        match byte {
            _ if HEADERS.contains(&byte) => self.block.push(byte),
            _ if byte & 0x93 == 0x12 => deliver(Reply::RealTime(byte)),
            _ if byte & 0x93 == 0x10 => self.packet.push(byte),
            _ if byte & 0x90 == 0 => deliver(Reply::InOrder(byte)),
            _ => deliver(Reply::Noise(byte)),
        }
    }

    fn grow_packet(&mut self, byte: u8, deliver: &mut dyn FnMut(Reply)) {
        self.packet.push(byte);
        if let [first, second, third, fourth] = *self.packet.as_slice() {
            self.packet.clear();
            deliver(Reply::Packet([first, second, third, fourth]));
        }
    }

    /// A printer says nothing else between a block's header and its NUL. One that still lets an old packet slip in
    /// must not end the block with that packet's zeros; text of a block is 20h to 7Eh, so that most packets can be
    /// told from it.
    fn grow_block(&mut self, byte: u8, deliver: &mut dyn FnMut(Reply)) {
        match byte {
            0 => deliver(Reply::Block(std::mem::take(&mut self.block))),
            0x20..=0x7e if self.block.len() < MAX_BLOCK_BYTES => self.block.push(byte),
            _ if byte & 0x93 == 0x10 && byte < 0x20 => self.packet.push(byte),
            _ if byte & 0x93 == 0x12 && byte < 0x20 => deliver(Reply::RealTime(byte)),
            // Neither text nor status: the block's end was lost.
            _ => {
                self.block.drain(..).for_each(|lost| deliver(Reply::Noise(lost)));
                self.push(byte, deliver);
            }
        }
    }

    /// Forgets what is half said: the line was opened anew, or has been quiet for long.
    pub fn reset(&mut self) {
        self.packet.clear();
        self.block.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Reply> {
        let (mut decoder, mut replies) = (StatusDecoder::default(), Vec::new());
        for byte in bytes {
            decoder.push(*byte, &mut |reply| replies.push(reply));
        }
        replies
    }

    const WELL: Reply = Reply::Packet([0x10, 0, 0, 0]);

    fn id(id: &[u8]) -> Reply {
        Reply::Block([b"\x37\x22", id].concat())
    }

    #[test]
    fn answers_are_told_apart_by_their_fixed_bits() {
        assert_eq!(decode(&[0x12, 0x7e]), [Reply::RealTime(0x12), Reply::RealTime(0x7e)]);
        assert_eq!(decode(&[0x00, 0x0c]), [Reply::InOrder(0), Reply::InOrder(0x0c)]);
        assert_eq!(decode(&[0x11, 0x13, 0xff]), [Reply::Xon, Reply::Xoff, Reply::Noise(0xff)]);
        assert_eq!(decode(&[0x10, 0, 0, 0, 0x0c]), [WELL, Reply::InOrder(0x0c)]);
        assert_eq!(decode(b"\x37\x220042\x00\x12"), [id(b"0042"), Reply::RealTime(0x12)]);
        assert_eq!(decode(b"\x5fTM-T88V\x00"), [Reply::Block(b"\x5fTM-T88V".to_vec())]);
    }

    #[test]
    fn xoff_may_stand_between_any_two_bytes() {
        assert_eq!(decode(&[0x10, 0x13, 0, 0, 0x11, 0]), [Reply::Xoff, Reply::Xon, WELL]);
        assert_eq!(decode(b"\x37\x2200\x1342\x00"), [Reply::Xoff, id(b"0042")]);
    }

    #[test]
    fn a_packet_that_slips_into_a_block_does_not_end_it() {
        for at in 1..6 {
            let mut bytes = b"\x37\x220042\x00".to_vec();
            bytes.splice(at..at, [0x18, 0, 0x0c, 0]);
            assert_eq!(decode(&bytes), [Reply::Packet([0x18, 0, 0x0c, 0]), id(b"0042")], "at {at}");
        }
    }

    #[test]
    fn an_answer_in_the_middle_of_a_torn_packet_is_still_heard() {
        let heard = decode(&[0x10, 0, 0x12, 0x10, 0, 0, 0]);
        assert_eq!(heard, [Reply::Noise(0x10), Reply::Noise(0), Reply::RealTime(0x12), WELL]);
    }

    proptest! {
        #[test]
        fn after_any_noise_and_a_few_whole_packets_the_decoder_has_found_its_place(
            noise in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let mut decoder = StatusDecoder::default();
            let mut count = 0;
            for byte in noise {
                decoder.push(byte, &mut |_| count += 1);
            }
            // A packet ends what noise began: a block at its first zero, a packet at its fourth byte.
            for byte in [0x10, 0, 0, 0].repeat(3) {
                decoder.push(byte, &mut |_| ());
            }
            decoder.push(0xff, &mut |_| ());
            let mut heard = Vec::new();
            for byte in b"\x37\x220042\x00\x10\x00\x00\x00\x12" {
                decoder.push(*byte, &mut |reply| heard.push(reply));
            }
            prop_assert_eq!(heard, [id(b"0042"), WELL, Reply::RealTime(0x12)]);
        }
    }
}
