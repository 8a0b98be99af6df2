// What the page knows: the apps as last published, and the past that the charts draw.

const HISTORY_SECONDS = 600;
const MOST_DECISIONS = 100;
const MOST_EVENTS = 100;

const secondOf = (milliseconds) => Math.floor(milliseconds / 1000);
const replicasOrNone = (rule) => rule.replicas ?? -1;

/** The rule that recommends most, which is the one that a point of the past shows. */
function leadingRule(revision) {
  return revision.rules
    .filter((rule) => rule.value !== null && rule.value !== undefined)
    .reduce((best, rule) => {
      if (!best) return rule;
      const more = replicasOrNone(rule) - replicasOrNone(best) || rule.value / rule.target - best.value / best.target;
      return more > 0 ? rule : best;
    }, null);
}

/** A revision's state now, in the shape of a point of its past. */
function pointOf(revision, time) {
  const rule = leadingRule(revision);
  return {
    timeMilliseconds: time,
    metricValue: rule ? rule.value : null,
    metricRatio: rule ? rule.value / rule.target : null,
    metricRule: rule ? rule.name : null,
    replicas: revision.replicas,
    waitingRequests: revision.waitingRequests,
    inFlightRequests: revision.inFlightRequests,
    requestsPerSecond: revision.requestsPerSecond,
    p50Milliseconds: revision.p50Milliseconds,
    p99Milliseconds: revision.p99Milliseconds,
  };
}

export class Store {
  constructor() {
    this.apps = [];
    this.histories = new Map();
    this.decisions = new Map();
    this.scaledObjects = new Map();
    this.events = [];
    this.eventsSeen = 0;
  }

  app(name) {
    return this.apps.find((app) => app.name === name) ?? null;
  }

  /** Takes in what was published, and one point a second of each active revision's past. */
  take(apps, now = Date.now()) {
    this.apps = apps;
    for (const app of apps) {
      const history = this.history(app.name);
      for (const revision of app.revisions) {
        if (revision.active || revision.replicaList.length > 0) this.append(history, revision, now);
        if (revision.decision && revision.decision.from !== revision.decision.to) {
          this.addDecisions(app.name, [revision.decision]);
        }
      }
    }
    const names = new Set(apps.map((app) => app.name));
    for (const kept of [this.histories, this.decisions, this.scaledObjects]) {
      for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
    }
  }

  history(app) {
    if (!this.histories.has(app)) this.histories.set(app, new Map());
    return this.histories.get(app);
  }

  append(history, revision, now) {
    if (!history.has(revision.name)) history.set(revision.name, []);
    const points = history.get(revision.name);
    const last = points.at(-1)?.timeMilliseconds ?? 0;
    if (secondOf(now) <= secondOf(last)) return;
    points.push(pointOf(revision, now));
    const oldest = now - HISTORY_SECONDS * 1000;
    while (points.length > 0 && points[0].timeMilliseconds < oldest) points.shift();
  }

  /** Replaces the past by the API's, and keeps what came by the stream after it. */
  setHistory(app, revisions) {
    const history = this.history(app);
    for (const { revision, points } of revisions) {
      const end = secondOf(points.at(-1)?.timeMilliseconds ?? 0);
      const later = (history.get(revision) ?? []).filter((point) => secondOf(point.timeMilliseconds) > end);
      history.set(revision, [...points, ...later]);
    }
  }

  /** Adds decisions that are not known yet; newest first. */
  addDecisions(app, records) {
    const known = this.decisions.get(app) ?? [];
    const keyOf = (record) => `${record.revision}/${record.sequence}`;
    const keys = new Set(known.map(keyOf));
    const fresh = records.filter((record) => !keys.has(keyOf(record)));
    if (fresh.length === 0 && this.decisions.has(app)) return;
    const all = [...fresh, ...known].sort((a, b) => Date.parse(b.time) - Date.parse(a.time) || b.sequence - a.sequence);
    this.decisions.set(app, all.slice(0, MOST_DECISIONS));
  }

  /** Replaces an app's decisions: after a restart of Ebbtide the sequence begins again. */
  setDecisions(app, records) {
    this.decisions.delete(app);
    this.addDecisions(app, records);
  }

  decisionsOf(app) {
    return this.decisions.get(app) ?? [];
  }

  setScaledObjects(app, scaledObjects) {
    this.scaledObjects.set(app, scaledObjects);
  }

  scaledObjectsOf(app) {
    return this.scaledObjects.get(app) ?? [];
  }

  addEvent(record) {
    this.eventsSeen += 1;
    this.events.unshift({ ...record, key: this.eventsSeen });
    this.events.length = Math.min(this.events.length, MOST_EVENTS);
  }
}
