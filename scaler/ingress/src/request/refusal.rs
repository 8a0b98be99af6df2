//! The answers that the ingress gives itself, all in one place.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ebbtide_core::document::{HttpRouteRevision, HttpRouteTarget};
use ebbtide_core::name::{AppName, ReplicaName, RevisionName, RouteConfigName};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use thiserror::Error;

use super::check::Malformed;
use super::cold::{self, Instead};
use super::directory::Page;
use crate::body::{ResponseBody, UploadFailure};
use crate::limits::gate::Limit;
use crate::limits::reason::Reason;
use crate::line::Full;
use crate::meter::CLIENT_CLOSED_REQUEST;
use crate::table::Astray;
use crate::table::host::HostError;
use crate::upstream::UpstreamError;

/// Why a request is not answered by a replica. The text is the answer's body.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    BadHost(#[from] HostError),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("the request's body is malformed: its chunks are not as RFC 9112 has them")]
    MalformedBody,
    #[error("the request's body is larger than it may be here")]
    LargeBody,
    #[error("the request's body came too slowly")]
    SlowBody,
    #[error("CONNECT is not supported here; send an ordinary request")]
    ConnectMethod,
    #[error("CONNECT for this protocol is not supported here; websocket is the one that is")]
    ConnectProtocol,
    #[error("this app takes requests with a client's certificate only; ask it by HTTPS, with one")]
    NoCertificate,
    #[error(
        "this app takes requests with a client's certificate only, and this connection was begun for another \
         host; ask it by a connection of its own"
    )]
    Misdirected,
    #[error("this app takes requests by HTTPS")]
    Redirect(HeaderValue),
    #[error("this app takes no requests from {0} (ipSecurityRestrictions)")]
    Forbidden(IpAddr),
    #[error(
        "this app takes requests from certain addresses only (ipSecurityRestrictions), and the proxies \
         in front do not say whose this is"
    )]
    UnknownClient,
    #[error("{0}")]
    Challenge(Arc<str>),
    #[error("the request may be made")]
    Preflight,
    #[error("this app takes no requests from pages of {0:?} (corsPolicy.allowedOrigins)")]
    ForeignOrigin(String),
    #[error("{}", .0.text)]
    NotFound(Page),
    #[error("{}", .0.text)]
    Cold(Instead),
    #[error("app {0} has no revision that takes traffic; give one a traffic weight")]
    NoRevision(AppName),
    #[error("{0:?} is no revision or label of this app; see ebbtide.pinHeader")]
    NoSuchRevision(String),
    #[error("no route of the HTTP route config {0} matches the request's path, method and headers")]
    NoRoute(RouteConfigName),
    #[error("the route leads to {}, which is not there or takes no requests", target_words(.0))]
    NoTarget(Box<HttpRouteTarget>),
    #[error("app {} was deleted while the request waited for revision {revision}", revision.app())]
    AppGone { revision: RevisionName },
    #[error(
        "app {}, revision {revision}: activation failed: {because}\n\
         Correct the app and apply it again; its logs say more.",
        revision.app()
    )]
    Failed {
        revision: RevisionName,
        because: String,
    },
    #[error(
        "app {}, revision {revision}: the waiting room is full ({full})\nTry again soon.",
        revision.app()
    )]
    WaitingRoomFull { revision: RevisionName, full: Full },
    #[error(
        "app {}, revision {revision}: no replica had room within {} s\nEach has as many requests as \
         ebbtide.maxConcurrentRequests lets it have.",
        revision.app(), timeout.as_secs_f64()
    )]
    BusyTooLong {
        revision: RevisionName,
        timeout: Duration,
    },
    #[error(
        "app {}, revision {revision}: no replica became ready within {} s\nTry again soon; if it \
         stays like this, the app's logs and probes say why.",
        revision.app(), timeout.as_secs_f64()
    )]
    WaitedTooLong {
        revision: RevisionName,
        timeout: Duration,
    },
    #[error(
        "app {}, revision {revision}: cannot connect to replica {replica}: {cause}\nThe app has to \
         listen on the port in its PORT variable.",
        revision.app()
    )]
    Unreachable {
        revision: RevisionName,
        replica: ReplicaName,
        cause: io::Error,
    },
    #[error(
        "app {}, revision {revision}: replica {replica} broke the connection before it answered: \
         {cause}\nThe app's logs may say why.",
        revision.app()
    )]
    Broken {
        revision: RevisionName,
        replica: ReplicaName,
        cause: UpstreamError,
    },
    #[error(
        "app {}, revision {revision}: the replica switched protocols, which the request did not ask \
         for",
        revision.app()
    )]
    UnexpectedUpgrade { revision: RevisionName },
    #[error(
        "app {}, revision {revision}: the app speaks HTTP/2 and does not take WebSocket by it \
         (RFC 8441)\nHave it offer SETTINGS_ENABLE_CONNECT_PROTOCOL, or speak HTTP/1.1.",
        revision.app()
    )]
    NoWebSocket { revision: RevisionName },
    #[error(
        "app {}, revision {revision}: the replica answered a request for WebSocket without switching \
         to it as RFC 6455 has it",
        revision.app()
    )]
    NotSwitched { revision: RevisionName },
    #[error(
        "app {}, revision {revision}: no answer within {} s\nThe app took the request and did not \
         begin to answer it.",
        revision.app(), timeout.as_secs_f64()
    )]
    NoAnswerInTime {
        revision: RevisionName,
        timeout: Duration,
    },
    #[error("the client closed the request")]
    ClientGone,
}

impl Refusal {
    /// The status it is answered and counted with.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(Malformed::UnknownCoding)
            | Self::ConnectMethod
            | Self::ConnectProtocol
            | Self::NoWebSocket { .. } => StatusCode::NOT_IMPLEMENTED,
            Self::Malformed(Malformed::ManyHeaders(_)) => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::Malformed(Malformed::LargeBody(_)) | Self::LargeBody => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Malformed(Malformed::LongTarget(_)) => StatusCode::URI_TOO_LONG,
            Self::Malformed(Malformed::Expectation) => StatusCode::EXPECTATION_FAILED,
            Self::BadHost(_) | Self::Malformed(_) | Self::MalformedBody => StatusCode::BAD_REQUEST,
            Self::NoCertificate => StatusCode::FORBIDDEN,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Redirect(_) => StatusCode::MOVED_PERMANENTLY,
            Self::Forbidden(_) | Self::UnknownClient | Self::ForeignOrigin(_) => {
                StatusCode::FORBIDDEN
            }
            Self::Preflight => StatusCode::NO_CONTENT,
            Self::NotFound(_) | Self::NoRoute(_) | Self::NoSuchRevision(_) => StatusCode::NOT_FOUND,
            Self::Challenge(_) => StatusCode::OK,
            Self::Cold(instead) => instead.status,
            Self::NoRevision(_)
            | Self::NoTarget(_)
            | Self::AppGone { .. }
            | Self::Failed { .. }
            | Self::WaitingRoomFull { .. }
            | Self::BusyTooLong { .. }
            | Self::WaitedTooLong { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::UnexpectedUpgrade { .. }
            | Self::NotSwitched { .. } => StatusCode::BAD_GATEWAY,
            Self::NoAnswerInTime { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::ClientGone => {
                StatusCode::from_u16(CLIENT_CLOSED_REQUEST).unwrap_or(StatusCode::BAD_REQUEST)
            }
        }
    }

    /// Whether nothing that follows on its connection is read.
    pub(super) fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::BadHost(_)
                | Self::Malformed(_)
                | Self::MalformedBody
                | Self::LargeBody
                | Self::SlowBody
                | Self::ConnectMethod
                | Self::NoCertificate
                | Self::Misdirected
        )
    }

    /// The limit that it is due to.
    pub(super) fn limit(&self) -> Option<Limit> {
        match self {
            Self::Malformed(Malformed::ManyHeaders(_)) => Some(Limit::Header),
            Self::Malformed(Malformed::LongTarget(_)) => Some(Limit::Target),
            Self::Malformed(Malformed::LargeBody(_)) | Self::LargeBody => Some(Limit::Body),
            Self::SlowBody => Some(Limit::BodyTime),
            Self::BadHost(_) | Self::Malformed(_) | Self::MalformedBody => Some(Limit::Malformed),
            _ => None,
        }
    }

    /// Why, in a word.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::BadHost(_) => Reason::BadHost,
            Self::Malformed(Malformed::ManyHeaders(_)) => Reason::LargeHead,
            Self::Malformed(Malformed::LongTarget(_)) => Reason::LongTarget,
            Self::Malformed(Malformed::LargeBody(_)) | Self::LargeBody => Reason::LargeBody,
            Self::Malformed(_) | Self::MalformedBody => Reason::Malformed,
            Self::SlowBody => Reason::SlowBody,
            Self::ConnectMethod | Self::ConnectProtocol => Reason::ConnectMethod,
            Self::Forbidden(_) | Self::UnknownClient => Reason::ForbiddenAddress,
            Self::Preflight => Reason::Preflight,
            Self::Challenge(_) => Reason::Challenge,
            Self::NoCertificate => Reason::NoCertificate,
            Self::Misdirected => Reason::Misdirected,
            Self::ForeignOrigin(_) => Reason::ForeignOrigin,
            Self::Cold(_) => Reason::ColdAnswer,
            Self::NoRoute(_) => Reason::NoRoute,
            Self::NoSuchRevision(_) => Reason::NoSuchRevision,
            Self::NoTarget(_) => Reason::NoTarget,
            Self::BusyTooLong { .. } => Reason::ReplicasBusy,
            Self::NoWebSocket { .. } => Reason::NoWebSocket,
            Self::Redirect(_) => Reason::Redirect,
            Self::NotFound(_) => Reason::UnknownHost,
            Self::NoRevision(_) => Reason::NoRevision,
            Self::AppGone { .. } => Reason::AppDeleted,
            Self::Failed { .. } => Reason::ActivationFailed,
            Self::WaitingRoomFull { .. } => Reason::WaitingRoomFull,
            Self::WaitedTooLong { .. } => Reason::WaitedTooLong,
            Self::Unreachable { .. } => Reason::Unreachable,
            Self::Broken { .. } => Reason::BrokenOff,
            Self::UnexpectedUpgrade { .. } | Self::NotSwitched { .. } => Reason::UnexpectedUpgrade,
            Self::NoAnswerInTime { .. } => Reason::NoAnswerInTime,
            Self::ClientGone => Reason::ClientGone,
        }
    }

    /// Seconds after which it is worth trying again.
    fn retry_after(&self) -> Option<&'static str> {
        match self {
            Self::WaitingRoomFull { .. } | Self::BusyTooLong { .. } => Some("1"),
            Self::Cold(instead) if instead.is_starting => Some(cold::RETRY_AFTER),
            Self::WaitedTooLong { .. } | Self::NoRevision(_) | Self::NoTarget(_) => Some("5"),
            Self::Failed { .. } => Some("10"),
            _ => None,
        }
    }

    /// The answer.
    pub(super) fn to_response(&self) -> Response<ResponseBody> {
        let status = self.status();
        if [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status) {
            let mut response = Response::new(ResponseBody::Own(None));
            *response.status_mut() = status;
            return response;
        }
        let retry_after = self.retry_after();
        let location = match &self {
            Self::Redirect(location) => Some(location.clone()),
            _ => None,
        };
        let (content_type, text) = match self {
            Self::NotFound(page) => (page.content_type, page.text.clone()),
            Self::Cold(instead) => (instead.content_type, instead.text.clone()),
            Self::Challenge(proof) => (TEXT, proof.to_string()),
            other => (TEXT, format!("{other}\n")),
        };
        let mut response = Response::new(ResponseBody::Own(Some(Bytes::from(text))));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if matches!(self, Self::Cold(_)) {
            // It is not the app's, and another the next moment.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if let Some(location) = location {
            headers.insert(LOCATION, location);
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

fn target_words(target: &HttpRouteTarget) -> String {
    let app = &target.app;
    match &target.revision {
        HttpRouteRevision::ByTraffic => format!("app {app}"),
        HttpRouteRevision::Named(revision) => format!("revision {revision}"),
        HttpRouteRevision::Labelled(label) => format!("the label {label} of app {app}"),
    }
}

impl From<Astray<'_>> for Refusal {
    fn from(astray: Astray<'_>) -> Self {
        match astray {
            Astray::Path(error) => Self::Malformed(Malformed::Path(error)),
            Astray::NoRoute(config) => Self::NoRoute(config.clone()),
            Astray::NoTarget(target) => Self::NoTarget(Box::new(target.clone())),
        }
    }
}

impl From<UploadFailure> for Refusal {
    fn from(failure: UploadFailure) -> Self {
        match failure {
            UploadFailure::Malformed => Self::MalformedBody,
            UploadFailure::TooLarge => Self::LargeBody,
            UploadFailure::TooSlow => Self::SlowBody,
            UploadFailure::Gone => Self::ClientGone,
        }
    }
}

/// The content type of texts.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
