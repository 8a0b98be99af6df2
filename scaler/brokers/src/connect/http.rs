//! An HTTP client that goes only where a rule may lead, and takes in only so much.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};

use super::secured::{ANOTHER_ISSUER, found, is_of_another_issuer};
use super::{Connect, TlsSettings};
use crate::error::ReadError;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 4 << 20;
/// The most of an answer that an error shows, in characters.
const SHOWN: usize = 120;
/// Connections that are kept for the next read.
const IDLE_CONNECTIONS: usize = 1;

/// An HTTP client, for one request at a time.
pub struct Http {
    client: Client,
    connect: Connect,
    /// The key that has the address.
    key: &'static str,
    /// Whether the rule has a root of its own.
    has_ca: bool,
    /// The port of the request that was made last, for whoever resolves its name.
    port: Arc<AtomicU16>,
}

/// What a server answered.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// All of its body.
    pub body: Vec<u8>,
}

impl Http {
    pub(super) fn new(
        connect: Connect,
        key: &'static str,
        tls: &TlsSettings<'_>,
    ) -> Result<Self, ReadError> {
        let port = Arc::default();
        let names = Names {
            connect: connect.clone(),
            key,
            port: Arc::clone(&port),
        };
        let config = Arc::unwrap_or_clone(tls.client()?);
        let client = Client::builder()
            .use_preconfigured_tls(config)
            .dns_resolver(Arc::new(names))
            // A redirect could lead where the rule may not.
            .redirect(Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build()
            .map_err(|error| ReadError::new(cause(&error)))?;
        Ok(Self {
            client,
            connect,
            key,
            has_ca: tls.ca.is_some(),
            port,
        })
    }

    /// A request to be filled in and [sent](Self::send).
    ///
    /// # Errors
    /// The address is none, or may not be reached.
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, ReadError> {
        let wrong = |message: &str| ReadError::of(self.key, message);
        let url = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("is neither http:// nor https://"));
        }
        let host = url.host_str().ok_or_else(|| wrong("has no host"))?;
        let port = url.port_or_known_default().unwrap_or_default();
        if let Some(reach) = &self.connect.reach {
            let checked = reach.check_host(host, Some(port));
            checked.map_err(|error| ReadError::of(self.key, error))?;
        }
        self.port.store(port, Ordering::Relaxed);
        Ok(self.client.request(method, url))
    }

    /// The answer to a request, whatever its status.
    ///
    /// # Errors
    /// There is none, or it is too long.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, ReadError> {
        let failed = |error: reqwest::Error| self.failed(&error);
        let mut response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                let most = LONGEST_ANSWER >> 20;
                let message = format!("the answer has more than {most} MiB, which is not read");
                return Err(ReadError::of(self.key, message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    fn failed(&self, error: &reqwest::Error) -> ReadError {
        // It is of whoever resolved the name.
        if let Some(own) = found::<ReadError>(error) {
            return own.clone();
        }
        if self.has_ca && is_of_another_issuer(error) {
            return ReadError::of("ca", ANOTHER_ISSUER);
        }
        ReadError::of(self.key, cause(error))
    }
}

impl Answer {
    /// It, if it is a success.
    ///
    /// # Errors
    /// Its status, and the start of what it says.
    pub fn success(self, key: &'static str) -> Result<Self, ReadError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let text = String::from_utf8_lossy(&self.body);
        let text: String = text.trim().chars().take(SHOWN).collect();
        let said = if text.is_empty() {
            String::new()
        } else {
            format!(": {text}")
        };
        let hint = match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                ", the credentials are not accepted"
            }
            _ => "",
        };
        let message = format!("the server answered {}{hint}{said}", self.status);
        Err(ReadError::of(key, message))
    }

    /// Its body as JSON.
    ///
    /// # Errors
    /// It is something else.
    pub fn json<T: serde::de::DeserializeOwned>(&self, key: &'static str) -> Result<T, ReadError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the answer is not what was asked for: {error}");
            ReadError::of(key, message)
        })
    }
}

/// Resolves names, and refuses those that lead where the rule may not.
struct Names {
    connect: Connect,
    key: &'static str,
    port: Arc<AtomicU16>,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (connect, key) = (self.connect.clone(), self.key);
        let port = self.port.load(Ordering::Relaxed);
        Box::pin(async move {
            let found = connect.resolve(key, name.as_str(), port).await?;
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// What an error of the client comes down to, without the address, in which there may be a password.
fn cause(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut last = None;
    while let Some(deeper) = source {
        last = Some(deeper.to_string());
        source = deeper.source();
    }
    last.unwrap_or_else(|| {
        if error.is_timeout() {
            "timed out".to_owned()
        } else {
            "the request failed".to_owned()
        }
    })
}
