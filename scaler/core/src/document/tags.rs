//! Tags of an app that set what its document has no property for: those that begin with `ebbtide.`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::nearest::suggestion;
use super::reader::{Field, Reader, shortened};
use crate::policy::{ColdAnswer, ColdPaths, Compression};

/// What tags of Ebbtide's begin with.
const PREFIX: &str = "ebbtide.";

/// A tag that means something to Ebbtide.
#[derive(Debug)]
pub(crate) struct Tag {
    /// The whole name, `ebbtide.` included.
    pub(crate) name: &'static str,
    /// What it may say.
    pub(crate) value: TagValue,
}

/// What a tag may say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TagValue {
    /// Whole seconds.
    Seconds,
    /// What this takes; otherwise it says what would be right.
    Text(fn(&str) -> Result<(), String>),
}

/// How long numbers must be alike or larger before a revision is scaled out.
pub(crate) const SCALE_OUT_STABILIZATION: Tag = Tag {
    name: "ebbtide.scaleOutStabilizationSeconds",
    value: TagValue::Seconds,
};

/// How long numbers must be alike or smaller before a revision is scaled in.
pub(crate) const SCALE_IN_STABILIZATION: Tag = Tag {
    name: "ebbtide.scaleInStabilizationSeconds",
    value: TagValue::Seconds,
};

/// Which paths are answered while a revision has no ready replica, and how.
pub(crate) const COLD_PATHS: Tag = Tag {
    name: "ebbtide.coldPaths",
    value: TagValue::Text(|text| ColdPaths::parse(text).map(drop)),
};

/// What requests get that find no ready replica.
pub(crate) const COLD_ANSWER: Tag = Tag {
    name: "ebbtide.coldAnswer",
    value: TagValue::Text(|text| ColdAnswer::parse(text).map(drop)),
};

/// How answers are compressed.
pub(crate) const COMPRESSION: Tag = Tag {
    name: "ebbtide.compression",
    value: TagValue::Text(|text| Compression::parse(text).map(drop)),
};

/// How large the body of a request may be.
pub(crate) const MAX_REQUEST_BODY_BYTES: Tag = Tag {
    name: "ebbtide.maxRequestBodyBytes",
    value: TagValue::Text(|text| bytes(text).map(drop)),
};

const TAGS: &[&Tag] = &[
    &COLD_ANSWER,
    &COLD_PATHS,
    &COMPRESSION,
    &MAX_REQUEST_BODY_BYTES,
    &SCALE_IN_STABILIZATION,
    &SCALE_OUT_STABILIZATION,
];

/// Reads an app's tags, and reports those of Ebbtide's that are unknown or say what they cannot.
pub(super) fn read(reader: &mut Reader<'_>, field: &Field<'_>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for (key, value) in reader.entries(field) {
        let Some(text) = reader.text(&value) else {
            continue;
        };
        if key.starts_with(PREFIX) {
            check(reader, key, &value);
        }
        tags.insert(key.to_owned(), text);
    }
    tags
}

fn check(reader: &mut Reader<'_>, key: &str, value: &Field<'_>) {
    let Some(tag) = TAGS.iter().find(|tag| tag.name == key) else {
        let hint = suggestion(key, TAGS.iter().map(|tag| tag.name));
        reader.warn(value, format!("unknown tag of Ebbtide's, ignored{hint}"));
        return;
    };
    match tag.value {
        TagValue::Seconds => {
            reader.integer(value, 0..=u32::MAX);
        }
        TagValue::Text(takes) => {
            let text = reader.text(value).unwrap_or_default();
            if let Err(wrong) = takes(&text) {
                reader.error(value, wrong);
            }
        }
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    let wanted = "expected a whole number of bytes, as in 1048576";
    let number = text.trim().parse();
    number.map_err(|_| format!("found `{}`; {wanted}", shortened(text)))
}

impl Tag {
    /// The bytes that it says, if it is there.
    pub(crate) fn bytes(&self, tags: &BTreeMap<String, String>) -> Option<u64> {
        self.text(tags).and_then(|text| bytes(text).ok())
    }

    /// What it says, if it is there.
    pub(crate) fn text<'a>(&self, tags: &'a BTreeMap<String, String>) -> Option<&'a str> {
        tags.get(self.name).map(String::as_str)
    }

    /// The seconds that it says, if it is there.
    pub(crate) fn seconds(&self, tags: &BTreeMap<String, String>) -> Option<Duration> {
        let seconds = tags.get(self.name)?.trim().parse().ok();
        seconds.map(Duration::from_secs)
    }
}
