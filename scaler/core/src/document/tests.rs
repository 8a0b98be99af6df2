//! Whole documents: the samples, what is reported of them, and what prints back.

mod accepted;
mod arm;
mod documents;
mod errors;
mod http_route_strategies;
mod http_routes;
mod properties;
mod samples;
mod strategies;
mod texts;
mod warnings;

use super::*;

/// Reads `text` as `test.yaml`.
pub(super) fn read(text: &str) -> Result<Parsed, Vec<Diagnostic>> {
    read_with(text, &[])
}

/// Reads `text` with values of `--set`.
pub(super) fn read_with(text: &str, set: &[(&str, &str)]) -> Result<Parsed, Vec<Diagnostic>> {
    let source = Source {
        name: "test.yaml",
        text,
    };
    let set = set.iter();
    let options = ParseOptions {
        set: set
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        default_name: Some("unnamed".to_owned()),
    };
    parse(&source, &options)
}

/// What prints back is the same declaration.
pub(super) fn assert_prints_back(declaration: &Declaration) {
    let yaml = to_yaml(declaration, SecretDisplay::Shown);
    let again = match read(&yaml) {
        Ok(parsed) => parsed.declarations,
        Err(errors) => panic!("{errors:#?}\n{yaml}"),
    };
    assert_eq!(again.len(), 1, "{yaml}");
    assert_eq!(&again[0].value, declaration, "{yaml}");
    let json = to_value(declaration, SecretDisplay::Shown).to_string();
    let again = read(&json).unwrap().declarations;
    assert_eq!(&again[0].value, declaration, "{json}");
}
