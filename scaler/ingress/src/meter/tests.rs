use super::*;

#[test]
fn shards_add_up() {
    let meter = RevisionMeter::new(NonZeroUsize::new(2).unwrap());
    let second = Timestamp::from_secs;
    meter.start(0, second(1));
    meter.start(1, second(2));
    meter.start(1, second(3));
    meter.end(0, second(4), 200, Duration::from_secs(3));
    meter.end(1, second(6), 503, Duration::from_secs(4));
    meter.cold_start(1, Duration::from_secs(2));
    meter.first_byte(0, Duration::from_secs(1));
    for worker in [0, 1] {
        meter.received(worker, 3);
        meter.sent(worker, 5);
    }
    assert_eq!(meter.sums(), meter.read().sums);
    let reading = meter.read();
    let sums = RequestSums {
        started: 3,
        ended: 2,
        started_nanos: second(6).as_nanos(),
        ended_nanos: second(10).as_nanos(),
    };
    assert_eq!((reading.sums, reading.sums.in_flight()), (sums, 1));
    assert_eq!(
        reading.codes.into_iter().collect::<Vec<_>>(),
        [(200, 1), (503, 1)]
    );
    assert_eq!(reading.durations.sum_nanos, second(7).as_nanos());
    assert_eq!(
        (reading.cold_starts.total(), reading.first_bytes.total()),
        (1, 1)
    );
    assert_eq!((reading.received_bytes, reading.sent_bytes), (6, 10));
}

#[test]
fn what_nobody_asks_takes_no_space() {
    let meter = RevisionMeter::new(NonZeroUsize::new(64).unwrap());
    assert_eq!(meter.read(), MeterReading::default());
    meter.start(63, Timestamp::ORIGIN);
    assert_eq!((meter.written().count(), meter.sums().started), (1, 1));
}

#[test]
fn codes_outside_the_range_are_counted_at_its_ends() {
    let meter = RevisionMeter::new(NonZeroUsize::MIN);
    meter.end(0, Timestamp::ORIGIN, 0, Duration::ZERO);
    meter.end(7, Timestamp::ORIGIN, u16::MAX, Duration::ZERO);
    let codes = meter.read().codes.into_keys().collect::<Vec<_>>();
    assert_eq!(codes, [100, 999]);
}
