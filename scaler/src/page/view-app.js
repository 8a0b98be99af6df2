// One app: the sentence, the numbers, the charts, and all the panels.

import { ChartStack } from "./chart-stack.js";
import { attr, choice, copyButton, h, keyed, show, text } from "./dom.js";
import * as format from "./format.js";
import { addedPoints, drawnRevisions, metricWords, revisionPoints } from "./series.js";
import { logsPath } from "./stream.js";
import { decisionList, eventList, clauseIn, writeSentence } from "./view-decisions.js";
import { failures } from "./view-failure.js";
import { kedaPanel } from "./view-keda.js";
import { revisionCard } from "./view-revision.js";
import { trafficPanel } from "./view-traffic.js";

const ALL = "all";
const larger = (a, b) => ((a ?? null) === null ? b : (b ?? null) === null ? a : Math.max(a, b));

/** An app's revisions added up. */
export function totals(app) {
  const counts = { desired: 0, ready: 0, starting: 0, draining: 0 };
  const sum = { ...counts, waiting: 0, inFlight: 0, rate: 0, p50: null, p99: null };
  for (const revision of app.revisions) {
    for (const key of ["desired", "ready", "starting", "draining"]) sum[key] += revision.replicas[key];
    sum.waiting += revision.waitingRequests;
    sum.inFlight += revision.inFlightRequests;
    sum.rate += revision.requestsPerSecond;
    sum.p50 = larger(sum.p50, revision.p50Milliseconds);
    sum.p99 = larger(sum.p99, revision.p99Milliseconds);
  }
  return sum;
}

const WORST_FIRST = [
  "Failed", "Activation failed", "Degraded", "Activating", "Scaling", "Running at max", "Running",
  "Deprovisioning", "Scaled to 0",
];

/** How an app is, in a word, from its revisions: the worst one counts. */
export function appState(app) {
  const active = app.revisions.filter((revision) => revision.active);
  const worst = WORST_FIRST.find((state) => active.some((revision) => revision.runningState === state));
  return worst ?? (active.length === 0 ? "Inactive" : active[0].runningState);
}

const TILES = [
  ["ready", "Ready", "replicas-ready", (sum) => format.count(sum.ready)],
  ["desired", "Desired", "replicas-desired", (sum) => format.count(sum.desired)],
  ["starting", "Starting", "replicas-starting", (sum) => format.count(sum.starting)],
  ["draining", "Draining", "replicas-draining", (sum) => format.count(sum.draining)],
  ["waiting", "Waiting", "waiting", (sum) => format.count(sum.waiting)],
  ["in-flight", "In flight", "in-flight", (sum) => format.count(sum.inFlight)],
  ["rate", "Requests/s", "requests-per-second", (sum) => format.number(sum.rate)],
  ["p50", "p50", "p50", (sum) => format.milliseconds(sum.p50)],
  ["p99", "p99", "p99", (sum) => format.milliseconds(sum.p99)],
];

function tiles() {
  const values = TILES.map(([, , testid]) => h("dd", { testid }, format.NONE));
  const boxes = TILES.map(([name, label], index) => (
    h("div", { class: `tile ${name}` }, h("dt", {}, label), values[index])));
  const element = h("dl", { class: "tiles" }, ...boxes);
  const update = (sum) => {
    TILES.forEach(([name, , , read], index) => {
      text(values[index], read(sum));
      attr(boxes[index], "data-quiet", ["0", "0.0", format.NONE].includes(values[index].textContent) ? "" : null);
    });
  };
  return { element, update };
}

function warnings() {
  const summary = h("summary", {});
  const list = h("ul", {});
  const element = h("details", { class: "warnings" }, summary, list);
  const update = (all) => {
    show(element, all.length > 0);
    text(summary, `${format.plural(all.length, "note")} about the document`);
    keyed(list, all, (words) => words, (words) => ({ element: h("li", {}, words), update() {} }));
  };
  return { element, update };
}

/** The name, where to reach it, and the sentence with the arithmetic. */
function hero(name, current) {
  const state = h("span", { class: "badge", testid: "app-state" });
  const url = h("a", { class: "url" });
  const facts = h("span", { class: "facts" });
  const sentence = h("p", { class: "sentence", testid: "app-sentence" });
  const copy = copyButton("Copy decision as JSON", () => {
    const decisions = current().revisions.map((revision) => revision.decision).filter(Boolean);
    return decisions.length === 1 ? decisions[0] : decisions;
  }, { "data-testid": "copy-decision" });
  const logs = h("a", { href: logsPath(name) }, "Logs");
  const notes = warnings();
  const element = h("section", { class: "hero", testid: "app" },
    h("div", { class: "hero-head" }, h("h1", {}, name), state, url, facts),
    sentence, h("div", { class: "hero-foot" }, copy, logs, notes.element));
  const update = (app, said) => {
    const words = appState(app);
    const { tone, sign } = format.runningState(words);
    attr(element, "data-tone", tone);
    attr(state, "data-tone", tone);
    text(state, `${sign} ${words}`);
    show(url, Boolean(app.url));
    text(url, app.url ?? "");
    attr(url, "href", app.url && /^https?:/.test(app.url) ? app.url : null);
    const ports = app.additionalPorts.map((port) => ` · port ${port.exposedPort}`).join("");
    text(facts, `${app.activeRevisionsMode} revisions${ports} · from ${app.source}`);
    const speaking = app.revisions.find((revision) => revision.decision && app.sentence.includes(revision.name))
      ?? app.revisions.find((revision) => revision.decision && clauseIn(app.sentence, revision.decision));
    writeSentence(sentence, said, said === app.sentence ? speaking?.decision : null);
    show(copy, app.revisions.some((revision) => revision.decision));
    notes.update(app.warnings);
  };
  return { element, update };
}

const AT_ZERO = "Scaled to zero. The next request starts it.";

/** The sentence to show: the server's; a calm one if it has nothing to say. */
function sentenceOf(app) {
  if (app.sentence) return app.sentence;
  return appState(app) === "Scaled to 0" ? AT_ZERO : "No decision yet.";
}

/** A view of the app called `name`, kept until another is chosen. */
export function appView(name, store) {
  let scope = null;
  const current = () => store.app(name);
  const head = hero(name, current);
  const bad = failures(name);
  const numbers = tiles();
  const stack = new ChartStack();
  const scopes = choice("Revision shown in the charts", (value) => {
    scope = value;
    update();
  });
  const traffic = trafficPanel(name);
  const decisions = decisionList(name);
  const keda = kedaPanel();
  const events = eventList(name);
  const cards = h("div", { class: "revisions" });
  const past = h("div", { class: "revisions" });
  const pastTitle = h("summary", {});
  const inactive = h("details", { class: "inactive" }, pastTitle, past);
  const views = new Map();
  const element = h("div", { class: "app" }, head.element, bad.element, numbers.element,
    h("div", { class: "columns" },
      h("section", { class: "panel charts" },
        h("header", {}, h("h2", {}, "Charts"),
          h("div", { class: "choices" }, scopes.element, stack.range.element)), stack.element),
      h("div", { class: "aside" }, traffic.element, decisions.element)),
    h("section", { class: "all-revisions" }, h("h2", {}, "Revisions"), cards, inactive), keda.element, events.element);

  const card = (revision) => {
    const view = revisionCard(name, revision);
    views.set(revision.name, view);
    return view;
  };

  function updateCharts(app) {
    const history = store.history(name);
    const drawn = drawnRevisions(app, history);
    const names = drawn.map((revision) => revision.name);
    if (scope !== ALL && !names.includes(scope)) scope = drawn.length > 1 ? ALL : (names[0] ?? ALL);
    if (scope === ALL && drawn.length === 1) scope = names[0];
    const options = names.map((each) => [each, format.shortRevision(name, each)]);
    scopes.update(options.length > 1 ? [[ALL, "All revisions"], ...options] : options, scope);
    const all = store.decisionsOf(name);
    const one = drawn.find((revision) => revision.name === scope);
    const points = one ? revisionPoints(one, history) : addedPoints(drawn, history);
    stack.update({
      points,
      decisions: one ? all.filter((record) => record.revision === scope) : all,
      words: metricWords(one ? "one" : ALL, points.at(-1)),
      latency: one ? ["p50", "p99"] : ["p50 (slowest)", "p99 (slowest)"],
    });
  }

  function update() {
    const app = current();
    if (!app) return;
    head.update(app, sentenceOf(app));
    bad.update(app.revisions);
    numbers.update(totals(app));
    traffic.update(app.traffic);
    const shown = app.revisions.filter((revision) => revision.active || revision.replicaList.length > 0);
    const rest = app.revisions.filter((revision) => !shown.includes(revision));
    keyed(cards, shown, (revision) => revision.name, card);
    show(inactive, rest.length > 0);
    text(pastTitle, format.plural(rest.length, "inactive revision"));
    keyed(past, rest, (revision) => revision.name, card);
    decisions.update(store.decisionsOf(name));
    keda.update(store.scaledObjectsOf(name));
    events.update(store.events);
    updateCharts(app);
  }

  return {
    name,
    element,
    update,
    tick: () => views.forEach((view) => view.tick()),
    destroy: () => stack.destroy(),
  };
}
