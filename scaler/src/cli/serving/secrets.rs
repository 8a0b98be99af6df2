//! The secrets that documents do not have: in a folder, which is followed, and in variables.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ebbtide_signals::{EnvironmentSecrets, Files, FolderSecrets, SecretStore, read_folder};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::log::Said;

/// Time from one look at the folder to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// Where secrets are kept.
pub(in crate::cli) struct SecretStores {
    folder: Option<(PathBuf, watch::Sender<Arc<Files>>)>,
    /// The stores, in the order in which they are asked.
    pub(in crate::cli) stores: Vec<Arc<dyn SecretStore>>,
}

impl SecretStores {
    /// The variables of this process, and before them the files of a folder, if there is one.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(in crate::cli) fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut stores: Vec<Arc<dyn SecretStore>> = Vec::new();
        let folder = folder.map(|folder| {
            let shown = folder.display();
            let files = read_folder(folder).with_context(|| format!("--secrets {shown}"))?;
            let (sender, receiver) = watch::channel(Arc::new(files));
            stores.push(Arc::new(FolderSecrets::new(receiver)));
            anyhow::Ok((folder.to_owned(), sender))
        });
        let folder = folder.transpose()?;
        stores.push(Arc::new(EnvironmentSecrets::of(
            std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }),
        )));
        Ok(Self { folder, stores })
    }

    /// Has the folder read again and again until told to stop. What cannot be read changes nothing.
    pub(in crate::cli) fn follow(self, tasks: &mut JoinSet<()>, stopped: watch::Receiver<bool>) {
        if let Some((folder, files)) = self.folder {
            tasks.spawn(follow(folder, files, stopped));
        }
    }
}

async fn follow(
    folder: PathBuf,
    files: watch::Sender<Arc<Files>>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut said = Said::default();
    loop {
        tokio::select! {
            () = sleep(PERIOD) => {}
            _ = stopping.changed() => return,
        }
        let again = folder.clone();
        let Ok(read) = spawn_blocking(move || read_folder(&again)).await else {
            return;
        };
        match read {
            Ok(read) => {
                said.clear();
                files.send_if_modified(|known| {
                    let changes = **known != read;
                    if changes {
                        tracing::info!("secrets have changed");
                        *known = Arc::new(read);
                    }
                    changes
                });
            }
            Err(error) => {
                let message = format!("--secrets {}: {error}", folder.display());
                if said.is_news(&message) {
                    tracing::error!("{message}; the secrets before stay in force");
                }
            }
        }
    }
}
