//! Subjects of NATS.

use super::errors;

#[test]
fn each_subject_of_nats_that_is_wrong_is_said_once_and_where_it_is() {
    for (subject, completed, wrong) in [
        ("a b", None, vec!["subject: `a b`"]),
        ("a", Some("b*"), vec!["completed: `b*`"]),
        ("a b", Some("done"), vec!["subject: `a b`"]),
        (
            "a.>",
            Some("b c"),
            vec!["subject: `a.>`", "completed: `b c`"],
        ),
    ] {
        let completed = completed.map_or_else(String::new, |name| format!(", completed: '{name}'"));
        let queue = format!("natsJetstream: {{url: 'nats://h', subject: '{subject}'{completed}}}");
        let found = errors(&format!("targets: [{{queue: {{{queue}}}}}]\nburst: 1\n"));
        assert_eq!(
            found.matches("is not a subject").count(),
            wrong.len(),
            "{found}"
        );
        for wrong in wrong {
            let expected = format!("targets[0].queue.natsJetstream.{wrong} is not a subject");
            assert!(found.contains(&expected), "{queue}\n{found}");
        }
    }
}
