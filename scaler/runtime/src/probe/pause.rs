//! Pauses between tries that are shorter than a millisecond.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

/// Tokio's timers are a millisecond wide and round up; from here on that does not matter.
const COARSE: Duration = Duration::from_millis(10);

/// Makes pauses.
#[derive(Default)]
pub(super) struct Pauses(Option<fine::Timer>);

impl Pauses {
    /// Waits `time`: to some tens of microseconds if it is short and the system has such timers.
    pub(super) async fn pause(&mut self, time: Duration) {
        if time >= COARSE || self.finely(time).await.is_err() {
            sleep(time).await;
        }
    }

    async fn finely(&mut self, time: Duration) -> io::Result<()> {
        let timer = match self.0.take() {
            Some(timer) => timer,
            None => fine::Timer::new()?,
        };
        self.0.insert(timer).wait(time).await
    }
}

#[cfg(target_os = "linux")]
mod fine {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::AsyncReadExt as _;
    use tokio::net::unix::pipe::Receiver;

    /// A timer of the system. Like a pipe it can be read, here once its time has come.
    pub(super) struct Timer {
        timer: OwnedFd,
        end: Receiver,
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let end = Receiver::from_owned_fd_unchecked(timer.try_clone()?)?;
            Ok(Self { timer, end })
        }

        pub(super) async fn wait(&mut self, time: Duration) -> io::Result<()> {
            let none = Timespec::try_from(Duration::ZERO).map_err(io::Error::other)?;
            // One of no time at all would never end.
            let time = Timespec::try_from(time.max(Duration::from_nanos(1)));
            let once = Itimerspec {
                it_interval: none,
                it_value: time.map_err(io::Error::other)?,
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
            // As often as it has ended, which is once.
            self.end.read_u64().await.map(drop)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod fine {
    use std::io;
    use std::time::Duration;

    /// There is none.
    pub(super) enum Timer {}

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) async fn wait(&mut self, _: Duration) -> io::Result<()> {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "no pause may end early")]
    async fn a_pause_takes_its_time_each_time() {
        let mut pauses = Pauses::default();
        for time in [0, 1, 200, 900, 12_000].map(Duration::from_micros) {
            let began = Instant::now();
            pauses.pause(time).await;
            assert!(began.elapsed() >= time, "{time:?}");
        }
    }
}
