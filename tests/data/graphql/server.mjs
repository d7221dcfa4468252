// GraphQL over WebSocket by the packages that define its two protocols; ends when its input does.
//
// Tells, as lines of JSON: {"port": 1234} first, then what the tests want to know of the server's side.

import { createServer } from "node:http";
import { buildSchema, execute, GraphQLError, subscribe } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import legacy from "subscriptions-transport-ws";
import { WebSocketServer } from "ws";

const say = (fact) => {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
};

const schema = buildSchema(`
  type Query { hello(name: String): String, fails: String, never: String, half: Half }
  type Half { good: String, bad: String }
  type Mutation { set(key: String!, value: Int!): Int }
  type Subscription { count(to: Int!, from: Int): Int, ticks: Int, odd(to: Int!): Int, breaks: Int }
`);

async function* counting(from, to, fact) {
  try {
    for (let number = from; number <= to; number += 1) {
      yield { count: number, ticks: number, odd: number };
      await new Promise(setImmediate);
    }
  } finally {
    say({ ended: fact });
  }
}

const query = {
  hello: ({ name }) => `hello ${name ?? "world"}`,
  fails: () => {
    throw new GraphQLError("it failed", { extensions: { code: "BROKEN" } });
  },
  never: () => new Promise(() => {}),
  half: () => ({
    good: "yes",
    bad: () => {
      throw new GraphQLError("only half");
    },
  }),
};
const mutation = { set: ({ value }) => value };
const subscription = {
  count: ({ from, to }) => counting(from ?? 1, to, "count"),
  ticks: () => counting(1, Infinity, "ticks"),
  odd: async function* ({ to }) {
    for (let number = 1; number <= to; number += 1)
      yield number % 2 ? { odd: number } : { odd: () => { throw new GraphQLError(`${number} is even`); } };
  },
  breaks: async function* () {
    yield { breaks: 1 };
    throw new Error("the source broke");
  },
};

const permitted = (params) => {
  say({ init: params ?? null });
  if (params?.token === "refused") return false;
  if (params?.token === "broken") throw new Error("no such user");
  return true;
};

const current = new WebSocketServer({ noServer: true });
useServer(
  {
    schema,
    roots: { query, mutation, subscription },
    onConnect: async ({ connectionParams, extra }) => {
      const allowed = permitted(connectionParams);
      if (connectionParams?.ping)
        setImmediate(() => extra.socket.send(JSON.stringify({ type: "ping", payload: connectionParams.ping })));
      return allowed;
    },
    onPong: (_, payload) => say({ pong: payload ?? null }),
    onSubscribe: (_, id) => say({ subscribe: id }),
    onComplete: (_, id) => say({ complete: id }),
    onClose: (_, code) => say({ closed: code }),
  },
  current,
);

// The older package takes its root from one object for all kinds of operation.
const older = legacy.SubscriptionServer.create(
  {
    schema,
    execute,
    subscribe,
    rootValue: { ...query, ...mutation, ...subscription },
    keepAlive: 20,
    onConnect: permitted,
    onOperation: (message, params) => {
      say({ subscribe: message.id });
      return params;
    },
    onOperationComplete: (_, id) => say({ complete: id }),
    onDisconnect: () => say({ closed: null }),
  },
  { noServer: true },
);

const http = createServer();
http.on("upgrade", (request, socket, head) => {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(/,\s*/);
  const older_only = request.url === "/legacy" || !offered.includes("graphql-transport-ws");
  const server = older_only ? older.server : current;
  server.handleUpgrade(request, socket, head, (client) => server.emit("connection", client, request));
});
http.listen(0, "127.0.0.1", () => say({ port: http.address().port }));
process.stdin.on("end", () => process.exit(0)).resume();
