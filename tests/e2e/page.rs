//! The live page in a real browser, under load and at rest, wide and narrow, light and dark.

pub(crate) mod browser;

use std::time::Duration;

use browser::Browser;

use crate::harness::{Ebbtide, SOON, eventually, folder, machine};
use crate::keda::call;
use crate::load::Load;

/// Width, height and colour scheme of each look at the page.
const LOOKS: [(u32, u32, &str); 4] = [
    (1280, 1500, "light"),
    (1280, 1500, "dark"),
    (390, 1800, "light"),
    (390, 1800, "dark"),
];

#[test]
fn the_page_shows_what_goes_on_and_why() {
    let _machine = machine();
    let ebbtide = Ebbtide::up_in(folder(&[]), &[]);
    let browser = Browser::open(&ebbtide.api_url("/"));
    eventually(SOON, "the page says that the app is at zero", || {
        browser.text("app-sentence").contains("scaled to zero")
    });

    let load = "--rate 150 --duration 14s --arrival poisson";
    let load = Load::start(&ebbtide, "hello.localhost", load);
    eventually(SOON, "the page shows several replicas", || {
        browser
            .text("replicas-ready")
            .trim()
            .parse::<u32>()
            .is_ok_and(|ready| ready >= 4)
    });
    eventually(
        SOON,
        "the page shows both weights, decisions and rules",
        || {
            browser.count("weight-row") == 2
                && browser.count("decision-row") >= 3
                && browser.count("rule-row") >= 1
                && browser.text("app-sentence").contains('→')
                    | browser.text("app-sentence").contains("stays at")
        },
    );
    if call(&ebbtide, &["app=hello"]).is_some() {
        eventually(SOON, "the page shows what KEDA was answered", || {
            browser.text("keda-row").contains("ebbtide-hello")
        });
    }
    for (width, height, scheme) in LOOKS {
        browser.look(width, height, scheme);
        let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth");
        assert!(
            overflow.as_f64().unwrap() <= 0.0,
            "{width} {scheme} scrolls sideways: {overflow}"
        );
        let shown = browser.run("return document.querySelectorAll('canvas, svg').length");
        assert!(shown.as_u64().unwrap() > 0, "there are charts");
        browser.keep_screenshot(&format!("page-{width}-{scheme}.png"));
    }
    load.without_loss();
    eventually(
        Duration::from_secs(60),
        "the page shows the app at zero again",
        || browser.text("app-sentence").contains("scaled to zero"),
    );
    assert_eq!(browser.errors(), Vec::<String>::new());
    ebbtide.stop();
    eventually(SOON, "the page says that the connection is lost", || {
        !browser
            .text("connection-state")
            .to_lowercase()
            .contains("live")
    });
}
