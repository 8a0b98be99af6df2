// The list of apps, when there are several: each with its state and the replicas of the last minutes.

import { sparkline } from "./charts.js";
import { attr, h, keyed, show, text } from "./dom.js";
import * as format from "./format.js";
import { addedPoints } from "./series.js";
import { appState, totals } from "./view-app.js";

function entry({ name }, store) {
  const state = h("span", { class: "app-state" });
  const replicas = h("b", {});
  const rate = h("span", { class: "muted" });
  const spark = sparkline(96, 26);
  const element = h("a", { class: "app-link", href: `#/apps/${encodeURIComponent(name)}`, testid: "app-link" },
    h("span", { class: "app-name" }, name), replicas, state, rate, spark.element);
  const update = ({ app, chosen }) => {
    const words = appState(app);
    const { tone, sign } = format.runningState(words);
    const sum = totals(app);
    attr(element, "aria-current", chosen ? "page" : null);
    attr(state, "data-tone", tone);
    text(state, `${sign} ${words}`);
    text(replicas, `${sum.ready}/${sum.desired}`);
    text(rate, `${format.number(sum.rate)} req/s`);
    const points = addedPoints(app.revisions, store.history(name));
    spark.update(points.map((point) => ({ time: point.time, value: point.ready })));
  };
  return { element, update };
}

export function overview(element, store) {
  const list = h("div", { class: "app-links" });
  element.append(h("h2", {}, "Apps"), list);
  return {
    update(chosen) {
      show(element, store.apps.length > 1);
      const items = store.apps.map((app) => ({ app, chosen: app.name === chosen }));
      keyed(list, items, ({ app }) => app.name, ({ app }) => entry(app, store));
    },
  };
}
