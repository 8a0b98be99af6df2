use super::*;
use crate::api::testing::{app, revision};

/// The bundled example: the latest revision is hello--green.
const EXAMPLE: &str = "blue:80:blue green:20:green";

/// An app with the revisions of these suffixes; entries as `name:weight` or `name:weight:label`.
fn status(suffixes: &[&str], entries: &str) -> AppStatus {
    let mut app = app("hello");
    app.revisions = suffixes
        .iter()
        .map(|suffix| revision(&format!("hello--{suffix}")))
        .collect();
    for text in entries.split_whitespace() {
        let mut parts = text.split(':');
        let name = parts.next().unwrap();
        let revision_name = (name != "latest").then(|| format!("hello--{name}"));
        let mut entry = entry(revision_name, parts.next().unwrap().parse().unwrap());
        entry.label = parts.next().map(str::to_owned);
        app.traffic_entries.push(entry);
    }
    app
}

fn planned(suffixes: &[&str], before: &str, changes: &str) -> Result<String, String> {
    let changes: Vec<WeightChange> = changes
        .split_whitespace()
        .map(|change| change.parse().unwrap())
        .collect();
    let entries = plan(&status(suffixes, before), &changes).map_err(|error| error.to_string())?;
    let sum: u32 = entries.iter().map(|entry| entry.weight).sum();
    assert_eq!(sum, 100, "{before}");
    let texts = entries.iter().map(|entry| {
        assert_ne!(entry.latest_revision, entry.revision_name.is_some());
        let name = entry.revision_name.as_deref().unwrap_or("hello--latest");
        let label = entry.label.as_ref().map(|label| format!(":{label}"));
        let label = label.unwrap_or_default();
        format!("{}:{}{label}", &name[7..], entry.weight)
    });
    Ok(texts.collect::<Vec<_>>().join(" "))
}

#[test]
fn what_is_not_mentioned_shares_the_rest_as_before() {
    for (before, changes, after) in [
        ("v1:100", "v1=100", "v1:100"),
        ("v1:100", "v2=10", "v1:90 v2:10"),
        ("v1:80 v2:20", "v2=50", "v1:50 v2:50"),
        ("v1:80 v2:20", "hello--v2=100", "v2:100"),
        ("v1:80 v2:20", "v3=50", "v1:40 v2:10 v3:50"),
        ("v1:50 v2:50", "v3=25", "v1:38 v2:37 v3:25"),
        ("v1:33 v2:33 latest:34", "latest=0", "v1:50 v2:50"),
        ("v1:33 v2:67", "latest=1", "v1:33 v2:66 latest:1"),
        ("v1:100", "latest=100", "latest:100"),
        ("latest:100", "v1=20", "latest:80 v1:20"),
        ("", "v1=20", "latest:80 v1:20"),
        ("v1:1 v2:99", "v3=99", "v2:1 v3:99"),
        ("v1:100 v2:0", "v1=90", "v1:90 v2:10"),
    ] {
        assert_eq!(
            planned(&["v1", "v2", "v3"], before, changes).as_deref(),
            Ok(after),
            "{before} {changes}"
        );
    }
}

#[test]
fn labels_name_their_entries_and_stay_with_them() {
    for (before, changes, after) in [
        (
            "v1:100:blue v2:0:green",
            "green=100 blue=0",
            "v1:0:blue v2:100:green",
        ),
        (
            "v1:100:blue v2:0:green",
            "green=20",
            "v1:80:blue v2:20:green",
        ),
        ("v1:100:v1 v2:0", "v1=30 v2=70", "v1:30:v1 v2:70"),
        ("v1:80 latest:20:next", "next=50", "v1:50 latest:50:next"),
        ("v1:80 latest:20:next", "latest=0", "v1:100 latest:0:next"),
        // The revision gets 50 in all, whatever the number of its entries.
        ("v1:20:a v2:40 v1:40:b", "v1=50", "v1:50:a v2:50 v1:0:b"),
        ("v1:20:a v2:40 v1:40:b", "b=10", "v1:30:a v2:60 v1:10:b"),
    ] {
        assert_eq!(
            planned(&["v1", "v2"], before, changes).as_deref(),
            Ok(after),
            "{before} {changes}"
        );
    }
}

/// Each sequence begins with the entries of [`EXAMPLE`], each step with those of the one before.
#[test]
fn an_entry_that_names_the_latest_revision_is_not_the_one_that_follows_it() {
    let sequences: [&[(&str, &str)]; 2] = [
        &[
            ("blue=0 green=100", "blue:0:blue green:100:green"),
            ("green=20", "blue:80:blue green:20:green"),
            ("latest=100", "blue:0:blue green:0:green latest:100"),
            ("blue=80 green=20", "blue:80:blue green:20:green"),
            (
                "hello--blue=50 hello--green=50",
                "blue:50:blue green:50:green",
            ),
        ],
        &[
            ("latest=50", "blue:40:blue green:10:green latest:50"),
            ("green=20", "blue:36:blue green:20:green latest:44"),
            (
                "hello--blue=80 hello--green=20",
                "blue:80:blue green:20:green",
            ),
        ],
    ];
    for sequence in sequences {
        let mut before = EXAMPLE.to_owned();
        for (changes, after) in sequence {
            let planned = planned(&["blue", "green"], &before, changes);
            assert_eq!(planned.as_deref(), Ok(*after), "{before} {changes}");
            before = (*after).to_owned();
        }
    }
}

#[test]
fn what_cannot_sum_to_100_or_is_not_known_is_refused() {
    for (before, changes, expected) in [
        ("v1:80 v2:20", "v1=60 v2=60", "sum to 120"),
        ("v1:80 v2:20", "v1=60 v2=30", "sum to 90"),
        ("v1:100", "v1=90", "sum to 90"),
        ("v1:100 v2:0:b v3:0:c", "v1=90", "sum to 90"),
        (
            "v1:100:blue",
            "v9=10",
            "there are hello--v1, hello--v2, hello--v3, blue, latest",
        ),
        ("v1:100", "other--v1=10", "is no revision"),
        ("v1:100", "v1=50 hello--v1=50", "given twice"),
        ("v1:100:a", "a=50 v1=50", "given twice"),
        ("v1:100:v2 v2:0", "v2=50", "write hello--v1 or hello--v2"),
        ("latest:100:v3", "v3=50", "write latest or hello--v3"),
    ] {
        let error = planned(&["v1", "v2", "v3"], before, changes).unwrap_err();
        assert!(error.contains(expected), "{before} {changes}: {error}");
    }
}

#[test]
fn a_change_is_a_name_and_a_percentage() {
    for bad in ["", "v1", "=1", "v1=", "v1=-1", "v1=101", "v1=1.5", "v1=a"] {
        assert!(bad.parse::<WeightChange>().is_err(), "{bad}");
    }
    let change = WeightChange {
        name: "v1".to_owned(),
        weight: 100,
    };
    assert_eq!("v1=100".parse(), Ok(change));
}
