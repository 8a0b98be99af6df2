// Weights set against the share that each revision was seen to get.

import { attr, h, keyed, show, text } from "./dom.js";
import { count, percent, shortRevision } from "./format.js";

function row(app) {
  const name = h("b", {});
  const tags = h("span", { class: "muted" });
  const label = h("a", { class: "tag" });
  const seen = h("i", { class: "bar-seen" });
  const set = h("i", { class: "bar-set" });
  const setValue = h("b", {});
  const seenValue = h("b", {});
  const requests = h("span", { class: "muted" });
  const element = h("li", { class: "weight", testid: "weight-row" },
    h("div", { class: "weight-name" }, name, label, tags),
    h("div", { class: "bar", "aria-hidden": "true" }, seen, set),
    h("div", { class: "weight-numbers" },
      h("span", {}, "set ", setValue), h("span", {}, "observed ", seenValue), requests));
  const update = (entry) => {
    text(name, shortRevision(app, entry.revisionName));
    text(tags, entry.latestRevision ? "follows the latest ready" : "");
    show(label, Boolean(entry.label));
    text(label, entry.label ?? "");
    attr(label, "href", entry.labelUrl && /^https?:/.test(entry.labelUrl) ? entry.labelUrl : null);
    set.style.left = `${entry.weight}%`;
    seen.style.width = `${(entry.observedPercent ?? 0).toFixed(2)}%`;
    text(setValue, `${entry.weight} %`);
    text(seenValue, percent(entry.observedPercent));
    text(requests, `${count(entry.observedRequests)} requests`);
  };
  return { element, update };
}

export function trafficPanel(app) {
  const list = h("ul", { class: "weights" });
  const empty = h("p", { class: "muted" }, "No revision takes requests yet.");
  const note = h("span", { class: "muted" }, "since the weights were set");
  const element = h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Traffic"), note), list, empty);
  const update = (traffic) => {
    show(empty, traffic.length === 0);
    show(note, traffic.length > 0);
    keyed(list, traffic, (entry) => `${entry.revisionName}/${entry.label ?? ""}`, () => row(app));
  };
  return { element, update };
}
