//! What the example answers.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::middleware::map_response_with_state;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{any, get};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{interval, sleep};

use super::page::Identity;

/// The longest that a query may make a request take.
const LONGEST: Duration = Duration::from_mins(10);

#[derive(Clone)]
struct Sample {
    identity: Arc<Identity>,
    work_time: Duration,
    /// Turns true when the process is about to end.
    ending: watch::Receiver<bool>,
}

/// `/healthz` at once, `/stream`, `/burn?ms=`; everything else is the page after the work time.
pub(super) fn router(
    identity: Identity,
    work_time: Duration,
    ending: watch::Receiver<bool>,
) -> Router {
    let sample = Sample {
        identity: Arc::new(identity),
        work_time,
        ending,
    };
    Router::new()
        .route("/healthz", get("ok\n"))
        .route("/stream", get(stream))
        .route("/burn", any(burn))
        .fallback(work)
        .layer(map_response_with_state(sample.clone(), sign))
        .with_state(sample)
}

/// Every answer says which replica gave it.
async fn sign(State(sample): State<Sample>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-revision", sample.identity.revision().clone());
    headers.insert("x-replica", sample.identity.replica().clone());
    response
}

#[derive(Deserialize)]
struct WorkQuery {
    /// Milliseconds, in place of the work time.
    work: Option<u64>,
}

async fn work(
    State(sample): State<Sample>,
    Query(query): Query<WorkQuery>,
    headers: HeaderMap,
) -> Response {
    let asked = query.work.map(Duration::from_millis);
    sleep(asked.unwrap_or(sample.work_time).min(LONGEST)).await;
    page(&sample, &headers)
}

#[derive(Deserialize)]
struct BurnQuery {
    /// Milliseconds to keep a processor busy for.
    ms: u64,
}

async fn burn(
    State(sample): State<Sample>,
    Query(query): Query<BurnQuery>,
    headers: HeaderMap,
) -> Response {
    let mut enough = pin!(sleep(Duration::from_millis(query.ms).min(LONGEST)));
    loop {
        tokio::select! {
            biased;
            () = &mut enough => return page(&sample, &headers),
            () = burn_a_little() => {}
        }
    }
}

/// Some tens of microseconds of arithmetic, so that other requests have their turn in between.
async fn burn_a_little() {
    let mut state = 1_u64;
    for round in 0..20_000 {
        state = black_box(state.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round);
    }
    yield_now().await;
}

fn page(sample: &Sample, headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT);
    let accepted = accept.and_then(|accept| accept.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        Html(sample.identity.html()).into_response()
    } else {
        sample.identity.text().into_response()
    }
}

/// An event each second, until the client leaves or the process is about to end.
async fn stream(
    State(sample): State<Sample>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let every = interval(Duration::from_secs(1));
    let state = (every, sample.ending, 0_u64);
    Sse::new(stream::unfold(
        state,
        async |(mut every, mut ending, count)| {
            tokio::select! {
                () = end_of(&mut ending) => None,
                _ = every.tick() => {
                    let event = Event::default().data(format!("line {count}"));
                    Some((Ok(event), (every, ending, count + 1)))
                }
            }
        },
    ))
}

/// Waits for `ending` to turn true. A sender that is gone is an end too.
async fn end_of(ending: &mut watch::Receiver<bool>) {
    let _ = ending.wait_for(|ending| *ending).await;
}
