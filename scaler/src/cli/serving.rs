//! What `up`, `serve` and `ingress` have in common: documents that are followed, services beside the
//! control task, and an orderly end.

pub(super) mod door;
pub(super) mod grpc;
pub(super) mod https;
pub(super) mod limits;
mod observers;
#[cfg(feature = "kubernetes")]
pub(super) mod pods;
pub(super) mod process;
pub(super) mod secrets;
pub(super) mod services;
mod signals;
pub(super) mod sources;
mod watch;

use std::net::SocketAddr;
use std::time::Duration;

use super::arguments::StatusArguments;
use crate::api::model::AppStatus;
use crate::control::Control;

/// Time for requests in flight when Ebbtide is told to stop.
pub(super) const DRAIN: Duration = Duration::from_secs(30);

/// Sets up the log and the limits of this process.
///
/// # Errors
/// When the log cannot be set up.
pub(super) fn prepare(arguments: &StatusArguments) -> anyhow::Result<tokio::runtime::Runtime> {
    crate::log::init(arguments.log_format)?;
    limits::raise_open_files();
    limits::reserve_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    Ok(runtime)
}

/// Each app with its URL, for the announcement.
pub(super) fn urls(control: &Control) -> Vec<(String, String)> {
    let published = control.published();
    let url = |app: &AppStatus| {
        let url = app.url.clone();
        (
            app.name.clone(),
            url.unwrap_or_else(|| "no ingress".to_owned()),
        )
    };
    let routes = published.routes.iter().filter_map(|config| {
        let url = config.url.clone()?;
        Some((config.name.clone(), format!("{url} (routes)")))
    });
    published.statuses().map(url).chain(routes).collect()
}

/// Says where everything is. A closed standard output is not an error.
pub(super) fn announce(rows: &[(String, String)], listening: SocketAddr) {
    use std::io::Write;

    let rows = rows
        .iter()
        .map(|(name, what)| format!("  {name:<12}{what}"));
    let rows = rows.collect::<Vec<_>>().join("\n");
    let version = env!("CARGO_PKG_VERSION");
    let mut stdout = std::io::stdout().lock();
    let text = format!(
        "Ebbtide {version}\n\n{rows}\n\nListening on {listening}. Ctrl-C drains and stops.\n"
    );
    drop(stdout.write_all(text.as_bytes()));
    drop(stdout.flush());
}
