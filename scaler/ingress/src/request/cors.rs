//! What browsers are told of who may ask from where (the Fetch standard, section 3.3).

use std::sync::Arc;

use ebbtide_core::policy::{Cors, CorsNames, RequestPolicy};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

use super::refusal::Refusal;
use crate::headers::vary_by;

/// A request to an app that has a policy, until its answer says what follows of that.
pub(super) struct CrossOrigin {
    policy: Arc<RequestPolicy>,
    /// Where it comes from, if one origin is named.
    origin: Option<HeaderValue>,
    preflight: Option<Preflight>,
}

/// What a browser asks before it makes a request: whether it may be made with this.
struct Preflight {
    method: HeaderValue,
    headers: Option<HeaderValue>,
}

impl CrossOrigin {
    /// None if the app has no policy.
    pub(super) fn of<B>(policy: &Arc<RequestPolicy>, request: &Request<B>) -> Option<Box<Self>> {
        policy.cors.as_ref()?;
        let headers = request.headers();
        let mut origins = headers.get_all(ORIGIN).iter();
        let first = origins.next().cloned();
        let origin = first.filter(|_| origins.next().is_none());
        let method = headers.get(ACCESS_CONTROL_REQUEST_METHOD);
        let asks = request.method() == Method::OPTIONS && origin.is_some();
        let preflight = method.filter(|_| asks).map(|method| Preflight {
            method: method.clone(),
            headers: headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
        });
        Some(Box::new(Self {
            policy: Arc::clone(policy),
            origin,
            preflight,
        }))
    }

    /// Answers a preflight, so that it wakes no app and an app need not know of it.
    pub(super) fn answer_preflight(&self) -> Result<(), Refusal> {
        if self.preflight.is_none() {
            return Ok(());
        }
        let origin = self.origin.as_ref().and_then(|origin| origin.to_str().ok());
        let origin = origin.unwrap_or_default();
        let cors = self.policy.cors.as_ref();
        if cors.is_some_and(|cors| cors.allows(origin)) {
            return Err(Refusal::Preflight);
        }
        Err(Refusal::ForeignOrigin(origin.to_owned()))
    }

    /// Says in the headers of an answer what the page that asked may have of it. What the app says of
    /// that goes: browsers take no second opinion.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        let Some(cors) = &self.policy.cors else {
            return;
        };
        take_out(headers);
        let says_all = cors.allows_all() && !cors.allow_credentials;
        if !says_all {
            vary_by(headers, "origin");
        }
        let Some(origin) = self.allowed_origin(cors) else {
            return;
        };
        if let Some(preflight) = &self.preflight {
            preflight.add_to(headers, cors);
        } else {
            let exposed = exposed(cors, headers);
            set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if cors.allow_credentials {
            let yes = HeaderValue::from_static("true");
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }

    /// The origin that an answer is for. With credentials browsers do not take `*`.
    fn allowed_origin(&self, cors: &Cors) -> Option<HeaderValue> {
        if cors.allows_all() && !cors.allow_credentials {
            return Some(HeaderValue::from_static("*"));
        }
        let origin = self.origin.as_ref()?;
        let allowed = origin.to_str().is_ok_and(|origin| cors.allows(origin));
        allowed.then(|| origin.clone())
    }
}

impl Preflight {
    /// Where all are allowed, what was asked for is: `*` does not count with credentials, and never for
    /// `Authorization`.
    fn add_to(&self, headers: &mut HeaderMap, cors: &Cors) {
        vary_by(headers, "access-control-request-method");
        vary_by(headers, "access-control-request-headers");
        let methods = names(&cors.methods, Some(&self.method));
        set(headers, ACCESS_CONTROL_ALLOW_METHODS, methods);
        let allowed = names(&cors.headers, self.headers.as_ref());
        set(headers, ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        let max_age = cors.max_age.map(HeaderValue::from);
        set(headers, ACCESS_CONTROL_MAX_AGE, max_age);
    }
}

fn names(allowed: &CorsNames, asked: Option<&HeaderValue>) -> Option<HeaderValue> {
    match allowed {
        CorsNames::Any => asked.cloned(),
        CorsNames::These(names) if names.is_empty() => None,
        CorsNames::These(names) => HeaderValue::from_str(names).ok(),
    }
}

/// The headers of an answer that a page sees. With credentials `*` is the name of a header, so they
/// are named.
fn exposed(cors: &Cors, headers: &HeaderMap) -> Option<HeaderValue> {
    if cors.allow_credentials && cors.expose == CorsNames::Any {
        let all: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        return HeaderValue::try_from(all.join(", ")).ok();
    }
    names(&cors.expose, Some(&HeaderValue::from_static("*")))
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}

fn take_out(headers: &mut HeaderMap) {
    let is_of_these = |name: &&HeaderName| name.as_str().starts_with("access-control-");
    let names: Vec<_> = headers.keys().filter(is_of_these).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
