//! Scans and menu keys: what they add to the basket, and what they mean in each state.

use super::event::RawScan;
use super::recorder::{About, Recorder};
use super::{Refusal, Till};
use crate::catalogue::Item;
use crate::limits::Means;
use crate::money::Money;
use crate::receipt::{NotOurs, looks_like_a_code};
use crate::record::body::{Body, MemberSource, Place, SaleKind};
use crate::record::ids::{SaleId, StationId};
use crate::record::line::{Line, LineId, LineKind, Modifier, PriceFrom, Quantity, Unit};
use crate::record::money_moves::{CouponTaken, CouponTerms};
use crate::sale::{LINES_MAX, Sale};
use crate::scan::{self, Ambiguous, Gtin, Scanned};
use crate::token::{Coupon, Kind, MemberCode, Token, Unverified, Worth};

/// How an item goes into the basket.
pub(super) struct Sold {
    pub(super) gtin: Option<String>,
    pub(super) modifiers: Vec<Modifier>,
    pub(super) quantity: Quantity,
    pub(super) listed: Option<Money>,
    pub(super) price: Money,
    pub(super) price_from: PriceFrom,
    pub(super) lot: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) expiry: Option<String>,
    pub(super) net: Option<Quantity>,
}

impl Sold {
    pub(super) fn of(quantity: Quantity, price: Money, price_from: PriceFrom) -> Self {
        Self {
            gtin: None,
            modifiers: Vec::new(),
            quantity,
            listed: None,
            price,
            price_from,
            lot: None,
            serial: None,
            expiry: None,
            net: None,
        }
    }
}

impl Till {
    pub(super) fn scanned(
        &self,
        station: &StationId,
        scan: &RawScan,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        out.at(station);
        if self.stations.get(station).is_none_or(|here| here.staff.is_none()) {
            return Err(Refusal::SignInFirst);
        }
        if self.is_read_twice(station, scan, &out.cx.bundle.labels) {
            return Ok(());
        }
        self.read_code(station, &scan.data, scan.aim.as_ref().map(<[u8; 3]>::as_slice), out)
    }

    /// What a code means here and now, scanned or typed.
    pub(super) fn read_code(
        &self,
        station: &StationId,
        data: &[u8],
        aim: Option<&[u8]>,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        match scan::classify(data, aim, &out.cx.bundle.labels) {
            Scanned::Item(gtin) | Scanned::ItemWithAddOn { gtin, .. } => self.scan_item(station, gtin, out),
            Scanned::Weighed(label) => self.scan_label(station, &label, out),
            Scanned::Gs1(read) => self.scan_gs1(station, &read, out),
            Scanned::Emv(code) => Err(Self::refuse_emv(&code)),
            Scanned::Token(Token::Coupon(coupon)) => {
                self.take_coupon(self.front(station), Some(station), &coupon, &shown(data), out)
            }
            Scanned::Token(Token::Member(code)) if self.member_pays(station, out) => {
                self.pay_by_member(station, &code, out)
            }
            Scanned::Token(Token::Member(code)) => self.recognise(station, &code, out),
            Scanned::Token(Token::Proof(proof)) => self.take_proof(&proof, &shown(data), out),
            Scanned::Token(Token::Voucher(voucher)) => {
                self.take_voucher(station, &voucher, &shown(data), out)
            }
            Scanned::Token(token @ (Token::Receipt(_) | Token::Number(_))) => {
                self.show_receipt(station, &token, out)
            }
            Scanned::Token(other) => {
                Err(Refusal::Scan(format!("This is {}: it is not used at the counter yet.", other.kind())))
            }
            Scanned::Desk { desk, .. } => self.scan_desk(station, &desk, out),
            Scanned::PayCode(code) => self.pay_by_code(station, &code, out),
            Scanned::Ambiguous(Ambiguous::TwoItems { ean_8, upc_e }) => {
                let sold = |gtin: &Gtin| out.cx.bundle.catalogue.by_gtin(&gtin.to_14_digits()).is_some();
                match (sold(&ean_8), sold(&upc_e)) {
                    (true, true) => Err(Refusal::Scan(
                        "Two items share this short code. Press a menu key instead.".to_owned(),
                    )),
                    (false, true) => self.scan_item(station, upc_e, out),
                    (true | false, false) => self.scan_item(station, ean_8, out),
                }
            }
            Scanned::Ambiguous(Ambiguous::PayCodeOrLabel { pay_code, label }) => {
                self.scan_label_or_pay_code(station, &label, &pay_code, out)
            }
            Scanned::Text(text) => self.scan_text(station, &text, out),
            Scanned::Misread { text, why } => match out.cx.bundle.catalogue.item(&text) {
                Some(_) => self.scan_text(station, &text, out),
                None if looks_like_a_code(&text) => Err(NotOurs::Misread.into()),
                None => Err(Refusal::Scan(sentence(&why.to_string()))),
            },
            Scanned::Garbage(why) => Err(Refusal::Scan(sentence(&why.to_string()))),
        }
    }

    pub(super) fn scan_desk(
        &self,
        station: &StationId,
        desk: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        match desk.parse() {
            Ok(desk) if self.front(station).is_some() => self.put_on_desk(station, &desk, out),
            Ok(desk) => self.take_desk(station, &desk, out),
            Err(error) => Err(Refusal::Desk(format!("This desk code cannot be read: {error}."))),
        }
    }

    pub(super) fn scan_item(
        &self,
        station: &StationId,
        gtin: Gtin,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let digits = gtin.to_14_digits();
        let bundle = out.cx.bundle;
        let item = bundle.catalogue.by_gtin(&digits);
        let item = item.ok_or_else(|| Refusal::UnknownItem(gtin.to_string()))?;
        self.add_item(station, item, Some(digits), &[], None, 1, out)
    }

    fn scan_text(&self, station: &StationId, text: &str, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let bundle = out.cx.bundle;
        let known = bundle.catalogue.item(text);
        let item = known.ok_or_else(|| Refusal::UnknownItem(super::acts::short(text)))?;
        self.add_item(station, item, None, &[], None, 1, out)
    }

    pub(super) fn press_key(
        &self,
        station: &StationId,
        sku: &str,
        modifiers: &[String],
        price: Option<Money>,
        quantity: i64,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let bundle = out.cx.bundle;
        let item = bundle.catalogue.item(sku);
        let item = item.ok_or_else(|| Refusal::Key(format!("The key for {sku} sells nothing any more.")))?;
        self.add_item(station, item, None, modifiers, price, quantity, out)
    }

    #[allow(clippy::too_many_arguments)] // one call for scan, key and typed code: each part is one fact of the line
    fn add_item(
        &self,
        station: &StationId,
        item: &Item,
        gtin: Option<String>,
        modifiers: &[String],
        price: Option<Money>,
        pieces: i64,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let chosen = chosen(item, modifiers)?;
        let (base, price_from) = self.base_price(item, price)?;
        let extra = Money::sum(chosen.iter().map(|modifier| modifier.price), self.currency)?;
        let price = base.plus(extra)?;
        let decimals = if item.unit == Unit::Piece { 0 } else { 3 };
        let steps = pieces.checked_mul(10_i64.pow(decimals)).ok_or(Refusal::Quantity)?;
        let decimals = u8::try_from(decimals).map_err(|_| Refusal::Quantity)?;
        let quantity = Quantity { value: steps, decimals, unit: item.unit };
        let sold = Sold {
            gtin,
            modifiers: chosen,
            listed: item.price.and_then(|listed| listed.plus(extra).ok()),
            ..Sold::of(quantity, price, price_from)
        };
        self.push_line(station, item, sold, out)
    }

    /// Adds a line to the sale in front, or opens one with it.
    pub(super) fn push_line(
        &self,
        station: &StationId,
        item: &Item,
        sold: Sold,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        if !sold.quantity.is_sensible() {
            return Err(Refusal::Quantity);
        }
        let (sale, line) = self.basket_for_line(station, out)?;
        let line = Line {
            id: line,
            kind: LineKind::Goods,
            sku: Some(item.sku.clone()),
            gtin: sold.gtin,
            name: item.name.clone(),
            name_zh: item.name_zh.clone(),
            quantity: sold.quantity,
            listed: sold.listed,
            price: sold.price,
            price_from: sold.price_from,
            override_reason: None,
            modifiers: sold.modifiers,
            tax: item.tax.clone(),
            linked: None,
            least_age: item.least_age,
            lot: sold.lot,
            expiry: sold.expiry,
            serial: sold.serial,
            net: sold.net,
        };
        let amount = line.gross()?;
        out.push(Body::LineAdded { line }, About::sale(sale).amount(amount));
        Ok(())
    }

    pub(super) fn base_price(
        &self,
        item: &Item,
        typed: Option<Money>,
    ) -> Result<(Money, PriceFrom), Refusal> {
        match (item.price, typed) {
            (Some(price), None) => Ok((price, PriceFrom::Catalogue)),
            (Some(_), Some(_)) => {
                Err(Refusal::Key(format!("{} has a fixed price. A manager can change the line.", item.name)))
            }
            (None, None) => Err(Refusal::PriceMissing(item.name.clone())),
            (None, Some(typed)) if typed.currency != self.currency || !typed.is_positive() => {
                Err(Refusal::Amount("The price must be more than nothing.".to_owned()))
            }
            (None, Some(typed)) => {
                super::acts::sensible(typed)?;
                Ok((typed, PriceFrom::Open))
            }
        }
    }

    /// The sale that takes the next line, opened if there is none, and the line's number.
    fn basket_for_line(
        &self,
        station: &StationId,
        out: &mut Recorder<'_>,
    ) -> Result<(SaleId, LineId), Refusal> {
        match self.front(station) {
            Some(sale) => {
                let sale = self.open_basket(station).map(|_| sale)?;
                if sale.lines.len() >= LINES_MAX {
                    return Err(Refusal::SaleFull(LINES_MAX));
                }
                Ok((sale.id, sale.next_line()))
            }
            None => Ok((self.open_sale(Place::Front, out), LineId(1))),
        }
    }

    pub(super) fn open_sale(&self, place: Place, out: &mut Recorder<'_>) -> SaleId {
        let id = out.id(SaleId::draw);
        out.push(Body::SaleOpened { sale_kind: SaleKind::Sale, place }, About::sale(id));
        id
    }

    fn recognise(
        &self,
        station: &StationId,
        code: &MemberCode,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        self.refuse_without_time(out)?;
        let member = code.member.to_string();
        let sale = match self.front(station) {
            Some(sale) if sale.member.as_deref() == Some(&member) => {
                return Err(Refusal::NotNow("This member is already on the sale."));
            }
            Some(sale) if sale.member.is_some() => {
                return Err(Refusal::NotNow("Another member is on this sale already."));
            }
            Some(sale) => {
                super::acts::refuse_while_paying(sale)?;
                sale.id
            }
            None => self.open_sale(Place::Front, out),
        };
        let code_proof = Some(format!("{:08}", code.totp));
        let body = Body::MemberRecognised { member, source: MemberSource::Code, code_proof };
        out.push(body, About::sale(sale));
        Ok(())
    }

    /// Verifies a coupon and attaches it. Without a sale and with a station, a sale is opened for it.
    pub(super) fn take_coupon(
        &self,
        sale: Option<&Sale>,
        station: Option<&StationId>,
        coupon: &Unverified<Coupon>,
        text: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        self.refuse_without_time(out)?;
        let now = i64::try_from(out.cx.moment.unix_s()).unwrap_or(i64::MAX);
        let coupon = coupon.verify(out.cx.keys, now)?.into_inner();
        let taken = self.judge_coupon(&coupon, text, out)?;
        if let Some(sale) = sale {
            super::acts::refuse_while_paying(sale)?;
            if sale.fixed.is_some() {
                return Err(Refusal::TotalIsFixed);
            }
            if sale.coupons.len() >= crate::offer::COUPONS_MAX {
                return Err(Refusal::Coupon("No more coupons fit on one sale.".to_owned()));
            }
        }
        let worth = match &taken.terms {
            CouponTerms::AmountOff(amount) => Some(*amount),
            CouponTerms::BasisPointsOff(_) => None,
        };
        self.refuse_without_lease(coupon.campaign, sale, out.cx)?;
        self.refuse_if_perhaps_taken_before(coupon.validity, out)?;
        self.refuse_at_limit(Means::Coupon, worth, sale.map(|sale| sale.id), out)?;
        let sale = match (sale, station) {
            (Some(sale), _) => sale.id,
            (None, Some(_)) => self.open_sale(Place::Front, out),
            (None, None) => return Err(Refusal::NoSale),
        };
        out.push(Body::CouponTaken { coupon: taken }, About::sale(sale));
        Ok(())
    }

    fn judge_coupon(&self, coupon: &Coupon, text: &str, out: &Recorder<'_>) -> Result<CouponTaken, Refusal> {
        let no = |words: &str| Err(Refusal::Coupon(words.to_owned()));
        let content = &out.cx.bundle.content;
        let serial = coupon.serial().to_string();
        if coupon.issuer != content.shop.issuer {
            return no("This coupon is another shop's.");
        }
        if self.spent.contains(&serial) {
            return no("This coupon was used here already.");
        }
        if content.revoked_serials.contains(&serial) {
            return no("This coupon was withdrawn.");
        }
        let holders = self.sales.values().filter(|sale| super::is_open(sale));
        if holders.flat_map(|sale| &sale.coupons).any(|held| held.serial == serial) {
            return no("This coupon is on an open sale already.");
        }
        let campaign = out.cx.bundle.campaign(coupon.campaign);
        if campaign.is_some_and(|campaign| campaign.state == crate::bundle::CampaignState::Stopped) {
            return no("The campaign of this coupon has ended.");
        }
        let terms = match coupon.worth {
            Worth::AmountOff(amount) => CouponTerms::AmountOff(amount),
            Worth::BasisPointsOff(points) => CouponTerms::BasisPointsOff(u32::from(points)),
            Worth::ByCampaign => match campaign.and_then(|campaign| campaign.terms.clone()) {
                Some(terms) => terms,
                None => {
                    return no(
                        "The till does not know this coupon's campaign yet. Connect it and try again.",
                    );
                }
            },
        };
        let minimum = campaign.and_then(|campaign| campaign.minimum);
        let off = match &terms {
            CouponTerms::AmountOff(amount) => Some(*amount),
            CouponTerms::BasisPointsOff(_) => None,
        };
        // Amounts of two currencies cannot be summed: the basket could not be paid any more.
        if off.into_iter().chain(minimum).any(|amount| amount.currency != self.currency) {
            return no("This coupon is in another currency.");
        }
        Ok(CouponTaken {
            serial,
            campaign: coupon.campaign,
            name: campaign.map_or_else(|| "Coupon".to_owned(), |campaign| campaign.name.clone()),
            name_zh: campaign.map_or_else(|| Some("优惠券".to_owned()), |campaign| campaign.name_zh.clone()),
            terms,
            minimum,
            token: text.to_owned(),
        })
    }

    pub(super) fn coupon_offered(
        &self,
        sale: SaleId,
        token: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let sale = self.sales.get(&sale).filter(|sale| sale.desk().is_some() && super::is_open(sale));
        let sale = sale.ok_or(Refusal::NoSale)?;
        out.at(&sale.station);
        match crate::token::parse(token)? {
            Token::Coupon(coupon) => self.take_coupon(Some(sale), None, &coupon, token, out),
            other @ (Token::Voucher(_)
            | Token::Proof(_)
            | Token::Order(_)
            | Token::Receipt(_)
            | Token::Member(_)
            | Token::Number(_)) => Err(Refusal::Token(crate::token::TokenError::WrongKind {
                found: other.kind(),
                wanted: Kind::Coupon,
            })),
        }
    }
}

/// The text of a code of ours, as it was read.
fn shown(data: &[u8]) -> String {
    String::from_utf8_lossy(data).trim().to_owned()
}

fn chosen(item: &Item, modifiers: &[String]) -> Result<Vec<Modifier>, Refusal> {
    let mut chosen: Vec<Modifier> = Vec::with_capacity(modifiers.len());
    for id in modifiers {
        let known = item.modifiers.iter().find(|modifier| modifier.id == *id);
        let modifier =
            known.ok_or_else(|| Refusal::Key(format!("{} has no choice {id:?} any more.", item.name)))?;
        if !chosen.contains(modifier) {
            chosen.push(modifier.clone());
        }
    }
    Ok(chosen)
}

/// A clause from a classifier as a sentence on a screen.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
