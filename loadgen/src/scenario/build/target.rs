//! What is sent, and where.

mod checks;
mod grpc;
mod headers;
mod websocket;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::uri::{Authority, PathAndQuery};

use self::websocket::NEXT_MESSAGE;
use super::super::document::{
    ConnectionPolicy, ConnectionsDocument, TargetDocument, TlsDocument, VersionDocument,
};
use super::super::endpoint::{Endpoint, is_web_socket};
use super::super::template;
use super::{Builder, MAIN, Resolve};
use crate::engine::tls;
use crate::plan::{Connections, HttpTarget, Piece, Target, TargetKind, Template, Tls, Version};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
const DEFAULT_CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);
/// The longest body that is read from a file, in bytes.
const MAX_BODY_BYTES: u64 = 256 << 20;
impl Builder<'_> {
    pub(super) fn targets(&mut self, documents: &[TargetDocument]) -> Vec<Target> {
        if documents.is_empty() {
            self.problems
                .add("targets", "there must be at least one target");
        }
        let mut targets: Vec<Target> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let path = format!("targets[{index}]");
            let name = match &document.name {
                None if documents.len() == 1 => MAIN.to_owned(),
                None => {
                    let message = "`name` is missing: where there are several targets each has one";
                    self.problems.add(&path, message);
                    continue;
                }
                Some(name) => name.clone(),
            };
            self.check_name(&format!("{path}.name"), &name, names.iter());
            names.push(name.clone());
            let target = self.target(&path, name, document);
            if let Some(target) = &target {
                self.check_completed(&path, target, &targets);
            }
            targets.extend(target);
        }
        targets
    }

    fn target(&mut self, path: &str, name: String, document: &TargetDocument) -> Option<Target> {
        let share = document.share.unwrap_or(1.0);
        if !(share > 0.0 && share.is_finite()) {
            let message = format!("{share} is not possible: a share is a weight above 0");
            self.problems.add(format!("{path}.share"), message);
        }
        let timeout = document
            .timeout
            .map_or(DEFAULT_TIMEOUT, |timeout| timeout.0);
        if timeout.is_zero() {
            self.problems
                .add(format!("{path}.timeout"), "it must be longer than 0");
        }
        let checks = self.checks(path, &document.checks);
        let kind = self.kind(path, document)?;
        Some(Target {
            name,
            share,
            kind,
            timeout,
            checks,
        })
    }

    /// Which kind it is says the key that is there.
    fn kind(&mut self, path: &str, document: &TargetDocument) -> Option<TargetKind> {
        if let (Some(_), Some(_)) = (&document.url, &document.queue) {
            let message = "a target has a `url` or a `queue`, not both";
            self.problems.add(path, message);
            return None;
        }
        if let Some(queue) = &document.queue {
            return self.queue(path, queue, document).map(TargetKind::Queue);
        }
        if let Some(url) = &document.url {
            let http = self.http(path, url, document)?;
            if let Some(of) = &document.grpc {
                return self.grpc(path, http, document, of);
            }
            let field = format!("{path}.webSocket");
            return match (is_web_socket(url), &document.web_socket) {
                (true, of) => self.web_socket(path, http, of.as_ref().unwrap_or(&NEXT_MESSAGE)),
                (false, None) => Some(TargetKind::Http(http)),
                (false, Some(_)) => {
                    let message = "the URL is not ws:// or wss://: remove this, or change the URL";
                    self.problems.add(field, message);
                    None
                }
            };
        }
        let message = "`url` is missing: a target says where its requests go";
        self.problems.add(path, message);
        None
    }

    fn http(&mut self, path: &str, url: &str, document: &TargetDocument) -> Option<HttpTarget> {
        let endpoint = self
            .problems
            .take(format!("{path}.url"), Endpoint::parse(url));
        let host = document.host.clone();
        let host = host.map(|host| {
            let field = format!("{path}.host");
            let valid = !host.contains('@') && host.parse::<Authority>().is_ok();
            if !valid {
                self.problems
                    .add(field, format!("`{host}` is not a host name"));
            }
            host
        });
        let method = document.method.as_deref().unwrap_or("GET");
        let method = Method::from_bytes(method.as_bytes());
        let method = method.map_err(|_| "a method is one word, as in GET or POST");
        let method = self.problems.take(format!("{path}.method"), method);
        let headers = self.headers(&format!("{path}.headers"), &document.headers);
        let body = self.body(path, document);
        let count_header = document
            .count_header
            .as_ref()
            .and_then(|name| self.header_name(&format!("{path}.countHeader"), name));
        let connections = self.connections(&format!("{path}.connections"), document.connections);
        let endpoint = endpoint?;
        let url_path = self.path(&format!("{path}.url"), &endpoint);
        let tls = self.tls(path, &endpoint, document.tls.as_ref());
        let address = self.address(&format!("{path}.url"), &endpoint);
        Some(HttpTarget {
            url: url.to_owned(),
            address: address?,
            tls,
            authority: host.unwrap_or(endpoint.authority),
            version: match document.version {
                None | Some(VersionDocument::Http1) => Version::Http1,
                Some(VersionDocument::Http2) => Version::Http2,
            },
            connections: connections?,
            method: method?,
            path: url_path?,
            headers,
            body: body?,
            count_header,
        })
    }

    fn address(&mut self, path: &str, endpoint: &Endpoint) -> Option<SocketAddr> {
        match self.resolve {
            Resolve::Addresses => self.problems.take(path, endpoint.resolve()),
            Resolve::Nothing => {
                let unknown = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
                Some(endpoint.known_address().unwrap_or(unknown))
            }
        }
    }

    fn tls(
        &mut self,
        path: &str,
        endpoint: &Endpoint,
        document: Option<&TlsDocument>,
    ) -> Option<Tls> {
        if !endpoint.tls {
            if document.is_some() {
                self.problems.add(
                    format!("{path}.tls"),
                    "the URL is not https:// or wss://: remove this, or change the URL",
                );
            }
            return None;
        }
        let document = document.cloned().unwrap_or_default();
        let authorities = self.authorities(&format!("{path}.tls"), &document);
        let field = match document.server_name {
            Some(_) => format!("{path}.tls.serverName"),
            None => format!("{path}.url"),
        };
        let server_name = document.server_name;
        let server_name = server_name.unwrap_or_else(|| endpoint.host.clone());
        self.problems.take(field, tls::server_name(&server_name));
        Some(Tls {
            server_name,
            authorities,
            insecure: document.insecure,
        })
    }

    /// The file with authorities to trust, which has to be there.
    pub(super) fn authorities(&mut self, path: &str, document: &TlsDocument) -> Option<PathBuf> {
        let file = self.folder.join(document.ca.as_ref()?);
        self.problems
            .take(format!("{path}.ca"), tls::authorities_in(&file));
        Some(file)
    }

    fn connections(
        &mut self,
        path: &str,
        document: Option<ConnectionsDocument>,
    ) -> Option<Connections> {
        let policy = match document {
            None => return Some(Connections::Pool(DEFAULT_CONNECTIONS)),
            Some(ConnectionsDocument::Most(most)) => ConnectionPolicy::Pool(most),
            Some(ConnectionsDocument::Policy(policy)) => policy,
        };
        let (ConnectionPolicy::Pool(number)
        | ConnectionPolicy::PerRequest(number)
        | ConnectionPolicy::Fixed(number)) = policy;
        let number = self.at_least_one(path, number)?;
        Some(match policy {
            ConnectionPolicy::Pool(_) => Connections::Pool(number),
            ConnectionPolicy::PerRequest(_) => Connections::PerRequest(number),
            ConnectionPolicy::Fixed(_) => Connections::Fixed(number),
        })
    }

    fn path(&mut self, field: &str, endpoint: &Endpoint) -> Option<Template> {
        let template = template::parse(&endpoint.path).map_err(|mut error| {
            error.column += endpoint.before_path;
            error
        });
        let template = self.problems.take(field, template)?;
        for text in texts(&template) {
            let rooted = [b"/", &text[..]].concat();
            if !text.is_ascii() || PathAndQuery::try_from(&rooted[..]).is_err() {
                let text = String::from_utf8_lossy(text);
                let message =
                    format!("`{text}` cannot be in a path: write it percent-encoded, as %20");
                self.problems.add(field, message);
            }
        }
        Some(template)
    }

    pub(super) fn body(&mut self, path: &str, document: &TargetDocument) -> Option<Template> {
        match (&document.body, &document.body_file) {
            (Some(_), Some(_)) => {
                let message = "a target has a `body` or a `bodyFile`, not both";
                self.problems.add(format!("{path}.bodyFile"), message);
                None
            }
            (Some(body), None) => self
                .problems
                .take(format!("{path}.body"), template::parse(body)),
            (None, Some(file)) => {
                let read = read_body(&self.folder.join(file));
                self.problems
                    .take(format!("{path}.bodyFile"), read)
                    .map(Template::Fixed)
            }
            (None, None) => Some(Template::Fixed(Bytes::new())),
        }
    }
}

/// What a template has whatever its values are, and may have.
fn texts(template: &Template) -> impl Iterator<Item = &Bytes> {
    let (fixed, pieces) = match template {
        Template::Fixed(text) => (Some(text), &[][..]),
        Template::Pieces(pieces) => (None, &pieces[..]),
    };
    let in_pieces = pieces.iter().flat_map(|piece| match piece {
        Piece::Text(text) => std::slice::from_ref(text),
        Piece::OneOf(choices) => &choices[..],
        Piece::Sequence | Piece::Number(..) | Piece::Uuid | Piece::Letters(_) => &[],
    });
    fixed.into_iter().chain(in_pieces)
}

fn read_body(file: &std::path::Path) -> Result<Bytes, String> {
    let wrong = |error: std::io::Error| format!("cannot read `{}`: {error}", file.display());
    let size = std::fs::metadata(file).map_err(wrong)?.len();
    if size > MAX_BODY_BYTES {
        let most = MAX_BODY_BYTES >> 20;
        return Err(format!("`{}` is longer than {most} MiB", file.display()));
    }
    std::fs::read(file).map(Bytes::from).map_err(wrong)
}
