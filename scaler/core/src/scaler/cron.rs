//! `cron`.

use super::{Key, Kind, Presence, Role, Scaler};

pub(super) const SCALER: Scaler = Scaler {
    names: &["cron"],
    reads: "`desiredReplicas` from `start` to `end`, else 0, by the clock of `timezone`; nothing is \
            asked of a server.",
    differs: "the window is open if of the two `start` came last, and with KEDA's if `end` comes next: \
              a second end before the next start, as on a Saturday after `mon-fri`, opens nothing \
              here. A time that the clock skips when daylight saving begins comes as it does, and \
              not a day later; one that it shows twice comes both times. Replicas change when the \
              minute begins, and not at the next poll.",
    fixed_target: Some(1.0),
    reads_target: false,
    keys: &[
        Key {
            name: "timezone",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "the IANA name of the time zone, `Europe/Berlin`; those of the machine, or else \
                      those that Ebbtide has",
        },
        Key {
            name: "start",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "when the window begins: minute, hour, day of the month, month and day of the \
                      week, as in `0 8 * * mon-fri`. Each is `*`, or a list of numbers, names and \
                      ranges, with `/` and a step if wanted. With both days given, either will do",
        },
        Key {
            name: "end",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "when it ends, in the same way; not the same as `start`",
        },
        Key {
            name: "desiredReplicas",
            kind: Kind::Whole,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "the replicas in the window",
        },
    ],
    constraints: &[],
};
