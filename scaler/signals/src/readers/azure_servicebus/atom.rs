//! Descriptions of entities, in ATOM.

use roxmltree::{Document, Node};

/// What an entity is described by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Queue,
    Subscription,
}

/// What the answer to a question for one entity says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Described {
    /// Its active messages.
    Active(u32),
    /// There is none: then the answer is a feed with nothing in it.
    Missing,
    /// It is of another kind.
    Other,
}

impl Kind {
    fn element(self) -> &'static str {
        match self {
            Self::Queue => "QueueDescription",
            Self::Subscription => "SubscriptionDescription",
        }
    }
}

/// Reads the answer to a question for one entity.
///
/// # Errors
/// It is something else, as the end of a sentence.
pub(super) fn described(body: &[u8], kind: Kind) -> Result<Described, String> {
    read(body, |root| match root.tag_name().name() {
        "feed" => Ok(Described::Missing),
        "entry" => match below(root, kind.element()) {
            Some(description) => active(description).map(Described::Active),
            None => Ok(Described::Other),
        },
        _ => Err(not_atom()),
    })
}

/// Reads a page of a list: the name and the active messages of each entity.
///
/// # Errors
/// It is something else, as the end of a sentence.
pub(super) fn listed(body: &[u8], kind: Kind) -> Result<Vec<(String, u32)>, String> {
    read(body, |root| {
        if root.tag_name().name() != "feed" {
            return Err(not_atom());
        }
        let entries = root
            .children()
            .filter(|node| node.tag_name().name() == "entry");
        let described = entries.map(|entry| {
            let title = below(entry, "title").and_then(|title| title.text());
            let description = below(entry, kind.element());
            match (title, description) {
                (Some(title), Some(description)) => Ok((title.to_owned(), active(description)?)),
                _ => Err(format!("an entry has no title or no {}", kind.element())),
            }
        });
        described.collect()
    })
}

fn read<T>(body: &[u8], look: impl FnOnce(Node<'_, '_>) -> Result<T, String>) -> Result<T, String> {
    let text = std::str::from_utf8(body).map_err(|_| not_atom())?;
    let text = text.trim_start_matches('\u{feff}');
    let document = Document::parse(text).map_err(|_| not_atom())?;
    look(document.root_element())
}

fn not_atom() -> String {
    "the answer is no description in ATOM; is this a namespace of Service Bus?".to_owned()
}

fn below<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    let mut nodes = node.descendants();
    nodes.find(|node| node.tag_name().name() == name)
}

fn active(description: Node<'_, '_>) -> Result<u32, String> {
    const NAME: &str = "ActiveMessageCount";
    let count = below(description, NAME).and_then(|node| node.text());
    let count = count.ok_or_else(|| format!("the description has no {NAME}"))?;
    let wrong = |_| format!("the description has an {NAME} that is not a number of messages");
    count.trim().parse().map_err(wrong)
}

#[cfg(test)]
mod tests;
