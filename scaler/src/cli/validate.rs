//! `ebbtide validate`.

use std::io::Write;

use ebbtide_core::document::{
    Declaration, Diagnostic, Located, SecretDisplay, check_mirrors, to_value, to_yaml,
};
use serde_json::{Value, json};

use super::arguments::{DocumentFormat, ValidateArguments, settings};
use super::failure::{output_error, warn, warn_of_unmentioned};
use super::output::{Output, OutputFormat};
use crate::documents::{self, Documents};

pub(super) fn run(arguments: &ValidateArguments) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    // Nothing here has colours.
    let mut output = Output::new(&mut stdout, arguments.output, false);
    validate(arguments, &mut output)?;
    stdout.flush().map_err(output_error)
}

fn validate(arguments: &ValidateArguments, output: &mut Output<'_>) -> anyhow::Result<()> {
    let texts = documents::read(&arguments.files)?;
    let set = settings(&arguments.set);
    warn_of_unmentioned(&texts, &set);
    let mut documents = match documents::parse(&texts, &set) {
        Ok(documents) => documents,
        Err(error) => {
            if arguments.output == OutputFormat::Json {
                output.json(&report(&Documents::default(), &error.0))?;
            }
            return Err(error.into());
        }
    };
    let mirrors = check_mirrors(&documents.declarations);
    documents.warnings.extend(mirrors);
    match arguments.print {
        Some(format) => {
            warn(&documents.warnings);
            print(format, &documents, output)
        }
        None if output.is_json() => output.json(&report(&documents, &[])),
        None => {
            warn(&documents.warnings);
            documents
                .declarations
                .iter()
                .try_for_each(|declared| output.line(summary(declared)))
        }
    }
}

fn kind_and_name(declaration: &Declaration) -> (&'static str, String) {
    match declaration {
        Declaration::App(app) => ("app", app.name.to_string()),
        Declaration::Revision(revision) => ("revision", revision.name.to_string()),
        Declaration::Routes(config) => ("httpRouteConfig", config.name.to_string()),
    }
}

fn summary(declared: &Located<Declaration>) -> String {
    let (kind, name) = kind_and_name(&declared.value);
    format!(
        "{}:{}: {kind} {name} is valid",
        declared.source, declared.line
    )
}

fn report(documents: &Documents, errors: &[Diagnostic]) -> Value {
    let declarations = documents.declarations.iter().map(|declared| {
        let (kind, name) = kind_and_name(&declared.value);
        json!({ "source": declared.source, "line": declared.line, "kind": kind, "name": name })
    });
    let warnings = documents
        .warnings
        .iter()
        .map(|warning| diagnostic("warning", warning));
    let errors = errors.iter().map(|error| diagnostic("error", error));
    json!({
        "valid": errors.len() == 0,
        "declarations": declarations.collect::<Vec<_>>(),
        "diagnostics": errors.chain(warnings).collect::<Vec<_>>(),
    })
}

fn diagnostic(severity: &str, diagnostic: &Diagnostic) -> Value {
    let Diagnostic {
        source,
        line,
        column,
        path,
        message,
    } = diagnostic;
    json!({
        "severity": severity, "source": source, "line": line, "column": column, "path": path,
        "message": message,
    })
}

/// Prints the documents as they were understood: several as YAML documents, or as a JSON list.
fn print(
    format: DocumentFormat,
    documents: &Documents,
    output: &mut Output<'_>,
) -> anyhow::Result<()> {
    let declarations = documents
        .declarations
        .iter()
        .map(|declared| &declared.value);
    match format {
        DocumentFormat::Yaml => {
            let texts = declarations.map(|value| to_yaml(value, SecretDisplay::Hidden));
            let texts: Vec<String> = texts.map(|text| text.trim_end().to_owned()).collect();
            output.line(texts.join("\n---\n"))
        }
        DocumentFormat::Json => {
            let mut values: Vec<Value> = declarations
                .map(|value| to_value(value, SecretDisplay::Hidden))
                .collect();
            match values.pop() {
                Some(only) if values.is_empty() => output.json(&only),
                last => {
                    values.extend(last);
                    output.json(&values)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit_code;

    const DOCUMENT: &str = "\
name: hello
properties:
  colour: blue
  configuration:
    secrets:
    - {name: key, value: hunter2}
  template:
    containers:
    - {name: main, command: [/bin/true]}
";

    fn validated(text: &str, print: Option<DocumentFormat>, output: OutputFormat) -> (u8, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.yaml");
        std::fs::write(&file, text).unwrap();
        let arguments = ValidateArguments {
            files: vec![file],
            set: Vec::new(),
            print,
            output,
        };
        let mut printed = Vec::new();
        let result = validate(&arguments, &mut Output::new(&mut printed, output, false));
        let code = result.map_or_else(|error| exit_code(&error), |()| 0);
        (code, String::from_utf8(printed).unwrap())
    }

    #[test]
    fn a_valid_document_is_named_and_printed_without_secrets() {
        let (code, text) = validated(DOCUMENT, None, OutputFormat::Table);
        assert_eq!(
            (code, text.ends_with("app.yaml:1: app hello is valid\n")),
            (0, true),
            "{text}"
        );
        for format in [DocumentFormat::Yaml, DocumentFormat::Json] {
            let (code, text) = validated(DOCUMENT, Some(format), OutputFormat::Table);
            assert_eq!(code, 0);
            assert!(text.contains("key") && text.contains("/bin/true"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        let two = format!("{DOCUMENT}---\n{}", DOCUMENT.replace("hello", "other"));
        let (_, text) = validated(&two, Some(DocumentFormat::Json), OutputFormat::Table);
        let values: Vec<Value> = serde_json::from_str(&text).unwrap();
        let names: Vec<&Value> = values.iter().map(|value| &value["name"]).collect();
        assert_eq!(names, ["hello", "other"]);
        let (_, text) = validated(&two, Some(DocumentFormat::Yaml), OutputFormat::Table);
        assert_eq!(text.matches("\n---\n").count(), 1, "{text}");
    }

    #[test]
    fn json_has_errors_and_warnings_with_their_places() {
        let (code, text) = validated(DOCUMENT, None, OutputFormat::Json);
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &report["valid"]), (0, &true.into()));
        assert_eq!(report["declarations"][0]["name"], "hello");
        assert_eq!(report["diagnostics"][0]["severity"], "warning");
        assert_eq!(report["diagnostics"][0]["path"], "properties.colour");

        let mirror = "name: hello\ntags: {ebbtide.mirror: 'label:blue'}";
        let mirrored = DOCUMENT.replacen("name: hello", mirror, 1);
        let (code, text) = validated(&mirrored, None, OutputFormat::Json);
        assert!(code == 0 && text.contains("has no label blue"), "{text}");

        let bad = DOCUMENT.replace("colour: blue", "template: 7\n  colour: blue");
        let (code, text) = validated(&bad, None, OutputFormat::Json);
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &report["valid"]), (3, &false.into()));
        assert_eq!(report["diagnostics"][0]["severity"], "error");
    }
}
