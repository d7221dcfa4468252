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

const KEPT = "kept from the last connection";

/** One option of a connection in the form; what is left empty keeps its default, or what was given before. */
class OptionField {
  /** @param {protocol.Field} option */
  constructor(option) {
    this.name = option.name;
    this.group = option.group;
    this.kept = false; // whether the value of the last connection is used, which is not shown
    const id = uniqueId();
    const help = make("small", { id: `${id}-help` }, option.about);
    const shared = {
      id, name: option.name, class: "field", autocomplete: "off", spellcheck: "false",
      title: `${option.name}: ${option.values}`, "data-secret": option.secret, "aria-describedby": help.id,
      oninput: () => this.keep(false),
    };
    this.field = OptionField.control(option, shared);
    this.usual = this.field.getAttribute("placeholder") ?? "";
    this.first = this.field instanceof HTMLSelectElement ? this.field.options[0].text : "";
    this.forget = button("Forget", () => {
      this.keep(false);
      this.field.focus();
    }, { class: "more forget", hidden: true, title: `Do not use the last connection's ${option.label}` });
    const wide = this.field.tagName === "TEXTAREA" ? "option wide" : "option";
    const head = make("div", { class: "head" }, make("label", { for: id }, option.label), this.forget);
    this.element = make("div", { class: wide }, head, this.field, help);
  }

  /**
   * @param {protocol.Field} option
   * @param {Properties} shared
   */
  static control({ default: usual, values, kind, choices, secret }, shared) {
    const offered = kind === "bool" ? ["true", "false"] : kind === "choice" ? choices : null;
    if (offered) {
      const words = (/** @type {string} */ value) => ({ true: "yes", false: "no" })[value] ?? value;
      const items = offered.map((value) => make("option", { value }, kind === "bool" ? words(value) : value));
      const first = kind === "bool" ? "no, by default" : usual ? `${usual}, by default` : "by default";
      return make("select", shared, make("option", { value: "" }, first), ...items);
    }
    if (kind === "headers" || kind === "lines") {
      const placeholder = kind === "headers" ? "Name: value, one per line" : `${values}, one per line`;
      return make("textarea", { ...shared, rows: 2, placeholder });
    }
    const type = secret ? "password" : "text";
    return make("input", { ...shared, type, placeholder: usual ? `${usual}, by default` : values });
  }

  /** @param {boolean} kept */
  keep(kept) {
    this.kept = kept;
    this.forget.hidden = !kept;
    if (this.field instanceof HTMLSelectElement) this.field.options[0].text = kept ? KEPT : this.first;
    else this.field.placeholder = kept ? KEPT : this.usual;
  }

  clear() {
    this.field.value = "";
    this.keep(false);
  }
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
    this.options = /** @type {OptionField[]} */ ([]);
    this.like = ""; // the connection that the form was filled in with
    this.wasNone = false;
    this.saved = make("datalist", { id: uniqueId() });
    this.url = make("input", {
      class: "field url-field", name: "url", list: this.saved.id, autocomplete: "off", spellcheck: "false",
      placeholder: "wss://…, a saved name, or a curl command", "aria-label": "URL or saved name",
      onpaste: (event) => this.pasteCommand(event),
    });
    this.grid = make("div", { class: "grid" });
    this.groups = make("div", { class: "groups" });
    this.origin = make("div", { class: "dim origin" });
    this.advanced = make("details", { class: "advanced" }, make("summary", {}, "Advanced"), this.groups);
    this.go = make("button", { class: "button primary", "data-needs": "kernel" }, "Connect");
    this.policy = make("div", { class: "problem refused" });
    this.connect = make("form", {
      class: "form connect", "aria-label": "Connect", hidden: true,
      onsubmit: (event) => this.submitConnect(event),
      onkeydown: (event) => event.key === "Escape" && this.closeConnect(),
    },
    make("div", { class: "bar" }, this.url, this.saved, this.go, button("Cancel", () => this.closeConnect())),
    this.policy, this.problem.element, this.origin, make("div", { class: "options" }, this.grid, this.advanced));
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
    if (!this.url.value && this.store.shownCard && !this.store.merged)
      this.store.request({ type: "form" }, () => {});
  }

  /**
   * Fill the form in as the connection that is shown was opened.
   * @param {protocol.Form} given
   */
  fill({ connection, url, fields, kept }) {
    if (this.url.value || this.connect.hidden) return; // the user was quicker
    this.like = connection;
    this.url.value = url;
    this.url.select();
    for (const option of this.options) {
      option.field.value = fields[option.name] ?? "";
      option.keep(kept.includes(option.name));
    }
    const given = this.options.filter(({ name }) => name in fields || kept.includes(name));
    this.advanced.open = given.some(({ group }) => group);
    setText(this.origin, `As ${connection} was opened; what is secret is kept, and not shown.`);
  }

  closeConnect() {
    this.connect.hidden = true;
    this.empty();
    this.panel.header.connect.focus();
  }

  /** Forget what was typed: opened again, the form shows how the connection of then was opened. */
  empty() {
    this.url.value = "";
    this.like = "";
    for (const option of this.options) option.clear();
    this.advanced.open = false;
    setText(this.origin, "");
    this.problem.hide();
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
    const filled = this.options.filter(({ field }) => field.value.trim());
    const options = Object.fromEntries(filled.map(({ name, field }) => [name, field.value]));
    const keep = this.options.filter(({ kept }) => kept).map(({ name }) => name);
    this.problem.hide();
    setText(this.go, "Connecting…");
    this.store.setConnecting(true);
    return this.store.request({ type: "connect", url, options, like: this.like, keep }, (result) => this.connected(result));
  }

  /** @param {protocol.Result} result */
  connected(result) {
    setText(this.go, "Connect");
    this.store.setConnecting(false);
    if (!result.ok) return this.problem.show(result);
    this.empty();
    this.connect.hidden = true;
    this.panel.list.toNewest();
    this.panel.say(result.text ?? "");
    return this.panel.sendBox.text.focus({ preventScroll: true });
  }

  /** Open the connection again, as it was. */
  reconnect() {
    this.store.setConnecting(true);
    this.store.request({ type: "reconnect" }, (result) => {
      this.store.setConnecting(false);
      if (!result.ok) return this.panel.header.problem.show(result);
      this.panel.list.toNewest();
      this.panel.say(result.text ?? "");
      return this.panel.sendBox.text.focus({ preventScroll: true });
    });
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
    this.options = options.map((option) => new OptionField(option));
    const of = (/** @type {string} */ wanted) => this.options.filter(({ group }) => group === wanted);
    const names = [...new Set(options.map(({ group }) => group))].filter(Boolean);
    const draw = (/** @type {OptionField[]} */ fields) => fields.map(({ element }) => element);
    this.grid.replaceChildren(...draw(of("")));
    this.groups.replaceChildren(...names.map((name) =>
      make("fieldset", {}, make("legend", {}, name), make("div", { class: "grid" }, ...draw(of(name))))));
    this.saved.replaceChildren(...saved.map((value) => make("option", { value })));
  }
}
