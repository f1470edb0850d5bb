//! API Owners find people by how their address or one of their names begins: one index per field, one after the other.
//!
//! Each person is shown in the first field that fits, so nobody comes twice, whatever the page.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::{
    Filter, Page, Store, StoreError,
    db::read,
    keys::{self, Table},
    people::Hint,
    query::text,
};
use crate::domain::search::{Beginning, Field};

/// The index over a field, and the attribute that is its sort key.
fn index(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Email => ("ByEmail", "email_key"),
        Field::FirstName => ("ByFirstName", "first_name_key"),
        Field::LastName => ("ByLastName", "last_name_key"),
    }
}

/// Where a search goes on: a field, and the key behind which, if it has begun.
struct Position<'a> {
    field: Field,
    after: Option<&'a str>,
}

impl<'a> Position<'a> {
    /// Reads a position; the start for what is none.
    fn parse(text: Option<&'a str>) -> Self {
        let parsed = text.and_then(|text| {
            let (name, after) = text.split_once('#')?;
            let field = Field::ALL.into_iter().find(|field| index(*field).1 == name)?;
            Some(Self { field, after: Some(after).filter(|after| !after.is_empty()) })
        });
        parsed.unwrap_or(Self { field: Field::Email, after: None })
    }

    fn write(field: Field, after: &str) -> String {
        format!("{}#{after}", index(field).1)
    }
}

impl Store {
    /// A page over everybody whose address or name begins so: those with the address first, then by first name, then by
    /// last name, each in the order of the alphabet.
    ///
    /// At most one query per field and one batch, and one more for names of places. The indexes may lag behind, the rows
    /// shown do not. The position of the next page holds the folded value of the last person.
    pub(super) async fn found(
        &self,
        beginning: &Beginning,
        filter: &Filter,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page, StoreError> {
        let start = Position::parse(after);
        let (mut hints, mut fields, mut next) = (Vec::new(), Vec::new(), None);
        for field in Field::ALL.into_iter().filter(|field| *field >= start.field) {
            let left = limit.saturating_sub(u16::try_from(hints.len()).unwrap_or(limit));
            if left == 0 {
                next = Some(Position::write(field, ""));
                break;
            }
            let after = start.after.filter(|_| field == start.field);
            let output = self.db.query(self.beginning_with(field, beginning, after).limit(i32::from(left))).await?;
            for item in output.items.unwrap_or_default() {
                hints.push(read::<Hint>(item)?);
                fields.push(field);
            }
            let last = output.last_evaluated_key.and_then(|key| key.get(index(field).1)?.as_s().ok().cloned());
            if let Some(last) = last {
                next = Some(Position::write(field, &last));
                break;
            }
        }
        let mut page = self.page(&hints, filter, next).await?;
        let mut people = std::mem::take(&mut page.people).into_iter().peekable();
        for (hint, field) in hints.iter().zip(fields) {
            let id = hint.user_id()?;
            let person = people.next_if(|person| person.id == id);
            page.people.extend(person.filter(|person| beginning.found_in(person) == Some(field)));
        }
        self.complete_places(&mut page.places, &page.people).await?;
        Ok(page)
    }

    fn beginning_with(&self, field: Field, beginning: &Beginning, after: Option<&str>) -> QueryFluentBuilder {
        let (index, attribute) = index(field);
        let start = keys::searched(beginning.as_str());
        // No key holds a control character, so nothing sorts between a key and this.
        let from = after.map_or_else(|| start.clone(), |after| format!("{after}\u{1}"));
        // A position before the finds is their start: a forged one shows nothing more.
        let (from, to) = (from.max(start.clone()), format!("{start}{}", char::MAX));
        // A position behind the finds is their end, and a range must not end before it begins.
        let to = to.max(from.clone());
        self.db
            .client
            .query()
            .table_name(self.db.tables.name(Table::Portal))
            .index_name(index)
            .key_condition_expression(format!("list_pk = :pk AND {attribute} BETWEEN :from AND :to"))
            .expression_attribute_values(":pk", text(keys::ALL_PEOPLE))
            .expression_attribute_values(":from", text(&from))
            .expression_attribute_values(":to", text(&to))
    }
}
