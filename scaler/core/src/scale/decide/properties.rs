//! What holds for every spec, state and input.

use std::time::Duration;

use proptest::prelude::*;

use crate::scale::fixtures::{Run, cpu, http, queue, unknown};
use crate::scale::{Reading, ScaleSpec};

/// One decision's inputs: time since the last, values (none is unknown), requests, and so on.
#[derive(Clone, Debug)]
struct Turn {
    wait: u64,
    values: Vec<Option<f64>>,
    requests: u64,
    lately: u64,
    unready: u32,
    takeover: u32,
}

fn turn() -> impl Strategy<Value = Turn> {
    let value = prop_oneof![
        4 => (0.0..300.0_f64).prop_map(Some),
        4 => Just(Some(0.0)),
        1 => Just(None),
        1 => prop_oneof![Just(f64::NAN), Just(-1.0), Just(f64::INFINITY)].prop_map(Some),
    ];
    let requests = prop_oneof![2 => Just(0), 1 => 0..50_u64];
    (
        0..40_000_u64,
        prop::collection::vec(value, 3),
        requests.clone(),
        requests,
        0..3_u32,
        prop_oneof![4 => Just(0), 1 => 0..30_u32],
    )
        .prop_map(|(wait, values, requests, lately, unready, takeover)| Turn {
            wait,
            values,
            requests,
            lately,
            unready,
            takeover,
        })
}

/// A run with some of the three kinds of rules.
fn run() -> impl Strategy<Value = Run> {
    let limits = (
        0..4_u32,
        1..25_u32,
        0..60_u64,
        0..60_u64,
        prop_oneof![Just(0), 0..60_u64],
    );
    (0..30_u32, 0..8_u8, limits, 0.0..20.0_f64).prop_map(
        |(replicas, which, (min, max, cooldown, stabilization, out), activation)| {
            let mut orders = queue(5.0);
            orders.activation = activation;
            let rules = [(1, orders), (2, http()), (4, cpu(50.0))];
            let chosen = rules.into_iter().filter(|(bit, _)| which & bit != 0);
            let mut run = Run::new(replicas, chosen.map(|(_, rule)| rule).collect());
            run.spec.min_replicas = min.min(max);
            run.spec.max_replicas = max;
            run.spec.cooldown_period = Duration::from_secs(cooldown);
            run.spec.policy.scale_in_stabilization = Duration::from_secs(stabilization);
            run.spec.policy.scale_out_stabilization = Duration::from_secs(out);
            run
        },
    )
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#?} {:#?} at {:?}", self.spec, self.state, self.now)
    }
}

impl Run {
    /// Takes a turn and returns the decision's sentence and number.
    fn take(&mut self, turn: &Turn) -> (String, u32) {
        self.wait(turn.wait);
        self.requests = turn.requests;
        self.requests_since_last = turn.lately;
        self.ready = Some(self.state.desired().saturating_sub(turn.unready));
        self.takeover = turn.takeover;
        let at = self.now;
        let reading = |value: &Option<f64>| match *value {
            Some(value) => Reading::known(value, at),
            None => unknown("connection refused"),
        };
        let readings: Vec<_> = turn.values.iter().map(reading).collect();
        let rules = self.spec.rules.len();
        let decision = self.decide_on(&readings[..rules]);
        assert_eq!(decision.to, self.state.desired());
        (decision.sentence(), decision.to)
    }

    fn again(&self) -> Self {
        Self {
            spec: self.spec.clone(),
            state: self.state.clone(),
            ..*self
        }
    }
}

/// Whether a rule that has replicas to measure cannot be read.
fn is_unknown(spec: &ScaleSpec, turn: &Turn, ready: u32) -> bool {
    let rules = spec.rules.iter().zip(&turn.values);
    let mut measured = rules.filter(|(rule, _)| ready > 0 || !rule.metric.is_resource());
    measured.any(|(_, value)| value.is_none_or(|value| !value.is_finite() || value < 0.0))
}

proptest! {
    #[test]
    fn what_is_decided_is_always_allowed(
        mut run in run(),
        turns in prop::collection::vec(turn(), 1..40),
    ) {
        for turn in &turns {
            let before = run.state.desired();
            let ready = before.saturating_sub(turn.unready);
            let (sentence, to) = run.take(turn);
            let spec = &run.spec;
            prop_assert!(spec.min_replicas <= to && to <= spec.max_replicas, "{sentence}");
            prop_assert!(to >= turn.takeover.min(spec.max_replicas), "{sentence}");
            prop_assert!(turn.requests == 0 || to > 0, "{sentence}");
            if before > 0 && is_unknown(spec, turn, ready) {
                prop_assert!(to >= before.min(spec.max_replicas), "{sentence}");
            }
            let floor = spec.min_replicas.max(turn.takeover);
            prop_assert!(to <= spec.policy.step.allows(before).max(floor), "{sentence}");
        }
    }

    #[test]
    fn more_load_never_means_fewer_replicas(
        mut run in run(),
        turns in prop::collection::vec(turn(), 1..20),
        more in prop::collection::vec(0.0..100.0_f64, 3),
        requests in 0..3_u64,
    ) {
        let (last, first) = turns.split_last().unwrap();
        for turn in first {
            run.take(turn);
        }
        let mut busier = last.clone();
        busier.requests += requests;
        for (value, more) in busier.values.iter_mut().zip(more) {
            *value = value.map(|value| if value < 0.0 { value } else { value + more });
        }
        let (less, more) = (run.again().take(last), run.take(&busier));
        prop_assert!(less.1 <= more.1, "{} but {}", less.0, more.0);
    }

    #[test]
    fn the_same_inputs_give_the_same_outputs(
        mut run in run(),
        turns in prop::collection::vec(turn(), 1..20),
    ) {
        let mut again = run.again();
        for turn in &turns {
            prop_assert_eq!(run.take(turn), again.take(turn));
            prop_assert_eq!(&run.state, &again.state);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_state_stays_small(
        mut run in run(),
        turns in prop::collection::vec(turn(), 100),
        pace in 1..40_u64,
    ) {
        run.spec.max_replicas = 1_000;
        for (index, turn) in turns.iter().cycle().take(10_000).enumerate() {
            let mut turn = turn.clone();
            // A load that falls a little each time is what leaves most behind.
            let falling = f64::from(u32::try_from(10_000 - index % 1_000).unwrap());
            turn.values.iter_mut().flatten().for_each(|value| *value = falling);
            turn.wait %= pace;
            run.take(&turn);
            let (highest, lowest) = (&run.state.history.highest, &run.state.history.lowest);
            prop_assert!(highest.len() <= 514 && lowest.len() <= 514);
        }
    }
}
