//! The grammar of ARM's template expressions, without the brackets around them.
//!
//! ```text
//! expression = primary { "." name | "[" expression "]" }
//! primary    = text | integer | name "(" [ expression { "," expression } ] ")"
//! text       = "'" { character | "''" } "'"
//! ```

/// The deepest nesting of an expression.
const MAX_DEPTH: usize = 32;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// `'text'`.
    Text(String),
    /// `42`.
    Integer(i64),
    /// `name(arguments)`.
    Call {
        name: String,
        arguments: Vec<Expression>,
    },
    /// `of.name`.
    Member { of: Box<Expression>, name: String },
    /// `of[index]`.
    Index {
        of: Box<Expression>,
        index: Box<Expression>,
    },
}

/// Parses what stands between the brackets.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { rest: text };
    let expression = parser.expression(0)?;
    parser.skip_space();
    if parser.rest.is_empty() {
        Ok(expression)
    } else {
        Err(parser.unexpected("the end"))
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    fn expression(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deep".to_owned());
        }
        let mut expression = self.primary(depth)?;
        for level in depth.. {
            if level > MAX_DEPTH {
                return Err("it is nested too deep".to_owned());
            }
            let of = Box::new(expression);
            if self.take('.') {
                let name = self.name().ok_or_else(|| self.unexpected("a name"))?;
                expression = Expression::Member { of, name };
            } else if self.take('[') {
                let index = Box::new(self.expression(depth + 1)?);
                self.expect(']')?;
                expression = Expression::Index { of, index };
            } else {
                return Ok(*of);
            }
        }
        Ok(expression)
    }

    fn primary(&mut self, depth: usize) -> Result<Expression, String> {
        if self.take('\'') {
            return self.text();
        }
        if let Some(integer) = self.integer()? {
            return Ok(Expression::Integer(integer));
        }
        let Some(name) = self.name() else {
            return Err(self.unexpected("a function or a text in single quotes"));
        };
        self.expect('(')?;
        let mut arguments = Vec::new();
        while !self.take(')') {
            if !arguments.is_empty() {
                self.expect(',')?;
            }
            arguments.push(self.expression(depth + 1)?);
        }
        Ok(Expression::Call { name, arguments })
    }

    /// The rest of a text whose first quote was taken; `''` is a quote in it.
    fn text(&mut self) -> Result<Expression, String> {
        let mut text = String::new();
        while let Some((before, after)) = self.rest.split_once('\'') {
            text.push_str(before);
            self.rest = after;
            if !self.rest.starts_with('\'') {
                return Ok(Expression::Text(text));
            }
            text.push('\'');
            self.rest = &self.rest[1..];
        }
        Err("a text has no closing quote".to_owned())
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        let rest = self.rest;
        let unsigned = rest.strip_prefix('-').unwrap_or(rest);
        if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        let sign = rest.len() - unsigned.len();
        let digits = unsigned.find(|c: char| !c.is_ascii_digit());
        let (number, after) = rest.split_at(sign + digits.unwrap_or(unsigned.len()));
        self.rest = after;
        let integer = number
            .parse()
            .map_err(|_| format!("{number} is too large"))?;
        Ok(Some(integer))
    }

    fn name(&mut self) -> Option<String> {
        self.skip_space();
        let end = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$');
        let length = self.rest.find(end).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `wanted` if it comes next, after any space.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{wanted}`")))
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.rest.chars().next() {
            Some(found) => format!("found `{found}` where {wanted} was expected"),
            None => format!("it ends where {wanted} was expected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(name: &str, arguments: Vec<Expression>) -> Expression {
        let name = name.to_owned();
        Expression::Call { name, arguments }
    }

    fn text(text: &str) -> Expression {
        Expression::Text(text.to_owned())
    }

    #[test]
    fn expressions_are_parsed() {
        let member = Expression::Member {
            of: Box::new(call("resourceGroup", vec![])),
            name: "location".to_owned(),
        };
        let index = Expression::Index {
            of: Box::new(call("variables", vec![text("x")])),
            index: Box::new(Expression::Integer(-3)),
        };
        let cases = [
            ("'it''s'", text("it's")),
            ("42", Expression::Integer(42)),
            (
                " concat( 'a' , f ( ) ) ",
                call("concat", vec![text("a"), call("f", vec![])]),
            ),
            ("resourceGroup().location", member),
            ("variables('x')[-3]", index),
        ];
        for (source, expected) in cases {
            assert_eq!(parse(source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            ("", "it ends where a function"),
            ("f", "it ends where `(`"),
            ("f(", "it ends where a function"),
            ("f('a' 'b')", "found `'` where `,`"),
            ("f('a)", "no closing quote"),
            ("f() g", "found `g` where the end"),
            ("f().", "it ends where a name"),
            ("99999999999999999999", "is too large"),
        ];
        for (source, expected) in cases {
            let message = parse(source).unwrap_err();
            assert!(message.contains(expected), "{source}: {message}");
        }
        for deep in ["f(".repeat(100_000), format!("f(){}", ".a".repeat(100_000))] {
            assert_eq!(parse(&deep), Err("it is nested too deep".to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[a-z0-9'()\\[\\]., -]{0,60}|\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
