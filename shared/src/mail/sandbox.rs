//! Where templates run: with nothing but their variables, so far and no further.
//!
//! No template reads a file, another template than the layout, the time or the environment. What amplifies (functions, most
//! filters) is not there; time is bounded by fuel, and what is written by a length. `docs/decisions/0011-changed-mail-
//! templates.md` says why.

use std::collections::BTreeMap;

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, filters, syntax::SyntaxConfig, tests,
    value::Serde,
};
use serde_json::Map;

const LAYOUT_TEXT: &str = include_str!("../../templates/layout.txt.j2");
const LAYOUT_HTML: &str = include_str!("../../templates/layout.html.j2");
/// How deep templates may be nested: a part in its layout, and blocks in it.
const MAX_DEPTH: usize = 20;
/// The longest text that a filter makes, in bytes.
const MAX_VALUE: usize = 16 * 1024;

/// How much a template may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Instructions.
    pub fuel: u64,
    /// What is written, in bytes.
    pub output: usize,
}

/// What a template may take where it is judged: a quarter of what it may when it is sent, when names and lists may be longer.
pub(super) const JUDGING: Bounds = Bounds { fuel: 20_000, output: 128 * 1024 };
/// What a template may take where its mail is sent.
pub(super) const SENDING: Bounds = Bounds { fuel: 80_000, output: 512 * 1024 };

/// One of the three parts of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The subject.
    Subject,
    /// The text.
    Text,
    /// The HTML.
    Html,
}

impl Part {
    /// The name of the template, by which escaping is decided.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Subject => "subject.txt",
            Self::Text => "body.txt",
            Self::Html => "body.html",
        }
    }

    /// The layout that it may stand in.
    pub(super) fn layout(self) -> Option<&'static str> {
        match self {
            Self::Subject => None,
            Self::Text => Some("layout.txt"),
            Self::Html => Some("layout.html"),
        }
    }
}

/// How templates are written: what stands around statements is left out.
pub(super) fn syntax() -> Result<SyntaxConfig, Error> {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()
}

/// Renders a part.
///
/// # Errors
/// A template that does not fit its variables or its bounds; the message names template and line, never a value.
pub(super) fn render_part(
    part: Part,
    source: &str,
    variables: &Map<String, serde_json::Value>,
    bounds: Bounds,
) -> Result<String, Error> {
    let mut environment = environment(bounds)?;
    environment.add_template(part.file(), source)?;
    let mut output = Bounded { written: Vec::new(), most: bounds.output };
    environment.get_template(part.file())?.render_captured_to(context(variables), &mut output)?;
    let text = String::from_utf8(output.written);
    let text = text.map_err(|_| Error::new(ErrorKind::InvalidOperation, "what was written is no text"))?;
    let text = text.trim();
    Ok(if part == Part::Subject { text.replace(char::is_control, " ") } else { text.to_owned() })
}

fn environment<'s>(bounds: Bounds) -> Result<Environment<'s>, Error> {
    let mut environment = Environment::empty();
    environment.set_debug(false);
    environment.set_fuel(Some(bounds.fuel));
    environment.set_recursion_limit(MAX_DEPTH);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_syntax(syntax()?);
    environment.set_auto_escape_callback(|name| {
        if name == "body.html" || name == "layout.html" { AutoEscape::Html } else { AutoEscape::None }
    });
    environment.add_filter("safe", as_it_is);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("length", filters::length);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("join", join);
    environment.add_test("defined", tests::is_defined);
    environment.add_template("layout.txt", LAYOUT_TEXT)?;
    environment.add_template("layout.html", LAYOUT_HTML)?;
    Ok(environment)
}

/// The filters that there are.
pub(super) const FILTERS: [&str; 11] =
    ["safe", "upper", "lower", "title", "capitalize", "trim", "length", "default", "first", "last", "join"];
/// The tests that there are.
pub(super) const TESTS: [&str; 1] = ["defined"];

/// The variables. What holds nothing is not there: it can be asked for, and no mail says "none". Link and address stand in HTML as they are: the configuration lets no character through that could end
/// an attribute.
fn context(variables: &Map<String, serde_json::Value>) -> Value {
    let value = |name: &str, value: &serde_json::Value| match (name, value) {
        ("link" | "portal_url", serde_json::Value::String(address)) => Value::from_safe_string(address.clone()),
        (_, value) => Value::from(Serde(value)),
    };
    let values: BTreeMap<String, Value> = variables
        .iter()
        .filter(|(_, given)| !given.is_null())
        .map(|(name, given)| (name.clone(), value(name, given)))
        .collect();
    Value::from_object(values)
}

/// What `safe` does: nothing. What comes from people is escaped in HTML, whatever a template says.
fn as_it_is(value: Value) -> Value {
    value
}

/// The entries of a list with `separator` between them, up to a length.
fn join(list: &Value, separator: Option<&str>) -> Result<String, Error> {
    let mut joined = String::new();
    for (number, entry) in list.try_iter()?.enumerate() {
        if number > 0 {
            joined.push_str(separator.unwrap_or_default());
        }
        joined.push_str(&entry.to_string());
        if joined.len() > MAX_VALUE {
            return Err(Error::new(ErrorKind::InvalidOperation, "what is joined gets too long"));
        }
    }
    Ok(joined)
}

/// Takes what is written, up to a length.
struct Bounded {
    written: Vec<u8>,
    most: usize,
}

impl std::io::Write for Bounded {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        if self.written.len() + text.len() > self.most {
            return Err(std::io::Error::other("the mail gets too long"));
        }
        self.written.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
