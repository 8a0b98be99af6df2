use super::*;

fn window(start: &str, end: &str, zone: &str) -> Window {
    Window {
        start: Schedule::parse(start).unwrap(),
        end: Schedule::parse(end).unwrap(),
        zone: TimeZone::get(zone).unwrap(),
    }
}

/// The changes from a moment on, as their times in UTC and whether the window is open from then.
fn changes(window: &Window, from: &str, number: usize) -> Vec<(String, bool)> {
    let mut now: Timestamp = from.parse().unwrap();
    let mut was_open = window.state(now).unwrap().is_open;
    let mut found = Vec::new();
    while found.len() < number {
        now = window.state(now).unwrap().until;
        let is_open = window.state(now).unwrap().is_open;
        if is_open != was_open {
            found.push((now.to_string(), is_open));
            was_open = is_open;
        }
    }
    found
}

fn assert_changes(window: &Window, from: &str, expected: &[(&str, bool)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(at, is_open)| ((*at).to_owned(), *is_open))
        .collect();
    assert_eq!(changes(window, from, expected.len()), expected);
}

#[test]
fn a_window_opens_at_its_start_and_closes_at_its_end() {
    let office = window("0 8 * * mon-fri", "30 17 * * *", "UTC");
    for (now, is_open, until) in [
        ("2026-11-26T07:59:59.999Z", false, "2026-11-26T08:00:00Z"),
        ("2026-11-26T08:00:00Z", true, "2026-11-26T17:30:00Z"),
        ("2026-11-26T17:29:59Z", true, "2026-11-26T17:30:00Z"),
        ("2026-11-26T17:30:00Z", false, "2026-11-27T08:00:00Z"),
        // From Friday to Monday, with an end on Saturday that ends nothing.
        ("2026-11-27T18:00:00Z", false, "2026-11-28T17:30:00Z"),
        ("2026-11-28T17:30:00Z", false, "2026-11-29T17:30:00Z"),
        ("2026-11-29T17:30:00Z", false, "2026-11-30T08:00:00Z"),
    ] {
        let (now, until) = (now.parse().unwrap(), until.parse().unwrap());
        assert_eq!(office.state(now), Ok(State { is_open, until }), "{now}");
    }
}

#[test]
fn a_window_may_go_over_midnight_and_is_of_its_zone() {
    let night = window("0 22 * * *", "0 6 * * *", "Asia/Tokyo");
    let expected = [
        ("2026-11-26T13:00:00Z", true),
        ("2026-11-26T21:00:00Z", false),
        ("2026-11-27T13:00:00Z", true),
    ];
    assert_changes(&night, "2026-11-26T12:00:00Z", &expected);
    assert!(
        night
            .state("2026-11-26T15:00:00Z".parse().unwrap())
            .unwrap()
            .is_open
    );
}

#[test]
fn the_length_of_a_day_follows_daylight_saving() {
    // Berlin is at +02:00 until 25 October 2026.
    let office = window("0 8 * * *", "0 18 * * *", "Europe/Berlin");
    let expected = [
        ("2026-10-24T06:00:00Z", true),
        ("2026-10-24T16:00:00Z", false),
        ("2026-10-25T07:00:00Z", true),
        ("2026-10-25T17:00:00Z", false),
    ];
    assert_changes(&office, "2026-10-24T00:00:00Z", &expected);
}

#[test]
fn what_the_clock_skips_comes_as_it_does() {
    // In Berlin 02:00 becomes 03:00 on 29 March 2026, at 01:00 UTC.
    let from = "2026-03-28T23:00:00Z";
    let start = window("30 2 * * *", "0 6 * * *", "Europe/Berlin");
    let expected = [
        ("2026-03-29T01:00:00Z", true),
        ("2026-03-29T04:00:00Z", false),
    ];
    assert_changes(&start, from, &expected);
    let end = window("0 1 * * *", "0 2 * * *", "Europe/Berlin");
    let expected = [
        ("2026-03-29T00:00:00Z", true),
        ("2026-03-29T01:00:00Z", false),
    ];
    assert_changes(&end, from, &expected);
    // It begins and ends at once, so that it does not open at all until the day after.
    let both = window("15 2 * * *", "45 2 * * *", "Europe/Berlin");
    assert_changes(&both, from, &[("2026-03-30T00:15:00Z", true)]);
    // And what begins after it has ended is open.
    let hours = window("0 * * * *", "30 * * * *", "Europe/Berlin");
    let expected = [
        ("2026-03-29T00:00:00Z", true),
        ("2026-03-29T00:30:00Z", false),
        ("2026-03-29T01:00:00Z", true),
        ("2026-03-29T01:30:00Z", false),
    ];
    assert_changes(&hours, "2026-03-28T23:45:00Z", &expected);
}

#[test]
fn what_the_clock_shows_twice_comes_twice() {
    // In Berlin 03:00 becomes 02:00 on 25 October 2026, at 01:00 UTC.
    let from = "2026-10-24T22:00:00Z";
    let short = window("15 2 * * *", "45 2 * * *", "Europe/Berlin");
    let expected = [
        ("2026-10-25T00:15:00Z", true),
        ("2026-10-25T00:45:00Z", false),
        ("2026-10-25T01:15:00Z", true),
        ("2026-10-25T01:45:00Z", false),
        ("2026-10-26T01:15:00Z", true),
    ];
    assert_changes(&short, from, &expected);
    // A start that comes again changes nothing.
    let long = window("30 2 * * *", "0 6 * * *", "Europe/Berlin");
    let expected = [
        ("2026-10-25T00:30:00Z", true),
        ("2026-10-25T05:00:00Z", false),
    ];
    assert_changes(&long, from, &expected);
}

#[test]
fn a_clock_that_is_put_back_over_midnight_shows_the_day_before_again() {
    // In Newfoundland 00:01 became 23:01 of the day before, on 7 November 2010 at 02:31 UTC.
    let night = window("30 23 * * *", "0 0 * * *", "America/St_Johns");
    let expected = [
        ("2010-11-07T02:00:00Z", true),
        ("2010-11-07T02:30:00Z", false),
        ("2010-11-07T03:00:00Z", true),
        ("2010-11-07T03:30:00Z", false),
    ];
    assert_changes(&night, "2010-11-07T01:00:00Z", &expected);
}

#[test]
fn the_next_time_may_be_years_away_but_not_never() {
    let leap = window("0 0 29 2 *", "0 0 1 3 *", "UTC");
    let state = leap.state("2097-01-01T00:00:00Z".parse().unwrap()).unwrap();
    assert!(!state.is_open);
    assert_changes(
        &leap,
        "2097-01-01T00:00:00Z",
        &[("2104-02-29T00:00:00Z", true)],
    );
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let never = "0 0 30 2 *";
    assert_eq!(
        window(never, "0 0 * * *", "UTC").state(now),
        Err(Never::Start)
    );
    assert_eq!(
        window("0 0 * * *", never, "UTC").state(now),
        Err(Never::End)
    );
}

#[test]
fn when_both_come_at_once_what_comes_then_tells() {
    let expected = [
        ("2026-11-26T08:00:00Z", true),
        ("2026-11-26T18:00:00Z", false),
        ("2026-11-27T08:00:00Z", true),
    ];
    for (start, end) in [
        ("0 8 * * *", "0 8,18 * * *"),
        ("0 8,18 * * *", "0 18 * * *"),
    ] {
        assert_changes(
            &window(start, end, "UTC"),
            "2026-11-26T07:00:00Z",
            &expected,
        );
    }
}

#[test]
fn a_start_in_an_open_window_changes_nothing() {
    let hours = window("*/10 8-9 * * *", "0 18 * * *", "UTC");
    let expected = [
        ("2026-11-26T08:00:00Z", true),
        ("2026-11-26T18:00:00Z", false),
    ];
    assert_changes(&hours, "2026-11-26T07:00:00Z", &expected);
}

#[test]
fn every_machine_has_the_time_zones() {
    let bundled = jiff::tz::TimeZoneDatabase::bundled();
    assert!(bundled.get("Europe/Berlin").is_ok());
}
