//! A distribution in HdrHistogram's percentile format (`.hgrm`), which its plotters read: in milliseconds, five rows to
//! each halving of what is left, as all of its tools write.

use std::io::{self, Write};

use super::histogram::as_float;
use super::model::LoopKind;
use crate::record::recording::Times;

/// Rows to each halving of the distance to 100%.
const TICKS: u32 = 5;

/// Writes a histogram of microseconds. Plotters leave out lines that begin with `#`, of which one says what loop it was.
pub(crate) fn write(times: &Times, loop_kind: LoopKind, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>12} {:>14} {:>10} {:>14}\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    )?;
    let mut total = 0;
    for step in times.iter_quantiles(TICKS) {
        total += step.count_since_last_iteration();
        let value = as_float(step.value_iterated_to()) / 1000.0;
        let quantile = step.quantile_iterated_to();
        write!(out, "{value:12.3} {quantile:.12} {total:10}")?;
        if quantile < 1.0 {
            write!(out, " {:14.2}", 1.0 / (1.0 - quantile))?;
        }
        writeln!(out)?;
    }
    let sub_buckets = (2.0 * 10_f64.powi(times.sigfig().into()))
        .log2()
        .ceil()
        .exp2();
    writeln!(
        out,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]",
        times.mean() / 1000.0,
        times.stdev() / 1000.0
    )?;
    writeln!(
        out,
        "#[Max     = {:12.3}, Total count    = {:12}]",
        as_float(times.max()) / 1000.0,
        times.len()
    )?;
    writeln!(
        out,
        "#[Buckets = {:12}, SubBuckets     = {sub_buckets:12.0}]",
        times.buckets()
    )?;
    writeln!(out, "#[Loop    = {:>12}]", loop_kind.word())
}
