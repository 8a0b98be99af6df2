//! `ebbtide list`, `show` and `revisions`.

use ebbtide_core::name::AppName;

use super::client::{Client, typed};
use super::output::Output;
use super::table::{Cell, Colour, Table};
use super::traffic::traffic_table;
use crate::api::model::{AppStatus, List, ReplicaCounts, RevisionStatus, RuleStatus};

pub(super) async fn list(client: &Client, output: &mut Output<'_>) -> anyhow::Result<()> {
    let answer = client.get("/api/v1/apps").await?;
    if output.is_json() {
        return output.json(&answer);
    }
    let apps: List<AppStatus> = typed(&answer)?;
    let mut table = Table::new(["NAME", "URL", "MODE", "REPLICAS", "WAITING", "NOW"]);
    for app in &apps.value {
        let revisions = app.revisions.iter();
        let ready: u32 = revisions
            .clone()
            .map(|revision| revision.replicas.ready)
            .sum();
        let desired: u32 = revisions
            .clone()
            .map(|revision| revision.replicas.desired)
            .sum();
        let waiting: u32 = revisions.map(|revision| revision.waiting_requests).sum();
        table.row([
            Cell::from(&app.name),
            optional(app.url.as_deref()),
            Cell::from(&app.active_revisions_mode),
            format!("{ready}/{desired}").into(),
            waiting.into(),
            Cell::from(&app.sentence),
        ]);
    }
    output.table(&table)
}

pub(super) async fn revisions(
    client: &Client,
    output: &mut Output<'_>,
    app: &AppName,
) -> anyhow::Result<()> {
    let answer = client.get(&format!("/api/v1/apps/{app}/revisions")).await?;
    if output.is_json() {
        return output.json(&answer);
    }
    let revisions: List<RevisionStatus> = typed(&answer)?;
    output.table(&revision_table(&revisions.value))
}

pub(super) async fn show(
    client: &Client,
    output: &mut Output<'_>,
    app: &AppName,
) -> anyhow::Result<()> {
    let answer = client.get(&format!("/api/v1/apps/{app}")).await?;
    if output.is_json() {
        return output.json(&answer);
    }
    let app: AppStatus = typed(&answer)?;
    output.line(&app.sentence)?;
    output.line("")?;
    output.table(&summary(&app))?;
    for (title, table) in [
        ("Traffic", traffic_table(&app.traffic)),
        ("Revisions", revision_table(&app.revisions)),
        ("Scale rules", rule_table(&app.revisions)),
        ("Replicas", replica_table(&app.revisions)),
    ] {
        if !table.is_empty() {
            output.line(format!("\n{title}"))?;
            output.table(&table)?;
        }
    }
    for warning in &app.warnings {
        output.line(format!("\nwarning: {warning}"))?;
    }
    Ok(())
}

fn summary(app: &AppStatus) -> Table {
    let ready = app.latest_ready_revision_name.as_deref();
    let mut table = Table::new([]);
    for (name, value) in [
        ("name", Cell::from(&app.name)),
        ("url", optional(app.url.as_deref())),
        ("mode", Cell::from(&app.active_revisions_mode)),
        ("latest revision", Cell::from(&app.latest_revision_name)),
        ("latest ready", optional(ready)),
        ("source", Cell::from(&app.source)),
    ] {
        table.row([Cell::coloured(name, Some(Colour::Grey)), value]);
    }
    for port in &app.additional_ports {
        let words = format!("{} to {}", port.exposed_port, port.target_port);
        let words = if port.external {
            words
        } else {
            format!("{words}, internal")
        };
        table.row([Cell::coloured("port", Some(Colour::Grey)), words.into()]);
    }
    table
}

fn revision_table(revisions: &[RevisionStatus]) -> Table {
    let mut table = Table::new([
        "NAME",
        "STATE",
        "REPLICAS",
        "LIMITS",
        "TRAFFIC",
        "WAITING",
        "IN FLIGHT",
        "PER SECOND",
        "P50 MS",
        "P99 MS",
        "DETAILS",
    ]);
    for revision in revisions {
        table.row([
            Cell::from(&revision.name),
            Cell::coloured(&revision.running_state, colour_of(&revision.running_state)),
            replicas(revision.replicas).into(),
            format!("{}..{}", revision.min_replicas, revision.max_replicas).into(),
            format!("{}%", revision.traffic_weight).into(),
            revision.waiting_requests.into(),
            revision.in_flight_requests.into(),
            number(revision.requests_per_second).into(),
            optional(revision.p50_milliseconds.map(number)),
            optional(revision.p99_milliseconds.map(number)),
            revision
                .running_state_details
                .as_deref()
                .unwrap_or_default()
                .into(),
        ]);
    }
    table
}

fn rule_table(revisions: &[RevisionStatus]) -> Table {
    let mut table = Table::new([
        "REVISION", "RULE", "SCALER", "VALUE", "TARGET", "REPLICAS", "AGE", "STATE", "BECAUSE",
    ]);
    for revision in revisions.iter().filter(|revision| revision.active) {
        for rule in &revision.rules {
            table.row([
                Cell::from(&revision.name),
                Cell::from(&rule.name),
                Cell::from(&rule.scaler),
                optional(rule.value.map(number)),
                number(rule.target).into(),
                optional(rule.replicas),
                optional(rule.age_seconds.map(|age| format!("{} s", number(age)))),
                Cell::coloured(&rule.state, colour_of(&rule.state)),
                Cell::from(because(rule)),
            ]);
        }
    }
    table
}

/// Why; of a value that is an earlier one, what went wrong since.
fn because(rule: &RuleStatus) -> String {
    match &rule.error {
        Some(error) if rule.value.is_some() => {
            format!("{} (the last reading failed: {error})", rule.because)
        }
        _ => rule.because.clone(),
    }
}

fn replica_table(revisions: &[RevisionStatus]) -> Table {
    let mut table = Table::new([
        "NAME",
        "STATE",
        "PID",
        "PORT",
        "IN FLIGHT",
        "RESTARTS",
        "STARTED IN",
        "CORES",
        "MEMORY",
        "DETAILS",
    ]);
    for replica in revisions.iter().flat_map(|revision| &revision.replica_list) {
        table.row([
            Cell::from(&replica.name),
            Cell::coloured(&replica.state, colour_of(&replica.state)),
            optional(replica.pid),
            optional(replica.port),
            replica.in_flight_requests.into(),
            replica.restarts.into(),
            optional(
                replica
                    .start_milliseconds
                    .map(|ms| format!("{} ms", number(ms))),
            ),
            optional(replica.cpu_cores.map(number)),
            optional(
                replica
                    .memory_bytes
                    .map(|bytes| format!("{} MiB", bytes >> 20)),
            ),
            replica.because.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

/// `2/3 +1 starting`: ready of desired, and what is on its way.
fn replicas(counts: ReplicaCounts) -> String {
    let ReplicaCounts {
        desired,
        ready,
        starting,
        draining,
    } = counts;
    let coming = [(starting, "starting"), (draining, "draining")];
    let coming = coming.iter().filter(|(count, _)| *count > 0);
    let coming = coming.map(|(count, state)| format!("+{count} {state}"));
    let parts: Vec<String> = [format!("{ready}/{desired}")]
        .into_iter()
        .chain(coming)
        .collect();
    parts.join(" ")
}

fn colour_of(state: &str) -> Option<Colour> {
    match state {
        "Running" | "Running at max" | "ready" | "active" => Some(Colour::Green),
        "Activation failed" | "Degraded" | "Failed" | "notReady" | "backoff" => Some(Colour::Red),
        "Activating" | "Scaling" | "Deprovisioning" | "starting" | "draining" | "unknown" => {
            Some(Colour::Yellow)
        }
        "Scaled to 0" | "Inactive" | "idle" => Some(Colour::Grey),
        _ => None,
    }
}

/// At most two decimals, and none for a whole number.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The value, or a dash that stands for none.
pub(super) fn optional(value: Option<impl ToString>) -> Cell {
    value.map_or_else(|| "-".into(), |value| value.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (12.0, "12"),
            (100.0, "100"),
            (0.5, "0.5"),
            (2.0 / 3.0, "0.67"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn replicas_show_what_is_on_its_way() {
        let counts = ReplicaCounts {
            desired: 3,
            ready: 2,
            starting: 1,
            draining: 0,
        };
        assert_eq!(replicas(counts), "2/3 +1 starting");
        assert_eq!(replicas(ReplicaCounts::default()), "0/0");
    }
}
