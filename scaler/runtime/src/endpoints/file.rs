//! Endpoints from a file that is followed: one service a line, with the addresses of its replicas.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::fs;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Endpoint, Endpoints};

/// How often the file is looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// Why a file of endpoints was not taken in.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{path}:{line}: {message}")]
    Line {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it, and what would be right.
        message: String,
    },
}

/// Reads the endpoints in a file: `SERVICE: ADDRESS ADDRESS …` in each line, `#` begins a comment.
///
/// # Errors
/// When the file cannot be read, or the first line that is wrong.
pub async fn read_file(path: &Path) -> Result<Endpoints, FileError> {
    let text = fs::read_to_string(path).await;
    let text = text.map_err(|source| FileError::Read {
        path: path.display().to_string(),
        source,
    })?;
    parse(&text).map_err(|(line, message)| FileError::Line {
        path: path.display().to_string(),
        line,
        message,
    })
}

fn parse(text: &str) -> Result<Endpoints, (usize, String)> {
    let mut endpoints = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let (service, replicas) = service(line).map_err(|message| (number, message))?;
        if endpoints.insert(service.clone(), replicas).is_some() {
            return Err((number, format!("{service} is there twice")));
        }
    }
    Ok(endpoints)
}

fn service(line: &str) -> Result<(String, Vec<Endpoint>), String> {
    let Some((service, addresses)) = line.split_once(':') else {
        return Err("write SERVICE: ADDRESS ADDRESS, as in hello: 127.0.0.1:9001".to_owned());
    };
    let endpoint = |text: &str| {
        let address: SocketAddr = text
            .parse()
            .map_err(|_| format!("{text} is no address; write one as 127.0.0.1:9001"))?;
        let name = text.replace(['.', ':', '[', ']'], "-");
        Ok(Endpoint { name, address })
    };
    let addresses = addresses.split_whitespace().map(endpoint);
    let mut addresses: Vec<Endpoint> = addresses.collect::<Result<_, String>>()?;
    addresses.sort();
    addresses.dedup();
    Ok((service.trim().to_owned(), addresses))
}

/// Sends what the file says whenever that is something else, without end. A file that is wrong
/// changes nothing, which is said once.
pub async fn follow_file(path: PathBuf, endpoints: watch::Sender<Option<Endpoints>>) {
    let mut reported = None;
    loop {
        match read_file(&path).await {
            Ok(now) => {
                reported = None;
                endpoints.send_if_modified(|known| {
                    let is_news = known.as_ref() != Some(&now);
                    *known = Some(now);
                    is_news
                });
            }
            Err(error) => {
                let message = error.to_string();
                if reported.as_ref() != Some(&message) {
                    tracing::error!("{message}; the endpoints before stay in force");
                    reported = Some(message);
                }
            }
        }
        sleep(PERIOD).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_service_with_its_replicas() {
        let text =
            "# where they are\nhello: 127.0.0.1:2 127.0.0.1:1 127.0.0.1:1\n\nother:  # none\n";
        let endpoints = parse(text).unwrap();
        let addresses = |service: &str| -> Vec<String> {
            let endpoints = endpoints[service].iter();
            endpoints.map(|one| one.address.to_string()).collect()
        };
        assert_eq!(addresses("hello"), ["127.0.0.1:1", "127.0.0.1:2"]);
        assert_eq!(addresses("other"), [""; 0]);
        assert_eq!(endpoints["hello"][0].name, "127-0-0-1-1");
    }

    #[test]
    fn a_wrong_line_is_refused_with_its_number() {
        for (text, line, expected) in [
            ("hello", 1, "write SERVICE: ADDRESS"),
            (
                "a: 127.0.0.1:1\nb: example:80",
                2,
                "example:80 is no address",
            ),
            ("a: 127.0.0.1:1\na:", 2, "a is there twice"),
        ] {
            let (number, message) = parse(text).unwrap_err();
            assert_eq!(number, line);
            assert!(message.contains(expected), "{message}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endpoints");
        std::fs::write(&path, "a: 127.0.0.1:1").unwrap();
        let (sender, mut receiver) = watch::channel(None);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(follow_file(path.clone(), sender));
        receiver.changed().await.unwrap();
        let first = receiver.borrow_and_update().clone().unwrap();
        assert_eq!(first["a"].len(), 1);
        std::fs::write(&path, "nonsense").unwrap();
        sleep(PERIOD * 3).await;
        assert!(!receiver.has_changed().unwrap());
        std::fs::write(&path, "a:").unwrap();
        receiver.changed().await.unwrap();
        assert_eq!(receiver.borrow().clone().unwrap()["a"], []);
    }
}
