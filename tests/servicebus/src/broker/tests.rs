//! The broker's behaviour as tables: at which second, what is done, what comes of it.

mod limits;
mod queues;
mod topics;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::*;

/// What is done. Texts are the messages' identifiers.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send(&'static str),
    /// Sends it to become active at a second.
    SendFor(&'static str, i64),
    /// Sends it to live for some seconds.
    SendLiving(&'static str, u64),
    /// Receives with a lock, from the subscription or the queue.
    Lock(&'static str),
    /// Receives and deletes.
    Take(&'static str),
    Complete(&'static str, &'static str),
    Unlock(&'static str, &'static str),
    Renew(&'static str, &'static str),
    /// Counts as `active/dead-letter/scheduled`.
    Count(&'static str),
    /// The next second at which something becomes due.
    Due(&'static str),
}

type Steps = &'static [(i64, Step, &'static str)];

/// A namespace with the entity `e`, and the locks that were got from it.
struct Bed {
    namespace: Namespace,
    locks: BTreeMap<&'static str, Token>,
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn entity() -> Name {
    Name::entity("e").unwrap()
}

/// `""` is the queue, `dead` its dead-letter queue, `s` a subscription, `s/dead` its dead letters.
fn source(text: &str) -> Source {
    let subscription = text.trim_end_matches("dead").trim_end_matches('/');
    Source {
        entity: entity(),
        subscription: (!subscription.is_empty()).then(|| Name::subscription(subscription).unwrap()),
        dead_letters: text.ends_with("dead"),
    }
}

fn message(identifier: &str) -> Message {
    Message {
        identifier: Some(identifier.to_owned()),
        body: "body".into(),
        ..Message::default()
    }
}

impl Bed {
    fn new(limits: Limits) -> Self {
        Self {
            namespace: Namespace::new(limits, 7),
            locks: BTreeMap::new(),
        }
    }

    fn queue(settings: Settings) -> Self {
        let mut bed = Self::new(Limits::default());
        bed.namespace
            .put_queue(&entity(), settings, false, second(0))
            .unwrap();
        bed
    }

    fn play(&mut self, case: &str, steps: &[(i64, Step, &str)]) {
        for (number, (at, step, expected)) in steps.iter().enumerate() {
            let outcome = self
                .step(*step, second(*at))
                .unwrap_or_else(|failure| failure.to_string());
            assert_eq!(
                &outcome, expected,
                "{case}, step {number}: {step:?} at second {at}"
            );
        }
    }

    fn step(&mut self, step: Step, now: Timestamp) -> Result<String, Failure> {
        match step {
            Step::Send(text) => self.send(message(text), now),
            Step::SendFor(text, at) => {
                let scheduled = Some(second(at));
                self.send(
                    Message {
                        scheduled,
                        ..message(text)
                    },
                    now,
                )
            }
            Step::SendLiving(text, seconds) => {
                let time_to_live = Some(Duration::from_secs(seconds));
                self.send(
                    Message {
                        time_to_live,
                        ..message(text)
                    },
                    now,
                )
            }
            Step::Lock(from) => self.receive(from, Receive::PeekLock, now),
            Step::Take(from) => self.receive(from, Receive::AndDelete, now),
            Step::Complete(from, text) => self.settle(from, text, Settle::Complete, now),
            Step::Unlock(from, text) => self.settle(from, text, Settle::Unlock, now),
            Step::Renew(from, text) => self.settle(from, text, Settle::Renew, now),
            Step::Count(from) => Ok(self.count(from, now)),
            Step::Due(from) => {
                let due = self.namespace.next_due(&source(from));
                Ok(due.map_or("never".to_owned(), |at| at.as_second().to_string()))
            }
        }
    }

    fn send(&mut self, message: Message, now: Timestamp) -> Result<String, Failure> {
        self.namespace.send(&entity(), message, now)?;
        Ok("sent".to_owned())
    }

    /// The message and its delivery count, and why it is dead if it is: `a×2`.
    fn receive(&mut self, from: &str, how: Receive, now: Timestamp) -> Result<String, Failure> {
        let Some(received) = self.namespace.receive(&source(from), how, now)? else {
            return Ok("none".to_owned());
        };
        let text: &'static str = received.message.identifier.clone().unwrap().leak();
        if let Some((token, _)) = received.lock {
            self.locks.insert(text, token);
        }
        let reason = received
            .dead_letter
            .map_or(String::new(), |dead| format!(" {}", dead.reason));
        Ok(format!("{text}×{}{reason}", received.deliveries))
    }

    fn settle(
        &mut self,
        from: &str,
        text: &str,
        how: Settle,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let token = self.locks[text];
        match self
            .namespace
            .settle(&source(from), (text, token), how, now)
        {
            Ok(received) => Ok(received.lock.map_or("done".to_owned(), |(_, until)| {
                format!("until {}", until.as_second())
            })),
            Err(Failure::LockLost { .. }) => Ok("lost".to_owned()),
            Err(failure) => Err(failure),
        }
    }

    fn count(&mut self, from: &str, now: Timestamp) -> String {
        let source = source(from);
        let counts = match self.namespace.find(&source.entity, now).unwrap() {
            Found::Queue(queue) => queue.counts(),
            Found::Topic(topic) => match &source.subscription {
                Some(name) => topic.subscriptions()[name].counts(),
                None => Counts {
                    scheduled: topic.scheduled(),
                    ..Counts::default()
                },
            },
        };
        format!(
            "{}/{}/{}",
            counts.active, counts.dead_letter, counts.scheduled
        )
    }
}
