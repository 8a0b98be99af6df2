//! Wakes a task when a time has come, as exactly as the system can.

#[cfg(target_os = "linux")]
pub(super) use linux::Alarm;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Alarm;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A timer of the system's, which ends to the microsecond: those of the runtime are a millisecond wide.
    #[derive(Debug)]
    pub(in super::super) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        #[expect(
            deprecated,
            reason = "what replaces it is unsafe; it asks that the descriptor stays open and the same, and an OwnedFd \
                      that nobody else gets does"
        )]
        pub(in super::super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
        }

        /// Waits for so long; after a wait that was given up it may be shorter.
        pub(in super::super) async fn wait(&mut self, duration: Duration) -> io::Result<()> {
            // A time of zero would stop the timer.
            let duration = duration.max(Duration::from_nanos(1));
            let time = Itimerspec {
                it_interval: Timespec::default(),
                it_value: Timespec {
                    tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: duration.subsec_nanos().into(),
                },
            };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &time)?;
            // Setting it again also takes back that it has ended, so it need not be read.
            self.0.readable().await?.clear_ready();
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::io;
    use std::time::Duration;

    /// The timer of the runtime: up to a millisecond late, which the run's lateness tells.
    #[derive(Debug)]
    pub(in super::super) struct Alarm;

    impl Alarm {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits for so long.
        pub(in super::super) async fn wait(&mut self, duration: Duration) -> io::Result<()> {
            tokio::time::sleep(duration).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::RunClock;

    #[tokio::test]
    async fn an_alarm_is_never_early_and_can_be_set_again() {
        let mut alarm = Alarm::new().unwrap();
        let clock = RunClock::start();
        for micros in [0, 1, 300, 2_000, 50, 900] {
            let duration = Duration::from_micros(micros);
            let until = clock.elapsed() + duration;
            alarm.wait(duration).await.unwrap();
            assert!(clock.elapsed() >= until, "{micros}");
        }
    }
}
