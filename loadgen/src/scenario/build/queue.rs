//! Targets that are queues.

mod azure;
mod kafka;
mod table;
mod text;

use ebbtide_brokers::azure::{Namespace, QueueService};

use super::super::document::{QueueDocument, TargetDocument, TlsDocument};
use super::Builder;
use crate::plan::{Broker, QueueTarget, QueueTls, Target, TargetKind};

/// What is appended to a queue's name, for the list or queue of its completions.
const COMPLETED: &str = "-completed";
/// The same for a table, whose name needs no quotes so.
const COMPLETED_TABLE: &str = "_completed";
/// What addresses begin with where connections have TLS.
const SECURED: [&str; 3] = ["rediss://", "tls://", "amqps://"];

impl Builder<'_> {
    pub(super) fn queue(
        &mut self,
        path: &str,
        queue: &QueueDocument,
        document: &TargetDocument,
    ) -> Option<QueueTarget> {
        self.refuse_http(path, document);
        let field = format!("{path}.queue");
        let (kind, name, completed) = match queue {
            QueueDocument::AzureQueue(of) => ("azureQueue", ("queue", &*of.queue), &of.completed),
            QueueDocument::AzureServicebus(of) => ("azureServicebus", of.entity(), &of.completed),
            QueueDocument::Redis(of) => ("redis", ("list", &*of.list), &of.completed),
            QueueDocument::RedisStreams(of) => {
                ("redisStreams", ("stream", &*of.stream), &of.completed)
            }
            QueueDocument::NatsJetstream(of) => {
                ("natsJetstream", ("subject", &*of.subject), &of.completed)
            }
            QueueDocument::Rabbitmq(of) => ("rabbitmq", ("queue", &*of.queue), &of.completed),
            QueueDocument::Kafka(of) => ("kafka", ("topic", &*of.topic), &of.completed),
            QueueDocument::Postgresql(of) => ("postgresql", ("table", &*of.table), &of.completed),
            QueueDocument::Mysql(of) => ("mysql", ("table", &*of.table), &of.completed),
        };
        let (key, name) = name;
        if name.is_empty() {
            let path = format!("{field}.{kind}.{key}");
            self.problems.add(path, "it is empty");
        }
        let completed = completed
            .clone()
            .unwrap_or_else(|| format!("{name}{}", completed_after(queue)));
        if completed.is_empty() || completed == name {
            let message = "it is another one, which has a name";
            let path = format!("{field}.{kind}.completed");
            self.problems.add(path, message);
        }
        let broker = self.broker(&format!("{field}.{kind}"), queue, &completed, document);
        let tls = self.queue_tls(
            &format!("{path}.tls"),
            document.tls.as_ref(),
            broker.as_ref(),
        );
        let body = self.body(path, document);
        Some(QueueTarget {
            broker: broker?,
            completed,
            tls,
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

    /// `path` is the broker's.
    fn broker(
        &mut self,
        path: &str,
        queue: &QueueDocument,
        completed: &str,
        document: &TargetDocument,
    ) -> Option<Broker> {
        let field = format!("{path}.url");
        Some(match queue {
            QueueDocument::AzureQueue(of) => return self.azure_queue(path, of, completed),
            QueueDocument::AzureServicebus(of) => return self.azure_servicebus(path, of),
            QueueDocument::Redis(of) => Broker::Redis {
                url: self.url(&field, &of.url, &["redis://", "rediss://"])?,
                list: of.list.clone(),
            },
            QueueDocument::RedisStreams(of) => Broker::RedisStreams {
                url: self.url(&field, &of.url, &["redis://", "rediss://"])?,
                stream: of.stream.clone(),
            },
            QueueDocument::NatsJetstream(of) => {
                let subject = self.subject(&format!("{path}.subject"), &of.subject);
                // One that is not given is wrong only if the subject is.
                if let Some(completed) = &of.completed {
                    self.subject(&format!("{path}.completed"), completed);
                }
                Broker::NatsJetstream {
                    url: self.url(&field, &of.url, &["nats://", "tls://"])?,
                    subject: subject?,
                }
            }
            QueueDocument::Rabbitmq(of) => Broker::Rabbitmq {
                url: self.url(&field, &of.url, &["amqp://", "amqps://"])?,
                queue: of.queue.clone(),
            },
            QueueDocument::Kafka(of) => {
                self.check_topic(&format!("{path}.completed"), completed);
                Broker::Kafka(Box::new(self.kafka(path, of)?))
            }
            QueueDocument::Postgresql(of) => {
                Broker::Postgresql(self.table(path, of, completed, document, &table::POSTGRESQL)?)
            }
            QueueDocument::Mysql(of) => {
                Broker::Mysql(self.table(path, of, completed, document, &table::MYSQL)?)
            }
        })
    }

    /// How certificates are checked, of a broker with TLS.
    fn queue_tls(
        &mut self,
        path: &str,
        document: Option<&TlsDocument>,
        broker: Option<&Broker>,
    ) -> QueueTls {
        let Some(document) = document else {
            return QueueTls::default();
        };
        if let Some(Broker::Kafka(_) | Broker::Postgresql(_) | Broker::Mysql(_)) = broker {
            let message =
                "of this broker it is said beside the other fields of `queue`: move it there";
            self.problems.add(path, message);
        } else if broker.and_then(is_secured) == Some(false) {
            let message =
                "the connection to the broker is without TLS: remove this, or change its address";
            self.problems.add(path, message);
        }
        let is_named = document.server_name.is_some();
        if let Some(Broker::AzureQueue { .. } | Broker::AzureServicebus { .. }) = broker
            && is_named
        {
            let message = "with Azure it is the host of the connection string: remove it";
            self.problems.add(format!("{path}.serverName"), message);
        }
        QueueTls {
            server_name: document.server_name.clone(),
            authorities: self.authorities(path, document),
            insecure: document.insecure,
        }
    }

    /// What would end a line of NATS's protocol, or mean several subjects, is none.
    fn subject(&mut self, path: &str, subject: &str) -> Option<String> {
        let is_wrong = |letter: char| letter.is_whitespace() || matches!(letter, '*' | '>');
        if subject.contains(is_wrong) {
            let message = format!("`{subject}` is not a subject: it has no spaces, `*` or `>`");
            self.problems.add(path, message);
            return None;
        }
        Some(subject.to_owned())
    }

    /// What only HTTP has.
    fn refuse_http(&mut self, path: &str, document: &TargetDocument) {
        let given = [
            ("host", document.host.is_some()),
            ("method", document.method.is_some()),
            ("headers", !document.headers.0.is_empty()),
            ("version", document.version.is_some()),
            ("connections", document.connections.is_some()),
            ("countHeader", document.count_header.is_some()),
            ("checks", !document.checks.is_empty()),
        ];
        for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
            let message = "a queue has none: remove it";
            self.problems.add(format!("{path}.{key}"), message);
        }
    }
}

/// Whether connections have TLS, if that is known: an address may be there only where the run is.
fn is_secured(broker: &Broker) -> Option<bool> {
    let address = broker.url().reveal();
    if address.is_empty() {
        return None;
    }
    match broker {
        Broker::AzureQueue { .. } => {
            let service = QueueService::from_connection(address).ok()?;
            Some(service.is_secured())
        }
        Broker::AzureServicebus { .. } => {
            Some(Namespace::from_connection(address).ok()?.is_secured())
        }
        _ => Some(SECURED.iter().any(|begin| address.starts_with(begin))),
    }
}

/// What is appended to the name of this one.
fn completed_after(queue: &QueueDocument) -> &'static str {
    match queue {
        QueueDocument::Postgresql(_) | QueueDocument::Mysql(_) => COMPLETED_TABLE,
        _ => COMPLETED,
    }
}
