//! The till's state as screens show it.

use super::endings::Ended;
use super::paid::Paid;
use super::{JobState, Till, is_open};
use crate::bundle::Bundle;
use crate::counter::refusal::Told;
use crate::record::body::{PaperOutcome, Place};
use crate::record::epochs::Standing;
use crate::record::ids::{JobId, StationId};
use crate::sale::{IntentState, Refund, RefundState, Sale};
use crate::view::{
    Attention, DeskView, KeyView, Notice, SaleView, Seen, Selling, StaffView, StationView, View,
};
use std::collections::BTreeMap;

impl Till {
    /// What screens show. `stations` are those of the configuration, `told` what each was last told.
    pub fn view(
        &self,
        bundle: &Bundle,
        now_s: u64,
        stations: &[StationId],
        told: &BTreeMap<StationId, Told>,
        selling: Selling,
    ) -> View {
        let show = |sale: &Sale| self.show_sale(sale, bundle, now_s);
        let open = || self.sales.values().filter(|sale| is_open(sale));
        View {
            terminal: self.terminal.clone(),
            epoch: self.epoch,
            standing: self.standing,
            tip: self.tip,
            selling,
            disk: None,
            shop: bundle.content.shop.name.clone(),
            currency: self.currency,
            bundle_version: bundle.content.version,
            staff: self
                .staff
                .iter()
                .map(|(id, person)| StaffView {
                    id: id.clone(),
                    name: person.name.clone(),
                    role: person.role,
                })
                .collect(),
            stations: stations
                .iter()
                .map(|id| (id.clone(), self.station_view(id, told.get(id), bundle, now_s)))
                .collect(),
            held: open().filter(|sale| sale.place == Place::Held).map(show).collect(),
            desks: self.desk_views(bundle, show),
            menu: menu(bundle),
            ways: crate::view::Ways::default(),
            exposure: crate::view::Exposure::none(self.currency),
            clock: crate::view::ClockView::default(),
            leases: self.lease_views(now_s, bundle, told.values().map(|told| told.code.as_str())),
            attention: self.attention(),
            notices: self.notices(),
            shift: self.shift.as_ref().map(crate::shift::Shift::view),
            between_shifts: Some(self.between.view())
                .filter(|between| self.shift.is_none() && between.sales > 0),
            carried: self.carried(),
            recent: self.recent.iter().map(Paid::view).collect(),
            cases: std::sync::Arc::clone(&self.cases),
        }
    }

    fn show_sale(&self, sale: &Sale, bundle: &Bundle, now_s: u64) -> SaleView {
        sale.view(bundle, &self.allotted(now_s, bundle, Some(sale.id)), now_s)
    }

    fn station_view(&self, id: &StationId, told: Option<&Told>, bundle: &Bundle, now_s: u64) -> StationView {
        let station = self.stations.get(id);
        let paid = station.and_then(|station| station.paid);
        StationView {
            staff: station.and_then(|station| station.staff.clone()),
            sale: self.front(id).map(|sale| self.show_sale(sale, bundle, now_s)),
            paid: paid.and_then(|sale| self.recent.iter().find(|paid| paid.sale == sale)).map(Paid::view),
            told: told.cloned(),
            shown: None,
        }
    }

    fn desk_views(&self, bundle: &Bundle, show: impl Fn(&Sale) -> SaleView) -> Vec<DeskView> {
        let view = |desk: &crate::bundle::Desk| DeskView {
            id: desk.id.clone(),
            name: desk.name.clone(),
            sale: self.on_desk(&desk.id).map(&show),
        };
        // A bill on a desk that head office took off the plan must stay in reach.
        let planned = |sale: &&Sale| sale.desk().is_some_and(|desk| bundle.desk(desk).is_some());
        let unplanned = self.sales.values().filter(|sale| is_open(sale) && !planned(sale));
        let unplanned = unplanned.filter_map(|sale| {
            let id = sale.desk()?.clone();
            Some(DeskView { name: id.to_string(), id, sale: Some(show(sale)) })
        });
        bundle.content.desks.iter().map(view).chain(unplanned).collect()
    }

    fn attention(&self) -> Vec<Attention> {
        let mut list = Vec::new();
        if self.standing == Standing::Provisional {
            let (code, words) = ("new_books", super::Refusal::CashOnly.to_string());
            list.push(Attention { code, words, sale: None, job: None, intent: None, refund: None });
        }
        for (job, paper) in &self.papers {
            if let JobState::Asks(outcome, words) = &paper.state {
                let code = match outcome {
                    PaperOutcome::Unconfirmed => "paper_unconfirmed",
                    PaperOutcome::Confirmed | PaperOutcome::FailedBefore | PaperOutcome::FailedPartWay => {
                        "paper_failed"
                    }
                };
                let words = words.clone();
                list.push(Attention {
                    code,
                    words,
                    sale: Some(paper.sale),
                    job: Some(*job),
                    intent: None,
                    refund: None,
                });
            }
        }
        for (kick, drawer) in &self.kicks {
            if let JobState::Asks(_, words) = &drawer.state {
                let (code, words) = ("drawer_unconfirmed", words.clone());
                list.push(Attention {
                    code,
                    words,
                    sale: None,
                    job: Some(JobId(kick.0)),
                    intent: None,
                    refund: None,
                });
            }
        }
        for sale in self.sales.values() {
            if sale.frozen && sale.acknowledged.is_none() {
                let words = crate::counter::Refusal::Frozen.to_string();
                let (code, sale) = ("sale_frozen", Some(sale.id));
                list.push(Attention { code, words, sale, job: None, intent: None, refund: None });
            }
            for intent in sale.intents.iter().filter(|i| i.state == IntentState::CancelUnsure) {
                let words = format!(
                    "{} for {}: nobody knows yet whether it was taken back. The till keeps asking.",
                    intent.amount, sale.station
                );
                let (sale, intent) = (Some(sale.id), Some(intent.id));
                let code = "payment_unsure";
                list.push(Attention { code, words, sale, job: None, intent, refund: None });
            }
            for refund in &sale.refunds {
                if let RefundState::Refused(words) = &refund.state {
                    let words = format!("{} could not be given back: {words}", refund.amount);
                    let (sale, intent, code) = (Some(sale.id), Some(refund.intent), "refund_refused");
                    list.push(Attention { code, words, sale, job: None, intent, refund: Some(refund.id) });
                }
            }
        }
        if let Some(why) = self.clock.distrusted() {
            let words = why.words().to_owned();
            let code = "clock_distrusted";
            list.push(Attention { code, words, sale: None, job: None, intent: None, refund: None });
        }
        for (sale, words) in self.cases_needing_a_person() {
            let code = "verdict_refused";
            list.push(Attention { code, words, sale, job: None, intent: None, refund: None });
        }
        list
    }

    /// How sales ended that were not in front, and money that is on its way back.
    fn notices(&self) -> Vec<Notice> {
        let noted = self.notes.iter().map(|note| {
            let (code, receipt) = match note.ended {
                Ended::Paid { receipt } => ("parked_paid", Some(receipt)),
                Ended::InPart => ("parked_in_part", None),
                Ended::Unpaid => ("parked_unpaid", None),
            };
            let (station, sale, amount) = (note.station.clone(), note.sale, note.amount);
            Notice { code, station, sale, amount, receipt, at_ms: note.at_ms, seen: Seen::ByAPerson }
        });
        let mut notices: Vec<Notice> = noted.collect();
        for sale in self.sales.values() {
            let going = |refund: &&Refund| matches!(refund.state, RefundState::Drawn | RefundState::Pending);
            for refund in sale.refunds.iter().filter(going) {
                let late = super::owed::is_late(sale, refund);
                notices.push(Notice {
                    code: if late { "late_money" } else { "refund_waiting" },
                    station: sale.station.clone(),
                    sale: sale.id,
                    amount: refund.amount,
                    receipt: sale.back.opened.as_ref().and_then(|back| back.of.as_ref()?.receipt),
                    at_ms: sale.opened.wall_ms,
                    seen: Seen::ByItself,
                });
            }
        }
        notices
    }
}

fn menu(bundle: &Bundle) -> Vec<KeyView> {
    let view = |key: &crate::catalogue::MenuKey| {
        let item = bundle.catalogue.item(&key.sku)?;
        Some(KeyView {
            page: key.page.clone(),
            row: key.row,
            column: key.column,
            sku: item.sku.clone(),
            name: item.name.clone(),
            name_zh: item.name_zh.clone(),
            price: item.price,
            modifiers: item.modifiers.clone(),
        })
    };
    bundle.catalogue.menu().iter().filter_map(view).collect()
}
