//! Reads a catalogue from CSV: every mistake with its line and what to do, and nothing imported if there is one.
//!
//! Columns, in any order, by name in the first line. Required: `sku`, `name`. Optional, empty where absent:
//!
//! | column | holds |
//! | --- | --- |
//! | `name_zh` | the name in Chinese |
//! | `gtins` | bar codes of 8, 12, 13 or 14 digits, separated by spaces |
//! | `price` | digits such as `12.80`; empty where the cashier types it |
//! | `unit` | `piece` (default), `kilogram`, `litre`, `metre` |
//! | `tax_code`, `tax_percent`, `tax_included` | the shop's code, `13` or `8.875`, `yes` (default) or `no` |
//! | `least_age` | the buyer's least age in years |
//! | `menu_page`, `menu_row`, `menu_column` | where its key stands on the cashier's screen |
//! | `modifiers` | `id:name:price` or `id:name/name_zh:price`, separated by `;` |
//!
//! Not here: publishing (`publish`), spreadsheets and other encodings than UTF-8.

use crate::catalogue::{Catalogue, Item, MenuKey};
use crate::money::{Currency, Money};
use crate::record::line::{Modifier, Unit};
use crate::scan::Gtin;
use crate::tax::{RATE_PPM_MAX, TaxIn, TaxRate};
use std::collections::BTreeMap;

/// Broken rows that are shown one by one; the rest is counted.
const SHOWN_MAX: usize = 20;

/// The largest file that is read.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Columns that are known.
const COLUMNS: [&str; 14] = [
    "sku",
    "name",
    "name_zh",
    "gtins",
    "price",
    "unit",
    "tax_code",
    "tax_percent",
    "tax_included",
    "least_age",
    "menu_page",
    "menu_row",
    "menu_column",
    "modifiers",
];

/// What was imported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The bundle's version that has it.
    pub version: u64,
    /// How many items.
    pub items: usize,
    /// How many menu keys.
    pub menu_keys: usize,
}

/// A mistake in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowError {
    /// Line of the file, from 1; none where it is about the whole file.
    pub line: Option<u64>,
    /// What is wrong and what would be right.
    pub words: String,
}

/// The mistakes as a person reads them.
pub(crate) fn report(errors: &[RowError]) -> String {
    let mut text = "Nothing was imported. Mend this and import again:".to_owned();
    for error in errors.iter().take(SHOWN_MAX) {
        match error.line {
            Some(line) => text.push_str(&format!("\n  line {line}: {}", error.words)),
            None => text.push_str(&format!("\n  {}", error.words)),
        }
    }
    if errors.len() > SHOWN_MAX {
        text.push_str(&format!("\n  and {} more", errors.len() - SHOWN_MAX));
    }
    text
}

/// Reads items and menu keys.
pub(crate) fn read(bytes: &[u8], currency: Currency) -> Result<(Vec<Item>, Vec<MenuKey>), Vec<RowError>> {
    let whole = |words: String| vec![RowError { line: None, words }];
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole(format!("The file is larger than {FILE_BYTES_MAX} bytes.")));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(bytes);
    let header =
        reader.headers().map_err(|error| whole(format!("The file cannot be read: {error}.")))?.clone();
    let columns = columns(&header).map_err(whole)?;
    let (mut items, mut menu, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let mut lines = Vec::new();
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = error.position().map(csv::Position::line);
                errors.push(RowError { line, words: "The line is not UTF-8 text.".to_owned() });
                continue;
            }
        };
        let line = row.position().map(csv::Position::line);
        if row.iter().all(str::is_empty) {
            continue;
        }
        if row.len() != header.len() {
            let words = format!("It has {} fields where the first line has {}.", row.len(), header.len());
            errors.push(RowError { line, words });
            continue;
        }
        let before = errors.len();
        let mut fields = Fields { row: &row, columns: &columns, line, currency, errors: &mut errors };
        let (item, key) = fields.item();
        if errors.len() == before {
            lines.push(line);
            items.push(item);
            menu.extend(key);
        }
    }
    find_repeats(&items, &menu, &lines, &mut errors);
    if errors.is_empty()
        && let Err(error) = Catalogue::new(items.clone(), menu.clone())
    {
        errors.push(RowError { line: None, words: format!("{error}.") });
    }
    if items.is_empty() && errors.is_empty() {
        errors.push(RowError { line: None, words: "The file has no items.".to_owned() });
    }
    errors.sort_by_key(|error| error.line);
    if errors.is_empty() { Ok((items, menu)) } else { Err(errors) }
}

fn columns(header: &csv::StringRecord) -> Result<BTreeMap<String, usize>, String> {
    let mut columns = BTreeMap::new();
    for (index, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name) {
            return Err(format!("The column {name:?} is unknown. Known are: {}.", COLUMNS.join(", ")));
        }
        if columns.insert(name.to_owned(), index).is_some() {
            return Err(format!("The column {name:?} stands twice."));
        }
    }
    match ["sku", "name"].into_iter().find(|name| !columns.contains_key(*name)) {
        Some(missing) => Err(format!("The first line has no column {missing:?}.")),
        None => Ok(columns),
    }
}

/// Numbers, bar codes and places on the screen belong to one item each.
fn find_repeats(items: &[Item], menu: &[MenuKey], lines: &[Option<u64>], errors: &mut Vec<RowError>) {
    let mut seen: BTreeMap<String, Option<u64>> = BTreeMap::new();
    let mut once = |what: String, line: Option<u64>| {
        if let Some(first) = seen.insert(what.clone(), line) {
            let first = first.map_or_else(String::new, |first| format!(" on line {first}"));
            errors.push(RowError { line, words: format!("{what} is there already{first}.") });
        }
    };
    for (item, line) in items.iter().zip(lines) {
        once(format!("The sku {:?}", item.sku), *line);
        for gtin in &item.gtins {
            once(format!("The bar code {gtin}"), *line);
        }
    }
    for key in menu {
        let line = items.iter().zip(lines).find(|(item, _)| item.sku == key.sku).and_then(|(_, line)| *line);
        once(format!("The menu key {} {},{}", key.page, key.row, key.column), line);
    }
}

/// One row, whose mistakes are all noted.
struct Fields<'a> {
    row: &'a csv::StringRecord,
    columns: &'a BTreeMap<String, usize>,
    line: Option<u64>,
    currency: Currency,
    errors: &'a mut Vec<RowError>,
}

impl<'a> Fields<'a> {
    fn text(&self, column: &str) -> &'a str {
        self.columns.get(column).and_then(|index| self.row.get(*index)).unwrap_or("")
    }

    fn optional(&self, column: &str) -> Option<String> {
        Some(self.text(column)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn wrong(&mut self, words: String) {
        self.errors.push(RowError { line: self.line, words });
    }

    fn item(&mut self) -> (Item, Option<MenuKey>) {
        let (sku, name) = (self.text("sku").to_owned(), self.text("name").to_owned());
        if sku.is_empty() || sku.len() > 40 {
            self.wrong("The sku is missing or longer than 40 characters.".to_owned());
        }
        if name.is_empty() || name.chars().count() > 80 {
            self.wrong("The name is missing or longer than 80 characters.".to_owned());
        }
        let item = Item {
            name_zh: self.optional("name_zh"),
            gtins: self.gtins(),
            price: self.price("price", self.text("price")),
            unit: self.unit(),
            tax: self.tax(),
            least_age: self.small("least_age"),
            modifiers: self.modifiers(),
            sku: sku.clone(),
            name,
        };
        (item, self.menu_key(sku))
    }

    fn gtins(&mut self) -> Vec<String> {
        let mut gtins = Vec::new();
        for text in self.text("gtins").split_whitespace() {
            match text.parse::<Gtin>() {
                Ok(gtin) => gtins.push(gtin.to_14_digits()),
                Err(error) => self.wrong(format!("The bar code {text:?} is wrong: {error}.")),
            }
        }
        gtins
    }

    fn price(&mut self, what: &str, text: &str) -> Option<Money> {
        if text.is_empty() {
            return None;
        }
        match Money::parse(text, self.currency) {
            Ok(price) if !price.is_negative() => Some(price),
            Ok(_) => {
                self.wrong(format!("The {what} {text:?} is below nothing."));
                None
            }
            Err(error) => {
                self.wrong(format!("The {what} is wrong: {error}."));
                None
            }
        }
    }

    fn unit(&mut self) -> Unit {
        match self.text("unit") {
            "" | "piece" => Unit::Piece,
            "kilogram" => Unit::Kilogram,
            "litre" => Unit::Litre,
            "metre" => Unit::Metre,
            other => {
                self.wrong(format!("The unit {other:?} is none of piece, kilogram, litre, metre."));
                Unit::Piece
            }
        }
    }

    fn tax(&mut self) -> TaxRate {
        let included = match self.text("tax_included") {
            "" | "yes" => TaxIn::Price,
            "no" => TaxIn::OnTop,
            other => {
                self.wrong(format!("tax_included is {other:?}: write yes or no."));
                TaxIn::Price
            }
        };
        let (code, percent) = (self.text("tax_code"), self.text("tax_percent"));
        if code.is_empty() && percent.is_empty() {
            return TaxRate::none();
        }
        if code.is_empty() || code.len() > 8 {
            self.wrong("A taxed item needs a tax_code of at most 8 characters.".to_owned());
        }
        let rate_ppm = percent_ppm(percent).filter(|ppm| (0..=RATE_PPM_MAX).contains(ppm));
        if rate_ppm.is_none() {
            self.wrong(format!("tax_percent is {percent:?}: write a number such as 13 or 8.875."));
        }
        TaxRate { code: code.to_owned(), rate_ppm: rate_ppm.unwrap_or(0), included }
    }

    fn small(&mut self, column: &str) -> Option<u8> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let number = text.parse::<u8>().ok().filter(|number| *number > 0);
        if number.is_none() {
            self.wrong(format!("{column} is {text:?}: write a whole number from 1 to 255."));
        }
        number
    }

    fn menu_key(&mut self, sku: String) -> Option<MenuKey> {
        let page = self.text("menu_page").to_owned();
        let (row, column) = (self.small("menu_row"), self.small("menu_column"));
        match (page.is_empty(), row, column) {
            (false, Some(row), Some(column)) => Some(MenuKey { page, row, column, sku }),
            (true, None, None) => None,
            _ => {
                self.wrong("A menu key needs menu_page, menu_row and menu_column together.".to_owned());
                None
            }
        }
    }

    fn modifiers(&mut self) -> Vec<Modifier> {
        let mut modifiers: Vec<Modifier> = Vec::new();
        for text in self.text("modifiers").split(';').map(str::trim).filter(|text| !text.is_empty()) {
            let parts: Vec<&str> = text.split(':').map(str::trim).collect();
            let [id, name, price] = parts[..] else {
                self.wrong(format!("The modifier {text:?} is not id:name:price."));
                continue;
            };
            let (name, name_zh) = name.split_once('/').map_or((name, None), |(name, zh)| (name, Some(zh)));
            if id.is_empty() || name.is_empty() || modifiers.iter().any(|known| known.id == id) {
                self.wrong(format!("The modifier {text:?} has no id or name, or its id stands twice."));
                continue;
            }
            if price.is_empty() {
                self.wrong(format!("The modifier {text:?} has no price: write 0 where it costs nothing."));
                continue;
            }
            if let Some(price) = self.price("modifier's price", price) {
                let (id, name, name_zh) = (id.to_owned(), name.to_owned(), name_zh.map(str::to_owned));
                modifiers.push(Modifier { id, name, name_zh, price });
            }
        }
        modifiers
    }
}

/// `13` or `8.875` per cent as parts per million.
fn percent_ppm(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || fraction.len() > 4 || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<4}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO: &[u8] = include_bytes!("../sim/demo/catalogue.csv");

    #[test]
    fn the_demos_catalogue_is_read() {
        let (items, menu) = read(DEMO, Currency::CNY).unwrap_or_else(|errors| panic!("{}", report(&errors)));
        assert!(items.len() >= 24 && menu.len() >= 10);
        assert!(items.iter().filter(|item| !item.gtins.is_empty()).count() >= 10);
        assert!(items.iter().any(|item| item.price.is_none()));
        let latte = items.iter().find(|item| item.sku == "latte").unwrap();
        assert_eq!(latte.modifiers[0].name_zh.as_deref(), Some("燕麦奶"));
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_no_mistake() {
        let text = "\u{feff}sku,name,price,tax_code,tax_percent\r\ntea,Tea,8.5,A,8.875\r\n\r\n";
        let (items, _) = read(text.as_bytes(), Currency::CNY).unwrap();
        assert_eq!((items[0].price.unwrap().minor, items[0].tax.rate_ppm), (850, 88_750));
    }

    #[test]
    fn every_broken_row_is_named_with_its_line_and_nothing_is_imported() {
        let text = "sku,name,gtins,price,menu_page,modifiers\n\
                    a,A,6901234567891,1.00,,\n\
                    ,B,,1.005,,\n\
                    c,C,,-1,Page,x:y\n\
                    d,D\n\
                    e,E,6901234567892,1,,\n\
                    e,E,6901234567892,1,,\n";
        let errors = read(text.as_bytes(), Currency::CNY).unwrap_err();
        let text = report(&errors);
        for words in [
            "line 2: The bar code \"6901234567891\" is wrong",
            "line 3: The sku is missing",
            "line 3: The price is wrong",
            "line 4: The price \"-1\" is below nothing",
            "line 4: A menu key needs",
            "line 4: The modifier \"x:y\" is not id:name:price",
            "line 5: It has 2 fields where the first line has 6",
            "line 7: The sku \"e\" is there already on line 6",
            "line 7: The bar code 06901234567892 is there already on line 6",
        ] {
            assert!(text.contains(words), "{words}\nin\n{text}");
        }
    }

    #[test]
    fn after_twenty_mistakes_the_rest_is_counted() {
        let rows: String = (0..30).map(|row| format!("s{row},,1\n")).collect();
        let errors = read(format!("sku,name,price\n{rows}").as_bytes(), Currency::CNY).unwrap_err();
        assert!(report(&errors).ends_with("and 10 more"));
    }

    #[test]
    fn an_unknown_column_is_named() {
        let errors = read(b"sku,name,prise\n", Currency::CNY).unwrap_err();
        assert!(errors[0].words.contains("\"prise\""));
    }
}
