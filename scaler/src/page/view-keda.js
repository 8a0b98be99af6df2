// The ScaledObjects that ask for an app: what KEDA was answered last, and why.

import { attr, h, keyed, show, text } from "./dom.js";
import { clock } from "./format.js";

/** The call that says most: the value, else the activity, else whatever there was. */
function telling(calls) {
  const last = (method) => calls.find((call) => call.method === method);
  return last("GetMetrics") ?? last("IsActive") ?? calls[0];
}

/** A row for each trigger. */
function rowsOf(scaledObjects) {
  return scaledObjects.flatMap(({ namespace, name, triggers }) => (
    triggers.map((trigger, index) => ({ key: `${namespace}/${name}/${index}`, name: `${namespace}/${name}`, trigger }))));
}

function row() {
  const name = h("b", {});
  const subject = h("span", { class: "muted" });
  const answer = h("span", { class: "keda-answer" });
  const because = h("span", { class: "muted" });
  const element = h("li", { class: "keda-row", testid: "keda-row" },
    h("div", {}, name, " ", subject), h("div", {}, answer, " ", because));
  const update = ({ name: shown, trigger }) => {
    const call = telling(trigger.calls);
    const error = trigger.error ?? call?.error;
    text(name, shown);
    text(subject, trigger.subject ?? "");
    attr(element, "data-tone", error ? "bad" : null);
    text(answer, error ?? (call ? `${call.method}: ${call.answer}` : "nothing asked yet"));
    const at = call ? `at ${clock(call.time)}` : "";
    text(because, error || !call ? at : `${at}, because ${call.because}`);
  };
  return { element, update };
}

/** Shown only once some ScaledObject has asked. */
export function kedaPanel() {
  const list = h("ul", { class: "keda" });
  const element = h("section", { class: "panel" },
    h("header", {}, h("h2", {}, "KEDA"), h("span", { class: "muted" }, "ScaledObjects that ask for this app")), list);
  const update = (scaledObjects) => {
    const rows = rowsOf(scaledObjects);
    show(element, rows.length > 0);
    keyed(list, rows, (each) => each.key, row);
  };
  return { element, update };
}
