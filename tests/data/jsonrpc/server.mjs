// JSON-RPC 2.0 by the package rpc-websockets; ends when its input does.
//
// Tells, as lines of JSON: {"port": 1234} first, then the notifications that it gets.

import { Server } from "rpc-websockets";

const say = (fact) => {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
};

const server = new Server({ host: "127.0.0.1", port: 0 });
server.register("subtract", (params) =>
  Array.isArray(params) ? params[0] - params[1] : params.minuend - params.subtrahend,
);
server.register("nothing", () => null);
server.register("never", () => new Promise(() => {}));
server.register("fail", () => {
  throw new Error("it failed");
});
server.register("note", (params) => {
  say({ note: params });
  return true;
});
server.on("listening", () => say({ port: server.wss.address().port }));
process.stdin.resume().on("end", () => process.exit());
