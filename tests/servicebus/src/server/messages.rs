//! Sending, receiving and settling messages.

use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::sleep;

use super::answer::{Answer, Refused, empty, with_body};
use super::properties;
use super::shared::{Attempt, Counters, Shared};
use crate::broker::{Name, Receive, Received, Settle, Source, Token};

/// How long a receiver waits that does not say so.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How long a receiver waits at most.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(5);

pub(super) fn send(
    shared: &Shared,
    name: &Name,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Answer, Refused> {
    let kind = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/vnd.microsoft.servicebus.json")) {
        return Err(Refused::bad(
            "the stand-in does not model batches: send one message at a time",
        ));
    }
    let message = properties::read(headers, body)?;
    shared.change(name, |namespace, now| namespace.send(name, message, now))?;
    Counters::add(&shared.counters.sent);
    Ok(empty(StatusCode::CREATED))
}

/// Receives the first message, as soon as there is one and within the time of the request.
pub(super) async fn receive(
    shared: &Shared,
    source: &Source,
    how: Receive,
    query: &str,
    authority: &str,
) -> Result<Answer, Refused> {
    let timeout = sleep(timeout(query)?);
    tokio::pin!(timeout);
    loop {
        let (changed, due) = match shared.receive(source, how)? {
            Attempt::Received(received) => {
                Counters::add(&shared.counters.received);
                return answer(source, authority, &received);
            }
            Attempt::Wait(changed, due) => (changed, due),
        };
        let wait = due.map(|at| Duration::try_from(at.duration_since(shared.clock.now())));
        // What is due in the past is due now; what never comes takes no time to wait for.
        let wait = wait.map_or(LONGEST_TIMEOUT, Result::unwrap_or_default);
        tokio::select! {
            biased;
            () = changed => {}
            () = &mut timeout => return Ok(empty(StatusCode::NO_CONTENT)),
            () = sleep(wait) => {}
        }
    }
}

fn timeout(query: &str) -> Result<Duration, Refused> {
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("timeout="));
    let seconds = value.map(|text| {
        let wrong = |_| Refused::bad(format!("timeout is '{text}', and has to be whole seconds"));
        text.parse().map(Duration::from_secs).map_err(wrong)
    });
    Ok(seconds.transpose()?.unwrap_or(TIMEOUT).min(LONGEST_TIMEOUT))
}

fn answer(source: &Source, authority: &str, received: &Received) -> Result<Answer, Refused> {
    let message = &received.message;
    let status = if received.lock.is_some() {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut answer = with_body(status, message.body.clone());
    properties::write(received, answer.headers_mut())?;
    if let Some((token, _)) = received.lock {
        let identifier = message.identifier.as_deref().unwrap_or_default();
        let identifier = utf8_percent_encode(identifier, NON_ALPHANUMERIC);
        let location = format!("https://{authority}/{source}/messages/{identifier}/{token}");
        let location = HeaderValue::try_from(location);
        let location = location.map_err(|_| Refused::bad("the header Host is not ASCII"))?;
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

pub(super) fn settle(
    shared: &Shared,
    source: &Source,
    (message, token): (&str, Token),
    how: Settle,
) -> Result<Answer, Refused> {
    let lock = (message, token);
    shared.change(&source.entity, |namespace, now| {
        namespace.settle(source, lock, how, now)
    })?;
    Ok(empty(StatusCode::OK))
}
