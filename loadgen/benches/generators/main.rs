//! What load generators can do, and whether what they say is true: loadgen, wrk, h2load and oha, over HTTP/1.1.
//! `cargo bench -p ebbtide-loadgen --bench generators -- --help`.
//!
//! Each generator has one core, and the server, which is the same for all, another. In each round every generator
//! has its turn, so that what else the machine does is shared by all. Printed are the median of the rounds, and the
//! least and the most; `--json FILE` has every round.
//!
//! `loadgen/benches/generators/install` gets the others on Debian. wrk2 is not in Debian and is left out.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a benchmark measures time and prints it"
)]

mod backend;
mod figures;
mod options;
mod parts;
#[path = "../../../tests/ports.rs"]
mod ports;
mod process;
mod stall;
mod table;
mod tool;

use serde_json::json;

use backend::Backend;
use options::Options;
use parts::Part;
use table::Table;
use tool::Tool;

fn main() {
    // What cargo adds is not for us.
    let arguments: Vec<_> = std::env::args()
        .skip(1)
        .filter(|one| one != "--bench")
        .collect();
    if let [role, port] = &arguments[..]
        && role == stall::ROLE
    {
        return stall::serve(port.parse().expect("a port"));
    }
    let options = match Options::parse(arguments.into_iter()) {
        Ok(Some(options)) => options,
        Ok(None) => return println!("{}", options::HELP),
        Err(wrong) => panic!("{wrong}"),
    };
    process::raise_limit();
    for needed in ["taskset", "nginx"] {
        assert!(
            process::is_there(needed.as_ref()),
            "{needed} is missing: loadgen/benches/generators/install gets it"
        );
    }
    let tools: Vec<_> = (options.tools.iter().copied())
        .filter(|tool| {
            let found = tool.is_there();
            if !found {
                println!("{} is not there, and is left out.", tool.name());
            }
            found
        })
        .collect();
    let backend = Backend::start();
    println!("Load of the machine before: {}", process::load());
    let mut found = Vec::new();
    for part in &options.parts {
        found.push(measure(*part, &options, &tools, &backend));
    }
    println!("\nLoad of the machine after: {}", process::load());
    if let Some(file) = &options.json {
        let all = json!({ "seconds": options.seconds, "parts": found });
        std::fs::write(file, format!("{all:#}\n")).expect("the file can be written");
    }
}

/// Runs all rounds of a part, and prints its table.
fn measure(part: Part, options: &Options, tools: &[Tool], backend: &Backend) -> serde_json::Value {
    println!("\n### {}\n\n{}\n", part.title(), part.explained());
    let mut table = Table::default();
    let tasks = part.tasks(tools);
    for round in 0..part.rounds(options.rounds) {
        for place in 0..tasks.len() {
            // Each round begins with another one.
            let task = &tasks[(place + round) % tasks.len()];
            let row = task.run(options.seconds, backend);
            eprintln!("round {}: {} {row:?}", round + 1, task.label());
            table.add(&task.label(), row);
        }
    }
    println!("{table}");
    json!({ "part": part.title(), "rows": table.to_json() })
}
