// Says how a request came, and its trailers in its own: app.mjs 1|2, for HTTP/1.1 or HTTP/2.
import { createServer } from "node:http";
import { createServer as createServer2 } from "node:http2";

let listeners = 0;
const waiting = [];

async function echo(request, answer) {
  let length = 0;
  for await (const chunk of request) length += chunk.length;
  const { "transfer-encoding": coding, "content-length": given, expect, te } = request.headers;
  const came = { version: request.httpVersion, method: request.method, url: request.url, coding, given, expect, te, length };
  answer.writeHead(200, { "content-type": "application/json", trailer: "x-sum, x-client" });
  answer.write(JSON.stringify(came));
  answer.addTrailers({ "x-sum": String(length), "x-client": request.trailers["x-client"] ?? "none" });
  answer.end();
}

// One event at once, and one for each request for /next.
function events(answer) {
  listeners += 1;
  answer.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  answer.write("data: first\n\n");
  waiting.push(answer);
  answer.on("close", () => (listeners -= 1));
}

function handle(request, answer) {
  if (request.url === "/events") return events(answer);
  if (request.url === "/next") for (const one of waiting) one.write("data: next\n\n");
  if (request.url === "/next" || request.url === "/listeners") return answer.end(String(listeners));
  return echo(request, answer);
}

const server = process.argv[2] === "2" ? createServer2(handle) : createServer(handle);
server.on("checkContinue", (request, answer) => {
  if (request.url === "/refused") {
    answer.writeHead(413, { connection: "close" });
    return answer.end("too much\n");
  }
  answer.writeContinue();
  return handle(request, answer);
});
server.listen(process.env.PORT, "127.0.0.1");
