//! Requests to the API server: bounded answers, and refusals in words.

use http::{Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::Client;
use kube::api::ListParams;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::PodUsageError;

/// The most of an answer that is taken in: many times what the API server makes of a page, or a kubelet
/// of a full node.
const MOST_BYTES: usize = 16 << 20;

/// The most of a refusal that is shown, in characters.
const MOST_SHOWN: usize = 300;

/// The longest name that Kubernetes allows.
const LONGEST_NAME: usize = 253;

/// The API server.
pub(super) struct Api {
    client: Client,
}

/// What is asked for, as a role has it.
#[derive(Clone, Debug)]
pub(super) struct Access<'a> {
    pub(super) verb: &'static str,
    /// With its subresource: `nodes/proxy`.
    pub(super) resource: &'a str,
    /// Empty for the core's.
    pub(super) group: &'a str,
    pub(super) namespace: Option<&'a str>,
    /// The object's name, unless all are meant.
    pub(super) name: Option<&'a str>,
}

/// What the API server says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

impl Access<'_> {
    /// `list pods in namespace default`.
    fn words(&self) -> String {
        let name = self.name.map(|name| format!(" {name}"));
        let (verb, resource) = (self.verb, self.resource);
        format!(
            "{verb} {resource}{}{}",
            name.unwrap_or_default(),
            self.place()
        )
    }

    fn place(&self) -> String {
        let place = self.namespace.map(|name| format!(" in namespace {name}"));
        place.unwrap_or_default()
    }

    fn path(&self) -> String {
        let namespace = self.namespace.map(|name| format!("/namespaces/{name}"));
        namespace.unwrap_or_default()
    }
}

impl Api {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads one object of `version` (`v1`), or a part of it.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        access: &Access<'_>,
        version: &str,
        below: &str,
    ) -> Result<T, PodUsageError> {
        let (resource, part) = match access.resource.split_once('/') {
            Some((resource, part)) => (resource, format!("/{part}{below}")),
            None => (access.resource, below.to_owned()),
        };
        let root = root(access.group, version);
        let name = access.name.unwrap_or_default();
        let path = format!("{root}{}/{resource}/{name}{part}", access.path());
        let request = Request::get(path).body(Vec::new());
        let request = request.map_err(|error| unreadable(access, &error))?;
        self.send(access, request).await
    }

    /// Lists objects of `version` with some labels.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        access: &Access<'_>,
        version: &str,
        parameters: &ListParams,
    ) -> Result<T, PodUsageError> {
        let root = root(access.group, version);
        let path = format!("{root}{}/{}", access.path(), access.resource);
        let request = kube::core::Request::new(path).list(parameters);
        let request = request.map_err(|error| unreadable(access, &error))?;
        self.send(access, request).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        access: &Access<'_>,
        request: Request<Vec<u8>>,
    ) -> Result<T, PodUsageError> {
        let answer = self.client.send(request.map(Body::from)).await;
        let answer = answer.map_err(|source| PodUsageError::Unreachable {
            what: access.words(),
            source: Box::new(source),
        })?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|error| broken_off(access, error.as_ref()))?;
        let body = body.to_bytes();
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| unreadable(access, &error));
        }
        Err(refused(access, status, &body))
    }
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    }
}

/// Checks that a name can be part of a path.
///
/// # Errors
/// When it is not a name.
pub(super) fn name<'n>(what: &'static str, name: &'n str) -> Result<&'n str, PodUsageError> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let ends = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if ends && name.len() <= LONGEST_NAME && name.chars().all(is_name) {
        return Ok(name);
    }
    Err(PodUsageError::Name {
        what,
        name: name.chars().take(LONGEST_NAME).collect(),
    })
}

fn unreadable(access: &Access<'_>, error: &dyn std::error::Error) -> PodUsageError {
    PodUsageError::Unreadable {
        what: access.words(),
        because: error.to_string(),
    }
}

fn broken_off(
    access: &Access<'_>,
    error: &(dyn std::error::Error + Send + Sync + 'static),
) -> PodUsageError {
    let what = access.words();
    if error.is::<LengthLimitError>() {
        return PodUsageError::TooLarge {
            what,
            most: MOST_BYTES,
        };
    }
    let because = error.to_string();
    PodUsageError::BrokenOff { what, because }
}

fn refused(access: &Access<'_>, status: StatusCode, body: &[u8]) -> PodUsageError {
    match status {
        StatusCode::UNAUTHORIZED => PodUsageError::Unauthorized,
        StatusCode::FORBIDDEN => PodUsageError::Forbidden {
            verb: access.verb,
            resource: access.resource.to_owned(),
            group: match access.group {
                "" => String::new(),
                group => format!(" of the API group {group}"),
            },
            place: access.place(),
        },
        // A list of what is not there is empty: then it is the kind that is not there.
        StatusCode::NOT_FOUND if access.group == super::metrics::GROUP => {
            PodUsageError::NoMetricsServer
        }
        StatusCode::NOT_FOUND if access.name.is_some() => PodUsageError::Missing {
            what: format!(
                "{} among the {}{}",
                access.name.unwrap_or_default(),
                access.resource,
                access.place()
            ),
        },
        status => {
            let refusal = serde_json::from_slice::<Refusal>(body).ok();
            let message = refusal.map(|refusal| refusal.message);
            let message = message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
            PodUsageError::Refused {
                status: status.as_u16(),
                what: access.words(),
                message: message.chars().take(MOST_SHOWN).collect(),
            }
        }
    }
}
