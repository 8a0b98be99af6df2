// From the past of revisions to the points that the charts draw.

import { exact } from "./format.js";

/** The revisions of an app that have something to draw. */
export function drawnRevisions(app, history) {
  return app.revisions.filter((revision) => revision.active || (history.get(revision.name)?.length ?? 0) > 0);
}

function flatten(point, target) {
  const fromRatio = point.metricRatio > 0 ? point.metricValue / point.metricRatio : null;
  const perReplica = target ?? fromRatio;
  return {
    time: point.timeMilliseconds,
    ...point.replicas,
    value: point.metricValue,
    rule: point.metricRule,
    covered: perReplica === null ? null : perReplica * point.replicas.ready,
    target: perReplica,
    waiting: point.waitingRequests,
    inFlight: point.inFlightRequests,
    rate: point.requestsPerSecond,
    p50: point.p50Milliseconds,
    p99: point.p99Milliseconds,
  };
}

/** One revision's points: the metric in its own unit, against what the ready replicas are there for. */
export function revisionPoints(revision, history) {
  const targets = new Map(revision.rules.map((rule) => [rule.name, rule.target]));
  const points = history.get(revision.name) ?? [];
  return points.map((point) => flatten(point, targets.get(point.metricRule) ?? null));
}

const larger = (a, b) => (a === null || a === undefined ? b : b === null || b === undefined ? a : Math.max(a, b));

function addTo(sum, point) {
  for (const key of ["desired", "ready", "starting", "draining"]) sum[key] += point.replicas[key];
  if (point.metricRatio !== null && point.metricRatio !== undefined) sum.value = (sum.value ?? 0) + point.metricRatio;
  sum.covered = sum.ready;
  sum.waiting += point.waitingRequests;
  sum.inFlight += point.inFlightRequests;
  sum.rate += point.requestsPerSecond;
  sum.p50 = larger(sum.p50, point.p50Milliseconds);
  sum.p99 = larger(sum.p99, point.p99Milliseconds);
}

/**
 * All revisions' points added up by second: the metric in replicas called for, the slowest
 * revision's percentiles. A revision that is a second late counts with its last point.
 */
export function addedPoints(revisions, history) {
  const sums = new Map();
  for (const { name } of revisions) {
    const points = history.get(name) ?? [];
    points.forEach((point, index) => {
      const second = Math.floor(point.timeMilliseconds / 1000);
      const next = points[index + 1];
      const gap = next ? Math.floor(next.timeMilliseconds / 1000) - second : 1;
      if (gap === 0) return; // Of two in one second, the later counts.
      const covers = gap === 2 ? 2 : 1;
      for (let at = second; at < second + covers; at += 1) {
        if (!sums.has(at)) {
          sums.set(at, {
            time: at * 1000, desired: 0, ready: 0, starting: 0, draining: 0, value: null, rule: null,
            covered: 0, target: null, waiting: 0, inFlight: 0, rate: 0, p50: null, p99: null,
          });
        }
        addTo(sums.get(at), point);
      }
    });
  }
  return [...sums.values()].sort((a, b) => a.time - b.time);
}

/** What the second chart is called, and its lines. */
export function metricWords(scope, point) {
  if (scope === "all") return { title: "Load against target, in replicas", value: "called for", covered: "ready" };
  const target = point?.target;
  return {
    title: "Metric against target",
    value: point?.rule ?? "metric",
    covered: target ? `${exact(target)} × ready` : "target × ready",
  };
}

/** The index of the point nearest to a time; -1 without points. */
export function nearest(points, time) {
  let low = 0;
  let high = points.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].time < time) low = middle + 1;
    else high = middle;
  }
  return low > 0 && time - points[low - 1].time < points[low].time - time ? low - 1 : low;
}
