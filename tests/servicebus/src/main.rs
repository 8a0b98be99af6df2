//! `servicebus-stand-in`: a Service Bus namespace on a port of this machine, for tests.

mod cli;

use std::io::Write as _;

use anyhow::Context as _;
use clap::Parser as _;
use ebbtide_servicebus_stand_in::server::Server;
use tokio::io::AsyncReadExt as _;

use crate::cli::Arguments;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let server = Server::bind(arguments.options()?).await?;
    let path = &arguments.authority;
    std::fs::write(path, server.authority()).with_context(|| {
        format!(
            "cannot write the authority's certificate to {}",
            path.display()
        )
    })?;
    let mut output = std::io::stdout();
    writeln!(output, "listening on {}", server.address())?;
    output.flush()?;
    tokio::select! {
        () = server.run() => Ok(()),
        () = parent(arguments.until_input_ends) => Ok(()),
    }
}

/// Returns when the standard input ends, which it does with whoever holds its other end.
async fn parent(watched: bool) {
    if !watched {
        std::future::pending::<()>().await;
    }
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while let Ok(1..) = input.read(&mut buffer).await {}
}
