//! A phone pays, or adds a coupon: the till is asked, and the phone is sent on when the till has answered.

use super::bill::{Look, fold, is_window, under_way};
use super::said::Said;
use super::{Phone, known_desk, order};
use crate::cloud::Cloud;
use crate::cloud::bells::{Bell, rung};
use crate::cloud::problem::Problem;
use crate::cloud::store::{
    Advance, GivenUp, NewRequest, NoticeBody, OrderState, Requested, StoreError, WISH_MS,
};
use crate::record::ids::{DeskId, IntentId, SaleId};
use crate::record::money_moves::ProviderName;
use crate::token::{ORDER_LIFETIME_S, Token};
use crate::view::Phase;
use crate::wallet::http::percent_encoded;
use axum::Form;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How old the page may be that a phone pays from.
const PAGE_MS: i64 = 300_000;

/// How long a phone waits for the till's order and for the wallet.
const ORDER_WAIT: Duration = Duration::from_secs(10);

/// How long it waits for the till to take a coupon.
const COUPON_WAIT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
pub(super) struct Wish {
    sale: SaleId,
    version: u64,
    total: i64,
    shown: i64,
    /// The button that was tapped; none from a page with one wallet only.
    wallet: Option<ProviderName>,
}

/// `POST /d/{desk}/pay`
pub(super) async fn pay(
    State(cloud): State<Arc<Cloud>>,
    Path(desk): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(wish): Form<Wish>,
) -> Result<Response, Problem> {
    let phone = Phone::of(&headers);
    let known = known_desk(&cloud, &desk).await;
    let (bundle, desk) = known.ok_or_else(|| Problem::not_found("No such desk."))?;
    // Another site's page must not press for a phone that merely looks at it.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Ok(phone.mark(to_desk(&desk, None, Some(Said::Stale))));
    }
    let back = |said| Ok(phone.mark(to_desk(&desk, None, Some(said))));
    let look = Look::at_desk(&cloud, &desk, None, &phone).await?;
    let now_ms = cloud.now_ms();
    let now_s = u64::try_from(cloud.now_s()).unwrap_or(0);
    let view = look.sale.as_ref().map(|sale| sale.view(&bundle, &bundle.quotas(), now_s));
    let (Some(view), Some(terminal)) = (view, look.terminal.clone()) else { return back(Said::Stale) };
    // Until the till has heard of it, the same phone may press again; after that the bill has moved on.
    let again = look.order.as_ref().filter(|order| phone.is(order.phone.as_deref()) && under_way(order));
    if let Some(order) = again.filter(|_| view.id == wish.sale) {
        let intent = order.intent;
        return Ok(phone.mark(follow(&cloud, &desk, &phone, wish.sale, None, Some(intent)).await?));
    }
    // The till's records may be here before its order is.
    let paying = view.phase == Phase::Paying || look.order.as_ref().is_some_and(under_way);
    if paying && view.id == wish.sale {
        return back(Said::OtherPhone);
    }
    let old = now_ms.saturating_sub(wish.shown).saturating_abs() > PAGE_MS;
    let changed = view.id != wish.sale || view.version != wish.version || view.total.minor != wish.total;
    if old || changed || !matches!(view.phase, Phase::Basket | Phase::Tender) {
        return back(Said::Stale);
    }
    let offered = phone.wallets(&cloud);
    let wanted = wish.wallet.or_else(|| offered.first().copied());
    let Some(provider) = wanted.filter(|wallet| offered.contains(wallet)) else {
        return back(Said::NoWallet);
    };
    if !look.till_draws(&cloud) {
        return back(Said::TillSilent);
    }
    let request = NewRequest {
        sale: wish.sale,
        version: wish.version,
        terminal: terminal.clone(),
        desk: desk.clone(),
        phone: phone.id.clone(),
        provider,
        opens: phone.browser(peer, &headers),
        notice: NoticeBody::order_requested(
            wish.sale,
            wish.version,
            provider,
            now_ms.saturating_add(WISH_MS),
        ),
        now_ms,
    };
    match cloud.store.request_payment(request).await? {
        Requested::OtherPhone => return back(Said::OtherPhone),
        Requested::Asked | Requested::Anew | Requested::Again => cloud.ring_till(&terminal),
    }
    let before = look.order.map(|order| order.intent);
    let asked = GivenUp { sale: wish.sale, version: wish.version, phone: phone.id.clone(), asked_ms: now_ms };
    let request = Some((asked, before));
    Ok(phone.mark(follow(&cloud, &desk, &phone, wish.sale, request, None).await?))
}

/// Waits for the order of a sale, then for the wallet's page, and sends the phone there.
///
/// `request` says what to give up when nobody answers, and names the order that was there before.
async fn follow(
    cloud: &Cloud,
    desk: &DeskId,
    phone: &Phone,
    sale: SaleId,
    request: Option<(GivenUp, Option<IntentId>)>,
    known: Option<IntentId>,
) -> Result<Response, Problem> {
    let mut bell = cloud.bells.listen(Bell::Orders);
    let mut bill = cloud.bells.listen(Bell::Desk(desk.clone()));
    let patience = tokio::time::sleep(ORDER_WAIT);
    tokio::pin!(patience);
    let (asked, before) = request.map_or((None, None), |(asked, before)| (Some(asked), before));
    loop {
        let order = cloud.store.order_of_sale(sale).await?;
        let order = order.filter(|order| Some(order.intent) != before && phone.is(order.phone.as_deref()));
        let order = order.filter(|order| known.is_none_or(|known| known == order.intent));
        if let Some(order) = &order {
            match (order.state, &order.qr_text) {
                (OrderState::Started, Some(opens)) if is_window(opens) => {
                    return Ok(to_desk(desk, Some(sale), None));
                }
                (OrderState::Started, Some(qr_text)) => {
                    return Ok(to_wallet(cloud, order.provider, qr_text, &format!("/d/{desk}?sale={sale}")));
                }
                (OrderState::Paid, _) => return Ok(to_desk(desk, Some(sale), None)),
                (OrderState::Withdrawing, _) => return Ok(to_desk(desk, Some(sale), None)),
                (OrderState::Withdrawn | OrderState::Ended, _) => {
                    return Ok(to_desk(desk, None, Some(Said::Ended)));
                }
                (OrderState::PaidLate | OrderState::Refunded, _) => {
                    return Ok(to_desk(desk, None, Some(Said::GoesBack)));
                }
                (OrderState::Open | OrderState::Claimed | OrderState::Starting | OrderState::Started, _) => {}
            }
        }
        if let (None, Some(asked)) = (&order, &asked)
            && has_moved_on(cloud, desk, sale, asked.version).await?
            && cloud.store.give_up_request(asked.clone()).await?
        {
            return Ok(to_desk(desk, None, Some(Said::Stale)));
        }
        tokio::select! {
            () = rung(&mut bell) => {}
            () = rung(&mut bill) => {}
            () = &mut patience => {
                let silent = match (order, asked) {
                    (None, Some(asked)) => cloud.store.give_up_request(asked).await?,
                    (Some(_), _) | (None, None) => false,
                };
                return Ok(to_desk(desk, None, silent.then_some(Said::TillSilent)));
            }
            () = cloud.stopping() => {
                if let (None, Some(asked)) = (order, asked) {
                    cloud.store.give_up_request(asked).await?;
                }
                return Err(Problem::unavailable("The cloud is stopping. Try again."));
            }
        }
    }
}

/// Whether the till will refuse an order of this version: the bill is another one by now, or gone from the desk.
async fn has_moved_on(cloud: &Cloud, desk: &DeskId, sale: SaleId, version: u64) -> Result<bool, Problem> {
    let standing = cloud.store.desk_sale(desk.clone()).await?;
    if standing.is_none_or(|standing| standing.sale != sale) {
        return Ok(true);
    }
    // The order itself fixes the bill, and its records may be here before it is.
    Ok(fold(cloud, sale).await?.is_some_and(|sale| sale.version != version && sale.phase() == Phase::Basket))
}

#[derive(Deserialize)]
pub(super) struct Choice {
    /// The button that was tapped; none from a page with one wallet only.
    wallet: Option<ProviderName>,
}

/// `POST /O/{order}/pay`
pub(super) async fn pay_order(
    State(cloud): State<Arc<Cloud>>,
    Path(text): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(choice): Form<Choice>,
) -> Result<Response, Problem> {
    let phone = Phone::of(&headers);
    let order = order::look_up(&cloud, &text).await?;
    let order = order.ok_or_else(|| Problem::not_found("No such order."))?;
    let here = format!("/O/{text}");
    let now_ms = cloud.now_ms();
    // Another site's page must not press for a phone that merely looks at it. That the till is silent is no reason: what
    // it signed comes back to it on the phone.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Ok(phone.mark(Redirect::to(&format!("{here}?said=stale")).into_response()));
    }
    let offered = phone.wallets(&cloud);
    let wanted = choice.wallet.or_else(|| offered.first().copied());
    let Some(provider) = wanted.filter(|wallet| offered.contains(wallet)) else {
        return Ok(phone.mark(Redirect::to(&format!("{here}?said=no_wallet")).into_response()));
    };
    if order.state == OrderState::Open && order.issued_at_s.saturating_add(ORDER_LIFETIME_S) >= cloud.now_s()
    {
        order::bring(&cloud, &order, provider).await?;
        let mut step = Advance::new(order.intent, &[OrderState::Open], OrderState::Claimed, now_ms);
        step.phone = Some((phone.id.clone(), phone.browser(peer, &headers)));
        step.provider = Some(provider);
        step.due_ms = Some(now_ms);
        cloud.step(step, &order).await?;
    }
    let mut bell = cloud.bells.listen(Bell::Orders);
    let patience = tokio::time::sleep(ORDER_WAIT);
    tokio::pin!(patience);
    let mut over = false;
    while !over {
        let order = cloud.store.order(order.intent).await?;
        let Some(order) = order.filter(under_way) else { break };
        if !phone.is(order.phone.as_deref()) {
            return Ok(phone.mark(Redirect::to(&format!("{here}?said=other_phone")).into_response()));
        }
        if let (OrderState::Started, Some(qr_text)) = (order.state, &order.qr_text) {
            if is_window(qr_text) {
                break;
            }
            return Ok(phone.mark(to_wallet(&cloud, order.provider, qr_text, &here)));
        }
        tokio::select! {
            () = rung(&mut bell) => {}
            () = &mut patience => over = true,
            () = cloud.stopping() => over = true,
        }
    }
    Ok(phone.mark(Redirect::to(&here).into_response()))
}

#[derive(Deserialize)]
pub(super) struct Offered {
    token: String,
}

/// `POST /d/{desk}/coupon`
pub(super) async fn coupon(
    State(cloud): State<Arc<Cloud>>,
    Path(desk): Path<String>,
    headers: HeaderMap,
    Form(offered): Form<Offered>,
) -> Result<Response, Problem> {
    let phone = Phone::of(&headers);
    let known = known_desk(&cloud, &desk).await;
    let (_, desk) = known.ok_or_else(|| Problem::not_found("No such desk."))?;
    let back = |said| Ok(phone.mark(to_desk(&desk, None, Some(said))));
    let token = offered.token.trim();
    let Ok(Token::Coupon(unverified)) = crate::token::parse(token) else {
        return back(Said::CouponUnreadable);
    };
    let Ok(coupon) = unverified.verify(&cloud.key_set, cloud.now_s()) else {
        return back(Said::CouponUnreadable);
    };
    let serial = coupon.serial().to_string();
    if cloud.store.redeemed(serial.clone()).await?.is_some() {
        return back(Said::CouponUsed);
    }
    let Some(standing) = cloud.store.desk_sale(desk.clone()).await? else { return back(Said::Stale) };
    if standing.cash_only || !cloud.heard.is_there(&standing.terminal, cloud.now_ms()) {
        return back(Said::TillSilent);
    }
    let mut bell = cloud.bells.listen(Bell::Desk(desk.clone()));
    let until_ms = cloud.now_ms().saturating_add(WISH_MS);
    if has_coupon(&cloud, standing.sale, &serial).await? {
        return back(Said::CouponTaken);
    }
    let notice = NoticeBody::coupon_offered(standing.sale, token, until_ms);
    if cloud.store.offer(standing.terminal.clone(), notice, cloud.now_ms()).await? {
        cloud.ring_till(&standing.terminal);
    }
    let patience = tokio::time::sleep(COUPON_WAIT);
    tokio::pin!(patience);
    loop {
        if has_coupon(&cloud, standing.sale, &serial).await? {
            return back(Said::CouponTaken);
        }
        tokio::select! {
            () = rung(&mut bell) => {}
            () = &mut patience => return back(Said::CouponWaiting),
            () = cloud.stopping() => return back(Said::CouponWaiting),
        }
    }
}

async fn has_coupon(cloud: &Cloud, sale: SaleId, serial: &str) -> Result<bool, StoreError> {
    let sale = fold(cloud, sale).await?;
    Ok(sale.is_some_and(|sale| sale.coupons.iter().any(|coupon| coupon.serial == serial)))
}

fn to_desk(desk: &DeskId, sale: Option<SaleId>, said: Option<Said>) -> Response {
    let mut to = format!("/d/{desk}");
    if let Some(sale) = sale {
        to.push_str(&format!("?sale={sale}"));
    }
    if let Some(said) = said {
        let join = if sale.is_some() { '&' } else { '?' };
        to.push_str(&format!("{join}said={}", said.slug()));
    }
    Redirect::to(&to).into_response()
}

/// The wallet's own page for the order, which leads back here.
fn to_wallet(cloud: &Cloud, provider: ProviderName, qr_text: &str, back: &str) -> Response {
    let join = if qr_text.contains('?') { '&' } else { '?' };
    let back = percent_encoded(&format!("{}{back}", cloud.public_base));
    // `redirect_url` is WeChat Pay's (H5 payment).
    let name = if provider == ProviderName::Wechat { "redirect_url" } else { "return" };
    Redirect::to(&format!("{qr_text}{join}{name}={back}")).into_response()
}
