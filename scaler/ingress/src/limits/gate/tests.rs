use std::num::NonZeroUsize;

use super::*;
use crate::worker::balance::Balance;

fn count(gate: &Gate, name: &str) -> u64 {
    let reached = gate.read().reached;
    reached.iter().find(|(one, _)| *one == name).unwrap().1
}

#[test]
fn places_are_bounded_in_all_and_for_each_client() {
    let gate = Gate::new(&Limits {
        connections: 3,
        connections_per_client: 2,
        ..Limits::default()
    });
    let (balance, _inboxes) = Balance::new(NonZeroUsize::MIN);
    let enter = |address: &str| {
        let client = address.parse().unwrap();
        gate.enter(Some(client), Scheme::Http, balance.seat(0))
    };
    let places = (
        enter("10.0.0.1").unwrap(),
        enter("::ffff:10.0.0.1").unwrap(),
    );
    assert!(enter("10.0.0.1").is_none());
    let other = enter("10.0.0.2").unwrap();
    assert!(enter("10.0.0.3").is_none());
    assert_eq!(gate.read().connections, 3);
    assert_eq!(count(&gate, "connections-per-client"), 1);
    assert_eq!(count(&gate, "connections"), 1);
    drop((places, other));
    let ours = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
    assert!(enter("2001:db8::3").is_none());
    assert!(enter("2001:db8:0:1::1").is_some());
    drop(ours);
    let proxys = [(); 3].map(|()| gate.enter(None, Scheme::Https, balance.seat(0)));
    assert!(proxys.iter().all(Option::is_some));
    let listeners = gate.read().listeners;
    let counts = listeners
        .iter()
        .map(|one| (one.listener, one.open, one.accepted, one.refused));
    assert!(counts.eq([("http", 0, 6, 3), ("https", 3, 3, 0)]));
    drop(proxys);
    assert_eq!((gate.read().connections, balance.read()), (0, vec![0]));
    assert!(
        gate.clients
            .iter()
            .all(|part| part.lock().unwrap().is_empty())
    );
}

#[test]
fn every_limit_has_a_counter_of_its_own() {
    let gate = Gate::new(&Limits::default());
    for (limit, _) in Limit::ALL {
        gate.reached(limit);
    }
    assert!(gate.read().reached.iter().all(|(_, count)| *count == 1));
}
