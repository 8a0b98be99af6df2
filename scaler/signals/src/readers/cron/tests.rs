use std::collections::BTreeMap;
use std::sync::Mutex;

use ebbtide_core::document::{RuleForm, ScaleRule};
use ebbtide_core::time::Clock;
use tokio::time::Instant;

use super::*;
use crate::parameters::Lookup;
use crate::readers;
use ebbtide_brokers::connect::Connect;

/// A wall clock that goes as tokio's does, and can be put forward.
struct TestClock {
    origin: Instant,
    shown: Mutex<Timestamp>,
}

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "this is the tests' clock")]
    fn at(shown: &str) -> Arc<Self> {
        Arc::new(Self {
            origin: Instant::now(),
            shown: Mutex::new(shown.parse().unwrap()),
        })
    }

    fn put_forward(&self, by: Duration) {
        let mut shown = self.shown.lock().unwrap();
        *shown += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> ebbtide_core::time::Timestamp {
        ebbtide_core::time::Timestamp::ORIGIN + self.origin.elapsed()
    }
}

impl WallClock for TestClock {
    fn wall_now(&self) -> Timestamp {
        *self.shown.lock().unwrap() + self.origin.elapsed()
    }
}

struct Nothing;

impl Lookup for Nothing {
    fn secret(&self, _: &str) -> Result<String, String> {
        Err("there is none".to_owned())
    }

    fn variable(&self, _: &str) -> Result<String, String> {
        Err("there is none".to_owned())
    }
}

fn opened(clock: &Arc<TestClock>, changed: &[(&str, &str)]) -> Result<Box<dyn Reader>, ReadError> {
    let mut metadata = BTreeMap::from([
        (ZONE.to_owned(), "Europe/Berlin".to_owned()),
        (START.to_owned(), "0 8 * * *".to_owned()),
        (END.to_owned(), "0 18 * * *".to_owned()),
        (REPLICAS.to_owned(), "5".to_owned()),
    ]);
    for (key, value) in changed {
        metadata.insert((*key).to_owned(), (*value).to_owned());
    }
    let rule = ScaleRule {
        name: "office".to_owned(),
        form: RuleForm::Custom,
        scaler: "cron".to_owned(),
        metadata,
        auth: Vec::new(),
        identity: None,
    };
    let parameters = Parameters::resolve(&rule, &Nothing).unwrap()?;
    let context = Context {
        connect: Connect::anywhere(),
        clock: Arc::clone(clock) as Arc<dyn WallClock>,
    };
    readers::open(&parameters, &context)
}

fn amount(value: f64, activity: f64) -> Amount {
    Amount {
        activity: Some(activity),
        ..Amount::from(value)
    }
}

#[tokio::test(start_paused = true)]
async fn replicas_come_and_go_with_the_minute() {
    let clock = TestClock::at("2026-11-26T06:59:30Z");
    let mut reader = opened(&clock, &[]).unwrap();
    assert_eq!(reader.read().await, Ok(amount(0.0, 0.0)));
    for (at, expected) in [
        ("2026-11-26T07:00:00Z", amount(5.0, 1.0)),
        ("2026-11-26T17:00:00Z", amount(0.0, 0.0)),
        ("2026-11-27T07:00:00Z", amount(5.0, 1.0)),
    ] {
        reader.hears().await;
        let shown = clock.wall_now().duration_since(at.parse().unwrap());
        assert!((0..10).contains(&shown.as_millis()), "{shown:?} after {at}");
        assert_eq!(reader.read().await, Ok(expected), "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_put_right_is_noticed() {
    let clock = TestClock::at("2026-11-26T01:00:00Z");
    let mut reader = opened(&clock, &[]).unwrap();
    assert_eq!(reader.read().await, Ok(amount(0.0, 0.0)));
    clock.put_forward(Duration::from_hours(6));
    reader.hears().await;
    assert_eq!(reader.read().await, Ok(amount(5.0, 1.0)));
    clock.put_forward(Duration::from_hours(12));
    assert_eq!(reader.read().await, Ok(amount(0.0, 0.0)));
}

#[tokio::test(start_paused = true)]
async fn a_window_for_no_replicas_is_active_all_the_same() {
    let clock = TestClock::at("2026-11-26T12:00:00Z");
    let mut reader = opened(&clock, &[(REPLICAS, "0")]).unwrap();
    assert_eq!(reader.read().await, Ok(amount(0.0, 1.0)));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_named() {
    let clock = TestClock::at("2026-11-26T12:00:00Z");
    for (changed, expected) in [
        (
            (ZONE, "Europe/Atlantis"),
            "timezone: there is no time zone \"Europe/Atlantis\"; give a name as in Europe/Berlin",
        ),
        (
            (START, "0 25 * * *"),
            "start: \"25\" is no hour, which is 0 to 23",
        ),
        (
            (END, "0 18 * * 7"),
            "end: \"7\" is no day of the week, which is 0 to 6",
        ),
        (
            (END, "00 08 * * *"),
            "end: is the same as start, so that there is no time between them",
        ),
    ] {
        let error = opened(&clock, &[changed]).err().unwrap();
        assert_eq!(error.to_string(), expected);
    }
    let mut reader = opened(&clock, &[(START, "0 8 31 6 *")]).unwrap();
    let error = reader.read().await.unwrap_err().to_string();
    assert_eq!(error, "start: never comes; give a day that the month has");
}
