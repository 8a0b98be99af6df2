//! `ebbtide routes`.

use http::Method;

use super::actions::print_result;
use super::arguments::RoutesCommand;
use super::client::{Client, typed};
use super::output::Output;
use super::show::optional;
use super::table::{Cell, Colour, Table};
use crate::api::model::{List, RouteConfigStatus, RouteMatchStatus, RouteTargetStatus};

pub(super) async fn run(
    client: &Client,
    output: &mut Output<'_>,
    command: &RoutesCommand,
) -> anyhow::Result<()> {
    match command {
        RoutesCommand::List(_) => list(client, output).await,
        RoutesCommand::Delete(arguments) => {
            let path = format!("/api/v1/httprouteconfigs/{}", arguments.config);
            print_result(output, &client.send(Method::DELETE, &path, None).await?)
        }
    }
}

async fn list(client: &Client, output: &mut Output<'_>) -> anyhow::Result<()> {
    let answer = client.get("/api/v1/httprouteconfigs").await?;
    if output.is_json() {
        return output.json(&answer);
    }
    let configs: List<RouteConfigStatus> = typed(&answer)?;
    let mut table = Table::new(["NAME", "URL", "MATCH", "REWRITE", "TARGETS", "PROBLEM"]);
    for config in &configs.value {
        for rule in &config.rules {
            for route in &rule.routes {
                table.row([
                    Cell::from(&config.name),
                    optional(config.url.as_deref()),
                    Cell::from(matches(route)),
                    optional(route.prefix_rewrite.as_deref()),
                    Cell::from(joined(rule.targets.iter().map(target))),
                    problems(&rule.targets),
                ]);
            }
        }
    }
    output.table(&table)?;
    for warning in configs.value.iter().flat_map(|config| &config.warnings) {
        output.line(format!("\nwarning: {warning}"))?;
    }
    Ok(())
}

/// `GET /api/… with x-version: 2`: what a request must be like.
fn matches(route: &RouteMatchStatus) -> String {
    let method = route.method.as_ref().map(|method| format!("{method} "));
    let path = match &*route.kind {
        "prefix" => format!("{}*", route.path),
        "pathSeparatedPrefix" => format!("{}[/*]", route.path),
        _ => route.path.clone(),
    };
    let case = if route.case_sensitive {
        ""
    } else {
        " in any case"
    };
    let headers = joined(route.headers.iter().cloned());
    let with = if headers.is_empty() { "" } else { " with " };
    format!("{}{path}{case}{with}{headers}", method.unwrap_or_default())
}

fn target(target: &RouteTargetStatus) -> String {
    let (app, weight) = (&target.container_app, target.weight);
    let name = match (&target.revision, &target.label) {
        (Some(revision), _) => revision.clone(),
        (None, Some(label)) => format!("{app}---{label}"),
        (None, None) => app.clone(),
    };
    match weight {
        100 => name,
        _ => format!("{name} {weight}%"),
    }
}

fn problems(targets: &[RouteTargetStatus]) -> Cell {
    let problems = targets.iter().filter_map(|target| target.problem.clone());
    Cell::coloured(joined(problems), Some(Colour::Red))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_and_its_targets_are_short() {
        let route = |kind: &str, path: &str| RouteMatchStatus {
            kind: kind.to_owned(),
            path: path.to_owned(),
            case_sensitive: true,
            method: None,
            headers: Vec::new(),
            prefix_rewrite: None,
        };
        assert_eq!(matches(&route("path", "/a")), "/a");
        assert_eq!(matches(&route("prefix", "/a")), "/a*");
        let all = RouteMatchStatus {
            case_sensitive: false,
            method: Some("GET".to_owned()),
            headers: vec!["x-a: 1".to_owned(), "x-b: 2".to_owned()],
            ..route("pathSeparatedPrefix", "/a")
        };
        assert_eq!(matches(&all), "GET /a[/*] in any case with x-a: 1, x-b: 2");
        let whole = RouteTargetStatus {
            container_app: "web".to_owned(),
            revision: None,
            label: None,
            weight: 100,
            problem: None,
        };
        assert_eq!(target(&whole), "web");
        let part = RouteTargetStatus {
            label: Some("blue".to_owned()),
            weight: 20,
            ..whole
        };
        assert_eq!(target(&part), "web---blue 20%");
    }
}
