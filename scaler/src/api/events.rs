//! What happens, as server-sent events: the whole list of apps whenever it changed, and each event.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior};

use super::Shared;
use super::model::{AppStatus, EventRecord, List, Problem};
use super::problem::ApiError;

/// The shortest time from one list of apps to the next.
const PACE: Duration = Duration::from_millis(250);

/// A comment is sent after this long without an event, so that a dead connection is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What happens, as it happens. `event: apps` carries the list of all apps, at once and then when
/// something changed, four times a second at most; `event: event` carries one event; `event:
/// missed` says how many events were lost because they were not taken fast enough.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "apps",
    responses(
        (status = 200, description = "Events `apps` (a list of AppStatus) and `event`",
            content((List<AppStatus> = "text/event-stream"), (EventRecord = "text/event-stream"))),
        (status = 503, description = "Too many streams", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn events(
    State(api): State<Shared>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let feed = Feed::new(api)?;
    let events = stream::unfold(feed, async |mut feed| {
        let event = feed.next().await?;
        Some((Ok(event), feed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// One client's stream.
struct Feed {
    api: Shared,
    happened: Receiver<Arc<EventRecord>>,
    pace: Interval,
    sent: Option<u64>,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    fn new(api: Shared) -> Result<Self, ApiError> {
        let permit = api.stream_permit()?;
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            happened: api.sources.control.events(),
            api,
            pace,
            sent: None,
            _permit: permit,
        })
    }

    /// The next event; none when the server stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                biased;
                () = self.api.stopped() => return None,
                _ = self.pace.tick() => {
                    if let Some(event) = self.apps_if_changed() {
                        return Some(event);
                    }
                }
                happened = self.happened.recv() => return match happened {
                    Ok(record) => Some(event("event", &*record)),
                    Err(RecvError::Lagged(count)) => Some(event("missed", &count)),
                    Err(RecvError::Closed) => None,
                },
            }
        }
    }

    fn apps_if_changed(&mut self) -> Option<Event> {
        let published = self.api.sources.control.published();
        if self.sent.replace(published.sequence) == Some(published.sequence) {
            return None;
        }
        let value = published.statuses().cloned().collect();
        Some(event("apps", &List { value }))
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // JSON has no raw line ends, and our own types always serialize.
    Event::default()
        .event(name)
        .data(serde_json::to_string(data).unwrap_or_default())
}

impl super::ApiState {
    /// The right to one more answer that does not end, given back when it is dropped.
    pub(super) fn stream_permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| {
            let detail = format!(
                "{} streams of events or logs are open already; close one, or try again",
                super::MAX_STREAMS
            );
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, BodyDataStream};
    use axum::http::header::CONTENT_TYPE;
    use futures_util::StreamExt;
    use tokio::time::Instant;

    use super::*;
    use crate::api::testing::{Fixture, app, request};
    use crate::control::Published;

    async fn open(fixture: &Fixture) -> BodyDataStream {
        let get = request("GET", "/api/v1/events")
            .body(Body::empty())
            .unwrap();
        let response = fixture.start(get).await;
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        response.into_body().into_data_stream()
    }

    async fn next(stream: &mut BodyDataStream) -> Option<String> {
        let chunk = stream.next().await?.unwrap();
        Some(String::from_utf8(chunk.to_vec()).unwrap())
    }

    fn happened(message: &str) -> Arc<EventRecord> {
        Arc::new(EventRecord {
            time: String::new(),
            app: "hello".to_owned(),
            revision: None,
            replica: None,
            reason: "Decision".to_owned(),
            message: message.to_owned(),
        })
    }

    fn publish(fixture: &Fixture, sequence: u64) {
        let apps = vec![Arc::new(app(&format!("app-{sequence}")).into())];
        let published = Published {
            apps,
            sequence,
            ready: true,
            ..Published::default()
        };
        fixture.published.store(Arc::new(published));
    }

    #[tokio::test(start_paused = true)]
    async fn the_apps_come_at_once_and_when_they_change_and_events_in_between() {
        let fixture = Fixture::new();
        let mut stream = open(&fixture).await;
        let first = next(&mut stream).await.unwrap();
        assert!(
            first.starts_with("event: apps\ndata: {\"value\":[{\"name\":\"hello\""),
            "{first}"
        );
        fixture.events.send(happened("0 → 1\nsecond line")).unwrap();
        let event = next(&mut stream).await.unwrap();
        assert!(event.starts_with("event: event\ndata: {"), "{event}");
        assert!(
            event.ends_with("\"message\":\"0 → 1\\nsecond line\"}\n\n"),
            "{event}"
        );
        publish(&fixture, 2);
        let changed = next(&mut stream).await.unwrap();
        assert!(changed.contains("app-2"), "{changed}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_apps_come_four_times_a_second_at_most_and_only_when_changed() {
        let fixture = Fixture::new();
        let mut stream = open(&fixture).await;
        next(&mut stream).await.unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "tokio's paused time, not the clock"
        )]
        let now = Instant::now;
        for sequence in 2..6 {
            let before = now();
            publish(&fixture, sequence - 1);
            publish(&fixture, sequence + 100);
            let changed = next(&mut stream).await.unwrap();
            assert!(
                changed.contains(&format!("app-{}", sequence + 100)),
                "{changed}"
            );
            assert_eq!(now() - before, PACE);
        }
        let quiet = tokio::time::timeout(KEEP_ALIVE / 2, next(&mut stream)).await;
        assert!(quiet.is_err(), "nothing changed, and {quiet:?} came");
        assert_eq!(next(&mut stream).await.unwrap(), ":\n\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_is_told_how_many_events_it_missed() {
        let fixture = Fixture::new();
        let mut stream = open(&fixture).await;
        next(&mut stream).await.unwrap();
        for number in 0..6 {
            fixture.events.send(happened(&number.to_string())).unwrap();
        }
        assert_eq!(
            next(&mut stream).await.unwrap(),
            "event: missed\ndata: 2\n\n"
        );
        assert!(
            next(&mut stream)
                .await
                .unwrap()
                .contains("\"message\":\"2\"")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_streams_is_bounded_and_they_end_on_shutdown() {
        let fixture = Fixture::new();
        let mut streams = Vec::new();
        for _ in 0..crate::api::MAX_STREAMS {
            streams.push(open(&fixture).await);
        }
        let refused = fixture.get("/api/v1/events").await;
        assert_eq!(refused.problem().0, 503);
        assert_eq!(refused.headers["retry-after"], "1");
        let refused = fixture.get("/api/v1/apps/hello/logs?follow=true").await;
        assert_eq!(refused.problem().0, 503);
        let gauge = "ebbtide_status_streams 64\n";
        assert!(fixture.get("/metrics").await.text.contains(gauge));
        drop(streams.pop());
        let mut stream = open(&fixture).await;
        next(&mut stream).await.unwrap();
        fixture.stop.send_replace(true);
        assert_eq!(next(&mut stream).await, None);
    }
}
