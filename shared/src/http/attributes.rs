//! `attributes` in bodies: values of custom attributes, each fault under its own pointer.

use serde_json::{Map, Value};

use super::{FieldFault, Fields, Problem, object};
use crate::domain::{
    Fault,
    attribute::{Definitions, Place, Writer, merge},
};

impl Fields {
    /// Takes `attributes`, merged over `current` as `by` may change them: the values as a row keeps them. Absent, it
    /// changes nothing, and who signs up has left out what is required.
    pub fn attributes(
        &mut self,
        definitions: &Definitions,
        current: &Map<String, Value>,
        by: Writer,
    ) -> Option<Map<String, Value>> {
        let change = self.optional("attributes", object);
        if change.is_none() && self.has_fault("attributes") {
            return None;
        }
        self.judged(merge(definitions, current, &change.unwrap_or_default(), by))
    }

    /// Takes `attributes` of a change by name, judged over `current`: it is merged once it is known what stands there.
    pub fn attribute_change(
        &mut self,
        definitions: &Definitions,
        current: &Map<String, Value>,
        by: Writer,
    ) -> Option<Map<String, Value>> {
        let change = self.optional("attributes", object)?;
        self.judged(merge(definitions, current, &change, by)).map(|_| change)
    }

    fn judged(&mut self, merged: Result<Map<String, Value>, Vec<(Place, Fault)>>) -> Option<Map<String, Value>> {
        match merged {
            Ok(values) => Some(values),
            Err(faults) => {
                for (place, fault) in faults {
                    self.fault(&pointed(place.as_deref()), fault);
                }
                None
            }
        }
    }

    /// Ends the reading of a sign-up, of which `read` was taken before: takes its attributes.
    ///
    /// # Errors
    /// 422 with every fault of all of it.
    pub fn sign_up<T>(
        mut self,
        read: Option<T>,
        definitions: &Definitions,
    ) -> Result<(T, Map<String, Value>), Problem> {
        let attributes = self.attributes(definitions, &Map::new(), Writer::Applicant);
        self.finish(|_| read.zip(attributes))
    }
}

impl FieldFault {
    /// The faults of `attributes`.
    pub fn of_attributes(faults: Vec<(Place, Fault)>) -> impl Iterator<Item = Self> {
        faults.into_iter().map(|(place, fault)| Self::new(&pointed(place.as_deref()), fault))
    }
}

/// Where a fault of `attributes` is: at the name as it was sent, or at all of them.
fn pointed(name: Option<&str>) -> String {
    let Some(name) = name else { return "attributes".to_owned() };
    let name: String = name.chars().take(100).collect();
    format!("attributes/{}", name.replace('~', "~0").replace('/', "~1"))
}
