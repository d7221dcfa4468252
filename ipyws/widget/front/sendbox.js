/* ---- Send box -------------------------------------------------------------------------------------------- */

const MODES = ["auto", "text", "hex", "base64", "file"];

class SendBox {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.draft = ""; // what stood in the box before ↑ was pressed
    this.past = 0; // how far back in the history: 0 is the draft
    this.text = make("textarea", {
      class: "field", rows: 1, spellcheck: "false", "aria-label": "Message to send",
      oninput: () => this.edited(), onkeydown: (event) => this.onKey(event),
    });
    this.file = make("input", { class: "field", type: "file", "aria-label": "File to send", hidden: true });
    this.mode = make("select", {
      class: "field", "aria-label": "How to send", onchange: (event) => this.setMode(event.target.value),
    }, ...MODES.map((mode) => make("option", { value: mode }, mode)));
    this.raw = make("input", { type: "checkbox", onchange: () => this.check() });
    this.mark = make("span", { class: "check", "aria-live": "polite" });
    this.button = make("button", { class: "button primary", "data-needs": "open" }, "Send");
    this.problem = new Problem();
    const title = "Send {{…}} as it stands, not as a template";
    const rawLabel = make("label", { class: "raw", title }, this.raw, "raw");
    this.element = make("form", { class: "send", "aria-label": "Send", onsubmit: (event) => this.submit(event) },
      this.text, this.file, this.mark, this.mode, rawLabel, this.button, this.problem.element);
  }

  refresh() {
    const keys = "Message: Enter sends, Shift+Enter starts a line, ↑ recalls";
    this.text.placeholder = this.store.merged ? "Choose one connection to send to it" : keys;
  }

  edited() {
    this.past = 0;
    this.grow();
    this.check();
  }

  grow() {
    const line = 18;
    this.text.style.height = "0";
    this.text.style.height = `${Math.min(this.text.scrollHeight, INPUT_LINES * line + 6) + 2}px`;
  }

  /** @param {string} text */
  setText(text) {
    this.text.value = text;
    this.grow();
    this.check();
  }

  /** @param {string} mode */
  setMode(mode) {
    this.mode.value = mode;
    this.text.hidden = mode === "file";
    this.file.hidden = mode !== "file";
    this.check();
  }

  /** Say whether a draft that looks like JSON is JSON; what a template will become is not known here. */
  check() {
    const text = this.text.value;
    const template = text.includes("{{") && !this.raw.checked;
    const looksLike = /^\s*[[{]/.test(text) && !template && text.length <= CHECKED_TEXT;
    const problem = looksLike && ["auto", "text"].includes(this.mode.value) ? JsonCheck.problem(text) : null;
    this.mark.dataset.ok = String(problem === "");
    setText(this.mark, problem === "" ? "JSON ✓" : (problem ?? ""));
  }

  /**
   * Put a payload into the box. It may be the peer's, whose {{…}} must never be filled in from here.
   * @param {string} text
   * @param {string} mode
   */
  edit(text, mode) {
    this.raw.checked = true;
    this.setMode(mode);
    this.setText(text);
    this.text.focus();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.isComposing) return;
    const { text } = this;
    const [start, end] = [text.selectionStart, text.selectionEnd];
    let done = true;
    if (event.key === "Enter" && event.shiftKey) this.newLine();
    else if (event.key === "Enter") this.submit(event);
    else if (event.key === "ArrowUp" && end === 0) this.recall(1);
    else if (event.key === "ArrowDown" && start === text.value.length) this.recall(-1);
    else done = false;
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** JupyterLab cancels line breaks that the browser would insert into a widget. */
  newLine() {
    this.text.setRangeText("\n", this.text.selectionStart, this.text.selectionEnd, "end");
    this.edited();
  }

  /** @param {number} step */
  recall(step) {
    const { history } = this.store;
    const past = this.past + step;
    if (past < 0 || past > history.length) return;
    if (this.past === 0) this.draft = this.text.value;
    this.past = past;
    this.setText(past ? history[history.length - past] : this.draft);
    const caret = step > 0 ? 0 : this.text.value.length;
    this.text.setSelectionRange(caret, caret);
  }

  /** @param {Event} event */
  submit(event) {
    event.preventDefault();
    this.problem.hide();
    if (!this.store.isOpen) return this.problem.show({ message: "nothing was sent", hint: this.whyNot() });
    return this.mode.value === "file" ? this.sendFile() : this.sendText();
  }

  whyNot() {
    if (this.store.merged) return "choose one connection first";
    return this.store.gone ? "the kernel does not answer" : "the connection is not open";
  }

  sendText() {
    const { value: text } = this.text;
    /** @type {protocol.Send} */
    const message = { type: "send", text, mode: this.mode.value, raw: this.raw.checked };
    this.store.remember(text);
    this.past = 0;
    this.setText("");
    this.store.request(message, (result) => {
      if (!result.ok && !this.text.value) this.setText(text);
      this.panel.answer(result);
    });
  }

  async sendFile() {
    const file = this.file.files?.[0];
    if (!file) return this.problem.show({ message: "no file chosen", hint: "choose one first" });
    if (file.size > FILE_MEGABYTES * 2 ** 20) {
      const hint = `at most ${FILE_MEGABYTES} MB pass through Jupyter; send larger ones from a cell`;
      return this.problem.show({ message: `the file has ${plural(file.size, "byte")}`, hint });
    }
    const bytes = await file.arrayBuffer();
    /** @type {protocol.Send} */
    const message = { type: "send", text: "", mode: "file", raw: this.raw.checked };
    return this.store.request(message, (result) => this.panel.answer(result, `Sent ${file.name}`), [bytes]);
  }
}
