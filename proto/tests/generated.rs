//! The generated code is what the `.proto` files say. `EBBTIDE_GENERATE=1` writes it anew.

use std::error::Error;
use std::fs;
use std::path::Path;

use prost::Message;

const FILES: [&str; 5] = [
    "ebbtide.telemetry.v1.rs",
    "externalscaler.bin",
    "externalscaler.rs",
    "opentelemetry.proto.collector.trace.v1.rs",
    "telemetry.bin",
];

/// Each contract, and whether a service here describes it to whoever asks.
const CONTRACTS: [(&str, bool); 3] = [
    ("externalscaler", true),
    ("otlp", false),
    ("telemetry", true),
];

fn generate(folder: &Path) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (contract, is_described) in CONTRACTS {
        let descriptors = protox::compile([format!("{contract}.proto")], [root])?;
        if is_described {
            fs::write(
                folder.join(format!("{contract}.bin")),
                descriptors.encode_to_vec(),
            )?;
        }
        tonic_prost_build::configure()
            .build_transport(false)
            .btree_map(".")
            .out_dir(folder)
            .compile_fds(descriptors)?;
    }
    Ok(())
}

#[test]
fn what_is_committed_is_what_the_contracts_say() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated");
    if std::env::var_os("EBBTIDE_GENERATE").is_some() {
        generate(&committed).unwrap();
    }
    let fresh = tempfile::tempdir().unwrap();
    generate(fresh.path()).unwrap();
    for file in FILES {
        let is_fresh = fs::read(fresh.path().join(file)).unwrap()
            == fs::read(committed.join(file)).unwrap_or_default();
        assert!(
            is_fresh,
            "{file} is not what the contracts say: EBBTIDE_GENERATE=1 cargo test -p ebbtide-proto"
        );
    }
}
