//! The HTTP client that directories are asked with: by HTTPS alone, with bounds of time and size.

use std::error::Error as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::StatusCode;
use http::header::RETRY_AFTER;
use http_body_util::{BodyExt, Full, Limited};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;

use crate::certificates::roots;

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1 << 20;

/// The longest wait that a directory may ask for.
const LONGEST_WAIT: u64 = 7 * 24 * 3600;

/// A client that remembers how long a directory asked to be left alone.
#[derive(Clone)]
pub(super) struct DirectoryClient {
    client: Client,
    /// Seconds; 0 if it did not ask since this was looked at last.
    wait: Arc<AtomicU64>,
}

impl DirectoryClient {
    /// A client that trusts the roots of the file `ca`, or else those of this machine.
    ///
    /// # Errors
    /// The file, and what it is not; or that there is no root to trust.
    pub(super) fn new(ca: Option<&Path>) -> anyhow::Result<Self> {
        let roots = match ca {
            Some(path) => roots::of_file(path).context("--acme-ca")?,
            None => roots::of_machine(),
        };
        anyhow::ensure!(
            !roots.is_empty(),
            "--acme-directory cannot be trusted, since this machine has no root certificates; install \
             them (on Debian: ca-certificates), or give a file of them with --acme-ca"
        );
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .use_preconfigured_tls(config)
            .https_only(true)
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self {
            client,
            wait: Arc::default(),
        })
    }

    /// How long it asked to be left alone since this was asked last, if it did.
    pub(super) fn take_wait(&self) -> Option<Duration> {
        let seconds = self.wait.swap(0, Ordering::Relaxed);
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }
}

impl HttpClient for DirectoryClient {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let this = self.clone();
        Box::pin(async move { ask(&this, request).await })
    }
}

async fn ask(
    of: &DirectoryClient,
    request: http::Request<BodyWrapper<Bytes>>,
) -> Result<BytesResponse, Error> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await;
    let request = http::Request::from_parts(parts, body.to_bytes());
    let request = reqwest::Request::try_from(request).map_err(|error| failed(&error))?;
    let answer = of.client.execute(request).await;
    let answer: http::Response<reqwest::Body> = answer.map_err(|error| failed(&error))?.into();
    let (parts, body) = answer.into_parts();
    if [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ]
    .contains(&parts.status)
    {
        let asked = parts.headers.get(RETRY_AFTER);
        let asked = asked.and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|text| seconds_to_wait(text, crate::clock::wall_now()));
        of.wait
            .fetch_max(asked.unwrap_or(0).min(LONGEST_WAIT), Ordering::Relaxed);
    }
    let body = Limited::new(body, LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| Error::Other(error.to_string().into()))?;
    let body = Full::new(body.to_bytes());
    Ok(http::Response::from_parts(parts, body).into())
}

/// What a header `Retry-After` asks for: a number of seconds, or a date.
fn seconds_to_wait(text: &str, now: jiff::Timestamp) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    u64::try_from(until.as_second() - now.as_second()).ok()
}

/// The innermost cause says what is wrong.
fn failed(error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        let seconds = TIMEOUT.as_secs();
        return Error::Other(format!("no answer within {seconds} s").into());
    }
    let mut last = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        last = deeper.to_string();
        source = deeper.source();
    }
    Error::Other(last.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_number_of_seconds_or_a_date() {
        let now = "2026-11-27T07:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("120", Some(120)),
            (" 5 ", Some(5)),
            ("Fri, 27 Nov 2026 07:01:00 GMT", Some(60)),
            ("Fri, 27 Nov 2026 06:59:00 GMT", None),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(seconds_to_wait(text, now), expected, "{text}");
        }
    }
}
