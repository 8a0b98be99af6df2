// Charts above one another on one time axis, read together by pointer or keyboard.

import { Chart, GUTTER } from "./charts.js";
import { attr, choice, h, keyed, remembered, s, text } from "./dom.js";
import { clock, count, milliseconds, number, span } from "./format.js";
import { nearest } from "./series.js";

const compact = (value) => (value >= 1000 ? `${value / 1000}k` : String(Math.round(value * 100) / 100));
const tickTime = (value) => (value >= 1000 ? `${value / 1000} s` : `${value} ms`);
const whole = (value) => (Number.isInteger(value) ? compact(value) : "");

const BAND = { area: true, stacked: true, stepped: true };
const CURVE = { area: true, line: true };

const SPECS = [
  {
    id: "replicas", title: "Replicas", height: 116, integer: true, tick: whole, marked: true,
    series: [
      { name: "ready", label: "ready", value: (p) => p.ready, format: count, line: true, ...BAND },
      { name: "starting", label: "starting", value: (p) => p.starting, format: count, ...BAND },
      { name: "draining", label: "draining", value: (p) => p.draining, format: count, ...BAND },
      { name: "desired", label: "desired", value: (p) => p.desired, format: count, line: true, stepped: true },
    ],
  },
  {
    id: "metric", title: "Metric against target", height: 92, tick: compact,
    series: [
      { name: "value", label: "metric", value: (p) => p.value, format: number, ...CURVE },
      { name: "covered", label: "target × ready", value: (p) => p.covered, format: number, line: true, stepped: true },
    ],
  },
  {
    id: "requests", title: "Requests held and in flight", height: 76, integer: true, tick: whole,
    series: [
      { name: "in-flight", label: "in flight", value: (p) => p.inFlight, format: count, ...CURVE },
      { name: "waiting", label: "waiting", value: (p) => p.waiting, format: count, ...CURVE, quiet: true },
    ],
  },
  {
    id: "rate", title: "Requests per second", height: 64, tick: compact,
    series: [{ name: "rate", label: "requests/s", value: (p) => p.rate, format: number, ...CURVE }],
  },
  {
    id: "latency", title: "Time to answer, log scale", height: 84, log: true, tick: tickTime,
    series: [
      { name: "p50", label: "p50", value: (p) => p.p50, format: milliseconds, line: true },
      { name: "p99", label: "p99", value: (p) => p.p99, format: milliseconds, line: true },
    ],
  },
];

const MINUTES = ["2", "5", "10"];

/** Round times a person would choose for an axis. */
function axisTimes(from, to, width) {
  const steps = [15, 30, 60, 120, 300].map((seconds) => seconds * 1000);
  const step = steps.find((each) => ((to - from) / each) * 86 <= width) ?? steps.at(-1);
  const times = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) times.push(time);
  return times;
}

export class ChartStack {
  constructor() {
    this.charts = SPECS.map((spec) => new Chart(spec));
    this.points = [];
    this.decisions = [];
    this.pointer = null; // Pixels from the left, while a pointer is over the charts.
    this.chosen = null; // A time, while the keyboard holds one.
    this.minutes = MINUTES.includes(remembered.get("minutes")) ? remembered.get("minutes") : "5";
    this.described = 0;
    this.range = choice("Time shown", (minutes) => {
      this.minutes = minutes;
      remembered.set("minutes", minutes);
      this.draw();
    });
    this.when = h("b", { class: "reading-time" });
    this.what = h("span", { class: "reading-what" });
    this.reading = h("div", {
      class: "reading", role: "slider", tabindex: 0, testid: "chart-reading",
      "aria-label": "Time read in all charts", "aria-orientation": "horizontal",
      title: "Left and right arrow keys move the reading; Escape goes back to now",
      on: { keydown: (event) => this.key(event), blur: () => this.release() },
    }, this.when, this.what);
    this.axis = s("svg", { class: "axis", height: 18, "aria-hidden": "true" });
    this.plots = h("div", {
      class: "plots",
      on: {
        pointermove: (event) => this.point(event),
        pointerdown: (event) => this.point(event),
        pointerleave: () => this.release(),
        pointercancel: () => this.release(),
      },
    }, ...this.charts.map((chart) => chart.element), this.axis);
    this.element = h("div", { class: "stack" }, this.reading, this.plots);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.plots);
  }

  destroy() {
    this.observer.disconnect();
  }

  update({ points, decisions, words, latency }) {
    this.points = points;
    this.decisions = decisions.filter((record) => record.from !== record.to);
    this.charts[1].rename(words.title, [words.value, words.covered]);
    this.charts[4].rename("Time to answer, log scale", latency);
    this.draw();
  }

  draw() {
    this.range.update(MINUTES.map((value) => [value, `${value} min`]), this.minutes);
    const width = Math.floor(this.plots.clientWidth);
    if (width <= GUTTER) return;
    const to = this.points.at(-1)?.time ?? Date.now();
    const from = to - Number(this.minutes) * 60_000;
    const shown = this.points.filter((point) => point.time >= from);
    const marks = this.decisions
      .map((record) => ({
        time: Date.parse(record.time),
        up: record.to > record.from,
        key: `${record.revision}/${record.sequence}`,
      }))
      .filter(({ time }) => time >= from && time <= to);
    this.frame = { from, to, width, marks, times: axisTimes(from, to, width - GUTTER) };
    this.shown = shown;
    for (const chart of this.charts) chart.draw(shown, this.frame);
    this.drawAxis();
    this.read();
    if (Date.now() - this.described > 5000) {
      this.described = Date.now();
      for (const chart of this.charts) chart.describe(shown, this.minutes);
    }
  }

  across(time) {
    const { from, to, width } = this.frame;
    return GUTTER + ((time - from) / (to - from)) * (width - GUTTER - 1);
  }

  drawAxis() {
    const { width, times, to } = this.frame;
    attr(this.axis, "width", width);
    keyed(this.axis, times, (time) => time, (time) => {
      const element = s("text", { y: 13 }, clock(time));
      const update = () => {
        const place = this.across(time);
        const room = this.across(to) - place;
        attr(element, "x", Math.round(place));
        attr(element, "text-anchor", room < 28 ? "end" : place - GUTTER < 4 ? "start" : "middle");
      };
      return { element, update };
    });
  }

  /** The point that is read: under the pointer, at the chosen time, or none for now. */
  readPoint() {
    if (this.shown.length === 0 || (this.pointer === null && this.chosen === null)) return null;
    const { from, to, width } = this.frame;
    const time = this.pointer !== null
      ? from + ((this.pointer - GUTTER) / (width - GUTTER - 1)) * (to - from)
      : this.chosen;
    return this.shown[nearest(this.shown, time)];
  }

  read() {
    const point = this.readPoint();
    const last = this.shown.at(-1) ?? null;
    for (const chart of this.charts) chart.read(point ?? last, point ? this.across(point.time) : null);
    const time = (point ?? last)?.time ?? Date.now();
    const age = last && point ? Math.round((last.time - point.time) / 1000) : 0;
    text(this.when, point ? `${clock(time)} · ${span(age)} ago` : "Now");
    const decision = this.decisions.find((record) => Date.parse(record.time) <= time + 500);
    text(this.what, decision
      ? `${clock(decision.time)} ${decision.sentence}`
      : "No decision had changed the number of replicas yet.");
    attr(this.element, "data-reading", point ? "past" : "now");
    attr(this.reading, "aria-valuemin", 0);
    attr(this.reading, "aria-valuemax", Number(this.minutes) * 60);
    attr(this.reading, "aria-valuenow", Number(this.minutes) * 60 - age);
    attr(this.reading, "aria-valuetext", this.readingInWords(point ?? last));
  }

  readingInWords(point) {
    if (!point) return "no values yet";
    return `${this.when.textContent}: ${point.ready} ready of ${point.desired}, ${point.waiting} waiting, `
      + `${number(point.rate)} requests per second. ${this.what.textContent}`;
  }

  point(event) {
    const box = this.plots.getBoundingClientRect();
    this.pointer = Math.max(event.clientX - box.left, GUTTER);
    this.chosen = null;
    this.readSoon();
  }

  release() {
    this.pointer = null;
    this.chosen = null;
    this.readSoon();
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };
    if (event.key === "Escape") {
      this.release();
    } else if (event.key in steps && this.shown?.length > 0) {
      event.preventDefault();
      const at = nearest(this.shown, this.chosen ?? this.shown.at(-1).time);
      const next = Math.min(Math.max(at + steps[event.key] * (event.shiftKey ? 10 : 1), 0), this.shown.length - 1);
      this.pointer = null;
      this.chosen = this.shown[next].time;
      this.readSoon();
    }
  }

  /** However many pointer events come, one reading a frame. */
  readSoon() {
    if (this.pending || !this.frame) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.read();
    });
  }
}
