/* ---- Limits ---------------------------------------------------------------------------------------------- */

const KEPT_ROWS = 10_000;
const ROW_HEIGHT = 22; // px; panel.css has the same number
const LOWEST_LIST = 90; // px; panel.css has the same number
const OUTPUT_PADDING = 16; // px around a panel in an Output View of JupyterLab
const OVERSCAN = 6; // rows drawn above and below the visible ones, so that scrolling meets no white
const OPEN_ROWS = 50;
const KEPT_PAYLOADS = 50;
const GONE_AFTER = 10_000; // ms without a sign of life from the kernel
const RELINK_AFTER = 2500; // ms for the same once Jupyter says that something happened to the kernel
const HERE_EVERY = 50_000; // ms; the kernel forgets who is silent for three times as long
const FORGOTTEN_AFTER = 3_600_000; // ms in a hidden tab: from then on it doesn't keep the kernel in use
const ACK_EVERY = 5; // batches; the kernel goes on for some more without a word
const TICK = 250; // ms between two updates of counters
const FILTER_DELAY = 150; // ms
const EXPRESSION_DELAY = 600; // ms: what is half an expression is none yet
const EXCERPT = 24; // characters beside a hit that is out of sight
const CHARACTER_WIDTH = 7.3; // px in the list, about
const MARKED_TEXT = 300_000; // characters in which hits are marked
const MARKS = 500;
const COPIED_ROWS = 200; // payloads that are copied together
const HISTORY = 50;
const SPARK_SECONDS = 60; // that the line of rates shows; the kernel has as many
const JSON_DEPTH = 200;
const TREE_PART = 200; // children drawn at a time
const HEX_PART = 64; // lines drawn at a time
const CHECKED_TEXT = 100_000; // characters; reading a longer draft at every key would be felt
const FILE_MEGABYTES = 8; // Jupyter's server drops the connection at a message over 10 MiB
const INPUT_LINES = 8;
const COLOURS = 6; // of connections in the merged view: classes c0 to c5

/* ---- Words: those of rows and cards come from the kernel -------------------------------------------------- */

/** @param {number} number */
const count = (number) => number.toLocaleString("en-US");

/**
 * @param {number} number
 * @param {string} word
 */
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

/** @param {number} rate */
function perSecond(rate) {
  if (rate >= 1000) return `${(rate / 1000).toFixed(rate < 10_000 ? 1 : 0)}k/s`;
  return `${rate >= 10 || Number.isInteger(rate) ? rate.toFixed(0) : rate.toFixed(1)}/s`;
}

/* ---- DOM helpers ----------------------------------------------------------------------------------------- */

let lastId = 0;

/** An id that no other view on the page has. */
const uniqueId = () => `ipyws-panel-${(lastId += 1)}`;

/** @typedef {{ [event: `on${string}`]: (event: any) => unknown, [attribute: string]: unknown }} Properties */

/**
 * Make an element; `on…` are listeners, other properties attributes, children nodes or plain text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} properties
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/**
 * What a message is known by, whatever number its row has.
 * @param {{ connection: string, seq: number }} row
 */
const keyOf = ({ connection, seq }) => `${seq} ${connection}`;

/** @param {string} className */
const span = (className, text = "") => make("span", { class: className }, text);

/**
 * Make a button; `needs: "kernel"`, `"open"`, `"connection"` or `"closed"` says without what it is disabled.
 * @param {string} label
 * @param {(event: MouseEvent) => unknown} onclick
 * @param {Properties} properties
 */
function button(label, onclick, { needs, ...properties } = {}) {
  return make("button", { type: "button", class: "button", "data-needs": needs, onclick, ...properties }, label);
}

/**
 * Set text only where it differs: writing the same text again costs a layout.
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) { if (element.textContent !== text) element.textContent = text; }

/**
 * Append what `draw` makes of the items, `size` at a time, with a button for the next part.
 * @template Item
 * @param {Element} parent
 * @param {Item[]} items
 * @param {number} size
 * @param {(item: Item, index: number) => Node} draw
 */
function appendInParts(parent, items, size, draw) {
  let done = 0;
  const more = button("", next, { class: "more" });
  function next() {
    more.before(...items.slice(done, done + size).map((item, index) => draw(item, done + index)));
    done = Math.min(items.length, done + size);
    more.textContent = `… ${count(items.length - done)} more`;
    more.hidden = done === items.length;
  }
  parent.append(more);
  next();
}

/**
 * A button that opens a list of commands: `details`, so that keyboard and screen reader work by themselves.
 * @param {string} label
 * @param {[string, () => void][]} commands
 */
function menu(label, commands) {
  const items = commands.map(([name, run]) =>
    button(name, () => {
      close(true);
      run();
    }, { needs: "kernel", class: "item" }),
  );
  const summary = make("summary", { class: "button" }, label);
  const box = make("details", { class: "menu" }, summary, make("div", { class: "items" }, ...items));
  /** @param {boolean} refocus */
  const close = (refocus) => {
    box.open = false;
    if (refocus) summary.focus();
  };
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node && box.contains(relatedTarget))) close(false);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    event.stopPropagation();
    close(true);
  });
  return box;
}

/**
 * Where an element is: the page, or the shadow of a front end.
 * @param {Element} element
 */
const rootOf = (element) => /** @type {Document | ShadowRoot} */ (element.getRootNode());

/**
 * Copy text; without the clipboard API (plain http, some web views) through a selection.
 * @param {string} text
 * @param {Element} host
 */
async function copyText(text, host) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const { activeElement } = rootOf(host);
    const area = make("textarea", { class: "unseen" });
    area.value = text;
    host.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (activeElement instanceof HTMLElement) activeElement.focus({ preventScroll: true });
    return done;
  }
}

/**
 * @param {string} text
 * @param {string} name
 */
function download(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  make("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}
