//! What fields hold: parsers for [`super::Fields`], each a value or its faults.

use serde_json::{Map, Value};

use super::fields::Faults;
use crate::domain::Fault;

/// A text that `parse` understands.
pub fn text<T>(parse: impl FnOnce(&str) -> Result<T, Fault>) -> impl FnOnce(&Value) -> Result<T, Fault> {
    |value| parse(value.as_str().ok_or_else(|| Fault::new("not_a_string", "This field is a string."))?)
}

/// A text that is taken as it is: a password or token, judged elsewhere.
///
/// # Errors
/// When the value is no string.
pub fn secret(value: &Value) -> Result<String, Fault> {
    text(|text| Ok(text.to_owned()))(value)
}

/// An object, whose fields are judged elsewhere.
///
/// # Errors
/// When the value is none.
pub fn object(value: &Value) -> Result<Map<String, Value>, Fault> {
    value.as_object().cloned().ok_or_else(|| Fault::new("not_an_object", "This field is an object."))
}

/// `true` or `false`.
///
/// # Errors
/// When the value is neither.
pub fn boolean(value: &Value) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| Fault::new("not_a_boolean", "This field is true or false."))
}

/// A whole number within bounds.
pub fn integer(least: u32, most: u32) -> impl FnOnce(&Value) -> Result<u32, Fault> {
    move |value| {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| Fault::new("out_of_range", format!("This field is a whole number from {least} to {most}.")))
    }
}

/// A list of at most `most` texts that `parse` understands. Every entry that it does not understand is named.
pub fn items<T>(
    most: usize,
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> impl FnOnce(&Value) -> Result<Vec<T>, Faults> {
    move |value| {
        let values = value.as_array().ok_or_else(|| Fault::new("not_a_list", "This field is a list."))?;
        if values.len() > most {
            return Err(Fault::new("too_many", format!("This list has at most {most} entries.")).into());
        }
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        for (at, value) in values.iter().enumerate() {
            match text(&parse)(value) {
                Ok(entry) => entries.push(entry),
                Err(fault) => faults.push((format!("/{at}"), fault)),
            }
        }
        if faults.is_empty() { Ok(entries) } else { Err(Faults(faults)) }
    }
}

/// One of a few words.
pub fn choice<T>(parse: impl FnOnce(&str) -> Option<T>) -> impl FnOnce(&Value) -> Result<T, Fault> {
    text(|word| parse(word).ok_or_else(|| Fault::new("unknown_choice", "This is none of the possible values.")))
}
