/* ---- Curves: the kernel keeps them and sends what is new of them; here they are drawn -------------------------- */

const CURVE_COLOURS = ["#3d8bdb", "#d9772b", "#9475d8", "#2f9e6e", "#b8901f", "#d0555c", "#5f8f9f", "#a0729f"];
const LEFT = 76, RIGHT = 12, TOP = 8, BOTTOM = 22;
const CURVE_STEPS = 300; // of a curve, as in ipyws/view/curves.py
const SAID_EVERY = 3000; // ms between two texts for screen readers

/**
 * @typedef {[number, number, number, number]} Step which one, lowest, highest, last value
 * @typedef {{ name: string, count: number, steps: Step[] }} Curve
 */

/** What outlives a view: the curves, and how they are looked at. */
class Curves {
  /** @param {() => number} height gives that of the picture, in pixels */
  constructor(height) {
    this.height = height;
    this.curves = /** @type {Map<string, Curve>} */ (new Map());
    this.title = "";
    this.notes = /** @type {string[]} */ ([]);
    this.state = "waiting";
    this.start = 0;
    this.width = 1;
    this.zoom = /** @type {[number, number] | null} */ (null); // from and to, in seconds since the start
    this.relative = false; // curves as changes in percent: what differs in scale can be compared
    this.paused = /** @type {Curve[] | null} */ (null); // what is drawn meanwhile
    this.views = /** @type {Set<Picture>} */ (new Set());
  }

  /** @param {protocol.Curves} message */
  receive(message) {
    const { whole, title, state, start, width, notes, curves } = message;
    if (whole) this.curves = new Map();
    if (whole && (title !== this.title || start !== this.start)) this.zoom = this.paused = null; // it is another one
    Object.assign(this, { title, state, notes, start: start ?? this.start, width });
    for (const { name, first, count, steps } of curves) {
      const curve = this.curves.get(name) ?? { name, count: 0, steps: [] };
      this.curves.set(name, curve);
      const kept = curve.steps.filter(([number]) => number >= first && number < steps[0][0]);
      curve.steps = [...kept, ...steps].slice(-CURVE_STEPS - 1);
      curve.count = count;
    }
    for (const view of this.views) view.redraw();
  }

  pause() {
    this.paused = this.paused ? null : [...this.curves.values()].map((curve) => ({ ...curve, steps: [...curve.steps] }));
    for (const view of this.views) view.redraw();
  }

  compare() {
    this.relative = !this.relative;
    for (const view of this.views) view.redraw();
  }

  /** What is drawn: the curves, or, paused, what they were. */
  get drawn() { return this.paused ?? [...this.curves.values()]; }

  /** From when to when there is something, in seconds since the start. */
  get span() {
    const steps = this.drawn.flatMap(({ steps }) => steps.length ? [steps[0][0], steps[steps.length - 1][0]] : []);
    const from = Math.min(...steps) * this.width, to = (Math.max(...steps) + 1) * this.width;
    return steps.length ? /** @type {[number, number]} */ ([from, to]) : null;
  }

  /**
   * Look at a part, or at all of it.
   * @param {[number, number] | null} zoom
   */
  look(zoom) {
    const { span } = this;
    if (zoom && span) {
      const least = 4 * this.width;
      let [from, to] = zoom;
      if (to - from < least) [from, to] = [(from + to - least) / 2, (from + to + least) / 2];
      if (to - from >= span[1] - span[0]) zoom = null;
      else {
        const shift = Math.max(0, span[0] - from) - Math.max(0, to - span[1]);
        zoom = [from + shift, to + shift];
      }
    }
    this.zoom = zoom;
    for (const view of this.views) view.redraw();
  }

  /** @param {number} factor @param {number} at a place of the picture, 0 to 1 */
  zoomBy(factor, at = 0.5) {
    const seen = this.zoom ?? this.span;
    if (!seen) return;
    const [from, to] = seen, centre = from + (to - from) * at, size = (to - from) * factor;
    this.look([centre - size * at, centre + size * (1 - at)]);
  }

  /** @param {number} part of what is seen */
  pan(part) {
    if (!this.zoom) return;
    const [from, to] = this.zoom, shift = (to - from) * part;
    this.look([from + shift, to + shift]);
  }
}

/** One picture of curves, with its buttons and keys. */
class Picture {
  /** @param {Curves} store @param {Element} host */
  constructor(store, host) {
    this.store = store;
    this.frame = 0;
    this.said = 0;
    this.pointer = /** @type {number | null} */ (null);
    this.dragged = /** @type {number | null} */ (null);
    this.title = make("strong", { class: "title" });
    this.legend = make("div", { class: "legend" });
    this.pause = button("Pause", () => store.pause(), { title: "Stop drawing; nothing is lost (Space)" });
    this.percent = button("%", () => store.compare(), {
      title: "Each curve as its change in percent (%)", "aria-label": "change in percent",
    });
    this.all = button("All", () => store.look(null), { title: "Show all of it (0)" });
    const nearer = button("+", () => store.zoomBy(0.5), { title: "Nearer (+)", "aria-label": "zoom in" });
    const farther = button("−", () => store.zoomBy(2), { title: "Farther (−)", "aria-label": "zoom out" });
    this.canvas = make("canvas", { tabindex: "0", role: "img" });
    this.notes = make("div", { class: "notes" });
    this.table = make("tbody");
    const table = make("table", {},
      make("thead", {}, tableRow("th", ["curve", "last", "lowest", "highest", "values"])), this.table);
    const details = make("details", {}, make("summary", {}, "as a table"), table);
    const bar = make("div", { class: "bar" }, this.title, this.legend, this.pause, this.percent, nearer, farther, this.all);
    this.element = make("div", { class: "ipyws-chart", role: "region", "aria-label": "live chart" },
      bar, this.canvas, this.notes, details);
    this.element.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLElement) target.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes the keys
    });
    this.listen();
    host.append(this.element);
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(this.element);
    store.views.add(this);
    this.redraw();
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.store.views.delete(this);
    this.element.remove();
  }

  listen() {
    const { canvas, store } = this;
    /** @param {{ offsetX: number }} event */
    const at = ({ offsetX }) => Math.max(0, Math.min(1, (offsetX - LEFT) / this.inner));
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    canvas.addEventListener("pointermove", (event) => { this.pointer = at(event); this.redraw(); });
    canvas.addEventListener("pointerleave", () => { this.pointer = null; this.redraw(); });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.dragged = at(event);
    });
    canvas.addEventListener("pointerup", (event) => {
      const from = this.dragged, to = at(event), seen = store.zoom ?? store.span;
      this.dragged = null;
      if (from === null || !seen || Math.abs(to - from) < 0.02) return this.redraw();
      const place = (/** @type {number} */ part) => seen[0] + (seen[1] - seen[0]) * part;
      store.look([place(Math.min(from, to)), place(Math.max(from, to))]);
    });
    canvas.addEventListener("dblclick", () => store.look(null));
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      store.zoomBy(event.deltaY > 0 ? 1.25 : 0.8, at(event));
    }, { passive: false });
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { store } = this;
    /** @type {Record<string, () => void>} */
    const keys = {
      " ": () => store.pause(), "+": () => store.zoomBy(0.5), "=": () => store.zoomBy(0.5), "-": () => store.zoomBy(2), "%": () => store.compare(),
      0: () => store.look(null), ...(store.zoom && { Escape: () => store.look(null) }), ArrowLeft: () => store.pan(-0.2), ArrowRight: () => store.pan(0.2),
    };
    const run = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  }

  get inner() { return Math.max(1, this.canvas.clientWidth - LEFT - RIGHT); }

  redraw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { store, canvas } = this;
    const height = store.height(), width = this.element.clientWidth;
    const scale = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    if (!context) return;
    const { color, fontFamily } = getComputedStyle(this.element);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = `11px ${fontFamily}`;
    this.drawCurves(context, color, width, height);
    this.words();
  }

  /** @param {CanvasRenderingContext2D} context @param {string} ink @param {number} width @param {number} height */
  drawCurves(context, ink, width, height) {
    const { store } = this;
    const seen = store.zoom ?? store.span;
    context.fillStyle = ink;
    if (!seen) {
      context.textAlign = "center";
      context.fillText(store.state === "waiting" ? "waiting for the kernel" : "no values yet", width / 2, height / 2);
      return;
    }
    const [from, to] = seen;
    const curves = store.drawn.map(({ steps, ...curve }) => ({
      ...curve, steps: steps.filter(([number]) => (number + 1) * store.width >= from && number * store.width <= to),
    }));
    if (store.relative) for (const curve of curves) curve.steps = inPercent(curve.steps);
    const lows = curves.flatMap(({ steps }) => steps.map(([, low]) => low));
    const highs = curves.flatMap(({ steps }) => steps.map(([, , high]) => high));
    let low = lows.length ? lows.reduce((one, other) => Math.min(one, other)) : 0;
    let high = highs.length ? highs.reduce((one, other) => Math.max(one, other)) : 1;
    const room = (high - low) * 0.05 || Math.abs(high) * 0.01 || 1;
    low -= room;
    high += room;
    const x = (/** @type {number} */ number) => LEFT + ((number + 0.5) * store.width - from) / (to - from) * (width - LEFT - RIGHT);
    const y = (/** @type {number} */ value) => height - BOTTOM - (value - low) / (high - low) * (height - TOP - BOTTOM);
    this.drawAxes(context, ink, width, height, { from, to, low, high, y });
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT - RIGHT, height - BOTTOM + 1);
    context.clip();
    curves.forEach(({ steps }, place) => drawCurve(context, steps, CURVE_COLOURS[place % CURVE_COLOURS.length], x, y));
    context.restore();
    this.drawPointer(context, ink, width, height, curves, { from, to });
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {string} ink @param {number} width @param {number} height
   * @param {{ from: number, to: number, low: number, high: number, y: (value: number) => number }} axes
   */
  drawAxes(context, ink, width, height, { from, to, low, high, y }) {
    context.strokeStyle = ink;
    context.fillStyle = ink;
    context.lineWidth = 1;
    context.textAlign = "right";
    for (let line = 0; line <= 4; line += 1) {
      const value = low + (high - low) * line / 4, at = Math.round(y(value)) + 0.5;
      context.globalAlpha = 0.18;
      context.beginPath();
      context.moveTo(LEFT, at);
      context.lineTo(width - RIGHT, at);
      context.stroke();
      context.globalAlpha = 0.8;
      context.fillText(this.store.relative ? `${figure(Number(value.toPrecision(3)))} %` : figure(value), LEFT - 6, at + 3);
    }
    for (let line = 0; line <= 4; line += 1) {
      context.textAlign = line === 0 ? "left" : line === 4 ? "right" : "center";
      const at = LEFT + (width - LEFT - RIGHT) * line / 4;
      context.fillText(this.clock(from + (to - from) * line / 4, to - from), at, height - 6);
    }
    context.globalAlpha = 1;
  }

  /**
   * The place that the pointer is at: the time, and the value of each curve there.
   * @param {CanvasRenderingContext2D} context @param {string} ink @param {number} width @param {number} height
   * @param {Curve[]} curves @param {{ from: number, to: number }} axes
   */
  drawPointer(context, ink, width, height, curves, { from, to }) {
    if (this.pointer === null) return;
    const at = LEFT + this.pointer * (width - LEFT - RIGHT);
    if (this.dragged !== null) {
      const begun = LEFT + this.dragged * (width - LEFT - RIGHT);
      context.fillStyle = CURVE_COLOURS[0];
      context.globalAlpha = 0.15;
      context.fillRect(Math.min(at, begun), TOP, Math.abs(at - begun), height - TOP - BOTTOM);
      context.globalAlpha = 1;
    }
    context.strokeStyle = ink;
    context.globalAlpha = 0.4;
    context.beginPath();
    context.moveTo(at, TOP);
    context.lineTo(at, height - BOTTOM);
    context.stroke();
    context.globalAlpha = 1;
    const time = from + (to - from) * this.pointer, number = Math.floor(time / this.store.width);
    const values = curves.map(({ name, steps }) => {
      const step = steps.filter((each) => each[0] <= number).pop();
      return step ? `${name} ${figure(step[3])}${this.store.relative ? " %" : ""}` : "";
    });
    context.fillStyle = ink;
    context.textAlign = this.pointer > 0.5 ? "right" : "left";
    const words = [this.clock(time, 0), ...values.filter(Boolean)];
    words.forEach((line, place) => context.fillText(line, at + (this.pointer !== null && this.pointer > 0.5 ? -6 : 6), TOP + 12 + 14 * place));
  }

  /** @param {number} seconds since the start @param {number} span */
  clock(seconds, span) {
    const moment = new Date((this.store.start + seconds) * 1000);
    const words = moment.toTimeString().slice(0, 8);
    return span > 5 ? words : `${words}.${String(moment.getMilliseconds()).padStart(3, "0").slice(0, 1)}`;
  }

  /** Title, legend, buttons and the texts that stand for the picture. */
  words() {
    const { store } = this;
    const curves = store.drawn;
    setText(this.title, store.title);
    setText(this.pause, store.paused ? "Resume" : "Pause");
    this.pause.setAttribute("aria-pressed", String(Boolean(store.paused)));
    this.percent.setAttribute("aria-pressed", String(store.relative));
    this.all.disabled = !store.zoom;
    this.element.dataset.state = store.paused ? "paused" : store.state;
    this.element.dataset.values = String(curves.reduce((sum, { count }) => sum + count, 0));
    this.element.dataset.zoomed = String(Boolean(store.zoom));
    setText(this.notes, [store.state === "ended" ? "the stream has ended" : "", ...store.notes].filter(Boolean).join(" · "));
    const told = curves.map(({ name, steps, count }) => ({
      name, count, last: steps[steps.length - 1][3], low: Math.min(...steps.map(([, low]) => low)), high: Math.max(...steps.map(([, , high]) => high)),
    }));
    this.legend.replaceChildren(...told.map(({ name, last }, place) => {
      const sign = make("i");
      sign.style.background = CURVE_COLOURS[place % CURVE_COLOURS.length];
      return make("span", { class: "entry" }, sign, `${name} ${figure(last)}`);
    }));
    this.table.replaceChildren(...told.map(({ name, last, low, high, count }) =>
      tableRow("td", [name, figure(last), figure(low), figure(high), count.toLocaleString("en-US")])));
    if (Date.now() - this.said < SAID_EVERY) return;
    this.said = Date.now();
    const summary = told.map(({ name, last, low, high }) => `${name} ${figure(last)}, from ${figure(low)} to ${figure(high)}`).join("; ");
    this.canvas.setAttribute("aria-label", `${store.title}: ${summary || "no values yet"}`);
  }
}

/**
 * The line of the last values, over the band from the lowest to the highest.
 * @param {CanvasRenderingContext2D} context @param {Step[]} steps @param {string} colour
 * @param {(number: number) => number} x @param {(value: number) => number} y
 */
function drawCurve(context, steps, colour, x, y) {
  if (!steps.length) return;
  context.fillStyle = context.strokeStyle = colour;
  context.globalAlpha = 0.18;
  context.beginPath();
  steps.forEach(([number, , high]) => context.lineTo(x(number), y(high)));
  [...steps].reverse().forEach(([number, low]) => context.lineTo(x(number), y(low)));
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  steps.forEach(([number, , , last]) => context.lineTo(x(number), y(last)));
  context.stroke();
  const [number, , , last] = steps[steps.length - 1];
  context.beginPath();
  context.arc(x(number), y(last), 2.5, 0, 2 * Math.PI);
  context.fill();
}

/**
 * Steps as changes in percent since the first of them; as they are where that began with nothing.
 * @param {Step[]} steps
 * @returns {Step[]}
 */
function inPercent(steps) {
  const base = steps.length ? steps[0][3] : 0;
  if (!base) return steps;
  const change = (/** @type {number} */ value) => 100 * (value - base) / Math.abs(base);
  return steps.map(([number, low, high, last]) => [number, change(low), change(high), change(last)]);
}

/** @param {number} value */
function figure(value) {
  const size = Math.abs(value);
  if (size >= 1e9 || (size && size < 1e-3)) return value.toPrecision(4);
  return value.toLocaleString("en-US", { maximumSignificantDigits: Number.isInteger(value) ? 21 : 6 });
}

/** @param {"td" | "th"} tag @param {string[]} cells */
const tableRow = (tag, cells) => make("tr", {}, ...cells.map((text) => make(tag, {}, text)));
