// One revision: its state, what it waits for, its rules and its replicas.

import { attr, h, keyed, show, text } from "./dom.js";
import * as format from "./format.js";
import { derivation } from "./view-decisions.js";

const SOON_MILLISECONDS = 300;
const STALE_MILLISECONDS = 1500;
const MOST_DETAILED_REPLICAS = 48; // Beyond this, a replica is its sign and its requests in flight.

const COUNTDOWNS = [
  ["decision", "Next decision", "nextDecisionSeconds"],
  ["stabilization", "Stabilization", "stabilizationSeconds"],
  ["cooldown", "Cooldown to zero", "cooldownSeconds"],
];

/** A clock that runs down between two messages, and a bar of how much is left. */
function countdown([id, label, field]) {
  const value = h("b", {}, format.NONE);
  const bar = h("i", { "aria-hidden": "true" });
  const element = h("div", { class: "countdown", testid: `countdown-${id}` }, h("span", {}, label), value, bar);
  let ends = null;
  let whole = 0;
  const update = (countdowns) => {
    const seconds = countdowns[field];
    if (seconds === null || seconds === undefined) {
      ends = null;
      whole = 0;
    } else {
      const said = performance.now() + seconds * 1000;
      // A message may be a second old, so a clock that runs is not put back by so little.
      const nearlyOver = ends !== null && ends - performance.now() < SOON_MILLISECONDS;
      const again = ends === null || said > ends + (nearlyOver ? SOON_MILLISECONDS : STALE_MILLISECONDS);
      if (again) whole = seconds;
      if (again || said < ends - SOON_MILLISECONDS) ends = said;
    }
    tick();
  };
  const tick = () => {
    attr(element, "data-pending", ends === null ? null : "");
    if (ends === null) {
      text(value, format.NONE);
      bar.style.removeProperty("transform");
      return;
    }
    const left = Math.max((ends - performance.now()) / 1000, 0);
    text(value, format.span(left, true));
    bar.style.transform = `scaleX(${whole > 0 ? Math.min(left / whole, 1).toFixed(4) : 0})`;
  };
  return { element, update, tick };
}

const RULE_SIGNS = { active: "●", idle: "○", unknown: "?" };

function cell(name, label, ...content) {
  return h("span", { class: `rule-${name}` }, h("span", { class: "cell-label" }, label), ...content);
}

function ruleRow() {
  const name = h("b", {});
  const scaler = h("span", { class: "tag" });
  const metric = h("span", { class: "rule-metric" });
  const value = h("b", {});
  const target = h("b", {});
  const replicas = h("b", {});
  const age = h("b", {});
  const sign = h("span", { "aria-hidden": "true" });
  const state = h("span", {});
  const because = h("p", { class: "rule-because" });
  const element = h("li", { class: "rule", testid: "rule-row" },
    h("div", { class: "rule-name" }, h("span", {}, name, " ", scaler), metric),
    cell("value", "Value", value), cell("target", "Target", target),
    cell("replicas", "Replicas", replicas), cell("age", "Age", age),
    cell("state", "State", h("span", { class: "state" }, sign, " ", state)), because);
  const update = (rule) => {
    attr(element, "data-state", rule.state);
    text(name, rule.name);
    text(scaler, rule.scaler);
    text(metric, rule.metric);
    text(value, rule.state === "unknown" && (rule.value ?? null) === null ? "unknown" : format.number(rule.value));
    text(target, format.exact(rule.target));
    text(replicas, (rule.replicas ?? null) === null ? "?" : format.count(rule.replicas));
    text(age, (rule.ageSeconds ?? null) === null ? "never" : format.span(rule.ageSeconds, rule.ageSeconds < 10));
    text(sign, RULE_SIGNS[rule.state] ?? "·");
    text(state, rule.state);
    text(because, rule.error && (rule.value ?? null) !== null
      ? `${rule.because} (the last reading failed: ${rule.error})` : rule.because);
    const took = rule.readMilliseconds ?? null;
    attr(element, "title", took === null ? null : `read in ${format.exact(took)} ms`);
  };
  return { element, update };
}

function replicaCell(revision) {
  const sign = h("span", { "aria-hidden": "true" });
  const label = h("span", { class: "hidden" });
  const name = h("span", { class: "replica-name" });
  const inFlight = h("b", {});
  const place = h("span", { class: "replica-place" });
  const use = h("span", { class: "replica-use" });
  const element = h("li", { class: "replica", testid: "replica" },
    h("span", { class: "replica-head" }, sign, label, name, inFlight), place, use);
  const update = (replica) => {
    const { tone, sign: mark, label: words } = format.replicaState(replica.state);
    attr(element, "data-tone", tone);
    attr(element, "data-state", replica.state);
    text(sign, mark);
    text(label, words);
    text(name, format.shortReplica(revision, replica.name));
    text(inFlight, format.count(replica.inFlightRequests));
    attr(inFlight, "title", "requests in flight");
    const pid = replica.pid ?? null;
    text(place, replica.state === "ready" ? `${pid ?? format.NONE} :${replica.port ?? format.NONE}` : words);
    text(use, replica.state === "ready" || replica.state === "draining"
      ? `${format.cores(replica.cpuCores)} cpu ${format.bytes(replica.memoryBytes)}`
      : replica.restarts > 0 ? format.plural(replica.restarts, "restart") : "");
    attr(element, "title", [
      `${replica.name}: ${words}`, replica.because,
      `pid ${pid ?? format.NONE}, port ${replica.port ?? format.NONE}`,
      `${format.plural(replica.inFlightRequests, "request")} in flight`,
      `${format.cores(replica.cpuCores)} cores, ${format.bytes(replica.memoryBytes)}`,
      `${format.plural(replica.restarts, "restart")}, started ${format.clock(replica.startedTime)}`,
      replica.startMilliseconds ? `ready after ${format.milliseconds(replica.startMilliseconds)}` : null,
    ].filter(Boolean).join("\n"));
  };
  return { element, update };
}

/** Where the next replica would go, and how many more there may be. */
function room() {
  const element = h("li", { class: "replica room" });
  return { element, update: ({ free }) => text(element, `room for ${format.count(free)} more`) };
}

function emptyWords(revision) {
  if (format.failed(revision)) return "No replica runs. The reason is above.";
  if (!revision.active) return "Inactive: it gets no replicas and no requests.";
  if (revision.replicas.desired > 0) return "Replicas are on their way.";
  return "Scaled to zero. The next request starts it.";
}

function replicaGrid(name) {
  const list = h("ul", { class: "replicas", "aria-label": `Replicas of ${name}` });
  const empty = h("p", { class: "at-zero", testid: "at-zero" });
  const element = h("div", {}, empty, list);
  const update = (revision) => {
    const replicas = revision.replicaList;
    show(empty, replicas.length === 0);
    show(list, replicas.length > 0);
    const many = replicas.length > MOST_DETAILED_REPLICAS;
    attr(list, "data-many", many ? "" : null);
    text(empty, emptyWords(revision));
    const free = revision.maxReplicas - replicas.length;
    const items = free > 0 && replicas.length > 0 && !many ? [...replicas, { free }] : replicas;
    keyed(list, items, (item) => item.name ?? "room", (item) => (item.name ? replicaCell(name) : room()));
  };
  return { element, update };
}

/** A revision's card. */
export function revisionCard(app, { name }) {
  const title = h("h3", {}, format.shortRevision(app, name));
  const state = h("span", { class: "badge", testid: "running-state" });
  const facts = h("p", { class: "facts" });
  const clocks = COUNTDOWNS.map(countdown);
  const trouble = h("p", { class: "trouble" });
  const rules = h("ul", { class: "rules" });
  const noRules = h("p", { class: "muted" }, "No scale rules.");
  const why = derivation();
  const whyTitle = h("h4", {}, "Why this many");
  const grid = replicaGrid(name);
  const replicasTitle = h("h4", {}, "Replicas");
  const element = h("article", { class: "panel revision", testid: "revision", "data-revision": name },
    h("header", {}, h("div", { class: "revision-title" }, title, state), facts,
      h("div", { class: "countdowns" }, ...clocks.map((clock) => clock.element))),
    trouble,
    h("div", { class: "revision-body" },
      h("section", { class: "revision-rules" },
        h("div", { class: "rules-head", "aria-hidden": "true" },
          ...["Scale rule", "Value", "Target", "Replicas", "Age", "State"].map((word) => h("span", {}, word))),
        rules, noRules),
      h("section", { class: "revision-why" }, whyTitle, why.element)),
    h("section", {}, replicasTitle, grid.element));
  const update = (revision) => {
    const { tone, sign } = format.runningState(revision.runningState);
    attr(state, "data-tone", tone);
    text(state, `${sign} ${revision.runningState}`);
    attr(element, "data-active", revision.active ? "" : null);
    text(facts, [
      revision.trafficWeight > 0 ? `${revision.trafficWeight} % of requests` : "no traffic",
      revision.labels.length > 0 ? `label ${revision.labels.join(", ")}` : null,
      `${revision.minReplicas} to ${format.plural(revision.maxReplicas, "replica")}`,
      `${format.count(revision.finishedRequests)} served`,
      `made ${format.clock(revision.createdTime)}`,
    ].filter(Boolean).join(" · "));
    show(trouble, Boolean(revision.runningStateDetails) && !format.failed(revision));
    text(trouble, revision.runningStateDetails ?? "");
    for (const clock of clocks) clock.update(revision.countdowns);
    show(noRules, revision.rules.length === 0);
    keyed(rules, revision.rules, (rule) => rule.name, ruleRow);
    why.update(revision.decision);
    const { ready, desired, starting, draining } = revision.replicas;
    show(replicasTitle, revision.replicaList.length > 0);
    text(replicasTitle, `Replicas: ${ready} ready of ${desired}, at most ${revision.maxReplicas}`
      + (starting > 0 ? `, ${starting} starting` : "") + (draining > 0 ? `, ${draining} draining` : ""));
    grid.update(revision);
  };
  return { element, update, tick: () => clocks.forEach((clock) => clock.tick()) };
}
