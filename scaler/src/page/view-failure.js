// What stands out when a revision does not run: the reason and the last lines it printed.

import { h, keyed, show, text } from "./dom.js";
import { failed, runningState, shortRevision } from "./format.js";
import { fetchLogs, logsPath } from "./stream.js";

const LINES = 12;
const LEAST_PAUSE_MILLISECONDS = 5000;

function failure(app, { name }) {
  const title = h("h2", {});
  const reason = h("p", { class: "failure-reason" });
  const lines = h("pre", { class: "failure-lines", tabindex: 0, "aria-label": "Last lines of output" });
  const link = h("a", { href: logsPath(app, { revision: name }) }, "Last 100 lines");
  const element = h("section", { class: "failure", testid: "failure", "data-revision": name },
    title, reason, lines, link);
  let asked = 0;
  show(lines, false);
  const ask = async () => {
    asked = Date.now();
    try {
      const records = await fetchLogs(app, { revision: name, tail: LINES });
      show(lines, records.length > 0);
      text(lines, records.slice(-LINES).map((record) => record.line).join("\n"));
    } catch {
      show(lines, false); // The reason still stands; the link says what went wrong with the lines.
    }
  };
  const update = (revision) => {
    const { sign } = runningState(revision.runningState);
    text(title, `${sign} ${shortRevision(app, revision.name)}: ${revision.runningState}`);
    text(reason, revision.runningStateDetails ?? "No reason was given.");
    if (Date.now() - asked > LEAST_PAUSE_MILLISECONDS) ask();
  };
  return { element, update };
}

/** One block for each failed revision of an app. */
export function failures(app) {
  const element = h("div", { class: "failures" });
  const update = (revisions) => {
    const bad = revisions.filter((revision) => revision.runningState !== "Inactive" && failed(revision));
    show(element, bad.length > 0);
    keyed(element, bad, (revision) => revision.name, (revision) => failure(app, revision));
  };
  return { element, update };
}
