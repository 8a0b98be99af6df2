//! What is reported of documents with something wrong in them.

use super::documents::*;
use super::*;

/// The path and message of each error.
fn errors(text: &str) -> Vec<String> {
    let Err(errors) = read(text) else {
        panic!("no error in\n{text}");
    };
    let line = |error: &Diagnostic| format!("{}: {}", error.path, error.message);
    errors.iter().map(line).collect()
}

/// The only error's end of path and beginning of message are those expected.
pub(super) fn assert_error(text: &str, path: &str, message: &str) {
    let errors = errors(text);
    let [error] = &*errors else {
        panic!("expected one error at {path}: {errors:#?}\n{text}");
    };
    let (found_path, found) = error.split_once(": ").unwrap();
    assert!(found_path.ends_with(path), "{error}, not at {path}");
    assert!(found.contains(message), "{error}, not: {message}");
}

/// A table of errors: a part of a document, the end of the path and a part of the message.
pub(super) fn check(document: impl Fn(&str) -> String, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [part, path, message] = *line.split(" => ").collect::<Vec<_>>() else {
            panic!("not a case: {line}");
        };
        assert_error(&document(part), path, message);
    }
}

#[test]
fn all_errors_of_a_document_are_reported_in_order_with_their_places() {
    let text = "\
name: Hello
properties:
  configuration:
    ingress:
      targetPort: 70000
      traffic:
        - {latestRevision: true, weight: 80}
        - {revisionName: hello--v1, weight: 10}
  template:
    containers:
      - name: main
        image: i
        env:
          - {name: KEY, secretRef: nothing}
    scale:
      minReplicas: many
---
name: ok
properties: {}
";
    let errors = read(text).unwrap_err();
    let lines: Vec<_> = errors.iter().map(Diagnostic::to_string).collect();
    let expected = [
        "test.yaml:1:7: name: \"Hello\" is not an app name: use 1 to 32 lowercase letters, digits \
         and '-', begin with a letter, end with a letter or digit, and do not write '--'",
        "test.yaml:5:19: properties.configuration.ingress.targetPort: found `70000`; expected a \
         whole number from 1 to 65535",
        "test.yaml:7:9: properties.configuration.ingress.traffic: traffic weights sum to 90; they \
         must sum to 100",
        "test.yaml:14:36: properties.template.containers[0].env[0].secretRef: there is no secret \
         `nothing`; the app has none",
        "test.yaml:16:20: properties.template.scale.minReplicas: found `many`; expected a whole \
         number from 0 to 1000",
        "test.yaml:19:13: properties.template: is missing; give the containers to run",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_resource_itself() {
    assert_error(
        "name: a-\nproperties: {template: {containers: [{name: a, image: i}]}}",
        "name",
        "not an app name",
    );
    // Nothing is said of a suffix, which would be right with a right name.
    assert_error(
        "name: a-\nproperties: {configuration: {ingress: {traffic: [{revisionName: v1, weight: \
         100}]}}, template: {containers: [{name: a, image: i}]}}",
        "name",
        "not an app name",
    );
    assert_error(
        "type: x\nname: a",
        "type",
        "expected Microsoft.App/containerApps, ",
    );
    assert_error("name: a", "properties", "is missing");
    assert_error("- 1", "[0]", "expected a mapping");
    assert_error("just text", "", "expected a mapping");
    assert_error("", "", "declares no container app");
    assert_error("# nothing\n---\n", "", "declares no container app");
    assert_error("a: [", "", "unclosed bracket");
    assert_error(
        "name: hello\ntags: {ebbtide.scaleInStabilizationSeconds: soon}\nproperties: {template: \
         {containers: [{name: a, image: i}]}}",
        "tags.ebbtide.scaleInStabilizationSeconds",
        "expected a whole number of at least 0",
    );
}

#[test]
fn tags_of_ebbtides() {
    check(
        |tag| {
            let properties = "properties: {template: {containers: [{name: a, image: i}]}}";
            format!("name: hello\ntags: {{{tag}}}\n{properties}")
        },
        r"
        ebbtide.coldPaths: healthz => tags.ebbtide.coldPaths => `healthz` has no status; write paths with a status each
        ebbtide.coldAnswer: html => tags.ebbtide.coldAnswer => `html` is no answer; write hold, page, json
        ebbtide.compression: deflate => tags.ebbtide.compression => `deflate` is no coding; write those that are wanted
        ebbtide.maxRequestBodyBytes: 1Mi => tags.ebbtide.maxRequestBodyBytes => found `1Mi`; expected a whole number of bytes
        ebbtide.mirror: green => tags.ebbtide.mirror => `green` is no target; write latest, label:LABEL
        ebbtide.mirrorMethods: GET => tags.ebbtide.mirrorMethods => `GET` are no methods; write safe or all
        ebbtide.maxRequestBodyBytes: -1 => tags.ebbtide.maxRequestBodyBytes => expected a whole number of bytes
        ",
    );
}

#[test]
fn a_misspelt_property_or_type_is_said_beside_what_it_leads_to() {
    let text = "type: Microsoft.App/containerApp\nname: hello\nproperties: {colour: red, template: \
                {containers: [{name: a, comand: [b]}]}}";
    let types = "Microsoft.App/containerApps, Microsoft.App/containerApps/revisions or \
                 Microsoft.App/managedEnvironments/httpRouteConfigs; did you \
                 mean `Microsoft.App/containerApps`?";
    let expected = [
        format!("type: found `Microsoft.App/containerApp`; expected {types}"),
        "properties.colour: unknown property".to_owned(),
        "properties.template.containers[0]: needs `command`, the program to run, or `image`"
            .to_owned(),
        "properties.template.containers[0].comand: unknown property; did you mean `command`?"
            .to_owned(),
    ];
    assert_eq!(errors(text), expected);
}

#[test]
fn configuration() {
    check(
        with_configuration,
        r"
        {activeRevisionsMode: Labels} => activeRevisionsMode => Labels is not supported yet; use Single or Multiple
        {activeRevisionsMode: Mutliple} => activeRevisionsMode => one of Single, Multiple, Labels; did you mean `Multiple`?
        {revisionTransitionThreshold: 0} => revisionTransitionThreshold => from 1 to 100
        {secrets: [{name: a, value: x}, {name: a, value: y}]} => secrets[1].name => a second secret
        {secrets: [{value: x}]} => secrets[0].name => is missing
        {registries: [{server: s, passwordSecretRef: x}]} => passwordSecretRef => no secret `x`
        {registries: [{}]} => registries[0].server => is missing
        {dapr: {appProtocol: soap}} => dapr.appProtocol => one of http, grpc
        {dapr: {appPort: 0}} => dapr.appPort => from 1 to 65535
        {dapr: []} => configuration.dapr => found a list; expected a mapping
        ",
    );
}

#[test]
fn ingress() {
    check(
        with_ingress,
        r"
        {external: maybe} => ingress.external => expected true or false
        {targetPort: 0} => ingress.targetPort => from 1 to 65535
        {transport: udp} => ingress.transport => one of auto, http, http2, tcp
        {exposedPort: 8081} => ingress.exposedPort => `transport: tcp` only
        {exposedPort: 443, transport: TCP} => ingress.exposedPort => any port but 80 and 443
        {customDomains: [{name: A.com}, {name: a.com}]} => customDomains[1].name => `a.com` is given twice
        {customDomains: [{name: a.com, bindingType: x}]} => bindingType => one of Disabled
        {ipSecurityRestrictions: [{name: a, ipAddressRange: anywhere, action: Allow}]} => ipAddressRange => found `anywhere`; expected a range of addresses
        {ipSecurityRestrictions: [{name: a, ipAddressRange: 1.2.3.4/33, action: Allow}]} => ipAddressRange => as in 10.0.0.0/8
        {ipSecurityRestrictions: [{name: a, ipAddressRange: 1.2.3.4, action: Block}]} => ipSecurityRestrictions[0].action => one of Allow, Deny
        {ipSecurityRestrictions: [{name: a, ipAddressRange: 1.2.3.4}]} => ipSecurityRestrictions[0].action => is missing
        {ipSecurityRestrictions: [{ipAddressRange: 1.2.3.4, action: Deny}]} => ipSecurityRestrictions[0].name => is missing
        {ipSecurityRestrictions: [{name: a, ipAddressRange: 1.2.3.4, action: Allow}, {name: b, ipAddressRange: 1.2.3.0/24, action: deny}]} => ipSecurityRestrictions[1] => all Allow or all Deny
        {stickySessions: {affinity: glue}} => affinity => one of none, sticky
        {clientCertificateMode: x} => clientCertificateMode => one of ignore, accept, require
        {corsPolicy: {maxAge: 1}} => allowedOrigins => is missing
        {corsPolicy: {allowedOrigins: https://a.test}} => allowedOrigins => expected a list
        {corsPolicy: {allowedOrigins: ['*'], maxAge: -1}} => corsPolicy.maxAge => a whole number of at least 0
        {corsPolicy: {allowedOrigins: ['*'], allowedMethods: [GET, 'P T']}} => corsPolicy.allowedMethods[1] => is not a name
        {corsPolicy: {allowedOrigins: ['*'], allowedHeaders: ['a b']}} => corsPolicy.allowedHeaders[0] => `a b` is not a name
        {corsPolicy: {allowedOrigins: ['*'], exposeHeaders: ['a: b']}} => corsPolicy.exposeHeaders[0] => `a: b` is not a name
        {additionalPortMappings: [{external: true, targetPort: 1}, {external: true, targetPort: 1}]} => additionalPortMappings[1] => a second mapping
        {additionalPortMappings: [{external: true, targetPort: 1, exposedPort: 7}, {external: true, targetPort: 7}]} => additionalPortMappings[1] => has port 7 already; give another exposedPort
        {targetPort: 7, transport: tcp, additionalPortMappings: [{external: true, targetPort: 1, exposedPort: 7}]} => additionalPortMappings[0] => has port 7 already; give another exposedPort
        {additionalPortMappings: [{targetPort: 1}]} => additionalPortMappings[0].external => is missing; give true or false
        {additionalPortMappings: [{external: false}]} => additionalPortMappings[0].targetPort => is missing; give the port
        {additionalPortMappings: [{external: false, targetPort: 0}]} => additionalPortMappings[0].targetPort => from 1 to 65535
        {additionalPortMappings: [{external: false, targetPort: 1, exposedPort: 65536}]} => [0].exposedPort => from 1 to 65535
        {additionalPortMappings: [{external: false, targetPort: 443}]} => [0].targetPort => use any port but 80 and 443 as exposedPort
        {additionalPortMappings: [{external: false, targetPort: 1, exposedPort: 80}]} => [0].exposedPort => use any port but 80 and 443 as exposedPort
        {additionalPortMappings: [{external: true, targetPort: 1}, {external: true, targetPort: 2}, {external: true, targetPort: 3}, {external: true, targetPort: 4}, {external: true, targetPort: 5}, {external: true, targetPort: 6}]} => additionalPortMappings => has 6 entries; at most 5
        ",
    );
}

#[test]
fn traffic() {
    check(
        |traffic| with_ingress(&format!("{{traffic: {traffic}}}")),
        r"
        [{latestRevision: true, weight: 101}] => traffic[0].weight => from 0 to 100
        [{latestRevision: true, weight: 90}] => ingress.traffic => traffic weights sum to 90; they must sum to 100
        [{latestRevision: true, revisionName: hello--a, weight: 100}] => traffic[0] => not both
        [{weight: 100}] => traffic[0] => needs `latestRevision: true` or `revisionName`
        [{revisionName: other--a, weight: 100}] => revisionName => is a revision of `other`, not of `hello`
        [{revisionName: Other, weight: 100}] => revisionName => is not a revision suffix
        [{latestRevision: true, weight: 100, label: Blue}] => label => `Blue` is not a label
        [{latestRevision: true, weight: 100, label: a--b}] => label => is not a label
        [{latestRevision: true, weight: 100, label: 1a}] => label => is not a label
        [{latestRevision: true, weight: 50, label: a}, {revisionName: hello--a, weight: 50, label: a}] => traffic[1] => the label `a` is given twice
        ",
    );
}

#[test]
fn template() {
    check(
        with_template,
        r"
        {} => template.containers => is missing
        {containers: []} => template.containers => at least one container
        {containers: [{name: a}]} => containers[0] => needs `command`
        {containers: [{name: a, command: npm start}]} => command => found `npm start`; expected a list
        {containers: [{name: a, image: i}, {name: a, image: i}]} => containers[1] => a second container has the name `a`
        {containers: [{name: a, image: i}], initContainers: [{name: b, image: i, probes: []}]} => initContainers[0].probes => no probes
        {containers: [{name: a, image: i}], revisionSuffix: A} => revisionSuffix => is not a revision suffix
        {containers: [{name: a, image: i}], terminationGracePeriodSeconds: -1} => terminationGracePeriodSeconds => at least 0
        {containers: [{name: a, image: i}], volumes: [{name: v, storageType: Disk}]} => storageType => one of EmptyDir
        {containers: [{name: a, image: i}], volumes: [{name: v}, {name: v}]} => volumes[1] => a second volume
        {containers: [{name: a, image: i}], volumes: [{name: v, storageType: Secret, secrets: [{secretRef: x}]}]} => secretRef => no secret `x`; the app has key
        ",
    );
}

#[test]
fn containers() {
    check(
        with_container,
        r#"
        args: [{}] => args[0] => found a mapping; expected text
        args: ["a\0b"] => args[0] => NUL
        env: [{value: x}] => env[0].name => is missing
        env: [{name: 'A=B', value: x}] => env[0].name => without '='
        env: [{name: A, value: x, secretRef: key}] => env[0] => not both
        env: [{name: A, secretRef: kye}] => secretRef => no secret `kye`; did you mean `key`?
        resources: {cpu: 500m} => resources.cpu => found `500m`; expected a number of cores, as in 0.5
        resources: {cpu: 0} => resources.cpu => a number of cores
        resources: {cpu: nan} => resources.cpu => a number of cores
        resources: {memory: 1GB} => resources.memory => as in 0.5Gi or 100Mi
        volumeMounts: [{volumeName: v, mountPath: /x}] => volumeName => there is no volume `v`
        "#,
    );
}

#[test]
fn probes() {
    check(
        with_probe,
        r"
        {httpGet: {port: 80}} => probes[0].type => is missing
        {type: Ready, httpGet: {port: 80}} => probes[0].type => one of Liveness, Readiness, Startup
        {type: liveness} => probes[0] => needs `httpGet` or `tcpSocket`
        {type: liveness, httpGet: {port: 80}, tcpSocket: {port: 80}} => probes[0] => not both
        {type: liveness, exec: {command: [a]}} => probes[0].exec => is not a kind of probe here
        {type: liveness, httpGet: {port: http}} => httpGet.port => from 1 to 65535
        {type: liveness, httpGet: {path: /}} => httpGet.port => is missing
        {type: liveness, tcpSocket: {port: 1}, periodSeconds: 0} => periodSeconds => at least 1
        {type: liveness, tcpSocket: {port: 1}, successThreshold: 2} => successThreshold => must be 1
        {type: liveness, tcpSocket: {port: 1}}, {type: Liveness, tcpSocket: {port: 1}} => probes[1] => a second Liveness probe
        ",
    );
}

#[test]
fn scale() {
    check(
        with_scale,
        r"
        {maxReplicas: 0} => maxReplicas => from 1 to 1000
        {maxReplicas: 1001} => maxReplicas => from 1 to 1000
        {minReplicas: 5, maxReplicas: 4} => minReplicas => 5 is more than maxReplicas, 4
        {minReplicas: 11} => minReplicas => 11 is more than maxReplicas, 10, its default
        {cooldownPeriod: 0} => cooldownPeriod => at least 1
        {pollingInterval: 0.5} => pollingInterval => at least 1
        {rules: {}} => rules => found a mapping; expected a list
        ",
    );
}

#[test]
fn rules() {
    check(
        with_rule,
        r"
        {http: {}} => rules[0].name => is missing
        {name: a} => rules[0] => needs one of http, tcp, azureQueue, custom
        {name: a, http: {}, tcp: {}} => rules[0] => give only one of http, tcp, azureQueue, custom
        {name: a, http: {}}, {name: a, tcp: {}} => rules[1] => a second rule has the name `a`
        {name: a, http: {metadata: {concurrentRequests: 0}}} => http.metadata.concurrentRequests => at least 1
        {name: a, http: {metadata: {requestRate: -1}}} => requestRate => requests per second
        {name: a, http: {metadata: {requestRate: 1, concurrentRequests: 1}}} => metadata.requestRate => not both
        {name: a, custom: {type: HTTP, metadata: {concurrentRequests: x}}} => custom.metadata.concurrentRequests => at least 1
        {name: a, tcp: {metadata: {concurrentConnections: 0}}} => concurrentConnections => at least 1
        {name: a, custom: {metadata: {}}} => custom.type => is missing
        {name: a, custom: {type: cpu}} => custom.metadata => is missing
        {name: a, custom: {type: cpu, metadata: {type: Utilization}}} => metadata.value => is missing
        {name: a, custom: {type: memory, metadata: {value: 0}}} => metadata.value => at least 1
        {name: a, custom: {type: memory, metadata: {type: AverageValue, value: 1x}}} => metadata.value => as in 100Mi
        {name: a, azureQueue: {queueLength: 0}} => azureQueue.queueLength => at least 1
        {name: a, custom: {type: redis, auth: [{secretRef: x, triggerParameter: y}]}} => auth[0].secretRef => no secret `x`
        {name: a, custom: {type: redis, auth: [{secretRef: key}]}} => auth[0].triggerParameter => is missing
        ",
    );
}

#[test]
fn declared_revisions() {
    let revision = |name: &str, template: &str| {
        format!(
            "type: microsoft.app/ContainerApps/revisions\nname: {name}\nproperties: {{template: \
             {template}}}"
        )
    };
    let template = "{containers: [{name: a, image: i}]}";
    assert_error(
        &revision("hello", template),
        "name",
        "is not a revision name",
    );
    assert_error(
        &revision("a/b--c", template),
        "name",
        "`b--c` is a revision of `b`",
    );
    assert_error(
        &revision(
            "a--b",
            "{revisionSuffix: c, containers: [{name: a, image: i}]}",
        ),
        "revisionSuffix",
        "is not the suffix of the revision's name, `b`",
    );
}

#[test]
fn a_secret_is_never_shown() {
    for secret in [
        "{name: a, value: [hush]}",
        "{name: a, value: {hush: hush}}",
        "{name: a, value: \"hush\\0\"}",
        "{value: hush}",
    ] {
        let errors = errors(&with_configuration(&format!("{{secrets: [{secret}]}}")));
        assert!(!errors.concat().contains("hush"), "{errors:#?}");
    }
    let parsed = read(&with_configuration("{secrets: [{name: a, value: hush}]}")).unwrap();
    let declaration = &parsed.declarations[0].value;
    assert!(!format!("{declaration:?}").contains("hush"));
    assert!(!to_yaml(declaration, SecretDisplay::Hidden).contains("hush"));
    assert!(to_yaml(declaration, SecretDisplay::Shown).contains("hush"));
}

#[test]
fn names_are_declared_once() {
    let app = with_template("{containers: [{name: a, image: i}], revisionSuffix: v2}");
    let revision = "type: Microsoft.App/containerApps/revisions\nname: hello--v2\nproperties: \
                    {template: {containers: [{name: a, image: i}]}}\n";
    let declared = |text: &str| read(text).unwrap().declarations;
    assert_eq!(check_unique(&declared(&app)), Ok(()));
    let errors = check_unique(&declared(&format!("{app}---\n{app}---\n{revision}"))).unwrap_err();
    let lines: Vec<_> = errors.iter().map(Diagnostic::to_string).collect();
    assert_eq!(
        lines,
        [
            "test.yaml:6:1: name: the app `hello` is declared a second time; test.yaml:1 declares \
             it too",
            "test.yaml:6:1: name: the revision `hello--v2` is declared a second time; test.yaml:1 \
             declares it too",
            "test.yaml:11:1: name: the revision `hello--v2` is declared a second time; \
             test.yaml:1 declares it too",
        ]
    );
}

#[test]
fn an_external_port_is_one_apps_alone() {
    let app = |name: &str, ingress: &str| {
        let ingress = format!("{{targetPort: 5, {ingress}}}");
        let text = with_ingress(&ingress);
        text.replacen("name: hello", &format!("name: {name}"), 1)
    };
    let mapping = |external: bool| {
        format!("additionalPortMappings: [{{external: {external}, targetPort: 7, exposedPort: 9}}]")
    };
    let main = "transport: tcp, exposedPort: 9, external";
    for (one, two, path) in [
        (mapping(true), mapping(true), "additionalPortMappings"),
        (mapping(true), format!("{main}: true"), "exposedPort"),
        (mapping(true), mapping(false), ""),
        (mapping(false), format!("{main}: true"), ""),
        (format!("{main}: false"), mapping(true), ""),
    ] {
        let text = format!("{}---\n{}", app("a", &one), app("b", &two));
        let unique = check_unique(&read(&text).unwrap().declarations);
        let errors = unique.err().unwrap_or_default();
        let found = errors
            .iter()
            .map(|error| error.path.rsplit('.').next().unwrap());
        let expected: Vec<&str> = Some(path)
            .filter(|path| !path.is_empty())
            .into_iter()
            .collect();
        assert_eq!(found.collect::<Vec<_>>(), expected, "{one} and {two}");
        let is_told = |error: &Diagnostic| {
            error
                .message
                .contains("port 9 is an external one of the app at")
        };
        assert!(errors.iter().all(is_told), "{errors:?}");
    }
}
