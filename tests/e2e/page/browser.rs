//! Chromium, driven by its `WebDriver` through curl.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::curl;

/// Keeps Chromium from looking for anything that is not the page.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A browser with one page open.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Opens a page in a new browser with an empty profile.
    pub(crate) fn open(url: &str) -> Self {
        let mut command = Command::new("chromedriver");
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut driver = command
            .spawn()
            .expect("chromedriver is installed; see tests/run");
        let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
        let started = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = started.expect("chromedriver says its port");
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).into();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let base = format!("http://127.0.0.1:{port}/session");
        let created = post(&base, &capabilities);
        let id = created["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{created}"));
        let browser = Self {
            driver,
            session: format!("{base}/{id}"),
            _profile: profile,
        };
        browser.command("url", &json!({"url": url}));
        browser
    }

    fn command(&self, name: &str, body: &Value) -> Value {
        post(&format!("{}/{name}", self.session), body)
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({"script": script, "args": []}))
    }

    /// The text of the first element with this test id; empty if there is none.
    pub(crate) fn text(&self, id: &str) -> String {
        let script = format!("return document.querySelector('[data-testid={id}]')?.textContent");
        self.run(&script).as_str().unwrap_or_default().to_owned()
    }

    /// How many elements have this test id.
    pub(crate) fn count(&self, id: &str) -> u64 {
        let script = format!("return document.querySelectorAll('[data-testid={id}]').length");
        self.run(&script).as_u64().unwrap_or(0)
    }

    /// Gives the page this size and colour scheme.
    pub(crate) fn look(&self, width: u32, height: u32, scheme: &str) {
        let mobile = width < 600;
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile
        });
        self.protocol("Emulation.setDeviceMetricsOverride", &metrics);
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.protocol(
            "Emulation.setEmulatedMedia",
            &json!({"features": [feature]}),
        );
    }

    fn protocol(&self, command: &str, parameters: &Value) {
        self.command(
            "goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        );
    }

    /// Keeps a picture of the page in the folder that `EBBTIDE_SCREENSHOTS` names, if it does.
    pub(crate) fn keep_screenshot(&self, name: &str) {
        let Some(folder) = std::env::var_os("EBBTIDE_SCREENSHOTS") else {
            return;
        };
        // Two frames, so that what was drawn for the former size is gone.
        self.command(
            "execute/async",
            &json!({"script": "const done = arguments[0];\
                requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 600)))",
                "args": []}),
        );
        let answer = curl(&[&format!("{}/screenshot", self.session)]);
        let answer: Value = serde_json::from_str(&answer.body).expect("the driver answers in JSON");
        let picture = decode_base64(answer["value"].as_str().expect("a picture"));
        std::fs::write(Path::new(&folder).join(name), picture).expect("the folder is writable");
    }

    /// Errors that the page caused so far.
    pub(crate) fn errors(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({"type": "browser"}));
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(curl(&["-X", "DELETE", &self.session]));
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn post(url: &str, body: &Value) -> Value {
    let body = body.to_string();
    let answer = curl(&[
        "-H",
        "content-type: application/json",
        "--data-binary",
        &body,
        url,
    ]);
    assert_eq!(answer.status, 200, "{url} {body}: {}", answer.body);
    let parsed: Value = serde_json::from_str(&answer.body).expect("the driver answers in JSON");
    parsed["value"].clone()
}

/// The driver's pictures come as plain base64, without line breaks.
fn decode_base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u32> = text.bytes().filter_map(value).collect();
    let group = |chunk: &[u32]| {
        let bits = chunk.iter().fold(0, |bits, digit| bits << 6 | digit);
        let bits = bits << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}
