//! The parts of docs/ that the code writes: every key of a trigger's metadata, and of each scaler, and every metric.
//! `EBBTIDE_GENERATE=1` writes them anew.

use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- keys: generated from the code -->\n";
const END: &str = "<!-- /keys -->";

/// Compares the part of a guide that is the code's with what the code says.
fn check(guide: &str, fresh: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(guide);
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("EBBTIDE_GENERATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{fresh}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(
        written, fresh,
        "EBBTIDE_GENERATE=1 cargo test -p ebbtide guides"
    );
}

#[test]
fn the_keys_of_a_trigger_are_those_of_the_code() {
    check("keda.md", &ebbtide_core::trigger::keys_markdown());
}

#[test]
fn the_metrics_are_those_of_the_code() {
    let exposition = crate::api::metrics::tests::everything();
    check(
        "metrics.md",
        &crate::api::metrics::markdown::markdown(&exposition),
    );
}

#[test]
fn the_keys_of_scalers_are_those_of_the_code() {
    check("signals.md", &ebbtide_core::scaler::markdown());
}
