//! An answer as API Gateway gets it from a function.

use serde_json::Value;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers, by lower-case name.
    pub headers: serde_json::Map<String, Value>,
    /// Its body, as text where it is no JSON; `null` where there is none.
    pub body: Value,
}

impl Reply {
    /// The problem's slug.
    pub fn problem(&self) -> &str {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status, "{self:?}");
        self.body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap()
    }

    /// Pointers and codes of the faults of a 422.
    pub fn faults(&self) -> Vec<(&str, &str)> {
        assert_eq!(self.problem(), "validation-failed", "{self:?}");
        let faults = self.body["errors"].as_array().unwrap().iter();
        faults.map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())).collect()
    }
}
