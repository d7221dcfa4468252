/* ---- Panel: one view ------------------------------------------------------------------------------------- */

class Panel {
  /**
   * @param {Store} store
   * @param {Model} model
   * @param {Element} host
   */
  constructor(store, model, host) {
    this.store = store;
    this.model = model;
    this.frame = 0;
    this.ticker = 0;
    this.list = new List(this);
    this.header = new Header(this);
    this.forms = new Forms(this);
    this.toolbar = new Toolbar(this);
    this.sendBox = new SendBox(this);
    this.frames = new FramesPane(this);
    this.counters = span("counters");
    this.showAll = button("show cleared rows", () => this.list.unclear(), { class: "more" });
    this.note = make("span", { class: "note", role: "status" });
    this.live = make("div", { class: "unseen", "aria-live": "polite" });
    const footer = make("div", { class: "footer" }, this.counters, this.showAll, this.note);
    const parts = [this.header, this.forms, this.toolbar, this.list].map(({ element }) => element);
    this.element = make("div", {
      class: "ipyws-panel", role: "region", "aria-label": "WebSocket panel", "data-draws": 0,
    }, ...parts, this.frames.element, footer, this.sendBox.element, this.live);
    // Without this JupyterLab takes keys pressed here for its own: "x" would cut the cell. It asks the focused
    // element itself, not those around it.
    this.element.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLElement) target.dataset.lmSuppressShortcuts = "true";
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
  /** @param {boolean} healed */
  onReset(healed) { this.list.onReset(healed); }
  /** @param {number} surplus */
  beforeDrop(surplus) { this.list.beforeDrop(surplus); }

  onRows() {
    this.redraw();
    this.ticker ||= setTimeout(() => this.refresh(), TICK);
  }

  /* Drawing */

  /** Draw the list in the next frame, once, however often this is called until then. */
  redraw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.list.draw();
      this.publish();
      this.store.drawn();
    });
  }

  /** Bring everything but the rows up to date, and the rows with the next frame. */
  refresh() {
    clearTimeout(this.ticker);
    this.ticker = 0;
    for (const part of [this.header, this.forms, this.toolbar, this.list, this.sendBox, this.frames]) part.refresh();
    this.refreshFooter();
    this.element.dataset.state = this.store.state;
    this.element.classList.toggle("read-only", this.store.readOnly);
    this.element.classList.toggle("no-templates", this.store.card?.templates === false);
    /** @type {Record<string, boolean>} */
    const there = { kernel: true, open: this.store.isOpen, connection: this.store.isClosable };
    for (const control of this.element.querySelectorAll(/** @type {"button"} */ ("[data-needs]")))
      control.disabled = this.store.gone || !there[control.dataset.needs ?? ""];
    this.redraw();
  }

  /** Where every message went. */
  refreshFooter() {
    const { store, list } = this;
    const { counts, evicted } = store;
    const rows = (list.held ?? store.rows).slice(list.hidden).filter(({ kind }) => kind !== "gap");
    const gone = rows.filter(({ connection, seq }) => seq < (evicted[connection] ?? 0)).length;
    const shown = `${count(rows.length)} shown${gone ? ` (${count(gone)} of them evicted since)` : ""}`;
    const fields = /** @type {const} */ (["received", "sent", "kept"]);
    const all = counts ? fields.map((field) => `${count(counts[field])} ${field}`) : [];
    const matching = store.isFiltered ? [`${count(store.matched)} of ${count(store.total)} match`] : [];
    const folded = store.folded ? [`${plural(store.folded, "heartbeat")} folded`] : [];
    const given = counts ? [`${count(Object.values(evicted).reduce((sum, one) => sum + one, 0))} evicted`] : [];
    setText(this.counters, [...all, shown, ...folded, ...given, ...matching].join(" · "));
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

  /** @param {string} text */
  announce(text) { this.live.textContent = text; }
  /** @param {string} text */
  say(text) { this.note.textContent = text; }

  /**
   * Show how a request went.
   * @param {protocol.Result} result
   */
  answer(result, done = "") {
    if (result.ok) this.say(done || result.text || "");
    else this.sendBox.problem.show(result);
  }

  /** @param {string} text */
  async copy(text, label = "") {
    const done = await copyText(text, this.element);
    this.say(done ? `Copied ${label || plural(text.length, "character")}` : "The browser does not allow copying here");
  }
}
