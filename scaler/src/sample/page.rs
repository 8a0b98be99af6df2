//! Who answers, and how it says so.

use std::fmt;

use anyhow::{Context as _, ensure};
use axum::http::HeaderValue;

/// The replica that this process is, from the variables that its environment gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    app: String,
    revision: HeaderValue,
    replica: HeaderValue,
    color: String,
}

impl Identity {
    /// Reads `CONTAINER_APP_NAME`, `_REVISION` and `_REPLICA_NAME`.
    pub(super) fn from_environment(color: &str) -> anyhow::Result<Self> {
        let name = |name: &str, other: &str| std::env::var(name).unwrap_or(other.to_owned());
        Self::new(
            name("CONTAINER_APP_NAME", "sample"),
            &name("CONTAINER_APP_REVISION", "none"),
            &name("CONTAINER_APP_REPLICA_NAME", "none"),
            color,
        )
    }

    pub(super) fn new(
        app: String,
        revision: &str,
        replica: &str,
        color: &str,
    ) -> anyhow::Result<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '#';
        ensure!(
            !color.is_empty() && color.chars().all(plain),
            "`{color}` is not a colour: give a CSS colour name, or # and hexadecimal digits"
        );
        let header = |value: &str| {
            HeaderValue::try_from(value)
                .with_context(|| format!("{value:?} cannot be the value of a header"))
        };
        Ok(Self {
            app,
            revision: header(revision)?,
            replica: header(replica)?,
            color: color.to_owned(),
        })
    }

    pub(super) fn revision(&self) -> &HeaderValue {
        &self.revision
    }

    pub(super) fn replica(&self) -> &HeaderValue {
        &self.replica
    }

    /// The answer for a terminal.
    pub(super) fn text(&self) -> String {
        format!(
            "Hello from {}\n  revision {}\n  replica  {}\n",
            self.app,
            shown(&self.revision),
            shown(&self.replica)
        )
    }

    /// The answer for a browser.
    pub(super) fn html(&self) -> String {
        let app = escape(&self.app);
        let revision = escape(&shown(&self.revision));
        let replica = escape(&shown(&self.replica));
        let color = &self.color;
        format!(
            "<!doctype html>\n\
             <html lang=\"en\">\n\
             <meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{app}</title>\n\
             <style>\n\
             :root {{ color-scheme: light dark }}\n\
             body {{ font: 18px/1.5 system-ui, sans-serif; margin: 0; border-top: 12px solid {color} }}\n\
             main {{ max-width: 36rem; margin: 18vh auto; padding: 0 1.5rem }}\n\
             code {{ overflow-wrap: anywhere }}\n\
             </style>\n\
             <main>\n\
             <h1>Hello from {app}</h1>\n\
             <p>Revision <code>{revision}</code></p>\n\
             <p>Replica <code>{replica}</code></p>\n\
             </main>\n\
             </html>\n"
        )
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (replica {})", self.app, shown(&self.replica))
    }
}

fn shown(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_the_page() {
        let identity = Identity::new("<b>&\"".to_owned(), "<i>", "r", "#1f6feb").unwrap();
        let html = identity.html();
        assert!(html.contains("Hello from &lt;b&gt;&amp;&quot;<"), "{html}");
        assert!(html.contains("<code>&lt;i&gt;</code>"), "{html}");
        assert!(html.contains("solid #1f6feb"), "{html}");
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        for (revision, color, reason) in [
            ("a", "red;}", "colour"),
            ("a", "", "colour"),
            ("a\nb", "red", "header"),
        ] {
            let error = Identity::new("app".to_owned(), revision, "r", color).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
