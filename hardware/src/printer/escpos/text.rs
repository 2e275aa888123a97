//! Characters as bytes: ASCII, code pages that are changed when needed, and Chinese.
//!
//! Which characters a printer has is decided in `document::width`, so that layout and bytes cannot differ.

use super::{ESC, Encoder, FS};
use crate::document::width::{Printed, SUBSTITUTE, SUBSTITUTE_WIDE, gb18030, printed};
use crate::profile::{Charset, CodePage};

impl Encoder<'_> {
    pub(super) fn text(&mut self, text: &str) {
        if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            self.out.extend_from_slice(text.as_bytes());
            return;
        }
        for (at, character) in text.char_indices() {
            let printed = printed(character, self.profile.charset);
            self.substituted += usize::from(printed.is_substitute());
            match printed {
                Printed::Ascii(byte) => self.out.push(byte),
                Printed::Paged(character) => self.paged(character, &text[at..]),
                Printed::Wide(character) => self.two_cells(character),
                Printed::Instead(ascii) => self.out.extend_from_slice(ascii.as_bytes()),
                Printed::Lost => self.out.push(QUESTION),
                Printed::LostWide => match self.profile.charset {
                    Charset::Gb18030 => self.two_cells(SUBSTITUTE_WIDE),
                    Charset::Cp437 | Charset::Pages(_) => self.out.extend_from_slice(&[QUESTION, QUESTION]),
                },
                Printed::Nothing => {}
            }
        }
    }

    /// A character of a code page. If the page in force lacks it, the page that has most of what follows is chosen
    /// with `ESC t`.
    fn paged(&mut self, character: char, rest: &str) {
        self.leave_two_cell_mode();
        if let Some(byte) = self.page.and_then(|page| page.byte(character)) {
            self.out.push(byte);
            return;
        }
        let pages = &self.profile.code_pages;
        let best = pages.iter().rev().max_by_key(|(_, page)| {
            rest.chars().take_while(|next| next.is_ascii() || page.byte(*next).is_some()).count()
        });
        let page = match best {
            Some((number, page)) => {
                self.out.extend_from_slice(&[ESC, b't', *number]);
                *page
            }
            // No source says which pages there are: the one after ESC @ is used as it is.
            None => CodePage::Cp437,
        };
        self.page = Some(page);
        self.out.push(page.byte(character).unwrap_or(QUESTION));
    }

    /// One character in GB18030: two bytes, or four. None of them is below 30h.
    fn two_cells(&mut self, character: char) {
        if !self.two_cell_mode {
            // FS &: bytes above 7Fh begin a two-cell character from here on.
            self.out.extend_from_slice(&[FS, b'&']);
            self.two_cell_mode = true;
        }
        match gb18030(character) {
            Some((bytes, length)) => self.out.extend_from_slice(&bytes[..length]),
            None => self.out.extend_from_slice(&[QUESTION, QUESTION]),
        }
    }

    pub(super) fn leave_two_cell_mode(&mut self) {
        if self.two_cell_mode {
            // FS .
            self.out.extend_from_slice(&[FS, b'.']);
            self.two_cell_mode = false;
        }
    }
}

const QUESTION: u8 = {
    assert!(SUBSTITUTE.is_ascii());
    b'?'
};
