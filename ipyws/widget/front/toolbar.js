/* ---- Toolbar --------------------------------------------------------------------------------------------- */

const CODE = [
  ["%ws cell", "ws"], ["Python", "python"], ["Python, websockets", "websockets"],
  ["wscat", "wscat"], ["websocat", "websocat"], ["curl, the handshake", "curl"],
];
const EXPORTS = [["JSON lines", "jsonl"], ["HAR", "har"], ["CSV", "csv"], ["Text", "text"]];

/** @typedef {"in" | "out" | "control" | "fold" | "only"} Kind */
/** @type {[Kind, string, string][]} */
const KINDS = [
  ["in", "↓ in", "Show what was received"],
  ["out", "↑ out", "Show what was sent"],
  ["control", "control", "Show open, ping, pong, close and breaches"],
  ["fold", "fold heartbeats", "Count what only shows that the other end lives, rather than show it"],
  ["only", "only matches", "Leave out what does not match; off, it stays, and matches are marked"],
];

class Toolbar {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.search = make("input", {
      class: "field search", type: "search", "aria-label": "Filter messages",
      placeholder: 'Find text, /regex/, json["type"] == "error"',
      title: "Enter goes to the next match, Shift+Enter to the one before, Escape back to the messages",
      onkeydown: (event) => this.onSearchKey(event),
      autocomplete: "off", spellcheck: "false", "data-needs": "kernel",
      oninput: (event) => this.store.setFilter({ typed: event.target.value }),
    });
    this.kinds = new Map(KINDS.map(([kind, label, title]) => [kind, this.kindButton(kind, label, title)]));
    const { list } = panel;
    const jump = (/** @type {1 | -1} */ step) => () => list.jump(step);
    const shared = { needs: "kernel", class: "button jump" };
    const [before, after] = ["Match before (Shift+N)", "Next match (N)"];
    this.hits = make("span", { class: "dim hits" });
    this.jumps = make("span", { class: "jumps" }, this.hits,
      button("↑", jump(-1), { ...shared, title: before, "aria-label": before }),
      button("↓", jump(1), { ...shared, title: after, "aria-label": after }));
    this.pause = button("Pause", () => list.pause(), { title: "Stop drawing; everything is still recorded (Space)" });
    this.follow = button("Follow", () => (list.follow ? list.setFollow(false) : list.toNewest()), {
      title: "Keep the newest row in view (End)",
    });
    this.problem = new Problem();
    const exports = menu("Export…", EXPORTS.map(([label, what]) => [label, () => this.export(what)]));
    exports.classList.add("exports");
    this.copying = make("span", { class: "group" },
      menu("Copy as…", CODE.map(([label, what]) => [label, () => this.copyAs(label, what)])), exports);
    this.element = make("div", {
      class: "toolbar", role: "toolbar", "aria-label": "Messages", onkeydown: (event) => this.onKey(event),
    },
      make("span", { class: "group finding" }, this.search, this.jumps, this.kind("only")),
      make("span", { class: "group" }, this.kind("in"), this.kind("out"), this.kind("control"), this.kind("fold")),
      span("gap"),
      make("span", { class: "group" }, this.pause, this.follow,
        button("Clear", () => list.clear(), { title: "Hide the rows up to now; the log keeps them" })),
      this.copying, this.problem.element);
  }

  /** @param {Kind} kind */
  kind(kind) { return /** @type {HTMLElement} */ (this.kinds.get(kind)); }

  /** @param {KeyboardEvent} event */
  onSearchKey(event) {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") this.panel.list.viewport.focus();
    else this.panel.list.jump(event.shiftKey ? -1 : 1);
  }

  refreshHits() {
    const { filter } = this.store;
    this.jumps.hidden = this.kind("only").hidden = !filter.typed;
    if (!filter.typed) return;
    const { at, of } = this.panel.list.hits;
    setText(this.hits, at ? `${count(at)} of ${count(of)}` : count(of));
  }

  /**
   * @param {Kind} kind
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
    else if (this.failed) this.problem.show({ message: "no message matches", hint: `the expression failed: ${this.store.failure}` });
    else this.problem.hide();
    this.refreshHits();
    this.search.setAttribute("aria-invalid", String(Boolean(this.store.filterError)));
  }

  /** Whether an expression found nothing because it raised. */
  get failed() { return Boolean(this.store.failure && !this.store.matched && this.store.sieve.where); }

  /**
   * @param {string} label
   * @param {string} what
   */
  copyAs(label, what) {
    const { list } = this.panel;
    const sent = list.rows.filter(({ arrow }) => arrow === "↑");
    const chosen = list.chosen.size ? sent.filter((row) => list.chosen.has(keyOf(row))) : [];
    const selected = chosen.length ? chosen : sent.filter(({ id }) => id === list.selected);
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
