//! What a server is told of who asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::parameters::Parameters;
use ebbtide_brokers::connect::TlsSettings;
use ebbtide_brokers::error::ReadError;

const API_KEY: &str = "apiKey";
const BEARER_TOKEN: &str = "bearerToken";
const CUSTOM_NAME: &str = "customAuthHeader";
const CUSTOM_VALUE: &str = "customAuthValue";
const KEY_NAME: &str = "keyParamName";
const PASSWORD: &str = "password";
const TOKEN: &str = "token";
const USERNAME: &str = "username";

/// What goes with each request. It does not print.
pub(super) struct Credentials {
    headers: HeaderMap,
    parameter: Option<(String, String)>,
    /// Whether a certificate tells, too.
    certificate: bool,
    /// The key of what is wrong when the server does not accept them.
    key: &'static str,
}

impl Credentials {
    /// Those of a rule.
    ///
    /// # Errors
    /// Something that `authModes` needs is missing, or cannot be sent.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, ReadError> {
        let modes = Modes::of(parameters);
        let mut credentials = Self {
            headers: HeaderMap::new(),
            parameter: None,
            certificate: modes.has("tls"),
            key: modes.key,
        };
        if modes.has("basic") && modes.has("bearer") {
            return Err(ReadError::of(
                modes.key,
                "has both basic and bearer; give one",
            ));
        }
        if modes.has("basic") {
            let user = modes.needed(parameters, "basic", USERNAME)?;
            let password = parameters.text(PASSWORD).unwrap_or_default();
            let value = STANDARD.encode(format!("{user}:{password}"));
            credentials.header(PASSWORD, AUTHORIZATION, &format!("Basic {value}"))?;
        }
        if modes.has("bearer") {
            let key = parameters.text(TOKEN).map_or(BEARER_TOKEN, |_| TOKEN);
            let token = modes.needed(parameters, "bearer", key)?;
            credentials.header(key, AUTHORIZATION, &format!("Bearer {token}"))?;
        }
        if modes.has("apiKey") {
            credentials.api_key(&modes, parameters)?;
        }
        if modes.has("custom") {
            let name = modes.needed(parameters, "custom", CUSTOM_NAME)?;
            let value = modes.needed(parameters, "custom", CUSTOM_VALUE)?;
            credentials.header(CUSTOM_VALUE, header_name(CUSTOM_NAME, name)?, value)?;
        }
        if modes.has("tls") {
            modes.needed(parameters, "tls", "cert")?;
        }
        Ok(credentials)
    }

    /// A request that tells the server.
    pub(super) fn tell(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.headers(self.headers.clone());
        match &self.parameter {
            Some(parameter) => request.query(&[parameter]),
            None => request,
        }
    }

    /// The key of what is wrong when the server does not accept them.
    pub(super) fn key(&self) -> &'static str {
        self.key
    }

    /// What secures the connection.
    pub(super) fn tls<'p>(&self, parameters: &'p Parameters) -> TlsSettings<'p> {
        let of_client = |key| parameters.text(key).filter(|_| self.certificate);
        TlsSettings {
            ca: parameters.text("ca"),
            cert: of_client("cert"),
            key: of_client("key"),
            any_server: parameters.flag("unsafeSsl"),
        }
    }

    fn api_key(&mut self, modes: &Modes<'_>, parameters: &Parameters) -> Result<(), ReadError> {
        let key = modes.needed(parameters, "apiKey", API_KEY)?;
        let name = parameters.text(KEY_NAME);
        if parameters.word("method").as_deref() == Some("query") {
            self.parameter = Some((name.unwrap_or("api_key").to_owned(), key.to_owned()));
            self.key = API_KEY;
            return Ok(());
        }
        let name = header_name(KEY_NAME, name.unwrap_or("X-API-KEY"))?;
        self.header(API_KEY, name, key)
    }

    fn header(
        &mut self,
        key: &'static str,
        name: HeaderName,
        value: &str,
    ) -> Result<(), ReadError> {
        let wrong = |_| ReadError::of(key, "has a character that no header may have");
        let mut value = HeaderValue::from_str(value).map_err(wrong)?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self.key = key;
        Ok(())
    }
}

/// The name of a header, as a rule gives it.
///
/// # Errors
/// No header may be called so.
pub(in crate::readers) fn header_name(
    key: &'static str,
    name: &str,
) -> Result<HeaderName, ReadError> {
    let name = HeaderName::from_bytes(name.as_bytes());
    name.map_err(|_| ReadError::of(key, "is not what a header may be called"))
}

/// How the server is told.
struct Modes<'p> {
    key: &'static str,
    listed: Vec<&'p str>,
}

impl<'p> Modes<'p> {
    fn of(parameters: &'p Parameters) -> Self {
        let (many, one) = ("authModes", "authMode");
        let key = parameters.text(one).map_or(many, |_| one);
        Self {
            key,
            listed: parameters.list(key),
        }
    }

    fn has(&self, mode: &str) -> bool {
        let mut listed = self.listed.iter();
        listed.any(|listed| listed.eq_ignore_ascii_case(mode))
    }

    fn needed<'v>(
        &self,
        parameters: &'v Parameters,
        mode: &str,
        key: &'static str,
    ) -> Result<&'v str, ReadError> {
        let given = parameters.text(key).filter(|text| !text.is_empty());
        given.ok_or_else(|| {
            let message = format!("is missing, which {mode} of {} needs", self.key);
            ReadError::of(key, message)
        })
    }
}
