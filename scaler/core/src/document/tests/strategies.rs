//! Declarations of all kinds, for properties.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::Value;

use super::http_route_strategies::routes;
use super::texts::{name, text, value};
use crate::document::model::*;
use crate::name::{AppName, RevisionName};
use crate::network::Network;

fn seconds(least: u32) -> impl Strategy<Value = Duration> {
    (least..=u32::MAX).prop_map(|seconds| Duration::from_secs(seconds.into()))
}

/// An app, a revision, or routes.
pub(super) fn declaration() -> impl Strategy<Value = Declaration> {
    prop_oneof![
        app().prop_map(|app| Declaration::App(Box::new(app))),
        revision().prop_map(|revision| Declaration::Revision(Box::new(revision))),
        routes().prop_map(|config| Declaration::Routes(Box::new(config))),
    ]
}

pub(super) fn app_name() -> impl Strategy<Value = AppName> {
    "[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,2}".prop_map(|name| AppName::new(&name).unwrap())
}

pub(super) fn suffix() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,5}(-[a-z0-9]{1,5})?"
}

fn revision() -> impl Strategy<Value = DeclaredRevision> {
    let accepted = btree_map(
        Just("properties.template.serviceBinds".to_owned()),
        binds(),
        0..2,
    );
    (app_name(), suffix(), any::<bool>(), template(), accepted).prop_map(
        |(app, suffix, active, template, accepted)| DeclaredRevision {
            name: RevisionName::new(&app, &suffix).unwrap(),
            active,
            template: Template {
                revision_suffix: None,
                ..template
            },
            accepted,
        },
    )
}

fn binds() -> impl Strategy<Value = Value> {
    text()
        .prop_map(|id| serde_json::json!([{ "serviceId": id }]))
        .prop_filter("an absent identifier", |value| value[0]["serviceId"] != "")
}

fn app() -> impl Strategy<Value = ContainerApp> {
    app_name().prop_flat_map(|name| {
        let kept = [
            "identity",
            "kind",
            "properties.environmentId",
            "properties.configuration.runtime",
        ];
        let accepted = btree_map(select(kept.to_vec()).prop_map(str::to_owned), value(), 0..3);
        (
            of(text()),
            btree_map(text(), text(), 0..3),
            configuration(name.clone()),
            template(),
            accepted,
        )
            .prop_map(move |(location, tags, configuration, template, accepted)| {
                ContainerApp {
                    name: name.clone(),
                    location,
                    tags,
                    configuration,
                    template,
                    accepted,
                }
            })
    })
}

fn configuration(app: AppName) -> impl Strategy<Value = Configuration> {
    let modes = [ActiveRevisionsMode::Single, ActiveRevisionsMode::Multiple];
    let secrets = btree_map(name(), text(), 0..3);
    (
        select(modes.to_vec()),
        of(any::<u32>()),
        of(1..=100_u32),
        secrets,
        of(ingress(app)),
    )
        .prop_map(|(mode, inactive, threshold, mut secrets, ingress)| {
            secrets.insert("key".to_owned(), "value".to_owned());
            let secret = |(name, value)| Secret {
                name,
                value: Some(SecretValue::new(value)),
            };
            Configuration {
                active_revisions_mode: mode,
                max_inactive_revisions: inactive,
                revision_transition_threshold: threshold,
                secrets: secrets.into_iter().map(secret).collect(),
                ingress,
            }
        })
}

fn ingress(app: AppName) -> impl Strategy<Value = Ingress> {
    let transports = [
        Transport::Auto,
        Transport::Http,
        Transport::Http2,
        Transport::Tcp,
    ];
    let domains = btree_set("[a-z]{1,8}\\.com", 0..3);
    let door = (restrictions(), of(cors()), mappings());
    (
        any::<[bool; 3]>(),
        of(1..=u16::MAX),
        select(transports.to_vec()),
        of(1000..=u16::MAX),
        traffic(app),
        domains,
        door,
        select(vec![
            ClientCertificateMode::Ignore,
            ClientCertificateMode::Accept,
            ClientCertificateMode::Require,
        ]),
    )
        .prop_map(
            |(
                [external, allow_insecure, sticky_sessions],
                port,
                transport,
                exposed,
                traffic,
                domains,
                (restrictions, cors, mut additional_port_mappings),
                client_certificate_mode,
            )| {
                let exposed_port = exposed.filter(|_| transport == Transport::Tcp);
                let main = exposed_port.or(port);
                additional_port_mappings.retain(|mapping| Some(mapping.port()) != main);
                Ingress {
                    client_certificate_mode,
                    sticky_sessions,
                    external,
                    target_port: port,
                    allow_insecure,
                    transport,
                    exposed_port,
                    traffic,
                    custom_domains: domains.into_iter().collect(),
                    ip_security_restrictions: restrictions,
                    cors_policy: cors,
                    additional_port_mappings,
                }
            },
        )
}

fn mappings() -> impl Strategy<Value = Vec<PortMapping>> {
    (vec(any::<bool>(), 0..=5), 500..900_u16).prop_map(|(kinds, first)| {
        let mapping = |(target_port, external): (u16, bool)| PortMapping {
            external,
            target_port,
            exposed_port: external.then_some(target_port + 10),
        };
        (first..).step_by(20).zip(kinds).map(mapping).collect()
    })
}

fn cors() -> impl Strategy<Value = CorsPolicy> {
    let names = || {
        vec(
            select(vec!["*", "GET", "x-a"]).prop_map(str::to_owned),
            0..3,
        )
    };
    (
        vec(text(), 0..3),
        names(),
        names(),
        names(),
        of(any::<u32>()),
        any::<bool>(),
    )
        .prop_map(
            |(origins, methods, headers, expose, max_age, allow_credentials)| CorsPolicy {
                allowed_origins: origins,
                allowed_methods: methods,
                allowed_headers: headers,
                expose_headers: expose,
                max_age,
                allow_credentials,
            },
        )
}

fn restrictions() -> impl Strategy<Value = Vec<IpSecurityRestriction>> {
    let v4 = (any::<u32>(), 0..=32_u8).prop_map(|(bits, length)| {
        Network::parse(&Ipv4Addr::from_bits(bits).to_string(), &length.to_string()).unwrap()
    });
    let v6 = (any::<u128>(), 0..=128_u8).prop_map(|(bits, length)| {
        Network::parse(&Ipv6Addr::from_bits(bits).to_string(), &length.to_string()).unwrap()
    });
    let entry = (name(), of(text()), prop_oneof![v4, v6]);
    let action = select(vec![IpAction::Allow, IpAction::Deny]);
    (vec(entry, 0..3), action).prop_map(|(entries, action)| {
        let entry = |(name, description, range): (String, _, Network)| IpSecurityRestriction {
            name,
            description,
            range: range.start(),
            action,
        };
        entries.into_iter().map(entry).collect()
    })
}

fn traffic(app: AppName) -> impl Strategy<Value = Vec<TrafficWeight>> {
    let entry = (of(suffix()), any::<bool>());
    (vec(entry, 0..4), 0..=100_u32).prop_map(move |(entries, first)| {
        let entry = |(index, (suffix, labelled)): (usize, (Option<String>, bool))| TrafficWeight {
            target: match suffix {
                Some(suffix) => TrafficTarget::Revision(RevisionName::new(&app, &suffix).unwrap()),
                None => TrafficTarget::LatestRevision,
            },
            weight: 0,
            label: labelled.then(|| format!("label-{index}")),
        };
        let mut weights: Vec<_> = entries.into_iter().enumerate().map(entry).collect();
        if let [one, rest @ ..] = &mut *weights {
            one.weight = 100;
            if let [two, ..] = rest {
                (one.weight, two.weight) = (first, 100 - first);
            }
        }
        weights
    })
}

fn template() -> impl Strategy<Value = Template> {
    let volumes = vec(storage_type(), 1..3);
    (
        of(suffix()),
        of(seconds(0)),
        vec(container(), 0..2),
        vec((container(), probes()), 1..3),
        scale(),
        volumes,
    )
        .prop_map(|(suffix, grace, init, containers, scale, volumes)| {
            let named = |prefix: &str, index: usize, container: Container| Container {
                name: format!("{prefix}{index}{}", container.name),
                ..container
            };
            let volume = |(index, storage_type)| Volume {
                name: format!("v{index}"),
                storage_type,
            };
            let with_probes = |(container, probes)| Container {
                probes,
                ..container
            };
            Template {
                revision_suffix: suffix,
                termination_grace_period: grace,
                init_containers: (init.into_iter().enumerate())
                    .map(|(index, container)| named("init", index, container))
                    .collect(),
                containers: (containers.into_iter().map(with_probes).enumerate())
                    .map(|(index, container)| named("main", index, container))
                    .collect(),
                scale,
                volumes: volumes.into_iter().enumerate().map(volume).collect(),
            }
        })
}

fn storage_type() -> impl Strategy<Value = StorageType> {
    select(vec![
        StorageType::EmptyDir,
        StorageType::AzureFile,
        StorageType::NfsAzureFile,
        StorageType::Secret,
    ])
}

fn container() -> impl Strategy<Value = Container> {
    let mount = (text(), of(text())).prop_map(|(mount_path, sub_path)| VolumeMount {
        volume_name: "v0".to_owned(),
        mount_path,
        sub_path,
    });
    let resources =
        (of(0.001..1e6_f64), of(1..=u64::MAX)).prop_map(|(cpu, memory)| Resources { cpu, memory });
    (
        text(),
        of(name()),
        vec(text(), 1..3),
        vec(text(), 0..3),
        vec(variable(), 0..3),
        resources,
        vec(mount, 0..2),
    )
        .prop_map(
            |(name, image, command, args, env, resources, volume_mounts)| Container {
                name,
                image,
                command,
                args,
                env,
                resources,
                probes: Vec::new(),
                volume_mounts,
            },
        )
}

fn variable() -> impl Strategy<Value = EnvironmentVariable> {
    let name = name().prop_filter("an equals sign", |name| !name.contains('='));
    let value = prop_oneof![
        text().prop_map(EnvironmentValue::Literal),
        Just(EnvironmentValue::SecretRef("key".to_owned())),
    ];
    (name, value).prop_map(|(name, value)| EnvironmentVariable { name, value })
}

fn probes() -> impl Strategy<Value = Vec<Probe>> {
    let kinds = vec![
        ProbeKind::Liveness,
        ProbeKind::Readiness,
        ProbeKind::Startup,
    ];
    (subsequence(kinds, 0..=3), probe()).prop_map(|(kinds, probe)| {
        let of_kind = |kind| Probe {
            kind,
            success_threshold: match kind {
                ProbeKind::Readiness => probe.success_threshold,
                ProbeKind::Liveness | ProbeKind::Startup => 1,
            },
            ..probe.clone()
        };
        kinds.into_iter().map(of_kind).collect()
    })
}

fn probe() -> impl Strategy<Value = Probe> {
    let get = (
        1..=u16::MAX,
        name(),
        of(name()),
        any::<bool>(),
        vec((text(), text()), 0..2),
    );
    let action = prop_oneof![
        (1..=u16::MAX).prop_map(|port| ProbeAction::TcpSocket { port }),
        get.prop_map(|(port, path, host, https, headers)| ProbeAction::HttpGet {
            port,
            path,
            host,
            https,
            headers,
        }),
    ];
    (
        action,
        seconds(0),
        seconds(1),
        seconds(1),
        1..=u32::MAX,
        1..=u32::MAX,
    )
        .prop_map(
            |(action, initial_delay, period, timeout, failure_threshold, success_threshold)| {
                Probe {
                    kind: ProbeKind::Readiness,
                    action,
                    initial_delay,
                    period,
                    timeout,
                    failure_threshold,
                    success_threshold,
                }
            },
        )
}

fn scale() -> impl Strategy<Value = Scale> {
    (
        0..=1000_u32,
        1..=1000_u32,
        seconds(1),
        seconds(1),
        vec(rule(), 0..4),
    )
        .prop_map(
            |(min, max, cooldown_period, polling_interval, rules)| Scale {
                min_replicas: min.min(max),
                max_replicas: max,
                cooldown_period,
                polling_interval,
                rules: (rules.into_iter().enumerate())
                    .map(|(index, rule)| ScaleRule {
                        name: format!("{index}{}", rule.name),
                        ..rule
                    })
                    .collect(),
            },
        )
}

fn rule() -> impl Strategy<Value = ScaleRule> {
    let one = |key: &str, value: u32| [(key.to_owned(), value.to_string())].into();
    let form = prop_oneof![
        (1..=u32::MAX).prop_map(move |n| (RuleForm::Http, "http", one("concurrentRequests", n))),
        (1..=u32::MAX).prop_map(move |n| (RuleForm::Custom, "http", one("requestRate", n))),
        (1..=u32::MAX).prop_map(move |n| (RuleForm::Tcp, "tcp", one("concurrentConnections", n))),
        (1..=u32::MAX).prop_map(move |n| (RuleForm::Custom, "cpu", one("value", n))),
        (1..=u32::MAX).prop_map(move |n| (
            RuleForm::AzureQueue,
            "azure-queue",
            one("queueLength", n)
        )),
        btree_map(text(), text(), 0..3).prop_map(|map| (RuleForm::Custom, "redis", map)),
    ];
    let auth = name().prop_map(|trigger_parameter| RuleAuth {
        secret_ref: "key".to_owned(),
        trigger_parameter,
    });
    (text(), form, vec(auth, 0..2), of(text())).prop_map(
        |(name, (form, scaler, metadata), auth, identity)| ScaleRule {
            name,
            form,
            scaler: scaler.to_owned(),
            metadata,
            auth,
            identity,
        },
    )
}
