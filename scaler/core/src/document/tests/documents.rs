//! Documents that are right but for one part.

/// An app with these lines under `properties`, which is on line 2.
pub(super) fn app(properties: &str) -> String {
    format!("name: hello\nproperties:\n{properties}\n")
}

/// An app with this `configuration` and one container.
pub(super) fn with_configuration(configuration: &str) -> String {
    app(&format!(
        "  configuration: {configuration}\n  template: {{containers: [{{name: a, command: [i]}}], \
         scale: {{minReplicas: 1}}}}"
    ))
}

/// An app with ingress and this `template`.
pub(super) fn with_template(template: &str) -> String {
    app(&format!(
        "  configuration: {{ingress: {{}}, secrets: [{{name: key, value: hush}}]}}\n  template: \
         {template}"
    ))
}

/// An app with one container that has these properties too.
pub(super) fn with_container(properties: &str) -> String {
    with_template(&format!(
        "{{containers: [{{name: a, command: [i], {properties}}}]}}"
    ))
}

/// An app in Multiple mode with this `ingress`.
pub(super) fn with_ingress(ingress: &str) -> String {
    with_configuration(&format!(
        "{{activeRevisionsMode: Multiple, ingress: {ingress}}}"
    ))
}

/// An app with these entries of `rules`.
pub(super) fn with_rule(rule: &str) -> String {
    with_template(&format!(
        "{{containers: [{{name: a, command: [i]}}], scale: {{rules: [{rule}]}}}}"
    ))
}

/// An app with this `scale`.
pub(super) fn with_scale(scale: &str) -> String {
    with_template(&format!(
        "{{containers: [{{name: a, command: [i]}}], scale: {scale}}}"
    ))
}

/// An app with these entries of `probes`.
pub(super) fn with_probe(probe: &str) -> String {
    with_container(&format!("probes: [{probe}]"))
}
