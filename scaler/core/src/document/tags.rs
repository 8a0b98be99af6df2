//! Tags of an app that set what its document has no property for: those that begin with `ebbtide.`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::nearest::suggestion;
use super::reader::{Field, Reader, shortened};
use crate::policy::{ColdAnswer, ColdPaths, Compression, Mirror, MirrorMethods};

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
    /// A whole number from this to that.
    Number(u32, u32),
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

/// How many requests a replica has at a time.
pub(crate) const MAX_CONCURRENT_REQUESTS: Tag = Tag {
    name: "ebbtide.maxConcurrentRequests",
    value: TagValue::Number(1, 1_000_000),
};

/// After how many failed requests in a row a replica is ejected; 0 is never.
pub(crate) const EJECT_AFTER: Tag = Tag {
    name: "ebbtide.ejectAfterFailures",
    value: TagValue::Number(0, 1_000_000),
};

/// How long a new replica gets less than its share.
pub(crate) const SLOW_START: Tag = Tag {
    name: "ebbtide.slowStartSeconds",
    value: TagValue::Seconds,
};

/// The header that names the revision a request is for.
pub(crate) const PIN_HEADER: Tag = Tag {
    name: "ebbtide.pinHeader",
    value: TagValue::Text(header_name),
};

/// The cookie that names the revision a request is for.
pub(crate) const PIN_COOKIE: Tag = Tag {
    name: "ebbtide.pinCookie",
    value: TagValue::Text(|text| token(text, "a cookie's name, as in `revision`")),
};

/// How long a replica may take to begin an answer; 0 is for ever.
pub(crate) const FIRST_BYTE_TIMEOUT: Tag = Tag {
    name: "ebbtide.firstByteTimeoutSeconds",
    value: TagValue::Seconds,
};

/// How long an answer may pause; 0 is for ever.
pub(crate) const IDLE_TIMEOUT: Tag = Tag {
    name: "ebbtide.idleTimeoutSeconds",
    value: TagValue::Seconds,
};

/// How long a request may take in all; 0 is for ever.
pub(crate) const REQUEST_TIMEOUT: Tag = Tag {
    name: "ebbtide.requestTimeoutSeconds",
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

/// Which revision gets copies of requests, and of how many.
pub(crate) const MIRROR: Tag = Tag {
    name: "ebbtide.mirror",
    value: TagValue::Text(|text| Mirror::parse(text).map(drop)),
};

/// Which requests are copied, by their methods.
pub(crate) const MIRROR_METHODS: Tag = Tag {
    name: "ebbtide.mirrorMethods",
    value: TagValue::Text(|text| MirrorMethods::parse(text).map(drop)),
};

const TAGS: &[&Tag] = &[
    &COLD_ANSWER,
    &COLD_PATHS,
    &COMPRESSION,
    &EJECT_AFTER,
    &FIRST_BYTE_TIMEOUT,
    &IDLE_TIMEOUT,
    &MAX_CONCURRENT_REQUESTS,
    &MAX_REQUEST_BODY_BYTES,
    &MIRROR,
    &MIRROR_METHODS,
    &PIN_COOKIE,
    &PIN_HEADER,
    &REQUEST_TIMEOUT,
    &SCALE_IN_STABILIZATION,
    &SCALE_OUT_STABILIZATION,
    &SLOW_START,
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
        TagValue::Number(least, most) => {
            reader.integer(value, least..=most);
        }
        TagValue::Text(takes) => {
            let text = reader.text(value).unwrap_or_default();
            if let Err(wrong) = takes(&text) {
                reader.error(value, wrong);
            }
        }
    }
}

/// A header that the ingress itself does not make, take away or go by.
fn header_name(text: &str) -> Result<(), String> {
    const OURS: [&str; 8] = [
        "connection",
        "content-length",
        "cookie",
        "forwarded",
        "host",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    token(text, "a header's name, as in `X-Revision`")?;
    let lower = text.to_ascii_lowercase();
    if OURS.contains(&&*lower) || lower.starts_with("x-forwarded-") {
        return Err(format!(
            "`{text}` has a meaning of its own; choose another header"
        ));
    }
    Ok(())
}

/// Whether a text is a token (RFC 9110, section 5.6.2).
fn token(text: &str, wanted: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.len() <= 128 && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("expected {wanted}"))
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

    /// The number that it says, if it is there.
    pub(crate) fn number(&self, tags: &BTreeMap<String, String>) -> Option<u32> {
        tags.get(self.name)?.trim().parse().ok()
    }
}
