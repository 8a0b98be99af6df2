//! What is said of documents that are right.

use super::documents::*;
use super::*;

/// The messages of the warnings.
fn warnings(text: &str) -> Vec<String> {
    match read(text) {
        Ok(parsed) => (parsed.warnings.iter())
            .map(|warning| format!("{}: {}", warning.path, warning.message))
            .collect(),
        Err(errors) => panic!("{errors:#?}\n{text}"),
    }
}

fn assert_warning(text: &str, expected: &str) {
    let warnings = warnings(text);
    let found = warnings.iter().any(|warning| warning.contains(expected));
    assert!(found, "{warnings:#?}, none with: {expected}\n{text}");
}

#[test]
fn what_surprises_is_a_warning() {
    assert_warning(
        &with_ingress("{tragetPort: 80}"),
        "ingress.tragetPort: unknown property, ignored; did you mean `targetPort`?",
    );
    assert_warning(
        &with_ingress("{targetport: 80}"),
        "ingress.targetport: read as `targetPort`",
    );
    assert_warning(
        &with_ingress("{colour: red}"),
        "ingress.colour: unknown property, ignored",
    );
    assert_warning(
        &with_configuration(
            "{ingress: {stickySessions: {affinity: sticky}}, activeRevisionsMode: multiple}",
        ),
        "Azure takes sticky sessions in Single mode only",
    );
    assert_warning(
        &with_configuration(
            "{ingress: {traffic: [{latestRevision: true, weight: 100, label: a}]}}",
        ),
        "labels take effect in Multiple mode only",
    );
    assert_warning(
        &with_ingress("{traffic: [{revisionName: v1, weight: 100}]}"),
        "read as `hello--v1`",
    );
    assert_warning(
        &with_scale("{rules: [{name: a, custom: {type: azure-servicebu}}]}"),
        "did you mean `azure-servicebus`?",
    );
    assert_warning(
        &with_rule("{name: a, http: {metadata: {concurentRequests: 1}}}"),
        "did you mean `concurrentRequests`?",
    );
    assert_warning(
        &with_probe("{type: startup, tcpSocket: {port: 1}, failureThreshold: 240}"),
        "Azure takes at most 10",
    );
    assert_warning(
        &with_container("resources: {cpu: 0.2, memory: 100Mi}"),
        "0.2 cores and 100Mi together are not a size",
    );
    assert_warning(
        &with_container("env: [{name: A, value: 1}, {name: A, value: 2}]"),
        "the last one counts",
    );
    assert_warning(
        &with_template("{containers: [{command: [i]}]}"),
        "it is called `hello`",
    );
    assert_warning(
        &with_template("{containers: [{name: a, image: nginx}]}"),
        "containers[0].image: cannot run as a local process",
    );
    assert_warning(
        &app("  template: {containers: [{name: a, command: [i]}]}"),
        "scale.minReplicas: stuck at zero",
    );
    assert_warning(
        "name: hello\ntags: {ebbtide.scaleInStabilisationSeconds: 5}\nproperties: {template: \
         {containers: [{name: a, command: [i]}]}}",
        "did you mean `ebbtide.scaleInStabilizationSeconds`?",
    );
}

#[test]
fn what_surprises_in_who_may_ask_is_a_warning() {
    for (range, expected) in [
        ("10.1.2.3/8", "ipAddressRange: stands for all of 10.0.0.0/8"),
        ("'::1'", "ipAddressRange: Azure takes ranges of IPv4 only"),
    ] {
        let entry = format!("{{name: a, ipAddressRange: {range}, action: Allow}}");
        assert_warning(
            &with_ingress(&format!("{{ipSecurityRestrictions: [{entry}]}}")),
            expected,
        );
    }
    for (policy, expected) in [
        ("['https://a.test/']", "allowedOrigins[0]: matches no page"),
        ("['https://*.a.test']", "allowedOrigins[0]: matches no page"),
        ("['*', a.test]", "allowedOrigins[1]: matches no page"),
        (
            "['*'], allowCredentials: true",
            "corsPolicy: allows `*` with credentials",
        ),
    ] {
        assert_warning(
            &with_ingress(&format!("{{corsPolicy: {{allowedOrigins: {policy}}}}}")),
            expected,
        );
    }
}

#[test]
fn what_contradicts_itself_is_a_warning() {
    assert_warning(
        &with_ingress("{allowInsecure: true, clientCertificateMode: require}"),
        "requests in the clear have no certificate",
    );
}

#[test]
fn what_is_usual_is_no_warning() {
    for text in [
        with_ingress("{external: true, targetPort: 80, transport: Auto, fqdn: x}"),
        with_ingress(
            "{ipSecurityRestrictions: [{name: a, description: b, ipAddressRange: 10.0.0.0/8, \
             action: deny}]}",
        ),
        with_ingress(
            "{corsPolicy: {allowedOrigins: ['http://a.test:8080', 'null'], allowedMethods: ['*'], \
             allowCredentials: true}}",
        ),
        with_ingress(
            "{corsPolicy: {allowedOrigins: ['*'], allowedMethods: ['GET, PUT'], maxAge: 5}}",
        ),
        with_ingress("{targetPort: 80, clientCertificateMode: Require}"),
        with_ingress("{targetPort: 80, allowInsecure: true, clientCertificateMode: accept}"),
        with_container("resources: {cpu: '0.25', memory: 0.5Gi, ephemeralStorage: 1Gi}"),
        with_scale("{minReplicas: 0, rules: null}"),
        app(
            "  configuration: {}\n  provisioningState: Succeeded\n  outboundIpAddresses: [a]\n  \
             template: {containers: [{name: a, command: [i]}], scale: {minReplicas: 1}}",
        ),
        app(
            "  template: {containers: [{name: a, command: [i]}], scale: {rules: [{name: q, \
             azureQueue: {queueName: q}}]}}",
        ),
    ] {
        assert_eq!(warnings(&text), [] as [&str; 0], "{text}");
    }
}

#[test]
fn a_property_of_many_entries_is_mentioned_once() {
    let warnings = warnings(&with_ingress(
        "{customDomains: [{name: a.com, certificateId: x}, {name: b.com, certificateId: y}]}",
    ));
    assert_eq!(
        warnings,
        [
            "properties.configuration.ingress.customDomains[0].certificateId: accepted, not acted on yet"
        ]
    );
}

#[test]
fn a_mirror_to_what_no_document_declares_is_a_warning() {
    let traffic = "[{latestRevision: true, weight: 100, label: red}]";
    let ingress = format!("{{activeRevisionsMode: Multiple, ingress: {{traffic: {traffic}}}}}");
    let mirrored = |target: &str| {
        let tags = format!("name: hello\ntags: {{ebbtide.mirror: '{target}'}}");
        let template = "{revisionSuffix: v2, containers: [{name: a, command: [i]}]}";
        let app = format!("{tags}\nproperties: {{configuration: {ingress}, template: {template}}}");
        let earlier = "type: Microsoft.App/containerApps/revisions\nname: hello--v1\nproperties: \
                       {template: {containers: [{name: a, command: [i]}]}}";
        let other = "name: other\nproperties: {template: {containers: [{name: a, command: [i]}]}}";
        read(&format!("{app}\n---\n{earlier}\n---\n{other}")).unwrap()
    };
    for (target, expected) in [
        ("latest=5", None),
        ("label:red", None),
        ("hello---red", None),
        ("hello--v1=5", None),
        ("hello--v2", None),
        (
            "label:blue",
            Some("app hello has no label blue in its traffic"),
        ),
        (
            "other---red",
            Some("app other has no label red in its traffic"),
        ),
        ("lost---red", Some("no document declares app lost")),
        (
            "hello--v9=5",
            Some("no document declares revision hello--v9"),
        ),
        ("hello--v9=0", None),
    ] {
        let found = check_mirrors(&mirrored(target).declarations);
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        let expected = expected.map(|missing| {
            format!("test.yaml:1:1: tags.ebbtide.mirror: {missing}; unless it is there already, no request is copied")
        });
        assert_eq!(lines, Vec::from_iter(expected), "{target}");
    }
}
