//! Sessions that are resumed, with whichever worker the client meets.

use super::bed::{LAST, TlsBed};
use crate::app::App;
use crate::bed::{HOST, replica};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_resumed_by_any_worker() {
    let tls = TlsBed::new();
    let app = App::text("hello").await;
    tls.bed.serve(&[replica(app.address)]);
    for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let session = tempfile::NamedTempFile::new().unwrap();
        let path = session.path().to_str().unwrap();
        let mut client = tls.openssl(&[flag, "-servername", HOST, "-sess_out", path]);
        client.write(LAST).await;
        let (_, text) = client.end().await;
        assert!(text.contains(&format!("New, {version}")), "{text}");
        // By the odds of one in 2,048, all of these meet the same of two workers.
        for _ in 0..12 {
            let mut client = tls.openssl(&[flag, "-servername", HOST, "-sess_in", path]);
            client.write(LAST).await;
            let (_, text) = client.end().await;
            assert!(text.contains(&format!("Reused, {version}")), "{text}");
            assert!(text.contains("\r\n\r\nhello"), "{text}");
        }
    }
    let session = tempfile::NamedTempFile::new().unwrap();
    let path = session.path().to_str().unwrap();
    let mut client = tls.openssl(&["-servername", HOST, "-sess_out", path]);
    client.write(LAST).await;
    client.end().await;
    // A session is for the name it was begun with.
    let other = tls.authority.issue(&["other.localhost"]);
    tls.use_certificates(&[("other.localhost", &other)]);
    let mut client = tls.openssl(&["-servername", "other.localhost", "-sess_in", path]);
    client.write(LAST).await;
    let (_, text) = client.end().await;
    assert!(text.contains("New, TLSv1.3"), "{text}");
}
