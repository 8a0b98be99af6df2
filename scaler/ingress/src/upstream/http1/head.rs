//! The heads of a request and of its answer.

#[cfg(test)]
mod tests;

use bytes::BytesMut;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::ext::ReasonPhrase;

use super::Http1Error;
use super::body::Framing;
use crate::headers::has_token;

/// How long the head of an answer may be, in bytes.
pub(super) const MOST: usize = 256 * 1024;

/// How many headers an answer may have. As few as most have are looked for first.
const FEW: usize = 32;
const MANY: usize = 256;

/// How the body of a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// So many bytes.
    Length(u64),
    Chunked,
}

impl Coding {
    /// What the headers of a request say.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Http1Error> {
        if headers.contains_key(TRANSFER_ENCODING) {
            return Ok(Self::Chunked);
        }
        let length = length(headers).map_err(|_| Http1Error::RequestLength)?;
        Ok(Self::Length(length.unwrap_or(0)))
    }
}

/// Writes the head of a request whose target is in origin form.
pub(super) fn write<B>(request: &Request<B>, coding: Coding, out: &mut Vec<u8>) {
    let target = request.uri().path_and_query();
    let target = target.map_or("/", |target| target.as_str());
    for part in [request.method().as_str(), " ", target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    let mut has_length = false;
    for (name, value) in request.headers() {
        if name == TRANSFER_ENCODING {
            continue;
        }
        if name == CONTENT_LENGTH {
            // Where a request says twice how long it is, an app is told once.
            if coding == Coding::Chunked || std::mem::replace(&mut has_length, true) {
                continue;
            }
        }
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if coding == Coding::Chunked {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// The head of an answer.
pub(super) struct Head {
    pub(super) response: Response<()>,
    pub(super) framing: Framing,
    /// Whether the connection can be used again after it.
    pub(super) keeps_alive: bool,
}

/// Where something is in a head.
#[derive(Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
}

/// What a head says, with its headers as places in it.
struct Parsed {
    length: usize,
    status: u16,
    is_http10: bool,
    reason: Option<ReasonPhrase>,
    headers: usize,
}

/// Takes the head of the answer to a request with this `method` out of what was read, if all of it is there.
pub(super) fn take(read: &mut BytesMut, method: &Method) -> Result<Option<Head>, Http1Error> {
    let mut few = [(Span::default(), Span::default()); FEW];
    match parse::<FEW>(read, &mut few) {
        Err(Http1Error::Head(httparse::Error::TooManyHeaders)) => {
            let mut many = [(Span::default(), Span::default()); MANY];
            let parsed = parse::<MANY>(read, &mut many)?;
            parsed
                .map(|head| head.take(read, &many, method))
                .transpose()
        }
        parsed => parsed?
            .map(|head| head.take(read, &few, method))
            .transpose(),
    }
}

fn parse<const N: usize>(
    read: &[u8],
    spans: &mut [(Span, Span); N],
) -> Result<Option<Parsed>, Http1Error> {
    let mut headers = [httparse::EMPTY_HEADER; N];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(read)? else {
        return if read.len() < MOST {
            Ok(None)
        } else {
            Err(Http1Error::LongHead)
        };
    };
    let span = |part: &[u8]| {
        let start = part.as_ptr().addr().saturating_sub(read.as_ptr().addr());
        Span {
            start,
            end: start + part.len(),
        }
    };
    for (header, (name, value)) in response.headers.iter().zip(spans) {
        (*name, *value) = (span(header.name.as_bytes()), span(header.value));
    }
    let status = response.code.unwrap_or_default();
    let usual = StatusCode::from_u16(status)
        .ok()
        .and_then(|it| it.canonical_reason());
    let reason = response
        .reason
        .filter(|reason| Some(*reason) != usual && !reason.is_empty());
    Ok(Some(Parsed {
        length,
        status,
        is_http10: response.version == Some(0),
        reason: reason.and_then(|reason| ReasonPhrase::try_from(reason.as_bytes()).ok()),
        headers: response.headers.len(),
    }))
}

impl Parsed {
    fn take(
        self,
        read: &mut BytesMut,
        spans: &[(Span, Span)],
        method: &Method,
    ) -> Result<Head, Http1Error> {
        let bytes = read.split_to(self.length).freeze();
        let mut response = Response::new(());
        let status = StatusCode::from_u16(self.status).map_err(|_| Http1Error::Header)?;
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.reserve(self.headers);
        for (name, value) in &spans[..self.headers] {
            let name = HeaderName::from_bytes(&bytes[name.start..name.end]);
            let value = HeaderValue::from_maybe_shared(bytes.slice(value.start..value.end));
            headers.append(
                name.map_err(|_| Http1Error::Header)?,
                value.map_err(|_| Http1Error::Header)?,
            );
        }
        let framing = framing(status, headers, method, self.is_http10)?;
        let says = |token| {
            headers
                .get_all(CONNECTION)
                .iter()
                .any(|it| has_token(it, token))
        };
        let keeps_alive = if self.is_http10 {
            says("keep-alive")
        } else {
            !says("close")
        };
        if let Some(reason) = self.reason {
            response.extensions_mut().insert(reason);
        }
        Ok(Head {
            response,
            framing,
            keeps_alive,
        })
    }
}

/// How long the body of an answer is (RFC 9112, section 6.3).
fn framing(
    status: StatusCode,
    headers: &HeaderMap,
    method: &Method,
    is_http10: bool,
) -> Result<Framing, Http1Error> {
    let length = length(headers)?;
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let coding = codings.next();
    if coding.is_some_and(|coding| {
        is_http10 || codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked")
    }) {
        return Err(Http1Error::Length);
    }
    let has_none = status.is_informational()
        || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status)
        || method == Method::HEAD;
    Ok(match (coding, length) {
        _ if has_none => Framing::Length(0),
        (Some(_), _) => Framing::chunked(),
        (None, Some(length)) => Framing::Length(length),
        (None, None) => Framing::UntilClosed,
    })
}

/// The one length that headers say, if they say one. Said several times it has to be the same.
fn length(headers: &HeaderMap) -> Result<Option<u64>, Http1Error> {
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for element in value.as_bytes().split(|byte| *byte == b',') {
            let said = number(element.trim_ascii(), 10).ok_or(Http1Error::Length)?;
            if length.replace(said).is_some_and(|before| before != said) {
                return Err(Http1Error::Length);
            }
        }
    }
    Ok(length)
}

/// A number of digits alone.
pub(super) fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        number.checked_mul(radix.into())?.checked_add(digit.into())
    })
}
