//! A record: one durable fact of a till, with a header in the clear and a body.
//!
//! The header is a fixed binary layout (docs/PROTOCOL.md, "The record"); a record's hash is SHA-256 over
//! a domain tag and the header's bytes; the header carries the hash of the record before and a hash over
//! the body's salt and exact bytes. So the chain proves every body, and an erased or sealed body leaves
//! it verifiable. Bytes are never made again from values: what was hashed is what is kept and sent.
//!
//! Not here: where records are kept (`journal`), and what they do to a till (`counter`).

pub mod body;
pub mod chain;
pub mod epochs;
pub mod giving_back;
pub mod header;
pub mod ids;
pub mod lease;
pub mod line;
pub mod moment;
pub mod money_moves;
pub mod personal;
pub mod queue_act;
pub mod settlement;
pub mod witness;

pub use body::Body;
pub use chain::{Broken, Hash};
pub use header::{Epoch, Header, Mode};
pub use moment::Moment;

use ring::digest;

/// Format version of the records this build writes. An older build refuses a newer one.
pub const FORMAT: u16 = 1;

/// The longest body in bytes. A basket of `sale::LINES_MAX` lines is far below it.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// One durable fact.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// The header's values.
    pub header: Header,
    /// The header's bytes, as hashed.
    pub head: Vec<u8>,
    /// SHA-256 over the domain tag and `head`.
    pub hash: Hash,
    /// Makes the body hash say nothing about a guessable body.
    pub salt: [u8; 16],
    /// The body's exact bytes: JSON.
    pub bytes: Vec<u8>,
    /// What the bytes say.
    pub body: Body,
}

impl Record {
    /// Makes a record of `body`. The caller fills the header but for kind and body hash.
    pub fn seal(mut header: Header, body: Body, salt: [u8; 16]) -> Self {
        let bytes =
            serde_json::to_vec(&body).expect("a body has only text keys, so it can be written as JSON");
        header.kind = body.kind().to_owned();
        header.kind_version = body.kind_version();
        header.body_hash = body_hash(&salt, &bytes);
        let head = header.encode();
        let hash = header_hash(&head);
        Self { header, head, hash, salt, bytes, body }
    }

    /// Reads a record back from its bytes and checks that the body is the one the header names.
    ///
    /// A body that does not parse is kept as [`Body::Unreadable`]: its sale freezes, the chain goes on.
    ///
    /// # Errors
    /// [`Broken`] when the header cannot be read or the body is not the one that was hashed.
    pub fn open(head: Vec<u8>, salt: [u8; 16], bytes: Vec<u8>) -> Result<Self, Broken> {
        let header = Header::decode(&head)?;
        if body_hash(&salt, &bytes) != header.body_hash {
            return Err(Broken::BodyHash { seq: header.seq });
        }
        let hash = header_hash(&head);
        let body = Body::parse(&header.kind, &bytes);
        Ok(Self { header, head, hash, salt, bytes, body })
    }

    /// Reads a record whose body was erased: the header proves that there was one, and nobody can say which.
    ///
    /// # Errors
    /// [`Broken`] when the header cannot be read.
    pub fn erased(head: Vec<u8>) -> Result<Self, Broken> {
        let header = Header::decode(&head)?;
        let hash = header_hash(&head);
        let body = Body::Erased { kind_name: header.kind.clone() };
        Ok(Self { header, head, hash, salt: [0; 16], bytes: vec![], body })
    }

    /// Reads a record as it is kept: where the body has no bytes, it was erased. A body is JSON and never empty.
    ///
    /// # Errors
    /// As [`Record::open`].
    pub fn kept(head: Vec<u8>, salt: [u8; 16], bytes: Vec<u8>) -> Result<Self, Broken> {
        if bytes.is_empty() { Self::erased(head) } else { Self::open(head, salt, bytes) }
    }
}

/// SHA-256 over the domain tag and a header's bytes.
pub fn header_hash(head: &[u8]) -> Hash {
    hash_parts(b"till/record/1\n", &[head])
}

/// SHA-256 over the domain tag, the salt and a body's exact bytes.
pub fn body_hash(salt: &[u8; 16], bytes: &[u8]) -> Hash {
    hash_parts(b"till/body/1\n", &[salt, bytes])
}

fn hash_parts(tag: &[u8], parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(tag);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Hash(hash)
}
