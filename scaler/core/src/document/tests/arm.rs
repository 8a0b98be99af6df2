//! ARM templates, from their text to their apps.

use super::*;

/// A template around one app whose location is `location`.
fn template(parameters: &str, variables: &str, location: &str) -> String {
    format!(
        r#"{{
  // a template
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {{ {parameters} }},
  "variables": {{ {variables} }},
  "resources": [{{
    "type": "Microsoft.App/containerApps",
    "name": "hello",
    "location": {location},
    "properties": {{
      "environmentId": "[reference('env').id]",
      "configuration": {{ "ingress": {{ "targetPort": 80 }} }},
      "template": {{ "containers": [{{ "name": "main", "image": "i" }}] }}
    }}
  }}]
}}"#
    )
}

fn location(parsed: &Parsed) -> &str {
    let Declaration::App(app) = &parsed.declarations[0].value else {
        panic!("an app");
    };
    app.location.as_deref().unwrap_or("")
}

#[test]
fn expressions_have_the_values_that_arm_gives_them() {
    let parameters = r#""p": {"type": "string", "defaultValue": "dflt"},
        "n": {"type": "int", "defaultValue": 3},
        "given": {"type": "string"},
        "o": {"type": "object", "defaultValue": {"a": ["x", {"b": "deep"}]}},
        "yes": {"type": "bool", "defaultValue": true}"#;
    let variables = r#""v": "[concat(parameters('p'), '-v')]", "list": ["a", "b"]"#;
    let cases = [
        ("plain", "plain"),
        ("[[not an expression]", "[not an expression]"),
        ("[parameters('P')]", "dflt"),
        ("[parameters('given')]", "from set"),
        ("[variables('v')]", "dflt-v"),
        ("[variables('list')[1]]", "b"),
        ("[parameters('o').a[1].b]", "deep"),
        ("[parameters('o')['a'][0]]", "x"),
        ("[concat('a', 'it''s', parameters('n'))]", "ait's3"),
        ("[format('{0}-{1}-{{x}}', 'a', parameters('n'))]", "a-3-{x}"),
        ("[toLower('ABC')]", "abc"),
        ("[toUpper(trim(' abc '))]", "ABC"),
        ("[replace('a.b', '.', '-')]", "a-b"),
        ("[string(parameters('n'))]", "3"),
        ("[if(parameters('yes'), 'then', reference('x'))]", "then"),
        ("[if(equals('a', 'b'), 'then', 'else')]", "else"),
        ("[if(and(true(), not(empty('x'))), 'a', 'b')]", "a"),
        ("[if(or(false(), empty(createArray())), 'a', 'b')]", "a"),
        ("[coalesce(null(), 'c')]", "c"),
        ("[json('\"x\"')]", "x"),
        ("[int('7')]", "7"),
        ("[resourceGroup().location]", "local"),
        (
            "[resourceId('Microsoft.App/managedEnvironments/', 'env')]",
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/\
             Microsoft.App/managedEnvironments/env",
        ),
        (
            "[resourceId('group', 'Microsoft.Sql/servers/databases', 'a', 'b')]",
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/group/providers/\
             Microsoft.Sql/servers/a/databases/b",
        ),
        (
            "[subscription().subscriptionId]",
            "00000000-0000-0000-0000-000000000000",
        ),
    ];
    for (expression, expected) in cases {
        let quoted = serde_json::Value::from(expression).to_string();
        let text = template(parameters, variables, &quoted);
        match read_with(&text, &[("given", "from set")]) {
            Ok(parsed) => assert_eq!(location(&parsed), expected, "{expression}"),
            Err(errors) => panic!("{expression}: {errors:#?}"),
        }
    }
}

#[test]
fn what_cannot_be_evaluated_is_an_error_where_it_is_used() {
    let variables = r#""a": "[variables('b')]", "b": "[variables('a')]",
        "x0": "aaaaaaaaaaaaaaaa",
        "x1": "[concat(variables('x0'), variables('x0'), variables('x0'), variables('x0'))]",
        "x2": "[concat(variables('x1'), variables('x1'), variables('x1'), variables('x1'))]",
        "x3": "[concat(variables('x2'), variables('x2'), variables('x2'), variables('x2'))]",
        "x4": "[concat(variables('x3'), variables('x3'), variables('x3'), variables('x3'))]",
        "x5": "[concat(variables('x4'), variables('x4'), variables('x4'), variables('x4'))]",
        "x6": "[concat(variables('x5'), variables('x5'), variables('x5'), variables('x5'))]",
        "x7": "[concat(variables('x6'), variables('x6'), variables('x6'), variables('x6'))]",
        "x8": "[concat(variables('x7'), variables('x7'), variables('x7'), variables('x7'))]""#;
    let cases = [
        (
            "[uniqueString('x')]",
            "calls uniqueString(), which is not evaluated here",
        ),
        ("[concat('a', listKeys('x'))]", "calls listKeys()"),
        ("[variables('none')]", "no variable `none`"),
        ("[parameters('none')]", "no parameter `none`"),
        ("[variables('a')]", "do variables name each other?"),
        ("[variables('x8')]", "too much text"),
        ("[concat('a]", "no closing quote"),
        ("[]", "cannot be read"),
        ("[format('{1}', 'a')]", "no value for its pattern"),
        ("[format('{', 'a')]", "no value for its pattern"),
        ("[toLower()]", "wrong number of arguments"),
        ("[parameters()]", "needs an argument"),
        ("[if('x', 'a', 'b')]", "true or false was expected"),
        ("[resourceGroup().nothing]", "no `nothing`"),
        ("[resourceId('x')]", "needs a type"),
        ("[json('{')]", "not JSON"),
    ];
    for (expression, expected) in cases {
        let quoted = serde_json::Value::from(expression).to_string();
        let errors = read_with(&template("", variables, &quoted), &[]).unwrap_err();
        let [error] = &*errors else {
            panic!("{expression}: {errors:#?}");
        };
        assert_eq!(error.path, "resources[0].location", "{expression}");
        assert!(error.message.contains(expected), "{expression}: {error}");
    }
}

#[test]
fn a_parameter_without_a_value_is_reported_once() {
    let text = template(
        r#""where": {"type": "string"}"#,
        "",
        "\"[parameters('where')]\"",
    );
    let errors = read_with(&text, &[]).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "test.yaml:5:28: parameters.where: the parameter has no value; give it one with `--set \
         where=value`"
    );
    assert_eq!(errors.len(), 1);
}

#[test]
fn only_deployed_apps_are_read() {
    let app = |condition: &str| {
        format!(
            r#"{{"type": "Microsoft.App/containerApps", "name": "hello", {condition}
               "properties": {{"configuration": {{"ingress": {{}}}}, "template": {{"containers":
               [{{"name": "a", "image": "i"}}]}}}}}}"#
        )
    };
    let template =
        |resources: &str| format!(r#"{{"contentVersion": "1.0.0.0", "resources": {resources}}}"#);
    let other = r#"{"type": "Microsoft.Storage/storageAccounts", "name": "s"}"#;
    let off = app("\"condition\": \"[false()]\",");
    let parsed = read(&template(&format!("[{other}, {off}, {}]", app("")))).unwrap();
    assert_eq!(parsed.declarations.len(), 1);
    let warnings: Vec<_> = parsed.warnings.iter().map(|w| &*w.path).collect();
    assert_eq!(warnings[..2], ["resources[0]", "resources[1]"]);

    // Language version 2.0 has a mapping of resources.
    let parsed = read(&template(&format!(r#"{{"app": {}}}"#, app("")))).unwrap();
    assert_eq!(parsed.declarations.len(), 1);

    let copy = app(r#""copy": {"name": "loop", "count": 2},"#);
    let errors = read(&template(&format!("[{copy}]"))).unwrap_err();
    assert!(errors[0].message.contains("loops are not evaluated"));
    let errors = read(&template(&format!("[{other}]"))).unwrap_err();
    assert_eq!(errors[0].message, "declares no container app");
}
