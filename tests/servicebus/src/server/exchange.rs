//! One request, from its head to its answer.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;

use super::answer::{Answer, Refused};
use super::control::control;
use super::manage::{self, List, Path};
use super::messages;
use super::route::Route;
use super::shared::{Counters, Shared};
use crate::broker::{Failure, Receive, Settle};
use crate::sas::{Asked, Refusal, Right, verify};

/// Answers a request.
pub(super) async fn exchange(shared: &Shared, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let route = Route::parse(path);
    let control = matches!(route, Ok(Route::Control(_)));
    // What the stand-in itself is told is not counted, and no fault strikes it.
    let number = (!control).then(|| Counters::add(&shared.counters.requests));
    if !control
        && let Some(fault) = shared.faults.strike(path)
        && let Some(answer) = fault.happen().await
    {
        return answer;
    }
    let for_messages = route.as_ref().is_ok_and(Route::is_for_messages);
    let answer = answer(shared, route, &head, body).await;
    answer.unwrap_or_else(|refused| {
        if matches!(refused, Refused::Token(_)) {
            Counters::add(&shared.counters.unauthorized);
        }
        refused.answer(for_messages, &format!("{:08x}", number.unwrap_or_default()))
    })
}

async fn answer(
    shared: &Shared,
    route: Result<Route, Refused>,
    head: &Parts,
    body: Incoming,
) -> Result<Answer, Refused> {
    if let Ok(Route::Control(resource)) = &route {
        let body = read(shared, body).await?;
        return control(shared, &head.method, resource, &body);
    }
    // Who may not ask does not learn whether the question was well put.
    let right = route.as_ref().map_or(Right::Manage, right);
    authorize(shared, head, right)?;
    let route = route?;
    let (method, headers) = (&head.method, &head.headers);
    let query = head.uri.query().unwrap_or_default();
    let authority = authority(shared, headers);
    match (method, route) {
        (&Method::POST, Route::Messages(name)) => {
            let body = read(shared, body).await?;
            messages::send(shared, &name, headers, body)
        }
        (&Method::POST, Route::Head(source)) => {
            messages::receive(shared, &source, Receive::PeekLock, query, authority).await
        }
        (&Method::DELETE, Route::Head(source)) => {
            messages::receive(shared, &source, Receive::AndDelete, query, authority).await
        }
        (method, Route::Locked(source, message, token)) => {
            let how = match *method {
                Method::DELETE => Settle::Complete,
                Method::PUT => Settle::Unlock,
                Method::POST => Settle::Renew,
                _ => return Err(not_for(head)),
            };
            messages::settle(shared, &source, (&message, token), how)
        }
        (&Method::GET, Route::Queues) => {
            manage::list(shared, List::Queues, (head.uri.path(), query), authority)
        }
        (&Method::GET, Route::Topics) => {
            manage::list(shared, List::Topics, (head.uri.path(), query), authority)
        }
        (&Method::GET, Route::Subscriptions(topic)) => {
            let list = List::Subscriptions(&topic);
            manage::list(shared, list, (head.uri.path(), query), authority)
        }
        (method, Route::Entity(entity)) => {
            let path = Path {
                entity: &entity,
                subscription: None,
            };
            entity_request(shared, path, (method, head), body).await
        }
        (method, Route::Subscription(entity, subscription)) => {
            let path = Path {
                entity: &entity,
                subscription: Some(&subscription),
            };
            entity_request(shared, path, (method, head), body).await
        }
        _ => Err(not_for(head)),
    }
}

async fn entity_request(
    shared: &Shared,
    path: Path<'_>,
    (method, head): (&Method, &Parts),
    body: Incoming,
) -> Result<Answer, Refused> {
    let authority = authority(shared, &head.headers);
    match *method {
        Method::GET => manage::get(shared, path, authority),
        Method::PUT => {
            let body = read(shared, body).await?;
            manage::put(shared, path, (&head.headers, &body), authority)
        }
        Method::DELETE => manage::delete(shared, path),
        _ => Err(not_for(head)),
    }
}

fn not_for(head: &Parts) -> Refused {
    Refused::Method {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
    }
}

fn right(route: &Route) -> Right {
    match route {
        Route::Messages(_) => Right::Send,
        Route::Head(_) | Route::Locked(..) => Right::Listen,
        _ => Right::Manage,
    }
}

fn authorize(shared: &Shared, head: &Parts, right: Right) -> Result<(), Refused> {
    let token = head.headers.get(AUTHORIZATION).map(|value| value.to_str());
    let token = token.transpose();
    let token = token.map_err(|_| Refused::Token(Refusal::Malformed("Authorization")))?;
    let asked = Asked {
        path: head.uri.path(),
        right,
    };
    let now = shared.clock.now();
    verify(&shared.policies, &shared.hosts, token, asked, now).map_err(Refused::Token)
}

/// The host and port as the client has them, which links in answers have too.
fn authority<'a>(shared: &'a Shared, headers: &'a HeaderMap) -> &'a str {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.or(shared.hosts.first().map(String::as_str))
        .unwrap_or_default()
}

/// The body, which may not be larger than a message.
async fn read(shared: &Shared, body: Incoming) -> Result<Bytes, Refused> {
    let limit = shared.read(|namespace, _| namespace.limits().message_bytes);
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let size = limit.saturating_add(1);
            Err(Failure::TooLarge { size, limit }.into())
        }
        Err(error) => Err(Refused::bad(format!("the body broke off: {error}"))),
    }
}
