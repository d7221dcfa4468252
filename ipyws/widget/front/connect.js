/* ---- Connect and close ----------------------------------------------------------------------------------- */

/** A line that says why a request was not done; a refusal of the policy looks unlike a failure. */
class Problem {
  constructor() { this.element = make("div", { class: "problem", role: "alert", hidden: true }); }

  /** @param {{ kind?: string, message: string, hint: string }} failure */
  show({ kind, message, hint }) {
    const refused = kind === "PERMISSION_DENIED";
    this.element.classList.toggle("refused", refused);
    const sign = make("b", {}, refused ? "refused by the policy: " : "⚠ ");
    this.element.replaceChildren(sign, [message, hint].filter(Boolean).join("; "));
    this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
    this.element.replaceChildren();
  }
}

/**
 * The input for one option of a connection; what is left empty keeps its default.
 * @param {protocol.Field} option
 */
function optionField({ name, values, default: usual, about, kind, choices, secret }) {
  const shared = {
    name, class: "field", autocomplete: "off", spellcheck: "false", title: `${about} (${values})`,
    "data-secret": secret,
  };
  const offered = kind === "bool" ? ["true", "false"] : kind === "choice" ? choices : null;
  let field;
  if (offered) {
    const items = offered.map((value) => make("option", { value }, value));
    field = make("select", shared, make("option", { value: "" }, `default: ${usual}`), ...items);
  } else if (kind === "headers" || kind === "lines") {
    const placeholder = kind === "headers" ? "Name: value, one a line" : `${values}, one a line`;
    field = make("textarea", { ...shared, rows: 2, placeholder });
  } else {
    const type = secret ? "password" : "text";
    field = make("input", { ...shared, type, placeholder: usual || values });
  }
  const help = make("small", { title: about }, about);
  return make("label", { class: field.tagName === "TEXTAREA" ? "option wide" : "option" }, span("", name), field, help);
}

const COMMAND = /^\s*(curl|curl\.exe|wscat|websocat)\s/;

/** The forms that connect and close; both are hidden until they are needed. */
class Forms {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.problem = new Problem();
    this.offered = "";
    this.wasNone = false;
    this.saved = make("datalist", { id: uniqueId() });
    this.url = make("input", {
      class: "field url-field", name: "url", list: this.saved.id, autocomplete: "off", spellcheck: "false",
      placeholder: "wss://…, a saved name, or a curl command", "aria-label": "URL or saved name",
      onpaste: (event) => this.pasteCommand(event),
    });
    this.grid = make("div", { class: "grid" });
    this.go = make("button", { class: "button primary", "data-needs": "kernel" }, "Connect");
    this.policy = make("div", { class: "problem refused" });
    this.connect = make("form", {
      class: "form connect", "aria-label": "Connect", hidden: true,
      onsubmit: (event) => this.submitConnect(event),
      onkeydown: (event) => event.key === "Escape" && this.closeConnect(),
    },
    make("div", { class: "bar" }, this.url, this.saved, this.go, button("Cancel", () => this.closeConnect())),
    this.policy, this.problem.element,
    make("details", { class: "options" }, make("summary", {}, "Options"), this.grid));
    this.code = make("input", { class: "field code", type: "number", min: 1000, max: 4999, value: 1000, required: "" });
    this.reason = make("input", { class: "field", maxlength: 123, autocomplete: "off", placeholder: "none" });
    const submit = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      this.sendClose(Number(this.code.value), this.reason.value);
    };
    this.close = make("form", { class: "form close", "aria-label": "Close", hidden: true, onsubmit: submit },
      make("div", { class: "bar" },
        make("label", {}, "Code ", this.code),
        make("label", { class: "reason" }, "Reason ", this.reason),
        make("button", { class: "button primary", "data-needs": "open" }, "Close connection"),
        button("Cancel", () => this.toggleClose())));
    this.element = make("div", { class: "forms" }, this.connect, this.close);
  }

  openConnect() {
    this.connect.hidden = false;
    this.url.focus();
  }

  closeConnect() {
    this.connect.hidden = true;
    this.forgetSecrets();
    this.problem.hide();
    this.panel.header.connect.focus();
  }

  /**
   * The fields of the form that a selector finds.
   * @param {string} selector
   * @returns {HTMLInputElement[]}
   */
  fields(selector) { return [...this.connect.querySelectorAll(/** @type {"input"} */ (selector))]; }

  forgetSecrets() {
    for (const field of this.fields("[data-secret]")) field.value = "";
    if (COMMAND.test(this.url.value)) this.url.value = "";
  }

  /**
   * Put a command of several lines on one: the field would join them where they must be apart.
   * @param {ClipboardEvent} event
   */
  pasteCommand(event) {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!COMMAND.test(text)) return;
    event.preventDefault();
    const line = text.trim().replace(/[ \t]*[\\^]\r?\n[ \t]*/g, " ");
    this.url.setRangeText(line, this.url.selectionStart ?? 0, this.url.selectionEnd ?? 0, "end");
  }

  /** @param {SubmitEvent} event */
  submitConnect(event) {
    event.preventDefault();
    const url = this.url.value.trim();
    if (!url) return this.problem.show({ message: "no URL given", hint: "type one, or a saved name" });
    const fields = this.fields(".grid [name]").filter(({ value }) => value.trim());
    const options = Object.fromEntries(fields.map(({ name, value }) => [name, value]));
    this.problem.hide();
    setText(this.go, "Connecting…");
    this.store.setConnecting(true);
    return this.store.request({ type: "connect", url, options }, (result) => this.connected(result));
  }

  /** @param {protocol.Result} result */
  connected(result) {
    setText(this.go, "Connect");
    this.store.setConnecting(false);
    if (!result.ok) return this.problem.show(result);
    this.forgetSecrets();
    this.connect.hidden = true;
    return this.panel.sendBox.text.focus({ preventScroll: true });
  }

  toggleClose() {
    this.close.hidden = !this.close.hidden;
    this.panel.header.more.setAttribute("aria-expanded", String(!this.close.hidden));
    (this.close.hidden ? this.panel.header.more : this.code).focus();
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  sendClose(code, reason) {
    if (!this.close.hidden) this.toggleClose();
    this.store.request({ type: "close", code, reason }, (result) => this.panel.answer(result));
  }

  refresh() {
    const { card } = this.store;
    if (!card?.options) return; // a card of another kind than the answer to hello
    setText(this.policy, card.policy ?? "");
    this.policy.hidden = !card.policy;
    const offered = JSON.stringify([card.options, card.saved]);
    if (offered !== this.offered) this.offer(card);
    this.offered = offered;
    const none = !card.cards.length;
    if (none && !this.wasNone && !this.store.readOnly) this.connect.hidden = false;
    this.wasNone = none;
  }

  /** @param {protocol.About} about */
  offer({ options = [], saved = [] }) {
    this.grid.replaceChildren(...options.map(optionField));
    this.saved.replaceChildren(...saved.map((value) => make("option", { value })));
  }
}
