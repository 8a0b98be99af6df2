// One chart: an SVG with its title and a legend that reads values. It knows nothing of apps.

import { attr, h, keyed, s, text } from "./dom.js";

export const GUTTER = 46; // Room for the axis labels, the same in every chart, so that times align.
const TOP = 6;
const BOTTOM = 5;
const LONGEST_GAP_MILLISECONDS = 3500;

const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
const round = (value) => Math.round(value * 10) / 10;

/** The next round number at or above a value: 1, 2, 5, 10, … */
function niceCeiling(value, integer) {
  if (!(value > 0)) return integer ? 2 : 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const whole = power <= 1 ? [2, 4, 6, 8, 10] : [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10]; // Their halves are whole too.
  const steps = integer ? whole : [1, 1.5, 2, 3, 4, 6, 8, 10];
  return steps.map((step) => step * power).find((step) => step >= value * 1.04) ?? 20 * power;
}

function linearScale(largest, integer) {
  const top = niceCeiling(largest, integer);
  return { ticks: [0, top / 2, top], place: (value) => Math.min(value / top, 1) };
}

function logScale(smallest, largest) {
  const low = Math.floor(Math.log10(Math.max(smallest, 0.1)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(largest, 0.1) * 1.05)), low + 1);
  const step = high - low > 3 ? 2 : 1;
  const ticks = [];
  for (let power = low; power <= high; power += step) ticks.push(10 ** power);
  return { ticks, place: (value) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low) };
}

/** The lower and upper edge of a series at each point; null where it is not known. */
function edges(series, points, below) {
  return points.map((point, index) => {
    const value = series.value(point);
    if (!known(value)) return null;
    const around = [points[index - 1] ?? point, point, points[index + 1] ?? point];
    // A line along the bottom for minutes would only call for attention.
    if (series.quiet && !around.some((each) => series.value(each) > 0)) return null;
    const low = series.stacked ? (below?.[index]?.high ?? 0) : 0;
    return { time: point.time, low, high: low + value };
  });
}

/** Runs of known edges without a gap in time. */
function runs(all) {
  const found = [];
  let run = [];
  for (const edge of all) {
    const before = run.at(-1);
    if (!edge || (before && edge.time - before.time > LONGEST_GAP_MILLISECONDS)) {
      if (run.length > 0) found.push(run);
      run = [];
    }
    if (edge) run.push(edge);
  }
  if (run.length > 0) found.push(run);
  return found;
}

function trace(run, x, y, stepped) {
  let path = `M${round(x(run[0].time))} ${round(y(run[0]))}`;
  for (const edge of run.slice(1)) {
    const across = round(x(edge.time));
    const up = round(y(edge));
    path += stepped ? `H${across}V${up}` : `L${across} ${up}`;
  }
  // One lone second would be a path without length.
  return run.length === 1 ? `${path}h1` : path;
}

function areaPath(run, x, y, stepped) {
  const top = trace(run, x, (edge) => y(edge.high), stepped);
  const right = round(x(run.at(-1).time));
  let back = `L${right} ${round(y(run.at(-1).low))}`;
  for (let index = run.length - 2; index >= 0; index -= 1) {
    const across = round(x(run[index].time));
    const level = round(y(run[index].low));
    back += stepped ? `V${level}H${across}` : `L${across} ${level}`;
  }
  return `${top}${back}Z`;
}

/** A swatch that tells series apart by shape as well as by colour. */
function swatch(series) {
  const box = s("svg", { class: "swatch", width: 16, height: 10, viewBox: "0 0 16 10", "aria-hidden": "true" });
  const frame = { x: 0.5, y: 0.5, width: 15, height: 9, rx: 1.5 };
  if (series.area) box.append(s("rect", { class: `area ${series.name}`, ...frame }));
  if (series.line) box.append(s("path", { class: `line ${series.name}`, d: series.area ? "M0 1H16" : "M0 5H16" }));
  return box;
}

function gridLine({ label }) {
  const line = s("path");
  const words = label === undefined ? null : s("text", { "text-anchor": "end", x: GUTTER - 6 });
  const update = (item) => {
    attr(line, "d", item.path);
    if (!words) return;
    attr(words, "y", item.level);
    text(words, item.label);
  };
  return { element: s("g", {}, line, words), update };
}

/**
 * `spec`: `{ id, title, height, integer, log, tick(value), series: [{ name, label, value(point),
 * format(value), area, line, stacked, stepped,
 * quiet }] }`, drawn in the order given.
 */
export class Chart {
  constructor(spec) {
    this.spec = spec;
    this.title = h("span", { class: "chart-title" }, spec.title);
    this.legend = h("span", { class: "legend" });
    this.grid = s("g", { class: "grid" });
    this.marks = s("g", { class: "marks" });
    this.shapes = spec.series.map((series) => ({
      area: series.area ? s("path", { class: `area ${series.name}` }) : null,
      line: series.line ? s("path", { class: `line ${series.name}` }) : null,
    }));
    this.cross = s("path", { class: "cross" });
    this.svg = s("svg", { class: "plot", role: "img", height: spec.height }, this.grid, this.marks,
      ...this.shapes.flatMap((shape) => [shape.area, shape.line]), this.cross);
    this.labels = spec.series.map((series) => series.label);
    this.element = h("figure", { class: "chart", testid: `chart-${spec.id}` },
      h("figcaption", {}, this.title, this.legend), this.svg);
    this.values = spec.series.map((series) => this.legendItem(series));
  }

  legendItem(series) {
    const label = h("span", { class: "legend-label" }, series.label);
    const value = h("b", {}, "–");
    this.legend.append(h("span", { class: "legend-item" }, swatch(series), label, value));
    return { label, value };
  }

  /** Names the chart and its series anew. */
  rename(title, labels) {
    text(this.title, title);
    labels.forEach((label, index) => text(this.values[index].label, label));
    this.labels = labels;
  }

  /** Draws points between two times. `frame`: `{ from, to, width, marks: [{ time, up }], times }`. */
  draw(points, frame) {
    const { spec } = this;
    const x = (time) => GUTTER + ((time - frame.from) / (frame.to - frame.from)) * (frame.width - GUTTER - 1);
    let below = null;
    const all = spec.series.map((series) => {
      const found = edges(series, points, below);
      if (series.stacked) below = found;
      return found;
    });
    const highs = all.flat().filter((edge) => edge).map((edge) => edge.high);
    const positive = highs.filter((value) => value > 0);
    const largest = positive.reduce((a, b) => Math.max(a, b), 0);
    const smallest = positive.reduce((a, b) => Math.min(a, b), Infinity);
    const scale = spec.log
      ? logScale(positive.length > 0 ? smallest : 1, largest || 1000)
      : linearScale(largest, spec.integer);
    const y = (value) => TOP + (1 - scale.place(value)) * (spec.height - TOP - BOTTOM);
    attr(this.svg, "width", frame.width);
    attr(this.svg, "viewBox", `0 0 ${frame.width} ${spec.height}`);
    this.drawGrid(scale, y, x, frame);
    spec.series.forEach((series, index) => {
      const found = runs(all[index]);
      const shape = this.shapes[index];
      const top = (run) => trace(run, x, (edge) => y(edge.high), series.stepped);
      if (shape.area) attr(shape.area, "d", found.map((run) => areaPath(run, x, y, series.stepped)).join(""));
      if (shape.line) attr(shape.line, "d", found.map(top).join(""));
    });
  }

  drawGrid(scale, y, x, frame) {
    const { spec } = this;
    const bottom = spec.height - BOTTOM;
    const levels = scale.ticks.map((tick) => ({
      key: `tick ${tick}`,
      path: `M${GUTTER} ${round(y(tick))}H${frame.width}`,
      label: spec.tick(tick),
      level: Math.min(Math.max(round(y(tick)) + 3.5, 9), spec.height - 1),
    }));
    const upright = (time) => `M${round(x(time))} ${TOP}V${bottom}`;
    const times = frame.times.map((time) => ({ key: `time ${time}`, path: upright(time) }));
    keyed(this.grid, [...levels, ...times], (item) => item.key, gridLine);
    const marks = frame.marks.map((mark) => {
      const triangle = mark.up ? "m-3.5 6l3.5 -6l3.5 6z" : "m-3.5 0l3.5 6l3.5 -6z";
      const head = spec.marked ? `M${round(x(mark.time))} 0${triangle}` : "";
      return { ...mark, path: upright(mark.time) + head };
    });
    keyed(this.marks, marks, (mark) => mark.key, ({ up }) => {
      const element = s("path", { class: up ? "mark up" : "mark down" });
      return { element, update: ({ path }) => attr(element, "d", path) };
    });
  }

  /** Shows a point's values in the legend, and the crosshair if it has a place. */
  read(point, across) {
    this.spec.series.forEach((series, index) => {
      const value = point ? series.value(point) : null;
      text(this.values[index].value, known(value) ? series.format(value) : "–");
    });
    attr(this.cross, "d", across === null ? null : `M${round(across)} 0V${this.spec.height}`);
  }

  /** Says in words what the chart shows, for those who do not see it. */
  describe(points, minutes) {
    const parts = this.spec.series.map((series, index) => {
      const values = points.map(series.value).filter(known);
      if (values.length === 0) return `${this.labels[index]}: no values`;
      const most = series.format(values.reduce((a, b) => Math.max(a, b)));
      return `${this.labels[index]}: now ${series.format(values.at(-1))}, most ${most}`;
    });
    attr(this.svg, "aria-label", `${this.title.textContent}, last ${minutes} min. ${parts.join("; ")}.`);
  }
}

/** A tiny chart of one number, for the list of apps. */
export function sparkline(width, height) {
  const area = s("path", { class: "area ready" });
  const line = s("path", { class: "line ready" });
  const box = { width, height, viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" };
  const element = s("svg", { class: "spark", ...box, "aria-hidden": "true" }, area, line);
  const update = (values) => {
    const top = Math.max(1, ...values.map(({ value }) => value));
    const last = values.at(-1)?.time ?? 0;
    const edgesOf = values.map(({ time, value }) => ({ time, low: 0, high: value }));
    const x = (time) => width - ((last - time) / 300_000) * width;
    const y = (value) => height - 1 - (value / top) * (height - 3);
    const inside = edgesOf.filter((edge) => edge.time >= last - 300_000);
    attr(area, "d", runs(inside).map((run) => areaPath(run, x, y, true)).join(""));
    attr(line, "d", runs(inside).map((run) => trace(run, x, (edge) => y(edge.high), true)).join(""));
  };
  return { element, update };
}
