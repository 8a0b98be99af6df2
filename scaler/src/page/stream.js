// The way to the status API: one stream of events that mends itself, and three lists.

const QUIET_MILLISECONDS = 8000; // The API publishes at least once a second.
const LONGEST_PAUSE_MILLISECONDS = 10_000;

/**
 * Follows `/api/v1/events` until the page goes away.
 * `handlers`: `apps(list)`, `event(record)`, `missed()` when events were lost, and
 * `state({ name, since, attempt })` where the name is `connecting`, `live` or `lost`.
 */
export function follow(handlers) {
  let source = null;
  let attempt = 0; // Failures in a row; -1 while messages come.
  let heard = Date.now(); // The last message, or the first attempt.
  let opened = heard;
  let again = 0;

  const live = () => {
    heard = Date.now();
    if (attempt === -1) return;
    attempt = -1;
    handlers.state({ name: "live" });
  };
  const lost = () => {
    source?.close();
    source = null;
    attempt = Math.max(attempt, 0) + 1;
    handlers.state({ name: "lost", since: heard, attempt });
    clearTimeout(again);
    again = setTimeout(open, Math.min(500 * 2 ** (attempt - 1), LONGEST_PAUSE_MILLISECONDS));
  };
  const read = (event, use) => {
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      return; // Cut off by a restart; the next one is whole.
    }
    live();
    use(data);
  };
  function open() {
    opened = Date.now();
    source = new EventSource("api/v1/events");
    source.addEventListener("apps", (event) => read(event, (data) => handlers.apps(data.value ?? [])));
    source.addEventListener("event", (event) => read(event, handlers.event));
    source.addEventListener("missed", handlers.missed);
    source.addEventListener("error", lost);
  }

  setInterval(() => {
    if (source && Date.now() - Math.max(heard, opened) > QUIET_MILLISECONDS) lost();
  }, 1000);
  handlers.state({ name: "connecting" });
  open();
}

async function list(path) {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()).value ?? [];
}

const appPath = (app) => `api/v1/apps/${encodeURIComponent(app)}`;

export const fetchHistory = (app) => list(`${appPath(app)}/history`);

export const fetchDecisions = (app) => list(`${appPath(app)}/decisions?limit=50`);

/** The ScaledObjects that ask for an app, or whose trigger is wrong. */
export const fetchScaledObjects = (app) => list(`api/v1/scaledobjects?limit=50&app=${encodeURIComponent(app)}`);

/** The address of the newest lines of an app or of one of its revisions. */
export function logsPath(app, { revision, tail = 100 } = {}) {
  const only = revision ? `revision=${encodeURIComponent(revision)}&` : "";
  return `${appPath(app)}/logs?${only}tail=${tail}`;
}

/** The newest lines as `[{ stream, line }]`, from a list, from JSON lines, or from plain text. */
export async function fetchLogs(app, options) {
  const response = await fetch(logsPath(app, options));
  if (!response.ok) throw new Error(`logs: ${response.status}`);
  const body = await response.text();
  const record = (value) => ({ stream: value.stream ?? "stdout", line: String(value.line ?? "") });
  try {
    const whole = JSON.parse(body);
    return (whole.value ?? [whole]).map(record);
  } catch {
    return body.split("\n").filter(Boolean).map((line) => {
      try {
        return record(JSON.parse(line));
      } catch {
        return { stream: "stdout", line };
      }
    });
  }
}
