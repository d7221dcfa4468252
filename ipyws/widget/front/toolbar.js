/* ---- Toolbar --------------------------------------------------------------------------------------------- */

const CODE = [
  ["%ws cell", "ws"], ["Python", "python"], ["Python, websockets", "websockets"],
  ["wscat", "wscat"], ["websocat", "websocat"], ["curl, the handshake", "curl"],
];
const EXPORTS = [["JSON lines", "jsonl"], ["HAR", "har"], ["CSV", "csv"], ["Text", "text"]];

/** @type {["in" | "out" | "control" | "fold", string, string][]} */
const KINDS = [
  ["in", "↓ in", "Show what was received"],
  ["out", "↑ out", "Show what was sent"],
  ["control", "control", "Show open, ping, pong, close and breaches"],
  ["fold", "fold heartbeats", "Count what only shows that the other end lives, rather than show it"],
];

class Toolbar {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.search = make("input", {
      class: "field search", type: "search", placeholder: "Filter: text or /regex/", "aria-label": "Filter messages",
      autocomplete: "off", spellcheck: "false", "data-needs": "kernel",
      oninput: (event) => this.store.setFilter({ typed: event.target.value }),
    });
    this.kinds = new Map(KINDS.map(([kind, label, title]) => [kind, this.kindButton(kind, label, title)]));
    const { list } = panel;
    this.pause = button("Pause", () => list.pause(), { title: "Stop drawing; everything is still recorded (Space)" });
    this.follow = button("Follow", () => (list.follow ? list.setFollow(false) : list.toNewest()), {
      title: "Keep the newest row in view (End)",
    });
    this.problem = new Problem();
    const exports = menu("Export…", EXPORTS.map(([label, what]) => [label, () => this.export(what)]));
    exports.classList.add("exports");
    this.element = make("div", {
      class: "toolbar", role: "toolbar", "aria-label": "Messages", onkeydown: (event) => this.onKey(event),
    },
      this.search, ...this.kinds.values(), span("gap"), this.pause, this.follow,
      button("Clear", () => list.clear(), { title: "Hide the rows up to now; the log keeps them" }),
      menu("Copy as…", CODE.map(([label, what]) => [label, () => this.copyAs(label, what)])),
      exports, this.problem.element);
  }

  /**
   * @param {"in" | "out" | "control" | "fold"} kind
   * @param {string} label
   * @param {string} title
   */
  kindButton(kind, label, title) {
    const toggle = () => this.store.setFilter({ [kind]: !this.store.filter[kind] });
    return button(label, toggle, { needs: "kernel", title, "data-kind": kind });
  }

  refresh() {
    const { list } = this.panel;
    /** @type {(element: Element, on: boolean) => void} */
    const pressed = (element, on) => element.setAttribute("aria-pressed", String(on));
    pressed(this.pause, list.paused);
    pressed(this.follow, list.follow && !list.paused);
    setText(this.pause, !list.paused ? "Pause" : list.fresh ? `Resume (${count(list.fresh)} new)` : "Resume");
    for (const [kind, element] of this.kinds) pressed(element, this.store.filter[kind]);
    if (this.search.value !== this.store.filter.typed) this.search.value = this.store.filter.typed;
    if (this.store.filterError) this.problem.show(this.store.filterError);
    else this.problem.hide();
    this.search.setAttribute("aria-invalid", String(Boolean(this.store.filterError)));
  }

  /**
   * @param {string} label
   * @param {string} what
   */
  copyAs(label, what) {
    const sent = this.panel.list.rows.filter(({ arrow }) => arrow === "↑");
    const selected = sent.filter(({ id }) => id === this.panel.list.selected);
    const rows = (selected.length ? selected : sent).map(({ id }) => id);
    this.store.request({ type: "copy", what, rows }, (answer) =>
      answer.ok === false ? this.panel.answer(answer) : this.panel.copy(answer.text, label));
  }

  /** @param {string} what */
  export(what) {
    const name = this.store.merged ? "all" : (this.store.shownCard?.name ?? "log");
    this.store.request({ type: "export", what }, (answer) => {
      if (answer.ok) download(answer.text, `${name}.${what === "text" ? "txt" : what}`);
      this.panel.answer(answer, "Exported");
    });
  }

  /**
   * ← and → move between the buttons, as in every toolbar.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (!step || event.target === this.search) return;
    const all = this.element.querySelectorAll(/** @type {"button"} */ (":is(button, summary, input):not(:disabled)"));
    const stops = [...all].filter((stop) => stop.checkVisibility());
    stops[stops.findIndex((stop) => stop === event.target) + step]?.focus();
    event.preventDefault();
  }
}
