//! By the management plugin.

use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::address::{Address, encoded};
use super::{HOST, QUEUE, tls};
use crate::amount::{Amount, Flow};
use crate::connect::Http;
use crate::error::ReadError;
use crate::parameters::Parameters;
use crate::readers::{Context, Reader, Reading};

struct Management {
    http: Http,
    url: String,
    user: String,
    password: String,
    ask: Ask,
}

/// What is asked for.
struct Ask {
    queue: String,
    vhost: String,
    /// How many queues may match; none if the name is no pattern.
    most: Option<u64>,
    operation: Operation,
    mode: Mode,
    only_ready: bool,
}

#[derive(Clone, Copy)]
enum Operation {
    Sum,
    Max,
    Average,
}

#[derive(Clone, Copy)]
enum Mode {
    Length,
    PublishRate,
    DeliverRate,
    PublishedToDelivered,
    ConsumptionTime,
}

pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
    address: &Address,
) -> Result<Box<dyn Reader>, ReadError> {
    let queue = parameters.required(QUEUE)?;
    let most = parameters.whole("pageSize").unwrap_or(100).max(1);
    let most = parameters.flag("useRegex").then_some(most);
    let scheme = if address.has_tls { "https" } else { "http" };
    let (host, port, prefix) = (&address.host, address.port, &address.prefix);
    let queues = format!(
        "{scheme}://{host}:{port}{prefix}/api/queues/{}",
        encoded(&address.vhost)
    );
    let url = match most {
        None => format!("{queues}/{}", encoded(queue)),
        Some(most) => format!(
            "{queues}?page=1&page_size={most}&use_regex=true&name={}",
            encoded(queue)
        ),
    };
    Ok(Box::new(Management {
        http: context.connect.http(HOST, &tls(parameters))?,
        url,
        user: address.user.clone(),
        password: address.password.clone(),
        ask: Ask {
            queue: queue.to_owned(),
            vhost: address.vhost.clone(),
            most,
            operation: match parameters.word("operation").as_deref() {
                Some("max") => Operation::Max,
                Some("avg") => Operation::Average,
                _ => Operation::Sum,
            },
            mode: match parameters.word("mode").as_deref() {
                Some("messagerate") => Mode::PublishRate,
                Some("delivergetrate") => Mode::DeliverRate,
                Some("publishedtodeliveredratio") => Mode::PublishedToDelivered,
                Some("expectedqueueconsumptiontime") => Mode::ConsumptionTime,
                _ => Mode::Length,
            },
            only_ready: parameters.flag("excludeUnacknowledged"),
        },
    }))
}

impl Reader for Management {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.ask())
    }
}

impl Management {
    async fn ask(&mut self) -> Result<Amount, ReadError> {
        let request = self.http.request(Method::GET, &self.url)?;
        let request = request.basic_auth(&self.user, Some(&self.password));
        let answer = self.http.send(request).await?;
        if answer.status == StatusCode::NOT_FOUND && self.ask.most.is_none() {
            let Ask { queue, vhost, .. } = &self.ask;
            let message = format!("there is no queue {queue} in the virtual host {vhost}");
            return Err(ReadError::of(QUEUE, message));
        }
        let answer = answer.success(HOST)?;
        if self.ask.most.is_none() {
            let queue: Queue = answer.json(HOST)?;
            return self.ask.amount(&[queue]);
        }
        let page: Page = answer.json(HOST)?;
        if page.pages > 1 {
            let message = format!(
                "{} queues match {}, more than pageSize",
                page.matching, self.ask.queue
            );
            return Err(ReadError::of(QUEUE, message));
        }
        self.ask.amount(&page.items)
    }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Queue>,
    #[serde(rename = "page_count")]
    pages: u64,
    #[serde(rename = "filtered_count")]
    matching: u64,
}

/// A queue; one that is new has no statistics yet.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Queue {
    messages: f64,
    messages_ready: f64,
    messages_unacknowledged: f64,
    message_stats: Statistics,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Statistics {
    #[serde(rename = "publish_details")]
    publish: Rate,
    #[serde(rename = "deliver_get_details")]
    deliver_get: Rate,
    /// Those delivered that need no acknowledgement.
    #[serde(rename = "deliver_no_ack_details")]
    deliver_no_ack: Rate,
    #[serde(rename = "get_no_ack_details")]
    get_no_ack: Rate,
    #[serde(rename = "ack_details")]
    ack: Rate,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rate {
    rate: f64,
}

impl Ask {
    /// What is made of these queues.
    fn amount(&self, queues: &[Queue]) -> Result<Amount, ReadError> {
        let of = |number: fn(&Queue) -> f64| self.operation.of(queues.iter().map(number));
        let messages = if self.only_ready {
            of(|queue| queue.messages_ready)
        } else {
            of(|queue| queue.messages)
        };
        let published = of(|queue| queue.message_stats.publish.rate);
        let delivered = of(|queue| queue.message_stats.deliver_get.rate);
        if messages < 0.0 {
            let message = format!("the server says that there are {messages} messages");
            return Err(ReadError::of(QUEUE, message));
        }
        let sum = |number: fn(&Queue) -> f64| queues.iter().map(number).sum::<f64>();
        let finished = sum(|queue| {
            let Statistics {
                ack,
                deliver_no_ack,
                get_no_ack,
                ..
            } = &queue.message_stats;
            ack.rate + deliver_no_ack.rate + get_no_ack.rate
        });
        let value = match self.mode {
            Mode::Length => messages,
            Mode::PublishRate => published,
            Mode::DeliverRate => delivered,
            Mode::PublishedToDelivered => over_rate(published, delivered),
            Mode::ConsumptionTime => over_rate(messages, delivered),
        };
        let arrivals = sum(|queue| queue.message_stats.publish.rate);
        Ok(Amount {
            value,
            activity: match self.mode {
                Mode::PublishRate => Some(published.max(messages)),
                _ => None,
            },
            in_process: Some(sum(|queue| queue.messages_unacknowledged)),
            arrivals: Some(Flow::PerSecond(arrivals)),
            completions: Some(Flow::PerSecond(finished)),
        })
    }
}

/// A quotient in which a rate of zero is one a second, so that it is finite.
fn over_rate(number: f64, rate: f64) -> f64 {
    if rate > 0.0 { number / rate } else { number }
}

impl Operation {
    #[expect(clippy::cast_precision_loss, reason = "queues of one page")]
    fn of(self, numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = numbers.len().max(1) as f64;
        match self {
            Self::Sum => numbers.sum(),
            Self::Max => numbers.fold(0.0, f64::max),
            Self::Average => numbers.sum::<f64>() / count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(mode: Mode, operation: Operation, only_ready: bool) -> Ask {
        Ask {
            queue: "orders".to_owned(),
            vhost: "/".to_owned(),
            most: None,
            operation,
            mode,
            only_ready,
        }
    }

    fn queues() -> Vec<Queue> {
        let text = r#"[
            {"messages": 12, "messages_ready": 9, "messages_unacknowledged": 3, "message_stats": {
                "publish_details": {"rate": 4.0}, "deliver_get_details": {"rate": 2.0},
                "ack_details": {"rate": 1.5}, "get_no_ack_details": {"rate": 0.5}}},
            {"name": "new"}
        ]"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn each_mode_has_its_number() {
        let cases = [
            (Mode::Length, Operation::Sum, false, 12.0),
            (Mode::Length, Operation::Sum, true, 9.0),
            (Mode::Length, Operation::Average, false, 6.0),
            (Mode::Length, Operation::Max, false, 12.0),
            (Mode::PublishRate, Operation::Sum, false, 4.0),
            (Mode::DeliverRate, Operation::Average, false, 1.0),
            (Mode::PublishedToDelivered, Operation::Sum, false, 2.0),
            (Mode::ConsumptionTime, Operation::Sum, true, 4.5),
        ];
        for (case, (mode, operation, only_ready, expected)) in cases.into_iter().enumerate() {
            let amount = ask(mode, operation, only_ready).amount(&queues()).unwrap();
            assert!((amount.value - expected).abs() < 1e-9, "{case}: {amount:?}");
            assert_eq!(amount.in_process, Some(3.0));
            assert_eq!(amount.arrivals, Some(Flow::PerSecond(4.0)));
            assert_eq!(amount.completions, Some(Flow::PerSecond(2.0)));
        }
    }

    #[test]
    fn a_rate_wakes_by_messages_too_and_no_consumer_is_not_forever() {
        let rate = ask(Mode::PublishRate, Operation::Sum, false);
        assert_eq!(rate.amount(&queues()).unwrap().activity, Some(12.0));
        let time = ask(Mode::ConsumptionTime, Operation::Sum, false);
        let idle: Vec<Queue> = serde_json::from_str(r#"[{"messages": 30}]"#).unwrap();
        assert!((time.amount(&idle).unwrap().value - 30.0).abs() < 1e-9);
        let odd: Vec<Queue> = serde_json::from_str(r#"[{"messages": -1}]"#).unwrap();
        let error = time.amount(&odd).unwrap_err().to_string();
        assert_eq!(
            error,
            "queueName: the server says that there are -1 messages"
        );
    }
}
