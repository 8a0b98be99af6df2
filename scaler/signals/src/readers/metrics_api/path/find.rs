//! Following a path.

use super::super::quantity;
use super::super::tree::Tree;
use super::{Part, Path};

/// What a path leads to.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Found<'t> {
    /// Something of the answer.
    Tree(&'t Tree),
    /// How many items a list has.
    Count(usize),
    /// What was found in each item of a list.
    List(Vec<Found<'t>>),
}

impl Path {
    /// What it leads to, if that is there.
    pub(in super::super) fn find<'t>(&self, tree: &'t Tree) -> Option<Found<'t>> {
        self.find_in(&Found::Tree(tree))
    }

    pub(super) fn find_in<'t>(&self, from: &Found<'t>) -> Option<Found<'t>> {
        let mut found = from.clone();
        for stage in &self.stages {
            found = follow(stage, &found)?;
        }
        Some(found)
    }
}

fn follow<'t>(parts: &[Part], from: &Found<'t>) -> Option<Found<'t>> {
    let Some((part, rest)) = parts.split_first() else {
        return Some(from.clone());
    };
    let in_each = |items: Vec<Found<'t>>| {
        let found = items.iter().filter_map(|item| follow(rest, item));
        Some(Found::List(found.collect()))
    };
    match part {
        Part::Key(name) => {
            if let Some(items) = from.items() {
                return follow(rest, items.get(name.index()?)?);
            }
            below(from, |key| name.fits(key), rest)
        }
        Part::Each => {
            let Some(items) = from.items() else {
                // To an object it is a name like any other.
                return below(from, |key| key == "#", rest);
            };
            if rest.is_empty() {
                return Some(Found::Count(items.len()));
            }
            in_each(items)
        }
        Part::First(query) => {
            let items = from.items()?;
            let first = items.iter().find(|item| query.is_of(item))?;
            follow(rest, first)
        }
        Part::All(query) => {
            let mut items = from.items()?;
            items.retain(|item| query.is_of(item));
            in_each(items)
        }
    }
}

/// The first entry of such a name in which the path goes on.
fn below<'t>(
    from: &Found<'t>,
    is_named: impl Fn(&str) -> bool,
    rest: &[Part],
) -> Option<Found<'t>> {
    let entries = from.entries()?.iter();
    let mut named = entries.filter(|(key, _)| is_named(key));
    named.find_map(|(_, value)| follow(rest, &Found::Tree(value)))
}

impl<'t> Found<'t> {
    /// The number that it is.
    ///
    /// # Errors
    /// What it is instead, as the end of a sentence.
    pub(in super::super) fn number(&self) -> Result<f64, String> {
        if let Some(number) = self.plain_number() {
            return Ok(number);
        }
        let text = match self {
            Self::Tree(Tree::Object(entries)) => {
                // An element of XML with attributes is what is in it.
                let text = entries.iter().find(|(key, _)| key == Tree::TEXT);
                text.and_then(|(_, text)| Self::Tree(text).text())
            }
            _ => self.text(),
        };
        match text {
            // What it says is not shown: whoever wrote the rule may not be one who may read it.
            Some(text) => {
                quantity::read(text).ok_or_else(|| "leads to a text, which is no number".to_owned())
            }
            None => Err(format!("leads to {}, which is no number", self.in_words())),
        }
    }

    pub(super) fn text(&self) -> Option<&'t str> {
        match self {
            Self::Tree(Tree::Text(text)) => Some(text),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "no answer has that many items")]
    pub(super) fn plain_number(&self) -> Option<f64> {
        match self {
            Self::Tree(Tree::Number(number)) => Some(*number),
            Self::Count(count) => Some(*count as f64),
            _ => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Tree(Tree::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::Tree(Tree::List(list)) => Some(list.iter().map(Self::Tree).collect()),
            Self::List(list) => Some(list.clone()),
            _ => None,
        }
    }

    fn entries(&self) -> Option<&'t [(String, Tree)]> {
        match self {
            Self::Tree(Tree::Object(entries)) => Some(entries),
            _ => None,
        }
    }

    fn in_words(&self) -> &'static str {
        match self {
            Self::Tree(tree) => tree.in_words(),
            Self::Count(_) => "a number",
            Self::List(_) => "a list",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r##"{
        "name": {"first": "Tom", "last": "Anderson"}, "age": 37,
        "children": ["Sara", "Alex", "Jack"], "fav.movie": "12", "a|b": 3, "*": 4, "#": 9,
        "friends": [
            {"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"]},
            {"first": "Roger", "last": "Craig", "age": 68, "nets": ["fb", "tw"], "old": true},
            {"first": "Jane", "last": "Murphy", "age": 47, "nets": ["ig", "tw"], "say": "a\"b"}
        ],
        "1": "1.5k", "deep": [[1, 2], [3]], "none": null
    }"##;

    fn number(path: &str) -> Result<f64, String> {
        let tree = Tree::of_json(ANSWER.as_bytes()).unwrap();
        let found = Path::parse(path)?.find(&tree);
        found.ok_or_else(|| "leads nowhere".to_owned())?.number()
    }

    #[test]
    fn paths_lead_where_those_of_gjson_do() {
        for (path, expected) in [
            ("age", 37.0),
            ("friends.1.age", 68.0),
            ("friends|1|age", 68.0),
            ("1", 1500.0),
            (r"fav\.movie", 12.0),
            (r"a\|b", 3.0),
            (r"\*", 4.0),
            ("#", 9.0),
            ("ag*", 37.0),
            ("a?e", 37.0),
            ("f*.0.age", 44.0),
            ("children.#", 3.0),
            ("friends.#.age|1", 68.0),
            ("friends.#.old|#", 1.0),
            ("deep.#.1|0", 2.0),
            ("deep.1.0", 3.0),
            ("friends.#(last==\"Murphy\").age", 44.0),
            ("friends.#(last=\"Murphy\")#.age|1", 47.0),
            ("friends.#(last==\"Murphy\")#|#", 2.0),
            ("friends.#(age>45)#|#", 2.0),
            ("friends.#(age <= 44).age", 44.0),
            ("friends.#(age!=44)#|0.age", 68.0),
            ("friends.#(first%\"D*\").age", 44.0),
            ("friends.#(first!%\"D*\").age", 68.0),
            ("friends.#(old).age", 68.0),
            ("friends.#(old==true).age", 68.0),
            ("friends.#(nets.#(==\"ig\"))#|#", 2.0),
            ("friends.#(name.first==\"x\")#|#", 0.0),
            ("friends.#(say==\"a\\\"b\").age", 47.0),
            ("friends.#[age>45].age", 68.0),
            ("children.#(%\"*a*\")#|#", 2.0),
        ] {
            assert_eq!(number(path), Ok(expected), "{path}");
        }
    }

    #[test]
    fn what_is_no_number_is_said() {
        for (path, expected) in [
            ("nothing", "leads nowhere"),
            ("age.more", "leads nowhere"),
            ("children.3", "leads nowhere"),
            ("children.first", "leads nowhere"),
            ("friends.#(age>99).age", "leads nowhere"),
            ("name", "leads to an object, which is no number"),
            ("friends.#.age", "leads to a list, which is no number"),
            (
                "friends.#(age>45)#.age",
                "leads to a list, which is no number",
            ),
            ("none", "leads to null, which is no number"),
            (
                "friends.1.old",
                "leads to true or false, which is no number",
            ),
            ("name.first", "leads to a text, which is no number"),
        ] {
            assert_eq!(number(path), Err(expected.to_owned()), "{path}");
        }
    }
}
