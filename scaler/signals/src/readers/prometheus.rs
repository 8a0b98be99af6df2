//! `prometheus`: the value of a query.

mod value;

use reqwest::header::{HeaderMap, HeaderValue};
use serde::Deserialize;

use super::endpoint::{Endpoint, header_name};
use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::parameters::Parameters;
use ebbtide_brokers::error::ReadError;

const ADDRESS: &str = "serverAddress";
const HEADERS: &str = "customHeaders";
const IGNORE_NULL: &str = "ignoreNullValues";
const NAMESPACE: &str = "namespace";
const PARAMETERS: &str = "queryParameters";
const QUERY: &str = "query";

struct Prometheus {
    endpoint: Endpoint,
    url: String,
    parameters: Vec<(String, String)>,
    headers: HeaderMap,
    /// What no value is, if that is no error.
    otherwise: Option<f64>,
}

/// A reader for these parameters.
///
/// # Errors
/// Headers, parameters, credentials or TLS settings that cannot be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let address = parameters.required(ADDRESS)?.trim_end_matches('/');
    let mut asked = vec![(QUERY.to_owned(), parameters.required(QUERY)?.to_owned())];
    if let Some(namespace) = parameters.text(NAMESPACE) {
        asked.push((NAMESPACE.to_owned(), namespace.to_owned()));
    }
    asked.extend(pairs(parameters, PARAMETERS)?);
    Ok(Box::new(Prometheus {
        endpoint: Endpoint::open(parameters, context, ADDRESS)?,
        url: format!("{address}/api/v1/query"),
        parameters: asked,
        headers: headers(parameters)?,
        otherwise: parameters.flag(IGNORE_NULL).then_some(0.0),
    }))
}

impl Reader for Prometheus {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(async move {
            let asking = self
                .endpoint
                .get(&self.url, &self.parameters, &self.headers);
            let answer = asking.await?;
            if answer.status.is_client_error()
                && let Ok(Refusal { error }) = answer.json(ADDRESS)
            {
                return Err(ReadError::of(QUERY, format!("is refused: {error}")));
            }
            let answer: value::Query = answer.success(ADDRESS)?.json(ADDRESS)?;
            answer.value(self.otherwise).map(Amount::from)
        })
    }
}

/// What Prometheus says of a query that it cannot answer.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// `name=value,name=value`.
fn pairs(parameters: &Parameters, key: &'static str) -> Result<Vec<(String, String)>, ReadError> {
    let parts = parameters.list(key).into_iter();
    let read = parts.map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    });
    let read: Option<_> = read.collect();
    read.ok_or_else(|| ReadError::of(key, "is not like name=value,name=value"))
}

fn headers(parameters: &Parameters) -> Result<HeaderMap, ReadError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(parameters, HEADERS)? {
        let wrong = |_| ReadError::of(HEADERS, "has a character that no header may have");
        let mut value = HeaderValue::from_str(&value).map_err(wrong)?;
        value.set_sensitive(true);
        headers.append(header_name(HEADERS, &name)?, value);
    }
    Ok(headers)
}
