//! What is taken as Azure takes it, though it is not written as Azure documents it.

use super::documents::*;
use super::*;

fn app_of(text: &str) -> ContainerApp {
    match read(text).map(|parsed| parsed.declarations.into_iter().next()) {
        Ok(Some(Located {
            value: Declaration::App(app),
            ..
        })) => *app,
        other => panic!("{other:#?}\n{text}"),
    }
}

#[test]
fn two_spellings_of_one_document_are_the_same() {
    let container = "{name: a, image: i}";
    let cases = [
        (
            with_ingress("{transport: auto, external: true, targetPort: 80}"),
            with_ingress("{transport: Auto, external: 'True', targetPort: '80'}"),
        ),
        (
            with_ingress("{external: true, allowInsecure: false}"),
            with_ingress("{external: yes, allowInsecure: null, targetPort: ~, exposedPort: 0}"),
        ),
        (
            with_configuration("{activeRevisionsMode: Single}"),
            with_configuration("{activeRevisionsMode: single, secrets: null, ingress: ~}"),
        ),
        (
            with_ingress("{traffic: [{latestRevision: true, weight: 100}]}"),
            with_ingress(
                "{traffic: [{latestRevision: true, revisionName: '', weight: '100', label: null}]}",
            ),
        ),
        (
            with_template(&format!("{{containers: [{container}]}}")),
            with_template(&format!(
                "{{revisionSuffix: '', containers: [null, {container}], volumes: []}}"
            )),
        ),
        (
            with_container("env: [{name: A, value: '80'}, {name: B, value: 'true'}, {name: C}]"),
            with_container(
                "env: [{name: A, value: 80}, {name: B, value: true}, {name: C, value: ''}]",
            ),
        ),
        (
            with_container("resources: {cpu: 0.5, memory: 1Gi}"),
            with_container("resources: {cpu: '.50', memory: 1024Mi, ephemeralStorage: 2Gi}"),
        ),
        (
            with_probe("{type: Liveness, httpGet: {port: 80}, periodSeconds: 10}"),
            with_probe("{type: liveness, httpGet: {port: '80', path: '', scheme: http}}"),
        ),
        (
            with_rule("{name: a, http: {metadata: {concurrentRequests: '50'}}}"),
            with_rule(
                "{name: a, http: {metadata: {concurrentRequests: 50}, auth: null}, tcp: null}",
            ),
        ),
        (
            with_scale("{}"),
            with_scale(
                "{minReplicas: 0, maxReplicas: 10, cooldownPeriod: 300, pollingInterval: 30}",
            ),
        ),
    ];
    for (one, other) in cases {
        assert_eq!(app_of(&one), app_of(&other), "{other}");
    }
}

#[test]
fn defaults_are_as_documented() {
    let app = app_of(&with_configuration("{ingress: {}}"));
    let ingress = app.configuration.ingress.unwrap();
    assert_eq!(ingress, Ingress::default());
    assert_eq!(
        app.configuration.active_revisions_mode,
        ActiveRevisionsMode::Single
    );
    let template = app_of(&with_template("{containers: [{name: a, image: i}]}")).template;
    assert_eq!(template.scale, Scale::default());
    assert_eq!(template.revision_suffix, None);
}

#[test]
fn a_probe_and_its_defaults() {
    let template = app_of(&with_probe("{type: startup, httpGet: {port: 8080}}")).template;
    let second = std::time::Duration::from_secs(1);
    let expected = Probe {
        kind: ProbeKind::Startup,
        action: ProbeAction::HttpGet {
            port: 8080,
            path: "/".to_owned(),
            host: None,
            https: false,
            headers: Vec::new(),
        },
        initial_delay: std::time::Duration::ZERO,
        period: second * 10,
        timeout: second,
        failure_threshold: 3,
        success_threshold: 1,
    };
    assert_eq!(template.containers[0].probes, [expected]);
}

#[test]
fn a_rule_keeps_its_form() {
    let rules = "{name: a, azureQueue: {accountName: x, queueName: q, queueLength: '5', identity: \
                 system}}, {name: b, custom: {type: HTTP, metadata: {concurrentRequests: 1}}}";
    let template = app_of(&with_rule(rules)).template;
    let [queue, http] = &*template.scale.rules else {
        panic!("two rules");
    };
    assert_eq!(
        (queue.form, &*queue.scaler),
        (RuleForm::AzureQueue, "azure-queue")
    );
    let metadata: Vec<_> = queue.metadata.iter().collect();
    assert_eq!(
        format!("{metadata:?}"),
        r#"[("accountName", "x"), ("queueLength", "5"), ("queueName", "q")]"#
    );
    assert_eq!(queue.identity.as_deref(), Some("system"));
    assert_eq!((http.form, &*http.scaler), (RuleForm::Custom, "http"));
}

#[test]
fn a_name_comes_from_the_document_or_from_outside() {
    let rest = "properties: {template: {containers: [{name: a, image: i}]}}";
    assert_eq!(
        app_of(&format!("name: given\n{rest}")).name.as_str(),
        "given"
    );
    assert_eq!(app_of(rest).name.as_str(), "unnamed");
    let source = Source {
        name: "request body",
        text: rest,
    };
    let errors = parse(&source, &ParseOptions::default()).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "request body:1:1: name: is missing; give the app's name"
    );
    let options = ParseOptions {
        default_name: Some("02_x".to_owned()),
        ..ParseOptions::default()
    };
    let errors = parse(&source, &options).unwrap_err();
    assert!(
        errors[0]
            .message
            .starts_with("is missing, and \"02_x\" is not an app name")
    );
}

#[test]
fn the_environment_has_two_names() {
    for key in ["environmentId", "managedEnvironmentId"] {
        let text = app(&format!(
            "  {key}: /x\n  template: {{containers: [{{name: a, image: i}}]}}"
        ));
        assert_eq!(
            app_of(&text).accepted["properties.environmentId"],
            "/x",
            "{key}"
        );
    }
}

#[test]
fn a_revision_is_declared_as_azure_shows_it() {
    let text = r#"// from az containerapp revision show
        [{"id": "/x", "name": "hello/hello--v1", "resourceGroup": "g",
	"type": "Microsoft.App/containerapps/revisions", /* tabs too */
	"properties": {"active": false, "createdTime": "x", "fqdn": "f", "replicas": 1,
	  "trafficWeight": 20, "template": {"containers": [{"name": "a", "command": ["i"]}],
	  "revisionSuffix": "v1", "scale": null}}}]"#;
    let parsed = read(text).unwrap();
    assert_eq!(parsed.warnings, []);
    let Declaration::Revision(revision) = &parsed.declarations[0].value else {
        panic!("a revision");
    };
    assert_eq!(
        (revision.name.as_str(), revision.active),
        ("hello--v1", false)
    );
    assert_prints_back(&parsed.declarations[0].value);
}

#[test]
fn documents_of_one_file_are_all_read() {
    let one = "name: a\nproperties: {template: {containers: [{name: a, image: i}]}}\n";
    let text = format!(
        "---\n{one}---\n# nothing\n---\n{}",
        one.replace("name: a\n", "name: b\n")
    );
    let parsed = read(&text).unwrap();
    let places: Vec<_> = parsed.declarations.iter().map(|one| one.line).collect();
    assert_eq!(places, [2, 7]);
}
