//! Private keys: a till's device key, the cloud's signing keys, the key that seals bodies at rest.
//!
//! **Invariant:** private material is never printed, never leaves this module, and a key file is written once:
//! a second start finds the first start's key or an error, never a new key. (Keys of members are the exception: they
//! exist to be destroyed.) Chance is drawn here, and only for
//! keys and nonces. Not here: verifying (`token`), and who trusts whom (pairing).

mod cloud;
mod file;
mod members;
pub mod request;
mod seal;
mod signing;

pub use crate::token::{KeyId, fingerprint};
pub use cloud::CloudKeys;
pub use file::KeyError;
pub use members::{MemberKey, MemberKeys, Until};
pub use seal::{NONCE_BYTES, SEAL_CREDENTIAL, SEAL_OVERHEAD_BYTES, Seal, credentials_directory};
pub use signing::DeviceKey;

#[cfg(test)]
mod tests;
