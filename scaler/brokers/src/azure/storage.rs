//! The queues of a storage account.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::{Method, Url};
use ring::hmac;

use super::ConnectionString;

/// The version of the interface that is spoken.
const VERSION: &str = "2021-12-02";
/// The suffix of the public cloud.
const PUBLIC_SUFFIX: &str = "core.windows.net";
/// The account and key that every emulator has, as its documentation says.
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const EMULATOR_PORT: u16 = 10001;
/// What bodies are.
const XML: &str = "application/xml";
/// The lines of these headers in what is signed.
const CONTENT_LENGTH: usize = 3;
const CONTENT_TYPE: usize = 5;

/// Where the queues of an account are, and what lets one in. It does not print.
pub struct QueueService {
    endpoint: Url,
    credential: Credential,
}

enum Credential {
    /// The account, and its key.
    SharedKey(String, hmac::Key),
    /// The query of a shared access signature.
    Signature(String),
}

/// What a request is made of, its signature included. It does not print.
pub struct Signed {
    /// The address, which may have a signature in it.
    pub url: String,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
}

impl QueueService {
    /// The queues that a connection string names.
    ///
    /// # Errors
    /// What is wrong with it, without showing any of it.
    pub fn from_connection(text: &str) -> Result<Self, String> {
        let parts = ConnectionString::parse(text)?;
        if parts.flag("usedevelopmentstorage") {
            return Self::emulator(parts.get("developmentstorageproxyuri"));
        }
        let endpoint = if let Some(endpoint) = parts.get("queueendpoint") {
            endpoint.to_owned()
        } else {
            let scheme = parts.get("defaultendpointsprotocol").unwrap_or("https");
            let account = parts.require("AccountName")?;
            let suffix = parts.get("endpointsuffix").unwrap_or(PUBLIC_SUFFIX);
            format!("{scheme}://{account}.queue.{suffix}")
        };
        let credential = match parts.get("sharedaccesssignature") {
            Some(signature) => Credential::Signature(signature.trim_start_matches('?').to_owned()),
            None => shared_key(parts.require("AccountName")?, parts.require("AccountKey")?)?,
        };
        Self::new(&endpoint, credential)
    }

    /// The queues of an account whose host ends so, as in `queue.core.windows.net`.
    ///
    /// # Errors
    /// What is wrong with its key.
    pub fn of_account(account: &str, suffix: &str, key: &str) -> Result<Self, String> {
        let endpoint = format!("https://{account}.{suffix}");
        Self::new(&endpoint, shared_key(account, key)?)
    }

    fn emulator(proxy: Option<&str>) -> Result<Self, String> {
        let host = proxy.unwrap_or("http://127.0.0.1").trim_end_matches('/');
        let endpoint = format!("{host}:{EMULATOR_PORT}/{EMULATOR_ACCOUNT}");
        Self::new(&endpoint, shared_key(EMULATOR_ACCOUNT, EMULATOR_KEY)?)
    }

    fn new(endpoint: &str, credential: Credential) -> Result<Self, String> {
        let endpoint = Url::parse(endpoint)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let endpoint =
            endpoint.ok_or("names no host that could be asked by http:// or https://")?;
        Ok(Self {
            endpoint,
            credential,
        })
    }

    /// Whether it is reached by HTTPS.
    pub fn is_secured(&self) -> bool {
        self.endpoint.scheme() == "https"
    }

    /// A request without a body, of a path below the account: a queue, and what of it.
    pub fn request(
        &self,
        method: &Method,
        path: &[&str],
        query: &[(&str, &str)],
        now: Timestamp,
    ) -> Signed {
        self.signed((method, path, query), None, now)
    }

    /// The same, with a body of XML of this length in bytes, which may not be 0. Its type is among the headers.
    pub fn request_with_xml(
        &self,
        method: &Method,
        path: &[&str],
        query: &[(&str, &str)],
        length: usize,
        now: Timestamp,
    ) -> Signed {
        self.signed((method, path, query), Some(length), now)
    }

    fn signed(
        &self,
        (method, path, query): (&Method, &[&str], &[(&str, &str)]),
        xml: Option<usize>,
        now: Timestamp,
    ) -> Signed {
        let mut url = self.endpoint.clone();
        // It has a host, so it has a path too.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
        let mut headers = vec![
            ("x-ms-date", date.unwrap_or_default()),
            ("x-ms-version", VERSION.to_owned()),
        ];
        match &self.credential {
            Credential::SharedKey(account, key) => {
                let text = to_sign((method, xml), &headers, account, url.path(), query);
                let signature = STANDARD.encode(hmac::sign(key, text.as_bytes()));
                let authorization = format!("SharedKey {account}:{signature}");
                headers.push(("authorization", authorization));
            }
            Credential::Signature(signature) => {
                let query = match url.query() {
                    Some(query) => format!("{query}&{signature}"),
                    None => signature.clone(),
                };
                url.set_query(Some(&query));
            }
        }
        if xml.is_some() {
            headers.push(("content-type", XML.to_owned()));
        }
        Signed {
            url: url.into(),
            headers,
        }
    }
}

fn shared_key(account: &str, key: &str) -> Result<Credential, String> {
    let key = STANDARD.decode(key);
    let key = key.map_err(|_| "has a key that is not Base64".to_owned())?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    Ok(Credential::SharedKey(account.to_owned(), key))
}

/// What is signed of a request: its method, eleven headers, of which it has only the length and the type of a
/// body, those of the service's own, which are in order, and what it is of.
fn to_sign(
    (method, xml): (&Method, Option<usize>),
    headers: &[(&str, String)],
    account: &str,
    path: &str,
    query: &[(&str, &str)],
) -> String {
    let mut lines = vec![method.to_string()];
    lines.resize(12, String::new());
    if let Some(length) = xml {
        lines[CONTENT_LENGTH] = length.to_string();
        lines[CONTENT_TYPE].push_str(XML);
    }
    lines.extend(
        headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}")),
    );
    lines.push(format!("/{account}{path}"));
    let mut query = query.to_vec();
    query.sort_unstable();
    lines.extend(query.iter().map(|(name, value)| format!("{name}:{value}")));
    lines.join("\n")
}

#[cfg(test)]
mod tests;
