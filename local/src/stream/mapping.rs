//! Which records of a stream start which function: the event source mappings of the template.

use local_services::{Template, template::referenced};
use serde_json::Value;

use super::filter::{Pattern, PatternError};
use crate::functions::folder;

/// How often a batch is tried again where the template does not say; AWS would not stop before the record's age ends.
const RETRIES: usize = 3;

/// A mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The logical id of the table.
    pub table: String,
    /// The function's folder.
    pub function: String,
    /// Records that fit one of these; all where there is none.
    patterns: Vec<Pattern>,
    /// How many records the function gets at once.
    pub batch: usize,
    /// How often a batch that failed is tried again.
    pub retries: usize,
    /// Whether a batch that failed is halved.
    pub bisect: bool,
}

/// What the template says of a mapping and is not understood here.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// Its filter.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Its source or its function.
    #[error("the event source mapping {mapping} in the template names no {what}")]
    Unnamed {
        /// The mapping.
        mapping: String,
        /// What it does not name.
        what: &'static str,
    },
}

impl Mapping {
    /// The mappings of the template.
    pub fn declared(template: &Template) -> Result<Vec<Self>, MappingError> {
        let declared = template.of_kind("AWS::Lambda::EventSourceMapping").map(|found| {
            let unnamed = |what| MappingError::Unnamed { mapping: found.logical_id.to_owned(), what };
            let named = |name| found.properties.get(name).and_then(referenced);
            let number =
                |name| found.properties.get(name).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
            let function = named("FunctionName").and_then(|function| folder(template, function));
            let filters = found.properties.pointer("/FilterCriteria/Filters").and_then(Value::as_array);
            let patterns = filters.into_iter().flatten().filter_map(|filter| filter.get("Pattern")?.as_str());
            Ok(Self {
                table: named("EventSourceArn").ok_or_else(|| unnamed("table"))?.to_owned(),
                function: function.ok_or_else(|| unnamed("function"))?.to_owned(),
                patterns: patterns.map(Pattern::read).collect::<Result<_, _>>()?,
                batch: number("BatchSize").unwrap_or(100).max(1),
                retries: number("MaximumRetryAttempts").unwrap_or(RETRIES),
                bisect: found.properties.get("BisectBatchOnFunctionError") == Some(&Value::Bool(true)),
            })
        });
        declared.collect()
    }

    /// Whether a record starts the function.
    pub fn wants(&self, record: &Value) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.fits(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deployed_mapping_is_understood() {
        let mappings = Mapping::declared(Template::deployed().unwrap()).unwrap();

        let [mapping] = mappings.as_slice() else { panic!("{mappings:?}") };
        assert_eq!((mapping.table.as_str(), mapping.function.as_str()), ("MailTable", "deliver-mail"));
        assert_eq!((mapping.batch, mapping.retries, mapping.bisect), (10, 3, true));
        let sample: Value = serde_json::from_str(include_str!("../../../events/deliver-mail-stream.json")).unwrap();
        assert!(mapping.wants(&sample["Records"][0]));
    }
}
