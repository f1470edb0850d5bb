//! The rows of an upload, from JSON or from a table: either way each is read as the body of a single invitation.

use csv::{ReaderBuilder, StringRecord, Trim};
use http::StatusCode;
use serde_json::{Map, Value, json};
use shared::{
    domain::Fault,
    http::{FieldFault, Fields, FromFields, Problem, Upload, read_row},
};
use utoipa::ToSchema;

use super::MAX_UPLOAD;
use crate::create::Create;

/// The most rows of an upload.
pub(super) const MAX_ROWS: usize = 500;
/// The columns that a table may have, in any order: the fields of an invitation, and whether each is needed.
const COLUMNS: [(&str, bool); 6] = [
    ("email", true),
    ("first_name", true),
    ("last_name", true),
    ("role", false),
    (TEAMS, false),
    ("organisation_id", false),
];
/// The most columns that are looked at: whoever exports more has the wrong table.
const MAX_COLUMNS: usize = 50;
/// The column that holds several values.
const TEAMS: &str = "team_ids";

/// Reads the upload; each row has its own faults.
///
/// # Errors
/// What is wrong with the upload as a whole: 400, 413, 415, or 422 with every fault.
pub(super) fn read(upload: Upload<MAX_UPLOAD>) -> Result<Vec<Result<Create, Problem>>, Problem> {
    match upload {
        Upload::Json(payload) => Ok(payload.read::<Rows>()?.0.into_iter().map(read_row).collect()),
        Upload::Csv(csv) => table(&csv.bytes()?),
    }
}

/// Whom to invite.
#[derive(Debug, ToSchema)]
#[schema(as = UploadInvitations)]
#[expect(dead_code, reason = "written down, not read: each row is read by itself")]
pub(super) struct UploadBody {
    #[schema(schema_with = super::shape::rows)]
    rows: Vec<Value>,
}

struct Rows(Vec<Value>);

impl FromFields for Rows {
    fn read(fields: &mut Fields) -> Option<Self> {
        let rows = fields.required("rows", |value| match value {
            Value::Array(rows) if rows.len() <= MAX_ROWS => Ok(rows.clone()),
            Value::Array(_) => Err(too_many()),
            _ => Err(Fault::new("not_a_list", "This field is a list.")),
        });
        rows.map(Self)
    }
}

fn too_many() -> Fault {
    Fault::new("too_many", format!("An upload has at most {MAX_ROWS} rows."))
}

fn table(bytes: &[u8]) -> Result<Vec<Result<Create, Problem>>, Problem> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(malformed)?.clone();
    header_fits(&header)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        if rows.len() == MAX_ROWS {
            return Err(Problem::validation(&[FieldFault::new("rows", too_many())]));
        }
        rows.push(row(&header, &record.map_err(malformed)?).and_then(read_row));
    }
    Ok(rows)
}

/// Holds a table's header to the columns that there are, each once.
fn header_fits(header: &StringRecord) -> Result<(), Problem> {
    if header.len() > MAX_COLUMNS {
        let known: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let detail = format!("A table has no other columns than {}; this one has {}.", known.join(", "), header.len());
        return Err(Problem::validation(&[FieldFault::new("header", Fault::new("too_many", detail))]));
    }
    let mut faults = Vec::new();
    let mut fault = |name: &str, code, detail| {
        let name: String = name.chars().take(100).collect();
        let place = format!("header/{}", name.replace('~', "~0").replace('/', "~1"));
        faults.push(FieldFault::new(&place, Fault::new(code, detail)));
    };
    for (at, name) in header.iter().enumerate() {
        if COLUMNS.iter().all(|(known, _)| *known != name) {
            fault(name, "unknown_field", "No such column.");
        } else if header.iter().take(at).any(|earlier| earlier == name) {
            fault(name, "named_twice", "A column is named once.");
        }
    }
    for (name, _) in COLUMNS.iter().filter(|(name, needed)| *needed && header.iter().all(|column| column != *name)) {
        fault(name, "required", "This column is required.");
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::validation(&faults)) }
}

/// A line as the JSON object that it stands for. An empty value is an absent one.
fn row(header: &StringRecord, line: &StringRecord) -> Result<Value, Problem> {
    if line.len() != header.len() {
        let detail = format!("The header has {} columns, this row has {} values.", header.len(), line.len());
        let fault = FieldFault { pointer: String::new(), code: "wrong_number_of_values", detail, at: None };
        return Err(Problem::validation(&[fault]));
    }
    let filled = header.iter().zip(line).filter(|(_, value)| !value.is_empty());
    let fields = filled.map(|(name, value)| {
        let separator = |c: char| c.is_whitespace() || matches!(c, ';' | ',');
        let value =
            if name == TEAMS { value.split(separator).filter(|team| !team.is_empty()).collect() } else { json!(value) };
        (name.to_owned(), value)
    });
    Ok(Value::Object(fields.collect::<Map<_, _>>()))
}

/// 400: bytes that are no table. What the error prints may quote the table, so only the line is told.
#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn malformed(error: csv::Error) -> Problem {
    let line = error.position().map(|position| format!(": line {}", position.line())).unwrap_or_default();
    let detail = format!("The body is no table in UTF-8{line}.");
    Problem::new(StatusCode::BAD_REQUEST, "malformed-csv", "Malformed table", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(problem: Problem) -> Value {
        problem.part(&shared::http::RequestId("r".to_owned()))
    }

    fn faults(of: Problem) -> Vec<(String, String)> {
        let document = problem(of);
        let word = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
        document["errors"].as_array().unwrap().iter().map(|it| (word(it, "pointer"), word(it, "code"))).collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect()
    }

    fn read_one(text: &str) -> Create {
        let mut rows = table(text.as_bytes()).unwrap();
        assert_eq!(rows.len(), 1);
        rows.remove(0).unwrap()
    }

    #[test]
    fn columns_stand_in_any_order_behind_a_byte_order_mark_and_lines_end_as_they_like() {
        let text = "\u{feff}last_name, email ,first_name\r\n\"Lovelace, Countess\",ada@example.com,\"Augusta \"\"Ada\"\"\"\r\n\r\n";

        let ada = read_one(text);

        assert_eq!((ada.asked.email.as_str(), ada.first_name.as_str()), ("ada@example.com", "Augusta \"Ada\""));
        assert_eq!(ada.last_name.as_str(), "Lovelace, Countess");
        assert_eq!((ada.role, ada.asked.organisation_id, ada.asked.team_ids.len()), (None, None, 0));
    }

    #[test]
    fn several_teams_stand_in_one_value() {
        let teams = ["team_01kf0ev11gzqq463a0qnbxxtp1", "team_01kf0ev11gzqq463a0qnbxxtp2"];
        for value in [teams.join(";"), teams.join(" "), format!("\"{}\"", teams.join(", ")), teams.join("; ")] {
            let text = format!("email,first_name,last_name,team_ids,role\na@b.example,A,B,{value},team_member\n");
            let ids: Vec<_> = read_one(&text).asked.team_ids.iter().map(ToString::to_string).collect();
            assert_eq!(ids, teams, "{value}");
        }
    }

    #[test]
    fn every_column_that_a_table_may_have_is_a_field_of_an_invitation() {
        let header: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let values = "a@b.example,A,B,team_member,team_01kf0ev11gzqq463a0qnbxxtp1,org_01kf0ev11gzqq463a0qnbxxtp1";

        let row = read_one(&format!("{}\n{values}", header.join(",")));

        assert!(row.role.is_some() && row.asked.organisation_id.is_some() && row.asked.team_ids.len() == 1);
    }

    #[test]
    fn every_fault_of_a_header_is_named() {
        let refused = table(b"email,e/mail,email,role\na,b,c,d").unwrap_err();

        let expected = [
            ("/header/e~1mail", "unknown_field"),
            ("/header/email", "named_twice"),
            ("/header/first_name", "required"),
            ("/header/last_name", "required"),
        ];
        assert_eq!(faults(refused), owned(&expected));
        assert_eq!(faults(table(b"").unwrap_err()).len(), 3);
    }

    #[test]
    fn a_header_of_a_great_many_columns_is_one_fault() {
        let header = |columns: usize| table(vec!["x"; columns].join(",").as_bytes()).unwrap_err();

        assert_eq!(faults(header(50)).len(), 20);
        for columns in [51, 500_000] {
            assert_eq!(faults(header(columns)), owned(&[("/header", "too_many")]));
        }
    }

    #[test]
    fn a_row_has_its_own_faults_and_spoils_no_other() {
        let text = "email,first_name,last_name\nada,Ada,\na@b.example,A\na@b.example,A,B,C\na@b.example,A,B";

        let mut rows = table(text.as_bytes()).unwrap();

        assert!(rows.pop().unwrap().is_ok());
        let found: Vec<_> = rows.into_iter().map(|row| faults(row.unwrap_err())).collect();
        let miscounted = owned(&[("", "wrong_number_of_values")]);
        let first = owned(&[("/email", "invalid_email"), ("/last_name", "required")]);
        assert_eq!(found, [first, miscounted.clone(), miscounted]);
    }

    #[test]
    fn what_is_not_in_utf_8_is_no_table_and_is_not_quoted() {
        let refused = problem(table(b"email,first_name,last_name\nada@example.com,Ad\xe0,Lovelace").unwrap_err());

        assert_eq!((&refused["status"], &refused["type"]), (&json!(400), &json!("/problems/malformed-csv")));
        assert!(!refused.to_string().contains("ada@"), "{refused}");
    }

    #[test]
    fn a_table_has_five_hundred_rows_at_most() {
        let rows = |number: usize| format!("email,first_name,last_name\n{}", "a@b.example,A,B\n".repeat(number));

        assert_eq!(table(rows(500).as_bytes()).unwrap().len(), 500);
        assert_eq!(faults(table(rows(501).as_bytes()).unwrap_err()), owned(&[("/rows", "too_many")]));
    }
}
