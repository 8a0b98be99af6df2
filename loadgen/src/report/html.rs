//! The report as one page that needs nothing else: no network, no script to be read, paper or a dark room.
//!
//! Pictures are SVG made here, stretched to the width that there is; their words are HTML beside them, so that those keep
//! their size. A small script only reads values under the pointer.

mod axis;
mod chart;
mod details;
mod escape;
mod hero;
mod percentiles;
mod stack;
mod table;
mod tables;
mod timeline;

use std::io::{self, Write};

use self::escape::escape;
use super::model::Report;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/reading.js");

/// What a picture is filled with where colour alone would not tell.
const PATTERNS: &str = r#"<svg class="hidden" width="0" height="0" aria-hidden="true" focusable="false"><defs>
<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch-line" d="M0 0V6"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><circle class="dots-dot" cx="1.5" cy="1.5" r="1"/></pattern>
</defs></svg>"#;

/// Writes the page.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="{}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{} · load report</title>
<style>
{STYLE}</style>
</head>
<body>
{PATTERNS}"#,
        escape(&report.generator),
        escape(&report.name),
    )?;
    writeln!(out, "<main>")?;
    for part in [
        hero::hero(report),
        hero::thresholds(report),
        hero::tiles(report),
        timeline::section(report),
        percentiles::section(report),
        tables::parts(report),
        tables::revisions(report),
        details::autoscaler(report),
        details::errors(report),
        details::run(report),
    ] {
        out.write_all(part.as_bytes())?;
    }
    writeln!(
        out,
        "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>"
    )
}

/// A part of the page with a heading.
fn panel(id: &str, title: &str, note: &str, content: &str) -> String {
    let note = if note.is_empty() {
        String::new()
    } else {
        format!("<p class=\"muted\">{}</p>", escape(note))
    };
    format!(
        "<section class=\"panel\" aria-labelledby=\"{id}\">\n<header><h2 id=\"{id}\">{}</h2>{note}</header>\n{content}</section>\n",
        escape(title)
    )
}

#[cfg(test)]
mod tests;
