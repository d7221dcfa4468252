/* ---- List, Row, Detail ----------------------------------------------------------------------------------- */

/**
 * The index of the first row whose id is at least `id`.
 * @param {protocol.Row[]} rows
 * @param {number} id
 */
function lowerBound(rows, id) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @type {Record<string, string>} */
const DIRECTIONS = { "↓": "received ", "↑": "sent " };
const DATA = ["text", "binary", "gap"];
const COLUMNS = ["chevron", "time", "delta", "arrow", "size", "name", "preview", "tag"];
const SAID = /** @type {const} */ (["time", "delta", "arrow", "size"]);

/** One line on the screen; it is filled with another row when its own has left. */
class Row {
  /** @param {List} list */
  constructor(list) {
    this.list = list;
    this.row = /** @type {protocol.Row | null} */ (null);
    this.detail = /** @type {Detail | undefined} */ (undefined);
    this.parts = Object.fromEntries(COLUMNS.map((column) => [column, span(column)]));
    const onclick = () => this.row && list.click(this.row);
    this.line = make("div", { class: "line", onclick }, ...Object.values(this.parts));
    this.element = make("div", { class: "row", role: "article", id: uniqueId() }, this.line);
  }

  /** @param {protocol.Row} row */
  fill(row) {
    if (this.row === row) return;
    this.row = row;
    const { parts, element } = this;
    element.className = `row ${row.css}`;
    element.dataset.id = String(row.id);
    for (const part of SAID) setText(parts[part], row[part]);
    setText(parts.name, row.connection);
    parts.name.className = `name c${this.list.store.colourOf(row.connection)}`;
    const named = /** @type {const} */ (["wrong", "label"]).flatMap((part) =>
      row[part] ? [span(part, row[part]), " "] : []);
    const said = element.classList.contains("json") ? coloured(row.preview) : [row.preview];
    parts.preview.replaceChildren(...named, ...said);
    setText(parts.tag, row.tag || (DATA.includes(row.kind) ? "" : row.kind));
  }

  /**
   * Follow what may change without the row: its place, whether it is selected, whether it is open.
   * @param {number} top
   * @param {boolean} selected
   * @param {Detail} [detail]
   */
  place(top, selected, detail) {
    const move = `translateY(${top}px)`;
    if (this.element.style.transform !== move) this.element.style.transform = move;
    this.element.classList.toggle("selected", selected);
    setText(this.parts.chevron, !this.row?.more ? "" : detail ? "▾" : "▸");
    if (this.detail === detail) return;
    this.detail?.element.remove();
    this.detail = detail;
    if (detail) this.element.append(detail.element);
  }
}

/** What an expanded row shows below its line. */
class Detail {
  /**
   * @param {List} list
   * @param {protocol.Row} row
   */
  constructor(list, row) {
    this.height = 3 * ROW_HEIGHT; // until it is measured
    this.row = row;
    this.raw = false; // whether the payload is shown as it came
    this.panel = list.panel;
    this.element = make("div", { class: "detail", "data-of": row.id }, span("dim", "Loading…"));
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      list.viewport.focus();
    });
    list.store.payload(row.id, (payload) => this.show(payload));
  }

  /** @param {protocol.Payload} payload */
  show(payload) {
    if (payload.gone) {
      this.element.replaceChildren(span("dim", "The log has evicted this payload: only the preview is left."));
      return;
    }
    const body = bodyOf(payload, this.raw);
    const copy = button("Copy", () => this.panel.copy(bodyText(body)));
    const actions = make("div", { class: "actions" }, ...this.toggle(payload), copy, ...this.resend(payload));
    const note = payload.note ? [make("div", { class: "cut" }, payload.note)] : [];
    this.element.replaceChildren(actions, ...note, drawn(body, this.raw));
    const left = `… ${body.left} more, not shown here`;
    if (body.left) this.element.append(make("div", { class: "cut" }, left));
  }

  /**
   * The button between what a payload means and how it came, where that is something else.
   * @param {protocol.Payload} payload
   */
  toggle(payload) {
    if (!payload.raw && !payload.shown.tree) return [];
    const change = () => {
      this.raw = !this.raw;
      this.show(payload);
      /** @type {HTMLElement | null} */ (this.element.querySelector(".as-it-came"))?.focus();
    };
    const title = "Show the payload as it came";
    return [button("raw", change, { class: "button as-it-came", title, "aria-pressed": String(this.raw) })];
  }

  /** @param {protocol.Payload} payload */
  resend(payload) {
    const { text, dump, left } = bodyOf(payload, payload.edit !== "auto");
    if (left || !DATA.includes(this.row.kind)) return [];
    const typed = payload.edit === "hex" ? dump.map(([, bytes]) => bytes).join("\n") : text;
    const edit = () => this.panel.sendBox.edit(typed, payload.edit);
    return [button("Edit & resend", edit, { class: "button resend" })];
  }
}

/** The virtualised list: only rows near the visible part are in the DOM. */
class List {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.store;
    this.follow = true;
    this.held = /** @type {protocol.Row[] | null} */ (null); // the rows while paused
    this.mark = 0; // how many rows had arrived when following or drawing stopped
    // By connection, the number of the last message that Clear hid.
    this.cleared = /** @type {Map<string, number>} */ (new Map());
    this.selected = /** @type {number | null} */ (null);
    this.revealing = /** @type {number | null} */ (null); // the row whose details were opened last
    this.open = /** @type {Map<number, Detail>} */ (new Map()); // id to Detail
    this.drawnRows = /** @type {Map<number, Row>} */ (new Map()); // id to Row
    this.spare = /** @type {Row[]} */ ([]);
    this.height = 0;
    this.scrolledTo = 0;
    this.anchor = /** @type {{ id: number, at: number, top: number } | undefined} */ (undefined);
    this.rows = /** @type {protocol.Row[]} */ ([]); // without those that were cleared
    this.tall = /** @type {[number, number][]} */ ([]); // open rows: index and height of the details
    this.canvas = make("div", { class: "canvas" });
    this.empty = make("div", { class: "empty" });
    this.viewport = make("div", {
      class: "viewport", tabindex: 0, role: "log", "aria-live": "off", "aria-label": "Messages",
      onscroll: () => this.onScroll(),
      onpointerdown: () => this.stopRevealing(),
      onkeydown: (event) => this.onKey(event),
    }, this.empty, this.canvas);
    this.viewport.addEventListener("wheel", (event) => this.onWheel(event), { passive: true });
    this.newest = button("", () => this.toNewest(), { class: "newest", hidden: true });
    this.element = make("div", { class: "list" }, this.viewport, this.newest);
    this.observer = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (!(target instanceof HTMLElement)) continue;
        const detail = this.open.get(Number(target.dataset.of));
        if (target === this.viewport) this.height = target.clientHeight;
        else if (detail && target.isConnected) detail.height = target.offsetHeight;
      }
      this.panel.redraw();
    });
    this.observer.observe(this.viewport);
  }

  get paused() { return this.held !== null; }
  get fresh() { return this.follow && !this.paused ? 0 : this.store.arrived - this.mark; }

  pause(on = this.held === null) {
    if (on && this.follow) this.mark = this.store.arrived;
    this.held = on ? this.store.rows.slice() : null;
    this.panel.refresh();
  }

  /** @param {boolean} on */
  setFollow(on) {
    if (on === this.follow) return;
    if (!on && !this.paused) this.mark = this.store.arrived;
    this.follow = on;
    this.panel.refresh();
  }

  /** The user moves away from the newest rows. */
  leave() { if (this.viewport.scrollTop > 0) this.setFollow(false); }

  toNewest() {
    this.held = null;
    this.setFollow(true);
    this.panel.refresh();
  }

  clear() {
    for (const { kind, connection, seq } of this.store.rows) if (kind !== "gap") this.cleared.set(connection, seq);
    this.panel.refresh();
  }

  unclear() {
    this.cleared.clear();
    this.panel.refresh();
  }

  /** How many of the rows are hidden. A row's id would not tell: after a reset rows have new ones. */
  get hidden() {
    if (!this.cleared.size) return 0;
    const rows = this.held ?? this.store.rows;
    const first = rows.findIndex(({ kind, connection, seq }) =>
      kind !== "gap" && seq > (this.cleared.get(connection) ?? -1));
    return first < 0 ? rows.length : first;
  }

  /**
   * Rows that someone reads stay: where the store would drop them the view pauses.
   * @param {number} surplus
   */
  beforeDrop(surplus) {
    if (this.paused || this.follow || !this.anchor) return;
    if (lowerBound(this.store.rows, this.anchor.id) < surplus) this.pause(true);
  }

  /** @param {boolean} healed */
  onReset(healed) {
    if (this.paused && !healed) this.held = this.store.rows.slice();
    if (!healed) this.mark = this.store.arrived;
    if (this.anchor && !this.paused) this.anchor.id = this.idAt(this.anchor.at);
  }

  /**
   * The id of the first row from a time on: a reset gives the same messages new ids.
   * @param {number} time
   */
  idAt(time) {
    return this.store.rows.find(({ at }) => at >= time)?.id ?? Infinity;
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    this.stopRevealing();
    if (event.deltaY < 0) this.leave();
  }

  stopRevealing() { this.revealing = null; }

  onScroll() {
    const { scrollTop, clientHeight, scrollHeight } = this.viewport;
    if (scrollTop === this.scrolledTo) return; // we did it ourselves, and have drawn
    if (scrollTop + clientHeight >= scrollHeight - 2) this.setFollow(true);
    else if (scrollTop < this.scrolledTo) this.leave();
    this.scrolledTo = scrollTop;
    this.setAnchor();
    this.panel.redraw();
  }

  /* Geometry: every line is as high as the others; only open rows add the height of their details. */

  layOut() {
    const source = this.held ?? this.store.rows;
    this.rows = this.hidden ? source.slice(this.hidden) : source;
    this.tall = [];
    for (const [id, detail] of this.open) {
      const index = this.indexOf(id);
      if (index >= 0) this.tall.push([index, detail.height]);
      else this.collapse(id);
    }
    this.tall.sort(([a], [b]) => a - b);
  }

  /** @param {number} id */
  indexOf(id) {
    const index = lowerBound(this.rows, id);
    return this.rows[index]?.id === id ? index : -1;
  }

  /** @param {number} index */
  topOf(index) {
    return this.tall.reduce((top, [at, height]) => (at < index ? top + height : top), index * ROW_HEIGHT);
  }

  /** @param {number} y */
  indexAt(y) {
    let above = 0;
    for (const [index, height] of this.tall) {
      const below = (index + 1) * ROW_HEIGHT + above;
      if (y < below) break;
      if (y < below + height) return index;
      above += height;
    }
    return Math.max(0, Math.floor((y - above) / ROW_HEIGHT));
  }

  /** Remember the topmost visible row, which stays where it is when others come or go. */
  setAnchor() {
    const index = this.indexAt(this.viewport.scrollTop);
    const row = this.rows[index];
    this.anchor = row && { id: row.id, at: row.at, top: this.topOf(index) };
  }

  /** @param {number} total */
  scroll(total) {
    const { viewport } = this;
    const bottom = Math.max(0, total - this.height);
    const moved = this.anchor ? this.topOf(lowerBound(this.rows, this.anchor.id)) - this.anchor.top : 0;
    const goal = this.follow && !this.paused ? bottom : this.revealed(viewport.scrollTop + moved);
    if (goal !== viewport.scrollTop) viewport.scrollTop = goal;
    this.scrolledTo = viewport.scrollTop;
    this.setAnchor();
  }

  /**
   * Where to scroll so that the details just opened are seen too, as they grow, but their line stays.
   * @param {number} y
   */
  revealed(y) {
    const index = this.revealing == null ? -1 : this.indexOf(this.revealing);
    if (index < 0) return y;
    const top = this.topOf(index);
    const end = top + ROW_HEIGHT + (this.open.get(this.rows[index].id)?.height ?? 0);
    return Math.max(y, Math.min(top, end - this.height));
  }

  /** One pass over the DOM; the panel calls it at most once a frame. */
  draw() {
    this.layOut();
    const total = this.topOf(this.rows.length);
    const height = `${total}px`;
    if (this.canvas.style.height !== height) this.canvas.style.height = height;
    this.scroll(total);
    const first = Math.max(0, this.indexAt(this.scrolledTo) - OVERSCAN);
    const last = Math.min(this.rows.length, this.indexAt(this.scrolledTo + this.height) + 1 + OVERSCAN);
    this.drawRows(this.rows.slice(first, last), first);
    this.viewport.classList.toggle("merged", this.store.merged);
    this.empty.hidden = this.rows.length > 0;
  }

  /**
   * @param {protocol.Row[]} rows
   * @param {number} first
   */
  drawRows(rows, first) {
    const wanted = new Set(rows.map(({ id }) => id));
    for (const [id, drawn] of this.drawnRows) if (!wanted.has(id)) this.takeOff(id, drawn);
    rows.forEach((row, index) => {
      const drawn = this.drawnRows.get(row.id) ?? this.putOn(row, this.canvas.children[index]);
      drawn.fill(row);
      drawn.place(this.topOf(first + index), row.id === this.selected, this.open.get(row.id));
    });
    const active = this.selected === null ? "" : this.drawnRows.get(this.selected)?.element.id;
    if (active) this.viewport.setAttribute("aria-activedescendant", active);
    else this.viewport.removeAttribute("aria-activedescendant");
  }

  /**
   * Rows that stay never move in the DOM: that would lose focus and scroll position inside of them.
   * @param {protocol.Row} row
   * @param {Element} [before]
   */
  putOn(row, before) {
    const drawn = this.spare.pop() ?? new Row(this);
    this.drawnRows.set(row.id, drawn);
    this.canvas.insertBefore(drawn.element, before ?? null);
    return drawn;
  }

  /**
   * @param {number} id
   * @param {Row} drawn
   */
  takeOff(id, drawn) {
    const { activeElement } = rootOf(this.element);
    if (drawn.element.contains(activeElement)) this.viewport.focus({ preventScroll: true });
    drawn.element.remove();
    this.drawnRows.delete(id);
    this.spare.push(drawn);
  }

  /* Selecting and expanding */

  /** @param {protocol.Row} row */
  click(row) {
    if (String(getSelection())) return; // the user marks text
    this.select(this.indexOf(row.id));
    if (row.more) this.toggle(row);
  }

  /** @param {protocol.Row} row */
  toggle(row, on = !this.open.has(row.id)) {
    if (!on) this.collapse(row.id);
    else if (row.more && !this.open.has(row.id)) this.expand(row);
    this.announce(row);
    this.panel.redraw();
  }

  /** @param {protocol.Row} row */
  expand(row) {
    this.setFollow(false);
    if (this.open.size === OPEN_ROWS) this.collapse([...this.open.keys()][0]);
    const detail = new Detail(this, row);
    this.open.set(row.id, detail);
    this.revealing = row.id;
    this.observer.observe(detail.element);
  }

  /** @param {number} id */
  collapse(id) {
    const detail = this.open.get(id);
    if (!detail) return;
    this.observer.unobserve(detail.element);
    this.open.delete(id);
  }

  /** @param {number} index */
  select(index) {
    const row = this.rows[Math.max(0, Math.min(this.rows.length - 1, index))];
    if (!row) return;
    this.selected = row.id;
    this.announce(row);
    this.panel.redraw();
  }

  /**
   * Say a row to a screen reader: the log itself is silent, or it would never be quiet.
   * @param {protocol.Row} row
   */
  announce(row) {
    const size = row.size && `${row.size}, `;
    const more = !row.more ? "" : this.open.has(row.id) ? ", expanded" : ", collapsed";
    this.panel.announce(`${DIRECTIONS[row.arrow] ?? ""}${row.kind}, ${size}${row.connection}: ${row.wrong} ${row.label} ${row.preview}${more}`);
  }

  /**
   * Select a row and bring it into view.
   * @param {number} index
   */
  go(index) {
    const at = Math.max(0, Math.min(this.rows.length - 1, index));
    const top = this.topOf(at);
    const { viewport } = this;
    if (at < this.rows.length - 1) this.setFollow(false);
    if (top < viewport.scrollTop) viewport.scrollTop = top;
    else if (top + ROW_HEIGHT > viewport.scrollTop + this.height) viewport.scrollTop = top + ROW_HEIGHT - this.height;
    this.select(at);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.target !== this.viewport || event.ctrlKey || event.metaKey || event.altKey) return;
    this.stopRevealing();
    this.layOut(); // what came since the last frame counts
    const command = this.commands(event.key);
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    command();
  }

  /** @param {string} key */
  commands(key) {
    const at = this.selected === null ? -1 : this.indexOf(this.selected);
    const from = (/** @type {number} */ step) =>
      at >= 0 ? at + step : this.follow ? this.rows.length - 1 : this.indexAt(this.scrolledTo);
    const page = Math.max(1, Math.floor(this.height / ROW_HEIGHT) - 1);
    const row = this.rows[at];
    /** @type {Record<string, () => unknown>} */
    const commands = {
      ArrowDown: () => this.go(from(1)),
      ArrowUp: () => this.go(from(-1)),
      PageDown: () => this.go(from(page)),
      PageUp: () => this.go(from(-page)),
      Home: () => this.go(0),
      End: () => {
        this.go(this.rows.length - 1);
        this.setFollow(true);
      },
      Enter: () => row && this.toggle(row),
      ArrowRight: () => row && this.toggle(row, true),
      ArrowLeft: () => row && this.toggle(row, false),
      c: () => row && this.copyRow(row),
      " ": () => this.pause(),
      "/": () => this.panel.toolbar.search.focus(),
    };
    return commands[key];
  }

  /** @param {protocol.Row} row */
  copyRow(row) {
    const copy = (/** @type {protocol.Payload} */ payload) =>
      this.panel.copy(payload.gone ? row.preview : bodyText(payload.shown));
    if (row.more) this.store.payload(row.id, copy);
    else this.panel.copy(row.preview);
  }

  refresh() {
    const { fresh, newest } = this;
    newest.hidden = this.follow && !(this.paused && fresh);
    setText(newest, fresh ? `↓ newest (${count(fresh)} new)` : "↓ newest");
    const none = this.store.total ? "No message matches" : "No messages yet";
    setText(this.empty, this.hidden ? "Cleared: new messages appear here" : none);
  }

  dispose() { this.observer.disconnect(); }
}
