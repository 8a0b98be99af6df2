//! What holds of all documents and of all texts.

use proptest::prelude::*;

use super::*;

/// A document with something of everything, to be damaged.
const RICH: &str = r#"
name: hello
location: westeurope
tags: &tags {a: b, ebbtide.scaleInStabilizationSeconds: 5}
properties:
  environmentId: <ENVIRONMENT>
  configuration:
    activeRevisionsMode: Multiple
    secrets: [{name: key, value: hush}, {name: vault, keyVaultUrl: https://v/s, identity: system}]
    registries: [{server: "{REGISTRY}", username: u, passwordSecretRef: key}]
    ingress:
      external: true
      targetPort: 8080
      transport: Auto
      traffic: [{latestRevision: true, weight: 80}, {revisionName: hello--v1, weight: 20, label: blue}]
      corsPolicy: {allowedOrigins: ['*'], maxAge: 3}
  template:
    revisionSuffix: v2
    initContainers: [{name: init, image: i, command: [sh, -c, "a: 'b' # \u00e9"]}]
    containers:
      - name: main
        image: ${REGISTRY}/a:1
        command: ["run"]
        args: ["--port", "$(PORT)"]
        env: [{name: A, value: 80}, {name: B, secretRef: key}]
        resources: {cpu: 0.5, memory: 1Gi}
        probes:
          - type: liveness
            httpGet: {port: 8080, path: /, httpHeaders: [{name: a, value: b}]}
        volumeMounts: [{volumeName: v, mountPath: /v}]
    scale:
      minReplicas: 0
      rules:
        - {name: a, http: {metadata: {concurrentRequests: 50}}}
        - {name: b, custom: {type: cpu, metadata: {type: Utilization, value: 70}}}
        - {name: c, azureQueue: {queueName: q, queueLength: 5, auth: [{secretRef: key, triggerParameter: connection}]}}
    volumes: [{name: v, storageType: EmptyDir}]
---
{
  "contentVersion": "1.0.0.0",
  "parameters": {"p": {"type": "object", "defaultValue": {"name": "other"}}},
  "variables": {"v": "[concat(parameters('p').name, '-x')]"},
  "resources": [{"type": "Microsoft.App/containerApps", "name": "[toLower(variables('v'))]",
    "properties": {"template": {"containers": [{"name": "a", "image": "i"}]}}}]
}
"#;

const SET: &[(&str, &str)] = &[("ENVIRONMENT", "e"), ("REGISTRY", "r.io")];

#[test]
fn the_rich_document_is_read_and_prints_back() {
    let parsed = read_with(RICH, SET).unwrap();
    assert_eq!(parsed.declarations.len(), 2);
    for declaration in &parsed.declarations {
        assert_prints_back(&declaration.value);
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(declaration in strategies::declaration()) {
        assert_prints_back(&declaration);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = read_with(&text, SET);
    }

    #[test]
    fn any_text_of_yaml_is_read_or_refused(
        text in "([a-z<>{}\\[\\]:,&*!|>'\"%@`#?$ -]|\n|\t|\n  |- |: |<<: |---\n|&a |[*]a ){0,80}"
    ) {
        let _ = read_with(&text, SET);
    }

    #[test]
    fn a_damaged_document_is_read_or_refused(
        start in 0..RICH.len(),
        length in 0..40_usize,
        inserted in "([a-z0-9{}\\[\\]:,'\"#&*!|>-]|\n|\n  ){0,12}",
    ) {
        let end = (start + length).min(RICH.len());
        let (Some(before), Some(after)) = (RICH.get(..start), RICH.get(end..)) else {
            return Ok(());
        };
        let text = format!("{before}{inserted}{after}");
        if let Ok(parsed) = read_with(&text, SET) {
            for declaration in parsed.declarations {
                assert_prints_back(&declaration.value);
            }
        }
    }
}
