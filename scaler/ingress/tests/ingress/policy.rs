//! What apps ask of the ingress, from documents as they are read.

use ebbtide_core::document::{Declaration, ParseOptions, Source, parse};
use ebbtide_core::policy::RequestPolicy;

/// What an app asks for whose document has this `ingress`, and these tags.
pub(crate) fn policy(ingress: &str, tags: &str) -> RequestPolicy {
    let text = format!(
        "name: hello\ntags: {tags}\nproperties:\n  configuration: {{ingress: {ingress}}}\n  \
         template: {{containers: [{{name: a, command: [a]}}]}}\n"
    );
    let source = Source {
        name: "hello.yaml",
        text: &text,
    };
    let parsed = parse(&source, &ParseOptions::default()).unwrap();
    match &parsed.declarations[0].value {
        Declaration::App(app) => RequestPolicy::of(app),
        _ => panic!("an app"),
    }
}
