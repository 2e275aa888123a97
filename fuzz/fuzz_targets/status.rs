//! Any bytes from a printer: nothing panics, no byte is heard twice or kept for ever, it does not matter where the
//! bytes are split, and after a pause the next answer is understood.
#![no_main]

use hardware::printer::status::{MAX_BLOCK_BYTES, PrinterStatus, Question, Reply, StatusDecoder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    let (mut decoder, mut whole) = (StatusDecoder::default(), Vec::new());
    take(&mut decoder, bytes, &mut whole);
    let (mut pieces, mut split) = (StatusDecoder::default(), Vec::new());
    for piece in bytes.chunks(usize::from(piece).max(1)) {
        take(&mut pieces, piece, &mut split);
    }
    assert_eq!(whole, split);
    let heard: usize = whole.iter().map(length).sum();
    assert!(heard <= bytes.len(), "a byte was heard twice");
    // A packet and a block may both be half said.
    assert!(bytes.len() - heard <= MAX_BLOCK_BYTES + 4 + blocks(&whole), "bytes are kept for ever");
    for reply in &whole {
        said(reply);
    }
    // Whatever was half said, after a pause a printer is understood.
    decoder.reset();
    let mut after = Vec::new();
    take(&mut decoder, &[0x12, 0x10, 0, 0, 0], &mut after);
    assert_eq!(after, [Reply::RealTime(0x12), Reply::Packet([0x10, 0, 0, 0])]);
});

fn take(decoder: &mut StatusDecoder, bytes: &[u8], replies: &mut Vec<Reply>) {
    for byte in bytes {
        decoder.push(*byte, &mut |reply| replies.push(reply));
    }
}

/// How many bytes a reply was made of, the NUL of a block aside.
fn length(reply: &Reply) -> usize {
    match reply {
        Reply::RealTime(_) | Reply::InOrder(_) | Reply::Xon | Reply::Xoff | Reply::Noise(_) => 1,
        Reply::Packet(packet) => packet.len(),
        Reply::Block(block) => {
            assert!(block.len() <= MAX_BLOCK_BYTES);
            block.len()
        }
    }
}

/// Each block ended with a NUL that is no part of it.
fn blocks(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| matches!(reply, Reply::Block(_))).count()
}

/// Every status has a sentence.
fn said(reply: &Reply) {
    let mut status = PrinterStatus::SILENT;
    match reply {
        Reply::RealTime(answer) => {
            for question in Question::ALL {
                status.take_in(question, *answer);
                assert!(!status.to_string().is_empty());
            }
        }
        Reply::Packet(packet) => {
            status = PrinterStatus::of_packet(*packet);
            assert!(status.answers && !status.to_string().is_empty());
        }
        Reply::InOrder(_) | Reply::Block(_) | Reply::Xon | Reply::Xoff | Reply::Noise(_) => {}
    }
}
