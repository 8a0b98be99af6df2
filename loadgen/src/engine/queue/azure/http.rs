//! Requests to Azure's services, on connections that are kept.

use std::error::Error as _;
use std::rc::Rc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use tokio::sync::Semaphore;

use crate::engine::queue::Failed;
use crate::engine::tls;
use crate::plan::{QueueTls, Version};
use crate::record::outcome::FailureKind;

/// The longest answer that is read, in bytes: 32 messages of 64 KiB in Base64 are less.
const LONGEST_ANSWER: usize = 4 << 20;
/// How long a connection may take to open.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client, of which clones share the connections.
#[derive(Clone)]
pub(super) struct Http {
    client: Client,
    /// As many as there may be requests at once.
    places: Rc<Semaphore>,
}

/// What is asked. It does not print, since there are secrets in it.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// How long the answer may take, if it is not the whole time of the target.
    pub(super) patience: Option<Duration>,
}

/// What a service answers.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Azure Storage's name of an error.
    pub(super) code: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Http {
    /// For up to so many requests at once to the server of this address, each with a connection.
    pub(super) fn open(url: &str, tls: &QueueTls, most: usize) -> Result<Self, String> {
        let config = if url.starts_with("https:") {
            // The name is that of the address.
            tls::config(&tls.of(""), Version::Http1)
        } else {
            // The machine may have no authorities at all, and needs none.
            tls::unused()
        };
        let client = Client::builder()
            .use_preconfigured_tls(config.map_err(|error| error.to_string())?)
            .connect_timeout(PATIENCE)
            .no_proxy()
            .pool_max_idle_per_host(most)
            // It is signed for where it was sent.
            .redirect(Policy::none());
        let client = client.build().map_err(|error| words(&error))?;
        let places = Rc::new(Semaphore::new(most));
        Ok(Self { client, places })
    }

    /// Asks as soon as there is a place, and reads the whole answer, whatever its status.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer, Failed> {
        let ended = |_| (FailureKind::Reset, "the run is over".to_owned());
        let _place = self.places.acquire().await.map_err(ended)?;
        let mut asked = self.client.request(request.method, request.url);
        for (name, value) in request.headers {
            asked = asked.header(name, value);
        }
        if request.body.is_empty() {
            // Some servers want to be told so.
            asked = asked.header("content-length", "0");
        } else {
            asked = asked.body(request.body);
        }
        if let Some(patience) = request.patience {
            asked = asked.timeout(patience);
        }
        let mut answer = asked.send().await.map_err(|error| failed(&error))?;
        let code = answer.headers().get("x-ms-error-code");
        let code = code.and_then(|code| code.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                let most = LONGEST_ANSWER >> 20;
                let why = format!("the answer has more than {most} MiB, which is not read");
                return Err((FailureKind::Protocol, why));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: answer.status(),
            code,
            body,
        })
    }
}

fn failed(error: &reqwest::Error) -> Failed {
    let kind = if error.is_connect() {
        FailureKind::Connect
    } else {
        FailureKind::Reset
    };
    (kind, words(error))
}

/// What an error comes down to, without the address, in which there may be a signature.
fn words(error: &reqwest::Error) -> String {
    let mut last = None;
    let mut source = error.source();
    while let Some(deeper) = source {
        last = Some(deeper.to_string());
        source = deeper.source();
    }
    match last {
        _ if error.is_timeout() => "no answer in time".to_owned(),
        Some(cause) => cause,
        None => "the request failed".to_owned(),
    }
}
