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
    this.area = /** @type {HTMLElement | null} */ (null); // the Output View that it is in
    this.fitting = new ResizeObserver(() => this.fit());
    this.was = ""; // the state that was told last
    this.list = new List(this);
    this.header = new Header(this);
    this.forms = new Forms(this);
    this.toolbar = new Toolbar(this);
    this.sendBox = new SendBox(this);
    this.frames = new FramesPane(this);
    this.chart = new ChartPane(this);
    this.selection = new Chosen(this);
    this.counters = span("counters");
    this.unfold = button("", () => store.setFilter({ fold: false }), { class: "more", title: "Show them" });
    this.showAll = button("show cleared rows", () => this.list.unclear(), { class: "more" });
    this.note = make("span", { class: "note", role: "status" });
    this.live = make("div", { class: "unseen", "aria-live": "polite" });
    const footer = make("div", { class: "footer" }, this.counters, this.unfold, this.showAll, this.selection.element, this.note);
    const parts = [this.header, this.forms, this.toolbar, this.list].map(({ element }) => element);
    this.element = make("div", {
      class: "ipyws-panel", role: "region", "aria-label": "WebSocket panel", "data-draws": 0,
    }, ...parts, this.frames.element, this.chart.element, footer, this.sendBox.element, this.live);
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

  /**
   * In an Output View of JupyterLab be as high as that is: else it and the list would both have a scroll bar.
   */
  fit() {
    if (!this.area) {
      this.area = /** @type {HTMLElement | null} */ (this.element.closest(".jp-LinkedOutputView"));
      if (this.area) this.fitting.observe(this.area);
    }
    if (!this.area?.clientHeight) return;
    const around = this.element.offsetHeight - this.list.viewport.offsetHeight + OUTPUT_PADDING;
    const height = `${Math.max(LOWEST_LIST, this.area.clientHeight - around)}px`;
    if (this.element.style.getPropertyValue("--height") !== height) this.element.style.setProperty("--height", height);
  }

  dispose() {
    this.fitting.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.ticker);
    this.model.off("change:height", this.setHeight);
    this.store.views.delete(this);
    this.list.dispose();
    this.chart.dispose();
    this.element.remove();
    if (!this.store.views.size) this.store.drawn();
  }

  /* What the store tells */

  onCard() {
    const { state } = this.store;
    if (state === "open" && this.was !== "open") this.forgetProblems(); // they are of the connection before
    this.was = state;
    this.refresh();
  }
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
    const { header, forms, toolbar, list, sendBox, frames, chart, selection } = this;
    for (const part of [header, forms, toolbar, list, sendBox, frames, chart, selection]) part.refresh();
    this.refreshFooter();
    this.element.dataset.state = this.store.state;
    this.element.classList.toggle("read-only", this.store.readOnly);
    this.element.classList.toggle("no-templates", this.store.card?.templates === false);
    const { isOpen: open, isClosable: connection, isReopenable: closed } = this.store;
    /** @type {Record<string, boolean>} */
    const there = { kernel: true, open, connection, closed };
    for (const control of this.element.querySelectorAll(/** @type {"button"} */ ("[data-needs]")))
      control.disabled = this.store.gone || !there[control.dataset.needs ?? ""];
    this.fit();
    this.redraw();
  }

  /** Where every message went. */
  refreshFooter() {
    const { store, list } = this;
    const { counts, evicted } = store;
    const drawn = (list.held ?? store.rows).slice(list.hidden).filter(({ kind }) => kind !== "gap");
    const rows = store.isFiltered ? drawn : drawn.filter(({ connection }) => !store.isEarlier(connection));
    const before = drawn.length - rows.length;
    const gone = rows.filter(({ connection, seq }) => seq < (evicted[connection] ?? 0)).length;
    const shown = `${count(rows.length)} ${store.isFiltered ? "of them " : ""}shown${gone ? ` (${count(gone)} of them evicted since)` : ""}`;
    const fields = /** @type {const} */ (["received", "sent", "kept"]);
    const all = counts ? fields.map((field) => `${count(counts[field])} ${field}`) : [];
    const matching = `${count(store.matched)} of ${count(store.total)} match`;
    const earlier = before ? [`${count(before)} from before it was opened again`] : [];
    const words = store.isFiltered ? [`${matching}, ${shown}`] : [shown, ...earlier, ...(store.filter.typed ? [matching] : [])];
    this.unfold.hidden = !store.folded;
    setText(this.unfold, `${plural(store.folded, "heartbeat")} folded`);
    const given = counts ? [`${count(Object.entries(evicted).reduce((sum, [name, one]) => sum + (store.isEarlier(name) ? 0 : one), 0))} evicted`] : [];
    setText(this.counters, (store.isFiltered ? [...words, ...all, ...given] : [...all, ...words, ...given]).join(" · "));
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

  forgetProblems() {
    this.say("");
    this.sendBox.problem.hide();
    this.header.problem.hide();
  }

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
