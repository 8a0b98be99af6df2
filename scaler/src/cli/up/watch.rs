//! Reading the documents again when they change. An invalid change is reported and changes nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::api::model::ApplyResult;
use crate::control::{Command, Control, Origin};
use crate::documents::{self, Texts};

/// Time from one look at the files to the next.
const PERIOD: Duration = Duration::from_millis(500);

/// Follows the files until told to stop. Contents are compared, not times: editors that replace
/// files, and clocks that jump, make no difference.
pub(super) async fn follow(
    paths: Vec<PathBuf>,
    set: BTreeMap<String, String>,
    mut known: Texts,
    control: Control,
    mut stopping: watch::Receiver<bool>,
) {
    if paths.is_empty() {
        return;
    }
    let mut unreadable: Option<String> = None;
    loop {
        tokio::select! {
            () = sleep(PERIOD) => {}
            _ = stopping.changed() => return,
        }
        let again = paths.clone();
        let Ok(texts) = spawn_blocking(move || documents::read(&again)).await else {
            return;
        };
        match texts {
            Ok(texts) if texts == known => unreadable = None,
            Ok(texts) => {
                unreadable = None;
                apply(&texts, &set, &control).await;
                known = texts;
            }
            Err(error) => report_once(&mut unreadable, &error),
        }
    }
}

/// A file may be away for a moment while an editor replaces it; that is said once, not each time.
fn report_once(reported: &mut Option<String>, error: &anyhow::Error) {
    let message = format!("{error:#}");
    if reported.as_ref() != Some(&message) {
        tracing::error!("{message}; the state before stays in force");
        *reported = Some(message);
    }
}

async fn apply(texts: &Texts, set: &BTreeMap<String, String>, control: &Control) {
    let documents = match documents::parse(texts, set) {
        Ok(documents) => documents,
        Err(error) => {
            tracing::error!("a document is not valid; the state before stays in force:\n{error}");
            return;
        }
    };
    let origin = Origin::Files;
    match control
        .ask(|reply| Command::Apply {
            documents,
            origin,
            reply,
        })
        .await
    {
        Ok(results) => {
            warn(&results);
            for result in results.iter().filter(|result| result.changes.is_empty()) {
                tracing::debug!(app = result.app, "read again; nothing changed");
            }
        }
        Err(error) => {
            tracing::error!("the documents were not applied; the state before stays:\n{error}");
        }
    }
}

/// Says what the documents' authors should know.
pub(super) fn warn(results: &[ApplyResult]) {
    let warnings = results.iter().flat_map(|result| &result.warnings);
    warnings.for_each(|warning| tracing::warn!("{warning}"));
}
