//! Whether a changed template is fit to be sent: judged by its syntax tree, then tried with samples.

mod shape;

use std::iter;

use minijinja::{
    Error, ErrorKind,
    machinery::{
        Span,
        ast::{BinOpKind, CallArg, Expr, Stmt},
        parse,
    },
};

use super::{
    entry::Event,
    sandbox::{FILTERS, JUDGING, Part, TESTS, render_part, syntax},
    variables::{sample_link, trials, variables},
};
use crate::domain::{Fault, Place, name::Name};

/// The longest template of a subject, in bytes.
const MAX_SUBJECT: usize = 500;
/// The longest template of a text or HTML part, in bytes.
const MAX_BODY: usize = 96 * 1024;
/// The longest subject that a sample may give, in characters.
const MAX_RENDERED_SUBJECT: usize = 200;
/// The most faults that are named of one part.
const MAX_FAULTS: usize = 20;

/// Judges the template of one part of an event's mail.
///
/// # Errors
/// Every fault that can be found at once: of its size, of its syntax alone, of what it uses, or of what comes out.
pub fn judge(event: Event, part: Part, source: &str, portal_name: &Name) -> Result<(), Vec<Fault>> {
    let most = if part == Part::Subject { MAX_SUBJECT } else { MAX_BODY };
    if source.trim().is_empty() {
        return Err(vec![Fault::new("required", "A mail has a subject, a text and an HTML part.")]);
    }
    if source.len() > most {
        return Err(vec![Fault::new("too_large", format!("This template has at most {most} bytes."))]);
    }
    if let Some(at) = source.find(char::is_control).filter(|_| part == Part::Subject) {
        return Err(vec![Fault::new("not_one_line", "A subject is one line.").at(Place::of(source, at))]);
    }
    shape::fits(source).map_err(|fault| vec![fault])?;
    let variables = variables(event, portal_name);
    let tree = syntax().and_then(|syntax| parse(source, part.file(), syntax));
    let tree = tree.map_err(|error| vec![broken(&error, source)])?;
    let names = variables.iter().map(|variable| variable.name).collect();
    let mut reader = Reader { source, part, known: names, faults: Vec::new() };
    reader.statement(&tree);
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    let link = sample_link(event).filter(|_| part != Part::Subject);
    for trial in trials(&variables) {
        let rendered = render_part(part, source, &trial, JUDGING).map_err(|error| vec![broken(&error, source)])?;
        if part == Part::Subject && rendered.chars().count() > MAX_RENDERED_SUBJECT {
            return Err(vec![Fault::new("too_large", "This subject gets too long.")]);
        }
        if link.as_ref().is_some_and(|link| !carries(part, &rendered, link)) {
            let detail = "Every such mail has to carry `{{ link }}`; in text with white space around it, in HTML outside comments.";
            return Err(vec![Fault::new("missing_variable", detail)]);
        }
    }
    Ok(())
}

/// Whether a part of a mail carries its link as it is; in text so that it can be told from what stands around it, in HTML
/// where it is read, which in a comment it is not.
pub(super) fn carries(part: Part, rendered: &str, link: &str) -> bool {
    match part {
        Part::Subject => true,
        Part::Text => rendered.split_whitespace().any(|word| word == link),
        Part::Html => outside_comments(rendered).any(|read| read.contains(link)),
    }
}

/// What stands between the comments of an HTML part. One that is never closed goes on to the end; what looks like the
/// beginning of another within one is part of it.
fn outside_comments(html: &str) -> impl Iterator<Item = &str> {
    let mut left = Some(html);
    iter::from_fn(move || {
        let rest = left.take()?;
        let Some(read) = rest.split("<!--").next().filter(|read| read.len() < rest.len()) else { return Some(rest) };
        // The dashes that open it may close it too: to HTML, `<!-->` is a comment of nothing.
        let comment = rest.get(read.len() + "<!".len()..).unwrap_or_default();
        left = comment.split_once("-->").map(|(_, behind)| behind);
        Some(read)
    })
}

/// What the engine says of a template, with its place.
fn broken(error: &Error, source: &str) -> Fault {
    let (code, detail) = match error.kind() {
        ErrorKind::OutOfFuel => ("too_large", "This takes too long.".to_owned()),
        ErrorKind::WriteFailure => ("too_large", "This mail gets too long.".to_owned()),
        ErrorKind::UndefinedError => {
            let detail = "In some mails there is nothing here: ask with `if`, or name a `default`.";
            ("invalid_template", detail.to_owned())
        }
        _ => {
            let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            ("invalid_template", format!("This cannot be read: {what}."))
        }
    };
    let place = error.range().map(|range| Place::of(source, range.start));
    let place = place.or_else(|| error.line().map(|line| Place { line, column: 1 }));
    let fault = Fault::new(code, detail);
    place.map_or(fault.clone(), |place| fault.at(place))
}

/// Reads a template for what it may not use.
struct Reader<'s> {
    source: &'s str,
    part: Part,
    /// The variables, and the names that loops give.
    known: Vec<&'s str>,
    faults: Vec<Fault>,
}

impl<'s> Reader<'s> {
    fn refuse(&mut self, span: Span, code: &'static str, detail: impl Into<String>) {
        if self.faults.len() == MAX_FAULTS {
            return;
        }
        let place = Place::of(self.source, usize::try_from(span.start_offset).unwrap_or(usize::MAX));
        self.faults.push(Fault::new(code, detail).at(place));
    }

    fn not_allowed(&mut self, span: Span, what: &str) {
        self.refuse(span, "invalid_template", format!("Templates of mails have no {what}."));
    }

    fn statements(&mut self, statements: &[Stmt<'s>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'s>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emitted) => self.expression(&emitted.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::ForLoop(each) => {
                self.expression(&each.iter);
                let outside = self.known.len();
                match &each.target {
                    Expr::Var(name) => self.known.extend([name.id, "loop"]),
                    target => self.not_allowed(target.span(), "loops over several names"),
                }
                if each.recursive {
                    self.not_allowed(each.span(), "recursion");
                }
                self.optional(each.filter_expr.as_ref());
                self.statements(&each.body);
                self.known.truncate(outside);
                self.statements(&each.else_body);
            }
            Stmt::Block(block) => {
                if block.name != "body" {
                    self.not_allowed(block.span(), "block but `body`");
                }
                self.statements(&block.body);
            }
            Stmt::Extends(extends) => {
                let layout = match &extends.name {
                    Expr::Const(name) => name.value.as_str().map(str::to_owned),
                    _ => None,
                };
                if layout.is_none() || layout.as_deref() != self.part.layout() {
                    let detail = match self.part.layout() {
                        Some(layout) => format!("The only template to extend here is \"{layout}\"."),
                        None => "A subject extends nothing.".to_owned(),
                    };
                    self.refuse(extends.span(), "invalid_template", detail);
                }
            }
            Stmt::WithBlock(with) => self.not_allowed(with.span(), "`with`"),
            Stmt::Set(set) => self.not_allowed(set.span(), "`set`"),
            Stmt::SetBlock(set) => self.not_allowed(set.span(), "`set`"),
            Stmt::AutoEscape(escape) => self.not_allowed(escape.span(), "`autoescape`"),
            Stmt::FilterBlock(filter) => self.not_allowed(filter.span(), "`filter`"),
            Stmt::Import(import) => self.not_allowed(import.span(), "`import`"),
            Stmt::FromImport(import) => self.not_allowed(import.span(), "`import`"),
            Stmt::Include(include) => self.not_allowed(include.span(), "`include`"),
            Stmt::Do(call) => self.not_allowed(call.span(), "`do`"),
        }
    }

    fn optional(&mut self, expression: Option<&Expr<'s>>) {
        if let Some(expression) = expression {
            self.expression(expression);
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'s>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.expression(value),
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    self.not_allowed(value.span(), "`*` arguments");
                }
            }
        }
    }

    fn expression(&mut self, expression: &Expr<'s>) {
        match expression {
            Expr::Const(_) => {}
            Expr::Var(variable) => {
                if !self.known.contains(&variable.id) {
                    let known = self.known.join(", ");
                    let detail = format!("There is nothing of this name. This mail knows {known}.");
                    self.refuse(variable.span(), "unknown_variable", detail);
                }
            }
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                self.optional(slice.start.as_ref());
                self.optional(slice.stop.as_ref());
                self.optional(slice.step.as_ref());
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => {
                // Values must not grow: a text times a number is a text that long, and what is doubled in a loop has no end.
                match operation.op {
                    BinOpKind::Mul | BinOpKind::Pow => self.not_allowed(operation.span(), "multiplication"),
                    BinOpKind::Add | BinOpKind::Concat => {
                        let what = "`+` and `~`: one value is written behind the other, `{{ a }}{{ b }}`";
                        self.not_allowed(operation.span(), what);
                    }
                    _ => {}
                }
                self.expression(&operation.left);
                self.expression(&operation.right);
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                compare.ops.iter().for_each(|operand| self.expression(&operand.expr));
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                self.expression(&choice.true_expr);
                self.optional(choice.false_expr.as_ref());
            }
            Expr::Filter(filter) => {
                if !FILTERS.contains(&filter.name) {
                    self.not_allowed(filter.span(), &format!("filter but {}", FILTERS.join(", ")));
                }
                self.optional(filter.expr.as_ref());
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                if !TESTS.contains(&test.name) {
                    self.not_allowed(test.span(), &format!("test but {}", TESTS.join(", ")));
                }
                self.expression(&test.expr);
                self.arguments(&test.args);
            }
            Expr::GetAttr(attribute) => self.expression(&attribute.expr),
            Expr::GetItem(item) => {
                self.expression(&item.expr);
                self.expression(&item.subscript_expr);
            }
            // Lists of lists of a long text are small to hold and without end to write.
            Expr::List(list) => self.not_allowed(list.span(), "lists of their own"),
            Expr::Call(call) => self.not_allowed(call.span(), "functions"),
            Expr::Tuple(tuple) => self.not_allowed(tuple.span(), "tuples"),
            Expr::Map(map) => self.not_allowed(map.span(), "maps"),
        }
    }
}

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod tests;
