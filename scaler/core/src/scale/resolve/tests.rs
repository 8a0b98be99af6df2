use std::collections::BTreeMap;

use super::*;
use crate::document::{Configuration, Ingress, RuleAuth, RuleForm};
use crate::name::AppName;

fn app(ingress: Option<Transport>) -> ContainerApp {
    ContainerApp {
        name: AppName::new("hello").unwrap(),
        location: None,
        tags: BTreeMap::new(),
        configuration: Configuration {
            ingress: ingress.map(|transport| Ingress {
                transport,
                ..Ingress::default()
            }),
            ..Configuration::default()
        },
        template: Template::default(),
        accepted: BTreeMap::new(),
    }
}

/// A rule from `key=value` pairs; of the form that its scaler is usually written in.
fn rule(scaler: &str, metadata: &[(&str, &str)]) -> ScaleRule {
    let form = match scaler {
        "http" => RuleForm::Http,
        "tcp" => RuleForm::Tcp,
        "azure-queue" => RuleForm::AzureQueue,
        _ => RuleForm::Custom,
    };
    let pairs = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    ScaleRule {
        name: format!("{scaler}-rule"),
        form,
        scaler: scaler.to_owned(),
        metadata: pairs.collect(),
        auth: Vec::new(),
        identity: None,
    }
}

fn template(rules: Vec<ScaleRule>) -> Template {
    Template {
        scale: Scale {
            rules,
            ..Scale::default()
        },
        ..Template::default()
    }
}

fn resolved(rules: Vec<ScaleRule>) -> Result<ScaleSpec, Vec<RuleError>> {
    ScaleSpec::from_document(&app(Some(Transport::Auto)), &template(rules))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Checks the metric, target and activation of a rule.
#[track_caller]
fn check(scaler: &str, metadata: &[(&str, &str)], metric: &Metric, target: f64, activation: f64) {
    let spec = resolved(vec![rule(scaler, metadata)]).unwrap();
    let expected = RuleSpec {
        name: format!("{scaler}-rule"),
        scaler: scaler.to_owned(),
        metric: metric.clone(),
        target,
        activation,
        target_latency: None,
    };
    assert_eq!(spec.rules, [expected]);
}

#[test]
fn request_rules_have_a_window() {
    let concurrency = Metric::HttpConcurrency {
        window: DEFAULT_WINDOW,
    };
    check("http", &[], &concurrency, 10.0, 0.0);
    check(
        "http",
        &[("concurrentRequests", "50")],
        &concurrency,
        50.0,
        0.0,
    );
    let rate = Metric::HttpRequestRate {
        window: seconds(60),
    };
    check(
        "http",
        &[("requestRate", "0.5"), ("windowSeconds", "60")],
        &rate,
        0.5,
        0.0,
    );
    let connections = Metric::TcpConnections {
        window: DEFAULT_WINDOW,
    };
    check("tcp", &[], &connections, 10.0, 0.0);
    check(
        "tcp",
        &[("concurrentConnections", " 7 ")],
        &connections,
        7.0,
        0.0,
    );
}

#[test]
fn resource_rules_are_shares_or_amounts() {
    check(
        "cpu",
        &[("value", "70")],
        &Metric::CpuUtilization,
        70.0,
        0.0,
    );
    let half_a_core = [("metricType", "AverageValue"), ("value", "500m")];
    check("cpu", &half_a_core, &Metric::CpuAverage, 0.5, 0.0);
    let cores = [("type", "AverageValue"), ("value", "1.5")];
    check("cpu", &cores, &Metric::CpuAverage, 1.5, 0.0);
    let share = [("type", "utilization"), ("value", "80")];
    check("memory", &share, &Metric::MemoryUtilization, 80.0, 0.0);
    let amount = [("type", "AverageValue"), ("value", "1Gi")];
    check(
        "memory",
        &amount,
        &Metric::MemoryAverage,
        1_073_741_824.0,
        0.0,
    );
}

#[test]
fn other_rules_have_the_target_of_their_scaler() {
    for (scaler, key, value, target) in [
        ("aws-sqs-queue", "queueURL", "orders", 5.0),
        ("aws-sqs-queue", "queueLength", "20", 20.0),
        ("azure-blob", "blobCount", "", 5.0),
        ("gcp-pubsub", "subscriptionSize", "8", 8.0),
        ("loki", "threshold", "1.5", 1.5),
        ("made-up", "value", "4", 4.0),
        ("made-up", "else", "4", 1.0),
    ] {
        check(scaler, &[(key, value)], &Metric::External, target, 0.0);
    }
    let both = [("queueLength", "20"), ("activationQueueLength", "3")];
    check("aws-sqs-queue", &both, &Metric::External, 20.0, 3.0);
    check(
        "azure-blob",
        &[("activationBlobCount", "2")],
        &Metric::External,
        5.0,
        2.0,
    );
}

#[test]
fn the_target_of_a_redis_stream_is_that_of_what_is_counted() {
    let fixed = [("address", "redis:6379"), ("stream", "orders")];
    let with = |keys: &[(&'static str, &'static str)]| [&fixed, keys].concat();
    let group = ("consumerGroup", "workers");
    let (lag, pending, length) = (
        ("lagCount", "2"),
        ("pendingEntriesCount", "3"),
        ("streamLength", "4"),
    );
    for (keys, target) in [
        (with(&[]), 5.0),
        (with(&[length]), 4.0),
        (with(&[group]), 5.0),
        (with(&[group, pending, length]), 3.0),
        (with(&[group, lag, pending, length]), 2.0),
    ] {
        check("redis-streams", &keys, &Metric::External, target, 0.0);
    }
    for key in [lag, pending] {
        let errors = resolved(vec![rule("redis-streams", &with(&[key]))]).unwrap_err();
        let message = errors[0].to_string();
        let expected = format!(
            "consumerGroup: redis-streams needs consumerGroup beside {}",
            key.0
        );
        assert!(message.ends_with(&expected), "{message}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_path_and_all_of_it_at_once() {
    let errors = resolved(vec![
        rule(
            "http",
            &[("concurrentRequests", "0"), ("windowSeconds", "0.5")],
        ),
        rule("http", &[("concurrentRequests", "5"), ("requestRate", "5")]),
        rule("cpu", &[("type", "Average")]),
        rule("memory", &[("type", "AverageValue"), ("value", "1gb")]),
        rule(
            "aws-sqs-queue",
            &[("queueLength", "many"), ("activationQueueLength", "-1")],
        ),
        rule("loki", &[("threshold", "NaN")]),
        rule("mongodb", &[]),
    ]);
    let texts: Vec<_> = errors
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "[0].http.metadata.windowSeconds: \"0.5\" is not a number of at least 1",
        "[0].http.metadata.concurrentRequests: \"0\" is not a number of at least 1",
        "[1].http.metadata.requestRate: give concurrentRequests or requestRate, not both",
        "[2].custom.metadata.type: \"Average\" is neither Utilization nor AverageValue",
        "[2].custom.metadata.value: cpu needs value, a number greater than 0",
        "[3].custom.metadata.value: \"1gb\" is not an amount of memory, as in 100Mi",
        "[4].custom.metadata.queueLength: \"many\" is not a number greater than 0",
        "[4].custom.metadata.activationQueueLength: \"-1\" is not a number of at least 0",
        "[5].custom.metadata.threshold: \"NaN\" is not a number greater than 0",
        "[6].custom.metadata.queryValue: mongodb needs queryValue, a number greater than 0",
    ];
    let expected = expected.map(|text| format!("properties.template.scale.rules{text}"));
    assert_eq!(texts, expected);
}

#[test]
fn an_app_with_ingress_and_no_rule_gets_one() {
    for (transport, metric) in [
        (
            Transport::Auto,
            Metric::HttpConcurrency {
                window: DEFAULT_WINDOW,
            },
        ),
        (
            Transport::Http2,
            Metric::HttpConcurrency {
                window: DEFAULT_WINDOW,
            },
        ),
        (
            Transport::Tcp,
            Metric::TcpConnections {
                window: DEFAULT_WINDOW,
            },
        ),
    ] {
        let spec = ScaleSpec::from_document(&app(Some(transport)), &template(vec![])).unwrap();
        assert_eq!((&spec.rules[0].metric, spec.rules.len()), (&metric, 1));
        assert_eq!(
            (spec.min_replicas, spec.max_replicas, spec.rules[0].target),
            (0, 10, 10.0)
        );
        assert_eq!(spec.policy, Policy::default());
        assert_eq!(spec.longest_window(), seconds(15));
    }
    let alone = app(None);
    let spec = ScaleSpec::from_document(&alone, &template(vec![])).unwrap();
    assert_eq!(spec.rules, []);
    assert!(spec.warnings(&alone, &template(vec![]))[0].contains("stays at zero"));
}

#[test]
fn what_may_surprise_is_said() {
    let warnings = |ingress, rules: Vec<ScaleRule>| {
        let (app, template) = (app(ingress), template(rules));
        let spec = ScaleSpec::from_document(&app, &template).unwrap();
        (spec.min_replicas, spec.warnings(&app, &template).join("\n"))
    };
    let cpu = || rule("cpu", &[("value", "70")]);
    let web = Some(Transport::Auto);
    assert_eq!(
        warnings(web, vec![rule("http", &[]), cpu()]),
        (0, String::new())
    );
    assert_eq!(warnings(web, vec![cpu()]), (0, String::new()));
    let (least, text) = warnings(None, vec![cpu()]);
    assert!(
        least == 1 && text.contains("minReplicas 0 is taken as 1"),
        "{text}"
    );
    let (least, text) = warnings(None, vec![rule("aws-sqs-queue", &[]), cpu()]);
    assert!(
        least == 0 && text.contains("aws-sqs-queue-rule (aws-sqs-queue) cannot be read"),
        "{text}"
    );
    let (_, text) = warnings(None, vec![rule("http", &[])]);
    assert!(text.contains("never sees a request"), "{text}");
}

#[test]
fn the_policy_follows_the_tags_and_the_rules() {
    let mut app = app(Some(Transport::Auto));
    let queue = template(vec![rule("aws-sqs-queue", &[])]);
    let both = template(vec![
        rule("aws-sqs-queue", &[]),
        rule("http", &[("windowSeconds", "30")]),
    ]);
    let spec = |app: &_, template: &_| ScaleSpec::from_document(app, template).unwrap();
    assert_eq!(spec(&app, &queue).policy.step.period, seconds(30));
    assert_eq!(spec(&app, &both).policy.step.period, seconds(2));
    assert_eq!(spec(&app, &both).longest_window(), seconds(30));

    for (key, value) in [("In", "20"), ("Out", "5")] {
        let tag = format!("ebbtide.scale{key}StabilizationSeconds");
        app.tags.insert(tag, value.to_owned());
    }
    let policy = spec(&app, &both).policy;
    assert_eq!(policy.scale_in_stabilization, seconds(20));
    assert_eq!(policy.scale_out_stabilization, seconds(5));
}

#[test]
fn what_azure_queue_is_short_for_takes_its_credentials_from_secrets() {
    let metadata = [("accountName", "shop"), ("queueName", "orders")];
    let mut queue = rule("azure-queue", &metadata);
    queue.identity = Some("system".to_owned());
    let message = |rule: &ScaleRule| {
        let errors = resolved(vec![rule.clone()]).unwrap_err();
        let lines = errors.iter().map(ToString::to_string);
        lines.collect::<Vec<_>>().join("\n")
    };
    let path = "properties.template.scale.rules[0].azureQueue.connection";
    assert_eq!(
        message(&queue),
        format!(
            "{path}: azure-queue needs connection or accountKey; give \
             one as triggerParameter of auth (the identity is not used)"
        )
    );
    queue.identity = None;
    assert!(message(&queue).ends_with("triggerParameter of auth"));
    queue.auth.push(RuleAuth {
        secret_ref: "storage".to_owned(),
        trigger_parameter: "connection".to_owned(),
    });
    let spec = resolved(vec![queue]).unwrap();
    assert_eq!(
        (&spec.rules[0].metric, spec.rules[0].target),
        (&Metric::External, 5.0)
    );
}

#[test]
fn readings_may_miss_two_polls() {
    let spec = resolved(vec![rule("aws-sqs-queue", &[]), rule("http", &[])]).unwrap();
    assert_eq!(spec.allowed_age(&spec.rules[0]), seconds(90));
    assert_eq!(spec.allowed_age(&spec.rules[1]), seconds(15));
}
