// Decisions: the sentence with its limiting clause, the way from recommendations to the number,
// and the list.

import { attr, copyButton, h, keyed, show, text } from "./dom.js";
import { clock, exact, number, plural, shortRevision } from "./format.js";

/** What fixed the number: the last limit that changed it, or else the largest recommendation. */
function limiting(decision) {
  const limit = decision.limits.findLast((each) => each.from !== each.to);
  if (limit) return { kind: limit.kind, because: limit.because };
  if (decision.from === 0 && decision.to === 0) return null; // At rest nothing limits.
  const best = decision.recommendations
    .filter((each) => each.replicas !== null && each.replicas !== undefined)
    .reduce((most, each) => (!most || each.replicas > most.replicas ? each : most), null);
  return best ? { kind: best.rule, because: best.because } : null;
}

/** Where the limiting clause stands in a sentence, as `[start, end]`; none if it is not there. */
export function clauseIn(sentence, decision) {
  const limit = decision && limiting(decision);
  if (!limit) return null;
  const whole = sentence.indexOf(limit.because);
  if (limit.because && whole >= 0) {
    const named = sentence.slice(0, whole).endsWith(`${limit.kind} `) ? limit.kind.length + 1 : 0;
    return [whole - named, whole + limit.because.length];
  }
  const body = sentence.indexOf(": ") + 1;
  const clauses = [...sentence.slice(body).matchAll(/[^;]+/g)];
  const wanted = limit.kind.toLowerCase();
  const found = clauses.findLast(([clause]) => clause.toLowerCase().includes(wanted));
  if (!found) return null;
  const lead = found[0].length - found[0].trimStart().length;
  const start = body + found.index + lead;
  return [start, start + found[0].trim().length];
}

const written = new WeakMap();

/** Writes a sentence with its limiting clause marked; only when something changed. */
export function writeSentence(element, sentence, decision) {
  const clause = clauseIn(sentence, decision);
  const key = `${clause}|${sentence}`;
  if (written.get(element) === key) return;
  written.set(element, key);
  if (!clause) {
    element.replaceChildren(sentence);
    return;
  }
  const [start, end] = clause;
  element.replaceChildren(sentence.slice(0, start), h("mark", {}, sentence.slice(start, end)), sentence.slice(end));
}

const changeSign = (decision) => (decision.to > decision.from ? "▲" : decision.to < decision.from ? "▼" : "=");
const change = (decision) => `${decision.from} → ${decision.to}`;
const tone = (decision) => (decision.to > decision.from ? "up" : decision.to < decision.from ? "down" : "hold");

function steps(decision) {
  const limit = limiting(decision);
  const clause = limit?.because;
  const rules = decision.recommendations.map((each, index) => ({
    key: `rule ${index}`,
    kind: each.rule,
    number: each.replicas === null || each.replicas === undefined ? "?" : exact(each.replicas),
    because: each.because || `${number(each.value)} / ${exact(each.target)}`,
    unknown: each.replicas === null || each.replicas === undefined,
    limiting: clause === each.because && limit.kind === each.rule,
  }));
  const limits = decision.limits.map((each, index) => ({
    key: `limit ${index}`,
    kind: each.kind,
    number: change(each),
    because: each.because,
    unknown: each.kind === "unknown",
    limiting: clause === each.because && limit.kind === each.kind,
  }));
  return [...rules, ...limits];
}

/** The way from the rules' recommendations through the limits to the number, a line each. */
export function derivation() {
  const list = h("ol", { class: "steps" });
  const result = h("p", { class: "steps-result" });
  const empty = h("p", { class: "muted" }, "No decision yet.");
  const element = h("div", { class: "derivation" }, list, result, empty);
  const update = (decision) => {
    show(empty, !decision);
    show(list, Boolean(decision));
    show(result, Boolean(decision));
    if (!decision) return;
    keyed(list, steps(decision), (step) => step.key, () => {
      const kind = h("span", { class: "step-kind" });
      const because = h("span", { class: "step-because" });
      const value = h("b", {});
      const item = h("li", {}, kind, because, value);
      return {
        element: item,
        update(step) {
          attr(item, "class", [step.unknown && "unknown", step.limiting && "limiting"].filter(Boolean).join(" ") || null);
          text(kind, step.kind);
          text(because, step.because);
          text(value, step.number);
        },
      };
    });
    text(result, decision.from === decision.to
      ? `${clock(decision.time)} stays at ${decision.to}`
      : `${clock(decision.time)} ${change(decision)}`);
  };
  return { element, update };
}

function decisionRow(app) {
  const sign = h("span", { class: "sign", "aria-hidden": "true" });
  const numbers = h("b", { class: "row-change" });
  const revision = h("span", { class: "row-revision" });
  const time = h("time", {});
  const sentence = h("p", { class: "row-sentence" });
  let record = null;
  const copy = copyButton("Copy", () => record);
  const element = h("li", { class: "decision-row", testid: "decision-row" },
    h("div", { class: "row-head" }, sign, numbers, revision, time, copy), sentence);
  const update = (decision) => {
    if (record === decision) return;
    record = decision;
    attr(element, "data-change", tone(decision));
    text(sign, changeSign(decision));
    text(numbers, change(decision));
    text(revision, shortRevision(app, decision.revision));
    text(time, clock(decision.time));
    attr(time, "datetime", decision.time);
    attr(time, "title", decision.time);
    attr(copy, "aria-label", `Copy the decision of ${clock(decision.time)} as JSON`);
    writeSentence(sentence, decision.sentence, decision);
  };
  return { element, update };
}

/** The newest decisions of an app. */
export function decisionList(app) {
  const list = h("ol", { class: "rows scroll", tabindex: 0, "aria-label": "Decisions, newest first" });
  const empty = h("p", { class: "muted" }, "None yet. The first request, or a document with minReplicas, makes one.");
  const tally = h("span", { class: "muted" });
  const element = h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Decisions"), tally), list, empty);
  const update = (records) => {
    const newest = records.slice(0, 50);
    show(empty, newest.length === 0);
    show(list, newest.length > 0);
    text(tally, newest.length > 0 ? `newest ${newest.length}` : "");
    keyed(list, newest, (record) => `${record.revision}/${record.sequence}/${record.time}`, () => decisionRow(app));
  };
  return { element, update };
}

const BAD_EVENTS = ["RevisionFailed", "DocumentRejected", "ReplicaRestarting"];
const WARN_EVENTS = ["ReplicaNotReady"];

/** What happened since the page opened, newest first. */
export function eventList(app) {
  const list = h("ol", { class: "rows events scroll", tabindex: 0, "aria-label": "Events, newest first" });
  const empty = h("p", { class: "muted" }, "Nothing has happened since this page was opened.");
  const tally = h("span", { class: "muted" });
  const element = h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Events"), tally), list, empty);
  const update = (all) => {
    const records = all.filter((record) => record.app === app);
    show(empty, records.length === 0);
    show(list, records.length > 0);
    text(tally, records.length > 0 ? plural(records.length, "event") : "");
    keyed(list, records, (record) => record.key, (record) => {
      const tone = BAD_EVENTS.includes(record.reason) ? "bad" : WARN_EVENTS.includes(record.reason) ? "warn" : null;
      const element = h("li", { "data-tone": tone },
        h("time", { datetime: record.time }, clock(record.time)),
        h("span", { class: "event-reason" }, record.reason),
        h("span", { class: "event-message" }, record.message));
      return { element, update() {} };
    });
  };
  return { element, update };
}
