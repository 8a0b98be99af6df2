//! What is wrong is said, with the field.

use super::*;

fn error(text: &str) -> String {
    let spec: ScheduleSpec = match text.parse() {
        Ok(spec) => spec,
        Err(error) => return error.to_string(),
    };
    match spec.process(|_| Ok("second,requests\n0,1\n1,2\n".to_owned())) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

/// What somebody may write, and what is said of it.
const WRONG: &[(&str, &str)] = &[
    (
        "posson: {rate: 5, duration: 1s}",
        "unknown variant `posson`",
    ),
    ("poisson: {rate: 5}", "missing field `duration`"),
    ("poisson: {rat: 5, duration: 1s}", "unknown field `rat`"),
    ("poisson: {rate: many, duration: 1s}", "line 1 column 17"),
    ("poisson: {rate: 5, duration: 60}", "`60` is not a duration"),
    (
        "poisson: {rate: -5, duration: 1s}",
        "poisson.rate: the rate -5",
    ),
    ("poisson: {rate: .nan, duration: 1s}", "poisson.rate"),
    ("poisson: {rate: 2e9, duration: 1s}", "poisson.rate"),
    (
        "poisson: {rate: 5, duration: 0s}",
        "poisson.duration: it should be longer",
    ),
    (
        "gamma: {rate: 5, burstiness: 0, duration: 1s}",
        "gamma.burstiness: ",
    ),
    (
        "gamma: {rate: 5, burstiness: .inf, duration: 1s}",
        "gamma.burstiness: ",
    ),
    (
        "ramp: {from: 1, to: 5, duration: 1s, arrivals: {gamma: {burstiness: 2000}}}",
        "ramp.arrivals.gamma.burstiness: the burstiness 2000",
    ),
    (
        "ramp: {from: 1, to: 5, duration: 1s, arrivals: often}",
        "unknown variant `often`",
    ),
    (
        "ramp: {from: 1, to: 5, duration: 1s, noise: -1}",
        "ramp.noise: -1",
    ),
    (
        "onOff: {active: {rate: 5, mean: 0s}, idle: {mean: 1s}, duration: 1s}",
        "onOff.active.mean",
    ),
    (
        "sine: {mean: 5, amplitude: 6, period: 1s, duration: 1s}",
        "sine.amplitude: it is 6",
    ),
    (
        "sine: {mean: 5, amplitude: 5, period: 0s, duration: 1s}",
        "sine.period",
    ),
    (
        "steps: {rates: [], each: 1s}",
        "steps.rates: there should be",
    ),
    (
        "steps: {rates: [1, -1], each: 1s}",
        "steps.rates[1]: the rate -1",
    ),
    (
        "steps: {rates: [1, 2], each: 18446744073709551615s}",
        "steps.each: it should be at most ten years",
    ),
    (
        "sine: {mean: 5, amplitude: 5, period: 1ns, duration: 2s}",
        "sine.period: 2s has it more than a billion times",
    ),
    (
        "onOff: {active: {mean: 1h}, idle: {mean: 1ns}, duration: 1h}",
        "onOff.idle.mean: 1h has it more than",
    ),
    (
        "spike: {peak: 5, at: 10s, lasting: 1m, duration: 1m}",
        "spike.duration: it is 1m, and the spike from 10s for 1m would not be over",
    ),
    ("sum: []", "sum: there should be"),
    (
        "sequence: [{sum: [{poisson: {rate: 1, duration: 1s}}, {sum: []}]}]",
        "sequence[0].sum[1].sum: there should be",
    ),
    ("trace: {file: a, unit: day}", "unknown variant `day`"),
    (
        "trace: {file: a, unit: second, column: [1]}",
        "line 1 column 40",
    ),
    (
        "trace: {file: a, unit: second, from: 2s}",
        "trace.from: the recording ends at 2s",
    ),
    (
        "trace: {file: a, unit: second, from: 500ms, lasting: 2s}",
        "trace.lasting: the recording ends at 2s, 1.5s after",
    ),
    (
        "trace: {file: a, unit: second, scaleTime: 0}",
        "trace.scaleTime: 0",
    ),
    (
        "trace: {file: a, unit: second, scaleRate: -1}",
        "trace.scaleRate: -1",
    ),
    (
        "trace: {file: a, unit: second, scaleRate: 1, maxRate: 1}",
        "trace.scaleRate: it cannot",
    ),
    (
        "trace: {file: a, unit: second, scaleRate: 1e9}",
        "trace: the rate is above 1e9",
    ),
    (
        "trace: {file: a, unit: arrivals, maxRate: 1}",
        "trace.maxRate: it cannot",
    ),
    (
        "trace: {file: a, unit: arrivals, arrivals: poisson}",
        "trace.arrivals: it cannot",
    ),
];

#[test]
fn what_is_wrong_is_said() {
    for (text, reason) in WRONG {
        let error = error(text);
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn nesting_is_bounded() {
    let mut spec = ScheduleSpec::Sum(Vec::new());
    for _ in 0..20 {
        spec = ScheduleSpec::Sum(vec![spec]);
    }
    let error = spec.process(|_| Ok(String::new())).unwrap_err();
    assert!(error.problem.contains("16 deep"), "{error}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let spec = "sum: [{trace: {file: a.csv, unit: minute}}]";
    let spec: ScheduleSpec = spec.parse().unwrap();
    let error = spec.process(|file| Err(format!("cannot read {file}")));
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "sum[0].trace.file: cannot read a.csv");
}
