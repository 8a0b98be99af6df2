//! Renders templates.

use bytes::Bytes;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng as _;

use super::random;
use crate::plan::{Piece, Template};

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What a template is rendered for.
pub(crate) struct Filling {
    position: u64,
    random: Pcg64,
}

impl Filling {
    /// For the request at this position. One of these fills all templates of a request, in an order that is always
    /// the same.
    pub(crate) fn new(seed: u64, position: u64) -> Self {
        Self {
            position,
            random: random::of_request(seed, position),
        }
    }
}

impl Template {
    /// The text, if it is the same in all requests.
    pub(crate) fn fixed(&self) -> Option<&Bytes> {
        match self {
            Self::Fixed(text) => Some(text),
            Self::Pieces(_) => None,
        }
    }

    /// Everything in it that is not made up for each request.
    pub(crate) fn texts(&self) -> Vec<&Bytes> {
        fn texts(piece: &Piece) -> &[Bytes] {
            match piece {
                Piece::Text(text) => std::slice::from_ref(text),
                Piece::OneOf(texts) => texts,
                _ => &[],
            }
        }
        match self {
            Self::Fixed(text) => vec![text],
            Self::Pieces(pieces) => pieces.iter().flat_map(texts).collect(),
        }
    }

    /// Writes it out for a request.
    pub(crate) fn render(&self, filling: &mut Filling, out: &mut Vec<u8>) {
        match self {
            Self::Fixed(text) => out.extend_from_slice(text),
            Self::Pieces(pieces) => {
                for piece in pieces {
                    piece.render(filling, out);
                }
            }
        }
    }
}

impl Piece {
    fn render(&self, filling: &mut Filling, out: &mut Vec<u8>) {
        let random = &mut filling.random;
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Sequence => out.extend_from_slice(filling.position.to_string().as_bytes()),
            Self::Number(least, most) => {
                let number = number(random, *least, *most);
                out.extend_from_slice(number.to_string().as_bytes());
            }
            Self::Uuid => out.extend_from_slice(uuid(random).as_bytes()),
            Self::Letters(count) => out.extend((0..*count).map(|_| one_of(random, LETTERS))),
            Self::OneOf(texts) if texts.is_empty() => {}
            Self::OneOf(texts) => out.extend_from_slice(&one_of(random, texts)),
        }
    }
}

/// A whole number between the two, both included, in whichever order they are.
fn number(random: &mut Pcg64, one: i64, other: i64) -> i64 {
    let (least, most) = (one.min(other), one.max(other));
    let drawn = match most.abs_diff(least).checked_add(1) {
        Some(numbers) => random::below(random, numbers),
        None => random.next_u64(),
    };
    least.wrapping_add_unsigned(drawn)
}

fn one_of<T: Clone>(random: &mut Pcg64, of: &[T]) -> T {
    let place = random::below(random, of.len() as u64);
    of[usize::try_from(place).unwrap_or_default()].clone()
}

/// RFC 9562, section 5.4.
fn uuid(random: &mut Pcg64) -> String {
    let (high, low) = (random.next_u64(), random.next_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFF,
        0x8000 | ((low >> 48) & 0x3FFF),
        low & 0xFFFF_FFFF_FFFF,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &Template, seed: u64, position: u64) -> String {
        let mut out = Vec::new();
        template.render(&mut Filling::new(seed, position), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn of(piece: Piece) -> Template {
        Template::Pieces(vec![piece])
    }

    #[test]
    fn pieces_come_one_after_the_other() {
        let text = |text: &'static str| Piece::Text(Bytes::from_static(text.as_bytes()));
        let template = Template::Pieces(vec![text("/orders/"), Piece::Sequence, text("?a")]);
        assert_eq!(rendered(&template, 9, 41), "/orders/41?a");
        let fixed = Template::Fixed(Bytes::from_static(b"/"));
        assert_eq!(rendered(&fixed, 9, 41), "/");
    }

    #[test]
    fn a_seed_gives_the_same_requests_and_another_others() {
        for piece in [Piece::Uuid, Piece::Letters(20), Piece::Number(0, i64::MAX)] {
            let template = of(piece);
            let texts: Vec<_> = (0..50).map(|at| rendered(&template, 1, at)).collect();
            let again: Vec<_> = (0..50).map(|at| rendered(&template, 1, at)).collect();
            assert_eq!(texts, again);
            let mut distinct = texts.clone();
            distinct.push(rendered(&template, 2, 0));
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), 51);
        }
    }

    #[test]
    fn numbers_are_between_their_ends_and_reach_both() {
        for (one, other) in [(1, 6), (6, 1), (-3, 2), (7, 7), (i64::MIN, i64::MAX)] {
            let template = of(Piece::Number(one, other));
            let drawn: Vec<i64> = (0..500)
                .map(|at| rendered(&template, 0, at).parse().unwrap())
                .collect();
            let (least, most) = (one.min(other), one.max(other));
            assert!(drawn.iter().all(|number| (least..=most).contains(number)));
            if most.abs_diff(least) < 10 {
                assert!(drawn.contains(&least) && drawn.contains(&most), "{drawn:?}");
            }
        }
    }

    #[test]
    fn what_is_made_up_has_its_form() {
        for position in 0..100 {
            let uuid = rendered(&of(Piece::Uuid), 5, position);
            assert_eq!(uuid.len(), 36, "{uuid}");
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
            let letters = rendered(&of(Piece::Letters(8)), 5, position);
            assert!(letters.len() == 8 && letters.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            let colours = vec![Bytes::from_static(b"red"), Bytes::from_static(b"blue")];
            let colour = rendered(&of(Piece::OneOf(colours)), 5, position);
            assert!(["red", "blue"].contains(&colour.as_str()));
        }
        assert_eq!(rendered(&of(Piece::OneOf(Vec::new())), 5, 0), "");
    }
}
