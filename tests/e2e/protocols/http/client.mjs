// Sends a body in pieces with a trailer, and prints the answer: client.mjs 1|2 PORT HOST, by HTTP/1.1 or HTTP/2.
import { request } from "node:http";
import { connect } from "node:http2";

const [version, port, host] = process.argv.slice(-3);
const pieces = ["some ", "pieces ", "of text"];

async function text(stream) {
  let read = "";
  for await (const chunk of stream.setEncoding("utf8")) read += chunk;
  return read;
}

function show(status, came, trailers) {
  console.log(JSON.stringify({ status, ...JSON.parse(came), sum: trailers["x-sum"], client: trailers["x-client"] }));
}

if (version === "1") {
  const headers = { host, trailer: "x-client", te: "trailers" };
  const sent = request({ host: "127.0.0.1", port, path: "/a?b=c", method: "PUT", headers });
  sent.on("response", async (answer) => show(answer.statusCode, await text(answer), answer.trailers));
  for (const piece of pieces) sent.write(piece);
  sent.addTrailers({ "x-client": "sent" });
  sent.end();
} else {
  const session = connect(`http://127.0.0.1:${port}`);
  const head = { ":method": "PUT", ":path": "/a?b=c", ":authority": host, trailer: "x-client", te: "trailers" };
  const stream = session.request(head, { waitForTrailers: true });
  let status, trailers;
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-client": "sent" }));
  stream.on("response", (headers) => (status = headers[":status"]));
  stream.on("trailers", (headers) => (trailers = headers));
  for (const piece of pieces) stream.write(piece);
  stream.end();
  const came = await text(stream);
  show(status, came, trailers);
  session.close();
}
