/* ---- Selection: what can be done with several rows ------------------------------------------------------- */

class Chosen {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.words = span("dim");
    this.element = make("div", { class: "selection", role: "group", "aria-label": "Selected rows", hidden: true },
      this.words,
      button("Copy payloads", () => this.copyPayloads(), { class: "more" }),
      button("Copy rows", () => this.copyRows(), { class: "more" }),
      button("Unselect", () => {
        panel.list.unchoose();
        panel.list.viewport.focus();
      }, { class: "more" }));
  }

  refresh() {
    const { size } = this.panel.list.chosen;
    this.element.hidden = !size;
    setText(this.words, `${plural(size, "row")} selected`);
  }

  /** Copy what the messages hold, one after the other. */
  async copyPayloads() {
    const rows = this.panel.list.chosenRows;
    const texts = await Promise.all(rows.slice(0, COPIED_ROWS).map((row) => this.payload(row)));
    const left = rows.length > COPIED_ROWS ? `, the first of ${count(rows.length)}` : "";
    await this.panel.copy(texts.join("\n"), `${plural(texts.length, "payload")}${left}`);
  }

  /**
   * @param {protocol.Row} row
   * @returns {Promise<string>}
   */
  payload(row) {
    if (!row.more) return Promise.resolve(row.preview);
    return new Promise((use) => this.panel.store.payload(row.id, (payload) =>
      use(payload.gone ? row.preview : bodyText(payload.shown))));
  }

  /** Copy the lines as they stand. */
  async copyRows() {
    const { merged } = this.panel.store;
    const line = (/** @type {protocol.Row} */ row) =>
      [row.time, row.arrow, ...(merged ? [row.connection] : []), row.label, row.preview].filter(Boolean).join("  ");
    const rows = this.panel.list.chosenRows;
    await this.panel.copy(rows.map(line).join("\n"), plural(rows.length, "row"));
  }
}
