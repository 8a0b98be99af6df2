//! What the ingress answers itself, and what it adds to answers: for curl, and for a real browser.

use crate::harness::{Answer, Ebbtide, SOON, curl, eventually, folder, machine};
use crate::load::Document;
use crate::page::browser::Browser;

/// An app that does not start before there is a file `go`, with these tags and properties of its
/// `ingress`.
fn document(name: &str, tags: &str, ingress: &str) -> String {
    let wait = r#"while [ ! -e go ]; do sleep 0.1; done; exec \"$EBBTIDE_PROGRAM\" sample-app"#;
    let yaml = Document {
        name,
        ..Document::default()
    }
    .yaml();
    yaml.replace("tags: {", &format!("tags: {{{tags}, "))
        .replace(
            "allowInsecure: true",
            &format!("allowInsecure: true, {ingress}"),
        )
        .replace(
            r#"["$(EBBTIDE_PROGRAM)", sample-app]"#,
            &format!(r#"[sh, -c, "{wait}"]"#),
        )
}

/// An app that has files of the documents' folder, served by a server that is not ours.
const FILES: &str = r#"
name: files
tags: {ebbtide.compression: "br, gzip"}
properties:
  configuration: {ingress: {external: true, allowInsecure: true, targetPort: 8080}}
  template:
    containers:
      - {name: files, command: [python3, -m, http.server, $(PORT), --bind, 127.0.0.1]}
"#;

fn ask(ebbtide: &Ebbtide, host: &str, path: &str, arguments: &[&str]) -> Answer {
    let url = format!("http://127.0.0.1:{}{path}", ebbtide.ingress);
    let host = format!("Host: {host}");
    curl(&[&["-H", &host, &url], arguments].concat())
}

fn desired(ebbtide: &Ebbtide) -> u64 {
    let replicas = &ebbtide.revision("web", "web--one")["replicas"];
    replicas["desired"].as_u64().unwrap()
}

#[test]
fn the_door_answers_what_needs_no_app_and_filters_what_goes_to_one() {
    let _machine = machine();
    let tags = "ebbtide.coldPaths: /healthz=200, ebbtide.coldAnswer: 'page, json', \
                ebbtide.maxRequestBodyBytes: '4'";
    let cors = "corsPolicy: {allowedOrigins: ['https://shop.test'], allowedMethods: [PUT]}";
    let web = document("web", tags, cors);
    let only = |range: &str| {
        let entry = format!("{{name: a, ipAddressRange: {range}, action: Allow}}");
        let ingress = format!("ipSecurityRestrictions: [{entry}]");
        document("web", tags, &format!("{cors}, {ingress}"))
    };
    let files = folder(&[("web.yaml", &web), ("files.yaml", FILES)]);
    std::fs::write(
        files.path().join("long.txt"),
        "again and again ".repeat(5000),
    )
    .unwrap();
    let ebbtide = Ebbtide::up_in(files, &[]);

    assert_eq!(ask(&ebbtide, "web.localhost", "/healthz", &[]).status, 200);
    let asks = [
        "-X",
        "OPTIONS",
        "-H",
        "Origin: https://shop.test",
        "-H",
        "Access-Control-Request-Method: PUT",
    ];
    let preflight = ask(&ebbtide, "web.localhost", "/a", &asks);
    assert_eq!(preflight.status, 204, "{preflight:?}");
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        Some("PUT")
    );
    let large = ask(&ebbtide, "web.localhost", "/", &["--data", "12345"]);
    assert_eq!(large.status, 413, "{large:?}");
    assert_eq!(desired(&ebbtide), 0, "none of these wakes it");

    ebbtide.write("web.yaml", &only("192.0.2.0/24"));
    eventually(
        SOON,
        "others than those that are allowed are refused",
        || ask(&ebbtide, "web.localhost", "/healthz", &[]).status == 403,
    );
    ebbtide.write("web.yaml", &only("127.0.0.0/8"));
    eventually(SOON, "those that are allowed are not", || {
        ask(&ebbtide, "web.localhost", "/healthz", &[]).status == 200
    });

    let page = ask(&ebbtide, "web.localhost", "/", &["-H", "Accept: text/html"]);
    assert_eq!((page.status, page.header("retry-after")), (503, Some("2")));
    assert!(page.body.contains("web is starting"), "{page:?}");
    eventually(SOON, "it is woken", || desired(&ebbtide) == 1);
    let other = ask(&ebbtide, "web.localhost", "/", &[]);
    assert_eq!(other.header("content-type"), Some("application/json"));
    ebbtide.write("go", "");
    eventually(SOON, "the app answers", || {
        ask(&ebbtide, "web.localhost", "/", &["--data", "1234"]).status == 200
    });

    for (arguments, coding) in [(["--compressed"], Some("br")), (["--http1.1"], None)] {
        let answer = ask(&ebbtide, "files.localhost", "/long.txt", &arguments);
        assert_eq!(answer.header("content-encoding"), coding, "{}", answer.head);
        assert!(answer.body == "again and again ".repeat(5000));
    }
    ebbtide.stop();
}

#[test]
fn a_browser_sees_the_app_start_and_asks_others_as_their_policies_allow() {
    let _machine = machine();
    let all = "corsPolicy: {allowedOrigins: ['*'], allowedMethods: ['*'], allowedHeaders: ['*'], \
               exposeHeaders: ['*'], allowCredentials: true}";
    let none = "corsPolicy: {allowedOrigins: ['https://shop.test']}";
    let no_tag = "a: b";
    let ebbtide = Ebbtide::up(&[
        (
            "web.yaml",
            &document("web", "ebbtide.coldAnswer: page", all),
        ),
        ("open.yaml", &document("open", no_tag, all)),
        ("closed.yaml", &document("closed", no_tag, none)),
    ]);
    let port = ebbtide.ingress;
    let browser = Browser::open(&format!("http://web.localhost:{port}/"));
    let title = || {
        browser
            .run("return document.title")
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(title().as_deref(), Some("web is starting"));
    ebbtide.write("go", "");
    eventually(SOON, "the page of the app comes by itself", || {
        title().as_deref() == Some("web")
    });
    let fetch = |app: &str| {
        let script = format!(
            "return fetch('http://{app}.localhost:{port}/', {{method: 'PUT', credentials: 'include', \
             headers: {{authorization: 'Bearer x', 'x-a': '1'}}}}).then(answer => answer.status + ' ' \
             + answer.headers.get('x-revision'), error => error.name)"
        );
        browser.run(&script).as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(
        fetch("open"),
        "200 open--one",
        "after a preflight, from zero"
    );
    assert_eq!(
        fetch("closed"),
        "TypeError",
        "the browser does not even ask"
    );
    assert_eq!(ebbtide.ready("closed", "closed--one"), 0);
    ebbtide.stop();
}
