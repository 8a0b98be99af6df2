//! Texts and values of all kinds, for properties.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// Any text that a document can hold: no NUL, and nothing that looks like a placeholder.
pub(super) fn text() -> impl Strategy<Value = String> {
    let awkward = [
        "",
        " ",
        "~",
        "null",
        "true",
        "No",
        "80",
        "0x1f",
        "1e3",
        ".5",
        "-",
        "- a",
        "a: b",
        "# c",
        "a #b",
        "<<",
        "*a",
        "&a",
        "!t",
        "|",
        ">",
        "%",
        "@",
        "`",
        "'",
        "\"",
        "\\",
        "{a}",
        "[a]",
        "a\nb",
        "\n",
        " a\n  b\n",
        "a\r\nb",
        "\ta",
        "---",
        "...",
        "? a",
        "2001-01-01",
        "a:",
        "=",
        "\u{feff}a",
        "\u{2028}",
        "\u{85}",
        "\u{7f}",
        "\u{e000}A\u{e001}",
        "$(PORT)",
        "${A}",
    ];
    prop_oneof![
        select(awkward.to_vec()).prop_map(str::to_owned),
        "[ -~]{0,20}",
        "\\PC{0,12}",
        "[a-z \n\t]{0,20}",
        any::<String>(),
    ]
    .prop_map(|text| match &*text {
        "<<" => text,
        _ => text.replace(['<', '\0'], ""),
    })
}

/// Any text but the empty one.
pub(super) fn name() -> impl Strategy<Value = String> {
    text().prop_filter("empty", |text| !text.is_empty())
}

/// Any value of JSON but null.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(text(), inner, 0..3)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
    .prop_filter("null is absent", |value| !value.is_null())
}
