//! What does not depend on what is followed.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::model::{Observation, Replicas, Sample};
use super::{Clocks, Follower};

/// A revision that has so many replicas from now on.
fn sample(ready: u32) -> Sample {
    Sample {
        at: Duration::ZERO,
        revision: "hello--blue".to_owned(),
        replicas: Replicas {
            ready,
            ..Replicas::default()
        },
        waiting: None,
        queues: [].into(),
    }
}

#[expect(clippy::disallowed_methods, reason = "tokio's clock, which is paused")]
/// How many seconds `until_zero` takes, of 60 at most, when there are so many replicas after so many seconds.
async fn waits(steps: &[(u64, u32)]) -> u64 {
    let seen = watch::Sender::new(Observation::default());
    let follower = Follower {
        clocks: Clocks::start(),
        seen: seen.subscribe(),
        stop: None,
        thread: None,
    };
    let start = Instant::now();
    let scales = async {
        for (at, ready) in steps {
            sleep_until(start + Duration::from_secs(*at)).await;
            seen.send_modify(|seen| seen.samples.push(sample(*ready)));
        }
        sleep(Duration::from_hours(1)).await;
    };
    tokio::select! {
        () = follower.until_zero(Duration::from_mins(1)) => start.elapsed().as_secs(),
        () = scales => unreachable!("it waits for a minute at most"),
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_zero_that_comes_after_the_requests() {
    for (steps, expected) in [
        // The first replica may be told of after the last answer; if it is not, none is waited for.
        ([(0, 0), (2, 0)].as_slice(), 5),
        (&[(0, 0), (2, 1), (30, 0)], 30),
        (&[(0, 0), (7, 1), (30, 0)], 5),
        (&[(0, 2), (10, 1), (30, 0)], 30),
        (&[(0, 2), (10, 0), (11, 1)], 10),
        (&[(0, 0), (2, 1)], 60),
    ] {
        assert_eq!(waits(steps).await, expected, "{steps:?}");
    }
}
