/* ---- JSON, read exactly: JSON.parse would round big integers and drop repeated keys ---------------------- */

// Unrolled, so that a string that never ends fails in linear time.
const STRICT_STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
// The kernel writes what can't be seen as escapes that JSON does not all have.
const SHOWN_STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

/** What is wrong with a text that should be JSON, and where. */
class JsonError extends Error {
  /**
   * @param {string} message
   * @param {string} text
   * @param {number} at
   */
  constructor(message, text, at) {
    const before = text.slice(0, at);
    const [line, column] = [before.split("\n").length, at - before.lastIndexOf("\n")];
    super(`line ${line} column ${column}: ${message}`);
  }
}

/** @typedef {{ kind: string, raw?: string, entries?: [string, JsonNode][] }} JsonNode */

/** Reads JSON into nodes that keep strings and numbers as they were written. */
class JsonReader {
  /**
   * @param {string} text
   * @param {RegExp} string
   */
  constructor(text, string) {
    this.text = text;
    this.string = string;
    this.at = 0;
  }

  /** @param {string} text */
  static check(text) { return new JsonReader(text, STRICT_STRING).read(); }
  /** @param {string} text */
  static show(text) { return new JsonReader(text, SHOWN_STRING).read(); }

  read() {
    const node = this.value(0);
    this.match(SPACE);
    if (this.at < this.text.length) this.fail("nothing may follow the value");
    return node;
  }

  /**
   * @param {number} depth
   * @returns {JsonNode}
   */
  value(depth) {
    if (depth > JSON_DEPTH) this.fail(`nested deeper than ${JSON_DEPTH} levels`);
    this.match(SPACE);
    const next = this.text[this.at];
    if (next === "{") return { kind: "object", entries: this.entries("}", () => this.pair(depth)) };
    if (next === "[") return { kind: "array", entries: this.entries("]", () => ["", this.value(depth + 1)]) };
    const patterns = { string: this.string, number: NUMBER, literal: LITERAL };
    for (const [kind, pattern] of Object.entries(patterns)) {
      const raw = this.match(pattern);
      if (raw) return { kind, raw };
    }
    return this.fail(next === '"' ? "this string does not end or has a bad escape" : "a value is expected");
  }

  /**
   * @param {string} end
   * @param {() => [string, JsonNode]} readEntry
   */
  entries(end, readEntry) {
    this.at += 1;
    /** @type {[string, JsonNode][]} */
    const entries = [];
    if (this.takes(end)) return entries;
    do entries.push(readEntry());
    while (this.takes(","));
    if (!this.takes(end)) this.fail(`"," or "${end}" is expected`);
    return entries;
  }

  /**
   * @param {number} depth
   * @returns {[string, JsonNode]}
   */
  pair(depth) {
    this.match(SPACE);
    const key = this.match(this.string) || this.fail("a key in double quotes is expected");
    if (!this.takes(":")) this.fail('":" is expected');
    return [key, this.value(depth + 1)];
  }

  /** @param {string} character */
  takes(character) {
    this.match(SPACE);
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  /** @param {RegExp} pattern */
  match(pattern) {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.text) ?? [""];
    this.at += found.length;
    return found;
  }

  /**
   * @param {string} message
   * @returns {never}
   */
  fail(message) { throw new JsonError(message, this.text, this.at); }
}

/* ---- Payloads as DOM ------------------------------------------------------------------------------------- */

const TOKEN = /("[^"\\]*(?:\\.[^"\\]*)*"?)(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g;

/**
 * One line of JSON, maybe cut, with light colours.
 * @param {string} text
 */
function coloured(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const look = !match[1] ? "number" : match[2] ? "key" : "string";
    pieces.push(text.slice(end, match.index), span(look, match[1] ?? match[0]), match[2] ?? "");
    end = match.index + match[0].length;
  }
  return [...pieces, text.slice(end)];
}

/**
 * A node of JSON as a tree whose children are made when it is first opened.
 * @param {JsonNode} node
 * @returns {HTMLElement}
 */
function jsonTree({ kind, raw = "", entries }, key = "", open = false) {
  const label = key ? [span("key", key), ": "] : [];
  if (!entries) return make("div", { class: "leaf" }, ...label, span(kind === "string" ? kind : "number", raw));
  const [first, last, unit] = kind === "array" ? ["[", "]", "item"] : ["{", "}", "key"];
  const size = span("dim", plural(entries.length, unit));
  const summary = make("summary", {}, ...label, `${first} `, size, ` ${last}`);
  const branch = make("details", { class: "branch" }, summary);
  const grow = () => appendInParts(branch, entries, TREE_PART, ([name, child], index) =>
    jsonTree(child, name || String(index)));
  if (open) grow();
  else branch.addEventListener("toggle", grow, { once: true });
  branch.open = open;
  return branch;
}

/** @param {protocol.Payload["dump"]} lines */
function hexdump(lines) {
  const dump = make("div", { class: "hex" });
  appendInParts(dump, lines, HEX_PART, ([offset, bytes, characters]) => {
    const cells = [span("dim", offset), span("number", bytes.padEnd(48)), span("string", characters)];
    return make("div", {}, ...cells.flatMap((cell) => [cell, "  "]));
  });
  return dump;
}

/**
 * The payload in the form that says most: a tree, a hexdump, or else the text as it is.
 * @param {protocol.Payload} payload
 */
function payloadBody({ text, json, dump }) {
  if (dump.length) return hexdump(dump);
  if (json) {
    try {
      return jsonTree(JsonReader.show(text), "", true);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
    }
  }
  return make("pre", {}, text);
}

/**
 * What Copy copies of a payload.
 * @param {protocol.Payload} payload
 */
const payloadText = ({ text, dump }) => dump.map((line) => line.join("  ")).join("\n") || text;
