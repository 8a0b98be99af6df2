use super::*;

fn spec(text: &str) -> TraceSpec {
    serde_saphyr::from_str(&format!("{{file: a.csv, {text}}}")).unwrap()
}

fn counts(fields: &str, text: &str) -> Result<Vec<f64>, String> {
    match read(&spec(fields), text) {
        Ok(Recording::Counts { counts, .. }) => Ok(counts),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn numbers_of_requests_are_read() {
    for (fields, text, expected) in [
        ("unit: second", "1\n2\n0\n", vec![1.0, 2.0, 0.0]),
        ("unit: second", "requests\n1\n2.5\n", vec![1.0, 2.5]),
        (
            "unit: minute",
            "minute,requests\n0,1\n1,2\n",
            vec![1.0, 2.0],
        ),
        // What is missing had none, and the first row is the start.
        (
            "unit: minute",
            "7,1\n10,2\n11,3\n",
            vec![1.0, 0.0, 0.0, 2.0, 3.0],
        ),
        (
            "unit: hour",
            "\u{feff}hour;n\r\n0;1\r\n1;2\r\n",
            vec![1.0, 2.0],
        ),
        (
            "unit: second, column: b",
            "s\ta\tb\n0\t1\t5\n1\t1\t6\n",
            vec![5.0, 6.0],
        ),
        (
            "unit: second, column: 2",
            "s,a,b\n0,1,5\n1,2,6\n",
            vec![1.0, 2.0],
        ),
        (
            "unit: second, column: \"2\"",
            "s,1,2\n0,1,5\n1,2,6\n",
            vec![5.0, 6.0],
        ),
        (
            "unit: second, column: n, timeColumn: when",
            "n,who,when\n3,x,5\n4,y,6\n",
            vec![3.0, 4.0],
        ),
        // The first column has no times.
        ("unit: second", "name,n\na,3\nb,4\n", vec![3.0, 4.0]),
        // A series that ended before the others.
        (
            "unit: minute, column: 2",
            "m,a,b\n0,1,2\n1,,3\n2,,4\n",
            vec![1.0],
        ),
        (
            "unit: minute",
            "# a comment\n\ntime,n\n2026-01-01 00:00:30,1\n2026-01-01 00:01:10,2\n\
             2026-01-01T00:03:00Z,3\n",
            vec![1.0, 2.0, 0.0, 3.0],
        ),
    ] {
        assert_eq!(counts(fields, text), Ok(expected), "{fields}: {text}");
    }
}

/// Fields of a description, a file, and what is said of it.
const WRONG_COUNTS: &[(&str, &str, &str)] = &[
    ("unit: second", "", "line 1: there is nothing in it"),
    ("unit: second", "# only this\n", "line 1: there is nothing"),
    ("unit: second", "s,n\n", "line 1: there is no row"),
    (
        "unit: second",
        "s,n\n0,1\n1,-2\n",
        "line 3: `-2` should be a number of requests",
    ),
    ("unit: second", "s,n\n0,inf\n", "line 2: `inf` should be"),
    (
        "unit: second",
        "s,a,b\n0,1,2\n",
        "line 1: column should say which has the numbers of requests: s, a, b",
    ),
    (
        "unit: second, column: c",
        "s,a\n0,1\n",
        "line 1: there is no column `c`, there are s, a",
    ),
    (
        "unit: second, column: c",
        "0,1\n",
        "there is no column `c`, there are 1 to 2",
    ),
    (
        "unit: second, column: 3",
        "s,a\n0,1\n",
        "there is no column `3`, there are s, a",
    ),
    (
        "unit: second, column: 0",
        "s,a\n0,1\n",
        "there is no column `0`",
    ),
    (
        "unit: second",
        "s,n\n0,1\n1\n",
        "line 3: there are 1 columns, and none is number 2",
    ),
    (
        "unit: second",
        "s,n\n0,1\n0,1\n",
        "line 3: the time `0` is not after",
    ),
    (
        "unit: second",
        "s,n\n5,1\n3,1\n",
        "line 3: the time `3` is not after",
    ),
    (
        "unit: second",
        "s,n\n5,1\nsix,1\n",
        "line 3: `six` should be a number or a time",
    ),
    (
        "unit: second",
        "s,n\n5,1\n2026-01-01T00:00:00Z,1\n",
        "line 3: `2026-01-01T00:00:00Z` is not of the same kind",
    ),
    (
        "unit: second",
        "s,n\n5,1\n99999999,1\n",
        "line 3: the time `99999999` is more than 10000000 times 1s after",
    ),
    (
        "unit: minute",
        "s,n\n0,1\n60,1\n120,4\n",
        "line 1: the times of all rows are multiples of 1h apart, so a row is not 1m",
    ),
    (
        "unit: second",
        "s,n\n0,1\n1,\n2,4\n",
        "line 4: there is a number after line 3 has none",
    ),
    (
        "unit: second",
        "s,n\n0,\"1\n",
        "line 2: a cell that begins with a quote",
    ),
];

#[test]
fn what_cannot_be_a_number_of_requests_says_why() {
    for (fields, text, reason) in WRONG_COUNTS {
        let error = counts(fields, text).unwrap_err();
        assert!(error.contains(reason), "{fields}, {text}: {error}");
    }
}

fn arrivals(fields: &str, text: &str) -> Result<(Vec<u64>, u64), String> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap();
    match read(&spec(&format!("unit: arrivals, {fields}")), text) {
        Ok(Recording::Arrivals { times, end }) => {
            Ok((times.into_iter().map(millis).collect(), millis(end)))
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn times_of_arrival_are_read() {
    for (fields, text, expected, end) in [
        ("", "0.5\n1\n1\n", vec![500, 1000, 1000], 1000),
        ("", "at,size\n2,9\n1.25,9\n", vec![1250, 2000], 2000),
        ("column: at", "size,at\n9,2\n9,3\n", vec![2000, 3000], 3000),
        ("", "# duration: 1m\nseconds\n3\n", vec![3000], 60_000),
        ("", "# duration: 1m\nseconds\n", vec![], 60_000),
        ("", "seconds\n", vec![], 0),
        ("", "1700000001\n1700000003.5\n", vec![0, 2500], 2500),
        (
            "column: TIMESTAMP",
            "TIMESTAMP,tokens\n2023-11-16 18:17:03.9799600,4\n2023-11-16 18:17:04.9899600,8\n",
            vec![0, 1010],
            1010,
        ),
    ] {
        assert_eq!(arrivals(fields, text), Ok((expected, end)), "{text}");
    }
}

#[test]
fn what_cannot_be_a_time_of_arrival_says_why() {
    for (text, reason) in [
        ("t\nsoon\n", "line 2: `soon` should be seconds"),
        ("t\n-1\n", "line 2: `-1` should be seconds"),
        (
            "t\n1\n2026-01-01 00:00:00\n",
            "line 3: `2026-01-01 00:00:00` is not of the same kind",
        ),
        ("# duration: 1\nt\n1\n", "line 1: `1` is not a duration"),
        (
            "#\n# duration: 1s\nt\n1\n",
            "line 2: there is a request after the duration",
        ),
    ] {
        let error = arrivals("", text).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[0-9a,\n\"#.-]{0,60}", unit in 0..3) {
        let unit = ["second", "minute", "arrivals"][usize::try_from(unit).unwrap()];
        let _ = read(&spec(&format!("unit: {unit}")), &text);
    }
}
