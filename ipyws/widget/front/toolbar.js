/* ---- Toolbar --------------------------------------------------------------------------------------------- */

const CODE = [["%ws cell", "ws"], ["Python", "python"], ["wscat", "wscat"], ["websocat", "websocat"]];
const EXPORTS = [["JSON lines", "jsonl"], ["HAR", "har"], ["CSV", "csv"], ["Text", "text"]];

const KINDS = [
  ["in", "↓ in", "Show what was received"],
  ["out", "↑ out", "Show what was sent"],
  ["control", "control", "Show open, ping, pong, close and breaches"],
];

class Toolbar {
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.search = make("input", {
      class: "field search", type: "search", placeholder: "Filter: text or /regex/", "aria-label": "Filter messages",
      autocomplete: "off", spellcheck: "false", "data-needs": "kernel",
      oninput: () => this.store.setFilter({ typed: this.search.value }),
    });
    this.kinds = KINDS.map(([kind, label, title]) => this.kindButton(kind, label, title));
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
      this.search, ...this.kinds, span("gap"), this.pause, this.follow,
      button("Clear", () => list.clear(), { title: "Hide the rows up to now; the log keeps them" }),
      menu("Copy as…", CODE.map(([label, what]) => [label, () => this.copyAs(label, what)])),
      exports, this.problem.element);
  }

  kindButton(kind, label, title) {
    const toggle = () => this.store.setFilter({ [kind]: !this.store.filter[kind] });
    return button(label, toggle, { needs: "kernel", title, "data-kind": kind });
  }

  refresh() {
    const { list } = this.panel;
    const pressed = (element, on) => element.setAttribute("aria-pressed", String(on));
    pressed(this.pause, list.paused);
    pressed(this.follow, list.follow && !list.paused);
    setText(this.pause, !list.paused ? "Pause" : list.fresh ? `Resume (${count(list.fresh)} new)` : "Resume");
    for (const kind of this.kinds) pressed(kind, this.store.filter[kind.dataset.kind]);
    if (this.search.value !== this.store.filter.typed) this.search.value = this.store.filter.typed;
    if (this.store.filterError) this.problem.show(this.store.filterError);
    else this.problem.hide();
    this.search.setAttribute("aria-invalid", String(Boolean(this.store.filterError)));
  }

  copyAs(label, what) {
    this.store.request({ type: "copy", what }, (answer) =>
      answer.ok === false ? this.panel.answer(answer) : this.panel.copy(answer.text, label));
  }

  export(what) {
    const name = this.store.merged ? "all" : (this.store.shownCard?.name ?? "log");
    this.store.request({ type: "export", what }, (answer) => {
      if (answer.ok) download(answer.text, `${name}.${what === "text" ? "txt" : what}`);
      this.panel.answer(answer, "Exported");
    });
  }

  /** ← and → move between the buttons, as in every toolbar. */
  onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.target === this.search) return;
    const all = this.element.querySelectorAll(":is(button, summary, input):not(:disabled)");
    const stops = [...all].filter((stop) => stop.checkVisibility());
    stops[stops.indexOf(event.target) + step]?.focus();
    event.preventDefault();
  }
}
