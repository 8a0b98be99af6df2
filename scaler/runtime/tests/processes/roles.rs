//! What this binary does when a test runs it again: as guardian, as a program with a runtime that
//! is about to be killed, and as a server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;

use ebbtide_runtime::Runtime;
use tokio::sync::mpsc;

use crate::support::{options, shell, spec};

/// Arguments that lead to [`play`].
pub(crate) const ARGUMENTS: [&str; 5] = [
    "roles::play",
    "--exact",
    "--ignored",
    "--nocapture",
    "--quiet",
];
/// The variable that names the role.
pub(crate) const ROLE: &str = "EBBTIDE_TEST_ROLE";
/// The variable that names the folder of the victim.
pub(crate) const FOLDER: &str = "EBBTIDE_TEST_FOLDER";

#[test]
#[ignore = "other tests run this binary again with it; alone it does nothing"]
fn play() {
    match std::env::var(ROLE).as_deref() {
        Ok("guardian") => ebbtide_runtime::guardian_main().unwrap(),
        Ok("victim") => victim(),
        Ok("server") => serve(),
        _ => {}
    }
}

/// Runs the script `script` of the folder in a replica, until it is killed.
#[tokio::main(flavor = "current_thread")]
async fn victim() {
    let folder = std::env::var(FOLDER).unwrap();
    let (sender, mut events) = mpsc::channel(16);
    let mut runtime = Runtime::start(options(), sender).await.unwrap();
    let container = shell("web", ". ./script");
    let spec = spec("1", vec![container], Path::new(&folder));
    runtime.start_replica(spec).unwrap();
    while events.recv().await.is_some() {}
}

/// Answers each request with 200, or with 503 while there is a file `unready` in the folder. Does
/// not listen while there is a file `late`, and stops listening when there is a file `closed`.
fn serve() {
    let port = std::env::var("PORT").unwrap();
    while Path::new("late").exists() {
        std::thread::yield_now();
    }
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    println!("listening");
    for connection in listener.incoming() {
        if Path::new("closed").exists() {
            break;
        }
        let mut connection = connection.unwrap();
        let mut line = String::new();
        let read = BufReader::new(&connection).read_line(&mut line);
        if read.is_ok_and(|length| length > 0) {
            let status = if Path::new("unready").exists() {
                503
            } else {
                200
            };
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
            // Whoever asked may have gone.
            let _ = connection.write_all(answer.as_bytes());
        }
    }
    drop(listener);
    loop {
        std::thread::park();
    }
}
