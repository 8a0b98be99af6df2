//! Topics of Kafka.

use ebbtide_brokers::kafka::{Address, Mechanism};

use super::super::super::document::{KafkaDocument, SaslDocument, SecretDocument, SwitchDocument};
use super::super::Builder;
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
            login,
            tls,
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
        self.connection(path, servers, |servers| {
            let is_address = |one: &str| Address::parse(one.trim()).is_ok();
            if servers.split(',').all(is_address) {
                return Ok(());
            }
            Err("it is HOST:PORT, as in kafka:9092, or several of these with commas".to_owned())
        })
    }

    /// Who logs in; none, too, where there is a problem, which has been told.
    fn login(&mut self, path: &str, of: &KafkaDocument) -> Option<KafkaLogin> {
        let mechanism = match of.sasl {
            None | Some(SaslDocument::None) => {
                let given = [
                    ("username", of.username.is_some()),
                    ("password", of.password.is_some()),
                ];
                let message = "without `sasl` nobody logs in: give `sasl`, or remove this";
                self.refuse(path, &given, message);
                return None;
            }
            Some(SaslDocument::Plaintext) => Mechanism::Plain,
            Some(SaslDocument::ScramSha256) => Mechanism::ScramSha256,
            Some(SaslDocument::ScramSha512) => Mechanism::ScramSha512,
        };
        let mut required = |key: &str, text: &Option<SecretDocument>| {
            let path = format!("{path}.{key}");
            if text.is_none() {
                self.problems.add(&path, "it is missing beside `sasl`");
            }
            self.text(&path, text.as_ref()?)
        };
        let user = required("username", &of.username);
        let password = required("password", &of.password);
        Some(KafkaLogin {
            mechanism,
            user: user?,
            password: password?,
        })
    }

    /// What secures connections; a problem is told.
    fn tls_of_kafka(&mut self, path: &str, of: &KafkaDocument) -> Option<KafkaTls> {
        if of.tls != Some(SwitchDocument::Enable) {
            let given = [
                ("ca", of.ca.is_some()),
                ("cert", of.cert.is_some()),
                ("key", of.key.is_some()),
                ("unsafeSsl", of.unsafe_ssl),
            ];
            let message = "there is no TLS: give `tls: enable`, or remove this";
            self.refuse(path, &given, message);
            return None;
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
        let mut pem = |key: &str, text: &Option<SecretDocument>| {
            self.text(&format!("{path}.{key}"), text.as_ref()?)
        };
        Some(KafkaTls {
            ca: pem("ca", &of.ca),
            cert: pem("cert", &of.cert),
            key: pem("key", &of.key),
            any_server: of.unsafe_ssl,
        })
    }

    fn refuse(&mut self, path: &str, given: &[(&str, bool)], message: &str) {
        for (key, _) in given.iter().filter(|(_, is_given)| *is_given) {
            self.problems.add(format!("{path}.{key}"), message);
        }
    }
}
