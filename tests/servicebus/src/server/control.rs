//! `/$standin/…`: what a test tells the stand-in, and asks it.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Refused, empty, typed};
use super::fault::Faulty;
use super::shared::Shared;
use crate::tls::Show;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    certificate: Show,
}

/// Carries out a request to the stand-in itself.
pub(super) fn control(
    shared: &Shared,
    method: &Method,
    resource: &str,
    body: &[u8],
) -> Result<Answer, Refused> {
    match (method.as_str(), resource) {
        ("GET", "fault") => json(&shared.faults.current()),
        ("PUT", "fault") => {
            let faulty = Faulty::read(&String::from_utf8_lossy(body)).map_err(Refused::Bad)?;
            shared.faults.set(Some(faulty));
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("DELETE", "fault") => {
            shared.faults.set(None);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("GET", "certificate") => json(&Certificate {
            certificate: shared.faults.shown(),
        }),
        ("PUT", "certificate") => {
            let asked: Certificate = serde_json::from_slice(body).map_err(|error| {
                Refused::bad(format!(
                    "{error}: write {{\"certificate\":\"unknown-authority\"}}"
                ))
            })?;
            shared.faults.show(asked.certificate);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("GET", "counters") => json(&shared.counters.read()),
        (_, "fault" | "certificate" | "counters") => Err(Refused::Method {
            method: method.to_string(),
            path: format!("/$standin/{resource}"),
        }),
        _ => Err(Refused::bad(format!(
            "there is no /$standin/{resource}: there are fault, certificate and counters"
        ))),
    }
}

fn json(value: &impl Serialize) -> Result<Answer, Refused> {
    let text = serde_json::to_string(value).map_err(|error| Refused::bad(error.to_string()))?;
    Ok(typed(StatusCode::OK, "application/json", text))
}
