//! From what people write to a process: every number is checked, and traces are read.

mod field;
mod recording;

use std::time::Duration;

use self::field::At;
pub use self::field::SpecError;
use super::gaps::Arrival;
use super::piece::Piece;
use super::process::{Node, Process};
use super::shape::{List, Shape, Sine};
use super::spec::{
    GammaSpec, OnOffSpec, PhaseSpec, RampSpec, ScheduleSpec, SineSpec, SpikeSpec, SteadySpec,
    StepsSpec,
};

/// How deep sums and sequences may be in each other.
const MAX_DEPTH: usize = 16;

/// Reads the text of a trace's file, or says why not.
type ReadFile<'a> = dyn FnMut(&str) -> Result<String, String> + 'a;

impl ScheduleSpec {
    /// Checks it and reads its traces.
    ///
    /// `read` gives the text of a file that a trace names, or says why there is none.
    ///
    /// # Errors
    ///
    /// The first field that is wrong, by its path, with what would be right.
    pub fn process(
        &self,
        mut read: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<Process, SpecError> {
        node(self, &At::root(), 0, &mut read).map(Process)
    }
}

fn node(
    spec: &ScheduleSpec,
    at: &At,
    depth: usize,
    read: &mut ReadFile<'_>,
) -> Result<Node, SpecError> {
    match spec {
        ScheduleSpec::Constant(spec) => steady(spec, Arrival::Constant, &at.field("constant")),
        ScheduleSpec::Poisson(spec) => steady(spec, Arrival::Poisson, &at.field("poisson")),
        ScheduleSpec::Gamma(spec) => gamma(*spec, &at.field("gamma")),
        ScheduleSpec::OnOff(spec) => on_off(spec, &at.field("onOff")),
        ScheduleSpec::Sine(spec) => sine(spec, &at.field("sine")),
        ScheduleSpec::Ramp(spec) => ramp(spec, &at.field("ramp")),
        ScheduleSpec::Steps(spec) => steps(spec, &at.field("steps")),
        ScheduleSpec::Spike(spec) => spike(spec, &at.field("spike")),
        ScheduleSpec::Trace(spec) => recording::node(spec, &at.field("trace"), read),
        ScheduleSpec::Sum(parts) => nodes(parts, &at.field("sum"), depth, read).map(Node::Sum),
        ScheduleSpec::Sequence(parts) => {
            let at = at.field("sequence");
            sequence(nodes(parts, &at, depth, read)?, &at)
        }
    }
}

fn nodes(
    parts: &[ScheduleSpec],
    at: &At,
    depth: usize,
    read: &mut ReadFile<'_>,
) -> Result<Vec<Node>, SpecError> {
    if parts.is_empty() {
        return Err(at.error("there should be at least one process in the list"));
    }
    if depth == MAX_DEPTH {
        return Err(at.error(&format!(
            "sums and sequences may be {MAX_DEPTH} deep in each other"
        )));
    }
    let parts = parts.iter().enumerate();
    parts
        .map(|(index, part)| node(part, &at.item(index), depth + 1, read))
        .collect()
}

fn sequence(parts: Vec<Node>, at: &At) -> Result<Node, SpecError> {
    let mut start = Duration::ZERO;
    let mut placed = Vec::with_capacity(parts.len());
    for part in parts {
        let end = start.checked_add(part.duration());
        placed.push((start, part));
        start = end.ok_or_else(|| at.error("all together is too long"))?;
    }
    Ok(Node::Sequence(placed))
}

fn steady(spec: &SteadySpec, arrival: Arrival, at: &At) -> Result<Node, SpecError> {
    Ok(Node::Steady {
        arrival,
        rate: at.rate("rate", spec.rate)?,
        duration: at.duration("duration", spec.duration)?,
    })
}

fn gamma(spec: GammaSpec, at: &At) -> Result<Node, SpecError> {
    let GammaSpec {
        rate,
        burstiness,
        duration,
    } = spec;
    let arrival = Arrival::Gamma { burstiness };
    if let Err(error) = arrival.check() {
        return Err(at.field("burstiness").error(&error.to_string()));
    }
    steady(&SteadySpec { rate, duration }, arrival, at)
}

fn on_off(spec: &OnOffSpec, at: &At) -> Result<Node, SpecError> {
    let duration = at.duration("duration", spec.duration)?;
    let phase = |name: &str, phase: &PhaseSpec| {
        let at = at.field(name);
        let mean = at.part("mean", phase.mean, duration)?;
        Ok((at.rate("rate", phase.rate)?, mean.as_secs_f64()))
    };
    let shape = Shape::OnOff {
        phases: [phase("active", &spec.active)?, phase("idle", &spec.idle)?],
        duration,
    };
    varying(shape, 0.0, spec.arrivals, at)
}

fn sine(spec: &SineSpec, at: &At) -> Result<Node, SpecError> {
    let mean = at.rate("mean", spec.mean)?;
    let amplitude = at.rate("amplitude", spec.amplitude)?;
    if amplitude > mean {
        return Err(at.field("amplitude").error(&format!(
            "it is {amplitude} and the mean {mean}, so the rate would be negative at times; it is \
             at most the mean"
        )));
    }
    let duration = at.duration("duration", spec.duration)?;
    let shape = Shape::Sine(Sine {
        mean,
        amplitude,
        period: at.part("period", spec.period, duration)?,
        duration,
    });
    varying(shape, spec.noise, spec.arrivals, at)
}

fn ramp(spec: &RampSpec, at: &At) -> Result<Node, SpecError> {
    let (from, to) = (at.rate("from", spec.from)?, at.rate("to", spec.to)?);
    let duration = at.duration("duration", spec.duration)?;
    let pieces = [Piece::slope(from, to, duration)];
    varying(list(pieces, at)?, spec.noise, spec.arrivals, at)
}

fn steps(spec: &StepsSpec, at: &At) -> Result<Node, SpecError> {
    let rates = at.field("rates");
    if spec.rates.is_empty() {
        return Err(rates.error("there should be at least one rate in the list"));
    }
    let each = at.duration("each", spec.each)?;
    let mut pieces = Vec::with_capacity(spec.rates.len());
    for (index, rate) in spec.rates.iter().enumerate() {
        let rate = rates.item(index).own_rate(*rate)?;
        pieces.push(Piece::flat(rate, each));
    }
    varying(list(pieces, at)?, spec.noise, spec.arrivals, at)
}

fn spike(spec: &SpikeSpec, at: &At) -> Result<Node, SpecError> {
    let (base, peak) = (at.rate("base", spec.base)?, at.rate("peak", spec.peak)?);
    let duration = at.duration("duration", spec.duration)?;
    let lasting = at.duration("lasting", spec.lasting)?;
    let before = spec.at.0;
    let after = before.checked_add(lasting);
    let after = after.and_then(|end| duration.checked_sub(end));
    let after = after.ok_or_else(|| {
        at.field("duration").error(&format!(
            "it is {}, and the spike from {} for {} would not be over",
            spec.duration, spec.at, spec.lasting
        ))
    })?;
    let pieces = [
        Piece::flat(base, before),
        Piece::flat(peak, lasting),
        Piece::flat(base, after),
    ];
    varying(list(pieces, at)?, spec.noise, spec.arrivals, at)
}

fn list(pieces: impl IntoIterator<Item = Piece>, at: &At) -> Result<Shape, SpecError> {
    let list = List::new(pieces).ok_or_else(|| at.error("all together is too long"))?;
    Ok(Shape::List(list))
}

fn varying(shape: Shape, noise: f64, arrival: Arrival, at: &At) -> Result<Node, SpecError> {
    if let Err(error) = arrival.check() {
        let at = at.field("arrivals").field("gamma").field("burstiness");
        return Err(at.error(&error.to_string()));
    }
    let noise = at.noise("noise", noise)?;
    Ok(Node::Varying {
        arrival,
        shape,
        noise,
    })
}
