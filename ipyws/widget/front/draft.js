/* ---- Drafts: whether what is being typed is JSON, and where it is not ------------------------------------- */

// Unrolled, so that a string that never ends fails in linear time.
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
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

/** Goes through a text as JSON (RFC 8259); keeps nothing of it. */
class JsonCheck {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  /**
   * What is wrong with a text, or "" for JSON.
   * @param {string} text
   */
  static problem(text) {
    const check = new JsonCheck(text);
    try {
      check.value(0);
      check.match(SPACE);
      return check.at < text.length ? check.fail("nothing may follow the value") : "";
    } catch (error) {
      if (error instanceof JsonError) return error.message;
      throw error;
    }
  }

  /** @param {number} depth */
  value(depth) {
    if (depth > JSON_DEPTH) this.fail(`nested deeper than ${JSON_DEPTH} levels`);
    this.match(SPACE);
    const next = this.text[this.at];
    if (next === "{") return this.entries("}", () => this.pair(depth));
    if (next === "[") return this.entries("]", () => this.value(depth + 1));
    if ([STRING, NUMBER, LITERAL].some((pattern) => this.match(pattern))) return undefined;
    return this.fail(next === '"' ? "this string does not end or has a bad escape" : "a value is expected");
  }

  /**
   * @param {string} end
   * @param {() => void} readEntry
   */
  entries(end, readEntry) {
    this.at += 1;
    if (this.takes(end)) return;
    do readEntry();
    while (this.takes(","));
    if (!this.takes(end)) this.fail(`"," or "${end}" is expected`);
  }

  /** @param {number} depth */
  pair(depth) {
    this.match(SPACE);
    if (!this.match(STRING)) this.fail("a key in double quotes is expected");
    if (!this.takes(":")) this.fail('":" is expected');
    this.value(depth + 1);
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
