//! A display on a real pseudo-terminal, and the till's view that it follows.

use crate::devices::{Config, DisplayConfig, DisplayProfile, StationConfig, run};
use crate::inbox::{Board, Inbox, PortState, WORK_MAX};
use crate::money::{Currency, Money};
use crate::paper::Lang;
use crate::record::body::TypeSize;
use crate::record::chain::Tip;
use crate::record::ids::{IntentId, SaleId, StationId};
use crate::record::line::{LineId, Unit};
use crate::record::money_moves::Heard;
use crate::view::{LineState, LineView, PaidView, PaymentView, Phase, SafeAct, SaleView, StationView, View};
use hardware::link::Address;
use hardware::link::serial::SerialAddress;
use hardware::sim::{Display, DisplayFamily};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(20);

/// A station with a display, and the view that the till would write.
struct Pole {
    display: Display,
    view: watch::Sender<Arc<View>>,
    board: Board,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    _doors: (mpsc::Sender<crate::inbox::DeviceWork>, tempfile::TempDir),
}

fn front() -> StationId {
    "front".parse().unwrap()
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn profile(name: &str) -> &'static DisplayProfile {
    DisplayProfile::by_name(name).unwrap()
}

impl Pole {
    fn new(family: DisplayFamily, name: &str, change: impl FnOnce(&mut DisplayConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("display");
        let display = Display::start(&link, family).unwrap();
        let mut config = DisplayConfig {
            address: Some(Address::Serial(SerialAddress::new(link))),
            profile: profile(name),
            lang: Lang::Both,
            idle: vec![],
            paid: LONG,
        };
        change(&mut config);
        let station = StationConfig { display: Some(config), ..StationConfig::default() };
        let config =
            Config { reopen: Duration::from_millis(5), ..Config::new(BTreeMap::from([(front(), station)])) };
        let (view, seen) = watch::channel(Arc::new(view(None, None)));
        let board = Board::new(seen, watch::channel(Arc::new(BTreeMap::new())).1);
        let (work, arrivals) = mpsc::channel(WORK_MAX);
        let (stop, shutdown) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(run(config, arrivals, Inbox::new().0, board.clone(), shutdown));
        Self { display, view, board, stop, tasks, _doors: (work, folder) }
    }

    fn view(&self, sale: Option<SaleView>, paid: Option<PaidView>) {
        self.view.send_replace(Arc::new(view(sale, paid)));
    }

    /// Waits until it shows two lines.
    fn shows(&self, upper: &str, lower: &str) {
        let wanted = [upper, lower];
        let seen = tokio::task::block_in_place(|| {
            self.display.wait_for(LONG, |shown| shown.lines.each_ref().map(|line| line.trim()) == wanted)
        });
        let shown = self.display.shown();
        assert!(seen && shown.errors.is_empty(), "wanted {wanted:?}, it shows {shown:?}");
    }

    async fn lamp_is(&self, wanted: impl Fn(&PortState) -> bool) {
        let mut devices = self.board.devices.subscribe();
        let at = |all: &BTreeMap<_, crate::inbox::StationDevices>| {
            all.get(&front()).is_some_and(|at| wanted(&at.display))
        };
        assert!(tokio::time::timeout(LONG, devices.wait_for(at)).await.is_ok());
    }
}

fn view(sale: Option<SaleView>, paid: Option<PaidView>) -> View {
    let here = StationView { staff: None, sale, paid, told: None, shown: None };
    View {
        shop: "Corner Store".to_owned(),
        stations: BTreeMap::from([(front(), here)]),
        ..View::blank(Tip::START)
    }
}

fn line(id: u32, name: &str, chinese: Option<&str>, quantity: i64, price: i64) -> LineView {
    LineView {
        id: LineId(id),
        name: name.to_owned(),
        name_zh: chinese.map(str::to_owned),
        quantity: quantity.to_string(),
        unit: Unit::Piece,
        net: None,
        price: yuan(price),
        amount: yuan(quantity * price),
        modifiers: vec![],
        state: LineState::Sold,
    }
}

fn basket(lines: Vec<LineView>) -> SaleView {
    let sold = lines.iter().filter(|line| line.state == LineState::Sold);
    let total = yuan(sold.map(|line| line.amount.minor).sum());
    SaleView {
        id: SaleId([1; 16]),
        version: 1,
        station: front(),
        desk: None,
        lines,
        coupons: vec![],
        member: None,
        size: TypeSize::Normal,
        subtotal: total,
        discounts: vec![],
        without: vec![],
        tax: yuan(0),
        total,
        paid: yuan(0),
        due: None,
        part: None,
        tenders: vec![],
        phase: Phase::Basket,
        payments: vec![],
    }
}

fn paid(total: i64, change: Option<i64>, wallet: Option<&str>) -> PaidView {
    PaidView {
        sale: SaleId([1; 16]),
        receipt: 1,
        total: yuan(total),
        change: change.map(yuan),
        wallet: wallet.map(str::to_owned),
        paper: "printed",
        at_ms: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_followed_from_the_first_line_to_the_change() {
    for (family, name) in [(DisplayFamily::Cd5220, "cd5220"), (DisplayFamily::EscPos, "dm-d")] {
        let pole = Pole::new(family, name, |_| {});
        pole.shows("Corner Store", "Welcome");
        let milk = line(1, "Milk 1L", None, 1, 240);
        pole.view(Some(basket(vec![milk.clone()])), None);
        pole.shows("Milk 1L         2.40", "TOTAL           2.40");
        let coffee = line(2, "Coffee beans 250g, medium roast", None, 1, 595);
        pole.view(Some(basket(vec![milk.clone(), coffee.clone()])), None);
        pole.shows("Coffee beans 25 5.95", "TOTAL           8.35");
        let milk = LineView { quantity: "3".to_owned(), amount: yuan(720), ..milk };
        pole.view(Some(basket(vec![milk.clone(), coffee.clone()])), None);
        pole.shows("3 Milk 1L       7.20", "TOTAL          13.15");
        let removed = LineView { state: LineState::Void, ..coffee };
        let sale = basket(vec![milk, removed]);
        pole.view(Some(sale.clone()), None);
        pole.shows("Removed Coffee beans", "TOTAL           7.20");
        pole.view(Some(SaleView { phase: Phase::Tender, ..sale.clone() }), None);
        pole.shows("TOTAL           7.20", "Please pay");
        pole.view(Some(SaleView { phase: Phase::Tender, paid: yuan(500), ..sale }), None);
        pole.shows("TOTAL           7.20", "TO PAY          2.20");
        pole.view(None, Some(paid(720, Some(280), None)));
        pole.shows("CASH           10.00", "CHANGE          2.80");
        pole.view(None, Some(paid(720, None, Some("alipay"))));
        pole.shows("PAID            7.20", "Thank you");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lines_say_that_there_is_a_code_to_scan_and_what_it_asks_for() {
    let pole = Pole::new(DisplayFamily::Cd5220, "cd5220", |_| {});
    let code = PaymentView {
        intent: IntentId([3; 16]),
        amount: yuan(500),
        carrier: "code",
        state: "drawn",
        words: String::new(),
        safe: SafeAct::LetScan,
        drawn_ms: 0,
        wallet: None,
        code: Some("HTTPS://PAY.EXAMPLE/O/O1.ABC".to_owned()),
        until_ms: 285_000,
        left: None,
        heard: Heard::ByTheCloud,
        tries_left: None,
        mistyped: 0,
    };
    let sale = basket(vec![line(1, "Milk 1L", None, 3, 240)]);
    let sale = SaleView { phase: Phase::Paying, payments: vec![code.clone()], ..sale };
    pole.view(Some(sale.clone()), None);
    pole.shows("Scan code to pay", "TO PAY          5.00");
    let begun = PaymentView { safe: SafeAct::WaitForPhone, state: "pending", ..code };
    pole.view(Some(SaleView { payments: vec![begun], ..sale }), None);
    pole.shows("TOTAL           7.20", "Paying...");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_time_the_payment_gives_way_to_the_greeting() {
    let pole = Pole::new(DisplayFamily::Cd5220, "cd5220", |config| {
        config.paid = Duration::from_millis(1);
        config.idle = vec!["Fresh bread".to_owned(), "every morning".to_owned()];
    });
    pole.shows("Fresh bread", "every morning");
    pole.view(None, Some(paid(720, None, None)));
    let before = pole.display.shown().received;
    pole.view(Some(basket(vec![line(1, "Bag", None, 1, 30)])), None);
    pole.shows("Bag             0.30", "TOTAL           0.30");
    pole.view(None, Some(paid(30, None, None)));
    pole.shows("Fresh bread", "every morning");
    assert!(pole.display.shown().received > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_is_pulled_out_is_missed_and_drawn_anew_when_it_is_back() {
    let pole = Pole::new(DisplayFamily::EscPos, "dm-d", |_| {});
    pole.view(Some(basket(vec![line(1, "Bag", None, 1, 30)])), None);
    pole.shows("Bag             0.30", "TOTAL           0.30");
    pole.lamp_is(|lamp| *lamp == PortState::Ready).await;
    pole.display.unplug();
    pole.lamp_is(|lamp| matches!(lamp, PortState::Gone(_))).await;
    pole.view(Some(basket(vec![line(1, "Bag", None, 2, 30)])), None);
    pole.display.replug().unwrap();
    pole.shows("2 Bag           0.60", "TOTAL           0.60");
    pole.lamp_is(|lamp| *lamp == PortState::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_views_in_a_row_send_a_few_frames_and_the_last_one_stands() {
    let pole = Pole::new(DisplayFamily::Cd5220, "cd5220", |_| {});
    pole.shows("Corner Store", "Welcome");
    let before = pole.display.shown().received;
    for pieces in 1..=100 {
        pole.view(Some(basket(vec![line(1, "Bag", None, pieces, 30)])), None);
    }
    pole.shows("100 Bag        30.00", "TOTAL          30.00");
    let sent = pole.display.shown().received - before;
    assert!(sent <= 10 * 48, "{sent} bytes for a hundred views");
    let before = pole.display.shown().received;
    pole.view(Some(basket(vec![line(1, "Bag", None, 100, 30)])), None);
    pole.view(None, Some(paid(3000, None, None)));
    pole.shows("PAID           30.00", "Thank you");
    assert_eq!(pole.display.shown().received - before, 48, "what was the same was not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chinese_display_speaks_chinese_and_a_western_one_english_whatever_is_asked() {
    let sale = || Some(basket(vec![line(1, "Organic milk", Some("有机纯牛奶特浓型"), 2, 1240)]));
    let chinese = Pole::new(DisplayFamily::Cd5220, "cd5220-chinese", |_| {});
    chinese.view(sale(), None);
    chinese.shows("2 有机纯牛奶特 24.80", "合计           24.80");
    let western = Pole::new(DisplayFamily::EscPos, "dm-d", |_| {});
    western.view(sale(), None);
    western.shows("2 Organic milk 24.80", "TOTAL          24.80");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_till_stops_the_bill_is_taken_off_the_display() {
    let mut pole = Pole::new(DisplayFamily::Cd5220, "cd5220", |_| {});
    pole.view(Some(basket(vec![line(1, "Bag", None, 1, 30)])), None);
    pole.shows("Bag             0.30", "TOTAL           0.30");
    pole.stop.send_replace(true);
    assert!(tokio::time::timeout(LONG, pole.tasks.join_next()).await.is_ok());
    pole.shows("Corner Store", "Welcome");
}
