use proptest::prelude::*;

use super::*;

#[test]
fn what_is_written_is_read() {
    let mut question = Question::default();
    question.i8(-1);
    question.i64(1 << 40);
    question.text("orders");
    question.list([1, 2].iter(), |question, number| question.i32(*number));
    question.no_list();
    question.bytes(b"ab");
    let mut answer = Answer::of(question.written());
    assert_eq!(answer.i8(), Ok(-1));
    assert_eq!(answer.i64(), Ok(1 << 40));
    assert_eq!(answer.text(), Ok("orders".to_owned()));
    assert_eq!(answer.list(Answer::i32), Ok(vec![1, 2]));
    assert_eq!(answer.list(Answer::i32), Ok(vec![]));
    assert_eq!(answer.bytes(), Ok(&b"ab"[..]));
    assert!(answer.is_over());
    assert_eq!(answer.i16(), Err(Nonsense));
}

#[test]
fn a_length_that_is_not_there_is_nonsense() {
    let huge = i32::MAX.to_be_bytes();
    assert_eq!(Answer::of(&huge).list(Answer::i64), Err(Nonsense));
    assert_eq!(Answer::of(&huge).bytes(), Err(Nonsense));
    assert_eq!(Answer::of(&[0, 9, b'a']).text(), Err(Nonsense));
    assert_eq!(Answer::of(&[0, 1, 0xff]).text(), Err(Nonsense));
    assert_eq!(Answer::of(&[0xff, 0xff]).text(), Ok(String::new()));
}

#[test]
fn small_numbers_take_few_bytes() {
    for (number, expected) in [
        (0, &[0][..]),
        (-1, &[1]),
        (1, &[2]),
        (63, &[0x7e]),
        (-64, &[0x7f]),
        (64, &[0x80, 1]),
        (300, &[0xd8, 4]),
    ] {
        let mut question = Question::default();
        question.varint(number);
        assert_eq!(question.written(), expected, "{number}");
    }
    assert_eq!(Answer::of(&[0x80; 11]).varint(), Err(Nonsense));
    assert_eq!(Answer::of(&[0x80]).varint(), Err(Nonsense));
    assert_eq!(Answer::of(&[8, b'a']).short_bytes(), Err(Nonsense));
    assert_eq!(Answer::of(&[1]).short_bytes(), Ok(&b""[..]));
}

proptest! {
    #[test]
    fn every_number_is_read_as_it_was_written(number: i64, bytes: Vec<u8>) {
        let mut question = Question::default();
        question.varint(number);
        prop_assert!(question.written().len() <= 10);
        question.short_bytes(&bytes);
        let mut answer = Answer::of(question.written());
        prop_assert_eq!(answer.varint(), Ok(number));
        prop_assert_eq!(answer.short_bytes(), Ok(&bytes[..]));
        prop_assert!(answer.is_over());
    }
}
