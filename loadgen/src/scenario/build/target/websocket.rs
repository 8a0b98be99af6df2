//! Messages over a WebSocket.

use http::Method;

use super::{Builder, texts};
use crate::plan::{HttpTarget, Piece, TargetKind, Template, Version, WebSocketTarget};
use crate::scenario::document::WebSocketDocument;
use crate::scenario::template;

/// What a target has that says nothing of it: text, answered by the next message.
pub(super) const NEXT_MESSAGE: WebSocketDocument = WebSocketDocument {
    binary: false,
    answer_contains: None,
};

impl Builder<'_> {
    /// Of what the target has for HTTP.
    pub(super) fn web_socket(
        &mut self,
        path: &str,
        http: HttpTarget,
        document: &WebSocketDocument,
    ) -> Option<TargetKind> {
        if http.method != Method::GET {
            let message = "a WebSocket begins with GET: remove this";
            self.problems.add(format!("{path}.method"), message);
        }
        if http.version != Version::Http1 {
            let message = "WebSockets are opened over HTTP/1.1: remove this";
            self.problems.add(format!("{path}.version"), message);
        }
        for (name, _) in &http.headers {
            if is_of_handshake(name.as_str()) {
                let message = "loadgen sends this header of the handshake itself: remove it";
                self.problems.add(format!("{path}.headers.{name}"), message);
            }
        }
        let is_text = texts(&http.body).all(|text| std::str::from_utf8(text).is_ok());
        if !document.binary && !is_text {
            let message = "text is UTF-8, and this is not: write `webSocket: {binary: true}`";
            self.problems.add(format!("{path}.bodyFile"), message);
        }
        let answer = document.answer_contains.as_deref().map(answer).transpose();
        let field = format!("{path}.webSocket.answerContains");
        let answer = self.problems.take(field, answer)?;
        Some(TargetKind::WebSocket(WebSocketTarget {
            http,
            binary: document.binary,
            answer,
        }))
    }
}

/// What an answer has in it.
fn answer(text: &str) -> Result<Template, String> {
    let answer = template::parse(text).map_err(|error| error.to_string())?;
    let is_known = |piece: &Piece| matches!(piece, Piece::Text(_) | Piece::Sequence);
    let wrong = match &answer {
        Template::Fixed(text) if text.is_empty() => {
            "every message contains nothing: write what the answer is to contain"
        }
        Template::Pieces(pieces) if !pieces.iter().all(is_known) => {
            "only ${sequence} is known here: anything else would be made up anew"
        }
        _ => return Ok(answer),
    };
    Err(wrong.to_owned())
}

fn is_of_handshake(header: &str) -> bool {
    matches!(
        header,
        "connection"
            | "upgrade"
            | "sec-websocket-key"
            | "sec-websocket-version"
            | "sec-websocket-extensions"
    )
}
