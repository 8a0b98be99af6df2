// Reads the values under the pointer, or at a place that arrow keys move, in all pictures of a stack at once.
"use strict";

const NONE = "–";

function number(value) {
  if (value === 0) return "0";
  if (Math.abs(value) < 9.95) return String(Number(value.toFixed(2)));
  if (Math.abs(value) < 99.95) return String(Number(value.toFixed(1)));
  return Math.round(value).toLocaleString("en");
}

function millis(value) {
  if (value === 0) return "0 ms";
  if (value < 0.9995) return `${(value * 1000).toFixed(0)} µs`;
  if (value < 9.995) return `${value.toFixed(2)} ms`;
  if (value < 99.95) return `${value.toFixed(1)} ms`;
  if (value < 999.5) return `${value.toFixed(0)} ms`;
  return value < 9995 ? `${(value / 1000).toFixed(2)} s` : `${(value / 1000).toFixed(1)} s`;
}

const FORMATS = { number, millis };

function stack(element) {
  const values = JSON.parse(element.querySelector(".values").textContent);
  const plots = element.querySelector(".plots");
  const reading = element.querySelector(".reading");
  const place = element.querySelector(".reading-place");
  const what = element.querySelector(".reading-what");
  const last = values.labels.length - 1;
  const readers = [...element.querySelectorAll("[data-chart]")].flatMap((chart) => {
    const { unit, series } = values.charts[chart.dataset.chart];
    return [...chart.querySelectorAll("[data-of]")].map((output) => ({
      output, values: series[output.dataset.of], format: FORMATS[unit],
    }));
  });
  let at = null;

  function read(column) {
    at = column;
    element.toggleAttribute("data-reading", at !== null);
    for (const { output, values: all, format } of readers) {
      const value = at === null ? undefined : all[at];
      output.textContent = at === null ? output.dataset.peak : value === null || value === undefined ? NONE : format(value);
    }
    const shown = at ?? last;
    const end = (shown + 1) / (last + 1);
    const mark = at === null ? null : values.marks.filter(([where]) => where <= end).at(-1);
    place.textContent = at === null ? values.rest : values.labels[at];
    what.textContent = mark ? mark[1] : at === null ? "Point at a picture to read its values there." : "";
    plots.style.setProperty("--cross", `${((shown + 0.5) / (last + 1)) * 100}%`);
    reading.setAttribute("aria-valuenow", shown);
    reading.setAttribute("aria-valuetext", `${place.textContent} ${what.textContent} `
      + readers.map(({ output }) => `${output.dataset.of} ${output.textContent}`).join(", "));
  }

  function point(event) {
    const box = plots.querySelector(".plot svg").getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * (last + 1));
    read(Math.min(Math.max(column, 0), last));
  }

  reading.hidden = false;
  reading.setAttribute("aria-valuemin", 0);
  reading.setAttribute("aria-valuemax", last);
  plots.addEventListener("pointermove", point);
  plots.addEventListener("pointerdown", point);
  plots.addEventListener("pointerleave", () => read(null));
  reading.addEventListener("blur", () => read(null));
  reading.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape") {
      read(null);
    } else if (step !== undefined) {
      event.preventDefault();
      read(Math.min(Math.max((at ?? last) + step, 0), last));
    }
  });
  read(null);
}

document.querySelectorAll("[data-stack]").forEach(stack);
