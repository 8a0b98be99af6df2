//! When requests arrive: a schedule of start times, made from a seed before anything is sent.
//!
//! A [`ScheduleSpec`] is what people write. Checked, with the traces it names read, it is a
//! [`Process`], which makes a [`Schedule`] from a seed.
//!
//! Every process but a recording of arrivals is a time change: `S` is a renewal process of rate 1
//! (its gaps are [`Arrival`]), `Λ(t)` the integral of the rate up to `t`, and the requests are at
//! `Λ⁻¹(S)`. Poisson gaps so give exactly the inhomogeneous Poisson process of that rate (Çınlar,
//! "Introduction to Stochastic Processes", 1975, section 4.7), and a rate that is itself random a
//! doubly stochastic one.
//!
//! The load generator and the simulator follow the same schedule, so a seed gives the same times,
//! to the nanosecond, on every machine. No function of the platform's mathematics library is used,
//! whose last bits differ: what is not made of IEEE 754 operations comes from `libm`, in Rust.

mod check;
mod gaps;
mod merge;
mod piece;
mod process;
mod random;
mod replay;
mod schedule;
mod shape;
mod spec;
mod steady;
mod trace;
mod varying;

pub use check::SpecError;
pub use gaps::{Arrival, ArrivalError, BURSTINESS, MAX_RATE};
pub use process::{Process, part_seed};
pub use schedule::Schedule;
pub use spec::{
    Column, GammaSpec, OnOffSpec, PhaseSpec, RampSpec, ReadError, ScheduleSpec, SineSpec,
    SpikeSpec, SteadySpec, StepsSpec, TraceSpec, TraceUnit,
};

#[cfg(test)]
mod tests;
