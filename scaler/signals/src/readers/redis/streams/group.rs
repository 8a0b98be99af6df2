//! What Redis says of a consumer group.

use redis::Value;

use crate::amount::{Amount, Flow};
use crate::readers::redis::answer::{count, field, text};

/// A consumer group of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    /// Entries that were taken and are not acknowledged.
    pub(super) pending: f64,
    /// How many entries there were up to the one that was taken last; none if that is not known.
    pub(super) taken: Option<f64>,
    /// The entry that was taken last.
    pub(super) last: String,
    pub(super) lag: Lag,
}

/// How many entries a group has not had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lag {
    Entries(f64),
    /// Redis does not know it.
    Unknown,
    /// Redis is too old to say.
    Untold,
}

impl Group {
    /// The group of a name among those of a stream, if it is there.
    ///
    /// # Errors
    /// That is not what Redis says of groups.
    pub(super) fn find(groups: &Value, name: &str) -> Result<Option<Self>, ()> {
        let groups = groups.as_sequence().ok_or(())?;
        let is_wanted = |group: &&Value| field(group, "name").and_then(text) == Some(name);
        match groups.iter().find(is_wanted) {
            Some(group) => Self::of(group).map(Some).ok_or(()),
            None => Ok(None),
        }
    }

    fn of(group: &Value) -> Option<Self> {
        let lag = match field(group, "lag") {
            None => Lag::Untold,
            Some(Value::Nil) => Lag::Unknown,
            Some(lag) => Lag::Entries(count(lag)?),
        };
        Some(Self {
            pending: field(group, "pending").and_then(count)?,
            taken: field(group, "entries-read").and_then(count),
            last: field(group, "last-delivered-id").and_then(text)?.to_owned(),
            lag,
        })
    }

    /// A number of its entries, and what else is known of them.
    pub(super) fn amount(&self, value: f64) -> Amount {
        let added = match self.lag {
            Lag::Entries(lag) => self.taken.map(|taken| taken + lag),
            Lag::Unknown | Lag::Untold => None,
        };
        let acknowledged = self.taken.map(|taken| taken - self.pending);
        Amount {
            value,
            activity: None,
            in_process: Some(self.pending),
            arrivals: added.map(Flow::Total),
            // Who deletes entries that are taken, or sets the group back, makes it less than nothing.
            completions: acknowledged.filter(|done| *done >= 0.0).map(Flow::Total),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use redis::parse_redis_value;

    use super::*;

    /// What Redis says of one group: pairs of a name and a value as it is sent.
    fn said(fields: &[(&str, &str)]) -> Value {
        let mut text = format!("*1\r\n*{}\r\n", fields.len() * 2);
        for (name, value) in fields {
            let _ = write!(text, "${}\r\n{name}\r\n{value}\r\n", name.len());
        }
        parse_redis_value(text.as_bytes()).unwrap()
    }

    const NAME: (&str, &str) = ("name", "$7\r\nworkers");
    const LAST: (&str, &str) = ("last-delivered-id", "$3\r\n5-0");

    #[test]
    fn a_group_is_found_by_its_name() {
        let fields = [
            NAME,
            ("consumers", ":1"),
            ("pending", ":2"),
            LAST,
            ("entries-read", ":5"),
            ("lag", ":7"),
        ];
        let group = Group {
            pending: 2.0,
            taken: Some(5.0),
            last: "5-0".to_owned(),
            lag: Lag::Entries(7.0),
        };
        assert_eq!(Group::find(&said(&fields), "workers"), Ok(Some(group)));
        assert_eq!(Group::find(&said(&fields), "others"), Ok(None));
        assert_eq!(Group::find(&Value::Array(Vec::new()), "workers"), Ok(None));
    }

    #[test]
    fn what_a_server_does_not_know_is_unknown_and_nonsense_is_an_error() {
        let pending = ("pending", ":2");
        let with = |fields: &[(&'static str, &'static str)]| {
            let all = [&[NAME, LAST], fields].concat();
            Group::find(&said(&all), "workers").map(|found| found.map(|group| group.lag))
        };
        for (fields, expected) in [
            (vec![pending], Ok(Some(Lag::Untold))),
            (vec![pending, ("lag", "$-1")], Ok(Some(Lag::Unknown))),
            (vec![pending, ("lag", ":0")], Ok(Some(Lag::Entries(0.0)))),
            (vec![pending, ("lag", ":-1")], Err(())),
            (vec![pending, ("lag", "+many")], Err(())),
            (vec![("pending", ":-2")], Err(())),
            (vec![], Err(())),
        ] {
            assert_eq!(with(&fields), expected, "{fields:?}");
        }
        assert_eq!(Group::find(&Value::Int(1), "workers"), Err(()));
    }

    #[test]
    fn totals_follow_from_what_was_taken() {
        let group = |taken, lag| Group {
            pending: 2.0,
            taken,
            last: "5-0".to_owned(),
            lag,
        };
        for (group, arrivals, completions) in [
            (group(Some(5.0), Lag::Entries(7.0)), Some(12.0), Some(3.0)),
            (group(Some(5.0), Lag::Unknown), None, Some(3.0)),
            (group(Some(1.0), Lag::Entries(0.0)), Some(1.0), None),
            (group(None, Lag::Entries(7.0)), None, None),
        ] {
            let amount = group.amount(9.0);
            let expected = Amount {
                value: 9.0,
                activity: None,
                in_process: Some(2.0),
                arrivals: arrivals.map(Flow::Total),
                completions: completions.map(Flow::Total),
            };
            assert_eq!(amount, expected, "{group:?}");
        }
    }
}
