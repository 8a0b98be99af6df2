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
    for Applied { name, path, text } in by_path(declarations) {
        let document = Document {
            content_type: "application/yaml",
            text: text.into_bytes(),
        };
        let result = client.send(Method::PUT, &path, Some(document)).await;
        let mut result = result.with_context(|| format!("{name} was not applied"))?;
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

/// What is put to one path.
struct Applied {
    name: String,
    path: String,
    text: String,
}

/// Each app, in the order of its first document, with the text of all its documents; then the routes,
/// which lead to apps.
fn by_path<'d>(declarations: impl Iterator<Item = &'d Declaration>) -> Vec<Applied> {
    let (mut apps, mut routes): (Vec<Applied>, Vec<Applied>) = (Vec::new(), Vec::new());
    for declaration in declarations {
        let (all, kind, name) = match declaration {
            Declaration::App(app) => (&mut apps, "apps", app.name.as_str()),
            Declaration::Revision(revision) => (&mut apps, "apps", revision.name.app()),
            Declaration::Routes(config) => (&mut routes, "httprouteconfigs", config.name.as_str()),
        };
        let text = to_yaml(declaration, SecretDisplay::Shown);
        match all.iter_mut().find(|known| known.name == name) {
            Some(known) => {
                known.text.push_str("\n---\n");
                known.text.push_str(&text);
            }
            None => all.push(Applied {
                name: name.to_owned(),
                path: format!("/api/v1/{kind}/{name}"),
                text,
            }),
        }
    }
    apps.into_iter().chain(routes).collect()
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
