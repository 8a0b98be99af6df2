//! `cron`: replicas by the clock.

mod schedule;
mod window;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::sleep;

use self::schedule::Schedule;
use self::window::{Never, State, Window};
use super::{Context, Hearing, Reader, Reading};
use crate::amount::Amount;
use crate::clock::WallClock;
use crate::parameters::Parameters;
use ebbtide_brokers::error::ReadError;

const ZONE: &str = "timezone";
const START: &str = "start";
const END: &str = "end";
const REPLICAS: &str = "desiredReplicas";

/// The longest sleep: the wall clock may be put right in the meantime.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

struct Cron {
    clock: Arc<dyn WallClock>,
    window: Window,
    replicas: f64,
    /// What was found last, and when.
    found: Option<(Timestamp, State)>,
}

/// A reader for these parameters.
///
/// # Errors
/// A time zone that there is not, or a schedule that is none.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let schedule = |key| {
        let parsed = Schedule::parse(parameters.required(key)?);
        parsed.map_err(|error| ReadError::of(key, error))
    };
    let (start, end) = (schedule(START)?, schedule(END)?);
    if start == end {
        let message = "is the same as start, so that there is no time between them";
        return Err(ReadError::of(END, message));
    }
    let zone = parameters.required(ZONE)?;
    let unknown = |_| {
        let message = format!("there is no time zone {zone:?}; give a name as in Europe/Berlin");
        ReadError::of(ZONE, message)
    };
    let zone = TimeZone::get(zone).map_err(unknown)?;
    let replicas = parameters.number(REPLICAS);
    Ok(Box::new(Cron {
        clock: Arc::clone(&context.clock),
        window: Window { start, end, zone },
        replicas: replicas.ok_or_else(|| ReadError::of(REPLICAS, "is missing"))?,
        found: None,
    }))
}

impl Reader for Cron {
    fn read(&mut self) -> Reading<'_> {
        let amount = self.amount(self.clock.wall_now());
        Box::pin(std::future::ready(amount))
    }

    fn hears(&mut self) -> Hearing<'_> {
        Box::pin(self.change())
    }
}

impl Cron {
    fn amount(&mut self, now: Timestamp) -> Result<Amount, ReadError> {
        let open = f64::from(u8::from(self.state(now)?.is_open));
        Ok(Amount {
            activity: Some(open),
            ..Amount::from(open * self.replicas)
        })
    }

    /// What holds now: what was found before, as long as it does.
    fn state(&mut self, now: Timestamp) -> Result<State, ReadError> {
        let known = |&(at, state): &(Timestamp, State)| (at..state.until).contains(&now);
        if let Some((_, state)) = self.found.filter(known) {
            return Ok(state);
        }
        let never = |never| {
            let key = match never {
                Never::Start => START,
                Never::End => END,
            };
            ReadError::of(key, "never comes; give a day that the month has")
        };
        let state = self.window.state(now).map_err(never)?;
        self.found = Some((now, state));
        Ok(state)
    }

    /// Ends when the next start or end has come.
    async fn change(&self) {
        let Some((_, State { until, .. })) = self.found else {
            return std::future::pending().await;
        };
        loop {
            let left = until.duration_since(self.clock.wall_now());
            let Ok(left) = Duration::try_from(left) else {
                return;
            };
            if left.is_zero() {
                return;
            }
            sleep(left.min(LONGEST_SLEEP)).await;
        }
    }
}

#[cfg(test)]
mod tests;
