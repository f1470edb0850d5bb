//! The data folder: what the portal keeps beside the services' own files.
//!
//! - `lock`: held while a portal uses the folder, released with the process however it ends;
//! - `clock`: the seconds that the clock was moved forward, so that what is stored never lies in the future;
//! - `owner-passwords.json`: the passwords made for API Owners, by address.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

const CLOCK: &str = "clock";
const OWNER_PASSWORDS: &str = "owner-passwords.json";

/// A folder in use.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another portal uses it.
    #[error("another portal is using the data folder {}; stop it or choose another folder with --data", .0.display())]
    InUse(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not what was written there.
    #[error("{} does not hold what the portal wrote there; remove it", .0.display())]
    Foreign(PathBuf),
}

impl Folder {
    /// Takes the folder, made if it is missing, for this process alone.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(|source| failed(path, source))?;
        let path = fs::canonicalize(path).map_err(|source| failed(path, source))?;
        let file = path.join("lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&file);
        let lock = lock.map_err(|source| failed(&file, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path)),
            Err(TryLockError::Error(source)) => Err(failed(&file, source)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The seconds that the clock was moved forward.
    pub fn advanced(&self) -> Result<i64, FolderError> {
        let Some(text) = self.read(CLOCK)? else { return Ok(0) };
        text.trim().parse().map_err(|_| FolderError::Foreign(self.path.join(CLOCK)))
    }

    /// Keeps the seconds that the clock was moved forward.
    pub fn keep_advanced(&self, seconds: i64) -> Result<(), FolderError> {
        self.write(CLOCK, &seconds.to_string())
    }

    /// The password made for the API Owner at `email`, if one was.
    pub fn owner_password(&self, email: &str) -> Result<Option<String>, FolderError> {
        Ok(self.owner_passwords()?.remove(email))
    }

    /// Keeps the password made for the API Owner at `email`, or forgets an earlier one.
    pub fn keep_owner_password(&self, email: &str, password: Option<&str>) -> Result<(), FolderError> {
        let mut passwords = self.owner_passwords()?;
        match password {
            Some(password) => passwords.insert(email.to_owned(), password.to_owned()),
            None => passwords.remove(email),
        };
        self.write(OWNER_PASSWORDS, &serde_json::json!(passwords).to_string())
    }

    fn owner_passwords(&self) -> Result<BTreeMap<String, String>, FolderError> {
        let Some(text) = self.read(OWNER_PASSWORDS)? else { return Ok(BTreeMap::new()) };
        serde_json::from_str(&text).map_err(|_| FolderError::Foreign(self.path.join(OWNER_PASSWORDS)))
    }

    fn read(&self, name: &str) -> Result<Option<String>, FolderError> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed(&path, source)),
        }
    }

    /// Writes a file whole or not at all, for its owner's eyes only.
    fn write(&self, name: &str, text: &str) -> Result<(), FolderError> {
        let (path, draft) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let written = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        };
        written().map_err(|source| failed(&path, source))
    }
}

fn failed(path: &Path, source: io::Error) -> FolderError {
    FolderError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_has_one_portal_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let first = Folder::open(&place.path().join("data")).unwrap();

        let second = Folder::open(first.path());
        assert!(matches!(second, Err(FolderError::InUse(_))), "{second:?}");
        let path = first.path().to_owned();
        drop(first);
        assert!(Folder::open(&path).is_ok());
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert_eq!((folder.advanced().unwrap(), folder.owner_password("a@b.c").unwrap()), (0, None));

        folder.keep_advanced(691_200).unwrap();
        folder.keep_owner_password("a@b.c", Some("correct horse")).unwrap();
        folder.keep_owner_password("d@b.c", Some("battery")).unwrap();
        folder.keep_owner_password("d@b.c", None).unwrap();

        assert_eq!(folder.advanced().unwrap(), 691_200);
        assert_eq!(folder.owner_password("a@b.c").unwrap().as_deref(), Some("correct horse"));
        assert_eq!(folder.owner_password("d@b.c").unwrap(), None);
        let mode = fs::metadata(place.path().join(OWNER_PASSWORDS)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_clock_that_cannot_be_read_is_said_not_guessed() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        fs::write(place.path().join("clock"), "tomorrow").unwrap();

        assert!(matches!(folder.advanced(), Err(FolderError::Foreign(_))));
    }
}
