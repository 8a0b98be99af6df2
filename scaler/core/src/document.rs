//! Container app documents: what they say ([`model`]), read with [`parse`] and written with
//! [`to_yaml`].
//!
//! A text becomes a tree of nodes that know their places, the tree's placeholders are filled and
//! its ARM expressions evaluated, and a reader walks it with every complaint collected. Nothing of
//! a document with an error is used.

mod arm;
mod diagnostic;
pub(crate) mod fragment;
mod json_comments;
mod load;
mod mirrors;
pub mod model;
mod nearest;
mod node;
mod placeholder;
mod print;
pub(crate) mod quantity;
mod read;
mod reader;
mod shape;
pub(crate) mod tags;
mod unique;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use diagnostic::{Diagnostic, Located};
pub use mirrors::check_mirrors;
pub use model::*;
pub(crate) use nearest::{nearest, suggestion};
pub use print::{SecretDisplay, to_value, to_yaml};
pub use read::IMAGE_ALONE;
pub use unique::check_unique;

pub(crate) use read::{SCALERS, is_label};
pub(crate) use reader::HIDDEN;

use node::{Node, NodeValue};
use reader::{MOST_DIAGNOSTICS, Reader};

/// The text of one file, or of a request's body.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What messages call it: the file's path, or `request body`.
    pub name: &'a str,
    /// The text: YAML, of one or more documents, or JSON.
    pub text: &'a str,
}

/// What a text is read with.
#[derive(Clone, Debug, Default)]
pub struct ParseOptions {
    /// Values of placeholders (`<KEY>`, `{KEY}`, `${KEY}`) and of an ARM template's parameters.
    pub set: BTreeMap<String, String>,
    /// The name of an app whose document has none: the file's stem, or the last part of the path
    /// that it was put to.
    pub default_name: Option<String>,
}

/// What a text declares.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The apps and revisions, in the order of the text; at least one.
    pub declarations: Vec<Located<Declaration>>,
    /// What will surprise the document's author but is no error, in the order of the text.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a text: YAML as `az containerapp create --yaml` takes it, with any number of documents;
/// the same as JSON; or an ARM template around container apps.
///
/// # Errors
/// All that is wrong with the text, in its order, if anything is; with it the properties that
/// nothing reads, which may be why.
pub fn parse(source: &Source<'_>, options: &ParseOptions) -> Result<Parsed, Vec<Diagnostic>> {
    let guarded = placeholder::guard(source.text, &options.set);
    let text = if json_comments::is_json(&guarded) {
        Cow::Owned(json_comments::blank(&guarded))
    } else {
        guarded
    };
    let loaded = load::load(&text);
    let mut all = Collected::default();
    let reader = Reader::new(source.name, String::new());
    all.errors.extend(
        (loaded.problems.iter())
            .map(|problem| reader.diagnostic(problem.at, "", problem.message.clone())),
    );
    for document in loaded.documents {
        all.read(source.name, document, options);
    }
    if all.parsed.declarations.is_empty() && all.errors.is_empty() {
        let start = node::Position { line: 1, column: 1 };
        let message = "declares no container app".to_owned();
        all.errors.push(reader.diagnostic(start, "", message));
    }
    all.finish()
}

/// What has been read of a text so far.
#[derive(Default)]
struct Collected {
    parsed: Parsed,
    errors: Vec<Diagnostic>,
    unknown: Vec<Diagnostic>,
}

impl Collected {
    /// Reads one document: an app or revision, a list of them, or an ARM template.
    fn read(&mut self, source: &str, mut document: Node, options: &ParseOptions) {
        if document.is_null() {
            return;
        }
        placeholder::fill(&mut document, &options.set);
        if arm::is_template(&document) {
            let mut reader = Reader::new(source, String::new());
            let resources = arm::resources(&mut reader, &document, &options.set);
            self.take(reader);
            for (node, prefix) in resources {
                self.declaration(Reader::new(source, prefix), &node, None);
            }
            return;
        }
        let default_name = options.default_name.as_deref();
        match &document.value {
            NodeValue::Sequence(items) => {
                for (index, node) in items.iter().enumerate() {
                    let reader = Reader::new(source, format!("[{index}]"));
                    self.declaration(reader, node, default_name);
                }
            }
            _ => self.declaration(Reader::new(source, String::new()), &document, default_name),
        }
    }

    fn declaration(&mut self, mut reader: Reader<'_>, node: &Node, default_name: Option<&str>) {
        if let Some(value) = read::declaration(&mut reader, node, default_name) {
            self.parsed.declarations.push(Located {
                value,
                source: reader.source().to_owned(),
                line: node.at.line,
            });
        }
        self.take(reader);
    }

    fn take(&mut self, reader: Reader<'_>) {
        self.errors.extend(reader.errors);
        self.parsed.warnings.extend(reader.warnings);
        self.unknown.extend(reader.unknown);
    }

    fn finish(mut self) -> Result<Parsed, Vec<Diagnostic>> {
        if !self.errors.is_empty() {
            self.errors.append(&mut self.unknown);
        }
        for diagnostics in [&mut self.errors, &mut self.parsed.warnings] {
            diagnostics.sort_by(Diagnostic::in_order);
            diagnostics.dedup();
            diagnostics.truncate(MOST_DIAGNOSTICS);
        }
        if self.errors.is_empty() {
            Ok(self.parsed)
        } else {
            Err(self.errors)
        }
    }
}

#[cfg(test)]
mod tests;
