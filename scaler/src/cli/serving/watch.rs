//! Reading the documents again when they change. An invalid change is reported and changes nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::api::model::ApplyResult;
use crate::control::{Command, Control, ControlError, Origin};
use crate::documents::{self, Texts};
use crate::log::Said;

/// Time from one look at the files to the next.
const PERIOD: Duration = Duration::from_millis(250);

/// Follows the files until told to stop. Contents are compared, not times: editors that replace
/// files, and clocks that jump, make no difference. What is seen once may be a file half written,
/// or a folder from which an editor has just taken a file to put another in its place; so what two
/// looks in a row agree on is applied.
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
    // A file may be away for a moment while an editor replaces it; that is said once, not each time.
    let mut said = Said::default();
    let mut seen_once: Option<Texts> = None;
    loop {
        tokio::select! {
            () = sleep(PERIOD) => {}
            _ = stopping.changed() => return,
        }
        let (again, before) = (paths.clone(), known.clone());
        let read = spawn_blocking(move || documents::read_again(&again, &before));
        let Ok(texts) = read.await else {
            return;
        };
        let texts = match texts {
            Ok(texts) => texts,
            Err(error) => {
                seen_once = None;
                let message = format!("{error:#}");
                if said.is_news(&message) {
                    tracing::error!("{message}; the state before stays in force");
                }
                continue;
            }
        };
        said.clear();
        if texts == known {
            seen_once = None;
        } else if seen_once.as_ref() != Some(&texts) {
            seen_once = Some(texts);
        } else if apply(&texts, &set, &control).await {
            known = texts;
        }
    }
}

/// Applies the texts. Returns whether that is done with, well or not; else it is to be tried again.
async fn apply(texts: &Texts, set: &BTreeMap<String, String>, control: &Control) -> bool {
    let documents = match documents::parse(texts, set) {
        Ok(documents) => documents,
        Err(error) => {
            tracing::error!("a document is not valid; the state before stays in force:\n{error}");
            return true;
        }
    };
    let origin = Origin::Files;
    let command = |reply| Command::Apply {
        documents,
        origin,
        reply,
    };
    match control.ask(command).await {
        Ok(results) => {
            warn(&results);
            for result in results.iter().filter(|result| result.changes.is_empty()) {
                tracing::info!(
                    app = result.app,
                    "its document was read again; nothing changed"
                );
            }
        }
        Err(ControlError::Busy | ControlError::Stopping) => return false,
        Err(error) => {
            tracing::error!("the documents were not applied; the state before stays:\n{error}");
        }
    }
    true
}

/// Says what the documents' authors should know.
pub(super) fn warn(results: &[ApplyResult]) {
    let warnings = results.iter().flat_map(|result| &result.warnings);
    warnings.for_each(|warning| tracing::warn!("{warning}"));
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use arc_swap::ArcSwap;
    use tokio::sync::{broadcast, mpsc};
    use tokio::task::JoinSet;

    use super::*;

    const GOOD: &str = "{properties: {template: {containers: [{name: a, command: [b]}]}}}";

    /// A control task's mailbox that is `places` long, without a control task.
    fn mailbox(places: usize) -> (Control, mpsc::Receiver<Command>) {
        let (commands, inbox) = mpsc::channel(places);
        let control = Control {
            commands,
            published: Arc::new(ArcSwap::default()),
            publications: watch::channel(0).1,
            activations: watch::channel(0).1,
            events: broadcast::channel(1).0,
        };
        (control, inbox)
    }

    fn applied(command: Command) -> usize {
        let Command::Apply {
            documents, reply, ..
        } = command
        else {
            panic!("not an application");
        };
        let count = documents.declarations.len();
        drop(reply.send(Ok(Vec::new())));
        count
    }

    #[tokio::test]
    async fn changes_are_applied_until_told_to_stop_and_invalid_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::write(file("a.yaml"), GOOD).unwrap();
        let paths = vec![folder.path().to_owned()];
        let texts = documents::read(&paths).unwrap();
        let (control, mut inbox) = mailbox(4);
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(paths, BTreeMap::new(), texts, control, stopping));
        fs::write(file("b.yaml"), GOOD).unwrap();
        assert_eq!(applied(inbox.recv().await.unwrap()), 2);
        // What is not valid never arrives; what follows it does.
        fs::write(file("c.yaml"), "properties: [").unwrap();
        tokio::time::sleep(PERIOD).await;
        fs::write(file("c.yaml"), GOOD).unwrap();
        assert_eq!(applied(inbox.recv().await.unwrap()), 3);
        fs::remove_file(file("a.yaml")).unwrap();
        assert_eq!(applied(inbox.recv().await.unwrap()), 2);
        stop.send_replace(true);
        tasks.join_next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_a_busy_control_task_did_not_take_is_tried_again() {
        let (control, mut inbox) = mailbox(1);
        let texts = vec![("a.yaml".to_owned(), GOOD.to_owned())];
        let set = BTreeMap::new();
        let delete = |reply| Command::Delete {
            app: "a".to_owned(),
            reply,
        };
        let mut asks = JoinSet::new();
        let asker = control.clone();
        asks.spawn(async move { asker.ask(delete).await.is_err() });
        tokio::task::yield_now().await;
        assert!(!apply(&texts, &set, &control).await);
        drop(inbox.recv().await);
        assert!(asks.join_next().await.unwrap().unwrap());
        let again = async { applied(inbox.recv().await.unwrap()) };
        let (done, count) = tokio::join!(apply(&texts, &set, &control), again);
        assert!(done && count == 1);
    }
}
