// A worker of the kernel's worker. It owns the WebSockets, so that they are read while Python computes.
//
// What comes is written into a ring in shared memory (port.py reads it), each record with the time at which it came:
//   u32 length of all, a multiple of 8; u32 connection; u32 kind; u32 argument; f64 milliseconds since the epoch;
//   u32 bytes of payload; u32 1 if the payload goes on in the next record of that connection; the payload
// The head of the ring, in 32-bit words: is it ready; a number that changes with each record; where to write;
// where to read; whether the page wants to be woken; whether a cell runs.
const READY = 0, NEWS = 1, WRITE = 2, READ = 3, WAKE = 4, BUSY = 5, HEAD = 64;
const OPEN = 1, TEXT = 2, BINARY = 3, CLOSE = 4, DRAINED = 5, FAILED = 6;
const TURN = 10, INTERRUPT = 2;  // SIGUSR1: turn the loop; SIGINT
const MOST = 256 << 20;  // bytes that wait beyond the ring before a connection is given up
const RETRY = 5, FIRST_NUDGE = 30, NUDGE = 60, LOOK = 10;  // milliseconds
const LOW = 65536;  // bytes that may wait in the browser's own buffer
const TOO_SLOW = 4008;  // a close code that a page may choose

let head, ring, size, signals;
let backlog = [], held = 0, retry = 0, nudging = 0;
const sockets = new Map(), encoder = new TextEncoder();
const now = () => performance.timeOrigin + performance.now();
const free = () => size - ((Atomics.load(head, WRITE) - Atomics.load(head, READ)) >>> 0);

function put(bytes) {
  const place = Atomics.load(head, WRITE) >>> 0, at = place & (size - 1);
  const first = Math.min(bytes.length, size - at);
  ring.set(bytes.subarray(0, first), at);
  if (first < bytes.length) ring.set(bytes.subarray(first), 0);
  Atomics.store(head, WRITE, (place + bytes.length) | 0);
}

function record(id, kind, argument, payload, when, more) {
  const length = payload ? payload.length : 0;
  const bytes = new Uint8Array((32 + length + 7) & ~7), view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, id, true);
  view.setUint32(8, kind, true);
  view.setUint32(12, argument, true);
  view.setFloat64(16, when, true);
  view.setUint32(24, length, true);
  view.setUint32(28, more, true);
  if (length) bytes.set(payload, 32);
  return bytes;
}

function queue(bytes) {
  backlog.push(bytes);
  held += bytes.length;
}

function tell(id, kind, argument, payload, when = now()) {
  const piece = size >> 2;
  let at = 0;
  for (; payload && payload.length - at > piece; at += piece)
    queue(record(id, kind, argument, payload.subarray(at, at + piece), when, 1));
  queue(record(id, kind, argument, payload ? payload.subarray(at) : null, when, 0));
  flush();
}

function flush() {
  let done = 0;
  for (; done < backlog.length && backlog[done].length <= free(); done++) {
    held -= backlog[done].length;
    put(backlog[done]);
  }
  if (done) backlog.splice(0, done);
  if (backlog.length && !retry) retry = setTimeout(() => { retry = 0; flush(); }, RETRY);
  if (!done) return;
  Atomics.add(head, NEWS, 1);
  Atomics.notify(head, NEWS);
  if (Atomics.exchange(head, WAKE, 0)) postMessage(0);
  if (!nudging && Atomics.load(head, BUSY)) nudging = setTimeout(nudge, FIRST_NUDGE);
}

// Python computes and does not look: interrupt it between two of its instructions.
function nudge() {
  nudging = 0;
  if (!Atomics.load(head, BUSY)) return;
  Atomics.compareExchange(signals, 0, 0, TURN);
  nudging = setTimeout(nudge, NUDGE);
}

function open({id, url, protocols}) {
  let socket;
  try {
    socket = new WebSocket(url, protocols);
  } catch (error) {
    tell(id, FAILED, 0, encoder.encode(String(error)));
    return;
  }
  sockets.set(id, socket);
  socket.binaryType = 'arraybuffer';
  socket.unsaid = 0;
  socket.onopen = () =>
    tell(id, OPEN, 0, encoder.encode(JSON.stringify({protocol: socket.protocol, extensions: socket.extensions})));
  socket.onmessage = ({data}) => {
    const when = now(), text = typeof data === 'string';
    if (held > MOST) socket.close(TOO_SLOW, 'the receiver is too slow');
    else tell(id, text ? TEXT : BINARY, 0, text ? encoder.encode(data) : new Uint8Array(data), when);
  };
  socket.onclose = ({code, reason, wasClean}) => {
    sockets.delete(id);
    tell(id, CLOSE, code, encoder.encode(JSON.stringify({reason, clean: wasClean})));
  };
}

function drained(id, socket) {
  if (socket.bufferedAmount > LOW && socket.readyState === 1) {
    setTimeout(drained, LOOK, id, socket);
    return;
  }
  const bytes = socket.unsaid;
  socket.unsaid = 0;
  tell(id, DRAINED, bytes);
}

function send(socket, {id, messages, size}) {
  for (const message of messages) socket.send(message);
  if (!socket.unsaid) setTimeout(drained, 0, id, socket);
  socket.unsaid += size;
}

function close(socket, {code, reason}) {
  try {
    code ? socket.close(code, reason) : socket.close();
  } catch {
    socket.close();
  }
}

function begin(order) {
  head = new Int32Array(order.memory, 0, HEAD / 4);
  ring = new Uint8Array(order.memory, HEAD);
  size = ring.length;
  signals = new Uint8Array(order.signals);
  new BroadcastChannel('ipyws-interrupt').onmessage = () => Atomics.store(signals, 0, INTERRUPT);
  Atomics.store(head, READY, 1);
  Atomics.notify(head, READY);
  postMessage(0);
}

onmessage = ({data}) => {
  if (data.op === 'begin') begin(data);
  else if (data.op === 'busy') nudging = nudging || setTimeout(nudge, FIRST_NUDGE);
  else if (data.op === 'open') open(data);
  else {
    const socket = sockets.get(data.id);
    if (socket && data.op === 'send') send(socket, data);
    else if (socket && data.op === 'close') close(socket, data);
  }
};
