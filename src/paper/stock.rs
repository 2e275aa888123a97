//! What one station's paper is: its printer's profile, its language, what stands on it. The same on paper and screen.
//!
//! Not here: where the printer is, and sending bytes to it (`devices`).

use super::checklist::checklist;
use super::code::code_slip;
use super::{Codes, Form, Lang, Logo, TypeSize, layout, text};
use crate::queue::checklist::Checklist;
use crate::receipt::{CodeSlip, Receipt};
use hardware::document::Document;
use hardware::profile::{Charset, Profile};
use std::sync::Arc;

/// One printer's paper.
#[derive(Clone, Debug)]
pub struct Stock {
    /// What the printer can do.
    pub profile: &'static Profile,
    /// The language that was asked for.
    pub lang: Lang,
    /// How large, unless somebody wants it larger.
    pub size: TypeSize,
    /// Which codes stand at the foot.
    pub codes: Codes,
    /// The shop's logo.
    pub logo: Option<Arc<Logo>>,
}

impl Stock {
    /// Paper of a printer as it comes: both languages, usual type, the square code, no logo.
    pub fn new(profile: &'static Profile) -> Self {
        Self { profile, lang: Lang::Both, size: TypeSize::Normal, codes: Codes::Qr, logo: None }
    }

    /// The language that is printed: a printer without Chinese characters would print question marks.
    pub fn lang(&self) -> Lang {
        match self.profile.charset {
            Charset::Cp437 | Charset::Pages(_) => Lang::En,
            Charset::Gb18030 => self.lang,
        }
    }

    /// A receipt as it is printed. The larger of the two sizes counts.
    pub fn document(&self, receipt: &Receipt, size: TypeSize) -> Document {
        let mut document = layout(receipt, self.form(size));
        if let Some(logo) = &self.logo {
            logo.head(&mut document);
        }
        document
    }

    /// A slip with a code to scan, as it is printed.
    pub fn code_slip(&self, slip: &CodeSlip, size: TypeSize) -> Document {
        code_slip(slip, self.form(size))
    }

    /// The checklist after an outage, as it is printed.
    pub fn checklist(&self, list: &Checklist) -> Document {
        checklist(list, self.form(TypeSize::Normal))
    }

    fn form(&self, size: TypeSize) -> Form {
        Form {
            lang: self.lang(),
            size: size.max(self.size),
            columns: self.profile.columns,
            codes: self.codes,
        }
    }

    /// The same as plain text for a screen.
    pub fn text(&self, receipt: &Receipt, size: TypeSize) -> String {
        text(&self.document(receipt, size), self.profile.columns)
    }

    /// The same as a picture of the paper, in PNG.
    pub fn png(&self, receipt: &Receipt, size: TypeSize) -> Vec<u8> {
        png(&self.document(receipt, size), self.profile, self.lang())
    }
}

/// A document as a picture of its paper, in PNG. A screen has Chinese characters whatever the printer has.
pub fn png(document: &Document, profile: &Profile, lang: Lang) -> Vec<u8> {
    let charset = if lang == Lang::En { profile.charset } else { Charset::Gb18030 };
    hardware::preview::to_png(document, &Profile { charset, ..profile.clone() })
}
