//! Calls of gRPC: what they send is encoded here, once.

use std::path::Path;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderName, Method, header};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

use super::{Builder, read_body};
use crate::plan::{Answers, GrpcTarget, HttpTarget, TargetKind, Template, Version};
use crate::scenario::document::{GrpcDocument, GrpcModeDocument, TargetDocument, VersionDocument};
use crate::scenario::endpoint::is_web_socket;

/// The most bytes that a call sends.
const MOST_BYTES: usize = 256 << 20;

impl Builder<'_> {
    /// Of what the target has for HTTP.
    pub(super) fn grpc(
        &mut self,
        path: &str,
        http: HttpTarget,
        document: &TargetDocument,
        of: &GrpcDocument,
    ) -> Option<TargetKind> {
        self.refuse_of_http(path, &http, document);
        let method = self
            .problems
            .take(format!("{path}.grpc.method"), method_path(&of.method));
        let described = match &of.proto {
            None => None,
            Some(proto) => {
                let described = describe(self.folder, proto, of);
                Some(
                    self.problems
                        .take(format!("{path}.grpc.proto"), described)?,
                )
            }
        };
        let mode = self.mode(path, of, described.as_ref())?;
        let (field, message) = encode(self.folder, of, described.as_ref());
        let message = self
            .problems
            .take(format!("{path}.grpc.{field}"), message)?;
        let count =
            self.at_least_one(&format!("{path}.grpc.messages"), of.messages.unwrap_or(1))?;
        if count.get() > 1 && !mode.client_streams() {
            let why = "only a method whose client streams takes several messages";
            self.problems.add(format!("{path}.grpc.messages"), why);
        }
        let body = frame(&message, count.get());
        let body = self.problems.take(format!("{path}.grpc.messages"), body)?;
        let answers = if mode.server_streams() {
            Answers::Any
        } else {
            Answers::One
        };
        let http = HttpTarget {
            version: Version::Http2,
            method: Method::POST,
            path: Template::Fixed(Bytes::from(method?)),
            headers: headers(http.headers),
            body: Template::Fixed(body),
            ..http
        };
        Some(TargetKind::Grpc(GrpcTarget { http, answers }))
    }

    /// What HTTP leaves open and gRPC does not.
    fn refuse_of_http(&mut self, path: &str, http: &HttpTarget, document: &TargetDocument) {
        let has_path = http.path.fixed().is_none_or(|path| path.as_ref() != b"/");
        let is_http1 = document.version == Some(VersionDocument::Http1);
        for (is_wrong, field, why) in [
            (
                is_web_socket(&http.url),
                "url",
                "gRPC is called at http:// or https://",
            ),
            (
                has_path,
                "url",
                "it has no path: `grpc.method` says what is called",
            ),
            (
                document.method.is_some(),
                "method",
                "gRPC sends POST: remove this",
            ),
            (is_http1, "version", "gRPC needs HTTP/2: remove this"),
            (
                document.body.is_some(),
                "body",
                "what is sent is `grpc.message`",
            ),
            (
                document.body_file.is_some(),
                "bodyFile",
                "what is sent is `grpc.message`",
            ),
            (
                document.web_socket.is_some(),
                "webSocket",
                "a target has `webSocket` or `grpc`, not both",
            ),
        ] {
            if is_wrong {
                self.problems.add(format!("{path}.{field}"), why);
            }
        }
    }

    /// Who sends several messages: as it is described, and as it is written.
    fn mode(
        &mut self,
        path: &str,
        of: &GrpcDocument,
        described: Option<&MethodDescriptor>,
    ) -> Option<GrpcModeDocument> {
        let described = described
            .map(|method| mode(method.is_client_streaming(), method.is_server_streaming()));
        match (described, of.mode) {
            (Some(described), Some(written)) if described != written => {
                let why = "that is not what `proto` says of the method: remove this";
                self.problems.add(format!("{path}.grpc.mode"), why);
                None
            }
            (described, written) => {
                let known = described.or(written);
                Some(known.unwrap_or(GrpcModeDocument::Unary))
            }
        }
    }
}

fn mode(client_streams: bool, server_streams: bool) -> GrpcModeDocument {
    match (client_streams, server_streams) {
        (false, false) => GrpcModeDocument::Unary,
        (false, true) => GrpcModeDocument::ServerStreaming,
        (true, false) => GrpcModeDocument::ClientStreaming,
        (true, true) => GrpcModeDocument::Bidirectional,
    }
}

impl GrpcModeDocument {
    fn client_streams(self) -> bool {
        matches!(self, Self::ClientStreaming | Self::Bidirectional)
    }

    fn server_streams(self) -> bool {
        matches!(self, Self::ServerStreaming | Self::Bidirectional)
    }
}

/// The path that names a method.
fn method_path(method: &str) -> Result<String, String> {
    let is_name = |name: &str, also: &str| {
        let is_of_name = |byte: char| byte.is_ascii_alphanumeric() || also.contains(byte);
        !name.is_empty() && name.chars().all(is_of_name)
    };
    match method.trim_start_matches('/').split_once('/') {
        Some((service, name)) if is_name(service, "_.") && is_name(name, "_") => {
            Ok(format!("/{service}/{name}"))
        }
        _ => Err(format!(
            "`{method}` is no method: write package.Service/Method"
        )),
    }
}

/// Finds the method in what describes it.
fn describe(folder: &Path, proto: &str, of: &GrpcDocument) -> Result<MethodDescriptor, String> {
    let file = folder.join(proto);
    let is_source = file.extension().is_some_and(|end| end == "proto");
    let pool = if is_source {
        let imports = match &of.proto_folder {
            Some(imports) => folder.join(imports),
            None => file.parent().unwrap_or(folder).to_owned(),
        };
        compile(&file, &imports)?
    } else {
        let bytes = read_body(&file)?;
        let decoded = DescriptorPool::decode(bytes);
        decoded.map_err(|error| {
            let file = file.display();
            format!("`{file}` is neither a .proto file nor an encoded FileDescriptorSet: {error}")
        })?
    };
    let path = of.method.trim_start_matches('/');
    let (service, name) = path.split_once('/').unwrap_or((path, ""));
    let found = pool.get_service_by_name(service).ok_or_else(|| {
        let known = pool
            .services()
            .map(|service| service.full_name().to_owned());
        let known: Vec<_> = known.collect();
        format!("it has no service `{service}`{}", there_are(&known))
    })?;
    let method = found.methods().find(|method| method.name() == name);
    method.ok_or_else(|| {
        let known = found.methods().map(|method| method.name().to_owned());
        let known: Vec<_> = known.collect();
        format!("`{service}` has no method `{name}`{}", there_are(&known))
    })
}

fn there_are(known: &[String]) -> String {
    match known {
        [] => String::new(),
        known => format!(" (there are {})", known.join(", ")),
    }
}

fn compile(file: &Path, imports: &Path) -> Result<DescriptorPool, String> {
    let wrong = |error: protox::Error| {
        let at = error
            .file()
            .map_or_else(|| file.display().to_string(), str::to_owned);
        format!("`{at}`: {error}")
    };
    let mut compiler = protox::Compiler::new([imports]).map_err(wrong)?;
    compiler.include_imports(true);
    compiler.open_file(file).map_err(wrong)?;
    Ok(compiler.descriptor_pool())
}

/// The encoded message, and the field that says what it is.
fn encode(
    folder: &Path,
    of: &GrpcDocument,
    described: Option<&MethodDescriptor>,
) -> (&'static str, Result<Vec<u8>, String>) {
    match (&of.message, &of.message_file, &of.message_hex) {
        (None, None, None) => ("message", Ok(Vec::new())),
        (Some(message), None, None) => ("message", from_json(message, described)),
        (None, Some(file), None) => {
            let read = read_body(&folder.join(file));
            let parsed = read.and_then(|bytes| {
                serde_json::from_slice(&bytes).map_err(|error| format!("`{file}`: {error}"))
            });
            let encoded = parsed.and_then(|message| from_json(&message, described));
            ("messageFile", encoded)
        }
        (None, None, Some(digits)) => ("messageHex", from_hex(digits)),
        _ => {
            let why = "a call has one of `message`, `messageFile` and `messageHex`";
            ("message", Err(why.to_owned()))
        }
    }
}

fn from_json(
    message: &serde_json::Value,
    described: Option<&MethodDescriptor>,
) -> Result<Vec<u8>, String> {
    let Some(method) = described else {
        return Err("JSON needs `proto`, which says how it is encoded".to_owned());
    };
    if has_template(message) {
        let why = "it is encoded once, and so cannot have templates: remove `${`";
        return Err(why.to_owned());
    }
    let input = method.input();
    let name = input.full_name().to_owned();
    let encoded = DynamicMessage::deserialize(input, message.clone());
    let encoded = encoded.map_err(|error| format!("it is no `{name}`: {error}"))?;
    Ok(encoded.encode_to_vec())
}

fn has_template(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains("${"),
        serde_json::Value::Array(values) => values.iter().any(has_template),
        serde_json::Value::Object(values) => values.values().any(has_template),
        _ => false,
    }
}

fn from_hex(digits: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("`{digits}` is not bytes: write two hexadecimal digits for each");
    let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let digits: Option<Vec<u32>> = digits.iter().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
    let pairs = digits.ok_or_else(wrong)?;
    let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default();
    Ok(pairs.chunks_exact(2).map(byte).collect())
}

/// So many messages, each behind its length.
fn frame(message: &[u8], count: usize) -> Result<Bytes, String> {
    let length = u32::try_from(message.len()).map_err(|_| "the message is too long")?;
    let all = (message.len() + 5).checked_mul(count);
    let all = all.filter(|all| *all <= MOST_BYTES);
    let all = all.ok_or_else(|| format!("a call sends at most {} MiB", MOST_BYTES >> 20))?;
    let mut framed = BytesMut::with_capacity(all);
    for _ in 0..count {
        framed.put_u8(0);
        framed.put_u32(length);
        framed.put_slice(message);
    }
    Ok(framed.freeze())
}

/// The metadata, and what every call has.
fn headers(given: Vec<(HeaderName, Template)>) -> Vec<(HeaderName, Template)> {
    let own = [
        (header::TE, "trailers"),
        (header::CONTENT_TYPE, "application/grpc"),
    ];
    let fixed = |text: &'static str| Template::Fixed(Bytes::from_static(text.as_bytes()));
    let mut all: Vec<_> = own.map(|(name, value)| (name, fixed(value))).into();
    let replaced = [header::TE, header::CONTENT_TYPE, header::ACCEPT];
    all.extend(
        given
            .into_iter()
            .filter(|(name, _)| !replaced.contains(name)),
    );
    all
}

#[cfg(test)]
mod tests;
