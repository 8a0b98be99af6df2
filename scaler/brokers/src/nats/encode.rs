//! What is said to a server.

use serde_json::json;

use super::Client;
use crate::error::ReadError;

pub(super) const PING: &[u8] = b"PING\r\n";
pub(super) const PONG: &[u8] = b"PONG\r\n";

/// Who connects, and how it will speak.
pub(super) fn connect(client: &Client<'_>) -> Vec<u8> {
    let login = client.login.map(|login| (&login.user, &login.password));
    let (user, password) = login.unzip();
    let options = json!({
        "verbose": false, "headers": true, "no_responders": true, "name": client.name,
        "user": user, "pass": password,
    });
    format!("CONNECT {options}\r\n").into_bytes()
}

/// Asks for the messages of a subject, by the only subscription of a connection.
pub(super) fn subscribe(subject: &str) -> Result<Vec<u8>, ReadError> {
    check(subject)?;
    Ok(format!("SUB {subject} 1\r\n").into_bytes())
}

/// A message for a subject, and where an answer goes, if one is wanted.
pub(super) fn publish(
    subject: &str,
    reply: Option<&str>,
    body: &[u8],
) -> Result<Vec<u8>, ReadError> {
    check(subject)?;
    let length = body.len();
    let line = match reply {
        Some(reply) => {
            check(reply)?;
            format!("PUB {subject} {reply} {length}\r\n")
        }
        None => format!("PUB {subject} {length}\r\n"),
    };
    Ok([line.as_bytes(), body, b"\r\n"].concat())
}

/// What would end a word or a line says something else than it should.
fn check(subject: &str) -> Result<(), ReadError> {
    let is_wrong = |letter: char| letter.is_whitespace() || letter.is_control();
    if subject.is_empty() || subject.contains(is_wrong) {
        let message =
            format!("NATS: {subject:?} is not a subject, which is not empty and has no spaces");
        return Err(ReadError::new(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Login;
    use super::*;

    #[test]
    fn what_is_said_is_of_the_protocol() {
        let text = |bytes: Result<Vec<u8>, ReadError>| String::from_utf8(bytes.unwrap()).unwrap();
        assert_eq!(
            text(publish("a", Some("b.1"), b"xy")),
            "PUB a b.1 2\r\nxy\r\n"
        );
        assert_eq!(text(publish("a", None, b"")), "PUB a 0\r\n\r\n");
        assert_eq!(text(subscribe("a.*")), "SUB a.* 1\r\n");
    }

    #[test]
    fn no_subject_says_something_else() {
        for subject in ["", "a b", "a\r\nPUB b 0\r\n", "a\tb", "a\0"] {
            let refused = |result: Result<Vec<u8>, ReadError>| {
                let error = result.unwrap_err().to_string();
                assert!(error.contains("is not a subject"), "{error}");
            };
            refused(subscribe(subject));
            refused(publish(subject, None, b""));
            refused(publish("a", Some(subject), b""));
        }
    }

    #[test]
    fn a_client_says_who_it_is_in_one_line() {
        let login = Login {
            user: "a\r\nb".to_owned(),
            password: "\"c\"".to_owned(),
        };
        for (login, expected) in [
            (Some(&login), json!(["a\r\nb", "\"c\""])),
            (None, json!([null, null])),
        ] {
            let name = "tests";
            let line = String::from_utf8(connect(&Client { name, login })).unwrap();
            let options = line
                .strip_prefix("CONNECT ")
                .and_then(|line| line.strip_suffix("\r\n"));
            let options = options.unwrap();
            assert!(!options.contains(['\r', '\n']), "{options:?}");
            let options: serde_json::Value = serde_json::from_str(options).unwrap();
            assert_eq!(json!([options["user"], options["pass"]]), expected);
            assert_eq!(options["name"], "tests");
        }
    }
}
