//! Answers, and errors in the form in which the service gives them.

use std::io;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};

use super::xml::Escaped;
use crate::broker::Failure;
use crate::sas::Refusal;

/// A body, which may break off.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;
/// An answer.
pub(super) type Answer = Response<Body>;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Broker(#[from] Failure),
    #[error("{0}")]
    Token(Refusal),
    /// What the request says cannot be read, or is not modelled.
    #[error("{0}")]
    Bad(String),
    #[error("{method} is not for '{path}'")]
    Method { method: String, path: String },
}

impl Refused {
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self::Bad(why.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Broker(failure) => match failure {
                Failure::NoSuchEntity(_) | Failure::LockLost { .. } => StatusCode::NOT_FOUND,
                Failure::Exists(_) => StatusCode::CONFLICT,
                Failure::QuotaExceeded { .. } | Failure::TooLarge { .. } => StatusCode::FORBIDDEN,
                Failure::WrongKind { .. }
                | Failure::InvalidName { .. }
                | Failure::InvalidSetting { .. } => StatusCode::BAD_REQUEST,
            },
        }
    }

    /// The answer. Requests for messages of an entity that is not there are told that it is gone.
    pub(super) fn answer(&self, for_messages: bool, tracking: &str) -> Answer {
        let gone = for_messages && matches!(self, Self::Broker(Failure::NoSuchEntity(_)));
        let status = if gone {
            StatusCode::GONE
        } else {
            self.status()
        };
        error(status, &self.to_string(), tracking)
    }
}

/// An error with its detail, as XML.
pub(super) fn error(status: StatusCode, detail: &str, tracking: &str) -> Answer {
    let code = status.as_u16();
    let detail = Escaped(detail);
    let text = format!(
        "<Error><Code>{code}</Code><Detail>{detail}. TrackingId:{tracking}</Detail></Error>"
    );
    typed(status, "application/xml; charset=utf-8", text)
}

/// An answer with a body of a type.
pub(super) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = with_body(status, body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// An answer with nothing in it.
pub(super) fn empty(status: StatusCode) -> Answer {
    with_body(status, Bytes::new())
}

/// An answer with a body.
pub(super) fn with_body(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let body = Full::new(body.into()).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = status;
    answer
}
