//! What holds for every process, and for sums and sequences of them.

use proptest::prelude::*;

use super::*;
use crate::arrival::{
    Arrival, GammaSpec, OnOffSpec, PhaseSpec, RampSpec, SineSpec, SpikeSpec, SteadySpec, StepsSpec,
    part_seed,
};
use crate::duration::Span;

fn spans() -> impl Strategy<Value = Span> {
    (100_u64..3_000_000_000).prop_map(|nanos| Span(Duration::from_nanos(nanos)))
}

fn arrivals() -> impl Strategy<Value = Arrival> {
    prop_oneof![
        Just(Arrival::Constant),
        Just(Arrival::Poisson),
        (0.001..1000.0_f64).prop_map(|burstiness| Arrival::Gamma { burstiness }),
    ]
}

fn rates() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.01..500.0_f64]
}

/// Processes that are not made of others.
fn simple() -> impl Strategy<Value = ScheduleSpec> {
    let noise = prop_oneof![Just(0.0), 0.01..2.0_f64];
    (0..8, rates(), rates(), spans(), spans(), noise, arrivals()).prop_map(
        |(kind, a, b, duration, other, noise, arrivals)| match kind {
            0 => ScheduleSpec::Constant(SteadySpec { rate: a, duration }),
            1 => ScheduleSpec::Poisson(SteadySpec { rate: a, duration }),
            2 => ScheduleSpec::Gamma(GammaSpec {
                rate: a,
                burstiness: (b + 0.1) / 10.0,
                duration,
            }),
            3 => ScheduleSpec::OnOff(OnOffSpec {
                active: PhaseSpec {
                    rate: a,
                    mean: other,
                },
                idle: PhaseSpec {
                    rate: b,
                    mean: duration,
                },
                duration,
                arrivals,
            }),
            4 => ScheduleSpec::Sine(SineSpec {
                mean: a.max(b),
                amplitude: a.min(b),
                period: other,
                duration,
                noise,
                arrivals,
            }),
            5 => ScheduleSpec::Ramp(RampSpec {
                from: a,
                to: b,
                duration,
                noise,
                arrivals,
            }),
            6 => ScheduleSpec::Steps(StepsSpec {
                rates: vec![a, b, a],
                each: duration,
                noise,
                arrivals,
            }),
            _ => ScheduleSpec::Spike(SpikeSpec {
                base: a,
                peak: b,
                at: Span(duration.0 / 3),
                lasting: Span(duration.0 / 3 + Duration::from_nanos(1)),
                duration: Span(duration.0 + Duration::from_nanos(1)),
                noise,
                arrivals,
            }),
        },
    )
}

fn specs() -> impl Strategy<Value = ScheduleSpec> {
    simple().prop_recursive(3, 8, 3, |inner| {
        let parts = prop::collection::vec(inner, 1..4);
        (parts, any::<bool>()).prop_map(|(parts, sum)| {
            if sum {
                ScheduleSpec::Sum(parts)
            } else {
                ScheduleSpec::Sequence(parts)
            }
        })
    })
}

fn checked(spec: &ScheduleSpec) -> Process {
    let process = spec.process(|_| Err("there is none".to_owned()));
    process.unwrap_or_else(|error| panic!("{spec:?}: {error}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn times_are_in_order_before_the_end_and_the_same_for_a_seed(spec in specs(), seed: u64) {
        let process = checked(&spec);
        let all = times(&process, seed);
        prop_assert!(all.is_sorted());
        prop_assert!(all.iter().all(|time| *time < process.duration()));
        prop_assert_eq!(&all, &times(&checked(&spec), seed));
        let mut schedule = process.schedule(seed);
        prop_assert_eq!(schedule.by_ref().count(), all.len());
        prop_assert_eq!(schedule.next(), None);
        prop_assert!(process.expected_requests().is_finite());
        prop_assert!(all.iter().all(|time| process.rate_at(*time) >= 0.0));
        prop_assert_eq!(process.rate_at(process.duration()).to_bits(), 0);
    }

    #[test]
    fn a_sum_is_its_parts_merged(parts in prop::collection::vec(simple(), 1..5), seed: u64) {
        let mut merged = Vec::new();
        for (part, spec) in parts.iter().enumerate() {
            merged.extend(times(&checked(spec), part_seed(seed, part)));
        }
        merged.sort();
        let expected: f64 = parts.iter().map(|part| checked(part).expected_requests()).sum();
        let longest = parts.iter().map(|part| checked(part).duration()).max();
        let sum = checked(&ScheduleSpec::Sum(parts));
        prop_assert_eq!(times(&sum, seed), merged);
        prop_assert!((sum.expected_requests() - expected).abs() < 1e-6);
        prop_assert_eq!(Some(sum.duration()), longest);
    }

    #[test]
    fn a_sequence_is_its_parts_one_after_the_other(
        parts in prop::collection::vec(simple(), 1..5),
        seed: u64,
        share in 0.0..1.0_f64,
    ) {
        let mut start = Duration::ZERO;
        let mut joined = Vec::new();
        let mut inside = Vec::new();
        for (part, spec) in parts.iter().enumerate() {
            let process = checked(spec);
            let offsets = times(&process, part_seed(seed, part));
            joined.extend(offsets.into_iter().map(|offset| start + offset));
            let at = process.duration().mul_f64(share * 0.999);
            inside.push((start + at, process.rate_at(at)));
            start += process.duration();
        }
        let sequence = checked(&ScheduleSpec::Sequence(parts));
        prop_assert_eq!(times(&sequence, seed), joined);
        prop_assert_eq!(sequence.duration(), start);
        for (at, rate) in inside {
            prop_assert_eq!(sequence.rate_at(at).to_bits(), rate.to_bits());
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same(spec in specs()) {
        // JSON too is read as YAML: a number that serde_json reads may be off by its last bit.
        let json = serde_json::to_string(&spec).unwrap();
        let yaml = serde_saphyr::to_string(&spec).unwrap();
        for text in [json, yaml] {
            prop_assert_eq!(&serde_saphyr::from_str::<ScheduleSpec>(&text).unwrap(), &spec);
        }
    }
}

#[test]
fn the_form_reads_well() {
    for (text, expected, seconds) in [
        ("poisson: {rate: 50, duration: 60s}", 3000.0, 60),
        ("constant: {rate: 0, duration: 1m}", 0.0, 60),
        ("gamma: {rate: 50, burstiness: 4, duration: 1m}", 3000.0, 60),
        (
            "onOff: {active: {rate: 200, mean: 2s}, idle: {mean: 10s}, duration: 5m}",
            10_000.0,
            300,
        ),
        (
            "sine: {mean: 50, amplitude: 40, period: 1m, noise: 0.1, duration: 5m}",
            15_000.0,
            300,
        ),
        (
            "ramp: {from: 0, to: 500, duration: 2m, arrivals: constant}",
            30_000.0,
            120,
        ),
        ("steps: {rates: [10, 50, 100], each: 30s}", 4800.0, 90),
        (
            "spike: {peak: 500, at: 30s, lasting: 10s, duration: 2m, \
             arrivals: {gamma: {burstiness: 2}}}",
            5000.0,
            120,
        ),
        (
            "sequence:\n  - constant: {rate: 1, duration: 10s}\n  - sum:\n    - poisson: {rate: 2, \
             duration: 5s}\n    - poisson: {rate: 3, duration: 10s}\n",
            50.0,
            20,
        ),
    ] {
        let process = process(text);
        assert!(
            (process.expected_requests() - expected).abs() < 1e-6,
            "{text}: {}",
            process.expected_requests()
        );
        assert_eq!(process.duration(), Duration::from_secs(seconds), "{text}");
    }
}

/// Rates at known times.
#[test]
fn the_expected_rate_is_known() {
    for (text, at, rate) in [
        ("poisson: {rate: 50, duration: 60s}", 59.9, 50.0),
        ("poisson: {rate: 50, duration: 60s}", 60.0, 0.0),
        (
            "onOff: {active: {rate: 200, mean: 2s}, idle: {mean: 6s}, duration: 5m}",
            7.0,
            50.0,
        ),
        (
            "sine: {mean: 50, amplitude: 40, period: 1m, duration: 5m}",
            75.0,
            90.0,
        ),
        (
            "sine: {mean: 50, amplitude: 40, period: 1m, duration: 5m}",
            165.0,
            10.0,
        ),
        ("ramp: {from: 0, to: 500, duration: 100s}", 20.0, 100.0),
        ("steps: {rates: [10, 50, 100], each: 30s}", 30.0, 50.0),
        (
            "spike: {base: 5, peak: 500, at: 30s, lasting: 10s, duration: 2m}",
            39.999,
            500.0,
        ),
        (
            "spike: {base: 5, peak: 500, at: 30s, lasting: 10s, duration: 2m}",
            40.0,
            5.0,
        ),
        (
            "sum: [{constant: {rate: 5, duration: 9s}}, {constant: {rate: 3, duration: 20s}}]",
            10.0,
            3.0,
        ),
    ] {
        let seen = process(text).rate_at(Duration::from_secs_f64(at));
        assert!((seen - rate).abs() < 1e-6, "{text} {at}: {seen}");
    }
}
