// Runs port.js as a worker would be run, reads its ring as port.py does, and prints what came, in base64.
const [, , path, url, size, code, count] = process.argv;
const memory = new SharedArrayBuffer(64 + Number(size)), signals = new SharedArrayBuffer(1);
const head = new Int32Array(memory, 0, 16), ring = new Uint8Array(memory, 64), came = [];
let at = 0, messages = 0;
globalThis.postMessage = () => {};
require('vm').runInThisContext(require('fs').readFileSync(path, 'utf8'));
globalThis.onmessage({data: {op: 'begin', memory, signals}});
globalThis.onmessage({data: {op: 'open', id: 1, url, protocols: ['two', 'three']}});
globalThis.onmessage({data: {op: 'send', id: 2, messages: ['nobody'], size: 6}});

function read() {
  const written = Atomics.load(head, 2) >>> 0, start = Atomics.load(head, 3) >>> 0;
  for (let place = start; place !== written; place = (place + 1) >>> 0) came.push(ring[place % ring.length]);
  Atomics.store(head, 3, written | 0);
}

function walk() {
  const bytes = Buffer.from(came);
  while (at < bytes.length) {
    const kind = bytes.readUInt32LE(at + 8);
    const whole = bytes.readUInt32LE(at + 28) === 0;
    at += bytes.readUInt32LE(at);
    if ((kind === 2 || kind === 3) && whole && ++messages === Number(count))
      globalThis.onmessage({data: {op: 'send', id: 1, messages: ['enough'], size: 6}});
    if (kind === 1) {
      globalThis.onmessage({data: {op: 'send', id: 1, messages: ['go', new Uint8Array([0, 255])], size: 4}});
      if (code) globalThis.onmessage({data: {op: 'close', id: 1, code: Number(code), reason: 'enough'}});
    } else if (kind === 4 || kind === 6) {
      process.stdout.write(bytes.toString('base64'), () => process.exit());
      return;
    }
  }
  setImmediate(turn);
}

function turn() {
  const before = came.length;
  read();
  if (came.length > before) walk();
  else setTimeout(turn, 1);
}
turn();
