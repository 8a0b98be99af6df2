//! Durations as people type them: `500ms`, `60s`, `5m`, `1m30s`.

pub(crate) use ebbtide_core::duration::parse;
