//! One worker's share of the clients of a closed loop, each of which sends when it has its answer.

use std::ops::Range;
use std::time::Duration;

/// Some of the clients. The n-th request of client c of C clients has position n·C + c, so that a seed gives the
/// same requests however many workers there are.
#[derive(Debug)]
pub(super) struct Clients {
    /// Of the run.
    count: u64,
    /// This worker's.
    own: Range<u64>,
    /// How many requests each of its has begun.
    begun: Vec<u64>,
    until: Duration,
    pause: Duration,
    ended: bool,
}

impl Clients {
    pub(super) fn new(count: u64, own: Range<u64>, until: Duration, pause: Duration) -> Self {
        let begun = own.clone().map(|_| 0).collect();
        Self {
            count,
            own,
            begun,
            until,
            pause,
            ended: false,
        }
    }

    pub(super) fn all(&self) -> Range<u64> {
        self.own.clone()
    }

    /// Requests are begun until then.
    pub(super) fn until(&self) -> Duration {
        self.until
    }

    /// What a client waits between an answer and its next request.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    /// Whose request has this position.
    pub(super) fn client(&self, position: u64) -> u64 {
        position % self.count
    }

    /// The position of the next request of a client, which begins now; none if it is too late.
    pub(super) fn next(&mut self, client: u64, now: Duration) -> Option<u64> {
        if self.ended || now >= self.until {
            return None;
        }
        let own = usize::try_from(client.checked_sub(self.own.start)?).ok()?;
        let begun = self.begun.get_mut(own)?;
        *begun += 1;
        Some((*begun - 1) * self.count + client)
    }

    /// Nothing more is begun.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_positions_of_its_own() {
        let until = Duration::from_secs(1);
        let mut clients = Clients::new(5, 2..4, until, Duration::ZERO);
        let now = Duration::ZERO;
        let positions: Vec<_> = [2, 3, 3, 2].map(|client| clients.next(client, now)).into();
        assert_eq!(positions, [2, 3, 8, 7].map(Some));
        for position in positions.into_iter().flatten() {
            assert!(clients.all().contains(&clients.client(position)));
        }
        assert_eq!(clients.next(4, now), None);
        assert_eq!(clients.next(2, until), None);
        clients.end();
        assert_eq!(clients.next(2, now), None);
    }
}
