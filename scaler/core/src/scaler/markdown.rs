//! The scalers' keys as documentation.

use std::fmt::Write as _;

use super::{Constraint, Key, Kind, Presence, Role, SCALERS, Scaler};

/// A section for each scaler: what is read, how it differs from KEDA's, and its keys.
pub fn markdown() -> String {
    let sections: Vec<String> = SCALERS.iter().map(|scaler| section(scaler)).collect();
    sections.join("\n")
}

fn section(scaler: &Scaler) -> String {
    let names: Vec<String> = scaler
        .names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let mut text = format!("## {}\n\n{}\n\n", names.join(", "), scaler.reads);
    if !scaler.differs.is_empty() {
        let _ = write!(text, "Unlike KEDA's: {}\n\n", scaler.differs);
    }
    for constraint in scaler.constraints {
        let _ = writeln!(text, "{}", sentence(*constraint));
    }
    if !scaler.constraints.is_empty() {
        text.push('\n');
    }
    text.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in scaler.keys {
        let (kind, default) = (kind(key.kind), default(key));
        let meaning = match key.role {
            Role::Target => format!("target: {}", key.meaning),
            Role::Activation => format!("activation: {}", key.meaning),
            Role::Ignored => format!("does nothing here: {}", key.meaning),
            Role::Source | Role::TargetLatency | Role::PassedOn => key.meaning.to_owned(),
        };
        let _ = writeln!(text, "| `{}` | {kind} | {default} | {meaning} |", key.name);
    }
    text
}

fn listed(keys: &[&str], word: &str) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    keys.join(&format!(" {word} "))
}

fn sentence(constraint: Constraint) -> String {
    match constraint {
        Constraint::ExactlyOne(keys) => format!("Give {}, one of them.", listed(keys, "or")),
        Constraint::AtLeastOne(keys) => format!("Give {}, or more of them.", listed(keys, "or")),
        Constraint::AtMostOne(keys) => format!("Give {}, not both.", listed(keys, "or")),
        Constraint::Needs(key, others) => format!("`{key}` goes with {}.", listed(others, "and")),
    }
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Secret => "secret".to_owned(),
        Kind::Url => "address, secret".to_owned(),
        Kind::Number | Kind::Positive => "number".to_owned(),
        Kind::Whole => "whole number".to_owned(),
        Kind::Port => "port".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Choice(words) => listed(words, "or"),
        Kind::Choices(words) => format!("list with commas of {}", listed(words, "or")),
        Kind::List => "list with commas".to_owned(),
        Kind::Duration => "time, as in `30s`".to_owned(),
        Kind::Pem => "PEM, secret".to_owned(),
    }
}

fn default(key: &Key) -> String {
    match key.presence {
        Presence::Required => "required".to_owned(),
        Presence::Optional => "none".to_owned(),
        Presence::Default(value) => format!("`{value}`"),
    }
}
