//! Where spans go and how: from options, and from the variables that OpenTelemetry has for it.

use std::path::PathBuf;
use std::str::FromStr;

use ::http::HeaderMap;
use anyhow::anyhow;
use reqwest::Url;

use super::headers;

/// The port that collectors have for gRPC, and the one for HTTP.
const GRPC_PORT: u16 = 4317;
const HTTP_PORT: u16 = 4318;

/// The variables for traces and for whatever is exported, the first of which counts.
const PROTOCOL: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const HEADERS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_HEADERS",
];
const CERTIFICATE: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];

/// What the command line says of the export.
#[derive(Clone, Debug, Default)]
pub struct OtlpOptions {
    /// Where spans go.
    pub endpoint: Option<OtlpEndpoint>,
    /// How.
    pub protocol: Option<OtlpProtocol>,
    /// A file with headers that go with them.
    pub headers: Option<PathBuf>,
    /// A file with the roots that the collector is trusted by.
    pub ca: Option<PathBuf>,
}

/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtlpEndpoint {
    /// Nowhere, whatever the variables say.
    Off,
    /// To this collector, at its path for traces.
    At(Url),
}

/// How spans go to a collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// By gRPC.
    Grpc,
    /// By HTTP, as Protocol Buffers.
    #[default]
    Http,
}

/// Where spans go and how.
#[derive(Clone, Debug)]
pub struct OtlpSettings {
    /// The collector; by HTTP with the path of traces.
    pub(super) url: Url,
    pub(super) protocol: OtlpProtocol,
    pub(super) headers: HeaderMap,
    /// The file of roots that the collector is trusted by, and who names it.
    pub(super) ca: Option<(&'static str, PathBuf)>,
    pub(super) resource: Vec<(String, String)>,
}

impl OtlpSettings {
    /// What the options say, and for what they do not, the variables. None if spans go nowhere.
    ///
    /// # Errors
    /// Which option or variable is wrong, and what it would be.
    pub fn new(
        options: &OtlpOptions,
        variable: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Option<Self>> {
        // Empty is as if it were not there.
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let first = |names: [&'static str; 2]| {
            let mut found = names.into_iter().map(|name| Some((name, variable(name)?)));
            found.find_map(|found| found)
        };
        let Some(endpoint) = endpoint(options.endpoint.as_ref(), &variable)? else {
            return Ok(None);
        };
        let protocol = match (options.protocol, first(PROTOCOL)) {
            (Some(protocol), _) => protocol,
            (None, Some((name, text))) => {
                text.parse().map_err(|error| anyhow!("{name}: {error}"))?
            }
            (None, None) => OtlpProtocol::default(),
        };
        let headers = match (&options.headers, first(HEADERS)) {
            (Some(file), _) => headers::of_file(file)?,
            (None, Some((name, text))) => headers::of_variable(name, &text)?,
            (None, None) => HeaderMap::new(),
        };
        let named = first(CERTIFICATE).map(|(name, file)| (name, file.into()));
        let ca = options.ca.clone().map(|file| ("--otlp-ca", file));
        Ok(Some(Self {
            url: endpoint.for_traces(protocol),
            protocol,
            headers,
            ca: ca.or(named),
            resource: resource(&variable)?,
        }))
    }

    /// Warns of a port that is the other protocol's.
    pub(super) fn warn_of_port(&self) {
        let (port, other) = match self.protocol {
            OtlpProtocol::Http => (GRPC_PORT, "grpc"),
            OtlpProtocol::Grpc => (HTTP_PORT, "http/protobuf"),
        };
        if self.url.port() == Some(port) {
            tracing::warn!(
                "spans go to port {port}, where collectors take {other}: give --otlp-protocol {other} \
                 unless yours is another one"
            );
        }
    }
}

/// A URL, and whether it is the collector's or the one that takes traces there.
enum Endpoint {
    Collector(Url),
    Traces(Url),
}

impl Endpoint {
    /// The URL that takes traces.
    fn for_traces(self, protocol: OtlpProtocol) -> Url {
        match self {
            Self::Collector(mut url) if protocol == OtlpProtocol::Http => {
                let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
                url.set_path(&path);
                url
            }
            Self::Collector(url) | Self::Traces(url) => url,
        }
    }
}

/// What an option or a variable says; none if spans go nowhere.
fn endpoint(
    option: Option<&OtlpEndpoint>,
    variable: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<Endpoint>> {
    let says = |name: &str, text: &str| {
        variable(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(text))
    };
    match option {
        Some(OtlpEndpoint::Off) => return Ok(None),
        Some(OtlpEndpoint::At(url)) => return Ok(Some(Endpoint::Collector(url.clone()))),
        None if says("OTEL_SDK_DISABLED", "true") => return Ok(None),
        None if says("OTEL_TRACES_EXPORTER", "none") => return Ok(None),
        None => {}
    }
    let read = |name: &str| {
        let text = variable(name)?;
        Some(url(text.trim()).map_err(|error| anyhow!("{name}: {error}")))
    };
    if let Some(url) = read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return Ok(Some(Endpoint::Traces(url?)));
    }
    let url = read("OTEL_EXPORTER_OTLP_ENDPOINT").transpose()?;
    Ok(url.map(Endpoint::Collector))
}

/// Reads a URL. Secrets have no place in it, since it is printed.
fn url(text: &str) -> Result<Url, &'static str> {
    const RULE: &str = "give the URL of a collector, such as http://127.0.0.1:4318, or https://";
    let url: Url = text.parse().map_err(|_| RULE)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(RULE);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a name or password is not taken; give a file with --otlp-headers");
    }
    Ok(url)
}

/// The attributes of who sends the spans.
fn resource(variable: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Vec<(String, String)>> {
    const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let text = variable(ATTRIBUTES).unwrap_or_default();
    let mut attributes = headers::pairs(ATTRIBUTES, &text)?;
    if let Some(name) = variable("OTEL_SERVICE_NAME") {
        attributes.retain(|(key, _)| key != "service.name");
        attributes.push(("service.name".to_owned(), name));
    }
    Ok(attributes)
}

impl FromStr for OtlpEndpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        url(text).map(Self::At)
    }
}

impl FromStr for OtlpProtocol {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "grpc" => Ok(Self::Grpc),
            "http/protobuf" => Ok(Self::Http),
            _ => Err("give grpc or http/protobuf"),
        }
    }
}

#[cfg(test)]
mod tests;
