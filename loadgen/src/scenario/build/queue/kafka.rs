//! Topics of Kafka.

use ebbtide_brokers::kafka::{Address, Mechanism};

use super::super::super::document::{KafkaDocument, SaslDocument, SecretDocument, SwitchDocument};
use super::super::{Builder, Resolve};
use super::reveal;
use crate::plan::{KafkaLogin, KafkaTls, KafkaTopic, Secret};

/// The longest name that a topic has.
const LONGEST: usize = 249;

impl Builder<'_> {
    /// A topic at `path`.
    pub(super) fn kafka(&mut self, path: &str, of: &KafkaDocument) -> Option<KafkaTopic> {
        self.check_topic(&format!("{path}.topic"), &of.topic);
        if of.partition.is_some_and(i32::is_negative) {
            let message = "partitions are counted from 0";
            self.problems.add(format!("{path}.partition"), message);
        }
        let servers = self.servers(&format!("{path}.bootstrapServers"), &of.bootstrap_servers);
        let login = self.login(path, of);
        let tls = self.tls_of_kafka(path, of);
        Some(KafkaTopic {
            servers: servers?,
            topic: of.topic.clone(),
            partition: of.partition,
            login: login?,
            tls: tls?,
        })
    }

    /// What is no name of a topic. One that is empty is said elsewhere.
    pub(super) fn check_topic(&mut self, path: &str, topic: &str) {
        let is_right = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if topic.len() > LONGEST || !topic.chars().all(is_right) || [".", ".."].contains(&topic) {
            let message = format!(
                "`{topic}` is not a topic: it has up to {LONGEST} letters, digits, `.`, `_` and `-`"
            );
            self.problems.add(path, message);
        }
    }

    fn servers(&mut self, path: &str, servers: &SecretDocument) -> Option<Secret> {
        let servers = self.text(path, servers)?;
        let is_address = |one: &str| Address::parse(one.trim()).is_ok();
        let is_known = !servers.reveal().is_empty();
        if is_known && !servers.reveal().split(',').all(is_address) {
            let message = "it is HOST:PORT, as in kafka:9092, or several of these with commas";
            self.problems.add(path, message);
            return None;
        }
        Some(servers)
    }

    fn login(&mut self, path: &str, of: &KafkaDocument) -> Option<Option<KafkaLogin>> {
        let mechanism = match of.sasl {
            None | Some(SaslDocument::None) => {
                let given = [
                    ("username", of.username.is_some()),
                    ("password", of.password.is_some()),
                ];
                let message = "without `sasl` nobody logs in: give `sasl`, or remove this";
                self.refuse(path, &given, message);
                return Some(None);
            }
            Some(SaslDocument::Plaintext) => Mechanism::Plain,
            Some(SaslDocument::ScramSha256) => Mechanism::ScramSha256,
            Some(SaslDocument::ScramSha512) => Mechanism::ScramSha512,
        };
        let mut required = |key: &str, text: &Option<SecretDocument>| {
            let path = format!("{path}.{key}");
            let Some(text) = text else {
                self.problems.add(path, "it is missing beside `sasl`");
                return None;
            };
            self.text(&path, text)
        };
        let user = required("username", &of.username);
        let password = required("password", &of.password);
        Some(Some(KafkaLogin {
            mechanism,
            user: user?,
            password: password?,
        }))
    }

    fn tls_of_kafka(&mut self, path: &str, of: &KafkaDocument) -> Option<Option<KafkaTls>> {
        if of.tls != Some(SwitchDocument::Enable) {
            let given = [
                ("ca", of.ca.is_some()),
                ("cert", of.cert.is_some()),
                ("key", of.key.is_some()),
                ("unsafeSsl", of.unsafe_ssl),
            ];
            let message = "there is no TLS: give `tls: enable`, or remove this";
            self.refuse(path, &given, message);
            return Some(None);
        }
        let together = [
            ("cert", "key", &of.cert, &of.key),
            ("key", "cert", &of.key, &of.cert),
        ];
        for (key, other, given, missing) in together {
            if given.is_some() && missing.is_none() {
                let message = format!("it is missing beside `{key}`");
                self.problems.add(format!("{path}.{other}"), message);
            }
        }
        let mut optional = |key: &str, text: &Option<SecretDocument>| match text {
            Some(text) => self.text(&format!("{path}.{key}"), text).map(Some),
            None => Some(None),
        };
        let (ca, cert, key) = (
            optional("ca", &of.ca),
            optional("cert", &of.cert),
            optional("key", &of.key),
        );
        Some(Some(KafkaTls {
            ca: ca?,
            cert: cert?,
            key: key?,
            any_server: of.unsafe_ssl,
        }))
    }

    fn refuse(&mut self, path: &str, given: &[(&str, bool)], message: &str) {
        for (key, _) in given.iter().filter(|(_, is_given)| *is_given) {
            self.problems.add(format!("{path}.{key}"), message);
        }
    }

    /// A text that is not empty. Where secrets are not looked up, one that is elsewhere is empty.
    fn text(&mut self, path: &str, text: &SecretDocument) -> Option<Secret> {
        if let (Resolve::Nothing, SecretDocument::From(_)) = (self.resolve, text) {
            return Some(Secret::new(String::new()));
        }
        let text = self.problems.take(path, reveal(text, self.folder))?;
        if text.is_empty() {
            self.problems.add(path, "it is empty");
            return None;
        }
        Some(Secret::new(text))
    }
}
