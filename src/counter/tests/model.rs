//! Thousands of random days at a till, right and wrong things in any order, against books kept apart.
//!
//! `TILL_SEEDS=20000 cargo test` plays more days than by default, `TILL_SEED=7` one that failed.

mod books;

use super::super::event::RefundReport;
use super::*;
use crate::record::giving_back::{Finding, RefundEnd};
use crate::record::line::LineId;
use crate::record::money_moves::{Ruling, Verdict};
use crate::sale::back::Wanted;
use crate::token::{MemberRef, member_code};
use books::Books;

/// Days by default: seconds, not minutes, without optimisation.
const SEEDS: u64 = 1_200;

/// Events of a day: enough for some sales with trouble.
const EVENTS: u64 = 70;

/// A day: the till, what happened in it, and books of its own.
struct Day {
    bench: TestTill,
    books: Books,
    dice: Dice,
    coupons: Vec<String>,
    vouchers: Vec<String>,
}

#[test]
fn the_books_agree_after_any_day() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let coupons: Vec<String> = (0..4)
        .map(shop::five_off)
        .chain([shop::forged(&shop::coupon_of(9, 7)), shop::signed(&shop::coupon_of(8, 9))])
        .collect();
    let seeds = match number("TILL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TILL_SEEDS").unwrap_or(SEEDS),
    };
    let whole = seeds.end - seeds.start > 1;
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in seeds {
        let played = std::panic::catch_unwind(|| play(seed, &coupons));
        let Ok(kinds) = played else { panic!("the day of TILL_SEED={seed} went wrong: see above") };
        kinds.into_iter().for_each(|kind| *seen.entry(kind).or_default() += 1);
    }
    if whole {
        for kind in books::EVERY_DAY {
            assert!(seen.get(kind).is_some_and(|days| *days > 0), "no day had {kind}: {seen:?}");
        }
    }
}

/// Plays one day and says which kinds of record it had.
fn play(seed: u64, coupons: &[String]) -> BTreeSet<&'static str> {
    let mut bench = TestTill::open();
    bench.wallets.insert(ProviderName::House);
    let vouchers = vec![
        shop::voucher(1, 300),
        shop::voucher(2, 5_000),
        shop::voucher(3, 1_000),
        shop::issued(&shop::voucher_of(4, 900), shop::VOUCHERS, 9),
    ];
    let mut day =
        Day { bench, books: Books::default(), dice: Dice(seed), coupons: coupons.to_vec(), vouchers };
    (0..4).for_each(|_| {
        day.dice.roll(2);
    });
    day.bench.records.iter().for_each(|record| day.books.enter(record));
    for _ in 0..EVENTS {
        day.event();
        day.books.check(&day.bench.till);
    }
    day.bench.view();
    day.bench.records.iter().map(|record| record.body.kind()).collect()
}

impl Day {
    /// Something happens; what the till records of it goes into the books.
    fn event(&mut self) {
        let from = self.bench.records.len();
        match self.dice.roll(22) {
            20..=21 => self.prove(),
            0..=5 => self.sell(),
            6..=8 => self.tender(),
            9 => self.manage(),
            10..=12 => self.provider(),
            13 => self.refund(),
            14 => self.devices(),
            15..=16 => self.desk(),
            17 => self.clock(),
            18 => self.start_again(),
            _ => self.cloud(),
        }
        for record in &self.bench.records[from..] {
            self.books.enter(record);
        }
    }

    fn act(&mut self, act: Act) {
        // A refusal is an answer like any other here: what counts is that nothing was recorded.
        let from = self.bench.records.len();
        if self.bench.act(act).is_err() {
            assert_eq!(self.bench.records.len(), from);
        }
    }

    fn post(&mut self, event: &Event) {
        let _ = self.bench.post(event);
    }

    fn sell(&mut self) {
        let line = LineId(u32::try_from(self.dice.roll(4)).unwrap());
        match self.dice.roll(14) {
            0..=3 => {
                let _ = self.bench.scan(COLA);
            }
            4..=6 => {
                let _ = self.bench.press(["latte", "wine", "apples"][usize::try_from(line.0 % 3).unwrap()]);
            }
            7 => {
                let _ = self
                    .bench
                    .scan(["6901234567893", "nothing", "", "P1.AA"][usize::try_from(line.0).unwrap()]);
            }
            8 => {
                let value = i64::try_from(self.dice.roll(5)).unwrap() - 1;
                self.act(Act::SetQuantity { line, value });
            }
            9 => self.act(Act::VoidLine { line, reason: None }),
            10..=11 => {
                let text = self.dice.pick(&self.coupons).unwrap();
                let _ = self.bench.scan(&text);
            }
            12 => {
                let serial = format!("C1-002a-{:016x}", self.dice.roll(4));
                self.act(Act::ReturnCoupon { serial });
            }
            _ => {
                self.bench.approver = Some("mei".parse().unwrap());
                let price = fen(i64::try_from(self.dice.roll(3_000)).unwrap());
                self.act(Act::OverridePrice { line, price, reason: "dented".to_owned() });
                self.bench.approver = None;
            }
        }
    }

    fn tender(&mut self) {
        match self.dice.roll(21) {
            19..=20 => {
                self.act(Act::Pay);
                let text = self.dice.pick(&self.vouchers).unwrap();
                let _ = self.bench.scan(&text);
            }
            15..=16 => self.show(),
            17 => {
                let member = MemberRef([u8::try_from(self.dice.roll(3)).unwrap(); 10]);
                let _ = self.bench.scan(&member_code(member, b"secret", shop::NOW_S));
            }
            18 => self.act(Act::StoredValue),
            12..=14 => {
                self.act(Act::Pay);
                let amount = i64::try_from(self.dice.roll(4)).unwrap() * 175 - 100;
                self.act(Act::Part { amount: Some(fen(amount)) });
                if self.dice.roll(2) > 0 {
                    let _ = self.bench.cash(amount);
                } else {
                    let _ = self.bench.scan(&pay_code(u32::try_from(self.dice.roll(90)).unwrap()));
                }
            }
            0..=4 => {
                self.act(Act::Pay);
                if self.dice.roll(4) > 0 {
                    let code = pay_code(u32::try_from(self.dice.roll(12)).unwrap());
                    let _ = self.bench.scan(&code);
                }
            }
            5 => {
                let code = pay_code(u32::try_from(self.dice.roll(12)).unwrap());
                let _ = self.bench.scan(&code);
            }
            6 => self.act(Act::Back),
            7..=8 => {
                let due = if self.bench.has_front() { self.bench.front().total.minor } else { 100 };
                let received = due + i64::try_from(self.dice.roll(3)).unwrap() * 50 - 50;
                let _ = self.bench.cash(received);
            }
            _ => {
                if let Some(intent) = self.dice.pick_late(&self.books.drawn) {
                    self.act(Act::CancelPayment { intent });
                }
            }
        }
    }

    /// A code for a phone, at a till with a cloud or without, and its paper.
    fn show(&mut self) {
        let at_wallet = self.dice.roll(2) == 0;
        self.bench.phones = if at_wallet { PhonesPay::AtTheWallet } else { PhonesPay::AtTheCloud };
        self.act(Act::Pay);
        self.act(Act::ShowCode { at: Some(ProviderName::Alipay) });
        let Some(intent) = self.books.drawn.last().copied() else { return };
        if self.dice.roll(2) == 0 {
            let url = "HTTPS://PAY.EXAMPLE/O/O1".to_owned();
            let shown = match self.dice.roll(2) {
                0 => ProviderReport::Shown(url),
                _ => ProviderReport::ShownUnheard(url),
            };
            self.post(&Event::Provider(intent, shown));
            self.act(Act::PrintCode { intent });
        }
    }

    /// A phone that paid comes back to the counter: with its code, or with digits, right or wrong.
    fn prove(&mut self) {
        let orders: Vec<IntentId> = self.books.orders();
        let Some(intent) = self.dice.pick_late(&orders) else { return };
        let order = super::proofs::order(&self.bench, intent);
        let archived = self.books.sale_of(intent).filter(|sale| !self.bench.till.holds(*sale));
        let archived = archived.and_then(|sale| Sale::fold(&self.bench.of_sale(sale)));
        let event = match self.dice.roll(8) {
            0..=3 => {
                let wrong = i64::from(self.dice.roll(5) == 0);
                let data = super::proofs::proof(&order, order.amount.minor + wrong).into_bytes();
                let scan = RawScan { data, aim: None, repeat_of_ms: None };
                Event::Scanned { station: self.bench.station.clone(), scan }
            }
            4..=6 => {
                let digits = super::proofs::digits(&order);
                Event::Act(self.bench.command(Act::TypeProof { intent, digits }))
            }
            _ => {
                let digits = "00000000".to_owned();
                Event::Act(self.bench.command(Act::TypeProof { intent, digits }))
            }
        };
        let _ = self.bench.post_about(&event, archived.as_ref());
    }

    fn manage(&mut self) {
        match self.dice.roll(10) {
            0..=1 => self.act(Act::Hold),
            2..=3 => {
                if let Some(sale) = self.dice.pick(&self.books.sales_known()) {
                    self.act(Act::Recall { sale });
                }
            }
            4 => self.act(Act::VoidSale { reason: "left".to_owned() }),
            5 => {
                if let Some(sale) = self.dice.pick(&self.books.sales_known()) {
                    let archived = Sale::fold(&self.bench.of_sale(sale));
                    let command = self.bench.command(Act::Reprint { sale, size: TypeSize::Normal });
                    let _ = self.bench.post_about(&Event::Act(command), archived.as_ref());
                }
            }
            6 => {
                if let Some(job) = self.dice.pick(&self.books.ordered) {
                    self.act(Act::Settle { job, words: "looked at".to_owned() });
                }
            }
            7 => {
                let other = ["front", "back"][usize::try_from(self.dice.roll(2)).unwrap()];
                self.bench.station = other.parse().unwrap();
                self.act(Act::SignIn);
            }
            8 => {
                self.act(Act::OpenShift { float: fen(1_000) });
                if self.dice.roll(3) == 0 {
                    self.act(Act::CloseShift { counted: fen(1_000) });
                }
            }
            _ => {
                self.act(Act::SignOut);
                self.bench.staff =
                    Some(["bo", "mei"][usize::try_from(self.dice.roll(2)).unwrap()].parse().unwrap());
                self.act(Act::SignIn);
                self.act(Act::NoSale { reason: "change".to_owned() });
            }
        }
    }

    fn provider(&mut self) {
        let Some(intent) = self.dice.pick_late(&self.books.drawn) else { return };
        let report = match self.dice.roll(10) {
            9 => ProviderReport::Shown("HTTPS://PAY.EXAMPLE/O/O1".to_owned()),
            0..=2 => approved(self.books.amount_of(intent)),
            3 => declined(),
            4 => ProviderReport::Pending,
            5 => ProviderReport::Unsure("no answer".to_owned()),
            6 => ProviderReport::Cancelled("closed".to_owned()),
            7 => ProviderReport::CancelUnsure("no answer".to_owned()),
            _ => ProviderReport::NothingLate,
        };
        let archived = self.books.sale_of(intent).filter(|sale| !self.bench.till.holds(*sale));
        let archived = archived.and_then(|sale| Sale::fold(&self.bench.of_sale(sale)));
        let _ = self.bench.post_about(&Event::Provider(intent, report), archived.as_ref());
    }

    fn refund(&mut self) {
        if self.dice.roll(2) == 0 {
            return self.give_back();
        }
        let Some(refund) = self.dice.pick_late(&self.books.backs) else { return };
        let report = match self.dice.roll(4) {
            0 => RefundReport::Refused("account closed".to_owned()),
            1 => RefundReport::Pending("at the bank".to_owned()),
            _ => RefundReport::Refunded,
        };
        self.post(&Event::Refund(refund, report));
    }

    /// A manager at the counter: money back, and ends for what has none.
    fn give_back(&mut self) {
        self.bench.approver = Some("mei".parse().unwrap());
        let reason = "wrong size".to_owned();
        match self.dice.roll(10) {
            0..=4 => {
                let Some(sale) = self.dice.pick_late(&self.books.sales_known()) else { return };
                let archived = Sale::fold(&self.bench.of_sale(sale));
                let returns = archived.as_ref().map_or(0, |sale| sale.back.drawn.len());
                let returns_seen = u32::try_from(returns).unwrap();
                let minor = i64::try_from(self.dice.roll(900)).unwrap();
                let line = LineId(u32::try_from(self.dice.roll(3)).unwrap());
                let wanted = match self.dice.roll(3) {
                    0 => Wanted::Whole,
                    1 => Wanted::Lines(vec![(line, 1)]),
                    _ => Wanted::Amount(fen(minor)),
                };
                let command = self.bench.command(Act::GiveBack { sale, returns_seen, wanted, reason });
                let _ = self.bench.post_about(&Event::Act(command), archived.as_ref());
            }
            5..=6 => {
                if let Some(refund) = self.dice.pick(&self.books.refused()) {
                    self.act(Act::RetryRefund { refund });
                }
            }
            7..=8 => {
                let end = if self.dice.roll(2) == 0 { RefundEnd::Cash } else { RefundEnd::Otherwise };
                if let Some(refund) = self.dice.pick(&self.books.refused()) {
                    self.act(Act::SettleRefund { refund, end, reason });
                }
            }
            _ => {
                let by_hand = self.dice.roll(2) == 0;
                let finding = if by_hand { Finding::GivenBackByHand } else { Finding::NotCharged };
                for intent in self.books.drawn.clone() {
                    self.act(Act::ResolvePayment { intent, finding, reason: reason.clone() });
                }
                if let Some(sale) = self.dice.pick(&self.books.sales_known()) {
                    self.act(Act::SeeNote { sale });
                }
            }
        }
        self.bench.approver = None;
    }

    fn devices(&mut self) {
        let Some(job) = self.dice.pick_late(&self.books.ordered) else { return };
        let report = match self.dice.roll(6) {
            0..=2 => PrintReport::Starting,
            3..=4 => ended(PaperOutcome::Confirmed),
            _ => ended(PaperOutcome::FailedPartWay),
        };
        self.post(&Event::Print(job, report.clone()));
        self.post(&Event::Drawer(KickId(job.0), report));
    }

    fn desk(&mut self) {
        let desk = ["d1", "d2"][usize::try_from(self.dice.roll(2)).unwrap()].parse().unwrap();
        match self.dice.roll(8) {
            0..=1 => self.act(Act::PutOnDesk { desk }),
            2 => self.act(Act::TakeDesk { desk }),
            choice => {
                let bills = self.bench.view().desks;
                let Some(bill) = bills.into_iter().find_map(|desk| desk.sale) else { return };
                if choice == 3 {
                    let token = self.dice.pick(&self.coupons).unwrap();
                    self.post(&Event::CouponOffered { sale: bill.id, token });
                } else {
                    let bill_version = bill.version - self.dice.roll(5) / 4;
                    self.post(&Event::OrderRequested {
                        sale: bill.id,
                        bill_version,
                        provider: ProviderName::Alipay,
                    });
                }
            }
        }
    }

    fn clock(&mut self) {
        let ms = self.dice.roll(8) * 20_000;
        self.bench.wait_ms(ms);
        if self.bench.till.next_deadline().is_some_and(|deadline| self.bench.moment.is_past(deadline)) {
            self.post(&Event::DeadlinePassed);
            let next = self.bench.till.next_deadline();
            assert!(next.is_none_or(|deadline| !self.bench.moment.is_past(deadline)), "it was not all done");
        } else {
            assert!(self.bench.post(&Event::DeadlinePassed).unwrap().is_empty());
        }
    }

    fn start_again(&mut self) {
        if self.dice.roll(3) == 0 {
            let boot = u8::try_from(self.dice.roll(200)).unwrap();
            self.bench.moment.boot = crate::record::moment::BootId([boot; 16]);
            self.bench.moment.monotonic_ms = self.dice.roll(100_000);
        }
        self.bench.restart();
    }

    fn cloud(&mut self) {
        let number = self.dice.roll(6);
        let ruling = if self.dice.roll(2) == 0 { Ruling::Refused } else { Ruling::Accepted };
        let (epoch, sale) = (Epoch(0xE9), self.dice.pick(&self.books.sales_known()));
        let code = "coupon_already_used".to_owned();
        self.post(&Event::Ruled(Verdict { number, epoch, seq: 3, sale, ruling, code, words: String::new() }));
    }
}
