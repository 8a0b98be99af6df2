//! Copies of an app's requests for another revision, whose answers nobody gets.

use std::collections::BTreeMap;

use crate::document::{is_label, tags};
use crate::name::{AppName, RevisionName};

/// `ebbtide.mirror`: which revision gets copies of an app's requests, and of how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Which revision gets the copies.
    pub target: MirrorTarget,
    /// Of a hundred requests, how many are copied.
    pub percent: u8,
    /// `ebbtide.mirrorMethods`: which of these are copied.
    pub methods: MirrorMethods,
}

/// The revision that copies go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MirrorTarget {
    /// The app's latest.
    Latest,
    /// The one with this name, which may be another app's.
    Revision(RevisionName),
    /// The one that has this label.
    Label {
        /// The label's app; none if it is the same one.
        app: Option<AppName>,
        /// The label.
        label: String,
    },
}

/// Which requests are copied, by their methods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MirrorMethods {
    /// Those of safe methods (RFC 9110, section 9.2.1): the others change something, and copied they
    /// would change it twice.
    #[default]
    Safe,
    /// All.
    All,
}

impl Mirror {
    pub(super) fn of(tags: &BTreeMap<String, String>) -> Option<Self> {
        // Checked when the document was read.
        let mut mirror = Self::parse(tags::MIRROR.text(tags)?).ok()?;
        let methods = tags::MIRROR_METHODS.text(tags);
        mirror.methods = methods
            .and_then(|text| MirrorMethods::parse(text).ok())
            .unwrap_or_default();
        Some(mirror).filter(|mirror| mirror.percent > 0)
    }

    /// Reads a target, and its share in percent unless that is 100, as in `label:green=10`.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (target, percent) = match text.split_once('=') {
            Some((target, percent)) => (target.trim(), share(percent.trim())?),
            None => (text.trim(), 100),
        };
        Ok(Self {
            target: MirrorTarget::parse(target)?,
            percent,
            methods: MirrorMethods::default(),
        })
    }

    /// Whether the request with this number, counted from 1, is one of those that are copied. They are
    /// spread evenly.
    pub fn draws(&self, number: u64) -> bool {
        let place = number.wrapping_sub(1) % 100;
        let copied = |requests: u64| requests * u64::from(self.percent) / 100;
        copied(place + 1) > copied(place)
    }
}

fn share(text: &str) -> Result<u8, String> {
    let percent = text.parse().ok().filter(|percent| *percent <= 100);
    percent.ok_or_else(|| {
        format!("`{text}` is no share; write whole percent from 0 to 100, as in label:green=10")
    })
}

impl MirrorTarget {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no target; write latest, label:LABEL, the name of a revision \
                 (APP--SUFFIX), or APP---LABEL, with a share as in label:green=10"
            )
        };
        let (app, label) = match (text.strip_prefix("label:"), text.split_once("---")) {
            (Some(label), _) => (None, label.trim()),
            (None, Some((app, label))) => (Some(AppName::new(app).map_err(|_| wrong())?), label),
            (None, None) if text == "latest" => return Ok(Self::Latest),
            (None, None) => {
                let revision = RevisionName::parse(text).map_err(|_| wrong())?;
                return Ok(Self::Revision(revision));
            }
        };
        let label = Some(label).filter(|label| is_label(label));
        let label = label.ok_or_else(wrong)?.to_owned();
        Ok(Self::Label { app, label })
    }
}

impl MirrorMethods {
    /// Reads `safe` or `all`.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "safe" => Ok(Self::Safe),
            "all" => Ok(Self::All),
            _ => Err(format!("`{text}` are no methods; write safe or all")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(app: Option<&str>, label: &str) -> MirrorTarget {
        MirrorTarget::Label {
            app: app.map(|app| AppName::new(app).unwrap()),
            label: label.to_owned(),
        }
    }

    #[test]
    fn a_target_has_a_share() {
        let revision = RevisionName::parse("other--v2").unwrap();
        for (text, target, percent) in [
            ("latest", MirrorTarget::Latest, 100),
            (" label:green = 10 ", label(None, "green"), 10),
            ("other---blue=0", label(Some("other"), "blue"), 0),
            ("other--v2=100", MirrorTarget::Revision(revision), 100),
        ] {
            let mirror = Mirror::parse(text).unwrap();
            assert_eq!((mirror.target, mirror.percent), (target, percent), "{text}");
        }
        for (text, expected) in [
            ("", "`` is no target; write latest, label:LABEL"),
            ("green=10", "`green` is no target"),
            ("label:Green", "`label:Green` is no target"),
            ("Other---green", "`Other---green` is no target"),
            ("hello--", "`hello--` is no target"),
            ("latest=", "`` is no share; write whole percent"),
            ("latest=101", "`101` is no share"),
            ("latest=1.5", "`1.5` is no share"),
            ("latest=10%", "`10%` is no share"),
        ] {
            let error = Mirror::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn of_each_hundred_requests_the_share_is_drawn_evenly() {
        for percent in 0..=100_u8 {
            let mirror = Mirror::parse(&format!("latest={percent}")).unwrap();
            for from in [1, 38, 1000] {
                let drawn = (from..from + 100).filter(|number| mirror.draws(*number));
                assert_eq!(
                    drawn.count(),
                    usize::from(percent),
                    "{percent}% from {from}"
                );
            }
        }
        let tenth = Mirror::parse("latest=10").unwrap();
        let drawn: Vec<_> = (1..=30).filter(|number| tenth.draws(*number)).collect();
        assert_eq!(drawn, [10, 20, 30]);
    }

    #[test]
    fn nothing_is_mirrored_without_a_share_and_only_safe_methods_unless_all_are() {
        let of = |tags: &[(&str, &str)]| {
            let tags = tags.iter();
            let tags = tags.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Mirror::of(&tags.collect()).map(|mirror| mirror.methods)
        };
        let target = ("ebbtide.mirror", "latest=5");
        let methods = |value| ("ebbtide.mirrorMethods", value);
        assert_eq!(of(&[target]), Some(MirrorMethods::Safe));
        assert_eq!(of(&[target, methods("safe")]), Some(MirrorMethods::Safe));
        assert_eq!(of(&[target, methods("All")]), Some(MirrorMethods::All));
        assert_eq!(of(&[methods("all")]), None);
        assert_eq!(of(&[("ebbtide.mirror", "latest=0")]), None);
        assert!(MirrorMethods::parse("GET").is_err());
    }
}
