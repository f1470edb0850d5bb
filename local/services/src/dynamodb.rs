//! The embedded `DynamoDB`: the tables of the template in a `SQLite` file or in memory, behind `DynamoDB`'s own protocol.

use crate::Now;
use crate::kept::{Kept, KeptError};
use crate::template::{Template, TemplateError};
use dynoxide::actions::{
    create_table::CreateTableRequest, delete_item::DeleteItemRequest, scan::ScanRequest,
    update_time_to_live::UpdateTimeToLiveRequest,
};
use dynoxide::storage_backend::Clock;
use dynoxide::{AttributeValue, Database, DynoxideError};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The table of the state.
pub const PORTAL_TABLE: &str = "PortalTable";
/// The table of the mail.
pub const MAIL_TABLE: &str = "MailTable";

/// What `CreateTable` and a template's table have in common.
const DECLARED: [&str; 4] = ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"];

/// Why the tables cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// The embedded database refused.
    #[error("the embedded DynamoDB failed: {0}")]
    Database(#[from] DynoxideError),
    /// The data folder's path is not UTF-8, which the database asks for.
    #[error("the data folder's path is not UTF-8")]
    Path,
    /// The template does not declare the table.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template declares something of a table that `DynamoDB` does not take.
    #[error("the template's table {table} cannot be created: {reason}")]
    Declaration {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The data folder was made when the template declared the table otherwise.
    #[error(
        "the data folder holds a {0} of another shape than the template declares: choose another folder or remove it"
    )]
    Differs(&'static str),
    /// What the folder holds could not be read.
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// The embedded database with both tables in it.
#[derive(Clone)]
pub struct Tables {
    database: Database,
    now: Now,
    /// Table and time-to-live attribute of those that have one.
    collected: Vec<(&'static str, String)>,
}

impl Tables {
    /// Opens the database and creates the tables that it does not hold yet.
    pub fn open(path: Option<&Path>, now: &Now, template: &Template, kept: &Kept) -> Result<Self, TablesError> {
        let database = match path {
            Some(path) => Database::new(path.to_str().ok_or(TablesError::Path)?)?,
            None => Database::memory_with_clock(Arc::new(GivenClock(now.clone())))?,
        };
        let mut tables = Self { database, now: now.clone(), collected: Vec::new() };
        for table in [PORTAL_TABLE, MAIL_TABLE] {
            let properties = template.resource(table, "AWS::DynamoDB::Table")?.properties;
            tables.create(table, properties, kept)?;
        }
        Ok(tables)
    }

    /// The database, for its server.
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// Removes what the time-to-live attributes allow to be removed at `now`, as `DynamoDB` does within some days.
    pub fn sweep(&self) -> Result<usize, TablesError> {
        let now = AttributeValue::N((self.now)().as_second().to_string());
        self.collected
            .iter()
            .try_fold(0, |removed, (table, attribute)| Ok(removed + self.collect(table, attribute, &now)?))
    }

    fn create(&mut self, table: &'static str, properties: &Value, kept: &Kept) -> Result<(), TablesError> {
        let request = create_request(table, properties);
        let change = kept.change()?;
        match change.get::<Value>("table", table)? {
            Some(made) if made != request => return Err(TablesError::Differs(table)),
            Some(_) => {}
            None => {
                // A start that was cut off may have created the table without noting it.
                match self.database.create_table(declared::<CreateTableRequest>(table, &request)?) {
                    Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => change.put("table", table, &request)?,
                    Err(error) => return Err(error.into()),
                }
                change.commit()?;
            }
        }
        let expiry = properties.pointer("/TimeToLiveSpecification/AttributeName").and_then(Value::as_str);
        if let Some(attribute) = expiry {
            let specification = json!({"AttributeName": attribute, "Enabled": true});
            let request = json!({"TableName": table, "TimeToLiveSpecification": specification});
            match self.database.update_time_to_live(declared::<UpdateTimeToLiveRequest>(table, &request)?) {
                // It says so when a start before this one has switched it on.
                Ok(_) | Err(DynoxideError::ValidationException(_)) => {}
                Err(error) => return Err(error.into()),
            }
            self.collected.push((table, attribute.to_owned()));
        }
        Ok(())
    }

    fn collect(&self, table: &str, attribute: &str, now: &AttributeValue) -> Result<usize, TablesError> {
        let due = "#at <= :now AND attribute_type(#at, :number)".to_owned();
        let names = HashMap::from([("#at".to_owned(), attribute.to_owned())]);
        let values = HashMap::from([
            (":now".to_owned(), now.clone()),
            (":number".to_owned(), AttributeValue::S("N".to_owned())),
        ]);
        let (mut removed, mut from) = (0, None);
        loop {
            let page = self.database.scan(ScanRequest {
                table_name: table.to_owned(),
                filter_expression: Some(due.clone()),
                expression_attribute_names: Some(names.clone()),
                expression_attribute_values: Some(values.clone()),
                exclusive_start_key: from,
                ..ScanRequest::default()
            })?;
            for item in page.items.unwrap_or_default() {
                let deletion = self.database.delete_item(DeleteItemRequest {
                    table_name: table.to_owned(),
                    key: item.into_iter().filter(|(name, _)| name == "pk" || name == "sk").collect(),
                    condition_expression: Some(due.clone()),
                    expression_attribute_names: Some(names.clone()),
                    expression_attribute_values: Some(values.clone()),
                    ..DeleteItemRequest::default()
                });
                match deletion {
                    Ok(_) => removed += 1,
                    // It was given more time since it was read.
                    Err(DynoxideError::ConditionalCheckFailedException(..)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(removed);
            }
        }
    }
}

fn create_request(table: &str, properties: &Value) -> Value {
    let mut request = json!({"TableName": table});
    for name in DECLARED {
        if let (Some(value), Some(request)) = (properties.get(name), request.as_object_mut()) {
            request.insert(name.to_owned(), value.clone());
        }
    }
    if let (Some(view), Some(request)) =
        (properties.pointer("/StreamSpecification/StreamViewType"), request.as_object_mut())
    {
        request.insert("StreamSpecification".to_owned(), json!({"StreamEnabled": true, "StreamViewType": view}));
    }
    request
}

fn declared<T: serde::de::DeserializeOwned>(table: &'static str, request: &Value) -> Result<T, TablesError> {
    T::deserialize(request).map_err(|error| TablesError::Declaration { table, reason: error.to_string() })
}

/// The caller's clock in the database's terms.
struct GivenClock(Now);

impl Clock for GivenClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from((self.0)().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        (self.0)().as_duration().as_secs_f64()
    }
}
