//! `azure-queue`: the length of a queue of Azure Storage.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use roxmltree::Document;

use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::clock::WallClock;
use crate::parameters::Parameters;
use ebbtide_brokers::azure::QueueService;
use ebbtide_brokers::connect::{Answer, Http, TlsSettings};
use ebbtide_brokers::error::ReadError;

const QUEUE: &str = "queueName";
const CONNECTION: &str = "connection";
const ACCOUNT: &str = "accountName";
const ACCOUNT_KEY: &str = "accountKey";
const SUFFIX: &str = "endpointSuffix";
/// The most messages that can be peeked at.
const MOST_PEEKED: usize = 32;
/// The header that has the number of messages.
const COUNT: &str = "x-ms-approximate-messages-count";
/// The header that says in one word why a request was refused.
const ERROR_CODE: &str = "x-ms-error-code";

struct AzureQueue {
    http: Http,
    clock: Arc<dyn WallClock>,
    service: QueueService,
    queue: String,
    /// Whether only messages count that are to be had.
    is_visible_only: bool,
    /// The keys with the address and with the credentials.
    address: &'static str,
    credentials: &'static str,
}

/// A reader for these parameters.
///
/// # Errors
/// A connection string that names nothing, or a cloud, a queue or TLS settings that cannot be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let queue = parameters.required(QUEUE)?;
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !queue.bytes().all(is_part) {
        let message = "the name of a queue is lowercase letters, digits and '-'";
        return Err(ReadError::of(QUEUE, message));
    }
    let (service, address, credentials) = match parameters.text(CONNECTION) {
        Some(text) => {
            let service = QueueService::from_connection(text);
            let service = service.map_err(|error| ReadError::of(CONNECTION, error))?;
            (service, CONNECTION, CONNECTION)
        }
        None => (account(parameters)?, ACCOUNT, ACCOUNT_KEY),
    };
    let tls = TlsSettings {
        ca: parameters.text("ca"),
        ..TlsSettings::default()
    };
    Ok(Box::new(AzureQueue {
        http: context.connect.http(address, &tls)?,
        clock: Arc::clone(&context.clock),
        service,
        queue: queue.to_owned(),
        is_visible_only: parameters.word("queueLengthStrategy").as_deref() == Some("visibleonly"),
        address,
        credentials,
    }))
}

/// The queues of the account that the parameters name.
fn account(parameters: &Parameters) -> Result<QueueService, ReadError> {
    let cloud = parameters.word("cloud");
    let suffix = match (parameters.text(SUFFIX), cloud.as_deref()) {
        (Some(suffix), _) => suffix,
        (None, Some("private")) => {
            return Err(ReadError::of(SUFFIX, "is missing, which Private needs"));
        }
        (None, Some("azureusgovernmentcloud")) => "queue.core.usgovcloudapi.net",
        (None, Some("azurechinacloud")) => "queue.core.chinacloudapi.cn",
        (None, Some("azuregermancloud")) => "queue.core.cloudapi.de",
        (None, _) => "queue.core.windows.net",
    };
    let (name, key) = (
        parameters.required(ACCOUNT)?,
        parameters.required(ACCOUNT_KEY)?,
    );
    let service = QueueService::of_account(name, suffix, key);
    service.map_err(|error| ReadError::of(ACCOUNT_KEY, error))
}

impl Reader for AzureQueue {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.length())
    }
}

impl AzureQueue {
    async fn length(&mut self) -> Result<Amount, ReadError> {
        if self.is_visible_only {
            let most = MOST_PEEKED.to_string();
            let query = [("numofmessages", most.as_str()), ("peekonly", "true")];
            let answer = self.get(&["messages"], &query).await?;
            let peeked =
                messages(&answer.body).map_err(|error| ReadError::of(self.address, error))?;
            if let Some(few) = u32::try_from(peeked).ok().filter(|_| peeked < MOST_PEEKED) {
                return Ok(Amount::from(f64::from(few)));
            }
        }
        let answer = self.get(&[], &[("comp", "metadata")]).await?;
        let count = answer
            .headers
            .get(COUNT)
            .and_then(|text| text.to_str().ok());
        let count = count.and_then(|text| text.parse::<u32>().ok());
        let count = count.ok_or_else(|| {
            let message =
                format!("the answer has no number in {COUNT}; is this a storage account?");
            ReadError::of(self.address, message)
        })?;
        Ok(Amount::from(f64::from(count)))
    }

    async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, ReadError> {
        let path = [&[self.queue.as_str()], path].concat();
        let now = self.clock.wall_now();
        let signed = self.service.request(&Method::GET, &path, query, now);
        let mut request = self.http.request(Method::GET, &signed.url)?;
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let answer = self.http.send(request).await?;
        match answer.status {
            status if status.is_success() => Ok(answer),
            // What the server says at length may have a signature in it.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let message = format!("the credentials are not accepted{}", code(&answer));
                Err(ReadError::of(self.credentials, message))
            }
            StatusCode::NOT_FOUND => {
                let message = format!("there is no queue {}{}", self.queue, code(&answer));
                Err(ReadError::of(QUEUE, message))
            }
            status => {
                let message = format!("the server answered {status}{}", code(&answer));
                Err(ReadError::of(self.address, message))
            }
        }
    }
}

/// The word for why a request was refused, in parentheses, if there is one.
fn code(answer: &Answer) -> String {
    let code = answer
        .headers
        .get(ERROR_CODE)
        .and_then(|code| code.to_str().ok());
    let is_word = |code: &&str| code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let code = code.filter(is_word);
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// How many messages the answer to a peek has.
fn messages(body: &[u8]) -> Result<usize, String> {
    let wrong =
        || "the answer to a peek has no list of messages; is this a storage account?".to_owned();
    let text = std::str::from_utf8(body).map_err(|_| wrong())?;
    // Azure begins its XML with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let document = Document::parse(text).map_err(|_| wrong())?;
    let list = document.root_element();
    if !list.has_tag_name("QueueMessagesList") {
        return Err(wrong());
    }
    let messages = list.children();
    Ok(messages
        .filter(|node| node.has_tag_name("QueueMessage"))
        .count())
}

#[cfg(test)]
mod tests;
