//! `azure-servicebus`: the active messages of a queue or subscription, or of several.

mod atom;
mod entities;

use std::sync::Arc;

use reqwest::{Method, StatusCode, Url};

use self::atom::{Described, Kind};
use self::entities::{Entities, Several, TOPIC};
use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::clock::WallClock;
use crate::parameters::Parameters;
use ebbtide_brokers::azure::Namespace;
use ebbtide_brokers::connect::{Answer, Http, TlsSettings};
use ebbtide_brokers::error::ReadError;

const CONNECTION: &str = "connection";
/// The version of the interface that is spoken.
const VERSION: &str = "2021-05";
/// How many entities of a list are asked for at once, which is as many as may be.
const PAGE: usize = 100;
/// A namespace has no more entities.
const MOST_ENTITIES: usize = 10_000;

struct ServiceBus {
    http: Http,
    clock: Arc<dyn WallClock>,
    namespace: Namespace,
    entities: Entities,
}

/// A reader for these parameters.
///
/// # Errors
/// A connection string that names nothing, an expression that is none, or TLS settings that cannot be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let namespace = Namespace::from_connection(parameters.required(CONNECTION)?);
    let tls = TlsSettings {
        ca: parameters.text("ca"),
        ..TlsSettings::default()
    };
    Ok(Box::new(ServiceBus {
        http: context.connect.http(CONNECTION, &tls)?,
        clock: Arc::clone(&context.clock),
        namespace: namespace.map_err(|error| ReadError::of(CONNECTION, error))?,
        entities: Entities::of(parameters)?,
    }))
}

impl Reader for ServiceBus {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.active())
    }
}

impl ServiceBus {
    async fn active(&mut self) -> Result<Amount, ReadError> {
        let value = match &self.entities.several {
            Some(several) => self.combined(several).await?,
            None => self.one().await?,
        };
        Ok(Amount::from(value))
    }

    async fn one(&self) -> Result<f64, ReadError> {
        let Entities { topic, name, .. } = &self.entities;
        let url = match topic {
            Some(topic) => self.namespace.url(topic, &["Subscriptions", name]),
            None => self.namespace.url(name, &[]),
        };
        let answer = self.get(&url, &[]).await?;
        let described = if answer.status == StatusCode::NOT_FOUND {
            Described::Missing
        } else {
            let described = atom::described(&answer.body, self.entities.kind());
            described.map_err(|error| ReadError::of(CONNECTION, error))?
        };
        let wrong = |message: String| Err(ReadError::of(self.entities.key(), message));
        match (described, topic) {
            (Described::Active(count), _) => Ok(f64::from(count)),
            (Described::Missing, None) => wrong(format!("there is no queue {name}")),
            (Described::Missing, Some(topic)) => wrong(format!(
                "there is no subscription {name} of a topic {topic}"
            )),
            (Described::Other, None) => wrong(format!(
                "{name} is no queue; of a topic give topicName and subscriptionName"
            )),
            (Described::Other, Some(topic)) => {
                wrong(format!("{name} of {topic} is no subscription"))
            }
        }
    }

    async fn combined(&self, several: &Several) -> Result<f64, ReadError> {
        let kind = self.entities.kind();
        let mut counts = Vec::new();
        for skip in (0..MOST_ENTITIES).step_by(PAGE) {
            let page = self.page(skip, kind).await?;
            let is_last = page.len() < PAGE;
            let matching = page.iter().filter(|(name, _)| several.matches(name));
            counts.extend(matching.map(|(_, count)| *count));
            if is_last {
                return Ok(several.combined(&counts));
            }
        }
        let message = format!("lists more than {MOST_ENTITIES} entities, which are not read");
        Err(ReadError::of(CONNECTION, message))
    }

    async fn page(&self, skip: usize, kind: Kind) -> Result<Vec<(String, u32)>, ReadError> {
        let topic = self.entities.topic.as_deref();
        let url = match topic {
            Some(topic) => self.namespace.url(topic, &["Subscriptions"]),
            None => self.namespace.url("$Resources", &["Queues"]),
        };
        let query = [("$skip", skip.to_string()), ("$top", PAGE.to_string())];
        let answer = self.get(&url, &query).await?;
        match topic {
            Some(topic) if answer.status == StatusCode::NOT_FOUND => {
                Err(ReadError::of(TOPIC, format!("there is no topic {topic}")))
            }
            _ => {
                let listed = atom::listed(&answer.body, kind);
                listed.map_err(|error| ReadError::of(CONNECTION, error))
            }
        }
    }

    /// The answer to a question, which is a success or that there is no such thing.
    async fn get(&self, url: &Url, query: &[(&str, String)]) -> Result<Answer, ReadError> {
        let authorization = self.namespace.authorization(url, self.clock.wall_now());
        let request = self.http.request(Method::GET, url.as_str())?;
        let request = request.query(query).query(&[("api-version", VERSION)]);
        let request = request.header("authorization", authorization);
        let answer = self.http.send(request).await?;
        // What the service says at length may have a signature in it.
        let cause = match answer.status {
            StatusCode::NOT_FOUND => return Ok(answer),
            status if status.is_success() => return Ok(answer),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => refusal(&answer.body).to_owned(),
            status => format!("the server answered {status}"),
        };
        Err(ReadError::of(CONNECTION, cause))
    }
}

/// Why credentials are not accepted.
fn refusal(body: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(body);
    if text.contains("claim") {
        "its policy may not manage, which reading numbers needs; give that of one that may"
    } else if text.contains("Expired") {
        "its shared access signature has expired"
    } else {
        "the credentials are not accepted"
    }
}
