//! A station with virtual devices, and the till's side of its doors.

use crate::bundle::Shop;
use crate::counter::Refusal;
use crate::counter::duty::{KickDuty, PrintDuty};
use crate::counter::event::{Event, PrintReport, RawScan};
use crate::devices::{Config, PrinterConfig, ScannerConfig, StationConfig, run};
use crate::inbox::{Board, DeviceWork, Inbox, Letter, PortState, Reply, StationDevices, WORK_MAX};
use crate::money::{Currency, Money};
use crate::paper::{Stock, TypeSize};
use crate::receipt::{Receipt, ReceiptLine, ReceiptTender};
use crate::record::body::{Paper, SaleKind};
use crate::record::chain::Tip;
use crate::record::ids::{JobId, KickId, SaleId, StationId};
use crate::record::line::Unit;
use crate::record::{Epoch, Mode};
use crate::tax::{TaxAmount, TaxIn, TaxRate};
use crate::view::View;
use hardware::Profile;
use hardware::document::DrawerPulse;
use hardware::link::Address;
use hardware::link::serial::SerialAddress;
use hardware::printer::driver::Patience;
use hardware::scanner::{AimPrefix, ScannerProfile};
use hardware::sim::{self, PrinterOptions};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Longer than anything here takes on a busy machine.
pub(super) const LONG: Duration = Duration::from_secs(20);

/// What the till says to an event.
pub(super) type Answer = fn(&Event) -> Result<Reply, Refusal>;

pub(super) fn yes(_: &Event) -> Result<Reply, Refusal> {
    Ok(Reply::default())
}

/// A station with a scanner and a printer, and the till's side of the doors.
pub(super) struct Counter {
    pub(super) folder: tempfile::TempDir,
    pub(super) scanner: sim::Scanner,
    pub(super) printer: sim::Printer,
    events: mpsc::UnboundedReceiver<Event>,
    pub(super) work: mpsc::Sender<DeviceWork>,
    pub(super) board: Board,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Counter {
    pub(super) fn new(options: PrinterOptions, answer: Answer) -> Self {
        Self::with(options, answer, |_| {})
    }

    pub(super) fn with(options: PrinterOptions, answer: Answer, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let address = |name: &str| Address::Serial(SerialAddress::new(at(name)));
        let scanner = sim::Scanner::start(&at("scanner")).unwrap();
        let printer = sim::Printer::start(&at("printer"), folder.path(), options).unwrap();
        let station = StationConfig {
            scanner: Some(ScannerConfig {
                profile: ScannerProfile { aim: AimPrefix::Sent, ..ScannerProfile::generic() },
                ..ScannerConfig::new(address("scanner"))
            }),
            printer: Some(PrinterConfig {
                address: address("printer"),
                stock: Stock::new(Profile::by_name("epson-tm-t88").unwrap()),
                drawer: DrawerPulse::default(),
            }),
            display: None,
            drawer: None,
        };
        let mut config = Config {
            reopen: Duration::from_millis(5),
            printer_poll: Duration::from_millis(20),
            patience: Patience {
                answer: Duration::from_millis(500),
                stall: Duration::from_secs(5),
                hold: LONG,
                confirm: Duration::from_secs(5),
                settle: Duration::from_millis(10),
            },
            ..Config::new(BTreeMap::from([(front(), station)]))
        };
        change(&mut config);
        let (inbox, letters) = Inbox::new();
        let (told, events) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for Letter { event, reply, .. } in letters {
                let answered = answer(&event);
                let _ = told.send(event);
                if let Some(reply) = reply {
                    let _ = reply.send(answered);
                }
            }
        });
        let (work, arrivals) = mpsc::channel(WORK_MAX);
        let (stop, shutdown) = watch::channel(false);
        let board = board();
        let mut tasks = JoinSet::new();
        tasks.spawn(run(config, arrivals, inbox, board.clone(), shutdown));
        Self { folder, scanner, printer, events, work, board, stop, tasks }
    }

    pub(super) async fn event(&mut self) -> Event {
        tokio::time::timeout(LONG, self.events.recv()).await.expect("the event never came").unwrap()
    }

    /// The next report of paper or drawer, in short.
    pub(super) async fn report(&mut self) -> String {
        let event = self.event().await;
        let (what, report) = if let Event::Print(job, report) = &event {
            (format!("paper {}", job.0[0]), report)
        } else if let Event::Drawer(kick, report) = &event {
            (format!("drawer {}", kick.0[0]), report)
        } else {
            panic!("{event:?} is no report");
        };
        match report {
            PrintReport::Starting => format!("{what} starts"),
            PrintReport::Ended(outcome, words) => format!("{what} {outcome:?} {words}").trim_end().to_owned(),
        }
    }

    pub(super) async fn devices(&self, wanted: impl FnMut(&BTreeMap<StationId, StationDevices>) -> bool) {
        let mut devices = self.board.devices.subscribe();
        let seen = tokio::time::timeout(LONG, devices.wait_for(wanted)).await;
        assert!(seen.is_ok_and(|seen| seen.is_ok()), "the board never showed it: {:?}", self.board.devices);
    }

    pub(super) async fn printer_is(&self, wanted: impl Fn(&PortState) -> bool) {
        self.devices(|all| all.get(&front()).is_some_and(|at| wanted(&at.printer))).await;
    }

    pub(super) async fn scanner_is(&self, wanted: impl Fn(&PortState) -> bool) {
        self.devices(|all| all.get(&front()).is_some_and(|at| wanted(&at.scanner))).await;
    }

    pub(super) async fn print(&self, job: u8, lines: usize) {
        self.work.send(print(&front(), job, lines)).await.unwrap();
    }

    pub(super) async fn kick(&self, kick: u8) {
        let duty = KickDuty { kick: KickId([kick; 16]), station: front() };
        self.work.send(DeviceWork::Kick(duty)).await.unwrap();
    }

    pub(super) fn scans(&self, bytes: &[u8]) {
        self.scanner.scan(bytes).unwrap();
    }

    /// Stops the devices and waits until they have.
    pub(super) async fn stop(&mut self) -> Vec<Event> {
        self.stop.send_replace(true);
        tokio::time::timeout(LONG, self.tasks.join_next()).await.expect("the devices never stopped");
        let mut rest = Vec::new();
        while let Some(event) = self.events.recv().await {
            rest.push(event);
        }
        rest
    }
}

pub(super) fn front() -> StationId {
    "front".parse().unwrap()
}

pub(super) fn print(station: &StationId, job: u8, lines: usize) -> DeviceWork {
    let duty = PrintDuty {
        job: JobId([job; 16]),
        sale: SaleId([job; 16]),
        station: station.clone(),
        paper: Paper::Receipt,
        size: TypeSize::Normal,
    };
    let mut receipt = reference();
    receipt.number = u64::from(job);
    receipt.lines = receipt.lines.iter().cycle().take(lines).cloned().collect();
    DeviceWork::Print(duty, Box::new(receipt))
}

pub(super) fn scanned(data: &str, aim: Option<&[u8; 3]>) -> Event {
    let scan = RawScan { data: data.as_bytes().to_vec(), aim: aim.copied(), repeat_of_ms: None };
    Event::Scanned { station: front(), scan }
}

fn board() -> Board {
    let (till, view) = watch::channel(Arc::new(View::blank(Tip::START)));
    // The till that writes the view lives as long as the test.
    std::mem::forget(till);
    Board::new(view, watch::channel(Arc::new(BTreeMap::new())).1)
}

/// The receipt that sizes are measured on, as our own facts.
pub(super) fn reference() -> Receipt {
    let vector: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/data/reference_receipt.json")).unwrap();
    let yuan = |text: &str| Money::parse(text, Currency::CNY).unwrap();
    let line = |item: &serde_json::Value| {
        let (quantity, amount) = (item[1].as_i64().unwrap(), yuan(item[2].as_str().unwrap()));
        ReceiptLine {
            name: item[0].as_str().unwrap().to_owned(),
            name_zh: None,
            quantity: quantity.to_string(),
            unit: Unit::Piece,
            net: None,
            price: amount.times(1, quantity).unwrap(),
            amount,
            modifiers: vec![],
            tax_code: "A".to_owned(),
        }
    };
    let rate = TaxRate { code: "A".to_owned(), rate_ppm: 200_000, included: TaxIn::Price };
    Receipt {
        shop: Shop {
            name: vector["title"]["text"].as_str().unwrap().to_owned(),
            address: vec![vector["head"][0].as_str().unwrap().to_owned()],
            thanks: vector["foot"].as_str().unwrap().to_owned(),
            issuer: 1,
        },
        terminal: "till-3".parse().unwrap(),
        station: None,
        kind: SaleKind::Sale,
        epoch: Epoch(0x9f3c_0000_0000_0001),
        number: 4217,
        at: "2026-11-22 12:51".to_owned(),
        cashier: "Mia".to_owned(),
        lines: vector["items"].as_array().unwrap().iter().map(line).collect(),
        subtotal: yuan("12.80"),
        discounts: vec![],
        total: yuan("12.80"),
        taxes: vec![TaxAmount { rate, base: yuan("10.67"), tax: yuan("2.13") }],
        tenders: vec![ReceiptTender {
            means: "cash".to_owned(),
            amount: yuan("12.80"),
            trade: None,
            wallet_discount: None,
            balance: None,
        }],
        change: None,
        given_back: vec![],
        member: None,
        paper: Paper::Receipt,
        mode: Mode::Live,
        code: Some(vector["qr"].as_str().unwrap().to_owned()),
        original: None,
    }
}
