//! Targets that are queues.

mod table;

use std::path::Path;

use super::super::document::{QueueDocument, SecretDocument, SecretSource, TargetDocument};
use super::{Builder, Resolve};
use crate::plan::{Broker, QueueTarget, Secret, Target, TargetKind};

/// What is appended to a queue's name, for the list or queue of its completions.
const COMPLETED: &str = "-completed";
/// The same for a table, whose name needs no quotes so.
const COMPLETED_TABLE: &str = "_completed";

impl Builder<'_> {
    pub(super) fn queue(
        &mut self,
        path: &str,
        queue: &QueueDocument,
        document: &TargetDocument,
    ) -> Option<QueueTarget> {
        self.refuse_http(path, document);
        let path = format!("{path}.queue");
        let (kind, name, completed) = match queue {
            QueueDocument::Redis(of) => ("redis", ("list", &of.list), &of.completed),
            QueueDocument::RedisStreams(of) => {
                ("redisStreams", ("stream", &of.stream), &of.completed)
            }
            QueueDocument::NatsJetstream(of) => {
                ("natsJetstream", ("subject", &of.subject), &of.completed)
            }
            QueueDocument::Rabbitmq(of) => ("rabbitmq", ("queue", &of.queue), &of.completed),
            QueueDocument::Postgresql(of) => ("postgresql", ("table", &of.table), &of.completed),
            QueueDocument::Mysql(of) => ("mysql", ("table", &of.table), &of.completed),
        };
        let (key, name) = name;
        if name.is_empty() {
            let path = format!("{path}.{kind}.{key}");
            self.problems.add(path, "it is empty");
        }
        let completed = completed
            .clone()
            .unwrap_or_else(|| format!("{name}{}", completed_after(queue)));
        if completed.is_empty() || completed == *name {
            let message = "it is another one, which has a name";
            let path = format!("{path}.{kind}.completed");
            self.problems.add(path, message);
        }
        if let QueueDocument::NatsJetstream(_) = queue {
            self.subject(&format!("{path}.{kind}.url"), &completed);
        }
        let broker = self.broker(&format!("{path}.{kind}.url"), queue, document);
        let body = self.body(path.trim_end_matches(".queue"), document);
        Some(QueueTarget {
            broker: broker?,
            completed,
            body: body?,
        })
    }

    /// Who reads completions takes them: two targets cannot have the same.
    pub(super) fn check_completed(&mut self, path: &str, target: &Target, before: &[Target]) {
        let place = |target: &Target| match &target.kind {
            TargetKind::Queue(of) => Some((of.completed.clone(), of.broker.url().clone())),
            _ => None,
        };
        let own = place(target);
        let other = before
            .iter()
            .find(|before| own.is_some() && place(before) == own);
        if let Some(other) = other {
            let message = format!(
                "its completions would come through the same place as those of `{}`: give it a `completed` of its own",
                other.name
            );
            self.problems.add(format!("{path}.queue"), message);
        }
    }

    fn broker(
        &mut self,
        path: &str,
        queue: &QueueDocument,
        document: &TargetDocument,
    ) -> Option<Broker> {
        Some(match queue {
            QueueDocument::Redis(of) => Broker::Redis {
                url: self.url(path, &of.url, &["redis://"])?,
                list: of.list.clone(),
            },
            QueueDocument::RedisStreams(of) => Broker::RedisStreams {
                url: self.url(path, &of.url, &["redis://"])?,
                stream: of.stream.clone(),
            },
            QueueDocument::NatsJetstream(of) => Broker::NatsJetstream {
                url: self.url(path, &of.url, &["nats://"])?,
                subject: self.subject(path, &of.subject)?,
            },
            QueueDocument::Rabbitmq(of) => Broker::Rabbitmq {
                url: self.url(path, &of.url, &["amqp://"])?,
                queue: of.queue.clone(),
            },
            QueueDocument::Postgresql(of) => {
                let path = path.trim_end_matches(".url");
                Broker::Postgresql(self.table(path, of, document, &table::POSTGRESQL)?)
            }
            QueueDocument::Mysql(of) => {
                let path = path.trim_end_matches(".url");
                Broker::Mysql(self.table(path, of, document, &table::MYSQL)?)
            }
        })
    }

    /// What would end a line of NATS's protocol, or mean several subjects, is none.
    fn subject(&mut self, path: &str, subject: &str) -> Option<String> {
        let is_wrong = |letter: char| letter.is_whitespace() || matches!(letter, '*' | '>');
        if subject.contains(is_wrong) {
            let path = path.trim_end_matches("url");
            let message = format!("`{subject}` is not a subject: it has no spaces, `*` or `>`");
            self.problems.add(format!("{path}subject"), message);
            return None;
        }
        Some(subject.to_owned())
    }

    /// A URL with one of these beginnings.
    fn url(&mut self, path: &str, url: &SecretDocument, begins: &[&str]) -> Option<Secret> {
        let url = match self.resolve {
            Resolve::Addresses => self.problems.take(path, reveal(url, self.folder))?,
            Resolve::Nothing => match url {
                SecretDocument::Text(text) => text.clone(),
                // It may be there only where the run is.
                SecretDocument::From(_) => return Some(Secret::new(String::new())),
            },
        };
        if !begins.iter().any(|begin| url.starts_with(begin)) {
            let begins = begins.join(" or ");
            self.problems
                .add(path, format!("it does not begin with {begins}"));
            return None;
        }
        Some(Secret::new(url))
    }

    /// What only HTTP has.
    fn refuse_http(&mut self, path: &str, document: &TargetDocument) {
        let given = [
            ("host", document.host.is_some()),
            ("method", document.method.is_some()),
            ("headers", !document.headers.0.is_empty()),
            ("version", document.version.is_some()),
            ("connections", document.connections.is_some()),
            ("tls", document.tls.is_some()),
            ("countHeader", document.count_header.is_some()),
            ("checks", !document.checks.is_empty()),
        ];
        for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
            let message = "a queue has none: remove it";
            self.problems.add(format!("{path}.{key}"), message);
        }
    }
}

/// What is appended to the name of this one.
fn completed_after(queue: &QueueDocument) -> &'static str {
    match queue {
        QueueDocument::Postgresql(_) | QueueDocument::Mysql(_) => COMPLETED_TABLE,
        _ => COMPLETED,
    }
}

fn reveal(secret: &SecretDocument, folder: &Path) -> Result<String, String> {
    let text = match secret {
        SecretDocument::Text(text) => Ok(text.clone()),
        SecretDocument::From(SecretSource::Env(name)) => {
            std::env::var(name).map_err(|_| format!("the variable {name} is not set"))
        }
        SecretDocument::From(SecretSource::File(file)) => {
            let file = folder.join(file);
            std::fs::read_to_string(&file)
                .map_err(|error| format!("cannot read `{}`: {error}", file.display()))
        }
    };
    Ok(text?.trim().to_owned())
}
