// What a Phoenix server does, as its guide "Writing a Channels Client" and its JavaScript client have it: messages
// are read and written by the serializer of that client. Ends when its input does.
//
// Tells, as lines of JSON: {"port": 1234} first, then {"got": …} for each message.

import { Serializer } from "phoenix";
import { WebSocketServer } from "ws";

const say = (fact) => {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
};

const answers = {
  phx_join: ({ topic }) => (topic === "room:private" ? ["error", { reason: "unauthorized" }] : ["ok", {}]),
  phx_leave: () => ["ok", {}],
  heartbeat: () => ["ok", {}],
  echo: ({ payload }) => ["ok", payload],
  fail: () => ["error", { reason: "no" }],
  shout: () => ["ok", {}],
};

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket, request) => {
  say({ query: request.url });
  const send = (message) => Serializer.encode(message, (raw) => socket.send(raw));
  socket.on("message", (data) => {
    Serializer.decode(data.toString(), (message) => {
      say({ got: message });
      const { join_ref, ref, topic, event, payload } = message;
      const [status, response] = answers[event]?.(message) ?? [];
      if (status && ref) send({ join_ref, ref, topic, event: "phx_reply", payload: { status, response } });
      if (event === "shout") send({ join_ref: null, ref: null, topic, event: "shout", payload });
      if (event === "phx_leave") send({ join_ref, ref, topic, event: "phx_close", payload: {} });
      if (event === "crash") send({ join_ref, ref: join_ref, topic, event: "phx_error", payload: {} });
      if (event === "restart") socket.close(1012);
    });
  });
});
server.on("listening", () => say({ port: server.address().port }));
process.stdin.resume().on("end", () => process.exit());
