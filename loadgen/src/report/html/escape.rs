//! Text that stays text, whatever it says.

use std::fmt::{self, Display, Formatter, Write as _};

/// Text as HTML shows it, in elements and in quoted attributes. Control characters, which HTML forbids, are replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escaped<'a>(&'a str);

/// Text for elements and for quoted attributes.
pub(super) fn escape(text: &str) -> Escaped<'_> {
    Escaped(text)
}

impl Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                '\n' | '\t' => formatter.write_char(' ')?,
                control if control.is_control() => formatter.write_char('\u{fffd}')?,
                other => formatter.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// JSON that may stand in a script element: nothing in it ends the element or opens a comment.
pub(super) fn embed(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out() {
        let hostile = "</script><img src=x onerror='alert(1)'>\"&\u{0}\n";
        assert_eq!(
            escape(hostile).to_string(),
            "&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&quot;&amp;\u{fffd} "
        );
        let json = embed(&serde_json::json!({ "name": hostile }));
        assert!(!json.contains('<'));
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["name"], hostile);
    }
}
