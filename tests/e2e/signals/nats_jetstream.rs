//! `nats-jetstream`.

use super::{check_drain, check_faults, worker};
use crate::brokers::nats::{ACCOUNT, Nats, PASSWORD, USER};
use crate::harness::machine;

/// The messages of a consumer that it has yet to deliver, and that are not acknowledged.
fn left(nats: &Nats) -> u64 {
    let stream = nats.stream("ORDERS");
    let consumer = &stream["consumer_detail"][0];
    let number = |name: &str| consumer[name].as_u64().unwrap();
    number("num_pending") + number("num_ack_pending")
}

#[test]
fn a_stream_of_nats_is_worked_off_by_its_consumer() {
    let _machine = machine();
    let nats = Nats::start();
    nats.make_stream("ORDERS", "orders");
    nats.make_consumer("ORDERS", "workers");
    let secrets = format!("[{{name: password, value: {PASSWORD}}}]");
    let container = format!(
        "command: ['$(EBBTIDE_PROGRAM)', sample-worker, nats-jetstream], args: [--stream, ORDERS, \
         --consumer, workers, --service-time, 1s], env: [{{name: NATS_ADDRESS, value: \
         '127.0.0.1:{}'}}, {{name: NATS_USER, value: {USER}}}, \
         {{name: NATS_PASSWORD, secretRef: password}}]",
        nats.port
    );
    let rule = format!(
        "{{type: nats-jetstream, metadata: {{natsServerMonitoringEndpoint: '127.0.0.1:{}', account: \
         {ACCOUNT}, stream: ORDERS, consumer: workers, lagThreshold: '10'}}}}",
        nats.monitoring
    );
    check_drain(
        &worker(&secrets, &container, &rule),
        |number| nats.put("orders", number),
        || left(&nats),
    );
}

#[test]
fn what_is_wrong_with_a_stream_of_nats_is_said() {
    let _machine = machine();
    let nats = Nats::start();
    nats.make_stream("ORDERS", "orders");
    let rule = |port: u16, stream: &str, consumer: &str| {
        format!(
            "{{type: nats-jetstream, metadata: {{natsServerMonitoringEndpoint: '127.0.0.1:{port}', \
             account: {ACCOUNT}, stream: {stream}, consumer: {consumer}}}}}"
        )
    };
    check_faults(
        &[
            (&rule(nats.monitoring, "NOTHING", "workers"), "stream: "),
            (&rule(nats.monitoring, "ORDERS", "nobody"), "consumer: "),
            (
                &rule(1, "ORDERS", "workers"),
                "natsServerMonitoringEndpoint: ",
            ),
            (
                &rule(nats.port, "ORDERS", "workers"),
                "natsServerMonitoringEndpoint: ",
            ),
        ],
        &[PASSWORD],
    );
}
