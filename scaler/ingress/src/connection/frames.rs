//! Floods of HTTP/2 frames that cost the client nothing and ask for nothing: opened and reset streams
//! (CVE-2023-44487), PING, SETTINGS, PRIORITY, empty DATA (CVE-2019-9511 and those after it). The h2
//! crate bounds what it keeps, and answers each all the same. This looks at the nine bytes before each
//! frame alone, and at none of what the frames say.

use std::time::Duration;

use ebbtide_core::time::Timestamp;

/// Bytes of an HTTP/2 connection before its first frame.
const PREFACE: usize = 24;

/// Bytes before each frame: three of length, one of kind, one of flags, four of stream.
const HEADER: usize = 9;

/// How many frames may have been useless. Each useful one and each [`CREDIT`] bytes of answers make up
/// for one, and so does time.
const MOST_USELESS: u64 = 10_000;
const USELESS_A_SECOND: u64 = 1_000;
const CREDIT: u64 = 1024;

/// How much resetting streams may have cost: two for each, of which opening one makes up for one. So at
/// any rate half of the streams may be reset, and all of them at a low rate.
const MOST_RESETS: u64 = 1_000;
const RESETS_A_SECOND: u64 = 20;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const WINDOW_UPDATE: u8 = 8;

/// Looks at the frames that a client sends.
pub(crate) struct FrameGuard {
    /// Bytes to pass over: of the preface, or of a frame.
    skip: usize,
    header: [u8; HEADER],
    /// Bytes of the header that have come.
    filled: usize,
    useless: u64,
    resets: u64,
    sent: u64,
    since: Timestamp,
}

impl FrameGuard {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            skip: PREFACE,
            header: [0; HEADER],
            filled: 0,
            useless: 0,
            resets: 0,
            sent: 0,
            since: now,
        }
    }

    /// Looks at bytes that have come. Says whether that was too much.
    pub(crate) fn is_flood(&mut self, mut bytes: &[u8], now: Timestamp) -> bool {
        self.forgive(now.since(self.since));
        self.since = now;
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let wanted = (HEADER - self.filled).min(bytes.len());
            let (header, rest) = bytes.split_at(wanted);
            self.header[self.filled..][..wanted].copy_from_slice(header);
            self.filled += wanted;
            bytes = rest;
            if self.filled == HEADER {
                self.filled = 0;
                self.count();
            }
        }
        self.useless > MOST_USELESS || self.resets > MOST_RESETS
    }

    /// Bytes have gone to the client, who asked for them.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        self.useless = self.useless.saturating_sub(self.sent / CREDIT);
        self.sent %= CREDIT;
    }

    fn count(&mut self) {
        let [a, b, c, kind, ..] = self.header;
        self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        match kind {
            HEADERS => {
                self.resets = self.resets.saturating_sub(1);
                self.useless = self.useless.saturating_sub(1);
            }
            DATA if self.skip > 0 => self.useless = self.useless.saturating_sub(1),
            RST_STREAM => self.resets += 2,
            // These follow what the client is sent.
            WINDOW_UPDATE => {}
            _ => self.useless += 1,
        }
    }

    fn forgive(&mut self, passed: Duration) {
        let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let for_rate = |rate: u64| millis.saturating_mul(rate) / 1000;
        self.useless = self.useless.saturating_sub(for_rate(USELESS_A_SECOND));
        self.resets = self.resets.saturating_sub(for_rate(RESETS_A_SECOND));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: u8 = 6;

    fn frame(kind: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, 0, 0, 0, 0, 1];
        frame.resize(HEADER + usize::from(length), 0xff);
        frame
    }

    fn guard() -> FrameGuard {
        let mut guard = FrameGuard::new(Timestamp::ORIGIN);
        assert!(!guard.is_flood(&[0; PREFACE], Timestamp::ORIGIN));
        guard
    }

    #[test]
    fn useless_frames_are_a_flood_however_the_bytes_are_cut() {
        let flood = frame(PING, 8).repeat(10_001);
        for piece in [1, 7, 9, 17, 1000, flood.len()] {
            let mut guard = guard();
            let mut pieces = flood.chunks(piece);
            let mut read = 0;
            while !guard.is_flood(pieces.next().unwrap(), Timestamp::ORIGIN) {
                read += piece;
            }
            assert!(read + piece + 8 >= flood.len(), "{piece}: {read}");
        }
    }

    #[test]
    fn answers_requests_and_time_make_up_for_useless_frames() {
        let mut guard = guard();
        let half = frame(PING, 8).repeat(8_000);
        assert!(!guard.is_flood(&half, Timestamp::ORIGIN));
        guard.sent(2_000 * 1024);
        assert!(!guard.is_flood(&frame(DATA, 1).repeat(2_000), Timestamp::ORIGIN));
        assert!(!guard.is_flood(&half, Timestamp::from_secs(2)));
        assert!(guard.is_flood(&half, Timestamp::from_secs(2)));
    }

    #[test]
    fn every_second_stream_may_be_reset_and_not_every_one() {
        let now = Timestamp::ORIGIN;
        let mut steady = guard();
        let pair = [frame(HEADERS, 3), frame(HEADERS, 3), frame(RST_STREAM, 4)].concat();
        assert!(!steady.is_flood(&pair.repeat(100_000), now));
        let mut rapid = guard();
        let cycle = [frame(HEADERS, 3), frame(RST_STREAM, 4)].concat();
        assert!(!rapid.is_flood(&cycle.repeat(999), now));
        assert!(rapid.is_flood(&cycle, now));
    }
}
