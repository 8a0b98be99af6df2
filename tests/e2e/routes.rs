//! Requests to one host that go to apps by their path.

use std::fs;

use crate::harness::{Answer, Ebbtide, SOON, curl, eventually, folder, machine};

/// An app that answers with its name and the target that it was asked for.
fn app(name: &str, revision: &str) -> String {
    format!(
        r#"name: {name}
properties:
  configuration: {{ingress: {{targetPort: 80, allowInsecure: true}}}}
  template:
    revisionSuffix: {revision}
    containers:
    - name: echo
      command:
      - python3
      - -c
      - |
        import http.server, os, time
        class Echo(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.startswith("/slow"):
                    time.sleep(3)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(f"{name} {{self.path}}".encode())
            do_POST = do_GET
        http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Echo).serve_forever()
"#
    )
}

/// The file that `az containerapp env http-route-config create --yaml` takes; its name is the config's.
const ROUTES: &str = "
customDomains: [{name: '*.shop.example', bindingType: Disabled}]
rules:
- description: the api
  routes:
  - match: {pathSeparatedPrefix: /api}
    action: {prefixRewrite: /}
  - match: {path: /, method: POST}
  targets: [{containerApp: api}]
- routes: [{match: {path: /half}}]
  targets: [{containerApp: web, weight: 75}, {containerApp: api, weight: 25}]
- routes: [{match: {pathSeparatedPrefix: /next, headers: [{name: x-beta, value: 'yes'}]}}]
  targets: [{containerApp: lost}]
- routes: [{match: {prefix: /}}]
  targets: [{containerApp: web, revision: one}]
";

/// A request for a target as it is written.
fn ask(ebbtide: &Ebbtide, host: &str, target: &str, more: &[&str]) -> Answer {
    let (host, url) = (
        format!("Host: {host}"),
        format!("http://127.0.0.1:{}{target}", ebbtide.ingress),
    );
    curl(&[&["--path-as-is", "-H", &host, &url], more].concat())
}

#[test]
fn requests_of_one_host_go_to_apps_by_their_path() {
    let _machine = machine();
    let (api, web) = (app("api", "one"), app("web", "one"));
    let documents = [
        ("api.yaml", &*api),
        ("shop.yaml", ROUTES),
        ("web.yaml", &*web),
    ];
    let ebbtide = Ebbtide::up_in(folder(&documents), &[]);
    let post = &["-X", "POST"][..];
    let beta = &["-H", "X-Beta: yes"][..];
    for (host, target, more, status, expected) in [
        (
            "shop.localhost",
            "/api/orders?of=/api",
            &[][..],
            200,
            "api /orders?of=/api",
        ),
        ("shop.localhost", "/%61pi;v=1", &[], 200, "api /"),
        ("a.b.shop.example", "/api/", &[], 200, "api /"),
        ("shop.localhost", "/apis", &[], 200, "web /apis"),
        ("shop.localhost", "/", &[], 200, "web /"),
        ("shop.localhost", "/", post, 200, "api /"),
        ("shop.localhost", "/next", &[], 200, "web /next"),
        (
            "shop.localhost",
            "/next",
            beta,
            503,
            "app lost, which is not there",
        ),
        (
            "shop.localhost",
            "/x/../api",
            &[],
            400,
            "send the path that it leads to",
        ),
        ("shop.localhost", "//api", &[], 400, "send single slashes"),
        ("shop.localhost", "/x%2f..%2fapi", &[], 400, "encoded slash"),
        ("shop.example", "/api", &[], 404, "No app has the host"),
    ] {
        let answer = ask(&ebbtide, host, target, more);
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        assert!(answer.body.contains(expected), "{target}: {answer:?}");
    }
    let halves = (0..20).filter(|_| ebbtide.request("shop.localhost", "/half").body == "web /half");
    assert_eq!(halves.count(), 15);
    let https = format!("shop.localhost:{}", ebbtide.tls);
    let resolve = format!("{https}:127.0.0.1");
    let url = format!("https://{https}/api/by-tls");
    let answer = curl(&["--cacert", &ebbtide.root, "--resolve", &resolve, &url]);
    assert_eq!(answer.body, "api /by-tls", "{answer:?}");

    let listed = ebbtide.cli_text(&["routes", "list"]);
    for words in [
        "shop",
        "/api[/*]",
        "POST /",
        "web 75%, api 25%",
        "there is no app lost",
        "x-beta: yes",
    ] {
        assert!(listed.contains(words), "{words} is not in {listed}");
    }
    let configs = ebbtide.api("/api/v1/httprouteconfigs");
    assert_eq!(
        configs["value"][0]["rules"][0]["description"], "the api",
        "{configs}"
    );
    follows_changes(&ebbtide);
}

/// A file that changes, one that is not valid, and one that goes.
fn follows_changes(ebbtide: &Ebbtide) {
    ebbtide.write("shop.yaml", &ROUTES.replace("/api}", "/v2}"));
    eventually(SOON, "the changed route is in force", || {
        ask(ebbtide, "shop.localhost", "/v2/x", &[]).body == "api /x"
    });
    assert_eq!(
        ask(ebbtide, "shop.localhost", "/api/x", &[]).body,
        "web /api/x"
    );
    let wrong = ROUTES.replace("containerApp: web", "containerApp: Web");
    let wrong = folder(&[("other.yaml", &wrong)]);
    let refused = ebbtide.cli(&["apply", wrong.path().to_str().unwrap()]);
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(errors.contains("is not an app name"), "{refused:?}");
    fs::remove_file(ebbtide.folder.path().join("shop.yaml")).unwrap();
    eventually(SOON, "the routes are gone", || {
        ask(ebbtide, "shop.localhost", "/v2/x", &[]).status == 404
    });
    assert_eq!(ebbtide.request("api.localhost", "/x").body, "api /x");
    let by_hand = folder(&[("shop.yaml", ROUTES)]);
    let applied = ebbtide.cli_text(&["apply", by_hand.path().to_str().unwrap()]);
    assert!(
        applied.contains("the routes of shop were made"),
        "{applied}"
    );
    let answer = ask(ebbtide, "shop.localhost", "/api/x", &[]);
    assert_eq!(answer.body, "api /x");
    ebbtide.cli_text(&["routes", "delete", "shop"]);
    assert_eq!(ask(ebbtide, "shop.localhost", "/api/x", &[]).status, 404);
}

/// Rules with times of their own, for less and for more than their apps have.
const TIMES: &str = "
rules:
- routes: [{match: {prefix: /slow/hurried}}]
  targets: [{containerApp: web}]
  timeouts: {firstByteSeconds: 1}
- routes: [{match: {prefix: /slow/patient}}]
  targets: [{containerApp: hurried}]
  timeouts: {firstByteSeconds: 0}
- routes: [{match: {prefix: /slow/own}}]
  targets: [{containerApp: hurried}]
- routes: [{match: {prefix: /slow}}]
  targets: [{containerApp: web}]
";

#[test]
fn a_rule_says_how_long_its_answers_may_take() {
    let _machine = machine();
    let web = app("web", "one");
    let tags = "name: hurried\ntags: {ebbtide.firstByteTimeoutSeconds: '1'}";
    let hurried = app("hurried", "one").replacen("name: hurried", tags, 1);
    let documents = [
        ("hurried.yaml", &*hurried),
        ("shop.yaml", TIMES),
        ("web.yaml", &*web),
    ];
    let ebbtide = Ebbtide::up(&documents);
    for (target, status, expected) in [
        ("/slow/hurried", 504, "1 s"),
        ("/slow/patient", 200, "hurried /slow/patient"),
        ("/slow/own", 504, "1 s"),
        ("/slow", 200, "web /slow"),
    ] {
        let answer = ebbtide.request("shop.localhost", target);
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        assert!(answer.body.contains(expected), "{target}: {answer:?}");
    }
}
