//! Recordings played: cropped and scaled, and real ones where they are.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn evenly_played_counts_are_those_of_the_recording() {
    let text = "0,3\n1,0\n2,7\n4,600\n";
    let expected = [3.0, 0.0, 7.0, 0.0, 600.0];
    for (fields, bin, expected) in [
        ("", 60_000, expected.to_vec()),
        ("scaleTime: 0.1", 6000, expected.to_vec()),
        (
            "scaleRate: 2",
            60_000,
            expected.map(|count| 2.0 * count).to_vec(),
        ),
        ("maxRate: 5", 60_000, vec![2.0, 0.0, 3.0, 0.0, 300.0]),
        ("from: 2m", 60_000, vec![7.0, 0.0, 600.0]),
        ("from: 90s, lasting: 1m", 30_000, vec![0.0, 4.0]),
        ("from: 4m30s", 10_000, vec![100.0; 3]),
    ] {
        let spec = format!("trace: {{file: a, unit: minute, arrivals: constant, {fields}}}");
        let process = with_file(&spec, text);
        let seen = counts(&process, 1, Duration::from_millis(bin));
        assert_eq!(seen, expected, "{fields}");
    }
}

#[test]
fn arrivals_are_played_as_they_were() {
    let text = "# duration: 10s\nseconds\n0.000000001\n2\n2\n3.123456789\n8\n";
    let nanos = |fields: &str, seed| -> Vec<u128> {
        let process = with_file(
            &format!("trace: {{file: a, unit: arrivals, {fields}}}"),
            text,
        );
        times(&process, seed)
            .iter()
            .map(Duration::as_nanos)
            .collect()
    };
    let second = 1_000_000_000;
    let all = [1, 2 * second, 2 * second, 3_123_456_789, 8 * second];
    assert_eq!(nanos("", 5), all);
    assert_eq!(nanos("from: 2s, lasting: 6s", 5), [0, 0, 1_123_456_789]);
    assert_eq!(
        nanos("scaleTime: 0.5, from: 3s", 5),
        [61_728_394, 5 * second / 2]
    );
    assert_eq!(nanos("scaleRate: 2", 5).len(), 10);
    let process = with_file("trace: {file: a, unit: arrivals, scaleRate: 2}", text);
    assert!((process.rate_at(Duration::from_millis(2900)) - 4.0).abs() < 1e-9);
    assert!((process.expected_requests() - 10.0).abs() < 1e-9);
}

/// Thinned and repeated: with a factor of f, each is there f times on average. What is not whole is
/// drawn, with a variance of a quarter at most.
#[test]
fn a_factor_thins_or_repeats_arrivals() {
    let text = lines(0..10_000);
    for factor in [0.1, 0.5, 1.7] {
        let spec = format!("trace: {{file: a, unit: arrivals, scaleRate: {factor}}}");
        let process = with_file(&spec, &text);
        let seen = float(process.schedule(3).count());
        assert!(
            (seen - 10_000.0 * factor).abs() < 4.0 * 50.0,
            "{factor}: {seen}"
        );
        assert_ne!(times(&process, 3), times(&process, 4));
    }
}

proptest! {
    #[test]
    fn a_schedule_is_its_own_recording(seed: u64, rate in 0.0..300.0_f64) {
        let spec = format!("poisson: {{rate: {rate}, duration: 3s}}");
        let all = times(&process(&spec), seed);
        let cells = all.iter().map(|time| format!("{}.{:09}", time.as_secs(), time.subsec_nanos()));
        let text = format!("# duration: 3s\nseconds\n{}", lines(cells));
        let recorded = with_file("trace: {file: a, unit: arrivals}", &text);
        prop_assert_eq!(times(&recorded, 0), all);
        prop_assert_eq!(recorded.duration(), Duration::from_secs(3));
    }

    /// What is cropped out of arrivals is what was there, and time is scaled in order.
    #[test]
    fn crops_are_parts(
        cells in prop::collection::vec(0_u64..10_000, 1..50),
        from in 0_u64..9000,
        lasting in 1_u64..1000,
    ) {
        let text = format!("# duration: 10s\nt\n{}", lines(cells.iter().map(|millis| Millis(*millis))));
        let spec = format!(
            "trace: {{file: a, unit: arrivals, from: {from}ms, lasting: {lasting}ms, scaleTime: 2}}"
        );
        let mut expected: Vec<_> = cells
            .iter()
            .filter_map(|millis| millis.checked_sub(from))
            .filter(|millis| *millis < lasting)
            .map(|millis| Duration::from_millis(2 * millis))
            .collect();
        expected.sort();
        let process = with_file(&spec, &text);
        prop_assert_eq!(times(&process, 0), expected);
        prop_assert_eq!(process.duration(), Duration::from_millis(2 * lasting));
    }

    /// The number of evenly spaced requests is the cropped and scaled number, rounded up.
    #[test]
    fn crops_of_counts_have_their_share(
        rows in prop::collection::vec(0_u32..1000, 1..20),
        from in 0.0..1.0_f64,
        to in 0.0..1.0_f64,
        factor in 0.01..3.0_f64,
    ) {
        let length = f64::from(u32::try_from(rows.len()).unwrap());
        let (from, to) = (from.min(to) * length, from.max(to) * length);
        prop_assume!(to - from > 0.01);
        let share = |start: f64| ((start + 1.0).min(to) - start.max(from)).max(0.0);
        let expected: f64 = (0..).zip(&rows).map(|(i, row)| f64::from(*row) * share(f64::from(i))).sum();
        let text = lines(&rows);
        let spec = format!(
            "trace: {{file: a, unit: second, from: {from:.9}s, lasting: {:.9}s, scaleTime: 3, \
             scaleRate: {factor}, arrivals: constant}}",
            to - from - 1e-6,
        );
        let seen = float(with_file(&spec, &text).schedule(0).count());
        prop_assert!((seen - (expected * factor).ceil()).abs() <= 1.0, "{} {}", seen, expected * factor);
    }
}

fn lines(cells: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let cells = cells.into_iter().map(|cell| cell.to_string());
    cells.collect::<Vec<_>>().join("\n")
}

/// A time, in seconds.
struct Millis(u64);

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// The folder of real recordings, where there is one.
#[expect(clippy::print_stderr, reason = "what a test leaves out has to be seen")]
fn real() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/traces");
    if !folder.is_dir() {
        eprintln!(
            "NOT TESTED with real recordings: there is no {}",
            folder.display()
        );
        return None;
    }
    Some(folder)
}

fn real_process(folder: &std::path::Path, text: &str) -> Process {
    let spec: ScheduleSpec = serde_saphyr::from_str(&format!("trace: {{{text}}}")).unwrap();
    let process = spec.process(|file| {
        std::fs::read_to_string(folder.join(file)).map_err(|error| error.to_string())
    });
    process.unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What each of them is known to have.
#[test]
fn real_recordings_have_what_they_are_known_for() {
    let Some(folder) = real() else { return };
    for (text, requests, seconds) in [
        (
            "file: worldcup98_per_minute.csv, unit: minute",
            1_352_804_107.0,
            125_310 * 60,
        ),
        (
            "file: nasa_http_1995_day12_per_second.csv, unit: second",
            134_204.0,
            86_400,
        ),
        (
            "file: azure_llm_2023_code_per_second.csv, unit: second",
            8819.0,
            3436,
        ),
        (
            "file: azure_llm_2023_code_requests.csv, unit: arrivals",
            8819.0,
            3435,
        ),
        (
            "file: servibench_azure2019_patterns_per_minute.csv, unit: minute, \
             column: 20min_min1rps_spikes",
            1796.0,
            1200,
        ),
        (
            "file: azure_functions_2019_invitro4_per_minute.csv, unit: minute, column: f3_timer",
            1125.0,
            86_400,
        ),
    ] {
        let process = real_process(&folder, text);
        assert_eq!(process.duration().as_secs(), seconds, "{text}");
        let expected = process.expected_requests();
        assert!((expected - requests).abs() < 1e-3, "{text}: {expected}");
    }
}

/// Arrivals counted by second are what was counted.
#[test]
fn a_real_recording_of_arrivals_has_the_counts_of_its_seconds() {
    let Some(folder) = real() else { return };
    let arrivals = "file: azure_llm_2023_code_requests.csv, unit: arrivals, column: arrival_s";
    let arrivals = counts(&real_process(&folder, arrivals), 0, Duration::from_secs(1));
    let seconds = "file: azure_llm_2023_code_per_second.csv, unit: second, arrivals: constant";
    let seconds = counts(&real_process(&folder, seconds), 0, Duration::from_secs(1));
    // The last second is not whole in one of the two.
    assert_eq!(arrivals[..3435], seconds[..3435]);
}

/// The hour around the highest minute of the World Cup of 1998, at most 500 requests per second.
#[test]
fn an_hour_of_a_real_recording_is_cropped_and_scaled() {
    let Some(folder) = real() else { return };
    let process = real_process(
        &folder,
        "file: worldcup98_per_minute.csv, unit: minute, from: 97901m, lasting: 1h, maxRate: 500, \
         arrivals: constant",
    );
    assert_eq!(process.duration(), 60 * MINUTE);
    let counts = counts(&process, 1, MINUTE);
    let highest = counts.iter().copied().fold(0.0, f64::max);
    assert!((highest - 30_000.0).abs() <= 1.0, "{highest}");
    let at = process.rate_at(30 * MINUTE + MINUTE / 2);
    assert!((at - 500.0).abs() < 1e-9, "{at}");
}

/// Ten series in the columns of one file, which do not all last as long.
#[test]
fn all_series_of_a_real_recording_can_be_played() {
    let Some(folder) = real() else { return };
    let file = "servibench_azure2019_patterns_per_minute.csv";
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let names = text.lines().next().unwrap().split(',').skip(1);
    for name in names {
        let text = format!("file: {file}, unit: minute, column: {name}, scaleTime: 0.1");
        let process = real_process(&folder, &text);
        let minutes: u64 = name[..2].parse().unwrap();
        assert_eq!(process.duration().as_secs(), minutes * 6, "{name}");
        let expected = process.expected_requests();
        let seen = float(process.schedule(1).count());
        assert!(
            (seen - expected).abs() < 4.0 * expected.sqrt(),
            "{name}: {seen}"
        );
    }
}
