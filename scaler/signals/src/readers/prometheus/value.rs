//! The value in an answer.

use serde::Deserialize;
use serde_json::Value;

use super::QUERY;
use ebbtide_brokers::error::ReadError;

/// What Prometheus answers.
#[derive(Deserialize)]
pub(super) struct Query {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Value>,
}

impl Query {
    /// The one value of a scalar or of a vector; `otherwise`, if that is something, when there is none
    /// or it is not a finite number.
    ///
    /// # Errors
    /// There is not one value.
    pub(super) fn value(&self, otherwise: Option<f64>) -> Result<f64, ReadError> {
        let wrong = |message: &str| ReadError::of(QUERY, message);
        let result = &self.data.result;
        let value = match result.as_slice() {
            [] => {
                let message = "has no result, and ignoreNullValues is false";
                return otherwise.ok_or_else(|| wrong(message));
            }
            [one] if one.get("values").is_some() => {
                return Err(wrong("has a range as its result; ask for one value"));
            }
            [one] => one.get("value").and_then(|pair| pair.get(1)),
            [_, value] if result.iter().all(|part| !part.is_object()) => Some(value),
            _ => {
                let message = "has more than one result; aggregate them, as with sum()";
                return Err(wrong(message));
            }
        };
        let number = value.and_then(Value::as_str);
        let number = number.and_then(|text| text.parse::<f64>().ok());
        match number {
            Some(number) if number.is_finite() => Ok(number),
            Some(number) => otherwise.ok_or_else(|| {
                let message = format!("has the result {number}, and ignoreNullValues is false");
                ReadError::of(QUERY, message)
            }),
            None => Err(wrong("has a result that is not a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(result: &str, otherwise: Option<f64>) -> Result<f64, String> {
        let answer = format!("{{\"status\":\"success\",\"data\":{{\"result\":{result}}}}}");
        let query: Query = serde_json::from_str(&answer).unwrap();
        let value = query.value(otherwise);
        value.map_err(|error| error.to_string())
    }

    #[test]
    fn there_has_to_be_one_value() {
        let sample = |value: &str| format!("{{\"metric\":{{}},\"value\":[1.5,\"{value}\"]}}");
        for (result, expected) in [
            (format!("[{}]", sample("3.5")), Ok(3.5)),
            ("[1.5,\"4\"]".to_owned(), Ok(4.0)),
            ("[]".to_owned(), Ok(0.0)),
            (format!("[{}]", sample("NaN")), Ok(0.0)),
            (format!("[{}]", sample("-Inf")), Ok(0.0)),
            (
                format!("[{},{}]", sample("1"), sample("2")),
                Err("query: has more than one result; aggregate them, as with sum()"),
            ),
            (
                "[1.5,\"text\"]".to_owned(),
                Err("query: has a result that is not a number"),
            ),
            (
                "[{\"metric\":{},\"values\":[[1,\"2\"]]}]".to_owned(),
                Err("query: has a range as its result; ask for one value"),
            ),
            (
                "[{}]".to_owned(),
                Err("query: has a result that is not a number"),
            ),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(value(&result, Some(0.0)), expected, "{result}");
        }
    }

    #[test]
    fn no_value_may_be_an_error() {
        for (result, expected) in [
            ("[]", "query: has no result, and ignoreNullValues is false"),
            (
                "[1,\"NaN\"]",
                "query: has the result NaN, and ignoreNullValues is false",
            ),
            (
                "[1,\"+Inf\"]",
                "query: has the result inf, and ignoreNullValues is false",
            ),
        ] {
            assert_eq!(value(result, None), Err(expected.to_owned()));
        }
    }
}
