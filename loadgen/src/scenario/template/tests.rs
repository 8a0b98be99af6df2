use proptest::prelude::*;

use super::*;

fn text(text: &'static str) -> Piece {
    Piece::Text(Bytes::from_static(text.as_bytes()))
}

/// As text that is read as the same.
fn print(template: &Template) -> String {
    let escape = |text: &Bytes| String::from_utf8_lossy(text).replace("${", "$${");
    let quote = |text: &Bytes| {
        let text = String::from_utf8_lossy(text);
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => escape(text),
        Piece::Sequence => "${sequence}".to_owned(),
        Piece::Number(low, high) => format!("${{number({low}, {high})}}"),
        Piece::Uuid => "${ uuid }".to_owned(),
        Piece::Letters(count) => format!("${{letters( {count} )}}"),
        Piece::OneOf(choices) => {
            let choices: Vec<_> = choices.iter().map(quote).collect();
            format!("${{oneOf({})}}", choices.join(","))
        }
    };
    match template {
        Template::Fixed(text) => escape(text),
        Template::Pieces(pieces) => pieces.iter().map(piece).collect(),
    }
}

#[test]
fn what_is_written_becomes_pieces() {
    for (written, pieces) in [
        (
            "/items/${number(1, 100)}?q=${letters(8)}",
            vec![
                text("/items/"),
                Piece::Number(1, 100),
                text("?q="),
                Piece::Letters(8),
            ],
        ),
        ("${sequence}${uuid}", vec![Piece::Sequence, Piece::Uuid]),
        ("${number(-5,-5)}", vec![Piece::Number(-5, -5)]),
        (
            "${oneOf(a, b c,\"d, }\\\"\", )}!",
            vec![
                Piece::OneOf(["a", "b c", "d, }\"", ""].map(Bytes::from).into()),
                text("!"),
            ],
        ),
        (
            "$5 $${uuid} ${uuid}$",
            vec![text("$5 ${uuid} "), Piece::Uuid, text("$")],
        ),
    ] {
        let found = parse(written).unwrap();
        assert_eq!(
            format!("{found:?}"),
            format!("{:?}", Template::Pieces(pieces)),
            "{written}"
        );
    }
    for (written, fixed) in [
        ("", ""),
        ("plain", "plain"),
        ("$", "$"),
        ("$${", "${"),
        ("$$", "$$"),
        ("größe", "größe"),
    ] {
        let Template::Fixed(found) = parse(written).unwrap() else {
            panic!("{written}");
        };
        assert_eq!(found, fixed, "{written}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (written, column, message) in [
        ("ab${uuid", 3, "`${` is not closed with `}`"),
        (
            "é${uid}",
            2,
            "`uid` is not known; did you mean `uuid`? (there are sequence, number, uuid, letters, oneOf)",
        ),
        ("${}", 1, "`` is not known"),
        ("${uuid()}", 1, "`uuid` takes nothing: write ${uuid}"),
        ("${number(1)}", 1, "`number` takes two whole numbers"),
        ("${number}", 1, "`number` takes two whole numbers"),
        ("${number(1, x)}", 1, "`x` is not a whole number"),
        (
            "${number(5, 1)}",
            1,
            "the lower number first: write ${number(1, 5)}",
        ),
        ("${letters(0)}", 1, "from 1 to 65536"),
        ("${letters(99999999)}", 1, "from 1 to 65536"),
        ("${oneOf}", 1, "`oneOf` takes what to choose from"),
        ("${oneOf(a}", 1, "`oneOf(a` is not closed with `)`"),
        ("${oneOf(\"a)}", 1, "`${` is not closed"),
        (
            "${oneOf(\"a\" b)}",
            1,
            "after an argument comes `,` or `)`, not `b`",
        ),
        ("${oneOf(\"\\n\")}", 1, "after `\\` in quotes"),
    ] {
        let error = parse(written).unwrap_err();
        assert_eq!(error.column, column, "{written}: {error}");
        assert!(error.message.contains(message), "{written}: {error}");
    }
}

fn any_piece() -> impl Strategy<Value = Piece> {
    let choices = prop::collection::vec("\\PC{0,6}".prop_map(Bytes::from), 1..4);
    prop_oneof![
        // A `$` right before a place cannot be written.
        "\\PC{0,5}[a-zé{} ]".prop_map(|text| Piece::Text(Bytes::from(text))),
        Just(Piece::Sequence),
        Just(Piece::Uuid),
        (any::<i64>(), any::<i64>()).prop_map(|(a, b)| Piece::Number(a.min(b), a.max(b))),
        (1..=MOST_LETTERS).prop_map(Piece::Letters),
        choices.prop_map(Piece::OneOf),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(pieces in prop::collection::vec(any_piece(), 0..6)) {
        let printed = print(&Template::Pieces(pieces));
        let found = parse(&printed);
        let again = print(&found.clone().map_err(|error| TestCaseError::fail(error.to_string()))?);
        prop_assert_eq!(parse(&again).map(|template| format!("{template:?}")), found.map(|template| format!("{template:?}")));
    }

    #[test]
    fn no_text_panics(text in "([$\\{}(),\"\\\\]|uuid|number|oneOf|letters|\\PC){0,12}") {
        let _ = parse(&text).map_err(|error| error.to_string());
    }
}
