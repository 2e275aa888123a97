//! An edge store that is damaged is set aside and begun anew: it holds nothing that cannot be fetched or typed again.
//!
//! What can still be read of it is taken over where it proves itself elsewhere: the pairing (head office's signatures
//! hold under it or they do not), the bundle (verified again), and how far the cloud has the journal (compared with the
//! journal). Sessions and wrong PINs are not: people sign in again.

use super::super::{Error, aside};
use super::{EdgeStore, StoredBundle, settings, stored_bundle, watermarks};
use crate::record::Epoch;
use crate::record::chain::Tip;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Default)]
struct Left {
    pairing: Option<Vec<u8>>,
    bundle: Option<StoredBundle>,
    watermarks: BTreeMap<Epoch, Tip>,
}

/// Sets the damaged store aside, and opens a new one with what is left of it.
pub(super) fn begin(dir: &Path, why: &Error) -> Result<EdgeStore, Error> {
    tracing::error!(error = %why, "The edge store is damaged: it is set aside and begun anew.");
    let path = aside::set_edge_aside(dir)?.join("edge.db");
    let left = settings::open_to_read(&path).map(|connection| read(&connection)).unwrap_or_default();
    let store = EdgeStore::open_file(dir)?;
    match &left.pairing {
        Some(pairing) => store.set_paired(pairing)?,
        None => {
            tracing::warn!("The pairing cannot be read: a manager approves this till at the cloud again.")
        }
    }
    if let Some(bundle) = &left.bundle {
        store.store_bundle(bundle)?;
    }
    for (epoch, tip) in left.watermarks {
        store.set_watermark(epoch, tip.seq, tip.head)?;
    }
    Ok(store)
}

fn read(connection: &Connection) -> Left {
    let pairing = connection.query_row("SELECT bytes FROM pairing", [], |row| row.get::<_, Vec<u8>>(0)).ok();
    let bundle = stored_bundle(connection).ok().flatten();
    let is_json = |bytes: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    Left {
        pairing: pairing.filter(|bytes| is_json(bytes)),
        bundle: bundle.filter(|bundle| is_json(&bundle.bytes) && is_json(&bundle.envelope)),
        watermarks: watermarks(connection).unwrap_or_default(),
    }
}
