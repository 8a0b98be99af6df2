use clap::{CommandFactory as _, Parser as _};
use http_body_util::BodyExt as _;

use super::*;
use crate::cli::{Cli, Command};

fn parse(arguments: &str) -> Result<RunArgs, String> {
    let words = ["loadgen", "run"].into_iter().chain(arguments.split(' '));
    let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
    let Command::Run(arguments) = cli.command else {
        panic!("{:?}", cli.command);
    };
    Ok(*arguments)
}

async fn plan(arguments: &str) -> anyhow::Result<Plan> {
    parse(arguments)
        .map_err(anyhow::Error::msg)?
        .into_plan()
        .await
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[tokio::test]
async fn a_plan_has_what_was_asked_for() {
    let plan = plan(
        "http://127.0.0.1:8080/work?ms=5 --host hello.localhost --rate 200 --duration 60s \
         --arrival poisson --seed 3 -X POST -H a:1 -H a:2 --header user-agent:me --body text",
    )
    .await
    .unwrap();
    let mut request = plan.client.request;
    assert_eq!(request.uri(), "/work?ms=5");
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.headers()["host"], "hello.localhost");
    assert_eq!(request.headers()["user-agent"], "me");
    let repeated: Vec<_> = request.headers().get_all("a").iter().collect();
    assert_eq!(repeated, ["1", "2"]);
    let body = request.body_mut().collect().await.unwrap().to_bytes();
    assert_eq!(body, "text");
    let count = plan.schedule.unwrap().count();
    assert!((11_500..12_500).contains(&count), "{count}");
    assert_eq!(plan.client.timeout, Duration::from_mins(5));
    assert_eq!(plan.load.arrival, Some("poisson"));
}

#[tokio::test]
async fn with_http2_the_host_is_the_authority() {
    let plan = plan("http://127.0.0.1:8080 --host a.localhost --burst 5 --http2")
        .await
        .unwrap();
    assert_eq!(plan.client.request.uri(), "http://a.localhost/");
    assert!(!plan.client.request.headers().contains_key("host"));
    assert!(plan.schedule.is_none());
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    for (arguments, reason) in [
        ("http://localhost", "--rate"),
        ("http://localhost --rate 5", "--duration"),
        ("http://localhost --duration 5s", "--rate"),
        ("http://localhost --rate x --duration 5s", "invalid float"),
        (
            "http://localhost --rate 5 --duration 5",
            "followed by its unit",
        ),
        (
            "http://localhost --rate 0 --duration 5s",
            "--rate cannot be used",
        ),
        (
            "http://localhost --rate NaN --duration 5s",
            "--rate cannot be used",
        ),
        (
            "http://localhost --rate 5 --duration 0s",
            "no request would be sent",
        ),
        ("http://localhost --burst 0", "--burst must be at least 1"),
        (
            "http://localhost --burst 1 --connections 0",
            "--connections",
        ),
        ("http://localhost --burst 1 --timeout 0s", "--timeout"),
        ("http://localhost --burst 1 -H nocolon", "name: value"),
        ("http://localhost --burst 1 -H host:a", "--host"),
        (
            "http://localhost --burst 1 --body-file /nonexistent/body",
            "/nonexistent/body",
        ),
        (
            "http://localhost --burst 1 --body a --body-file b",
            "cannot be used with",
        ),
        ("https://localhost --burst 1", "https is not supported"),
    ] {
        let error = match plan(arguments).await {
            Ok(_) => panic!("accepted: {arguments}"),
            Err(error) => format!("{error:#}"),
        };
        assert!(error.contains(reason), "{arguments}: {error}");
    }
}
