//! Secrets at rest: AES-256-GCM with a key file that only its owner can read.
//!
//! A sealed text is `v1:` and the base64 of nonce, ciphertext and tag. It is bound to the place it
//! was written to, so that a row cannot be given another row's password.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tidemill_runtime::{OpenMode, Random, World};

/// The key's file in the data directory.
const FILE: &str = "secrets.key";
/// Length of a key, in bytes.
const KEY_BYTES: usize = 32;
/// What a sealed text begins with.
const VERSION: &str = "v1:";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key of variables and connections, {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It holds no key.
    #[error("{path} holds no key: 32 bytes as base64 are expected", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub(super) struct Cipher {
    key: Arc<LessSafeKey>,
    random: Arc<dyn Random>,
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher")
    }
}

impl Cipher {
    /// With the key in a file, or in the data directory, where one is made if there is none.
    pub(super) fn open(
        world: &World,
        data: &Path,
        file: Option<&Path>,
    ) -> Result<Cipher, KeyError> {
        let path = file.map_or_else(|| data.join(FILE), Path::to_owned);
        let failed = |source| KeyError::File { path: path.clone(), source };
        if file.is_none() && !world.disk.exists(&path) {
            make(world, data, &path).map_err(failed)?;
        }
        let text = world.disk.read(&path).map_err(failed)?;
        let malformed = || KeyError::Malformed { path: path.clone() };
        let key = STANDARD.decode(text.trim_ascii()).map_err(|_| malformed())?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| malformed())?;
        tell_if_others_can_read(&path);
        Ok(Cipher { key: Arc::new(LessSafeKey::new(key)), random: world.random.clone() })
    }

    /// A text that only `open_text` for the same place reads.
    pub(super) fn seal(&self, place: &str, text: &str) -> String {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce);
        let mut sealed = text.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut sealed,
            )
            .expect("a text is shorter than the cipher's limit of 64 GiB");
        format!("{VERSION}{}", STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// The text; none if it was sealed with another key, for another place, or is damaged.
    pub(super) fn unseal(&self, place: &str, sealed: &str) -> Option<String> {
        let mut bytes = STANDARD.decode(sealed.strip_prefix(VERSION)?).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.key.open_in_place(nonce, Aad::from(place.as_bytes()), sealed).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

/// The file is narrowed before anything is in it, and has its name only when it is whole.
fn make(world: &World, data: &Path, path: &Path) -> io::Result<()> {
    let mut key = [0; KEY_BYTES];
    world.random.fill(&mut key);
    let beside = path.with_extension("new");
    let file = world.disk.open(&beside, OpenMode::OrCreate)?;
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o600))?;
    let text = format!("{}\n", STANDARD.encode(key));
    file.set_len(0)?;
    file.write_all_at(text.as_bytes(), 0)?;
    file.sync_all()?;
    world.disk.rename(&beside, path)?;
    world.disk.sync_dir(data)
}

fn tell_if_others_can_read(path: &Path) {
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        let path = path.display();
        tracing::warn!(%path, "other users can read the key of variables and connections: chmod 600");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_only_with_its_key_and_in_its_place() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let world = World::real();
        let cipher = Cipher::open(&world, dir.path(), None).unwrap();
        let sealed = cipher.seal("connection/a/password", "s3cr3t ü");
        assert!(!sealed.contains("s3cr3t"), "{sealed}");
        assert_ne!(sealed, cipher.seal("connection/a/password", "s3cr3t ü"), "nonces differ");
        let again = Cipher::open(&world, dir.path(), None).unwrap();
        assert_eq!(again.unseal("connection/a/password", &sealed).as_deref(), Some("s3cr3t ü"));
        assert_eq!(again.unseal("connection/b/password", &sealed), None);
        let stranger = Cipher::open(&world, other.path(), None).unwrap();
        assert_eq!(stranger.unseal("connection/a/password", &sealed), None);
        for damaged in ["", "v1:", "v1:AAAA", "v2:AAAA", "plain"] {
            assert_eq!(again.unseal("connection/a/password", damaged), None, "{damaged}");
        }
    }

    #[test]
    fn the_key_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        Cipher::open(&World::real(), dir.path(), None).unwrap();
        let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let given = dir.path().join("given");
        assert!(Cipher::open(&World::real(), dir.path(), Some(&given)).is_err(), "it is not made");
        std::fs::write(&given, "short").unwrap();
        let error = Cipher::open(&World::real(), dir.path(), Some(&given)).unwrap_err();
        assert!(error.to_string().contains("32 bytes as base64"), "{error}");
    }
}
