use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const FIFTEEN: Duration = Duration::from_secs(15);

fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_millis(milliseconds)
}

/// The sums that requests `(start, end)` in milliseconds have left by the time `now`.
fn sums(requests: &[(u64, u64)], now: u64) -> RequestSums {
    let mut sums = RequestSums::default();
    for &(start, end) in requests {
        if start <= now {
            sums.started += 1;
            sums.started_nanos = sums.started_nanos.wrapping_add(at(start).as_nanos());
        }
        if end <= now {
            sums.ended += 1;
            sums.ended_nanos = sums.ended_nanos.wrapping_add(at(end).as_nanos());
        }
    }
    sums
}

fn observed(requests: &[(u64, u64)], times: &[u64]) -> RequestWindow {
    let mut window = RequestWindow::new(MINUTE);
    for &time in times {
        window.observe(at(time), sums(requests, time));
    }
    window
}

#[test]
fn the_average_is_weighted_by_time() {
    // One request for all of 10 s, one for 5 s, one that has not ended.
    let requests = [(0, 10_000), (2_000, 7_000), (9_000, u64::MAX)];
    let window = observed(&requests, &[0, 10_000]);
    let average = window.concurrency(at(10_000), FIFTEEN).unwrap();
    assert!((average - 1.6).abs() < 1e-12, "{average}");
    // The first had started when the window began.
    assert_eq!(window.rate(at(10_000), FIFTEEN), Some(0.2));
}

/// The time that an average over the last `asked` really covers.
fn covered(window: &RequestWindow, now: Timestamp, asked: Duration) -> Option<Duration> {
    let (from, to) = window.ends(now, asked)?;
    Some(to.at.since(from.at))
}

#[test]
fn a_window_starts_at_the_newest_reading_that_is_old_enough() {
    let window = observed(&[], &[0, 4_000, 6_000, 20_000]);
    for (now, asked, expected) in [
        (20_000, 14_000, 14_000),
        (20_000, 15_000, 16_000),
        (20_500, 14_500, 14_000),
        (20_000, 60_000, 20_000), // partial: the history is shorter
    ] {
        let covers = covered(&window, at(now), Duration::from_millis(asked));
        assert_eq!(covers, Some(Duration::from_millis(expected)), "{asked}");
    }
}

#[test]
fn one_reading_says_nothing_and_neither_does_none() {
    for times in [&[][..], &[5_000], &[5_000, 5_000]] {
        let window = observed(&[(0, 9_000)], times);
        assert_eq!(window.concurrency(at(5_000), FIFTEEN), None);
        assert_eq!(window.rate(at(5_000), FIFTEEN), None);
        assert_eq!(covered(&window, at(5_000), FIFTEEN), None);
    }
}

#[test]
fn a_load_that_is_over_decays_to_exactly_zero() {
    let requests = [(0, 3_000), (1, 2_999)];
    let window = observed(&requests, &[0, 3_000, 10_000, 18_000]);
    assert_eq!(window.concurrency(at(18_000), FIFTEEN), Some(0.0));
    assert_eq!(window.rate(at(18_000), FIFTEEN), Some(0.0));
}

#[test]
fn sums_may_wrap() {
    let hour = 3_600_000;
    let in_flight = 100_000;
    let mut before = RequestSums::default();
    // Enough requests that the sum of their start times wraps more than once.
    before.started = 30_000_000;
    before.ended = before.started - in_flight;
    before.started_nanos = before.started.wrapping_mul(at(hour).as_nanos());
    before.ended_nanos = before.ended.wrapping_mul(at(hour).as_nanos());
    let mut window = RequestWindow::new(MINUTE);
    window.observe(at(hour), before);
    window.observe(at(hour + 15_000), before);
    let average = window.concurrency(at(hour + 15_000), FIFTEEN);
    assert_eq!(average, Some(100_000.0));
}

#[test]
fn counters_that_begin_anew_and_time_that_goes_back_give_no_nonsense() {
    let mut window = observed(&[(0, 100), (0, 200)], &[1_000, 2_000]);
    window.observe(at(500), RequestSums::default());
    assert_eq!(window.newest(), Some(at(2_000)));
    window.observe(at(3_000), RequestSums::default());
    assert_eq!(covered(&window, at(3_000), FIFTEEN), None);
    assert_eq!(window.newest(), Some(at(3_000)));
}

#[test]
fn sums_read_halfway_through_a_change_are_not_a_huge_load() {
    let mut window = observed(&[], &[1_000]);
    let torn = RequestSums {
        started: 1,
        ended: 1,
        started_nanos: at(1_500).as_nanos(),
        ended_nanos: 0,
    };
    window.observe(at(2_000), torn);
    assert_eq!(window.concurrency(at(2_000), FIFTEEN), Some(0.0));
}

#[test]
fn the_history_is_bounded_however_often_it_observes() {
    let mut window = RequestWindow::new(MINUTE);
    for millisecond in 0..200_000 {
        window.observe(at(millisecond), RequestSums::default());
    }
    assert!(window.readings.len() <= 260, "{}", window.readings.len());
    let fifteen = covered(&window, at(199_999), FIFTEEN).unwrap();
    assert!(fifteen >= FIFTEEN && fifteen < FIFTEEN + MINUTE / 256 * 2);
    assert!(covered(&window, at(199_999), MINUTE).unwrap() >= MINUTE);
}

/// The same average, added up millisecond by millisecond.
fn brute_force(requests: &[(u64, u64)], from: u64, to: u64) -> f64 {
    let in_flight = |time: u64| {
        let holds = |&&(start, end): &&(u64, u64)| start <= time && time < end;
        requests.iter().filter(holds).count()
    };
    let total: usize = (from..to).map(in_flight).sum();
    count(total) / count(usize::try_from(to - from).unwrap())
}

fn count(many: usize) -> f64 {
    f64::from(u32::try_from(many).unwrap())
}

proptest! {
    #[test]
    fn it_agrees_with_the_integral_by_brute_force(
        requests in prop::collection::vec((0..4_000_u64, 0..3_000_u64), 0..40),
        times in prop::collection::btree_set(0..5_000_u64, 2..20),
        length in 1..5_000_u64,
    ) {
        let requests: Vec<_> = requests.iter().map(|(start, long)| (*start, start + long)).collect();
        let mut window = RequestWindow::new(MINUTE);
        for &time in &times {
            window.observe(at(time), sums(&requests, time));
        }
        let kept: Vec<_> = window.readings.iter().map(|it| it.at.as_nanos() / 1_000_000).collect();
        let now = *kept.last().unwrap();
        prop_assert_eq!(Some(&now), times.last());
        let from = *kept.iter().rev().find(|it| now - **it >= length).unwrap_or(&kept[0]);

        let length = Duration::from_millis(length);
        let average = window.concurrency(at(now), length).unwrap();
        let truth = brute_force(&requests, from, now);
        prop_assert!((average - truth).abs() < 1e-9, "{average} is not {truth}");
        let started = requests.iter().filter(|(start, _)| from < *start && *start <= now);
        let per_second = count(started.count()) * 1000.0 / count(usize::try_from(now - from).unwrap());
        prop_assert!((window.rate(at(now), length).unwrap() - per_second).abs() < 1e-9);
    }
}
