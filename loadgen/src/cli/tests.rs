use clap::CommandFactory as _;

use super::*;

fn parse(arguments: &str) -> Result<RunArgs, String> {
    let words = ["loadgen", "run"].into_iter().chain(arguments.split(' '));
    let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
    let Command::Run(arguments) = cli.command;
    Ok(arguments)
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
    let plan::TargetKind::Http(http) = &plan.engine.targets[0].kind;
    let text = |template: &Template| template.fixed().cloned().unwrap();
    assert_eq!(text(&http.path), "/work?ms=5");
    assert_eq!(
        (&http.method, http.authority.as_str()),
        (&Method::POST, "hello.localhost")
    );
    let values = |wanted: &str| {
        let found = http.headers.iter().filter(|(name, _)| name == wanted);
        found.map(|(_, value)| text(value)).collect::<Vec<_>>()
    };
    assert_eq!(values("user-agent"), ["me"]);
    assert_eq!(values("a"), ["1", "2"]);
    assert_eq!(text(&http.body), "text");
    let plan::Load::Open { burst: 0, schedule } = plan.engine.load else {
        panic!("{:?}", plan.engine.load);
    };
    let count = schedule.unwrap().count();
    assert!((11_500..12_500).contains(&count), "{count}");
    assert_eq!(plan.engine.targets[0].timeout, Duration::from_mins(5));
    assert_eq!(plan.load.arrival, Some("poisson"));
}

#[tokio::test]
async fn with_http2_the_host_is_the_authority() {
    let plan = plan("http://127.0.0.1:8080 --host a.localhost --burst 5 --http2")
        .await
        .unwrap();
    let plan::TargetKind::Http(http) = &plan.engine.targets[0].kind;
    assert_eq!(
        (http.version, http.authority.as_str()),
        (Version::Http2, "a.localhost")
    );
    assert!(matches!(
        plan.engine.load,
        plan::Load::Open {
            burst: 5,
            schedule: None
        }
    ));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    for (arguments, reason) in [
        ("http://localhost", "--rate"),
        ("http://localhost --rate 5", "--duration"),
        ("http://localhost --duration 5s", "--rate"),
        ("http://localhost --closed 5", "--duration"),
        (
            "http://localhost --closed 5 --rate 5 --duration 5s",
            "cannot be used with",
        ),
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
