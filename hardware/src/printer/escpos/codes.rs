//! Symbols: by the printer's own commands where its profile has them, as pictures of the same dots where not, and as
//! text where it prints no pictures either.
//!
//! The text below a bar code is a line of ours and never the printer's (`GS H 0`), so that paper looks the same either
//! way.

use super::{EncodeError, Encoder, GS, MAX_QR_BYTES, is_unwanted};
use crate::document::drawn::{
    Stretch, bar_dots, barcode, barcode_text, code128, ean13_digits, module_dots, qr,
};
use crate::document::{Align, Barcode, BarcodeText, Item, Line, Picture, Qr, QrLevel, Symbology};
use crate::profile::{NativeBarcode, QrSupport, Raster};

impl Encoder<'_> {
    pub(super) fn qr(&mut self, symbol: &Qr) -> Result<(), EncodeError> {
        if symbol.payload.is_empty() {
            return Err(EncodeError::QrEmpty);
        }
        if symbol.payload.len() > MAX_QR_BYTES {
            return Err(EncodeError::QrTooLong { bytes: symbol.payload.len() });
        }
        if !(1..=16).contains(&symbol.module_dots) {
            return Err(EncodeError::QrModule { module_dots: symbol.module_dots });
        }
        let width_dots = self.profile.width_dots;
        let is_safe = !symbol.payload.windows(2).any(is_unwanted);
        match self.profile.qr {
            QrSupport::Native if is_safe => {
                let Some(module_dots) = module_dots(symbol, width_dots) else {
                    return Err(EncodeError::QrTooWide { width_dots });
                };
                self.native_qr(symbol, module_dots);
                Ok(())
            }
            QrSupport::Native | QrSupport::Raster if self.profile.raster != Raster::None => {
                let bitmap = qr(symbol, width_dots).ok_or(EncodeError::QrTooWide { width_dots })?;
                self.picture(&Picture { bitmap, align: Align::Centre })
            }
            QrSupport::Native | QrSupport::Raster | QrSupport::TextOnly => {
                self.item(&Item::Line(Line::left(String::from_utf8_lossy(&symbol.payload).into_owned())))
            }
        }
    }

    /// `GS ( k` functions 165, 167, 169, 180 and 181: model 2, module, level, store, print.
    fn native_qr(&mut self, qr: &Qr, module_dots: u8) {
        self.align(Align::Centre);
        let level = match qr.level {
            QrLevel::Low => b'0',
            QrLevel::Medium => b'1',
            QrLevel::Quartile => b'2',
            QrLevel::High => b'3',
        };
        let length = u16::try_from(qr.payload.len() + 3).unwrap_or(u16::MAX).to_le_bytes();
        self.out.extend_from_slice(&[GS, b'(', b'k', 4, 0, b'1', b'A', b'2', 0]);
        self.out.extend_from_slice(&[GS, b'(', b'k', 3, 0, b'1', b'C', module_dots]);
        self.out.extend_from_slice(&[GS, b'(', b'k', 3, 0, b'1', b'E', level]);
        self.out.extend_from_slice(&[GS, b'(', b'k', length[0], length[1], b'1', b'P', b'0']);
        self.out.extend_from_slice(&qr.payload);
        self.out.extend_from_slice(&[GS, b'(', b'k', 3, 0, b'1', b'Q', b'0']);
    }

    pub(super) fn barcode(&mut self, symbol: &Barcode) -> Result<(), EncodeError> {
        let width_dots = self.profile.width_dots;
        let module_dots = bar_dots(symbol, width_dots)?;
        let text = barcode_text(symbol)?;
        let mut drawn = true;
        if let Some((kind, data)) = self.native_data(symbol)? {
            self.native_barcode(kind, &data, symbol.height_dots, module_dots);
        } else if self.profile.raster == Raster::None {
            drawn = false;
        } else {
            let bitmap = barcode(symbol, width_dots)?;
            self.picture(&Picture { bitmap, align: Align::Centre })?;
        }
        match symbol.text {
            BarcodeText::None if drawn => Ok(()),
            BarcodeText::None | BarcodeText::Below => self.item(&Item::Line(Line::centred(text))),
        }
    }

    /// What `GS k` is told: its kind and its data. None where the symbol has to be drawn.
    fn native_data(&self, symbol: &Barcode) -> Result<Option<(u8, Vec<u8>)>, EncodeError> {
        let draws = |native| self.profile.barcodes.contains(&native);
        match symbol.symbology {
            Symbology::Ean13 => {
                let digits = ean13_digits(&symbol.data)?.iter().map(|digit| b'0' + digit).collect();
                Ok(draws(NativeBarcode::Ean13).then_some((67, digits)))
            }
            Symbology::Code128 => match code128(symbol, self.profile.width_dots)?.as_slice() {
                [Stretch::B(bytes)] if draws(NativeBarcode::Code128) => Ok(Some((73, code128_data(bytes)))),
                _ => Ok(None),
            },
        }
    }

    /// `GS H`, `GS h`, `GS w`, and `GS k` function B: its data have a length and may hold any byte.
    fn native_barcode(&mut self, kind: u8, data: &[u8], height_dots: u8, module_dots: u8) {
        self.align(Align::Centre);
        let length = u8::try_from(data.len()).unwrap_or(u8::MAX);
        self.out.extend_from_slice(&[GS, b'H', 0, GS, b'h', height_dots, GS, b'w', module_dots]);
        self.out.extend_from_slice(&[GS, b'k', kind, length]);
        self.out.extend_from_slice(data);
    }
}

/// `{B` chooses code set B; `{` itself is doubled.
fn code128_data(bytes: &[u8]) -> Vec<u8> {
    let mut data = b"{B".to_vec();
    for byte in bytes {
        data.extend(std::iter::repeat_n(*byte, if *byte == b'{' { 2 } else { 1 }));
    }
    data
}
