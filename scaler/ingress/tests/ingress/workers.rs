//! How connections are spread over workers.

use std::num::NonZeroUsize;

use crate::app::App;
use crate::bed::{Bed, HOST, replica, until};
use crate::client::Client;

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_last_are_spread_evenly() {
    let mut bed = Bed::with(|options| options.workers = NonZeroUsize::new(4).unwrap());
    bed.meter = ebbtide_ingress::RevisionMeter::new(NonZeroUsize::new(4).unwrap());
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    let counts = || bed.ingress.limits().read().workers;
    let mut clients = Vec::new();
    for _ in 0..16 {
        let mut client = Client::connect(bed.address).await;
        assert_eq!(client.get(HOST).await.status, 200);
        clients.push(client);
    }
    assert_eq!(counts(), [4, 4, 4, 4]);
    // They are served wherever they went, and leave nothing behind.
    for client in &mut clients {
        assert_eq!(client.get(HOST).await.status, 200);
    }
    assert_eq!(bed.meter.sums().started, 32);
    drop(clients);
    until("all have ended", || counts() == [0, 0, 0, 0]).await;
}
