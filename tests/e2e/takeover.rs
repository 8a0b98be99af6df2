//! A second Ebbtide that takes the place of the first.

use crate::harness::{ANY_PORT, Ebbtide, SOON, eventually, folder, machine};
use crate::load::{Document, Load};

#[test]
fn one_takes_the_place_of_another_and_no_request_is_lost() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 1, maxReplicas: 1}",
        ..Document::default()
    };
    let documents = || folder(&[("web.yaml", &document.yaml())]);
    let old = Ebbtide::up_in(documents(), &[]);
    let [plain, tls] = [old.ingress, old.tls].map(|port| format!("127.0.0.1:{port}"));
    let same = [
        "up",
        "--listen",
        &plain,
        "--listen-tls",
        &tls,
        "--keda-listen",
        "off",
    ];
    assert_eq!(old.request("web.localhost", "/").status, 200);
    let load = Load::start(&old, "web.localhost", "--rate 100 --duration 6s");
    let new = Ebbtide::start(documents(), &[&same[..], &["--take-over"]].concat());
    assert_eq!((new.ingress, new.tls), (old.ingress, old.tls));
    let finished = || {
        let revision = new.revision("web", "web--one");
        revision["finishedRequests"].as_u64().unwrap()
    };
    eventually(SOON, "its replica is ready", || {
        new.ready("web", "web--one") == 1
    });
    old.stop();
    let before = finished();
    eventually(SOON, "it has the requests", || finished() > before + 50);
    load.without_loss();
    // Without being told to, nobody listens where somebody does.
    let mut third = crate::harness::ebbtide();
    third.args(same).args(["--status-listen", ANY_PORT]);
    let output = third.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&plain) && said.contains("--take-over"),
        "{said}"
    );
}
