//! What the Cognito and SES stand-ins keep: JSON documents by kind and id, in one `SQLite` database (a file, or memory).
//!
//! A [`Change`] is a transaction: what it wrote is there for good once [`Change::commit`] has returned, also if the
//! process is killed the moment after, and none of it is there otherwise.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The store; one change at a time.
#[derive(Debug)]
pub struct Kept {
    connection: Mutex<Connection>,
}

/// Why something could not be kept or read back.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// `SQLite` refused.
    #[error("the stand-ins' database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A document is not what this version writes.
    #[error("the kept {kind} {id} cannot be read: {source}")]
    Document {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Kept {
    /// Opens the database at `path`, made if it is missing, or a fresh one in memory.
    pub fn open(path: Option<&Path>) -> Result<Self, KeptError> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;
             CREATE TABLE IF NOT EXISTS kept (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;",
        )?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Begins a change, once no other one is under way.
    pub fn change(&self) -> Result<Change<'_>, KeptError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Change { connection, committed: false })
    }
}

/// One transaction; undone when dropped before [`Change::commit`].
#[derive(Debug)]
pub struct Change<'a> {
    connection: MutexGuard<'a, Connection>,
    committed: bool,
}

impl Change<'_> {
    /// The document of that kind and id.
    pub fn get<T: DeserializeOwned>(&self, kind: &'static str, id: &str) -> Result<Option<T>, KeptError> {
        let body: Option<String> = self
            .connection
            .prepare_cached("SELECT body FROM kept WHERE kind = ?1 AND id = ?2")?
            .query_row(params![kind, id], |row| row.get(0))
            .optional()?;
        body.map(|body| read(kind, id, &body)).transpose()
    }

    /// Writes a document, over the one that was there.
    pub fn put<T: Serialize>(&self, kind: &'static str, id: &str, document: &T) -> Result<(), KeptError> {
        let body = serde_json::to_string(document).map_err(|source| KeptError::Document {
            kind,
            id: id.to_owned(),
            source,
        })?;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO kept (kind, id, body) VALUES (?1, ?2, ?3)")?
            .execute(params![kind, id, body])?;
        Ok(())
    }

    /// Removes a document, if it is there.
    pub fn remove(&self, kind: &'static str, id: &str) -> Result<(), KeptError> {
        self.connection.prepare_cached("DELETE FROM kept WHERE kind = ?1 AND id = ?2")?.execute(params![kind, id])?;
        Ok(())
    }

    /// Documents of a kind in the order of their ids, at most `limit`, those after the id `after`.
    pub fn after<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(String, T)>, KeptError> {
        self.documents("SELECT id, body FROM kept WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3", kind, after, limit)
    }

    /// Documents of a kind from the highest id down, at most `limit`.
    pub fn newest<T: DeserializeOwned>(&self, kind: &'static str, limit: u32) -> Result<Vec<(String, T)>, KeptError> {
        self.documents(
            "SELECT id, body FROM kept WHERE kind = ?1 AND id > ?2 ORDER BY id DESC LIMIT ?3",
            kind,
            "",
            limit,
        )
    }

    /// Removes every document of a kind whose id is lower than `below`.
    pub fn remove_below(&self, kind: &'static str, below: &str) -> Result<(), KeptError> {
        self.connection
            .prepare_cached("DELETE FROM kept WHERE kind = ?1 AND id < ?2")?
            .execute(params![kind, below])?;
        Ok(())
    }

    /// Makes the change last.
    pub fn commit(mut self) -> Result<(), KeptError> {
        self.connection.execute_batch("COMMIT")?;
        self.committed = true;
        Ok(())
    }

    fn documents<T: DeserializeOwned>(
        &self,
        query: &str,
        kind: &'static str,
        bound: &str,
        limit: u32,
    ) -> Result<Vec<(String, T)>, KeptError> {
        let mut statement = self.connection.prepare_cached(query)?;
        let rows = statement.query_map(params![kind, bound, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.map(|row| {
            let (id, body): (String, String) = row?;
            let document = read(kind, &id, &body)?;
            Ok((id, document))
        })
        .collect()
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if !self.committed
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a change of the stand-ins' database could not be undone");
        }
    }
}

fn read<T: DeserializeOwned>(kind: &'static str, id: &str, body: &str) -> Result<T, KeptError> {
    serde_json::from_str(body).map_err(|source| KeptError::Document { kind, id: id.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_is_not_committed_leaves_nothing() {
        let kept = Kept::open(None).unwrap();

        kept.change().unwrap().put("fruit", "1", &"apple").unwrap();

        assert_eq!(kept.change().unwrap().get::<String>("fruit", "1").unwrap(), None);
    }

    #[test]
    fn what_was_committed_is_there_after_the_process_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.sqlite");
        let kept = Kept::open(Some(&path)).unwrap();
        let change = kept.change().unwrap();
        change.put("fruit", "1", &"apple").unwrap();
        change.commit().unwrap();

        // Never closed, as after a kill: the second one finds the write-ahead log of the first.
        std::mem::forget(kept);
        let reopened = Kept::open(Some(&path)).unwrap();

        assert_eq!(reopened.change().unwrap().get::<String>("fruit", "1").unwrap().as_deref(), Some("apple"));
    }

    #[test]
    fn documents_come_in_the_order_of_their_ids() {
        let kept = Kept::open(None).unwrap();
        let change = kept.change().unwrap();
        for id in ["3", "1", "2"] {
            change.put("n", id, &id).unwrap();
        }

        let ids = |found: Vec<(String, String)>| found.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(ids(change.after("n", "1", 10).unwrap()), ["2", "3"]);
        assert_eq!(ids(change.newest("n", 2).unwrap()), ["3", "2"]);
    }
}
