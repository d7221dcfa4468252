// SignalR's own client talks to the hub at the environment's HUB; ends when its input does.
//
// Tells, as lines of JSON: {"port": 0}, then {"done": {…}} for each protocol.

import { HubConnectionBuilder, HttpTransportType, LogLevel } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

const say = (fact) => {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
};

const streamed = (connection, ...invocation) =>
  new Promise((resolve) => {
    const items = [];
    connection.stream(...invocation).subscribe({
      next: (item) => items.push(item),
      complete: () => resolve({ items }),
      error: (error) => resolve({ items, error: error.message }),
    });
  });

async function talk(protocol) {
  const builder = new HubConnectionBuilder()
    .withUrl(process.env.HUB, { skipNegotiation: true, transport: HttpTransportType.WebSockets })
    .configureLogging(LogLevel.None);
  if (protocol) builder.withHubProtocol(protocol);
  const connection = builder.build();
  const said = new Promise((resolve) => connection.on("Said", (...args) => resolve(args)));
  const closed = new Promise((resolve) => connection.onclose((error) => resolve(error?.message ?? null)));
  await connection.start();
  const found = { sum: await connection.invoke("Add", 1, 2) };
  found.nothing = (await connection.invoke("Nothing")) ?? null;
  found.failed = await connection.invoke("Fail").catch((error) => error.message);
  found.count = await streamed(connection, "Count", 3);
  found.broken = await streamed(connection, "CountAndFail", 2);
  await connection.send("Say", "hi", 2);
  found.said = await said;
  await connection.send("Close", "that was it", false);
  found.closed = await closed;
  return found;
}

say({ port: 0 });
say({ done: await talk() });
say({ done: await talk(new MessagePackHubProtocol()) });
process.stdin.resume();
process.stdin.on("end", () => process.exit());
