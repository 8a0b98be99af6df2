//! `ebbtide apply`.

use anyhow::Context;
use ebbtide_core::document::{Declaration, Diagnostic, SecretDisplay, to_yaml};
use http::Method;
use serde_json::{Value, json};

use super::actions::print_result;
use super::arguments::{ApplyArguments, settings};
use super::client::{Client, Document};
use super::failure::{warn, warn_of_unmentioned};
use super::output::Output;
use crate::documents;

/// Sends the documents of each app in the order of the files. A document that is not valid keeps
/// all of them from being sent.
pub(super) async fn run(
    client: &Client,
    output: &mut Output<'_>,
    arguments: &ApplyArguments,
) -> anyhow::Result<()> {
    let texts = documents::read(&arguments.files)?;
    let set = settings(&arguments.set);
    warn_of_unmentioned(&texts, &set);
    let documents = documents::parse(&texts, &set)?;
    warn(&documents.warnings);
    let declarations = documents
        .declarations
        .iter()
        .map(|declared| &declared.value);
    let mut results = Vec::new();
    for (app, text) in by_app(declarations) {
        let document = Document {
            content_type: "application/yaml",
            text: text.into_bytes(),
        };
        let path = format!("/api/v1/apps/{app}");
        let result = client.send(Method::PUT, &path, Some(document)).await;
        let mut result = result.with_context(|| format!("{app} was not applied"))?;
        forget_known(&mut result, &documents.warnings);
        if !output.is_json() {
            print_result(output, &result)?;
        }
        results.push(result);
    }
    if output.is_json() {
        output.json(&json!({ "value": results }))?;
    }
    Ok(())
}

/// Each app, in the order of its first document, and the text of all its documents.
fn by_app<'d>(declarations: impl Iterator<Item = &'d Declaration>) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for declaration in declarations {
        let app = match declaration {
            Declaration::App(app) => app.name.as_str(),
            Declaration::Revision(revision) => revision.name.app(),
            Declaration::Routes(config) => config.name.as_str(),
        };
        let text = to_yaml(declaration, SecretDisplay::Shown);
        match texts.iter_mut().find(|(name, _)| name == app) {
            Some((_, texts)) => {
                texts.push_str("\n---\n");
                texts.push_str(&text);
            }
            None => texts.push((app.to_owned(), text)),
        }
    }
    texts
}

/// Takes the warnings away that were given with their place in the file already.
fn forget_known(result: &mut Value, known: &[Diagnostic]) {
    let is_known = |warning: &Value| {
        let text = warning.as_str().unwrap_or_default();
        known.iter().any(|known| text.ends_with(&known.message))
    };
    if let Some(warnings) = result.get_mut("warnings").and_then(Value::as_array_mut) {
        warnings.retain(|warning| !is_known(warning));
    }
}
