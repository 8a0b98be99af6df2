//! What a stream answers to who publishes.

use serde::Deserialize;

use super::NO_RESPONDERS;
use crate::error::ReadError;
use crate::nats::Message;

#[derive(Deserialize)]
struct Acknowledgement {
    seq: Option<u64>,
    error: Option<StreamError>,
}

#[derive(Deserialize)]
struct StreamError {
    description: Option<String>,
}

/// Makes sure that the answer to a message says that a stream has stored it.
///
/// # Errors
/// It says otherwise, or is no stream's.
pub fn stored(answer: &Message) -> Result<(), ReadError> {
    if answer.status == Some(NO_RESPONDERS) {
        return Err(ReadError::new("NATS: no stream listens to the subject"));
    }
    match serde_json::from_slice(&answer.body) {
        Ok(Acknowledgement {
            error: Some(error), ..
        }) => {
            let why = error.description;
            let why = why.unwrap_or_else(|| "no reason given".to_owned());
            let message = format!("NATS did not store the message: {why}");
            Err(ReadError::new(message))
        }
        Ok(Acknowledgement { seq: Some(_), .. }) => Ok(()),
        _ => Err(ReadError::new("NATS: whoever answers is no stream")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_stream_says_to_have_is_stored() {
        let full =
            "{\"error\":{\"code\":503,\"description\":\"maximum bytes exceeded\"},\"seq\":0}";
        let no_stream = Some("NATS: whoever answers is no stream");
        for (status, body, expected) in [
            (None, "{\"stream\":\"ORDERS\",\"seq\":7}", None),
            (
                Some(503),
                "",
                Some("NATS: no stream listens to the subject"),
            ),
            (
                None,
                full,
                Some("NATS did not store the message: maximum bytes exceeded"),
            ),
            (
                None,
                "{\"error\":{}}",
                Some("NATS did not store the message: no reason given"),
            ),
            (None, "{}", no_stream),
            (None, "hello", no_stream),
        ] {
            let answer = Message {
                subject: "i.1".to_owned(),
                reply: None,
                status,
                body: body.as_bytes().to_vec(),
            };
            let found = stored(&answer).err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected, "{body}");
        }
    }
}
