/* ---- Panel: one view ------------------------------------------------------------------------------------- */

class Panel {
  constructor(store, model, host) {
    this.store = store;
    this.model = model;
    this.list = new List(this);
    this.header = new Header(this);
    this.forms = new Forms(this);
    this.toolbar = new Toolbar(this);
    this.sendBox = new SendBox(this);
    this.counters = span("counters");
    this.showAll = button("show cleared rows", () => this.list.unclear(), { class: "more" });
    this.note = make("span", { class: "note", role: "status" });
    this.live = make("div", { class: "unseen", "aria-live": "polite" });
    const footer = make("div", { class: "footer" }, this.counters, this.showAll, this.note);
    const parts = [this.header, this.forms, this.toolbar, this.list].map(({ element }) => element);
    this.element = make("div", {
      class: "ipyws-panel", role: "region", "aria-label": "WebSocket panel", "data-draws": 0,
    }, ...parts, footer, this.sendBox.element, this.live);
    // Without this JupyterLab takes keys pressed here for its own: "x" would cut the cell. It asks the focused
    // element itself, not those around it.
    this.element.addEventListener("focusin", ({ target }) => {
      target.dataset.lmSuppressShortcuts = "true";
    });
    this.setHeight = () => this.element.style.setProperty("--height", `${model.get("height") || 380}px`);
    model.on("change:height", this.setHeight);
    this.setHeight();
    host.append(this.element);
    store.views.add(this);
    this.refresh();
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.ticker);
    this.model.off("change:height", this.setHeight);
    this.store.views.delete(this);
    this.list.dispose();
    this.element.remove();
    if (!this.store.views.size) this.store.drawn();
  }

  /* What the store tells */

  onCard() { this.refresh(); }
  onFilter() { this.refresh(); }
  onReset(healed) { this.list.onReset(healed); }
  beforeDrop(surplus) { this.list.beforeDrop(surplus); }

  onRows() {
    this.redraw();
    this.ticker ??= setTimeout(() => this.refresh(), TICK);
  }

  /* Drawing */

  /** Draw the list in the next frame, once, however often this is called until then. */
  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.list.draw();
      this.publish();
      this.store.drawn();
    });
  }

  /** Bring everything but the rows up to date, and the rows with the next frame. */
  refresh() {
    clearTimeout(this.ticker);
    this.ticker = null;
    for (const part of [this.header, this.forms, this.toolbar, this.list, this.sendBox]) part.refresh();
    this.refreshFooter();
    this.element.dataset.state = this.store.state;
    this.element.classList.toggle("read-only", this.store.readOnly);
    this.element.classList.toggle("no-templates", this.store.card?.templates === false);
    const there = { kernel: true, open: this.store.isOpen, connection: this.store.isClosable };
    for (const control of this.element.querySelectorAll("[data-needs]"))
      control.disabled = this.store.gone || !there[control.dataset.needs];
    this.redraw();
  }

  /** Where every message went. */
  refreshFooter() {
    const { store, list } = this;
    const { counts, evicted } = store;
    const rows = (list.held ?? store.rows).slice(list.hidden).filter(({ kind }) => kind !== "gap");
    const gone = rows.filter(({ connection, seq }) => seq < (evicted[connection] ?? 0)).length;
    const shown = `${count(rows.length)} shown${gone ? ` (${count(gone)} of them evicted since)` : ""}`;
    const all = counts ? ["received", "sent", "kept"].map((field) => `${count(counts[field])} ${field}`) : [];
    const matching = store.isFiltered ? [`${count(store.matched)} of ${count(store.total)} match`] : [];
    const given = counts ? [`${count(Object.values(evicted).reduce((sum, one) => sum + one, 0))} evicted`] : [];
    setText(this.counters, [...all, shown, ...given, ...matching].join(" · "));
    this.showAll.hidden = !list.hidden;
  }

  /** What tests look at. */
  publish() {
    const { list, store } = this;
    const last = Math.max(0, ...list.drawnRows.keys());
    const { dataset } = this.element;
    const values = { rows: store.rows.length, shown: list.drawnRows.size, last, draws: Number(dataset.draws) + 1 };
    Object.assign(dataset, values);
  }

  /* Talking to the user */

  announce(text) { this.live.textContent = text; }
  say(text) { this.note.textContent = text; }

  /** Show how a request went. */
  answer(result, done = "") {
    if (result.ok) this.say(done || result.text || "");
    else this.sendBox.problem.show(result);
  }

  async copy(text, label = "") {
    const done = await copyText(text, this.element);
    this.say(done ? `Copied ${label || plural(text.length, "character")}` : "The browser does not allow copying here");
  }
}

/* ---- The widget ------------------------------------------------------------------------------------------ */

export default () => {
  let store;
  return {
    initialize({ model }) {
      store = new Store(model);
      return () => store.dispose();
    },
    render({ model, el }) {
      const panel = new Panel(store, model, el);
      return () => panel.dispose();
    },
  };
};
