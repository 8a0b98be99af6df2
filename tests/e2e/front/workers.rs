//! How connections that last are spread over workers: curl has them.

use super::bed::{App, Asked, file, ready, up};
use crate::harness::{SOON, curl, eventually, machine};

#[test]
fn each_worker_has_as_many_of_a_few_connections() {
    let _machine = machine();
    let ebbtide = up(&[("web.yaml", &App::default().yaml())], &["--workers", "4"]);
    ready(&ebbtide, "web", "one", 1);
    let mut held = Vec::new();
    // One after another: of two that come at once, both may go where there was room for one.
    for number in 1..=16 {
        held.push(Asked::start(&ebbtide, "web", "/wait/a", &[]));
        eventually(SOON, "it is at the app", || {
            file(&ebbtide, "web-came").matches("a ").count() == number
        });
    }
    let metrics = curl(&[&format!("http://127.0.0.1:{}/metrics", ebbtide.status)]).body;
    for worker in 0..4 {
        let line = format!("ebbtide_ingress_worker_connections{{worker=\"{worker}\"}} 4\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    ebbtide.write("go", "");
    for asked in held {
        assert_eq!(asked.answer().status, 200);
    }
}
