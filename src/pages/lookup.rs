//! Finding a sale by its receipt: the number as people write it, or what a scanner reads from the paper.
//!
//! Not here: what is done with the sale (`give_back`, `receipt`), and the same lookup for a scan at the counter (`till`).

use super::Pages;
use super::answer::Sorry;
use crate::journal::Error as JournalError;
use crate::locales::Msg;
use crate::receipt::{NotOurs, Shown, looks_like_a_code};
use crate::record::ids::SaleId;
use crate::record::{Epoch, Record};
use crate::sale::Sale;
use crate::scan::{Scanned, classify};
use axum::http::StatusCode;

/// The sales that a text names, and the code that named them, if it was one.
pub(super) struct Named {
    pub(super) shown: Option<Shown>,
    pub(super) sales: Vec<Sale>,
}

impl Named {
    /// The one sale of a number or a code; none where no receipt has it.
    pub(super) fn one(&self, pages: &Pages) -> Result<Option<&Sale>, NotOurs> {
        let terminal = &pages.parts.board.view.borrow().terminal;
        match (&self.shown, self.sales.as_slice()) {
            (Some(shown), sales) => shown.sale(terminal, pages.parts.stamp.public(), sales).map(Some),
            (None, []) => Ok(None),
            (None, [sale]) => Ok(Some(sale)),
            (None, [_, _, ..]) => Err(NotOurs::Two),
        }
    }
}

/// Looks a receipt up: `9f3c-004217`, the number alone in the running series, or a scanned code.
pub(super) async fn named(pages: &Pages, text: &str) -> Result<Result<Named, NotOurs>, Sorry> {
    let running = pages.view().epoch;
    if let Scanned::Token(token) = classify(text.as_bytes(), None, &[])
        && let Some(shown) = Shown::of(&token)
    {
        let sales = match shown.wanted(pages.parts.stamp.public()) {
            None => Vec::new(),
            Some((number, epoch)) => sales(pages, number, epoch).await?,
        };
        return Ok(Ok(Named { shown: Some(shown), sales }));
    }
    if looks_like_a_code(text) {
        return Ok(Err(NotOurs::Misread));
    }
    let (series, number) =
        text.rsplit_once('-').map_or((None, text), |(series, number)| (Some(series), number));
    let sales = match number.trim().parse::<u32>() {
        Err(_) => Vec::new(),
        Ok(number) => {
            let series = series.map(|series| series.trim().to_lowercase());
            let wanted = move |epoch: Epoch| match &series {
                None => epoch == running,
                Some(series) => epoch.to_string().starts_with(series),
            };
            sales(pages, number, wanted).await?
        }
    };
    Ok(Ok(Named { shown: None, sales }))
}

/// The sale that a return is of.
pub(super) async fn original(pages: &Pages, sale: &Sale) -> Result<Option<Sale>, Sorry> {
    let of = sale.back.opened.as_ref().and_then(|back| back.of.as_ref()).map(|of| of.sale);
    let Some(of) = of else { return Ok(None) };
    let journal = pages.parts.journal.clone();
    let records = blocking(move || journal.sale(SaleId(of.0))).await?;
    Ok(Sale::fold(&records))
}

async fn sales(
    pages: &Pages,
    number: u32,
    epoch: impl Fn(Epoch) -> bool + Send + 'static,
) -> Result<Vec<Sale>, Sorry> {
    let journal = pages.parts.journal.clone();
    let found: Vec<Vec<Record>> = blocking(move || journal.sales_of_receipt(number, epoch)).await?;
    Ok(found.iter().filter_map(Sale::fold).collect())
}

/// Reads the journal away from the threads that serve.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, Sorry> {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Sorry::disk(&error)),
        Err(_) => Err(Sorry::of(StatusCode::SERVICE_UNAVAILABLE, "disk", Msg::DiskTrouble)),
    }
}
