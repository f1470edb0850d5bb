//! The fields of a JSON object, read one by one, so that one answer names every fault.
//!
//! Bodies hold passwords and tokens: nothing here prints a value.

use std::fmt;

use serde_json::{Map, Value};

use super::problem::{FieldFault, Problem};
use crate::domain::Fault;

/// A request that is read from the fields of a JSON object.
pub trait FromFields: Sized {
    /// Takes every field that the request knows, noting each fault; `None` only together with a fault.
    fn read(fields: &mut Fields) -> Option<Self>;
}

/// The fields of an object that were not taken yet, and the faults found so far.
pub struct Fields {
    values: Map<String, Value>,
    path: String,
    faults: Vec<FieldFault>,
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What is wrong with one field: with all of it, or with some of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub(super) Vec<(String, Fault)>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![(String::new(), fault)])
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        Self(faults.into_iter().map(|fault| (String::new(), fault)).collect())
    }
}

impl Fields {
    pub(super) fn new(values: Map<String, Value>, path: &str) -> Self {
        Self { values, path: path.to_owned(), faults: Vec::new() }
    }

    /// Takes a field that has to be there. `null` counts as absent.
    pub fn required<T, E: Into<Faults>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        let Some(value) = self.take(name) else {
            self.fault(name, Fault::new("required", "This field is required."));
            return None;
        };
        self.parse(name, &value, parse)
    }

    /// Takes a field that may be absent or `null`.
    pub fn optional<T, E: Into<Faults>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        self.take(name).and_then(|value| self.parse(name, &value, parse))
    }

    /// Takes a field of a change: outer `None` leaves the value as it is, inner `None` (`null`) clears it.
    pub fn change<T, E: Into<Faults>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.values.remove(name)? {
            Value::Null => Some(None),
            value => self.parse(name, &value, parse).map(Some),
        }
    }

    /// Takes a field of a change that always has a value: `null` is a fault.
    pub fn replace<T, E: Into<Faults>>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, E>) -> Option<T> {
        let change = self.change(name, parse)?;
        if change.is_none() {
            self.fault(name, Fault::new("required", "This always has a value."));
        }
        change
    }

    /// Whether a field is there and not `null`.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether a field is there and `null`: in a change that is a wish of its own.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(Value::is_null)
    }

    /// Reads a nested object in the same way, its faults under its own pointer. `null` counts as absent.
    pub fn nested(&mut self, name: &str, read: impl FnOnce(&mut Self)) {
        match self.take(name) {
            Some(Value::Object(values)) => {
                let mut inner = Self::new(values, &format!("{}/{name}", self.path));
                read(&mut inner);
                inner.refuse_the_rest();
                self.faults.append(&mut inner.faults);
            }
            Some(_) => self.fault(name, Fault::new("not_an_object", "This field is an object.")),
            None => {}
        }
    }

    /// Takes what is left of the fields that `shown` has too: sent back as they were read they are no fault, and no
    /// other value is accepted.
    pub fn unchanged(&mut self, shown: &Map<String, Value>, fault: impl Fn() -> Fault) {
        for (name, shown) in shown {
            if self.values.remove(name).is_some_and(|value| value != *shown) {
                self.fault(name, fault());
            }
        }
    }

    /// Notes a fault of a field that was taken.
    pub fn fault(&mut self, name: &str, fault: Fault) {
        let pointer = format!("{}/{name}", self.path);
        self.faults.push(FieldFault { pointer, code: fault.code, detail: fault.detail, at: fault.at });
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    fn parse<T, E: Into<Faults>>(
        &mut self,
        name: &str,
        value: &Value,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        let faults = match parse(value) {
            Ok(value) => return Some(value),
            Err(faults) => faults.into(),
        };
        for (place, fault) in faults.0 {
            self.fault(&format!("{name}{place}"), fault);
        }
        None
    }

    fn refuse_the_rest(&mut self) {
        for name in std::mem::take(&mut self.values).into_iter().map(|(name, _)| name) {
            let name: String = name.chars().take(100).collect();
            self.fault(&name.replace('~', "~0").replace('/', "~1"), Fault::new("unknown_field", "No such field."));
        }
    }

    /// Whether a fault of this field itself was noted.
    pub(super) fn has_fault(&self, name: &str) -> bool {
        let pointer = format!("{}/{name}", self.path);
        self.faults.iter().any(|fault| fault.pointer == pointer)
    }

    /// Reads the rest by `read` and ends the reading.
    ///
    /// # Errors
    /// 422 `validation-failed` with every fault, fields that nothing has taken included.
    pub fn finish<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Problem> {
        let value = read(&mut self);
        self.refuse_the_rest();
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(Problem::validation(&self.faults)),
        }
    }
}

#[cfg(test)]
mod tests;
