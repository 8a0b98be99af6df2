//! `prometheus`: the value of a query.

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::connect::{Http, TlsSettings};
use crate::error::ReadError;
use crate::parameters::Parameters;

const ADDRESS: &str = "serverAddress";
const QUERY: &str = "query";

struct Prometheus {
    http: Http,
    url: String,
    query: String,
}

/// A reader for these parameters.
///
/// # Errors
/// TLS settings that cannot be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let address = parameters.required(ADDRESS)?.trim_end_matches('/');
    Ok(Box::new(Prometheus {
        http: context.connect.http(ADDRESS, &TlsSettings::default())?,
        url: format!("{address}/api/v1/query"),
        query: parameters.required(QUERY)?.to_owned(),
    }))
}

impl Reader for Prometheus {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.query())
    }
}

impl Prometheus {
    async fn query(&mut self) -> Result<Amount, ReadError> {
        let request = self.http.request(Method::GET, &self.url)?;
        let request = request.query(&[(QUERY, &self.query)]);
        let answer = self.http.send(request).await?;
        let answer: Query = answer.success(ADDRESS)?.json(ADDRESS)?;
        answer.value().map(Amount::from)
    }
}

#[derive(Deserialize)]
struct Query {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Value>,
}

impl Query {
    /// The one value of a scalar or of a vector.
    fn value(&self) -> Result<f64, ReadError> {
        let wrong = |message: &str| ReadError::of(QUERY, message);
        let result = &self.data.result;
        let sample = match result.as_slice() {
            [] => return Err(wrong("has no result")),
            [one] => one.get("value").and_then(|pair| pair.get(1)),
            [_, value] if result.iter().all(|part| !part.is_object()) => Some(value),
            _ => {
                return Err(wrong(
                    "has more than one result; aggregate it, as with sum()",
                ));
            }
        };
        let number = sample
            .and_then(Value::as_str)
            .and_then(|text| text.parse().ok());
        number.ok_or_else(|| wrong("has a result that is not a number"))
    }
}
