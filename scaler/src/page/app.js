// Wiring: the stream fills the store, the address chooses the app, one frame draws what changed.

import { attr, h, show, text } from "./dom.js";
import { clock } from "./format.js";
import { Store } from "./store.js";
import { fetchDecisions, fetchHistory, fetchScaledObjects, follow } from "./stream.js";
import { appView, totals } from "./view-app.js";
import { overview } from "./view-overview.js";

const MOST_HISTORIES = 30; // Beyond this many apps, only the chosen one's past is fetched.
const ANNOUNCE_MILLISECONDS = 15_000;
const TICK_MILLISECONDS = 100;
const CALM_TICK_MILLISECONDS = 1000;

const store = new Store();
const main = document.getElementById("main");
const layout = document.getElementById("layout");
const banner = document.getElementById("banner");
const connection = document.getElementById("connection");
const announce = document.getElementById("announce");
const list = overview(document.getElementById("apps"), store);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let view = null;
let state = { name: "connecting" };
let frame = 0;
let announced = { at: -Infinity, words: "" };
const fetched = new Set();

/** The app that the address names, or else the first. */
function chosenName() {
  const match = /^#\/apps\/([^/]+)$/.exec(location.hash);
  let name = null;
  try {
    name = match ? decodeURIComponent(match[1]) : null;
  } catch {
    name = null; // A broken escape names no app.
  }
  return name ?? store.apps[0]?.name ?? null;
}

function placeholder(...words) {
  if (view) view.destroy();
  view = null;
  const element = h("p", { class: "placeholder" }, ...words);
  if (main.firstElementChild?.textContent !== element.textContent) main.replaceChildren(element);
}

function showApp(name) {
  if (view?.name === name) return;
  if (view) view.destroy();
  view = appView(name, store);
  main.replaceChildren(view.element);
}

function draw() {
  frame = 0;
  const name = chosenName();
  attr(layout, "data-many", store.apps.length > 1 ? "" : null);
  list.update(name);
  if (store.app(name)) {
    showApp(name);
    view.update();
  } else if (state.name === "live" && store.apps.length === 0) {
    placeholder("No app yet. Apply a document: ", h("code", {}, "ebbtide apply app.yaml"));
  } else if (state.name === "live") {
    placeholder(`There is no app called ${name}. `, h("a", { href: "#/" }, "Show the first one"));
  }
}

/** However many messages come, one drawing a frame. */
function drawSoon() {
  setTitle();
  frame ||= requestAnimationFrame(draw);
}

/** The title is kept up to date in a background tab too, where no frame is drawn. */
function setTitle() {
  const app = store.app(chosenName());
  const sum = app && totals(app);
  const base = sum ? `${app.name} ${sum.ready}/${sum.desired} · Ebbtide` : "Ebbtide";
  document.title = state.name === "lost" ? `(lost) ${base}` : base;
  if (app) say(app.sentence);
}

/** Reads the sentence out, but not each time that a number in it moves. */
function say(words) {
  const now = performance.now();
  if (words === announced.words || now - announced.at < ANNOUNCE_MILLISECONDS) return;
  announced = { at: now, words };
  text(announce, words);
}

function showConnection(next) {
  state = next;
  document.body.dataset.connection = next.name;
  text(connection, { connecting: "Connecting", live: "Live", lost: "Reconnecting" }[next.name]);
  show(banner, next.name === "lost");
  if (next.name === "lost") {
    const known = store.apps.length > 0 ? ` What is shown is from ${clock(next.since)}.` : "";
    text(banner, `Connection to Ebbtide lost. Reconnecting, attempt ${next.attempt}.${known}`);
  }
  if (next.name !== "live") fetched.clear();
  setTitle();
}

async function load(name) {
  if (fetched.has(name)) return;
  fetched.add(name);
  try {
    const [history, decisions] = await Promise.all([fetchHistory(name), fetchDecisions(name)]);
    store.setHistory(name, history);
    store.setDecisions(name, decisions);
    drawSoon();
  } catch {
    // Without its past the charts fill from the stream; the next connection asks again.
  }
}

function loadMissing() {
  const chosen = chosenName();
  for (const app of store.apps.slice(0, MOST_HISTORIES)) load(app.name);
  if (store.app(chosen)) load(chosen);
}

const asking = new Map();

/** Asks for the decisions of an app, at most once in half a second. */
function refreshDecisions(app) {
  if (asking.has(app)) return;
  asking.set(app, setTimeout(async () => {
    asking.delete(app);
    try {
      store.addDecisions(app, await fetchDecisions(app));
      drawSoon();
    } catch {
      // The stream's own copy of the newest decision is there already.
    }
  }, 500));
}

const SCALED_OBJECTS_MILLISECONDS = 2000;

/** ScaledObjects are not in the stream, since there may be thousands: those of the app shown are. */
async function refreshScaledObjects() {
  const name = chosenName();
  if (state.name !== "live" || document.hidden || !store.app(name)) return;
  try {
    store.setScaledObjects(name, await fetchScaledObjects(name));
    drawSoon();
  } catch {
    // The stream says when the connection is lost.
  }
}

setInterval(refreshScaledObjects, SCALED_OBJECTS_MILLISECONDS);

follow({
  apps(apps) {
    store.take(apps);
    loadMissing();
    drawSoon();
  },
  event(record) {
    store.addEvent(record);
    if (record.reason === "Decision") refreshDecisions(record.app);
    drawSoon();
  },
  missed() {
    fetched.clear();
    loadMissing();
  },
  state: showConnection,
});

let ticked = 0;
setInterval(() => {
  const now = performance.now();
  if (state.name !== "live" || (calm.matches && now - ticked < CALM_TICK_MILLISECONDS)) return;
  ticked = now;
  view?.tick();
}, TICK_MILLISECONDS);

addEventListener("hashchange", () => {
  loadMissing();
  drawSoon();
  main.focus({ preventScroll: true });
});
