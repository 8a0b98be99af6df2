use jiff::civil::date;
use proptest::prelude::*;

use super::*;

/// The days of 2026-11 on which a schedule comes.
fn days(text: &str) -> Vec<i8> {
    let schedule = Schedule::parse(text).unwrap();
    let days = (1..=30).filter(|day| schedule.is_on(date(2026, 11, *day)));
    days.collect()
}

/// The times of a day, in minutes.
fn minutes(text: &str) -> Vec<i32> {
    let times = Schedule::parse(text).unwrap();
    let times = times.times(date(2026, 11, 26));
    times
        .map(|time| i32::from(time.hour()) * 60 + i32::from(time.minute()))
        .collect()
}

#[test]
fn times_are_numbers_lists_ranges_and_steps() {
    for (text, expected) in [
        ("0 8 * * *", vec![480]),
        ("5,3 0,1 * * *", vec![3, 5, 63, 65]),
        ("10-12 0 ? * ?", vec![10, 11, 12]),
        ("*/20 1 * * *", vec![60, 80, 100]),
        ("10/20 0 * * *", vec![10, 30, 50]),
        ("10-45/20 0 * * *", vec![10, 30]),
        ("0-4/2,59 0 * * *", vec![0, 2, 4, 59]),
        (" 1   2  *  *  * ", vec![121]),
    ] {
        assert_eq!(minutes(text), expected, "{text}");
    }
    assert_eq!(minutes("* * * * *").len(), 1440);
}

#[test]
fn days_are_of_the_month_or_of_the_week() {
    // 2026-11-01 is a Sunday.
    for (text, expected) in [
        ("0 0 * * *", (1..=30).collect()),
        ("0 0 13 * *", vec![13]),
        ("0 0 * * 0", vec![1, 8, 15, 22, 29]),
        ("0 0 * * Mon-tue", vec![2, 3, 9, 10, 16, 17, 23, 24, 30]),
        // Either will do.
        ("0 0 13 * 0", vec![1, 8, 13, 15, 22, 29]),
        // `*/10` is some days, so that Sundays are added to it; `*/1` is any.
        ("0 0 */10 * sun", vec![1, 8, 11, 15, 21, 22, 29]),
        ("0 0 */1 * sun", vec![1, 8, 15, 22, 29]),
        ("0 0 1,2 nov *", vec![1, 2]),
        ("0 0 1,2 1-10,DEC *", vec![]),
    ] {
        assert_eq!(days(text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    for (text, expected) in [
        (
            "0 8 * *",
            "has 4 fields; give minute, hour, day of the month, month and day of the week",
        ),
        (
            "0 0 8 * * *",
            "has 6 fields; give minute, hour, day of the month, month and day of the week",
        ),
        (
            "@daily",
            "has 1 fields; give minute, hour, day of the month, month and day of the week",
        ),
        ("60 * * * *", "\"60\" is no minute, which is 0 to 59"),
        ("0 24 * * *", "\"24\" is no hour, which is 0 to 23"),
        (
            "0 0 0 * *",
            "\"0\" is no day of the month, which is 1 to 31",
        ),
        (
            "0 0 L * *",
            "\"L\" is no day of the month, which is 1 to 31",
        ),
        (
            "0 0 15W * *",
            "\"15W\" is no day of the month, which is 1 to 31",
        ),
        ("0 0 * 13 *", "\"13\" is no month, which is 1 to 12"),
        (
            "0 0 * january *",
            "\"january\" is no month, which is 1 to 12",
        ),
        ("0 0 * * 7", "\"7\" is no day of the week, which is 0 to 6"),
        (
            "0 0 * * 1#2",
            "\"1#2\" is no day of the week, which is 0 to 6",
        ),
        (
            "0 0 * * sat-sun",
            "\"sat-sun\" is no day of the week, which is 0 to 6",
        ),
        ("5-3 * * * *", "\"5-3\" is no minute, which is 0 to 59"),
        ("*/0 * * * *", "\"*/0\" is no minute, which is 0 to 59"),
        ("*-5 * * * *", "\"*-5\" is no minute, which is 0 to 59"),
        ("1,,2 * * * *", "\"\" is no minute, which is 0 to 59"),
        ("+1 * * * *", "\"+1\" is no minute, which is 0 to 59"),
        ("1/2/3 * * * *", "\"1/2/3\" is no minute, which is 0 to 59"),
        ("999 * * * *", "\"999\" is no minute, which is 0 to 59"),
    ] {
        assert_eq!(Schedule::parse(text).unwrap_err(), expected, "{text}");
    }
}

proptest! {
    /// Whatever is in a field, the schedule comes at its numbers or says what is wrong.
    #[test]
    fn any_field_is_read_or_said_to_be_wrong(field in "[0-9,*/?-]{1,8}|[a-zA-Z]{3}(-[a-z]{3})?") {
        for place in 0..5 {
            let mut fields = ["*"; 5];
            fields[place] = &field;
            match Schedule::parse(&fields.join(" ")) {
                Ok(schedule) => {
                    let times = schedule.times(date(2026, 11, 26)).count();
                    prop_assert!((1..=1440).contains(&times), "{} has {} times", field, times);
                }
                Err(error) => prop_assert!(error.contains(", which is "), "{}: {}", field, error),
            }
        }
    }
}
