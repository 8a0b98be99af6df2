//! What a right answer has.

use super::Builder;
use crate::plan::Check;
use crate::scenario::document::{CheckDocument, HeaderDocument, StatusDocument};

impl Builder<'_> {
    pub(super) fn checks(&mut self, path: &str, documents: &[CheckDocument]) -> Vec<Check> {
        let mut checks = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let path = format!("{path}.checks[{index}]");
            match document {
                CheckDocument::Status(status) => {
                    let ranges = status_ranges(status);
                    checks.extend(self.problems.take(path, ranges).map(Check::Status));
                }
                CheckDocument::Header(HeaderDocument::Name(name)) => {
                    let name = self.header_name(&path, name);
                    checks.extend(name.map(|name| Check::Header(name, None)));
                }
                CheckDocument::Header(HeaderDocument::Value(headers)) => {
                    let [(name, value)] = &headers.0[..] else {
                        self.problems.add(
                            path,
                            "a check is of one header with one value: {name: value}",
                        );
                        continue;
                    };
                    let name = self.header_name(&path, name);
                    checks.extend(name.map(|name| Check::Header(name, Some(value.clone()))));
                }
                CheckDocument::BodyContains(text) if text.is_empty() => {
                    self.problems.add(
                        path,
                        "every body contains nothing: write what it is to contain",
                    );
                }
                CheckDocument::BodyContains(text) => checks.push(Check::BodyContains(text.clone())),
            }
        }
        checks
    }
}

fn status_ranges(document: &StatusDocument) -> Result<Vec<(u16, u16)>, String> {
    match document {
        StatusDocument::Code(code) => Ok(vec![(status(&code.to_string())?, *code)]),
        StatusDocument::Range(text) => status_list(text),
        StatusDocument::Several(parts) => {
            let parts: Result<Vec<_>, _> = parts.iter().map(status_ranges).collect();
            let ranges = parts?.concat();
            if ranges.is_empty() {
                return Err("there must be at least one status code".to_owned());
            }
            Ok(ranges)
        }
    }
}

/// Reads `200-299, 404`.
fn status_list(text: &str) -> Result<Vec<(u16, u16)>, String> {
    let ranges = text.split(',').map(|range| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let (low, high) = (status(low.trim())?, status(high.trim())?);
        if low > high {
            return Err(format!("`{}`: write the lower status first", range.trim()));
        }
        Ok((low, high))
    });
    ranges.collect()
}

fn status(text: &str) -> Result<u16, String> {
    let code = text.parse().ok().filter(|code| (100..=999).contains(code));
    code.ok_or_else(|| {
        format!("`{text}` is not a status code: write 200, 200-299 or a list of these")
    })
}
