//! Routing by host, against the rules put down once more in the plainest way.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ebbtide_core::name::{AppName, RevisionName};
use proptest::prelude::*;

use super::host::key;
use super::{AppRoute, Backend, BackendState, Found, RoutingTable, Snapshot};
use crate::{RevisionMeter, Split};

/// An app: its name, its custom domains, its labels, and how many revisions it has. All of the traffic
/// is the last one's; a label's revision is its place in the list.
#[derive(Clone, Debug)]
struct App {
    name: String,
    domains: Vec<String>,
    labels: Vec<String>,
    revisions: usize,
}

/// Few names, so that apps meet each other's, and hosts meet apps.
fn name() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["a", "ab", "b", "shop", "localhost"]).prop_map(str::to_owned)
}

fn app() -> impl Strategy<Value = App> {
    let domain = prop_oneof![
        (name(), name()).prop_map(|(a, b)| format!("{a}.{b}")),
        name(),
        name().prop_map(|name| format!("{}.Example", name.to_uppercase())),
        (name(), name()).prop_map(|(a, b)| format!("{a}---{b}.localhost")),
    ];
    let domains = proptest::collection::vec(domain, 0..3);
    let labels = proptest::collection::vec(name(), 0..3);
    (name(), domains, labels, 0..4_usize).prop_map(|(name, domains, mut labels, revisions)| {
        labels.sort_unstable();
        labels.dedup();
        App {
            name,
            domains,
            labels,
            revisions,
        }
    })
}

/// Hosts that apps have, and some that none has.
fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        name(),
        name().prop_map(|name| format!("{name}.localhost")),
        (name(), name()).prop_map(|(app, label)| format!("{app}---{label}")),
        (name(), name()).prop_map(|(app, label)| format!("{app}---{label}.localhost")),
        (name(), name()).prop_map(|(a, b)| format!("{a}.{b}")),
        name().prop_map(|name| format!("{name}.example")),
        "[a-z.-]{0,6}",
    ]
}

/// The same host, written in another way.
fn written() -> impl Strategy<Value = (String, String)> {
    let port = prop_oneof![Just(None), any::<u16>().prop_map(Some)];
    (host(), any::<u64>(), any::<bool>(), port).prop_map(|(host, case, dot, port)| {
        let letters = host.chars().enumerate().map(|(place, letter)| {
            if case >> (place % 64) & 1 == 1 {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        });
        let mut written: String = letters.collect();
        if dot && !written.ends_with('.') && !written.is_empty() {
            written.push('.');
        }
        written.extend(port.map(|port| format!(":{port}")));
        (host, written)
    })
}

fn route(app: &App) -> AppRoute {
    let backend = |number: usize| {
        let revision = RevisionName::parse(&format!("{}--v{number}", app.name)).unwrap();
        Arc::new(Backend {
            revision,
            policy: Arc::default(),
            meter: RevisionMeter::new(NonZeroUsize::MIN),
            state: BackendState::Serving(Vec::new()),
        })
    };
    let mut weights = vec![0; app.revisions];
    if let Some(last) = weights.last_mut() {
        *last = 100;
    }
    let labels = app.labels.iter().cloned().enumerate();
    AppRoute {
        app: AppName::new(&app.name).unwrap(),
        hosts: app.domains.clone(),
        policy: Arc::default(),
        split: Arc::new(Split::new(weights)),
        labels: labels.map(|(place, label)| (label, place)).collect(),
        backends: (0..app.revisions).map(backend).collect(),
    }
}

/// Where a host leads, in words: the first app that claims it has it, by its name, then by its labels,
/// then by its domains.
fn expected(apps: &[App], host: &str) -> String {
    let is = |name: &str| host == name || host == format!("{name}.localhost");
    for app in apps {
        let label = |label: &String| is(&format!("{}---{label}", app.name));
        let backend = if is(&app.name) {
            app.revisions.checked_sub(1)
        } else if let Some(place) = app.labels.iter().position(label) {
            (place < app.revisions).then_some(place)
        } else if app
            .domains
            .iter()
            .any(|domain| domain.to_lowercase() == host)
        {
            app.revisions.checked_sub(1)
        } else {
            continue;
        };
        return backend.map_or_else(
            || format!("no revision of {}", app.name),
            |number| format!("{}--v{number}", app.name),
        );
    }
    "nothing".to_owned()
}

fn found(snapshot: &Snapshot, host: &str) -> String {
    match snapshot.find(host, None) {
        Found::Backend(backend) => backend.revision.to_string(),
        Found::NoRevision(app) => format!("no revision of {app}"),
        Found::Nothing => "nothing".to_owned(),
    }
}

/// What becomes of an app from one table to the next.
#[derive(Clone, Debug)]
enum Change {
    /// It has so many revisions now, by the same names.
    Revisions(usize),
    /// Another one is in its place.
    Other(App),
}

fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let change = prop_oneof![
        (0..4_usize).prop_map(Change::Revisions),
        app().prop_map(Change::Other),
    ];
    (any::<prop::sample::Index>(), change)
}

fn snapshot(apps: &[App]) -> Snapshot {
    Snapshot::new(RoutingTable {
        apps: apps.iter().map(route).map(Arc::new).collect(),
        ..RoutingTable::default()
    })
}

proptest! {
    #[test]
    fn a_host_leads_where_the_rules_say_however_it_is_written(
        apps in proptest::collection::vec(app(), 0..5),
        hosts in proptest::collection::vec(written(), 1..20),
    ) {
        let snapshot = snapshot(&apps);
        for (host, written) in hosts {
            let Ok(key) = key(&written) else {
                return Err(TestCaseError::fail(format!("{written} is refused")));
            };
            let host = host.strip_suffix('.').unwrap_or(&host);
            prop_assert_eq!(found(&snapshot, &key), expected(&apps, host), "{} as {}", host, written);
        }
    }

    #[test]
    fn a_table_leads_where_it_says_whatever_was_before(
        mut apps in proptest::collection::vec(app(), 1..5),
        changes in proptest::collection::vec(change(), 0..5),
        hosts in proptest::collection::vec(host(), 1..20),
    ) {
        let mut routes: Vec<_> = apps.iter().map(route).map(Arc::new).collect();
        let mut snapshot = snapshot(&apps);
        for (place, change) in changes {
            let app = place.get_mut(&mut apps);
            match change {
                Change::Revisions(revisions) => app.revisions = revisions,
                Change::Other(other) => *app = other,
            }
            *place.get_mut(&mut routes) = Arc::new(route(app));
            let table = RoutingTable { apps: routes.clone(), ..RoutingTable::default() };
            snapshot = Snapshot::after(&snapshot, table);
            let keys = hosts.iter().filter_map(|host| Some((host, key(host).ok()?)));
            for (host, key) in keys {
                let host = host.strip_suffix('.').unwrap_or(host);
                prop_assert_eq!(found(&snapshot, &key), expected(&apps, host), "{}", host);
            }
        }
    }

    #[test]
    fn any_text_leads_to_an_app_only_by_a_host_of_it(
        apps in proptest::collection::vec(app(), 1..4),
        text in "\\PC{0,12}",
    ) {
        let snapshot = snapshot(&apps);
        if let Ok(key) = key(&text)
            && found(&snapshot, &key) != "nothing"
        {
            let known = apps.iter().any(|app| {
                let domains = app.domains.iter().map(|domain| domain.to_lowercase());
                let mut names = domains.chain([app.name.clone()]);
                names.any(|name| key.starts_with(&*name))
            });
            prop_assert!(known, "{}", text);
        }
    }

    #[test]
    fn a_request_stays_with_its_revision(
        app in app(),
        previous in 0..4_usize,
    ) {
        let snapshot = snapshot(std::slice::from_ref(&app));
        let before = App { revisions: 4, ..app.clone() };
        let before = route(&before);
        let there = match snapshot.find(&app.name, Some(&before.backends[previous])) {
            Found::Backend(backend) => Some(backend.revision.clone()),
            _ => None,
        };
        let number = if previous < app.revisions { Some(previous) } else { app.revisions.checked_sub(1) };
        let expected = number.map(|number| before.backends[number].revision.clone());
        prop_assert_eq!(there, expected);
    }
}
