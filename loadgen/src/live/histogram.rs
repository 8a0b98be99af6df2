//! Response times in a few ranges that a person would choose.

use crate::record::recording::Times;
use crate::report::histogram::as_float;
use crate::report::words::millis;

/// A range of times and the share of requests in it, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bin {
    pub(super) name: String,
    pub(super) share: f64,
}

/// At most `most` ranges with round bounds (1, 2, 5, 10, …) that cover all values; the last may be open.
pub(super) fn bins(times: &Times, most: usize) -> Vec<Bin> {
    if times.is_empty() || most == 0 {
        return Vec::new();
    }
    let bounds: Vec<u64> = (0..12)
        .flat_map(|power| [1, 2, 5].map(|step| step * 10_u64.pow(power)))
        .collect();
    let first = bounds
        .iter()
        .rposition(|bound| *bound <= times.min())
        .unwrap_or(0);
    let mut bins = Vec::new();
    for pair in bounds[first..].windows(2) {
        let (low, high) = (pair[0], pair[1]);
        let last = bins.len() + 1 == most && high <= times.max();
        let count = times.count_between(low, if last { u64::MAX } else { high - 1 });
        let in_millis = |micros| {
            millis(as_float(micros) / 1000.0)
                .replace(".00", "")
                .replace(".0 ", " ")
        };
        bins.push(Bin {
            name: if last {
                format!("from {}", in_millis(low))
            } else {
                format!("to {}", in_millis(high))
            },
            share: as_float(count) / as_float(times.len()),
        });
        if last || high > times.max() {
            break;
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::histogram::empty;

    #[test]
    fn ranges_cover_everything() {
        let mut times = empty().unwrap();
        assert!(bins(&times, 5).is_empty());
        for value in [1_500, 1_600, 3_000, 12_000, 700_000] {
            times.record(value).unwrap();
        }
        let all = bins(&times, 20);
        let named: Vec<_> = all.iter().map(|bin| bin.name.as_str()).collect();
        assert_eq!(named[..4], ["to 2 ms", "to 5 ms", "to 10 ms", "to 20 ms"]);
        assert_eq!(named.last(), Some(&"to 1 s"));
        for most in 1..12 {
            let bins = bins(&times, most);
            assert!(bins.len() <= most);
            let sum: f64 = bins.iter().map(|bin| bin.share).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{most}: {bins:?}");
        }
        assert_eq!(bins(&times, 2)[1].name, "from 2 ms");
    }
}
