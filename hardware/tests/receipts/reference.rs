//! The receipt that size and speed are measured on: twelve lines of 42 columns, a QR code of 41 characters, cut, drawer.

use hardware::document::{Cut, Document, DrawerPulse, Line, Qr, Row, Style};

/// What its QR code says.
pub(crate) const QR: &str = "https://pay.example/t/01HZX9?a=1280&c=CNY";

/// The same receipt in Chinese.
#[allow(dead_code, reason = "the bench alone needs it")]
pub(crate) fn chinese_receipt() -> Document {
    const ITEMS: [(&str, &str, &str); 5] = [
        ("牛奶 1L", "2", "2.40"),
        ("全麦面包", "1", "1.85"),
        ("苹果 1kg", "1", "2.30"),
        ("咖啡豆 250g", "1", "5.95"),
        ("购物袋", "1", "0.30"),
    ];
    const TOTALS: [(&str, &str); 3] = [("小计", "12.80"), ("增值税 20%", "2.13"), ("合计", "12.80")];
    let mut document = Document::new();
    document
        .line(Line::centred("街角小店").styled(Style::TITLE))
        .line(Line::left("上海市黄浦区南京东路12号"))
        .line(Line::left("2026-11-22 12:51  收银台 3  #004217"));
    for (name, quantity, amount) in ITEMS {
        document.row(Row::new().from(0, name).up_to(32, quantity).up_to(42, amount));
    }
    for (label, amount) in TOTALS {
        document.row(Row::new().from(0, label).up_to(42, amount));
    }
    document.line(Line::left("谢谢惠顾"));
    document.qr(Qr::new(QR)).feed(1).cut(Cut::Partial).drawer(DrawerPulse::default());
    document
}

/// Names in 28 columns, quantities in 4, amounts in 10; labels of totals in 32, amounts in 10. On narrower paper the
/// amounts move in.
pub(crate) fn reference_receipt() -> Document {
    const ITEMS: [(&str, &str, &str); 5] = [
        ("Milk 1L", "2", "2.40"),
        ("Bread wholemeal", "1", "1.85"),
        ("Apples 1kg", "1", "2.30"),
        ("Coffee beans 250g", "1", "5.95"),
        ("Bag", "1", "0.30"),
    ];
    const TOTALS: [(&str, &str); 3] = [("Subtotal", "12.80"), ("VAT 20%", "2.13"), ("TOTAL", "12.80")];
    let mut document = Document::new();
    document
        .line(Line::centred("CORNER STORE").styled(Style::TITLE))
        .line(Line::left("12 High Street, Springfield"))
        .line(Line::left("2026-11-22 12:51  Till 3  #004217"));
    for (name, quantity, amount) in ITEMS {
        document.row(Row::new().from(0, name).up_to(32, quantity).up_to(42, amount));
    }
    for (label, amount) in TOTALS {
        document.row(Row::new().from(0, label).up_to(42, amount));
    }
    document.line(Line::left("Thank you"));
    document.qr(Qr::new(QR)).feed(1).cut(Cut::Partial).drawer(DrawerPulse::default());
    document
}
