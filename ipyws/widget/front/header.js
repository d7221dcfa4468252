/* ---- Header ---------------------------------------------------------------------------------------------- */

const SVG = "http://www.w3.org/2000/svg";

/** The rate of the last minute as a line, over an axis that is always a minute long and begins at zero. */
class Sparkline {
  constructor() {
    this.element = document.createElementNS(SVG, "svg");
    this.area = document.createElementNS(SVG, "path");
    this.line = document.createElementNS(SVG, "path");
    this.area.setAttribute("class", "area");
    this.line.setAttribute("class", "curve");
    const base = document.createElementNS(SVG, "path");
    base.setAttribute("class", "base");
    base.setAttribute("d", "M0,19.5H90");
    this.element.append(base, this.area, this.line);
    for (const [name, value] of [["class", "spark"], ["viewBox", "0 0 90 20"], ["role", "img"]])
      this.element.setAttribute(name, value);
  }

  /** @param {number[]} rate */
  update(rate) {
    const peak = Math.max(1, ...rate);
    const step = 90 / (SPARK_SECONDS - 1); // now is at the right, whatever there is
    const at = (/** @type {number} */ index) => (90 - (rate.length - 1 - index) * step).toFixed(1);
    const points = rate.map((value, index) => `${at(index)},${(19 - (17 * value) / peak).toFixed(1)}`);
    this.line.setAttribute("d", points.length > 1 ? `M${points.join("L")}` : "");
    this.area.setAttribute("d", points.length > 1 ? `M${at(0)},19L${points.join("L")}L90,19Z` : "");
    const now = rate.at(-1) ?? 0;
    const words = `${perSecond(now)} now, at most ${perSecond(Math.max(0, ...rate))} in the last ${rate.length} s`;
    this.element.setAttribute("aria-label", `Messages: ${words}`);
  }
}

/** @type {Record<string, string>} */
const STATE_WORDS = { gone: "kernel gone", waiting: "waiting for the kernel", none: "no connection" };

class Header {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.pill = make("span", { class: "pill", role: "status" });
    this.picker = make("select", {
      class: "field picker", "aria-label": "Connection", "data-needs": "kernel",
      onchange: (event) => panel.store.choose(event.target.value),
    });
    this.name = make("strong", { class: "connection" });
    this.url = span("url");
    this.badges = span("badges");
    this.received = span("number-of");
    this.sent = span("number-of");
    this.rtt = span("number-of rtt");
    this.spark = new Sparkline();
    this.rate = make("strong", { class: "rate" });
    this.close = button("Close", () => panel.forms.sendClose(1000, ""), { needs: "connection" });
    this.connect = button("Connect…", () => panel.forms.openConnect(), { needs: "kernel" });
    this.again = button("Reconnect", () => panel.forms.reconnect(), {
      class: "button primary", needs: "closed", title: "Open the connection again, as it was",
    });
    this.problem = new Problem();
    const label = "Close with code and reason";
    this.more = button("⋯", () => panel.forms.toggleClose(), {
      needs: "open", "aria-label": label, title: label, "aria-expanded": "false",
    });
    const numbers = [this.received, this.sent, this.rtt, this.spark.element, this.rate];
    this.numbers = make("span", { class: "numbers" }, ...numbers);
    this.facts = make("div", { class: "facts" });
    this.pair = make("span", { class: "pair" }, this.close, this.more);
    this.element = make("div", { class: "header" },
      this.pill, this.picker, this.name, this.url, this.badges, this.numbers,
      make("span", { class: "buttons" }, this.connect, this.again, this.pair), this.facts, this.problem.element);
  }

  refresh() {
    const { store } = this.panel;
    const card = store.shownCard;
    const { state } = store;
    const said = state === card?.state ? card : null; // else there is more to say than how the connection is
    setText(this.pill, said?.words ?? STATE_WORDS[state] ?? state);
    this.pill.dataset.state = said?.failed ? "failed" : state;
    this.pill.title = card?.opened ?? "";
    this.refreshPicker();
    const silent = "The kernel does not answer: re-run the cell to reconnect.";
    setText(this.facts, store.gone ? silent : (card?.fact ?? ""));
    this.facts.hidden = !this.facts.textContent;
    this.numbers.hidden = !card;
    this.again.hidden = !store.isReopenable;
    this.pair.hidden = !this.again.hidden;
    setText(this.url, card?.url ?? "");
    this.url.title = card?.url ?? "";
    const badges = [...(store.readOnly ? ["read-only"] : []), ...(card?.badges ?? [])];
    this.badges.replaceChildren(...badges.map((text) => span("badge", text)));
    if (card) this.refreshNumbers(card);
  }

  /** @param {protocol.Card} card */
  refreshNumbers(card) {
    this.received.replaceChildren("↓ ", make("b", {}, count(card.received)), ` · ${card.received_size}`);
    this.sent.replaceChildren("↑ ", make("b", {}, count(card.sent)), ` · ${card.sent_size}`);
    this.rtt.replaceChildren(...(card.rtt ? ["RTT ", make("b", {}, card.rtt)] : []));
    this.spark.update(card.rate);
    setText(this.rate, perSecond(card.rate.at(-1) ?? 0));
  }

  refreshPicker() {
    const { card } = this.panel.store;
    const names = (card?.cards ?? []).map(({ name }) => name);
    const known = [...this.picker.options].map(({ value }) => value);
    if (known.join("\n") !== [...names, "*"].join("\n")) {
      const option = (/** @type {string} */ value, label = value) => make("option", { value }, label);
      this.picker.replaceChildren(...names.map((name) => option(name)), option("*", "all, merged"));
    }
    this.picker.value = card?.shown ?? "";
    this.picker.hidden = names.length < 2;
    setText(this.name, names.length === 1 ? names[0] : "");
  }
}
