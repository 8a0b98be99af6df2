//! Texts that may be elsewhere: addresses of brokers, connection strings, passwords.

use super::super::super::document::{SecretDocument, SecretSource};
use super::super::{Builder, Resolve};
use crate::plan::Secret;

impl Builder<'_> {
    /// A text that is not empty; spaces and line breaks around it do not count. Where secrets are not looked up, one
    /// that is elsewhere is empty: it may be there only where the run is.
    pub(super) fn text(&mut self, path: &str, text: &SecretDocument) -> Option<Secret> {
        if let (Resolve::Nothing, SecretDocument::From(_)) = (self.resolve, text) {
            return Some(Secret::new(String::new()));
        }
        let text = self.reveal(text);
        let text = self.problems.take(path, text)?;
        Some(Secret::new(text))
    }

    /// What says where a broker is, if `check` finds it in order. What is not known yet is not checked.
    pub(super) fn connection(
        &mut self,
        path: &str,
        text: &SecretDocument,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Option<Secret> {
        let text = self.text(path, text)?;
        if !text.reveal().is_empty() {
            self.problems.take(path, check(text.reveal()))?;
        }
        Some(text)
    }

    /// A URL with one of these beginnings.
    pub(super) fn url(
        &mut self,
        path: &str,
        url: &SecretDocument,
        begins: &[&str],
    ) -> Option<Secret> {
        self.connection(path, url, |url| {
            if begins.iter().any(|begin| url.starts_with(begin)) {
                return Ok(());
            }
            Err(format!("it does not begin with {}", begins.join(" or ")))
        })
    }

    fn reveal(&self, text: &SecretDocument) -> Result<String, String> {
        let (what, text) = match text {
            SecretDocument::Text(text) => ("it".to_owned(), text.clone()),
            SecretDocument::From(SecretSource::Env(name)) => {
                let value = std::env::var(name);
                let value = value.map_err(|_| format!("the variable {name} is not set"))?;
                (format!("the variable {name}"), value)
            }
            SecretDocument::From(SecretSource::File(file)) => {
                let file = self.folder.join(file);
                let read = std::fs::read_to_string(&file);
                let file = file.display();
                let text = read.map_err(|error| format!("cannot read `{file}`: {error}"))?;
                (format!("`{file}`"), text)
            }
        };
        match text.trim() {
            "" => Err(format!("{what} is empty")),
            text => Ok(text.to_owned()),
        }
    }
}
