//! Answers in XML.

use roxmltree::{Document, Node, ParsingOptions};

use super::Tree;

/// How deeply elements may be nested, as in JSON.
const DEEPEST: usize = 128;
/// The most elements, attributes and texts.
const MOST_NODES: u32 = 250_000;

/// What the outermost element has.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(answer: &[u8]) -> Result<Tree, String> {
    let text = std::str::from_utf8(answer).map_err(|error| error.to_string())?;
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let text = text.trim_start_matches('\u{feff}');
    let document = Document::parse_with_options(text, options);
    let document = document.map_err(|error| error.to_string())?;
    of(document.root_element(), DEEPEST)
}

fn of(element: Node<'_, '_>, depth: usize) -> Result<Tree, String> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| format!("elements are nested more than {DEEPEST} deep"))?;
    let mut object: Vec<(String, Tree)> = Vec::new();
    for attribute in element.attributes() {
        let value = Tree::Text(attribute.value().to_owned());
        object.push((attribute.name().to_owned(), value));
    }
    // Elements that come one after the other are looked for where the last one was.
    let mut last = usize::MAX;
    let mut text = String::new();
    for child in element.children() {
        if child.is_text() {
            text.push_str(child.text().unwrap_or_default());
            continue;
        }
        if !child.is_element() {
            continue;
        }
        let (name, value) = (child.tag_name().name(), of(child, depth)?);
        if object.get(last).is_none_or(|(known, _)| known != name) {
            last = object
                .iter()
                .position(|(known, _)| known == name)
                .unwrap_or(object.len());
        }
        match object.get_mut(last) {
            None => object.push((name.to_owned(), Tree::List(vec![value]))),
            Some((_, Tree::List(items))) => items.push(value),
            Some((_, attribute)) => *attribute = Tree::List(vec![value]),
        }
    }
    let text = Tree::Text(text.trim().to_owned());
    if object.is_empty() {
        return Ok(text);
    }
    for (_, value) in &mut object {
        // What there is one of is no list.
        if let Tree::List(list) = value
            && list.len() == 1
        {
            *value = list.remove(0);
        }
    }
    object.push((Tree::TEXT.to_owned(), text));
    Ok(Tree::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_attributes_are_an_object() {
        let answer = "\u{feff}<?xml version=\"1.0\"?>\n<!-- of today --><metrics at=\"noon\">\
                      <queue name=\"a\"><length> 5 </length></queue><total>7</total>\
                      <queue name=\"b\">6</queue></metrics>";
        let text = |text: &str| Tree::Text(text.to_owned());
        let object = |entries: Vec<(&str, Tree)>| {
            let entries = entries.into_iter();
            Tree::Object(
                entries
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect(),
            )
        };
        let queues = vec![
            object(vec![
                ("name", text("a")),
                ("length", text("5")),
                (Tree::TEXT, text("")),
            ]),
            object(vec![("name", text("b")), (Tree::TEXT, text("6"))]),
        ];
        let expected = object(vec![
            ("at", text("noon")),
            ("queue", Tree::List(queues)),
            ("total", text("7")),
            (Tree::TEXT, text("")),
        ]);
        assert_eq!(read(answer.as_bytes()), Ok(expected));
        assert_eq!(read(b"<length>5</length>"), Ok(text("5")));
    }

    #[test]
    fn nonsense_and_what_would_fill_the_memory_is_refused() {
        let nested = format!("{}{}", "<a>".repeat(200), "</a>".repeat(200));
        let many = format!("<a>{}</a>", "<b/>".repeat(300_000));
        let entities = "<!DOCTYPE a [<!ENTITY b \"cccccccccc\"><!ENTITY d \"&b;&b;\">]><a>&d;</a>";
        for answer in [
            &b"{}"[..],
            b"",
            b"<a>",
            b"\xff",
            nested.as_bytes(),
            many.as_bytes(),
            entities.as_bytes(),
        ] {
            assert!(read(answer).is_err());
        }
    }
}
