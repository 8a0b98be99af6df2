//! `$(NAME)` in commands, arguments and values, as Kubernetes expands it.

/// Replaces each `$(NAME)` by what `lookup` says. An unknown name stays as it is written; `$$` is
/// a single `$`, so that `$$(NAME)` is the text `$(NAME)`.
///
/// As in `k8s.io/kubernetes/third_party/forked/golang/expansion`.
pub(super) fn expand<'a>(text: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        expanded.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        let reference = after
            .strip_prefix('(')
            .and_then(|inside| inside.split_once(')'));
        rest = if let Some((name, rest)) = reference {
            match lookup(name) {
                Some(value) => expanded.push_str(value),
                None => expanded.extend(["$(", name, ")"]),
            }
            rest
        } else {
            expanded.push('$');
            after.strip_prefix('$').unwrap_or(after)
        };
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_as_kubernetes_does() {
        let cases = [
            ("", ""),
            ("plain", "plain"),
            ("$(PORT)", "8080"),
            ("--port=$(PORT)!", "--port=8080!"),
            ("$(PORT)$(PORT)", "80808080"),
            ("$$(PORT)", "$(PORT)"),
            ("$$$(PORT)", "$8080"),
            ("$$$$(PORT)", "$$(PORT)"),
            ("$(NONE)", "$(NONE)"),
            ("$()", "$()"),
            ("$PORT ${PORT}", "$PORT ${PORT}"),
            ("$(PORT", "$(PORT"),
            ("a$", "a$"),
            ("$$", "$"),
            ("$(OUTER)", "$(PORT)"),
            ("é$(PORT)ü", "é8080ü"),
        ];
        for (text, expected) in cases {
            let expanded = expand(text, |name| match name {
                "PORT" => Some("8080"),
                "OUTER" => Some("$(PORT)"),
                _ => None,
            });
            assert_eq!(expanded, expected, "{text}");
        }
    }
}
