//! What the management plugin says of queues.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::address::{Address, User};
use super::counts::{COLUMNS, Counts, Operation, Queue};
use super::{HOST, QUEUE};
use crate::parameters::Parameters;
use crate::readers::Context;
use ebbtide_brokers::connect::{Answer, Http, TlsSettings};
use ebbtide_brokers::error::ReadError;

const PAGE_SIZE: &str = "pageSize";
/// As many queues as RabbitMQ lists at once.
const LARGEST_PAGE: u64 = 500;

pub(super) struct Management {
    http: Http,
    /// The queue's, or that of all of the virtual host.
    url: String,
    address: Address,
    queue: String,
    /// How queues whose names match are read, if it is not one that is named.
    several: Option<Several>,
}

struct Several {
    page_size: u64,
    operation: Operation,
}

/// A page of a list of queues.
#[derive(Deserialize)]
struct Page {
    items: Vec<Queue>,
    #[serde(default)]
    page_count: u64,
}

impl Management {
    pub(super) fn of(
        parameters: &Parameters,
        context: &Context,
        address: Address,
        tls: &TlsSettings<'_>,
    ) -> Result<Self, ReadError> {
        let queue = parameters.required(QUEUE)?.to_owned();
        let several = parameters
            .flag("useRegex")
            .then(|| Several::of(parameters))
            .transpose()?;
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let scheme = if address.is_tls { "https" } else { "http" };
        let Address {
            host, port, prefix, ..
        } = &address;
        let queues = format!("{scheme}://{host}:{port}{prefix}/api/queues");
        let vhost = encoded(&address.vhost);
        let url = match several {
            Some(_) => format!("{queues}/{vhost}"),
            None => format!("{queues}/{vhost}/{}", encoded(&queue)),
        };
        Ok(Self {
            http: context.connect.http(HOST, tls)?,
            url,
            address,
            queue,
            several,
        })
    }

    pub(super) async fn counts(&self) -> Result<Counts, ReadError> {
        match &self.several {
            Some(several) => self.counts_of_matching(several).await,
            None => self.counts_of_one().await,
        }
    }

    async fn counts_of_one(&self) -> Result<Counts, ReadError> {
        let queue: Queue = self.get(&[]).await?.json(HOST)?;
        counts(&queue)?.ok_or_else(|| {
            let message = format!(
                "the messages of {} are not counted yet, or its node is down",
                self.queue
            );
            ReadError::of(QUEUE, message)
        })
    }

    async fn counts_of_matching(&self, several: &Several) -> Result<Counts, ReadError> {
        let page_size = several.page_size.to_string();
        let query = [
            ("page", "1"),
            ("page_size", &page_size),
            ("use_regex", "true"),
            ("pagination", "false"),
            ("name", &self.queue),
        ];
        let page: Page = self.get(&query).await?.json(HOST)?;
        if page.page_count > 1 {
            let message = format!(
                "more than {page_size} queues match; raise it, up to {LARGEST_PAGE}, or let fewer match"
            );
            return Err(ReadError::of(PAGE_SIZE, message));
        }
        let mut counted = Vec::new();
        for queue in &page.items {
            counted.extend(counts(queue)?);
        }
        if counted.is_empty() && !page.items.is_empty() {
            let message = "the messages of none of the queues that match are counted yet";
            return Err(ReadError::of(QUEUE, message));
        }
        Ok(several.operation.combined(&counted))
    }

    async fn get(&self, query: &[(&str, &str)]) -> Result<Answer, ReadError> {
        let request = self.http.request(Method::GET, &self.url)?;
        let request = request.query(&[("columns", COLUMNS)]).query(query);
        let request = match &self.address.user {
            Some(User { name, password, .. }) => request.basic_auth(name, Some(password)),
            None => request,
        };
        let answer = self.http.send(request).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(self.refused(&answer.body)),
            StatusCode::NOT_FOUND => Err(self.missing()),
            StatusCode::BAD_REQUEST if self.several.is_some() => {
                let message = "is not a regular expression that RabbitMQ takes";
                Err(ReadError::of(QUEUE, message))
            }
            _ => answer.success(HOST),
        }
    }

    fn missing(&self) -> ReadError {
        let (vhost, queue) = (&self.address.vhost, &self.queue);
        match self.several {
            Some(_) => ReadError::of(
                self.address.vhost_key,
                format!("there is no virtual host {vhost}"),
            ),
            None => ReadError::of(
                QUEUE,
                format!("there is no queue {queue} in the virtual host {vhost}"),
            ),
        }
    }

    /// Why the user may not ask.
    fn refused(&self, body: &[u8]) -> ReadError {
        let Some(user) = &self.address.user else {
            let message = "is missing, and the server asks for a user; give username and password";
            return ReadError::of("username", message);
        };
        let (text, name) = (String::from_utf8_lossy(body), &user.name);
        if text.contains("irtual host") {
            let vhost = &self.address.vhost;
            let message = format!("the user {name} may not use the virtual host {vhost}");
            ReadError::of(self.address.vhost_key, message)
        } else if text.contains("anagement user") {
            let message =
                format!("the user {name} may not use the management plugin; give it a tag");
            ReadError::of(user.key, message)
        } else {
            let message = format!("the user {name} is not let in with this password");
            ReadError::of(user.key, message)
        }
    }
}

impl Several {
    fn of(parameters: &Parameters) -> Result<Self, ReadError> {
        let page_size = parameters.whole(PAGE_SIZE).unwrap_or_default();
        if !(1..=LARGEST_PAGE).contains(&page_size) {
            let message = format!("is not 1 to {LARGEST_PAGE}, which is as many as RabbitMQ lists");
            return Err(ReadError::of(PAGE_SIZE, message));
        }
        Ok(Self {
            page_size,
            operation: Operation::of(parameters),
        })
    }
}

fn counts(queue: &Queue) -> Result<Option<Counts>, ReadError> {
    queue.counts().map_err(|error| ReadError::of(HOST, error))
}
