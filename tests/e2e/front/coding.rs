//! Answers that are compressed for clients that take it, and unpacked by curl.

use super::bed::{App, ask, ready, up};
use crate::harness::machine;

#[test]
fn curl_has_the_same_answer_in_each_coding() {
    let _machine = machine();
    let app = App {
        tags: "ebbtide.compression: 'zstd, br, gzip'",
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml())], &[]);
    ready(&ebbtide, "web", "one", 1);
    let text = "again and again ".repeat(6250);
    for (takes, coding) in [
        ("gzip", Some("gzip")),
        ("br", Some("br")),
        ("zstd", Some("zstd")),
        ("gzip, br", Some("br")),
        ("gzip, br;q=0", Some("gzip")),
        ("identity", None),
        ("deflate", None),
    ] {
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let takes = format!("Accept-Encoding: {takes}");
            // curl unpacks what it is told to, whatever it asked for.
            let arguments = ["--compressed", "-H", &takes, version];
            let answer = ask(&ebbtide, "web", "/text/100000", &arguments);
            assert_eq!(answer.header("content-encoding"), coding, "{takes}");
            assert!(answer.body == text, "{takes}, {version}");
            let vary = answer.header("vary");
            assert_eq!(vary, Some("accept-encoding"), "{takes}: {}", answer.head);
            let short = ask(&ebbtide, "web", "/text/100", &arguments);
            assert_eq!(short.header("content-encoding"), None, "{takes}");
        }
    }
}
