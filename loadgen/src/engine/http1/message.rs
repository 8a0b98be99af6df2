//! The bytes of requests.

use bytes::Bytes;
use http::{HeaderName, Method};

use crate::engine::template::Filling;
use crate::plan::{Connections, HttpTarget, Template};

/// The request of a target.
#[derive(Debug)]
pub(super) enum Message {
    /// The same each time, made once.
    Fixed(Bytes),
    /// With places that differ.
    Varying(Box<Varying>),
}

#[derive(Debug)]
pub(super) struct Varying {
    seed: u64,
    method: Method,
    path: Template,
    authority: String,
    headers: Vec<(HeaderName, Template)>,
    /// What follows the headers of the plan.
    closes: bool,
    body: Template,
}

impl Message {
    pub(super) fn new(seed: u64, target: &HttpTarget) -> Self {
        let varying = Varying {
            seed,
            method: target.method.clone(),
            path: target.path.clone(),
            authority: target.authority.clone(),
            headers: target.headers.clone(),
            closes: matches!(target.connections, Connections::PerRequest(_)),
            body: target.body.clone(),
        };
        let mut templates = target.headers.iter().map(|(_, value)| value);
        let is_fixed = |template: &Template| template.fixed().is_some();
        if is_fixed(&target.path) && is_fixed(&target.body) && templates.all(is_fixed) {
            Self::Fixed(varying.render(0))
        } else {
            Self::Varying(Box::new(varying))
        }
    }

    /// The bytes of the request at this position.
    pub(super) fn bytes(&self, position: u64) -> Bytes {
        match self {
            Self::Fixed(bytes) => bytes.clone(),
            Self::Varying(varying) => varying.render(position),
        }
    }
}

impl Varying {
    fn render(&self, position: u64) -> Bytes {
        let mut filling = Filling::new(self.seed, position);
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        self.path.render(&mut filling, &mut out);
        out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
        out.extend_from_slice(self.authority.as_bytes());
        for (name, value) in &self.headers {
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            value.render(&mut filling, &mut out);
        }
        if self.closes {
            out.extend_from_slice(b"\r\nconnection: close");
        }
        let mut body = Vec::new();
        self.body.render(&mut filling, &mut body);
        let expects_body = [Method::POST, Method::PUT, Method::PATCH].contains(&self.method);
        if expects_body || !body.is_empty() {
            out.extend_from_slice(format!("\r\ncontent-length: {}", body.len()).as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.append(&mut body);
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::plan::{Piece, Version};

    fn target(method: Method, path: Template, body: Template) -> HttpTarget {
        let text = |text: &'static str| Template::Fixed(Bytes::from_static(text.as_bytes()));
        HttpTarget {
            url: "http://a.localhost/".to_owned(),
            address: ([127, 0, 0, 1], 80).into(),
            tls: None,
            authority: "a.localhost".to_owned(),
            version: Version::Http1,
            connections: Connections::Pool(NonZeroUsize::MIN),
            method,
            path,
            headers: vec![(HeaderName::from_static("x-a"), text("1"))],
            body,
            count_header: None,
        }
    }

    #[test]
    fn a_request_is_written_out() {
        let text = |text: &'static str| Template::Fixed(Bytes::from_static(text.as_bytes()));
        for (method, body, expected) in [
            (
                Method::GET,
                "",
                "GET /p HTTP/1.1\r\nhost: a.localhost\r\nx-a: 1\r\n\r\n",
            ),
            (
                Method::POST,
                "",
                "POST /p HTTP/1.1\r\nhost: a.localhost\r\nx-a: 1\r\ncontent-length: 0\r\n\r\n",
            ),
            (
                Method::DELETE,
                "hello",
                "DELETE /p HTTP/1.1\r\nhost: a.localhost\r\nx-a: 1\r\ncontent-length: 5\r\n\r\nhello",
            ),
        ] {
            let message = Message::new(1, &target(method, text("/p"), text(body)));
            assert!(matches!(message, Message::Fixed(_)));
            assert_eq!(message.bytes(3), expected);
        }
        let mut once = target(Method::GET, text("/"), text(""));
        once.connections = Connections::PerRequest(NonZeroUsize::MIN);
        let once = Message::new(1, &once).bytes(0);
        assert!(
            once.ends_with(b"x-a: 1\r\nconnection: close\r\n\r\n"),
            "{once:?}"
        );
    }

    #[test]
    fn what_varies_is_written_anew() {
        let pieces = |text: &'static str| {
            let text = Piece::Text(Bytes::from_static(text.as_bytes()));
            Template::Pieces(vec![text, Piece::Sequence])
        };
        let message = Message::new(1, &target(Method::PUT, pieces("/"), pieces("n=")));
        let expected =
            "PUT /1000 HTTP/1.1\r\nhost: a.localhost\r\nx-a: 1\r\ncontent-length: 6\r\n\r\nn=1000";
        assert_eq!(message.bytes(1000), expected);
        assert!(message.bytes(7).ends_with(b"length: 3\r\n\r\nn=7"));
    }
}
