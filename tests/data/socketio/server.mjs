// Socket.IO's own server; ends when its input does.
//
// Tells, as lines of JSON: {"port": 1234} first, then what the tests want to know of the server's side.

import { createServer } from "node:http";
import { Server } from "socket.io";

const say = (fact) => {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
};

const PACE = { pingInterval: 200, pingTimeout: 1500, maxHttpBufferSize: 100_000 };

const serve = (port) => {
  const http = createServer();
  const io = new Server(http, PACE);

  io.on("connection", (socket) => {
    say({ connected: { auth: socket.handshake.auth, query: socket.handshake.query } });
    socket.on("add", (a, b, reply) => reply(a + b));
    socket.on("give", (arguments_, reply) => reply(...arguments_));
    socket.on("echo", (...given) => given.pop()(...given));
    socket.on("told", (...given) => say({ told: given }));
    socket.on("silent", () => {});
    socket.on("tell", (event, ...given) => socket.emit(event, ...given));
    socket.on("tell bytes", (text) => socket.emit("bytes", Buffer.from(text), { inside: Buffer.from("b") }));
    socket.on("join", (room, reply) => reply([...(socket.join(room), socket.rooms)].includes(room)));
    socket.on("to room", (room, text, reply) => reply(io.to(room).emit("said", room, text)));
    socket.on("put me out", () => socket.disconnect());
    socket.on("ask me", async () => say({ answered: await socket.timeout(5000).emitWithAck("question", 1) }));
    socket.on("raw", (payloads) => {
      for (const payload of payloads) socket.conn.transport.socket.send(payload);
    });
    socket.on("restart", () => io.close(() => serve(address.port)));
    socket.on("disconnect", (reason) => say({ gone: reason }));
  });

  io.of("/chat").on("connection", (socket) => {
    socket.emit("welcome", "chat", socket.handshake.auth.user ?? null);
    socket.on("say", (text, reply) => {
      io.of("/chat").emit("said", text);
      reply?.(text.length);
    });
    socket.on("put me out", () => socket.disconnect());
    socket.on("disconnect", (reason) => say({ left: reason }));
  });

  io.of("/private").use((socket, next) => {
    if (socket.handshake.auth.token === "right-token") return next();
    const error = new Error("not authorized");
    error.data = { retry: false };
    next(error);
  });

  let address;
  http.listen(port, "127.0.0.1", () => {
    address = http.address();
    say({ port: address.port });
  });
};

serve(0);
process.stdin.resume();
process.stdin.on("end", () => process.exit());
