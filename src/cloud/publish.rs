//! Publishing bundles: one version after the other, checked as a till would check them, then signed.
//!
//! **Invariant:** versions never fall: each is one more than the last, and its number is a key of the store.
//! Not here: reading a catalogue from a file (`import`).

use super::Cloud;
use super::store::{Store, StoreError, StoredBundle};
use crate::bundle::{Bundle, BundleError, Content, Shop};
use crate::keys::CloudKeys;
use crate::limits::Limits;
use crate::money::Currency;
use crate::token::{Purpose, SignedKeySet, TokenError};
use std::convert::Infallible;
use std::sync::Arc;

/// Tries to publish when another process publishes at the same time.
const TRIES: usize = 8;

/// How long a key set is good: tills that were away for a season still read it.
const KEYS_GOOD_S: i64 = 800 * 24 * 3600;

/// A key set is renewed when it is good for less than this.
const KEYS_LEFT_S: i64 = 400 * 24 * 3600;

/// A key set is good from a day before it is made: tills' clocks run behind, too.
const KEYS_EARLY_S: i64 = 24 * 3600;

/// What the first bundle says of the shop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShopDefaults {
    /// The shop's name.
    pub name: String,
    /// Its address, a line each.
    pub address: Vec<String>,
    /// What the receipt ends with.
    pub thanks: String,
    /// The number of the chain or shop that issues codes.
    pub issuer: u16,
    /// Its currency.
    pub currency: Currency,
    /// Its time zone, an IANA name.
    pub time_zone: String,
    /// Minutes after midnight at which its day is cut.
    pub day_cut_minutes: u16,
}

impl Default for ShopDefaults {
    fn default() -> Self {
        Self {
            name: "Till".to_owned(),
            address: vec![],
            thanks: "Thank you. 谢谢惠顾。".to_owned(),
            issuer: 1,
            currency: Currency::CNY,
            time_zone: "Asia/Shanghai".to_owned(),
            day_cut_minutes: 4 * 60,
        }
    }
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store.
    #[error("the cloud's store cannot be used")]
    Store(#[from] StoreError),
    /// A till would refuse it.
    #[error("no till would take this bundle")]
    Refused(#[from] BundleError),
    /// The key set cannot be signed.
    #[error("the key set cannot be signed")]
    Keys(#[from] TokenError),
    /// What is published already cannot be read.
    #[error("the bundle cannot be written or read as JSON")]
    Json(#[from] serde_json::Error),
    /// There is nothing to change.
    #[error("no bundle has been published: start the cloud once")]
    Nothing,
    /// Others publish all the time.
    #[error("another process publishes at the same time: try again")]
    Busy,
}

impl PublishError {
    /// Whether trying again without changing anything is in vain.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Store(error) => error.is_permanent(),
            Self::Refused(_) | Self::Keys(_) | Self::Json(_) | Self::Nothing => true,
            Self::Busy => false,
        }
    }
}

/// Publishes the first bundle, or one with a fresh key set when the last one's runs out.
pub(crate) async fn first_bundle(
    store: &dyn Store,
    keys: &CloudKeys,
    shop: &ShopDefaults,
    now_ms: i64,
) -> Result<(), PublishError> {
    let now_s = now_ms.div_euclid(1000);
    if store.bundle_version().await? == 0 {
        let content = Content {
            version: 1,
            issued_at_s: u64::try_from(now_s).unwrap_or(0),
            shop: Shop {
                name: shop.name.clone(),
                address: shop.address.clone(),
                thanks: shop.thanks.clone(),
                issuer: shop.issuer,
            },
            currency: shop.currency,
            time_zone: shop.time_zone.clone(),
            day_cut_minutes: shop.day_cut_minutes,
            items: vec![],
            menu: vec![],
            offers: vec![],
            campaigns: vec![],
            desks: vec![],
            keys: signed_keys(keys, 1, now_s)?,
            revoked_serials: vec![],
            limits: Limits::default(),
            labels: None,
        };
        // Somebody else's first bundle is as good as this one.
        put(store, keys, &content, now_ms).await?;
    }
    let content = latest(store).await?.ok_or(PublishError::Nothing)?;
    let signed: SignedKeySet = serde_json::from_value(content.keys.clone())?;
    let set = signed.verify(&keys.root_public(), now_s);
    let version = match set {
        Ok(set) if set.not_after.saturating_sub(now_s) > KEYS_LEFT_S => return Ok(()),
        Ok(set) => set.version + 1,
        // Out of its dates, or signed by a root that is gone: tills that pinned that one pair anew.
        Err(_) => u64::try_from(now_s).unwrap_or(1),
    };
    let fresh = signed_keys(keys, version, now_s)?;
    edit(store, keys, now_ms, |content| content.keys = fresh.clone()).await.map(|_| ())
}

fn signed_keys(keys: &CloudKeys, version: u64, now_s: i64) -> Result<serde_json::Value, PublishError> {
    let set = keys.key_set(version, now_s - KEYS_EARLY_S, now_s + KEYS_GOOD_S);
    Ok(serde_json::to_value(keys.sign_key_set(&set)?)?)
}

/// The content of the latest bundle.
pub(crate) async fn latest(store: &dyn Store) -> Result<Option<Content>, PublishError> {
    let Some(bundle) = store.latest_bundle().await? else { return Ok(None) };
    Ok(Some(serde_json::from_slice(&bundle.payload)?))
}

/// Publishes the latest content with a change, as the next version. Says which version that is.
pub(crate) async fn edit(
    store: &dyn Store,
    keys: &CloudKeys,
    now_ms: i64,
    mut change: impl FnMut(&mut Content),
) -> Result<u64, PublishError> {
    let change = |content: &mut Content| -> Result<(), Infallible> {
        change(content);
        Ok(())
    };
    match edit_if(store, keys, now_ms, change).await? {
        Ok(version) => Ok(version),
        Err(never) => match never {},
    }
}

/// The same with a change that may say no to what it finds: nothing is published then. It is asked again whenever another
/// process was quicker, so whatever it keeps it takes from the content that it is shown.
pub(crate) async fn edit_if<E>(
    store: &dyn Store,
    keys: &CloudKeys,
    now_ms: i64,
    mut change: impl FnMut(&mut Content) -> Result<(), E>,
) -> Result<Result<u64, E>, PublishError> {
    for _ in 0..TRIES {
        let mut content = latest(store).await?.ok_or(PublishError::Nothing)?;
        if let Err(no) = change(&mut content) {
            return Ok(Err(no));
        }
        content.version += 1;
        content.issued_at_s = u64::try_from(now_ms.div_euclid(1000)).unwrap_or(0);
        if put(store, keys, &content, now_ms).await? {
            return Ok(Ok(content.version));
        }
    }
    Err(PublishError::Busy)
}

async fn put(
    store: &dyn Store,
    keys: &CloudKeys,
    content: &Content,
    now_ms: i64,
) -> Result<bool, PublishError> {
    let payload = serde_json::to_vec(content)?;
    Bundle::open(&payload)?;
    let key = keys.key(Purpose::Bundle);
    let signature = key.sign(&[b"till/bundle/1\n", payload.as_slice()].concat()).to_vec();
    let bundle =
        StoredBundle { version: content.version, payload, key_id: key.key_id().to_string(), signature };
    Ok(store.publish(bundle, now_ms).await?)
}

impl Cloud {
    /// The latest bundle, opened. A bundle that cannot be read is logged and counts as none.
    pub(crate) async fn bundle(&self) -> Option<Arc<Bundle>> {
        match self.read_bundle().await {
            Ok(bundle) => bundle,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the bundle cannot be read");
                None
            }
        }
    }

    async fn read_bundle(&self) -> Result<Option<Arc<Bundle>>, PublishError> {
        let version = self.store.bundle_version().await?;
        if let Some(bundle) = self.opened.get(version) {
            return Ok(Some(bundle));
        }
        let Some(stored) = self.store.latest_bundle().await? else { return Ok(None) };
        let bundle = Arc::new(Bundle::open(&stored.payload)?);
        self.opened.keep(&bundle);
        Ok(Some(bundle))
    }

    /// The signed key set as tills get it.
    pub(crate) async fn published_keys(&self) -> Result<serde_json::Value, StoreError> {
        Ok(self.bundle().await.map_or(serde_json::Value::Null, |bundle| bundle.content.keys.clone()))
    }
}

/// The bundle that was opened last, so that a catalogue is not read for every page.
#[derive(Default)]
pub(crate) struct Opened {
    bundle: std::sync::Mutex<Option<Arc<Bundle>>>,
}

impl Opened {
    fn get(&self, version: u64) -> Option<Arc<Bundle>> {
        let kept = self.bundle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.as_ref().filter(|bundle| bundle.content.version == version).map(Arc::clone)
    }

    fn keep(&self, bundle: &Arc<Bundle>) {
        *self.bundle.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Arc::clone(bundle));
    }
}
