class Unmet extends Error {}

class Talk {
  constructor(socket) {
    this.socket = socket;
    this.came = [];
    this.pongs = 0;
    this.ended = '';
    this.wake = () => {};
    socket.onmessage = (event) => {
      this.came.push(event.data);
      this.wake();
    };
    socket.onpong = () => {
      this.pongs += 1;
      this.wake();
    };
    socket.onclose = () => {
      this.ended = this.ended || 'the connection was closed';
      this.wake();
    };
    socket.onerror = (event) => {
      this.ended = `the connection failed: ${event.error}`;
      this.wake();
    };
  }

  send(data) {
    if (this.ended) throw new Unmet(this.ended);
    this.socket.send(data);
  }

  // Waits until there is something, at most until a time; what comes is an event of k6's loop.
  async until(found, deadline) {
    for (;;) {
      const result = found();
      if (result !== undefined) return result;
      const left = deadline - Date.now();
      if (this.ended || left <= 0) throw new Unmet(this.ended || 'nothing came in time');
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  // Takes the messages that come until one is accepted; an error in a condition means no.
  next(accepts, deadline) {
    return this.until(() => {
      while (this.came.length) {
        const data = this.came.shift();
        const msg = { type: typeof data === 'string' ? 'text' : 'binary', data, direction: 'in', size: bytesOf(data) };
        const json = parsed(data);
        if (isMet(accepts, msg, json)) return { msg, json };
      }
      return undefined;
    }, deadline);
  }

  async checked(name, work) {
    try {
      const result = await work();
      check(null, { [name]: () => true });
      return result;
    } catch (error) {
      check(null, { [name]: () => false });
      throw error;
    }
  }

  wait(name, count, milliseconds, accepts = () => true) {
    const deadline = Date.now() + milliseconds;
    return this.checked(name, async () => {
      for (let number = 0; number < count; number += 1) await this.next(accepts, deadline);
    });
  }

  async expect(name, milliseconds, accepts) {
    const found = await this.checked(name, () => this.next(accepts, Date.now() + milliseconds));
    return found.json === null ? found.msg.data : found.json;
  }

  ping(name) {
    const before = this.pongs;
    return this.checked(name, () => {
      if (this.ended) throw new Unmet(this.ended);
      this.socket.ping();
      return this.until(() => (this.pongs > before ? true : undefined), Date.now() + 10_000);
    });
  }

  async close(code, reason) {
    if (this.ended) return;
    this.socket.close(code, reason);
    const deadline = Date.now() + 10_000;
    await this.until(() => (this.ended ? true : undefined), deadline).catch(() => {});
  }
}

function open(address, protocols, params) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address, protocols, params);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      check(null, { connected: () => true });
      resolve(new Talk(socket));
    };
    socket.onerror = (event) => {
      check(null, { connected: () => false });
      reject(new Unmet(event.error));
    };
  });
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function parsed(data) {
  try {
    return typeof data === 'string' ? JSON.parse(data) : null;
  } catch (error) {
    return null;
  }
}

function isMet(accepts, msg, json) {
  try {
    return accepts(msg, json);
  } catch (error) {
    return false;
  }
}

function bytesOf(data) {
  return typeof data === 'string' ? unescape(encodeURIComponent(data)).length : data.byteLength;
}

function bytes(digits) {
  return new Uint8Array((digits.match(/../g) || []).map((pair) => parseInt(pair, 16))).buffer;
}

function variable(name) {
  if (__ENV[name] === undefined) throw new Error(`set ${name}: k6 run -e ${name}=… `);
  return __ENV[name];
}

function spelled(value) {
  return JSON.stringify(String(typeof value === 'string' ? value : text(value))).slice(1, -1);
}

function kind(value) {
  if (value === null) return 'None';
  if (Array.isArray(value)) return 'list';
  return { boolean: 'bool', number: 'number', string: 'str', object: 'dict' }[typeof value];
}

function isOf(value, ...names) {
  const name = kind(value);
  if (name === 'bool') return names.includes('bool') || names.includes('int');
  if (name === 'number') return names.includes(Number.isInteger(value) ? 'int' : 'float');
  return names.includes(name);
}

function truth(value) {
  if (value === null || value === undefined) return false;
  return typeof value === 'object' ? size(value) > 0 : Boolean(value);
}

function string(value) {
  if (typeof value !== 'string') throw new TypeError('no text');
  return value;
}

function list(value) {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return [...value];
  if (kind(value) === 'dict') return Object.keys(value);
  throw new TypeError('nothing to go through');
}

function number(value) {
  if (typeof value !== 'number' && typeof value !== 'boolean') throw new TypeError('no number');
  return Number(value);
}

function text(value) {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

function size(value) {
  return value instanceof ArrayBuffer ? value.byteLength : list(value).length;
}

function absolute(value) {
  return Math.abs(number(value));
}

function item(value, key) {
  if (kind(value) === 'dict') {
    if (!Object.hasOwn(value, key)) throw new RangeError('no such key');
    return value[key];
  }
  const items = list(value);
  const place = key < 0 ? items.length + key : key;
  if (!Number.isInteger(place) || place < 0 || place >= items.length) throw new RangeError('no such place');
  return items[place];
}

function get(value, key, otherwise = null) {
  if (kind(value) !== 'dict') throw new TypeError('no object');
  return Object.hasOwn(value, key) ? value[key] : otherwise;
}

function equal(one, other) {
  if (typeof one === 'object' && one !== null) {
    if (kind(one) !== kind(other) || size(one) !== size(other)) return false;
    return Object.keys(one).every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]));
  }
  const plain = (value) => (typeof value === 'boolean' ? Number(value) : value);
  return plain(one) === plain(other);
}

function order(one, other) {
  if (typeof one === 'string' || typeof other === 'string') {
    if (string(one) === string(other)) return 0;
    return one < other ? -1 : 1;
  }
  return number(one) - number(other);
}

function holds(items, value) {
  if (typeof items === 'string') return items.includes(string(value));
  if (kind(items) === 'dict') return Object.hasOwn(items, value);
  return list(items).some((each) => equal(each, value));
}

function plus(one, other) {
  return typeof one === 'string' ? one + string(other) : number(one) + number(other);
}

function minus(one, other) {
  return number(one) - number(other);
}

function times(one, other) {
  return number(one) * number(other);
}

function over(one, other) {
  if (number(other) === 0) throw new RangeError('divided by zero');
  return number(one) / number(other);
}

function modulo(one, other) {
  if (number(other) === 0) throw new RangeError('divided by zero');
  return ((number(one) % number(other)) + number(other)) % number(other);
}

function whole(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
