//! Commands that change one thing and print what changed.

use ebbtide_core::name::{AppName, RevisionName};
use http::Method;
use serde_json::Value;

use super::arguments::{RevisionArguments, RevisionCommand};
use super::client::{Client, typed};
use super::output::Output;
use crate::api::model::ApplyResult;

/// The revision with this name, or this suffix.
pub(super) fn revision_name(app: &AppName, text: &str) -> anyhow::Result<RevisionName> {
    if !text.contains("--") {
        return Ok(RevisionName::new(app, text)?);
    }
    let name = RevisionName::parse(text)?;
    anyhow::ensure!(
        name.app() == app.as_str(),
        "{name} is not a revision of {app}"
    );
    Ok(name)
}

pub(super) async fn revision(
    client: &Client,
    output: &mut Output<'_>,
    command: &RevisionCommand,
) -> anyhow::Result<()> {
    let (RevisionArguments { app, revision, .. }, action) = match command {
        RevisionCommand::Activate(arguments) => (arguments, "activate"),
        RevisionCommand::Deactivate(arguments) => (arguments, "deactivate"),
        RevisionCommand::Restart(arguments) => (arguments, "restart"),
    };
    let revision = revision_name(app, revision)?;
    let path = format!("/api/v1/apps/{app}/revisions/{revision}/{action}");
    print_result(output, &client.send(Method::POST, &path, None).await?)
}

pub(super) async fn delete(
    client: &Client,
    output: &mut Output<'_>,
    app: &AppName,
) -> anyhow::Result<()> {
    let path = format!("/api/v1/apps/{app}");
    print_result(output, &client.send(Method::DELETE, &path, None).await?)
}

/// Prints what a change did.
pub(super) fn print_result(output: &mut Output<'_>, result: &Value) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(result);
    }
    let result: ApplyResult = typed(result)?;
    if result.changes.is_empty() {
        output.line(format!("{}: nothing to change", result.app))?;
    }
    for change in &result.changes {
        output.line(format!("{}: {change}", result.app))?;
    }
    for warning in &result.warnings {
        output.line(format!("{}: warning: {warning}", result.app))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_its_name_or_its_suffix() {
        let app = AppName::new("hello").unwrap();
        for (text, expected) in [
            ("v1", Some("hello--v1")),
            ("hello--v1", Some("hello--v1")),
            ("other--v1", None),
            ("../x", None),
            ("V1", None),
            ("", None),
        ] {
            let name = revision_name(&app, text).ok();
            assert_eq!(name.as_ref().map(RevisionName::as_str), expected, "{text}");
        }
    }
}
