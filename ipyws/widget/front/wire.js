/* ---- Frames as they were on the wire --------------------------------------------------------------------- */

/**
 * @typedef {{ number: number, dial: number, time: string, arrow: string, name: string, flags: string, size: string,
 *   words: string, control: boolean }} WireFrame
 * @typedef {{ dial: number, time: string, request: string, response: string, ended: string }} WireHandshake
 * @typedef {{ rows: [number, string, string][][], fields: [string, string, string][], notes: string[], bytes: string }} Drawn
 * @typedef {{ key: string, frame?: WireFrame, handshake?: WireHandshake }} Entry
 */

const FRAMES_EVERY = 700; // ms between two lists while the pane is open
const BITS = 32; // on one row of the diagram (RFC 6455 section 5.2)

/** The list of frames and the diagram of the one that is chosen; arrow keys step through both. */
class FramesPane {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.isOpen = false;
    this.asking = false;
    this.asked = 0; // when the list was last asked for
    this.news = ""; // how far the list is
    this.shown = ""; // the connection that the list is of
    this.entries = /** @type {Entry[]} */ ([]);
    this.chosen = /** @type {string | null} */ (null); // the key of an entry
    this.field = 0;
    this.drawn = /** @type {Drawn | null} */ (null);
    this.id = uniqueId();
    this.toggle = button("Frames", () => this.setOpen(!this.isOpen), {
      needs: "kernel", title: "Show the frames as they were on the wire", "aria-pressed": "false", "data-frames": true,
    });
    panel.toolbar.copying.append(this.toggle);
    this.list = make("div", {
      class: "wire-list", role: "listbox", tabindex: "0", "aria-label": "Frames, ↑ ↓ step, ← → go through the fields",
      onkeydown: (event) => this.onKey(event), onclick: (event) => this.onClick(event),
    });
    this.detail = make("div", { class: "wire-detail" });
    this.meaning = make("div", { class: "wire-meaning", role: "status" });
    this.element = make("div", {
      class: "wire", role: "group", "aria-label": "Frames on the wire", hidden: true,
    }, this.list, make("div", { class: "wire-side" }, this.meaning, this.detail));
  }

  /** @param {boolean} isOpen */
  setOpen(isOpen) {
    this.isOpen = isOpen;
    this.element.hidden = !isOpen;
    this.toggle.setAttribute("aria-pressed", String(isOpen));
    if (isOpen) this.ask(true);
    else this.toggle.focus();
  }

  /** Whether the connection that is shown keeps its frames. */
  get isKept() { return !this.store.merged && Boolean(this.store.shownCard?.badges.includes("wire")); }

  refresh() {
    this.toggle.hidden = !this.isKept;
    if (this.isOpen && !this.isKept) this.setOpen(false);
    const name = this.store.card?.shown ?? "";
    if (name !== this.shown) Object.assign(this, { shown: name, news: "", entries: [], chosen: null, drawn: null });
    if (this.isOpen && !this.store.gone) this.ask(false);
  }

  /** @param {boolean} focus */
  ask(focus) {
    if (this.asking || (!focus && Date.now() - this.asked < FRAMES_EVERY)) return;
    this.asking = true;
    this.asked = Date.now();
    this.store.request({ type: "frames" }, (answer) => {
      this.asking = false;
      if (!answer.ok) return this.panel.answer(answer);
      this.take(JSON.parse(answer.text));
      if (focus) this.list.focus();
    });
  }

  /** @param {{ total: number, handshakes: WireHandshake[], frames: WireFrame[] }} found */
  take({ total, handshakes, frames }) {
    const ended = handshakes.map((one) => one.ended).join();
    const news = `${total} ${ended}`;
    if (news === this.news && this.entries.length) return;
    this.news = news;
    const follows = this.chosen === null || this.chosen === this.entries.at(-1)?.key;
    /** @type {Entry[]} */
    const entries = [];
    let dial = 0;
    for (const frame of frames) {
      entries.push(...this.handshakesOf(handshakes, dial, frame.dial));
      entries.push({ key: `f${frame.number}`, frame });
      dial = frame.dial;
    }
    entries.push(...this.handshakesOf(handshakes, dial, Infinity));
    this.entries = entries;
    this.list.replaceChildren(...entries.map((entry) => this.option(entry)));
    if (follows || !entries.some(({ key }) => key === this.chosen)) this.choose(entries.length - 1);
    else this.mark();
  }

  /**
   * The handshakes of the dials behind one, up to another.
   * @param {WireHandshake[]} handshakes
   * @param {number} after
   * @param {number} upTo
   * @returns {Entry[]}
   */
  handshakesOf(handshakes, after, upTo) {
    return handshakes.filter(({ dial }) => dial > after && dial <= upTo)
      .map((handshake) => ({ key: `h${handshake.dial}`, handshake }));
  }

  /** @param {Entry} entry */
  option({ key, frame, handshake }) {
    const words = frame ? frame.words : `${firstLine(handshake?.request)} → ${firstLine(handshake?.response) || "…"}`;
    const cells = frame
      ? [String(frame.number), frame.time, frame.arrow, frame.name, frame.flags, frame.size]
      : ["", handshake?.time ?? "", "⇅", "handshake", "", ""];
    const row = make("div", { class: "wire-row", role: "option", id: `${this.id}-${key}`, "data-key": key },
      ...cells.map((cell) => span("", cell)), span("wire-words", words));
    row.classList.add(frame?.arrow === "↑" ? "out" : frame ? "in" : "shake");
    row.classList.toggle("control", Boolean(frame?.control));
    return row;
  }

  get place() { return this.entries.findIndex(({ key }) => key === this.chosen); }

  /** @param {number} place */
  choose(place) {
    const entry = this.entries[Math.max(0, Math.min(place, this.entries.length - 1))];
    if (!entry) return;
    this.chosen = entry.key;
    this.mark();
    const { frame, handshake } = entry;
    if (handshake) {
      this.drawn = null;
      const whole = [handshake.request, handshake.response, handshake.ended].filter(Boolean).join("\n\n");
      this.meaning.textContent = "The handshake: HTTP, until the server agrees to WebSocket with 101";
      this.detail.replaceChildren(make("pre", {}, whole));
    } else if (frame) {
      this.store.request({ type: "frame", number: frame.number }, (answer) => {
        if (this.chosen !== entry.key) return; // stepped on meanwhile
        if (!answer.ok) return void this.panel.answer(answer);
        this.drawn = JSON.parse(answer.text);
        this.draw();
      });
    }
  }

  /** Show which entry is chosen, and have it in view. */
  mark() {
    for (const row of this.list.children) row.setAttribute("aria-selected", String(/** @type {HTMLElement} */ (row).dataset.key === this.chosen));
    const row = this.list.children[this.place];
    this.list.setAttribute("aria-activedescendant", row?.id ?? "");
    row?.scrollIntoView({ block: "nearest" });
  }

  draw() {
    const { drawn } = this;
    if (!drawn) return;
    const grid = make("div", { class: "wire-grid", "aria-hidden": "true" });
    for (const row of drawn.rows)
      for (const [bits, name, value] of row) {
        const cell = make("div", { class: "wire-cell", "data-field": name.replace(/ continued$/, "") },
          span("wire-name", name), span("wire-value", value));
        cell.style.gridColumn = `span ${Math.min(bits, BITS)}`;
        cell.classList.toggle("bit", bits === 1);
        grid.append(cell);
      }
    const table = make("table", { class: "wire-fields" }, make("tbody", {}, ...drawn.fields.map(([name, value, meaning]) =>
      make("tr", { "data-field": name }, make("th", { scope: "row" }, name), make("td", {}, value), make("td", {}, meaning)))));
    const notes = drawn.notes.map((note) => make("div", {}, note));
    this.detail.replaceChildren(grid, table, ...notes, make("pre", {}, drawn.bytes));
    this.light();
  }

  /** Light the field that was stepped to, and say what it means. */
  light() {
    if (!this.drawn) return;
    const { fields } = this.drawn;
    this.field = Math.max(0, Math.min(this.field, fields.length - 1));
    const [name, value, meaning] = fields[this.field];
    for (const part of this.detail.querySelectorAll(/** @type {"div"} */ ("[data-field]")))
      part.classList.toggle("lit", part.dataset.field === name);
    this.meaning.textContent = `${name} ${value}${meaning ? `: ${meaning}` : ""}`;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.choose(this.place + 1),
      ArrowUp: () => this.choose(this.place - 1),
      PageDown: () => this.choose(this.place + 10),
      PageUp: () => this.choose(this.place - 10),
      Home: () => this.choose(0),
      End: () => this.choose(this.entries.length - 1),
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      Escape: () => this.setOpen(false),
    };
    const run = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  }

  /** @param {number} by */
  step(by) {
    this.field += by;
    this.light();
  }

  /** @param {MouseEvent} event */
  onClick({ target }) {
    const row = target instanceof Element ? target.closest("[data-key]") : null;
    if (row instanceof HTMLElement) this.choose(this.entries.findIndex(({ key }) => key === row.dataset.key));
  }
}

/** The first line of a text. */
const firstLine = (text = "") => text.split("\n", 1)[0];
