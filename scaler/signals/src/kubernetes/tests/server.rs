//! An API server that knows the answers it is given.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Config;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::{PodUsageReader, UsageSource};

/// The answers by path and query, and what was asked for.
#[derive(Default)]
struct State {
    answers: BTreeMap<String, (StatusCode, String)>,
    asked: Vec<String>,
}

/// Ends with its last value.
pub(super) struct ApiServer {
    state: Arc<Mutex<State>>,
    port: u16,
    _serving: JoinSet<()>,
}

impl ApiServer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&state)));
        Self {
            state,
            port,
            _serving: serving,
        }
    }

    pub(super) fn reader(&self, source: UsageSource) -> PodUsageReader {
        let url = format!("http://127.0.0.1:{}", self.port);
        PodUsageReader::new(Config::new(url.parse().unwrap()), source).unwrap()
    }

    pub(super) fn answer(&self, path: &str, answer: impl Into<String>) -> &Self {
        self.refuse(path, 200, answer)
    }

    pub(super) fn refuse(&self, path: &str, status: u16, answer: impl Into<String>) -> &Self {
        let answer = (StatusCode::from_u16(status).unwrap(), answer.into());
        let mut state = self.state.lock().unwrap();
        state.answers.insert(path.to_owned(), answer);
        drop(state);
        self
    }

    /// What was asked for since the last time.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer(&state, &request);
            async move { Ok::<_, Infallible>(answer) }
        });
        connections.spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
        });
    }
}

fn answer(state: &Mutex<State>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path_and_query().unwrap().as_str().to_owned();
    let mut state = state.lock().unwrap();
    let answer = state.answers.get(&path).cloned();
    state.asked.push(path);
    let (status, text) = answer.unwrap_or_else(|| {
        let text = status(
            "NotFound",
            "the server could not find the requested resource",
        );
        (StatusCode::NOT_FOUND, text)
    });
    let body = Full::new(Bytes::from(text));
    Response::builder().status(status).body(body).unwrap()
}

/// A refusal as the API server writes it.
pub(super) fn status(reason: &str, message: &str) -> String {
    format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure",
            "message":{message:?},"reason":{reason:?}}}"#
    )
}
