// SignalR's own client reads what the environment's PAYLOADS hold and writes each message it knows; ends when its
// input does. PAYLOADS is JSON: {"json": [base64 of a payload, …], "messagepack": […]}.
//
// Tells, as lines of JSON: {"port": 0}, {"read": {…}}, {"written": {…}}.

import { JsonHubProtocol, NullLogger } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

const say = (fact) => {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
};

const protocols = { json: new JsonHubProtocol(), messagepack: new MessagePackHubProtocol() };
const messages = [
  { type: 1, target: "Say", arguments: ["hi", 2, { a: [null, true] }], headers: {} },
  { type: 1, target: "Ask", arguments: [], invocationId: "7", headers: {} },
  { type: 4, target: "Count", arguments: [3], invocationId: "8", headers: {} },
  { type: 2, invocationId: "8", item: { n: 1 }, headers: {} },
  { type: 3, invocationId: "7", result: "x".repeat(300), headers: {} },
  { type: 3, invocationId: "8", error: "it broke", headers: {} },
  { type: 3, invocationId: "9", headers: {} },
  { type: 5, invocationId: "8", headers: {} },
  { type: 6 },
];

const bytes = (text, name) => {
  const data = Buffer.from(text, "base64");
  if (name === "json") return data.toString();
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
};

const read = {};
const written = {};
say({ port: 0 });
const payloads = JSON.parse(process.env.PAYLOADS);
for (const [name, protocol] of Object.entries(protocols)) {
  read[name] = payloads[name].map((text) => protocol.parseMessages(bytes(text, name), NullLogger.instance));
  written[name] = messages.map((message) => Buffer.from(protocol.writeMessage(message)).toString("base64"));
}
say({ read });
say({ written });
process.stdin.resume();
process.stdin.on("end", () => process.exit());
