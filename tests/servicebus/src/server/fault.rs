//! Faults, which a test asks for: the service as it is on a bad day.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, error, typed};
use crate::tls::Show;

/// The size of a large answer, in bytes.
const LARGE: usize = 10 << 20;

/// What happens instead of an answer, or before it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The answer comes late.
    Slow {
        /// How late, in milliseconds.
        milliseconds: u64,
    },
    /// No answer comes.
    Hang,
    /// The connection is closed in the middle of the answer's body.
    CutBody,
    /// An answer of 10 MiB comes, which begins like a description and does not end like one.
    LargeBody,
    /// An answer comes whose XML breaks off.
    NonsenseXml,
    /// An answer comes with this status and an error.
    Status {
        /// The status.
        status: u16,
    },
}

/// A fault, and which requests it is for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Faulty {
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
    /// Only for requests whose path begins so; otherwise for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For so many requests; otherwise for all, until the fault is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

impl Faulty {
    /// Reads what [`Serialize`] writes, and refuses a status that there is not.
    pub fn read(json: &str) -> Result<Self, String> {
        let faulty: Self = serde_json::from_str(json).map_err(|error| {
            format!("{error}: write a fault like {{\"fault\":\"slow\",\"milliseconds\":500}}")
        })?;
        match faulty.fault {
            Fault::Status { status } if !(400..=599).contains(&status) => {
                Err(format!("status is {status}, and has to be 400 to 599"))
            }
            _ => Ok(faulty),
        }
    }
}

/// The fault and the certificate of the moment.
#[derive(Default)]
pub(super) struct Faults {
    fault: Mutex<Option<Faulty>>,
    certificate: Mutex<Show>,
}

impl Faults {
    pub(super) fn new(fault: Option<Faulty>, certificate: Show) -> Self {
        Self {
            fault: Mutex::new(fault),
            certificate: Mutex::new(certificate),
        }
    }

    pub(super) fn set(&self, fault: Option<Faulty>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub(super) fn current(&self) -> Option<Faulty> {
        self.fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn show(&self, certificate: Show) {
        *self
            .certificate
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = certificate;
    }

    pub(super) fn shown(&self) -> Show {
        *self
            .certificate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of a request, which counts as one of its times.
    pub(super) fn strike(&self, path: &str) -> Option<Fault> {
        let mut current = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let faulty = current.as_mut()?;
        if !faulty
            .path
            .as_deref()
            .is_none_or(|start| path.starts_with(start))
        {
            return None;
        }
        let fault = faulty.fault.clone();
        if let Some(times) = &mut faulty.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                *current = None;
            }
        }
        Some(fault)
    }
}

impl Fault {
    /// What comes instead of the answer; `None` if the answer comes after all.
    pub(super) async fn happen(self) -> Option<Answer> {
        match self {
            Self::Slow { milliseconds } => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                None
            }
            Self::Hang => std::future::pending().await,
            Self::CutBody => Some(cut()),
            Self::LargeBody => {
                let mut body = BEGINNING.to_vec();
                body.resize(LARGE, b' ');
                Some(typed(StatusCode::OK, XML, body))
            }
            Self::NonsenseXml => Some(typed(StatusCode::OK, XML, BEGINNING)),
            Self::Status { status } => {
                let status = StatusCode::from_u16(status).ok()?;
                Some(error(status, "a test asked for this", "none"))
            }
        }
    }
}

const XML: &str = "application/atom+xml;type=entry;charset=utf-8";
const BEGINNING: &[u8] = b"<entry xmlns=\"http://www.w3.org/2005/Atom\"><content><Queue <<&";

/// An answer that promises more than it brings, and then breaks the connection.
fn cut() -> Answer {
    let body = stream::unfold(0, |step| async move {
        match step {
            0 => Some((Ok(Frame::data(Bytes::from_static(BEGINNING))), 1)),
            1 => {
                // The connection writes what it has while this waits, and then sees the error.
                tokio::task::yield_now().await;
                Some((Err(std::io::Error::other("a test asked for a cut body")), 2))
            }
            _ => None,
        }
    });
    let mut answer = Response::new(StreamBody::new(body).boxed_unsync());
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(XML));
    answer
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from_static("5000"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_written() {
        let cases = [
            r#"{"fault":"hang"}"#,
            r#"{"fault":"slow","milliseconds":5,"path":"/orders","times":2}"#,
            r#"{"fault":"status","status":503}"#,
            r#"{"fault":"cut-body"}"#,
            r#"{"fault":"large-body"}"#,
            r#"{"fault":"nonsense-xml","times":1}"#,
        ];
        for json in cases {
            let faulty = Faulty::read(json).unwrap();
            assert_eq!(serde_json::to_string(&faulty).unwrap(), json);
        }
        let wrong = [
            "",
            "{}",
            r#"{"fault":"slow"}"#,
            r#"{"fault":"status","status":200}"#,
        ];
        for json in wrong {
            assert!(Faulty::read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_fault_is_for_its_paths_and_its_times() {
        let json = r#"{"fault":"hang","path":"/orders","times":2}"#;
        let faults = Faults::new(Faulty::read(json).ok(), Show::Good);
        let struck = ["/other", "/orders", "/orders/messages", "/orders"];
        let struck = struck.map(|path| faults.strike(path).is_some());
        assert_eq!(struck, [false, true, true, false]);
        assert_eq!(faults.current(), None);
    }
}
