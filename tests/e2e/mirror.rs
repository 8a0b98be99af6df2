//! Requests that are copied to another revision.

use crate::harness::{Ebbtide, SOON, curl, eventually, folder, machine};

/// A template whose app answers with its revision, and writes each request's line, mark and body into a
/// file of that name.
fn template(revision: &str) -> String {
    format!(
        r#"
  template:
    scale: {{minReplicas: 1, maxReplicas: 1}}
    containers:
    - name: record
      command:
      - python3
      - -c
      - |
        import http.server, os
        class Record(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                with open("{revision}.txt", "a") as file:
                    print(self.command, self.path, self.headers["X-Ebbtide-Mirror"], body, file=file)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{revision}")
            do_POST = do_GET
        http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Record).serve_forever()
"#
    )
}

fn documents() -> String {
    let (old, new) = (template("old"), template("new"));
    let new = new.replacen("template:\n", "template:\n    revisionSuffix: new\n", 1);
    format!(
        "name: hello
tags: {{ebbtide.mirror: latest, ebbtide.mirrorMethods: all}}
properties:
  configuration:
    activeRevisionsMode: Multiple
    ingress:
      targetPort: 80
      allowInsecure: true
      traffic:
      - {{revisionName: hello--old, weight: 100}}{new}---
type: Microsoft.App/containerApps/revisions
name: hello--old
properties:{old}"
    )
}

#[test]
fn a_new_revision_is_tried_with_copies_of_requests() {
    let _machine = machine();
    let files = folder(&[("hello.yaml", &documents())]);
    let recorded = files.path().join("new.txt");
    let ebbtide = Ebbtide::up_in(files, &[]);
    eventually(SOON, "both revisions are ready", || {
        ["hello--old", "hello--new"].map(|revision| ebbtide.ready("hello", revision)) == [1, 1]
    });
    let url = format!("http://127.0.0.1:{}/orders", ebbtide.ingress);
    let headers = [
        "-H",
        "Host: hello.localhost",
        "-H",
        "X-Ebbtide-Mirror: mine",
    ];
    let answer = curl(&[&headers[..], &["-d", "two apples", &url]].concat());
    assert_eq!((answer.status, &*answer.body), (200, "old"), "{answer:?}");
    eventually(SOON, "the copy has come", || {
        let lines = std::fs::read_to_string(&recorded).unwrap_or_default();
        lines == "POST /orders hello--old two apples\n"
    });
    let counted =
        "ebbtide_mirrored_requests_total{app=\"hello\",revision=\"hello--old\",outcome=\"2xx\"} 1";
    eventually(SOON, "the copy is counted", || {
        curl(&[&ebbtide.api_url("/metrics")]).body.contains(counted)
    });
    let lost = documents().replacen("ebbtide.mirror: latest", "ebbtide.mirror: lost--v1", 1);
    ebbtide.write("hello.yaml", &lost);
    eventually(SOON, "the missing target is told of", || {
        let shown = ebbtide.cli_text(&["show", "hello"]);
        shown.contains("ebbtide.mirror: there is no app lost; no request is copied")
    });
}
