//! `loadgen schema`

use std::io::Write;

use clap::{Args, ValueEnum};
use schemars::Schema;

use crate::{report, scenario};

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// What the schema is of
    of: Of,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    /// Scenario files, for editors that check YAML
    Scenario,
    /// The report that `--output json` prints
    Report,
}

/// Prints a schema.
pub(crate) fn run(arguments: &SchemaArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let schema = match arguments.of {
        Of::Scenario => scenario::schema(),
        Of::Report => report::schema(),
    };
    Ok(super::unless_nobody_reads(writeln!(
        out,
        "{}",
        text(&schema)
    ))?)
}

/// As it is printed, and as the files in docs/ have it.
fn text(schema: &Schema) -> String {
    format!("{:#}", schema.as_value())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The files that editors and readers of reports get are what the code says. `EBBTIDE_GENERATE=1` writes them
    /// anew.
    #[test]
    fn the_committed_schemas_are_fresh() {
        for (name, schema) in [
            ("loadgen-scenario.schema.json", scenario::schema()),
            ("loadgen-report.schema.json", report::schema()),
        ] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../docs")
                .join(name);
            let fresh = format!("{}\n", text(&schema));
            if std::env::var_os("EBBTIDE_GENERATE").is_some() {
                std::fs::write(&file, &fresh).unwrap();
            }
            let written = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(
                written == fresh,
                "docs/{name} is not what the code says: EBBTIDE_GENERATE=1 cargo test -p ebbtide-loadgen schema"
            );
        }
    }

    /// Other programs read scenarios too, and most of them as YAML 1.1, where these are no text without quotes.
    #[test]
    fn no_key_of_a_scenario_is_a_truth_value_of_older_yaml() {
        let schema = text(&scenario::schema());
        for word in ["y", "n", "yes", "no", "on", "off"] {
            let quoted = format!("\"{word}\"");
            assert!(!schema.contains(&quoted), "{quoted} is in the schema");
        }
    }
}
