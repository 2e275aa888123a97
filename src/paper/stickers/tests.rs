//! Stickers are read back by a reader of codes that shares nothing with what drew them.

use super::*;

fn shop(size: Size, lang: Lang) -> Shop {
    Shop { name: "Corner Cafe 街角咖啡".to_owned(), lang, size }
}

fn sticker(number: usize) -> Sticker {
    Sticker { name: format!("Table {number}"), address: format!("https://shop.example/d/table-{number}") }
}

/// What a reader of codes finds in a picture.
fn read(width: usize, height: usize, grey: &dyn Fn(usize, usize) -> u8) -> Vec<String> {
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    // Corners of neighbours make codes that are none.
    let grids = picture.detect_grids();
    let mut found: Vec<String> =
        grids.iter().filter_map(|grid| grid.decode().ok()).map(|read| read.1).collect();
    found.sort();
    found.dedup();
    found
}

/// A picture's width, height and shades.
fn shades(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut dots).unwrap();
    assert_eq!(reader.info().pixel_dims.unwrap().xppu, 11_811);
    (info.width as usize, info.height as usize, dots)
}

fn read_png(bytes: &[u8]) -> Vec<String> {
    let (width, height, dots) = shades(bytes);
    read(width, height, &|x, y| dots[y * width + x])
}

/// What is read of each sticker of a sheet, as when it is cut: at its place, and nothing beside it.
fn read_cut(bytes: &[u8], size: Size, count: usize) -> Vec<String> {
    let (width, _, dots) = shades(bytes);
    let tenths = |tenths: u32| (tenths * 300 / 254) as usize;
    let ((wide, tall), (across, down)) = (size.tenths(), size.grid());
    let (left, top) = ((SHEET.0 - across * wide) / 2, (SHEET.1 - down * tall) / 2);
    let places = (0..down).flat_map(|row| (0..across).map(move |column| (column, row)));
    let cut = places.take(count).map(|(column, row)| {
        let (x0, y0) = (tenths(left + column * wide), tenths(top + row * tall));
        let found = read(tenths(wide), tenths(tall), &|x, y| dots[(y0 + y) * width + x0 + x]);
        assert_eq!(found.len(), 1, "{size:?} at {column}, {row}");
        found[0].clone()
    });
    cut.collect()
}

/// The codes of an SVG, from their paths: modules drawn four dots wide, with the white that the drawing gives them.
fn read_svg(text: &str) -> Vec<String> {
    let codes = text.split("shape-rendering").skip(1).map(|code| {
        let modules: usize = number_after(code, "<rect width=\"");
        let path = code.split("<path d=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut dark = vec![false; modules * modules];
        for run in path.split('M').filter(|run| !run.is_empty()) {
            let (at, rest) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            dark[y * modules + x..][..length].fill(true);
        }
        assert!(dark[..4 * modules].iter().all(|dark| !dark), "four rows of white above the code");
        let grey = |x: usize, y: usize| if dark[y / 4 * modules + x / 4] { 0 } else { 255 };
        read(modules * 4, modules * 4, &grey).remove(0)
    });
    codes.collect()
}

fn number_after(text: &str, mark: &str) -> usize {
    text.split(mark).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
}

#[test]
fn every_code_of_a_sheet_is_read_back_from_both_forms() {
    for (size, count) in [(Size::Small, 12), (Size::Medium, 9), (Size::Large, 4)] {
        let stickers: Vec<Sticker> = (1..=count).map(sticker).collect();
        let wanted: Vec<String> = stickers.iter().map(|sticker| sticker.address.clone()).collect();
        let sheets = Drawing::sheets(&stickers, &shop(size, Lang::Both)).unwrap();
        assert_eq!((sheets.len(), size.on_a_sheet()), (1, count));
        let from_svg = read_svg(&sheets[0].to_svg());
        assert_eq!(from_svg, wanted, "{size:?}");
        assert_eq!(read_cut(&sheets[0].to_png(), size, count), wanted, "{size:?}");
    }
}

#[test]
fn one_more_than_a_sheet_holds_begins_another() {
    let stickers: Vec<Sticker> = (1..=10).map(sticker).collect();
    let sheets = Drawing::sheets(&stickers, &shop(Size::Medium, Lang::En)).unwrap();
    assert_eq!(sheets.len(), 2);
    assert_eq!(read_svg(&sheets[1].to_svg()), ["https://shop.example/d/table-10"]);
    assert!(Drawing::sheets(&[], &shop(Size::Medium, Lang::En)).unwrap().is_empty());
}

#[test]
fn a_single_sticker_is_read_at_every_size_and_says_what_to_do() {
    for size in [Size::Small, Size::Medium, Size::Large] {
        for (lang, words) in [
            (Lang::ZhHans, ["扫码查看账单并付款"].as_slice()),
            (Lang::En, &["Scan to see your bill and pay"]),
            (Lang::Both, &["扫码查看账单并付款", "Scan to see your bill and pay"]),
        ] {
            let drawing = Drawing::one(&sticker(4), &shop(size, lang)).unwrap();
            let svg = drawing.to_svg();
            for words in words.iter().chain(&["Table 4", "Corner Cafe 街角咖啡"]) {
                assert!(svg.contains(words), "{words} in {svg}");
            }
            assert_eq!(read_png(&drawing.to_png()), ["https://shop.example/d/table-4"], "{size:?} {lang:?}");
        }
    }
}

#[test]
fn names_of_people_cannot_break_the_drawing() {
    let name = "<b>\"Tom & 'Jo'\"</b>\u{0}";
    let named = Sticker { name: name.to_owned(), ..sticker(1) };
    let svg = Drawing::one(&named, &shop(Size::Medium, Lang::En)).unwrap().to_svg();
    assert!(
        !svg.contains("<b>") && !svg.contains('\u{0}') && svg.contains("&lt;b&gt;&quot;Tom &amp;"),
        "{svg}"
    );
}

#[test]
fn a_long_name_is_broken_in_two_and_stays_inside() {
    let (room, wished) = (500, 90);
    for name in [
        "Terrace by the river, table 12",
        "二楼靠窗大包间十二号桌右侧小圆桌",
        "VeryLongNameWithoutAnySpaceInIt",
    ] {
        let shapes = lines(name, (320, 0), (room, 170), wished, Tone::Ink);
        assert_eq!(shapes.len(), 2, "{name}");
        let mut said = String::new();
        for shape in &shapes {
            let Shape::Text { text, height, top, .. } = shape else { panic!("not a text") };
            assert!(text.chars().map(ems_tenths).sum::<u32>() * height <= room * 10, "{text} at {height}");
            assert!(top + height <= 170, "{text} ends at {}", top + height);
            said.push_str(text);
        }
        assert_eq!(said.replace(' ', ""), name.replace(' ', ""));
    }
    assert_eq!(lines("Table 4", (320, 0), (room, 170), wished, Tone::Ink).len(), 1);
}

#[test]
fn an_address_that_no_code_holds_is_refused_with_a_sentence() {
    let long = Sticker { address: format!("https://shop.example/{}", "a".repeat(3000)), ..sticker(1) };
    let error = Drawing::one(&long, &shop(Size::Medium, Lang::En)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the address of Table 1 is too long for a code: choose a shorter one with --public-base"
    );
}
