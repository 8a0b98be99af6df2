//! Certificates that clients have.

use super::bed::get;
use crate::harness::{Ebbtide, SOON, eventually, machine};
use crate::keda::openssl;
use crate::load::Document;

/// Says what it is told of its client's certificate.
const APP: &str = r#"
import http.server, os

class Tell(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = self.headers.get("X-Forwarded-Client-Cert", "none").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Tell).serve_forever()
"#;

fn document(mode: &str) -> String {
    let ingress = format!("targetPort: 8080, clientCertificateMode: {mode}");
    let yaml = Document::default().yaml();
    let yaml = yaml.replace("targetPort: 8080", &ingress);
    yaml.replace("[\"$(EBBTIDE_PROGRAM)\", sample-app]", "[python3, app.py]")
}

#[test]
fn an_app_that_requires_a_certificate_gets_it_and_the_mode_may_change() {
    let _machine = machine();
    let ebbtide = Ebbtide::up(&[("web.yaml", &document("require")), ("app.py", APP)]);
    let keys = tempfile::tempdir().unwrap();
    let key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(
        keys.path(),
        &format!("{key} -keyout key -out crt -subj /CN=client"),
    );
    openssl(
        keys.path(),
        "x509 -in crt -noout -fingerprint -sha256 -out hash",
    );
    let hash = std::fs::read_to_string(keys.path().join("hash")).unwrap();
    let hash = hash.trim().split_once('=').unwrap().1.replace(':', "");
    let [crt, key] = ["crt", "key"].map(|name| keys.path().join(name).display().to_string());
    let with = ["--cert", &crt, "--key", &key];
    let ask = |arguments: &[&str]| get(&ebbtide, &ebbtide.root, "web.localhost", arguments);
    let refused = ask(&["-H", "X-Forwarded-Client-Cert: Hash=1"]);
    assert!(
        refused.body.contains("with a client's certificate only"),
        "{refused:?}"
    );
    assert_eq!(
        (refused.status, ebbtide.ready("web", "web--one")),
        (403, 0),
        "nothing is woken"
    );
    assert_eq!(ebbtide.request("web.localhost", "/").status, 403);
    let told = ask(&with);
    let expected = format!(
        "Hash={};Cert=\"-----BEGIN%20CERTIFICATE-----%0A",
        hash.to_lowercase()
    );
    assert!(
        told.status == 200 && told.body.starts_with(&expected),
        "{told:?}"
    );
    ebbtide.write("web.yaml", &document("accept"));
    eventually(SOON, "it may be left out", || ask(&[]).body == "none");
    assert!(ask(&with).body.starts_with(&expected));
    ebbtide.write("web.yaml", &document("ignore"));
    eventually(SOON, "nobody is asked for it", || ask(&with).body == "none");
}
