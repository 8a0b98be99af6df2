//! What a connection does, as far as it has only so much time for it. No timer is set: the worker looks
//! through its connections every second, so times are late by up to that.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ebbtide_core::time::Timestamp;

use crate::limits::Limits;
use crate::limits::gate::Limit;
use crate::worker::slots::Slots;

/// After how long without a request a connection rests that has had them more often than that. Any other rests as
/// soon as it has had its answer.
const REST_AFTER: Duration = Duration::from_secs(1);

/// Why a connection is not run any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// It has been too long at something.
    Limit(Limit),
    /// It has nothing to do, and can give up what it needs only for requests.
    Rest,
}

/// Where a connection is with resting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// It cannot.
    Never,
    /// It can, once it has had nothing to do for a while.
    Later,
    /// It can, as soon as it has been answered.
    Soon,
    /// It has been answered. hyper may have more to do, and is asked once more.
    Answered,
    /// It should, now.
    Due,
    /// It does.
    Rests,
}

/// One connection.
pub(crate) struct Activity {
    /// The worker's time, as of its last tick.
    now: Rc<Cell<Timestamp>>,
    /// Requests that are being answered.
    requests: Cell<u32>,
    /// Bodies of requests that are being read, after their answers too.
    bodies: Cell<u32>,
    /// Since when there is none.
    idle_since: Cell<Timestamp>,
    has_answered: Cell<bool>,
    /// Since when there is a part of a head, over HTTP/1.
    head_since: Cell<Option<Timestamp>>,
    /// Since when the system takes nothing more for the client.
    blocked_since: Cell<Option<Timestamp>>,
    /// Over HTTP/2, for each answer, since when it is the client's turn to take some of it.
    answers: RefCell<Slots<Option<Timestamp>>>,
    overdue: Cell<Option<Limit>>,
    rest: Cell<Rest>,
    waker: RefCell<Option<Waker>>,
}

impl Activity {
    pub(crate) fn new(now: &Rc<Cell<Timestamp>>) -> Rc<Self> {
        Rc::new(Self {
            now: Rc::clone(now),
            requests: Cell::new(0),
            bodies: Cell::new(0),
            idle_since: Cell::new(now.get()),
            has_answered: Cell::new(false),
            head_since: Cell::new(None),
            blocked_since: Cell::new(None),
            answers: RefCell::new(Slots::new()),
            overdue: Cell::new(None),
            rest: Cell::new(Rest::Never),
            waker: RefCell::default(),
        })
    }

    /// Bytes of an HTTP/1 client have come.
    pub(crate) fn read(&self) {
        if self.requests.get() == 0 && self.head_since.get().is_none() {
            self.head_since.set(Some(self.now.get()));
        }
    }

    /// The system has taken some of what is for the client.
    pub(crate) fn wrote(&self) {
        if self.blocked_since.get().is_some() {
            self.blocked_since.set(None);
        }
    }

    /// The system takes nothing more for the client.
    pub(crate) fn blocked(&self) {
        if self.blocked_since.get().is_none() {
            self.blocked_since.set(Some(self.now.get()));
        }
    }

    /// The worker's time, as of its last tick.
    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// A request has begun. It goes on until the result is dropped.
    pub(crate) fn begin(self: &Rc<Self>) -> Busy {
        self.requests.set(self.requests.get() + 1);
        self.head_since.set(None);
        if matches!(self.rest.get(), Rest::Answered | Rest::Due) {
            self.rest.set(Rest::Later);
        }
        Busy {
            activity: Rc::clone(self),
            answer: None,
        }
    }

    /// A request has a body. It is read until the result is dropped.
    pub(crate) fn begin_body(self: &Rc<Self>) -> BodyRead {
        self.bodies.set(self.bodies.get() + 1);
        BodyRead(Rc::clone(self))
    }

    /// A request has ended.
    fn end(&self) {
        self.requests.set(self.requests.get() - 1);
        self.idle_since.set(self.now.get());
        self.has_answered.set(true);
        if self.rest.get() == Rest::Soon {
            self.rest.set(Rest::Answered);
        }
    }

    /// Ends the connection if it has been too long at something, and has it rest if it has nothing to do.
    pub(crate) fn look(&self, now: Timestamp, limits: &Limits) {
        if self.overdue.get().is_some() {
            return;
        }
        if let Some(limit) = self.overdue_by(now, limits) {
            self.cut_off(limit);
        } else if matches!(self.rest.get(), Rest::Later | Rest::Due)
            && self.has_nothing_to_do()
            && self.is_idle_for_a_while(now)
        {
            self.rest.set(Rest::Due);
            self.wake();
        }
    }

    fn has_nothing_to_do(&self) -> bool {
        self.requests.get() == 0
            && self.bodies.get() == 0
            && self.head_since.get().is_none()
            && self.blocked_since.get().is_none()
    }

    fn is_idle_for_a_while(&self, now: Timestamp) -> bool {
        now.since(self.idle_since.get()) >= REST_AFTER
    }

    /// Says that the connection can rest. It does not yet, or no longer.
    pub(crate) fn can_rest(&self) {
        let is_frequent = self.has_answered.get() && !self.is_idle_for_a_while(self.now.get());
        self.rest
            .set(if is_frequent { Rest::Later } else { Rest::Soon });
    }

    /// The connection rests, until it [`can_rest`](Self::can_rest) again.
    pub(crate) fn rest(&self) {
        self.rest.set(Rest::Rests);
    }

    /// Whether the connection rests.
    pub(crate) fn rests(&self) -> bool {
        self.rest.get() == Rest::Rests
    }

    /// Ends the connection, which has reached `limit`.
    pub(crate) fn cut_off(&self, limit: Limit) {
        self.overdue.set(Some(limit));
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    fn overdue_by(&self, now: Timestamp, limits: &Limits) -> Option<Limit> {
        let over =
            |since: Option<Timestamp>, limit| since.is_some_and(|since| now.since(since) >= limit);
        let mut answers = self.answers.borrow_mut();
        if over(self.blocked_since.get(), limits.write_timeout)
            || answers
                .iter_mut()
                .any(|since| over(*since, limits.write_timeout))
        {
            return Some(Limit::WriteTime);
        }
        if self.requests.get() > 0 {
            return None;
        }
        if over(self.head_since.get(), limits.head_timeout) {
            return Some(Limit::HeadTime);
        }
        over(Some(self.idle_since.get()), limits.idle_timeout).then_some(Limit::IdleTime)
    }

    /// Waits for `connection` until it has been too long at something.
    pub(crate) async fn limit<F: Future + Unpin>(&self, connection: F) -> Result<F::Output, Limit> {
        self.until(connection, |limit| limit, |_| None).await
    }

    /// Waits for `connection` until it has been too long at something, or is to rest.
    pub(crate) async fn limit_or_rest<F: Future + Unpin>(
        &self,
        connection: F,
    ) -> Result<F::Output, Interruption> {
        let rests = |cx: &Context<'_>| self.is_to_rest(cx).then_some(Interruption::Rest);
        self.until(connection, Interruption::Limit, rests).await
    }

    /// Whether a connection is to rest that has just been polled, and waits. That order matters: hyper may have to
    /// end it, which would not happen any more, and what follows is no request then.
    fn is_to_rest(&self, cx: &Context<'_>) -> bool {
        if self.rest.get() == Rest::Answered {
            self.rest.set(Rest::Due);
            cx.waker().wake_by_ref();
            return false;
        }
        self.rest.get() == Rest::Due && self.has_nothing_to_do()
    }

    /// Waits for `connection` until it has been too long at something, or there is a reason not to `after` it was
    /// polled. The worker's look wakes it.
    async fn until<F: Future + Unpin, R>(
        &self,
        mut connection: F,
        over: impl Fn(Limit) -> R,
        after: impl Fn(&Context<'_>) -> Option<R>,
    ) -> Result<F::Output, R> {
        poll_fn(|cx| {
            if let Some(limit) = self.overdue.get() {
                return Poll::Ready(Err(over(limit)));
            }
            if let Poll::Ready(output) = Pin::new(&mut connection).poll(cx) {
                return Poll::Ready(Ok(output));
            }
            if let Some(reason) = self.overdue.get().map(&over).or_else(|| after(cx)) {
                return Poll::Ready(Err(reason));
            }
            match &mut *self.waker.borrow_mut() {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }
}

/// A request of a connection, until its answer has been handed over.
pub(crate) struct Busy {
    activity: Rc<Activity>,
    /// Its place in the answers, over HTTP/2.
    answer: Option<usize>,
}

impl Busy {
    /// The answer's head is there, and the client decides when to take its body (HTTP/2).
    pub(crate) fn answers(&mut self) {
        let since = Some(self.activity.now.get());
        self.answer = Some(self.activity.answers.borrow_mut().insert(since));
    }

    /// Whether it is the client's turn to take what there is, or the app's to give more.
    pub(crate) fn is_clients_turn(&self, clients: bool) {
        if let Some(number) = self.answer
            && let Some(since) = self.activity.answers.borrow_mut().get_mut(number)
        {
            *since = clients.then(|| self.activity.now.get());
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(number) = self.answer {
            self.activity.answers.borrow_mut().remove(number);
        }
        self.activity.end();
    }
}

/// The body of a request, until nobody reads it any more.
pub(crate) struct BodyRead(Rc<Activity>);

impl Drop for BodyRead {
    fn drop(&mut self) {
        self.0.bodies.set(self.0.bodies.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    #[test]
    fn each_thing_has_its_time() {
        let clock = Rc::new(Cell::new(Timestamp::from_secs(0)));
        let limits = Limits {
            head_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(30),
            ..Limits::default()
        };
        let activity = Activity::new(&clock);
        let after = |seconds| activity.overdue_by(Timestamp::from_secs(seconds), &limits);
        assert_eq!((after(29), after(30)), (None, Some(Limit::IdleTime)));
        activity.read();
        assert_eq!((after(9), after(10)), (None, Some(Limit::HeadTime)));
        let mut busy = activity.begin();
        assert_eq!(after(1000), None, "the app has its own time");
        busy.answers();
        assert_eq!((after(19), after(20)), (None, Some(Limit::WriteTime)));
        busy.is_clients_turn(false);
        assert_eq!(after(1000), None, "the app has its own time");
        activity.blocked();
        assert_eq!(after(20), Some(Limit::WriteTime));
        activity.wrote();
        clock.set(Timestamp::from_secs(50));
        drop(busy);
        assert_eq!((after(79), after(80)), (None, Some(Limit::IdleTime)));
    }

    #[test]
    fn who_asks_seldom_rests_at_once_and_who_asks_often_after_a_while() {
        let clock = Rc::new(Cell::new(Timestamp::from_secs(0)));
        let activity = Activity::new(&clock);
        let rests = |activity: &Activity| {
            let mut waits = pin!(activity.limit_or_rest(std::future::pending::<()>()));
            let mut context = Context::from_waker(Waker::noop());
            // The second time is when it has woken itself, if it has.
            (0..2).any(|_| {
                let polled = waits.as_mut().poll(&mut context);
                polled == Poll::Ready(Err(Interruption::Rest))
            })
        };
        activity.can_rest();
        assert!(!rests(&activity), "it has not asked for anything yet");
        drop(activity.begin());
        activity.blocked();
        assert!(!rests(&activity), "not all of the answer has gone");
        activity.wrote();
        assert!(rests(&activity), "it was the first request");
        activity.rest();

        activity.can_rest();
        drop(activity.begin());
        assert!(!rests(&activity), "there was another a moment before");
        clock.set(Timestamp::from_secs(1));
        activity.look(clock.get(), &Limits::default());
        assert!(rests(&activity), "it has not asked for a while");
        let busy = activity.begin();
        assert!(!rests(&activity), "it asks again before it rests");
        drop(busy);
        activity.look(clock.get(), &Limits::default());
        assert!(!rests(&activity));

        clock.set(Timestamp::from_secs(2));
        activity.can_rest();
        drop(activity.begin());
        assert!(rests(&activity), "it asks once a second");

        clock.set(Timestamp::from_secs(3));
        activity.can_rest();
        let (busy, body) = (activity.begin(), activity.begin_body());
        drop(busy);
        clock.set(Timestamp::from_secs(5));
        activity.look(clock.get(), &Limits::default());
        assert!(!rests(&activity), "there may be more of its body");
        drop(body);
        activity.look(clock.get(), &Limits::default());
        assert!(rests(&activity));
    }

    #[tokio::test]
    async fn what_hyper_ends_when_it_is_asked_once_more_does_not_rest() {
        let activity = Activity::new(&Rc::new(Cell::new(Timestamp::from_secs(0))));
        activity.can_rest();
        let mut busy = Some(activity.begin());
        let connection = poll_fn(|_| {
            let is_first = busy.take().is_some();
            if is_first {
                Poll::Pending
            } else {
                Poll::Ready("ended")
            }
        });
        assert_eq!(activity.limit_or_rest(connection).await, Ok("ended"));
    }
}
