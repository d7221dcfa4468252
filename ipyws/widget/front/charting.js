/* ---- A chart in the panel -------------------------------------------------------------------------------- */

const PANE_HEIGHT = 170; // px of the picture

/** The line that says what is drawn of each message, and the picture of it. */
class ChartPane {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.isOpen = false;
    this.picture = /** @type {Picture | null} */ (null);
    this.toggle = button("Chart", () => this.setOpen(!this.isOpen), {
      needs: "kernel", title: "Draw a number of each message as it changes", "aria-pressed": "false", "data-chart": true,
    });
    panel.toolbar.copying.append(this.toggle);
    this.problem = new Problem();
    this.line = make("input", {
      class: "field", name: "expression", required: "", autocomplete: "off", spellcheck: "false", "data-needs": "kernel",
      "aria-label": "What to draw", placeholder: 'json["price"] by json["symbol"] --last 1m',
      title: "EXPR [by EXPR] [--last DURATION]: Python over msg and json, its value; what stands behind by names the curve",
    });
    this.body = make("div", { class: "charted" });
    this.element = make("form", {
      class: "form chart", "aria-label": "Chart", hidden: true,
      onsubmit: (event) => this.submit(event), onkeydown: (event) => this.onKey(event),
    },
    make("div", { class: "bar" }, this.line, make("button", { class: "button primary", "data-needs": "kernel" }, "Draw"),
      button("Close chart", () => this.setOpen(false))),
    this.problem.element, this.body);
  }

  dispose() { this.picture?.dispose(); }

  /** @param {boolean} isOpen */
  setOpen(isOpen) {
    this.isOpen = isOpen;
    if (!isOpen && this.store.expression) this.store.draw("");
    this.problem.hide();
    this.panel.refresh();
    (isOpen ? this.line : this.toggle).focus();
  }

  /** @param {Event} event */
  submit(event) {
    event.preventDefault();
    this.store.draw(this.line.value, (answer) => {
      if (answer.ok) this.problem.hide();
      else this.problem.show(answer);
      this.line.setAttribute("aria-invalid", String(!answer.ok));
    });
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const enters = event.key === "Enter" && event.target === this.line; // JupyterLab keeps it from submitting a form
    if (event.isComposing || !(enters || event.key === "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    if (enters) this.element.requestSubmit();
    else this.setOpen(false);
  }

  refresh() {
    const { store } = this;
    const runsCode = !store.readOnly && store.card?.templates !== false; // what is drawn is an expression
    this.toggle.hidden = !runsCode;
    if (!runsCode) this.isOpen = false;
    this.element.hidden = !this.isOpen;
    this.toggle.setAttribute("aria-pressed", String(this.isOpen));
    const drawn = this.isOpen ? store.chart : null;
    if (this.picture && this.picture.store !== drawn) {
      this.picture.dispose();
      this.picture = null;
    }
    if (drawn && !this.picture) this.picture = new Picture(drawn, this.body);
  }
}
