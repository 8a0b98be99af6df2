//! What is measured.

use std::path::PathBuf;

use crate::parts::Part;
use crate::tool::Tool;

pub(crate) const HELP: &str = "\
What load generators can do, and whether what they say is true

Usage: cargo bench -p ebbtide-loadgen --bench generators -- [OPTIONS]

Options:
  --rounds N     how often each is measured; 5 if absent
  --seconds N    how long each time; 5 if absent
  --tool NAME    loadgen, wrk, h2load or oha; all that are there if absent; may be repeated
  --part NAME    saturation, lateness, memory or truth; all if absent; may be repeated
  --json FILE    writes every round there
  --help         this

loadgen/benches/generators/install gets the others on Debian; oha's program may be named by OHA_BIN.";

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) seconds: u64,
    pub(crate) tools: Vec<Tool>,
    pub(crate) parts: Vec<Part>,
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments; none if help is wanted.
    pub(crate) fn parse(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, String> {
        let mut options = Self {
            rounds: 5,
            seconds: 5,
            tools: Vec::new(),
            parts: Vec::new(),
            json: None,
        };
        while let Some(argument) = arguments.next() {
            if argument == "--help" {
                return Ok(None);
            }
            let value = arguments.next().unwrap_or_default();
            let wrong = || format!("{argument} {value} is not known\n\n{HELP}");
            match argument.as_str() {
                "--rounds" => options.rounds = value.parse().map_err(|_| wrong())?,
                "--seconds" => options.seconds = value.parse().map_err(|_| wrong())?,
                "--tool" => options.tools.push(Tool::named(&value).ok_or_else(wrong)?),
                "--part" => options.parts.push(Part::named(&value).ok_or_else(wrong)?),
                "--json" => options.json = Some(value.into()),
                _ => return Err(wrong()),
            }
        }
        if options.tools.is_empty() {
            options.tools = Tool::ALL.to_vec();
        }
        if options.parts.is_empty() {
            options.parts = Part::ALL.to_vec();
        }
        Ok(Some(options))
    }
}
