// Numbers, times and states as people read them.

export const NONE = "–";

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function missing(value) {
  return value === null || value === undefined || !Number.isFinite(value);
}

/** A count. */
export function count(value) {
  return missing(value) ? NONE : grouped.format(value);
}

/** A measured value: one decimal while it is small. */
export function number(value) {
  if (missing(value)) return NONE;
  if (Math.abs(value) >= 100) return grouped.format(value);
  return value.toFixed(1);
}

/** A target or limit: as many decimals as it has, at most two. */
export function exact(value) {
  return missing(value) ? NONE : String(Math.round(value * 100) / 100);
}

export function percent(value) {
  return missing(value) ? NONE : `${value.toFixed(1)} %`;
}

export function milliseconds(value) {
  if (missing(value)) return NONE;
  if (value < 10) return `${value.toFixed(1)} ms`;
  if (value < 1000) return `${value.toFixed(0)} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(2)} s`;
  return `${(value / 1000).toFixed(0)} s`;
}

export function bytes(value) {
  if (missing(value)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`;
}

/** Cores in use: `0.42`. */
export function cores(value) {
  return missing(value) ? NONE : value.toFixed(2);
}

/** A span of time; with tenths below a minute when `fine`. */
export function span(seconds, fine = false) {
  if (missing(seconds)) return NONE;
  if (seconds < 60) return `${seconds.toFixed(fine ? 1 : 0)} s`;
  const whole = Math.floor(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d`;
}

/** The local time of day. */
export function clock(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return NONE;
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `hello--blue` of the app `hello` is `blue`. */
export function shortRevision(app, revision) {
  return revision.startsWith(`${app}--`) ? revision.slice(app.length + 2) : revision;
}

/** The end of a replica's name, which tells it from its siblings. */
export function shortReplica(revision, replica) {
  return replica.startsWith(`${revision}-`) ? replica.slice(revision.length + 1) : replica;
}

const RUNNING = {
  "Scaled to 0": ["calm", "○"],
  Activating: ["busy", "◔"],
  Scaling: ["busy", "↕"],
  Running: ["good", "●"],
  "Running at max": ["full", "◆"],
  Deprovisioning: ["calm", "↓"],
  Degraded: ["warn", "▲"],
  "Activation failed": ["bad", "✕"],
  Failed: ["bad", "✕"],
  Inactive: ["calm", "–"],
};

/** A revision's running state as `{ tone, sign }`: the tone colours it, the sign tells it without. */
export function runningState(state) {
  const [tone, sign] = RUNNING[state] ?? ["calm", "·"];
  return { tone, sign };
}

const REPLICA = {
  ready: ["good", "●", "ready"],
  starting: ["busy", "◔", "starting"],
  notReady: ["warn", "▲", "not ready"],
  backoff: ["bad", "✕", "backing off"],
  draining: ["calm", "↓", "draining"],
};

export function replicaState(state) {
  const [tone, sign, label] = REPLICA[state] ?? ["calm", "·", state];
  return { tone, sign, label };
}

export function failed(revision) {
  return ["Failed", "Activation failed"].includes(revision.runningState) || revision.provisioningState === "Failed";
}
