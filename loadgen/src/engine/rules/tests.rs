//! What is found in answers.

use super::*;

#[test]
fn a_cold_start_is_read_of_server_timing() {
    for (value, millis) in [
        ("coldstart;dur=12.5", Some(12.5)),
        ("db;dur=3, coldstart;dur=40", Some(40.0)),
        ("ColdStart; desc=\"a\" ; DUR=\"7\"", Some(7.0)),
        ("coldstart", None),
        ("coldstart;dur=-1", None),
        ("coldstart;dur=NaN", None),
        ("coldstarts;dur=1", None),
        ("", None),
    ] {
        let found = cold_start(value.as_bytes()).map(|found| found.as_secs_f64() * 1e3);
        assert_eq!(found, millis, "{value}");
    }
    assert_eq!(cold_start(b"coldstart;dur=1\xff"), None);
}

fn wrong(checks: &[Check], status: u16, headers: &[(&str, &str)], body: &str) -> Option<Wrong> {
    let mut rules = Rules::default();
    for check in checks.iter().cloned() {
        match check {
            Check::Status(ranges) => rules.statuses.push(ranges),
            Check::Header(name, value) => rules.headers.push((name, value)),
            Check::BodyContains(text) => rules.bodies.push(text),
        }
    }
    let mut found = Found::default();
    // What the answer before had is not this one's.
    for _ in 0..2 {
        found.clear(&rules);
        for (name, value) in headers {
            found.header(&rules, name, value.as_bytes());
        }
        for part in body.as_bytes().chunks(3) {
            found.body(&rules, part);
        }
    }
    found.wrong(&rules, status)
}

#[test]
fn checks_say_what_is_wrong() {
    let header = |value: Option<&str>| {
        Check::Header(HeaderName::from_static("x-a"), value.map(str::to_owned))
    };
    let body = || Check::BodyContains("hello".to_owned());
    let why = |text: &str| Some(Wrong::Check(text.to_owned()));
    let ranges = || Check::Status(vec![(200, 204), (404, 404)]);
    for (checks, status, headers, text, expected) in [
        (vec![], 399, &[][..], "", None),
        (vec![], 400, &[], "", Some(Wrong::Status)),
        (vec![ranges()], 404, &[], "", None),
        (vec![ranges()], 301, &[], "", Some(Wrong::Status)),
        (vec![header(None)], 200, &[("X-A", "1")], "", None),
        (
            vec![header(None)],
            200,
            &[],
            "",
            why("there is no header x-a"),
        ),
        (
            vec![header(Some("2"))],
            200,
            &[("x-a", "1"), ("x-a", "2")],
            "",
            None,
        ),
        (
            vec![header(Some("2"))],
            200,
            &[("x-a", "1")],
            "",
            why("the header x-a is not `2`"),
        ),
        (vec![body()], 200, &[], "say hello!", None),
        (
            vec![body()],
            200,
            &[],
            "say hell",
            why("the body does not contain `hello`"),
        ),
        (vec![body()], 500, &[], "", Some(Wrong::Status)),
    ] {
        assert_eq!(
            wrong(&checks, status, headers, text),
            expected,
            "{checks:?}"
        );
    }
}

#[test]
fn names_are_as_the_answer_has_them() {
    let rules = Rules {
        counted: Some(HeaderName::from_static("x-c")),
        ..Rules::default()
    };
    let mut found = Found::default();
    found.header(&rules, "X-Revision", b"hello--blue");
    found.header(&rules, "x-replica", b"r\xff1");
    found.header(&rules, "X-C", b"");
    let at = Duration::ZERO;
    let times = Times {
        sent: at,
        first_byte: at,
        ended: at,
    };
    let answer = found.answer(&rules, 200, 0, times);
    assert_eq!(answer.revision, Some("hello--blue"));
    assert_eq!(answer.replica, Some("r\u{fffd}1"));
    assert_eq!(answer.counted, Some(""));
    found.clear(&rules);
    assert_eq!(found.answer(&rules, 200, 0, times).revision, None);
}
