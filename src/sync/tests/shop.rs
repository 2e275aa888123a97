//! A till's side of the doors: a journal in a directory of its own, and a till that answers what it is asked.

use super::super::{Config, Doors, Timing, Way, run};
use super::stand_in::{CLOUD_MS, StandIn};
use crate::counter::duty::Duty;
use crate::counter::event::Event;
use crate::counter::refusal::Refusal;
use crate::inbox::{Board, Inbox, Link, Reply, WORK_MAX};
use crate::journal::edge::EdgeStore;
use crate::journal::{Journal, Reader, Snapshot};
use crate::keys::DeviceKey;
use crate::money::Currency;
use crate::record::body::{Body, Shutdown};
use crate::record::chain::Tip;
use crate::record::{Epoch, FORMAT, Hash, Header, Mode, Moment, Record};
use crate::view::View;
use jiff::civil::Date;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// The life of the journal in these tests.
pub(super) const EPOCH: Epoch = Epoch(0x0123_4567_89ab_cdef);
/// The till's wall clock: an hour behind the cloud's.
pub(super) const TILL_MS: i64 = CLOUD_MS - 3_600_000;
/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Shop {
    pub(super) cloud: StandIn,
    pub(super) key: Arc<DeviceKey>,
    pub(super) board: Board,
    pub(super) edge: EdgeStore,
    pub(super) timing: Timing,
    /// The cloud that is called: the stand-in, unless a test has a real one.
    pub(super) url: String,
    /// How many of the till's next answers are "busy",
    pub(super) busy: Arc<AtomicU32>,
    /// or whatever keeps it from taking them now.
    pub(super) keeps: Refusal,
    dir: TempDir,
    journal: Journal,
    tip: Tip,
    view: watch::Sender<Arc<View>>,
    events: mpsc::UnboundedReceiver<Event>,
    heard: mpsc::UnboundedSender<Event>,
    work: mpsc::Sender<Duty>,
    stop: watch::Sender<bool>,
    edge_tasks: JoinSet<()>,
}

impl Shop {
    /// A shop whose edge is not yet started.
    pub(super) async fn closed() -> Self {
        let key = Arc::new(DeviceKey::from_seed(&[7; 32]).unwrap());
        let cloud = StandIn::open(key.public()).await;
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        let edge = EdgeStore::open(dir.path()).unwrap();
        let view = watch::Sender::new(Arc::new(view(Tip::START)));
        let board = Board::new(view.subscribe(), watch::Sender::new(Arc::default()).subscribe());
        let tick = Duration::from_millis(5);
        let timing = Timing {
            retry_first: tick,
            retry_most: tick * 4,
            order_retry_most: tick * 4,
            poll_wait: tick,
            call: Duration::from_secs(5),
            pairing: tick,
            period: Duration::from_millis(50),
        };
        let (heard, events) = mpsc::unbounded_channel();
        Self {
            url: cloud.url.clone(),
            cloud,
            key,
            board,
            edge,
            timing,
            busy: Arc::default(),
            keeps: Refusal::Busy,
            dir,
            journal,
            tip: Tip::START,
            view,
            events,
            heard,
            work: mpsc::channel(1).0,
            stop: watch::Sender::new(false),
            edge_tasks: JoinSet::new(),
        }
    }

    pub(super) async fn open() -> Self {
        let mut shop = Self::closed().await;
        shop.start();
        shop
    }

    pub(super) fn start(&mut self) {
        let (inbox, letters) = Inbox::new();
        let (heard, busy, keeps) = (self.heard.clone(), Arc::clone(&self.busy), self.keeps.clone());
        self.edge_tasks.spawn_blocking(move || {
            while let Ok(letter) = letters.recv() {
                let less = |count: u32| count.checked_sub(1);
                let is_busy = busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
                let _test_is_over = heard.send(letter.event);
                let answer = if is_busy { Err(keeps.clone()) } else { Ok(Reply::default()) };
                letter.reply.map(|reply| reply.send(answer));
            }
        });
        let (work, duties) = mpsc::channel(WORK_MAX);
        self.work = work;
        let draws = AtomicU64::new(1);
        let chance = move || {
            let mut draw = [0; 32];
            draw[..8]
                .copy_from_slice(&draws.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).to_be_bytes());
            draw
        };
        let config = Config {
            url: self.url.clone(),
            terminal: "till-1".parse().unwrap(),
            name: "Front till".to_owned(),
            device_key: Arc::clone(&self.key),
            timing: self.timing,
        };
        let doors = Doors {
            inbox,
            board: self.board.clone(),
            reader: self.reader(),
            edge: self.edge.clone(),
            now: Arc::new(|| TILL_MS),
            chance: Arc::new(chance),
        };
        let stop = self.stop.subscribe();
        let way = Way::new(&doors);
        self.edge_tasks.spawn(async move { run(config, doors, way, duties, stop).await.unwrap() });
    }

    /// Stops the edge and leaves everything else.
    pub(super) async fn stop(&mut self) {
        self.stop.send_replace(true);
        self.work = mpsc::channel(1).0;
        let ended = async {
            while let Some(ended) = self.edge_tasks.join_next().await {
                ended.unwrap()
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("the edge stops");
        self.stop.send_replace(false);
    }

    pub(super) async fn owe(&self, duty: Duty) {
        self.work.send(duty).await.unwrap();
    }

    /// Writes records and shows the new view, as the till does after each commit.
    pub(super) fn write(&mut self, count: u64) {
        let records: Vec<Record> = (0..count).map(|_| self.next_record()).collect();
        self.journal.append(&records).unwrap();
        self.view.send_replace(Arc::new(view(self.tip)));
    }

    /// Lets every record before this one go.
    pub(super) fn prune(&mut self, seq: u64) {
        let tip = self.reader().tip_at(EPOCH, seq).unwrap().unwrap();
        let state = Snapshot { epoch: EPOCH, tip, bytes: b"what they came to".to_vec() };
        self.journal.bring_forward(&state).unwrap();
        while self.journal.prune(state.end(), 1000).unwrap() > 0 {}
    }

    /// Writes a record with this body.
    pub(super) fn write_as(&mut self, body: Body) {
        let record = self.seal(body);
        self.journal.append(&[record]).unwrap();
        self.view.send_replace(Arc::new(view(self.tip)));
    }

    /// The edge store is gone, and begun anew.
    pub(super) fn lose_edge(&mut self) {
        let anew = self.dir.path().join("edge-anew");
        std::fs::create_dir(&anew).unwrap();
        self.edge = EdgeStore::open(&anew).unwrap();
        if let Some(pairing) = EdgeStore::open(self.dir.path()).unwrap().paired().unwrap() {
            self.edge.set_paired(&pairing).unwrap();
        }
    }

    /// A disk that was put back: this journal ends at `seq`, and so does what the edge store knows.
    pub(super) fn cut(&mut self, seq: u64) {
        let records = self.reader().raw(EPOCH, 1, u32::try_from(seq).unwrap(), usize::MAX).unwrap();
        let open =
            |raw: &crate::journal::Raw| Record::open(raw.head.clone(), raw.salt, raw.body.clone()).unwrap();
        let records: Vec<Record> = records.iter().map(open).collect();
        let dir = tempfile::tempdir().unwrap();
        self.journal = Journal::open(dir.path()).unwrap();
        self.journal.append(&records).unwrap();
        self.lose_edge();
        self.dir = dir;
        self.tip = Tip { seq, head: records.last().unwrap().hash };
        self.edge.set_watermark(EPOCH, seq, self.tip.head).unwrap();
        self.view.send_replace(Arc::new(view(self.tip)));
    }

    /// Shows the view with a change.
    pub(super) fn show(&self, change: impl FnOnce(&mut View)) {
        self.view.send_modify(|view| change(Arc::make_mut(view)));
    }

    fn next_record(&mut self) -> Record {
        let body = if self.tip.seq == 0 {
            Body::Genesis {
                parent: None,
                currency: Currency::CNY,
                time_zone: "Asia/Shanghai".to_owned(),
                day_cut_minutes: 0,
                version: "0".to_owned(),
                standing: crate::record::epochs::Standing::Regular,
                found: None,
            }
        } else {
            Body::Booted { version: "0".to_owned(), shutdown: Shutdown::Clean }
        };
        self.seal(body)
    }

    fn seal(&mut self, body: Body) -> Record {
        let header = Header {
            format: FORMAT,
            terminal: "till-1".parse().unwrap(),
            epoch: EPOCH,
            seq: self.tip.seq + 1,
            previous: self.tip.head,
            kind: String::new(),
            kind_version: 0,
            sale: None,
            station: None,
            moment: Moment::default(),
            business_date: Date::constant(2027, 1, 15),
            shift: None,
            staff: None,
            approver: None,
            mode: Mode::Live,
            receipt: None,
            serial: None,
            amount: None,
            body_hash: Hash::NONE,
        };
        let record = Record::seal(header, body, [1; 16]);
        self.tip.follow(EPOCH, &record).unwrap();
        record
    }

    pub(super) fn link(&self) -> Link {
        self.board.link.borrow().clone()
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::open(self.dir.path()).unwrap()
    }

    pub(super) fn tip(&self) -> Tip {
        self.tip
    }

    pub(super) fn watermark(&self) -> u64 {
        self.edge.watermark(EPOCH).unwrap().seq
    }

    /// The next event that the till is told.
    pub(super) async fn event(&mut self) -> Event {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("an event in time").unwrap()
    }

    pub(super) fn no_event(&mut self) {
        let event = self.events.try_recv();
        assert!(event.is_err(), "{event:?}");
    }

    /// Waits until something is so.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..2000 {
            if is_so(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let calls = self.cloud.at().calls.clone();
        let last = &calls[calls.len().saturating_sub(20)..];
        panic!("it never came to be so: {what}; {:?}; {last:?}", self.link());
    }
}

fn view(tip: Tip) -> View {
    View { epoch: EPOCH, ..View::blank(tip) }
}
