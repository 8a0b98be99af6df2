use super::*;

/// Settings of these options and variables, or what is wrong with them.
fn settings(
    options: &OtlpOptions,
    variables: &[(&str, &str)],
) -> Result<Option<OtlpSettings>, String> {
    let variable = |wanted: &str| {
        let mut found = variables.iter().filter(|(name, _)| *name == wanted);
        found.next().map(|(_, value)| (*value).to_owned())
    };
    OtlpSettings::new(options, variable).map_err(|error| format!("{error:#}"))
}

fn to(url: &str) -> OtlpOptions {
    OtlpOptions {
        endpoint: Some(url.parse().unwrap()),
        ..OtlpOptions::default()
    }
}

const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318/");
const TRACES: (&str, &str) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/in?k=v");
const GRPC: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");

#[test]
fn the_first_that_says_where_spans_go_counts() {
    let nothing = OtlpOptions::default();
    for (options, variables, expected) in [
        (&nothing, &[][..], None),
        (&nothing, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], None),
        (
            &nothing,
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
            None,
        ),
        (&nothing, &[BASE], Some("http://a:4318/v1/traces")),
        (&nothing, &[BASE, TRACES], Some("http://b/in?k=v")),
        (&nothing, &[BASE, GRPC], Some("http://a:4318/")),
        (&nothing, &[BASE, ("OTEL_SDK_DISABLED", "true")], None),
        (&nothing, &[BASE, ("OTEL_TRACES_EXPORTER", "none")], None),
        (&to("off"), &[BASE], None),
        (
            &to("https://c/base"),
            &[TRACES, ("OTEL_TRACES_EXPORTER", "none")],
            Some("https://c/base/v1/traces"),
        ),
    ] {
        let found = settings(options, variables).unwrap();
        let url = found.as_ref().map(|settings| settings.url.as_str());
        assert_eq!(url, expected, "{options:?} {variables:?}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_name_and_without_secrets() {
    let to = to("http://a");
    for (variables, expected) in [
        (
            &[("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json")][..],
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: give grpc or http/protobuf",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_HEADERS", "a=b,hunter2")],
            "OTEL_EXPORTER_OTLP_HEADERS: pair 2 is not NAME=VALUE; write NAME=VALUE,NAME=VALUE",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_HEADERS", "a=%0Ahunter2")],
            "OTEL_EXPORTER_OTLP_HEADERS: pair 1 cannot be a header",
        ),
        (
            &[("OTEL_RESOURCE_ATTRIBUTES", "=b")],
            "OTEL_RESOURCE_ATTRIBUTES: pair 1 is not NAME=VALUE; write NAME=VALUE,NAME=VALUE",
        ),
    ] {
        assert_eq!(settings(&to, variables).unwrap_err(), expected);
    }
    for (url, expected) in [
        ("localhost:4317", "give the URL of a collector"),
        ("unix:/a", "give the URL of a collector"),
        ("http://user:hunter2@a", "a URL with a name or password"),
    ] {
        let error = url.parse::<OtlpEndpoint>().unwrap_err();
        assert!(error.starts_with(expected), "{error}");
        let error = settings(&OtlpOptions::default(), &[(TRACES.0, url)]).unwrap_err();
        assert!(
            error.contains(TRACES.0) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[test]
fn headers_are_those_of_the_file_or_else_of_the_variable_for_traces_and_do_not_print() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    std::fs::write(&file, "X-Key: hunter2: 3\n\n authorization: Basic a=\n").unwrap();
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=generic"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", " x-key = hunter%202 ,"),
    ];
    let found = settings(&to("http://a"), &variables).unwrap().unwrap();
    assert_eq!(found.headers["x-key"], "hunter 2");
    assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
    let options = OtlpOptions {
        headers: Some(file.clone()),
        ..to("http://a")
    };
    let found = settings(&options, &variables).unwrap().unwrap();
    assert_eq!(found.headers["x-key"], "hunter2: 3");
    assert_eq!(found.headers["authorization"], "Basic a=");
    std::fs::write(&file, "X-Key: a\nhunter2\n").unwrap();
    let error = settings(&options, &[]).unwrap_err();
    assert!(error.contains("line 2 is no header"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn the_name_of_the_service_is_its_own_variable_before_the_attributes() {
    let variables = [
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,zone=b%2Cc"),
        ("OTEL_SERVICE_NAME", "door"),
    ];
    let resource = |variables| {
        let found = settings(&to("http://a"), variables).unwrap().unwrap();
        found.resource
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let expected = [pair("zone", "b,c"), pair("service.name", "door")];
    assert_eq!(resource(&variables), expected);
    assert_eq!(resource(&variables[..1])[0], pair("service.name", "a"));
}
