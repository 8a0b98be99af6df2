use ebbtide_core::document::{Declaration, ParseOptions, Source, parse};

use super::*;

/// What an app asks for whose document has this `corsPolicy`.
fn policy(cors: &str) -> Arc<RequestPolicy> {
    let text = format!(
        "name: a\nproperties:\n  configuration: {{ingress: {{corsPolicy: {cors}}}}}\n  template: \
         {{containers: [{{name: a, command: [a]}}]}}\n"
    );
    let source = Source {
        name: "a.yaml",
        text: &text,
    };
    let parsed = parse(&source, &ParseOptions::default()).unwrap();
    match &parsed.declarations[0].value {
        Declaration::App(app) => Arc::new(RequestPolicy::of(app)),
        _ => panic!("an app"),
    }
}

/// A request: its method, and headers as in `name=value; name=value`.
fn request(text: &str) -> Request<()> {
    let (method, given) = text.split_once(' ').unwrap_or((text, ""));
    let mut builder = Request::builder().method(method);
    for (name, value) in given.split("; ").filter_map(|one| one.split_once('=')) {
        builder = builder.header(name, value);
    }
    builder.body(()).unwrap()
}

/// What is said to a request, in the headers of an answer that has some already.
fn said(cors: &str, asked: &str, answer: &[(&'static str, &'static str)]) -> Vec<String> {
    let crossing = CrossOrigin::of(&policy(cors), &request(asked)).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in answer {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    crossing.add_to(&mut headers);
    let said = headers.iter().map(|(name, value)| {
        let name = name.as_str();
        let name = name.strip_prefix("access-control-").unwrap_or(name);
        format!("{name}={}", value.to_str().unwrap())
    });
    let mut said: Vec<_> = said.collect();
    said.sort();
    said
}

#[test]
fn answers_say_which_origin_they_are_for() {
    let named = "{allowedOrigins: ['https://a.test'], exposeHeaders: [x-a, x-b], allowCredentials: \
                 true}";
    let all = "{allowedOrigins: ['*']}";
    let all_with_credentials = "{allowedOrigins: ['*'], allowCredentials: true}";
    for (cors, asked, expected) in [
        (
            named,
            "GET origin=https://a.test",
            "allow-credentials=true; allow-origin=https://a.test; expose-headers=x-a, x-b; vary=origin",
        ),
        (named, "GET origin=https://b.test", "vary=origin"),
        (named, "GET", "vary=origin"),
        (
            named,
            "GET origin=https://a.test; origin=https://a.test",
            "vary=origin",
        ),
        (all, "GET", "allow-origin=*"),
        (all, "GET origin=null", "allow-origin=*"),
        (
            "{allowedOrigins: ['*'], exposeHeaders: ['*']}",
            "GET origin=https://b.test",
            "allow-origin=*; expose-headers=*",
        ),
        (
            all_with_credentials,
            "GET origin=https://b.test",
            "allow-credentials=true; allow-origin=https://b.test; vary=origin",
        ),
        (all_with_credentials, "GET", "vary=origin"),
    ] {
        assert_eq!(
            said(cors, asked, &[]).join("; "),
            expected,
            "{cors} {asked}"
        );
    }
}

#[test]
fn what_the_app_says_itself_goes() {
    let app = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-private-network", "true"),
        ("vary", "accept, Origin"),
        ("x-a", "1"),
    ];
    let cors = "{allowedOrigins: ['https://a.test']}";
    assert_eq!(
        said(cors, "GET origin=https://b.test", &app),
        ["vary=accept, Origin", "x-a=1"]
    );
    let all = "{allowedOrigins: ['*'], exposeHeaders: ['*'], allowCredentials: true}";
    let said = said(all, "GET origin=https://b.test", &[("x-a", "1")]);
    let names = said.iter().find(|one| one.starts_with("expose")).unwrap();
    assert!(names.contains("x-a") && !names.contains('*'), "{names}");
}

#[test]
fn a_preflight_is_told_what_may_be_asked() {
    let asks = "OPTIONS origin=https://a.test; access-control-request-method=PUT; \
                access-control-request-headers=authorization,x-a";
    let vary = "vary=access-control-request-headers; vary=access-control-request-method";
    for (cors, expected) in [
        (
            "{allowedOrigins: ['*'], allowedMethods: [GET, PUT], allowedHeaders: [x-a], maxAge: 60}",
            format!(
                "allow-headers=x-a; allow-methods=GET, PUT; allow-origin=*; max-age=60; {vary}"
            ),
        ),
        (
            "{allowedOrigins: ['*'], allowedMethods: ['*'], allowedHeaders: ['*'], exposeHeaders: [x]}",
            format!("allow-headers=authorization,x-a; allow-methods=PUT; allow-origin=*; {vary}"),
        ),
        (
            "{allowedOrigins: ['https://a.test']}",
            format!("allow-origin=https://a.test; {vary}; vary=origin"),
        ),
    ] {
        assert_eq!(said(cors, asks, &[]).join("; "), expected, "{cors}");
    }
}

#[test]
fn only_what_a_browser_asks_first_is_a_preflight() {
    let policy = policy("{allowedOrigins: ['https://a.test']}");
    let method = "access-control-request-method=PUT";
    for (asked, expected) in [
        (
            format!("OPTIONS origin=https://a.test; {method}"),
            Some(204),
        ),
        (
            format!("OPTIONS origin=https://b.test; {method}"),
            Some(403),
        ),
        ("OPTIONS origin=https://a.test".to_owned(), None),
        (format!("OPTIONS {method}"), None),
        (format!("PUT origin=https://a.test; {method}"), None),
    ] {
        let crossing = CrossOrigin::of(&policy, &request(&asked)).unwrap();
        let refusal = crossing.answer_preflight().err();
        let status = refusal.map(|refusal| refusal.status().as_u16());
        assert_eq!(status, expected, "{asked}");
    }
}
