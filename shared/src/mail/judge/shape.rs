//! How a template may be built at all, told from its tokens: a tree is read, compiled and dropped by recursion, and one
//! that is too deep would overflow the stack before fuel counts anything.

use minijinja::machinery::{Span, Token, tokenize};

use crate::{
    domain::{Fault, Place},
    mail::sandbox::syntax,
};

/// The longest tag, from `{{` or `{%` to its end, in bytes. It bounds how deep an expression is and what it spells out.
pub(super) const MAX_TAG: usize = 1000;
/// The most `elif`s of a template: each stands inside the one before it.
pub(super) const MAX_BRANCHES: usize = 50;

/// The first tag that is longer, or the first `elif` that is one more, than a template may have. What cannot be read is
/// left to the parser.
pub(super) fn fits(source: &str) -> Result<(), Fault> {
    let Ok(syntax) = syntax() else { return Ok(()) };
    let (mut opened, mut branches) = (None, 0);
    let mut starts_block = false;
    for read in tokenize(source, false, syntax) {
        let Ok((token, span)) = read else { break };
        match token {
            Token::VariableStart | Token::BlockStart => opened = Some(span),
            Token::Ident("elif") if starts_block => branches += 1,
            Token::TemplateData(_) => opened = None,
            _ => {}
        }
        starts_block = matches!(token, Token::BlockStart);
        let start = opened.unwrap_or(span);
        if span.end_offset.saturating_sub(start.start_offset) as usize > MAX_TAG && opened.is_some() {
            return Err(fault(source, start, format!("A tag has at most {MAX_TAG} bytes.")));
        }
        if branches > MAX_BRANCHES {
            return Err(fault(source, start, format!("A template has at most {MAX_BRANCHES} `elif`s.")));
        }
    }
    Ok(())
}

fn fault(source: &str, span: Span, detail: String) -> Fault {
    Fault::new("too_large", detail).at(Place::of(source, span.start_offset as usize))
}
