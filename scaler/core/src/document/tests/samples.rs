//! Real definitions, where they are at hand beside the repository.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A sample's text; none, and a message, when the samples are not there.
#[expect(clippy::print_stdout, reason = "what a test leaves out has to be seen")]
fn sample(name: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("../shared/data/container-apps").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: there is no {}", path.display());
    }
    text
}

const ARM: &[(&str, &str)] = &[
    ("appName", "hello"),
    ("environmentName", "env"),
    ("location", "westeurope"),
];
const REGISTRY: &[(&str, &str)] = &[
    ("ACR_LOGIN_SERVER", "r.azurecr.io"),
    ("ACR_USERNAME", "me"),
    ("ACR_PASSWORD", "p: #w"),
    ("IMAGE_NAME", "app"),
    ("TAG", "1"),
];

#[test]
fn the_samples_are_read_and_print_back() {
    for (name, set) in [
        ("02_rest_spec_create_or_update_body.json", &[][..]),
        ("03_azcli_extension_test.yaml", &[]),
        ("08_registry_secret_int_metadata.tmpl.yaml", REGISTRY),
        ("16_arm_hello_world.json", ARM),
    ] {
        let Some(text) = sample(name) else {
            continue;
        };
        let parsed = match read_with(&text, set) {
            Ok(parsed) => parsed,
            Err(errors) => panic!("{name}: {errors:#?}"),
        };
        assert_eq!(parsed.declarations.len(), 1, "{name}");
        assert_prints_back(&parsed.declarations[0].value);
    }
}
