//! A server that is asked by HTTP, with what it is told of who asks.

mod credentials;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use tokio::time::timeout;

use super::Context;
use crate::parameters::Parameters;
use credentials::Credentials;
pub(super) use credentials::header_name;
use ebbtide_brokers::connect::{Answer, Http};
use ebbtide_brokers::error::ReadError;

const TIMEOUT: &str = "timeout";

/// A server, by the keys that scalers which ask by HTTP share.
pub(super) struct Endpoint {
    http: Http,
    /// The key that has its address.
    key: &'static str,
    credentials: Credentials,
    timeout: Option<Duration>,
}

impl Endpoint {
    /// The server whose address is in `key`.
    ///
    /// # Errors
    /// Credentials or TLS settings that cannot be.
    pub(super) fn open(
        parameters: &Parameters,
        context: &Context,
        key: &'static str,
    ) -> Result<Self, ReadError> {
        let credentials = Credentials::of(parameters)?;
        Ok(Self {
            http: context.connect.http(key, &credentials.tls(parameters))?,
            key,
            credentials,
            timeout: parameters.text(TIMEOUT).and_then(time),
        })
    }

    /// The answer to a `GET` with more parameters and headers; of another status, too, but for one
    /// that refuses who asks.
    ///
    /// # Errors
    /// There is no answer, it is too long or too late, or the credentials are not accepted.
    pub(super) async fn get(
        &self,
        url: &str,
        parameters: &[(String, String)],
        headers: &HeaderMap,
    ) -> Result<Answer, ReadError> {
        let request = self.http.request(Method::GET, url)?;
        let request = request.query(parameters).headers(headers.clone());
        let sending = self.http.send(self.credentials.tell(request));
        let answer = match self.timeout {
            Some(time) => timeout(time, sending).await.unwrap_or_else(|_| {
                let message = format!("no answer within {} ms", time.as_millis());
                Err(ReadError::of(TIMEOUT, message))
            })?,
            None => sending.await?,
        };
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                answer.success(self.credentials.key())
            }
            _ => Ok(answer),
        }
    }

    /// The same, if it is a success.
    ///
    /// # Errors
    /// As [`get`](Self::get), or another status.
    pub(super) async fn get_success(&self, url: &str) -> Result<Answer, ReadError> {
        let answer = self.get(url, &[], &HeaderMap::new()).await?;
        answer.success(self.key)
    }
}

/// A time of KEDA's: as Go writes it, or whole milliseconds.
fn time(text: &str) -> Option<Duration> {
    match text.parse() {
        Ok(milliseconds) => Some(Duration::from_millis(milliseconds)),
        Err(_) => ebbtide_core::scaler::duration(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_unit_is_milliseconds() {
        for (text, expected) in [("1000", 1000), ("2s", 2000), ("1m30s", 90_000)] {
            assert_eq!(time(text), Some(Duration::from_millis(expected)), "{text}");
        }
        assert_eq!(time("soon"), None);
    }
}
