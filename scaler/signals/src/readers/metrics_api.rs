//! `metrics-api`: a number in the answer of any HTTP API.

mod cursor;
mod exposition;
mod path;
mod quantity;
mod selector;
mod tree;

use super::endpoint::Endpoint;
use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::parameters::Parameters;
use ebbtide_brokers::error::ReadError;
use path::Path;
use selector::Selector;
use tree::Tree;

const FORMAT: &str = "format";
const URL: &str = "url";
const VALUE_LOCATION: &str = "valueLocation";

struct MetricsApi {
    endpoint: Endpoint,
    url: String,
    location: Location,
}

/// Where the number is in an answer, and how that is written.
#[derive(Debug)]
enum Location {
    Json(Path),
    Yaml(Path),
    Xml(Path),
    Prometheus(Selector),
}

/// A reader for these parameters.
///
/// # Errors
/// A location, credentials or TLS settings that cannot be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let format = parameters.word(FORMAT).unwrap_or_default();
    Ok(Box::new(MetricsApi {
        endpoint: Endpoint::open(parameters, context, URL)?,
        url: parameters.required(URL)?.to_owned(),
        location: Location::parse(&format, parameters.required(VALUE_LOCATION)?)
            .map_err(|why| ReadError::of(VALUE_LOCATION, why))?,
    }))
}

impl Reader for MetricsApi {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(async move {
            let answer = self.endpoint.get_success(&self.url).await?;
            self.location.number(&answer.body).map(Amount::from)
        })
    }
}

impl Location {
    fn parse(format: &str, text: &str) -> Result<Self, String> {
        Ok(match format {
            "prometheus" => Self::Prometheus(Selector::parse(text)?),
            "yaml" => Self::Yaml(Path::parse(text)?),
            "xml" => Self::Xml(Path::parse(text)?),
            _ => Self::Json(Path::parse(text)?),
        })
    }

    /// The number of an answer.
    fn number(&self, answer: &[u8]) -> Result<f64, ReadError> {
        let (tree, path) = match self {
            Self::Json(path) => (Tree::of_json(answer), path),
            Self::Yaml(path) => (Tree::of_yaml(answer), path),
            Self::Xml(path) => (Tree::of_xml(answer), path),
            Self::Prometheus(selector) => return of_metrics(selector, answer),
        };
        let tree = tree.map_err(|why| unreadable(&why))?;
        let found = path.find(&tree).ok_or_else(nowhere)?;
        found
            .number()
            .map_err(|why| ReadError::of(VALUE_LOCATION, why))
    }
}

/// The first sample that is meant. All of the answer has to make sense.
fn of_metrics(selector: &Selector, answer: &[u8]) -> Result<f64, ReadError> {
    let text = String::from_utf8_lossy(answer);
    let mut found = None;
    for sample in exposition::samples(&text) {
        let sample = sample.map_err(|why| unreadable(&why))?;
        if found.is_none() && selector.fits(&sample) {
            found = Some(sample.value);
        }
    }
    found.ok_or_else(nowhere)
}

fn nowhere() -> ReadError {
    ReadError::of(VALUE_LOCATION, "leads to nothing in the answer")
}

fn unreadable(why: &str) -> ReadError {
    ReadError::of(FORMAT, format!("the answer {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(format: &str, location: &str, answer: &str) -> Result<f64, String> {
        let location = Location::parse(format, location)?;
        let number = location.number(answer.as_bytes());
        number.map_err(|error| error.to_string())
    }

    /// The cases with which KEDA is tested.
    #[test]
    fn numbers_are_found_as_keda_finds_them() {
        let json = r#"{"components":[{"id": "82328e93e", "tasks": 32, "str": "64", "k":"1k","wrong":"NaN"}],"count":2.43}"#;
        let yaml =
            "{components: [{id: 82328e93e, tasks: 32, str: '64', k: 1k, wrong: NaN}], count: 2.43}";
        for (format, answer) in [("json", json), ("yaml", yaml)] {
            for (location, expected) in [
                ("count", Some(2.43)),
                ("components.0.str", Some(64.0)),
                ("components.0.tasks", Some(32.0)),
                ("components.0.k", Some(1000.0)),
                ("components.0.wrong", None),
            ] {
                let number = read(format, location, answer).ok();
                assert_eq!(number, expected, "{format} {location}");
            }
        }
        let metrics = "# HELP backend_queue_size Total number of items\n\
                       \t# TYPE backend_queue_size counter\n\
                       \tbackend_queue_size{queueName=\"zero\"} 0\n\
                       \tbackend_queue_size{queueName=\"one\"} 1\n\
                       \tbackend_queue_size{queueName=\"two\", instance=\"random\"} 2\n\
                       \tbackend_queue_size{queueName=\"two\", instance=\"zero\"} 20\n\
                       \trandom_metric 10";
        for (location, expected) in [
            ("random_metric", Some(10.0)),
            ("backend_queue_size{queueName=\"one\"}", Some(1.0)),
            ("backend_queue_size{queueName=\"two\"}", Some(2.0)),
            (
                "backend_queue_size{queueName=\"two\", instance=\"zero\"}",
                Some(20.0),
            ),
            ("backend_queue_size{invalid=test}", None),
        ] {
            assert_eq!(
                read("prometheus", location, metrics).ok(),
                expected,
                "{location}"
            );
        }
    }

    #[test]
    fn xml_begins_below_its_outermost_element() {
        let xml = "<queues total=\"9\"><queue name=\"orders\"><length>5</length></queue>\
                   <queue name=\"mail\"><length unit=\"k\">1.5k</length></queue></queues>";
        for (location, expected) in [
            ("total", 9.0),
            ("queue.#", 2.0),
            ("queue.0.length", 5.0),
            ("queue.#(name==\"mail\").length", 1500.0),
        ] {
            assert_eq!(read("xml", location, xml), Ok(expected), "{location}");
        }
    }

    #[test]
    fn errors_name_the_key_that_is_wrong() {
        for (format, location, answer, expected) in [
            ("json", "a", "<html>", "format: the answer is not JSON"),
            ("yaml", "a", "{", "format: the answer is not YAML"),
            ("xml", "a", "{}", "format: the answer is not XML"),
            (
                "prometheus",
                "a",
                "{}",
                "format: the answer is not what Prometheus reads, in line 1",
            ),
            (
                "json",
                "a.b",
                "{}",
                "valueLocation: leads to nothing in the answer",
            ),
            (
                "prometheus",
                "a",
                "b 1",
                "valueLocation: leads to nothing in the answer",
            ),
            (
                "json",
                "a",
                "{\"a\":[]}",
                "valueLocation: leads to a list, which is no number",
            ),
        ] {
            let error = read(format, location, answer).unwrap_err();
            assert!(error.starts_with(expected), "{format} {location}: {error}");
        }
    }

    /// A path to a key, whatever is in its name.
    fn escaped(name: &str) -> String {
        let escape = |c: char| {
            let is_plain = c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
            let backslash = (!is_plain).then_some('\\');
            backslash.into_iter().chain(std::iter::once(c))
        };
        name.chars().flat_map(escape).collect()
    }

    proptest! {
        #[test]
        fn a_number_is_found_under_keys_of_any_name(
            outer in "[^\\p{Cc}]{1,8}",
            inner in "[^\\p{Cc}]{1,8}",
            number in 0_u32..,
        ) {
            let answer = json!({&outer: [{&inner: number}]}).to_string();
            let location = format!("{}.0.{}", escaped(&outer), escaped(&inner));
            prop_assert_eq!(read("json", &location, &answer), Ok(f64::from(number)), "{}", location);
        }

        #[test]
        fn any_answer_and_any_path_are_read_or_said_to_be_wrong(
            location in "([a-z.#*?|@\\\\()=<>!%~\"\\[\\]{},0-9]|é){0,20}",
            answer in "[a-z<>/=&;:{}\\[\\]\",.0-9 \n#-]{0,60}",
        ) {
            for format in ["json", "yaml", "xml", "prometheus"] {
                if let Err(error) = read(format, &location, &answer) {
                    prop_assert!(!error.is_empty());
                }
            }
        }
    }
}
