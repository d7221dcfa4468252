/* ---- Send box -------------------------------------------------------------------------------------------- */

const MODES = ["auto", "text", "hex", "base64", "file"];

class SendBox {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.draft = /** @type {Draft | null} */ (null); // what stood in the box before ↑ was pressed
    this.past = 0; // how far back in the history: 0 is the draft
    this.text = make("textarea", {
      class: "field", rows: 1, spellcheck: "false", "aria-label": "Message to send",
      oninput: () => this.edited(), onkeydown: (event) => this.onKey(event),
    });
    this.file = make("input", { class: "field", type: "file", "aria-label": "File to send", hidden: true });
    this.mode = make("select", {
      class: "field", "aria-label": "How to send", onchange: (event) => {
        this.problem.hide();
        this.setMode(event.target.value);
      },
    }, ...MODES.map((mode) => make("option", { value: mode }, mode)));
    this.raw = make("input", { type: "checkbox", onchange: () => this.edited() });
    this.mark = make("span", { class: "check", "aria-live": "polite" });
    this.button = make("button", { class: "button primary", "data-needs": "open" }, "Send");
    this.problem = new Problem();
    const title = "Send {{…}} as it stands, not as a template";
    const rawLabel = make("label", { class: "raw", title }, this.raw, "no {{ }}");
    this.element = make("form", { class: "send", "aria-label": "Send", onsubmit: (event) => this.submit(event) },
      this.text, this.file, this.mark, this.mode, rawLabel, this.button, this.problem.element);
  }

  refresh() {
    const keys = "Enter to send · Shift+Enter new line · ↑ history";
    this.text.placeholder = this.store.merged ? "Choose one connection to send to it" : keys;
  }

  edited() {
    this.past = 0;
    this.problem.hide();
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

  /** What stands in the box, and how it would be sent. */
  get typed() { return { text: this.text.value, mode: this.mode.value, raw: this.raw.checked }; }

  /** @param {Draft} draft */
  restore({ text, mode, raw }) {
    this.raw.checked = raw;
    this.setMode(mode);
    this.setText(text);
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
    // What the kernel has refused is explained by the kernel, and once.
    const problem = looksLike && this.problem.element.hidden && ["auto", "text"].includes(this.mode.value) ? JsonCheck.problem(text) : null;
    this.mark.dataset.ok = String(problem === "");
    setText(this.mark, problem === "" ? "JSON ✓" : (problem ?? ""));
  }

  /**
   * Put a payload into the box. It may be the peer's, whose {{…}} must never be filled in from here.
   * @param {string} text
   * @param {string} mode
   */
  edit(text, mode) {
    this.past = 0;
    this.problem.hide();
    this.restore({ text, mode, raw: true });
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
    if (this.past === 0) this.draft = this.typed;
    this.past = past;
    this.problem.hide();
    this.restore((past ? history[history.length - past] : this.draft) ?? this.typed);
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
    const sent = this.typed;
    if (!sent.text) return this.panel.say("Nothing to send: the box is empty");
    this.store.remember(sent);
    this.past = 0;
    this.setText("");
    return this.store.request({ type: "send", ...sent }, (result) => {
      this.panel.answer(result);
      if (result.ok) this.panel.list.ownSent();
      else if (!this.text.value) this.restore(sent);
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
    const message = { type: "send", ...this.typed, text: "" };
    return this.store.request(message, (result) => this.panel.answer(result, `Sent ${file.name}`), [bytes]);
  }
}
