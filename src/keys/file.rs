//! Key files: created once, whole or not at all, readable by their owner only.
//!
//! Not here: what the bytes mean. A file holds one line: a label that says what it is, a space, base64, newline.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Why a key could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Reading failed.
    #[error("cannot read the key file {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed; nothing usable was left behind.
    #[error("cannot write the key file {path}: check that its folder exists and belongs to this user")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There already.
    #[error("the key file {0} exists already: a key is made once")]
    Exists(PathBuf),
    /// Others can read it.
    #[error("the key file {0} can be read by others: run `chmod 600` on it, and think about who has read it")]
    Exposed(PathBuf),
    /// Not what this program wrote.
    #[error("the key file {0} is damaged or holds something else: restore it from its backup")]
    Damaged(PathBuf),
    /// The system's randomness failed.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// A sealed text was changed, or sealed with another key or for another place.
    #[error("this cannot be opened with this key: it was changed, or it belongs elsewhere")]
    DoesNotOpen,
}

impl KeyError {
    /// Whether trying again without a person's help is pointless.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ),
            Self::NoRandomness => false,
            Self::Exists(_) | Self::Exposed(_) | Self::Damaged(_) | Self::DoesNotOpen => true,
        }
    }
}

/// Who may be able to read a key file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner only: anything else is an error.
    OwnerOnly,
    /// As the service manager arranged it: systemd's credentials carry access lists that look like group bits.
    AsArranged,
}

/// Fresh random bytes for a key or a nonce.
pub(super) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
    Ok(bytes)
}

/// Writes a key file that does not exist yet.
///
/// A whole temporary file is made durable first and then linked into place: a link, unlike a rename, never
/// replaces a key that another start has made in the meantime.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Write`] or [`KeyError::NoRandomness`].
pub(super) fn create(path: &Path, label: &str, bytes: &[u8]) -> Result<(), KeyError> {
    let failed = |source| KeyError::Write { path: path.to_owned(), source };
    let folder = folder_of(path);
    let mark = u64::from_be_bytes(random()?);
    let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let temporary = folder.join(format!(".{}.{mark:016x}.new", name.to_string_lossy()));
    let linked = write_whole(&temporary, &format!("{label} {}\n", BASE64.encode(bytes)))
        .and_then(|()| fs::hard_link(&temporary, path));
    // Whatever happened, the temporary name is of no more use; one that stays behind holds an unused key.
    let removed = fs::remove_file(&temporary);
    match linked {
        Ok(()) => {
            removed.map_err(failed)?;
            sync_folder(path)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(KeyError::Exists(path.to_owned())),
        Err(error) => Err(failed(error)),
    }
}

/// Reads a key file of `N` bytes; `None` when there is none.
///
/// # Errors
/// [`KeyError::Read`], [`KeyError::Exposed`] or [`KeyError::Damaged`].
pub(super) fn load<const N: usize>(
    path: &Path,
    label: &str,
    readers: Readers,
) -> Result<Option<[u8; N]>, KeyError> {
    let failed = |source| KeyError::Read { path: path.to_owned(), source };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if readers == Readers::OwnerOnly && mode & 0o077 != 0 {
        return Err(KeyError::Exposed(path.to_owned()));
    }
    str::from_utf8(&text)
        .ok()
        .and_then(|text| text.strip_prefix(label)?.strip_prefix(' ')?.strip_suffix('\n'))
        .and_then(|text| BASE64.decode(text).ok()?.try_into().ok())
        .map(Some)
        .ok_or_else(|| KeyError::Damaged(path.to_owned()))
}

/// Loads a key file, or makes it from `fresh` on the first start.
///
/// # Errors
/// As [`load`] and [`create`].
pub(super) fn load_or_create<const N: usize>(
    path: &Path,
    label: &str,
    fresh: impl FnOnce() -> Result<[u8; N], KeyError>,
) -> Result<[u8; N], KeyError> {
    if let Some(bytes) = load(path, label, Readers::OwnerOnly)? {
        // The start that made it may have been killed before its name was durable.
        sync_folder(path)?;
        return Ok(bytes);
    }
    match create(path, label, &fresh()?) {
        // Another start was quicker: its key is the one.
        Ok(()) | Err(KeyError::Exists(_)) => {}
        Err(error) => return Err(error),
    }
    load(path, label, Readers::OwnerOnly)?.ok_or_else(|| KeyError::Damaged(path.to_owned()))
}

/// Makes the folder of a key file, for its owner only, where there is none.
pub(super) fn make_folder(path: &Path) -> Result<(), KeyError> {
    let folder = folder_of(path);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| KeyError::Write { path: path.to_owned(), source })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

pub(super) fn sync_folder(path: &Path) -> Result<(), KeyError> {
    File::open(folder_of(path))
        .and_then(|folder| folder.sync_all())
        .map_err(|source| KeyError::Write { path: path.to_owned(), source })
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        let first: [u8; 8] = load_or_create(&path, "test", || Ok([1; 8])).unwrap();
        let second: [u8; 8] = load_or_create(&path, "test", || Ok([2; 8])).unwrap();
        assert_eq!((first, second), ([1; 8], [1; 8]));
        assert!(matches!(create(&path, "test", &[3; 8]), Err(KeyError::Exists(_))));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays behind");
    }

    #[test]
    fn many_starts_at_once_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| load_or_create(&path, "test", random).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        create(&path, "test", &[1; 8]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load::<8>(&path, "test", Readers::OwnerOnly), Err(KeyError::Exposed(_))));
        assert!(load::<8>(&path, "test", Readers::AsArranged).unwrap().is_some());
    }

    #[test]
    fn a_damaged_key_file_is_an_error_and_never_a_new_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        create(&path, "test", &[1; 8]).unwrap();
        for text in ["", "test", "test AQEBAQEBAQE=", "other AQEBAQEBAQE=\n", "test AQEB\n", "\u{ff}"] {
            fs::write(&path, text).unwrap();
            let loaded = load_or_create::<8>(&path, "test", random);
            assert!(matches!(loaded, Err(KeyError::Damaged(_))), "{text:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "the file is left for a person to look at");
        }
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = create(Path::new("/nonexistent/k"), "test", &[1]).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/k") && error.is_permanent());
    }
}
