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
const HEADS = { time: "Time", delta: "Δ", size: "Size", name: "Connection", preview: "Message" };
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
    const onclick = (/** @type {MouseEvent} */ event) => this.row && list.click(this.row, event);
    // A range is selected, not the text of it.
    const onmousedown = (/** @type {MouseEvent} */ event) => event.shiftKey && event.preventDefault();
    this.line = make("div", { class: "line", onclick, onmousedown }, ...Object.values(this.parts));
    this.element = make("div", { class: "row", role: "article", id: uniqueId() }, this.line);
  }

  /** @param {protocol.Row} row */
  fill(row) {
    if (this.row === row) return;
    this.row = row;
    const { parts, element } = this;
    element.className = `row ${row.css}${row.hit ? " hit" : ""}${row.kind === "gap" && row.more ? " loadable" : ""}`;
    element.dataset.id = String(row.id);
    for (const part of SAID) setText(parts[part], row[part]);
    setText(parts.name, row.connection);
    parts.name.className = `name c${this.list.store.colourOf(row.connection)}`;
    const named = /** @type {const} */ (["wrong", "label"]).flatMap((part) =>
      row[part] ? [span(part, row[part]), " "] : []);
    const said = element.classList.contains("json") ? coloured(row.preview) : [row.preview];
    const found = row.excerpt || this.outOfSight(row);
    const excerpt = found ? [span("excerpt", found), " "] : []; // first: the end of a line is cut
    parts.preview.replaceChildren(...excerpt, ...named, ...said);
    if (row.hits) markHits(parts.preview, row.hits);
    setText(parts.tag, row.tag || (DATA.includes(row.kind) ? "" : row.kind));
  }

  refill() {
    const { row } = this;
    this.row = null;
    if (row) this.fill(row);
  }

  /**
   * What is around the first hit of a row if the width of the list cuts it off, else "".
   * @param {protocol.Row} row
   */
  outOfSight({ hits = [], wrong, label, preview }) {
    const said = [wrong, label, preview].filter(Boolean).join(" ");
    const [first] = placesOf(said, hits);
    if (!first || first[1] <= this.list.room) return "";
    return `${first[0] > EXCERPT ? "…" : ""}${said.slice(Math.max(0, first[0] - EXCERPT), first[1] + EXCERPT)}…`;
  }

  /**
   * Follow what may change without the row: its place, whether it is selected, whether it is open.
   * @param {number} top
   * @param {{ selected: boolean, chosen: boolean, loading: boolean }} looks
   * @param {Detail} [detail]
   */
  place(top, looks, detail) {
    const move = `translateY(${top}px)`;
    if (this.element.style.transform !== move) this.element.style.transform = move;
    for (const [look, on] of Object.entries(looks)) this.element.classList.toggle(look, on);
    const gap = this.row?.kind === "gap";
    setText(this.parts.chevron, !this.row?.more || gap ? "" : detail ? "▾" : "▸");
    if (gap) setText(this.parts.tag, looks.loading ? "loading…" : this.row?.more ? "click to load" : "");
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
    this.hits = row.hits ?? [];
    this.element = make("div", { class: "detail", "data-of": row.id }, span("dim", "Loading…"));
    this.element.addEventListener("toggle", () => markHits(this.element, this.hits), true);
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
    this.element.replaceChildren(actions, ...note, drawn(body, this.raw, this.hits));
    markHits(this.element, this.hits);
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
    this.selectedKey = "";
    this.chosen = /** @type {Map<string, protocol.Row>} */ (new Map()); // rows that are selected together
    this.pivot = /** @type {number | null} */ (null); // where their range begins
    // The message that somebody looks at, and how far below the top of the list: kept over filters.
    this.place = /** @type {{ connection: string, seq: number, offset: number } | null} */ (null);
    this.away = /** @type {Detail[]} */ ([]); // details whose rows a filter hides
    this.pin = /** @type {{ id: number, offset: number } | null} */ (null); // what the next draw puts where
    this.own = false; // whether a message was sent from here that is out of sight
    this.revealing = /** @type {number | null} */ (null); // the row whose details were opened last
    this.open = /** @type {Map<number, Detail>} */ (new Map()); // id to Detail
    this.drawnRows = /** @type {Map<number, Row>} */ (new Map()); // id to Row
    this.spare = /** @type {Row[]} */ ([]);
    this.height = 0;
    this.room = Infinity; // characters of a preview that are in sight, about
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
    const heads = Object.entries(HEADS).map(([column, label]) => span(column, label));
    heads.splice(0, 0, span("chevron"));
    heads.splice(3, 0, span("arrow"));
    this.heads = make("div", { class: "heads", "aria-hidden": "true" }, ...heads, span("tag"));
    this.element = make("div", { class: "list" }, this.heads, this.viewport, this.newest);
    this.observer = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (!(target instanceof HTMLElement)) continue;
        const detail = this.open.get(Number(target.dataset.of));
        if (target === this.viewport) this.measure();
        else if (detail && target.isConnected) detail.height = target.offsetHeight;
      }
      this.panel.redraw();
    });
    this.observer.observe(this.viewport);
  }

  measure() {
    this.height = this.viewport.clientHeight;
    const preview = this.canvas.querySelector(".preview");
    const room = preview ? Math.floor(preview.clientWidth / CHARACTER_WIDTH) : Infinity;
    if (room === this.room) return;
    this.room = room;
    for (const drawn of this.drawnRows.values()) drawn.refill();
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
    if (on) this.place = null;
    if (on) this.own = false;
    this.panel.refresh();
  }

  /** A message was sent from here: say where it is if it is out of sight. */
  ownSent() {
    this.own = !this.follow || this.paused; // the next frame knows better if all is in sight
    this.panel.refresh();
  }

  /** The user moves away from the newest rows. */
  leave() { if (this.viewport.scrollTop > 0) this.setFollow(false); }

  toNewest() {
    this.held = null;
    this.own = false;
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
    this.findAgain();
    if (this.paused && !healed) this.held = this.store.rows.slice();
    if (!healed) this.mark = this.store.arrived;
    if (this.anchor && !this.paused) this.anchor.id = this.idAt(this.anchor.at);
  }

  /** Other messages will be shown: remember what is looked at. */
  keepPlace() {
    this.layOut();
    const looked = [this.revealing, [...this.open.keys()].at(-1), this.selected, this.follow ? null : this.anchor?.id];
    const index = looked.map((id) => (id == null ? -1 : this.indexOf(id))).find((at) => at >= 0) ?? -1;
    const row = this.rows[index];
    if (!row || row.kind === "gap" || (this.follow && !this.open.size)) return;
    const { connection, seq } = row;
    const offset = Math.max(0, Math.min(this.height - ROW_HEIGHT, this.topOf(index) - this.viewport.scrollTop));
    this.place = { connection, seq, offset };
  }

  /** After a reset the same messages have other ids: find what was open, what was selected, what was looked at. */
  findAgain() {
    const details = [...this.open.values(), ...this.away];
    if (!details.length && this.selected === null && !this.place && !this.chosen.size) return;
    const rows = new Map(this.store.rows.map((row) => [keyOf(row), row]));
    this.selected = rows.get(this.selectedKey)?.id ?? null;
    this.pivot = null;
    const chosen = [...this.chosen.keys()].map((key) => rows.get(key));
    this.chosen.clear();
    for (const row of chosen) this.choose(row);
    this.open.clear();
    this.away = [];
    for (const detail of details) {
      const row = rows.get(keyOf(detail.row));
      if (row) this.reopen(detail, row);
      else this.away.push(detail);
    }
    this.away.splice(0, this.away.length - OPEN_ROWS);
    const looked = this.place && rows.get(keyOf(this.place));
    if (!looked || !this.place) return;
    this.follow = false;
    this.pin = { id: looked.id, offset: this.place.offset };
  }

  /**
   * Show details below the row that their message has now.
   * @param {Detail} detail
   * @param {protocol.Row} row
   */
  reopen(detail, row) {
    detail.row = row;
    detail.hits = row.hits ?? [];
    detail.element.dataset.of = String(row.id);
    this.open.set(row.id, detail);
    for (const mark of detail.element.querySelectorAll("mark")) mark.replaceWith(mark.textContent ?? "");
    detail.element.normalize();
    markHits(detail.element, detail.hits);
  }

  /**
   * Put rows in the place of a gap's; none where it can't be loaded.
   * @param {protocol.Row[]} all
   * @param {number} gap
   * @param {protocol.Row[] | null} rows
   */
  static putIn(all, gap, rows) {
    const index = lowerBound(all, gap);
    if (all[index]?.id === gap) all.splice(index, 1, ...(rows ?? [{ ...all[index], more: false }]));
  }

  /**
   * Rows come in above those that are looked at: what is below the gap stays where it is.
   * @param {number} gap
   */
  beforeLoaded(gap) {
    this.layOut();
    const index = this.indexOf(gap) + 1;
    const row = index > 0 ? this.rows[index] : undefined;
    if (row && this.topOf(index) > this.viewport.scrollTop)
      this.pin = { id: row.id, offset: this.topOf(index) - this.viewport.scrollTop };
  }

  /**
   * @param {number} gap
   * @param {protocol.Row[] | null} rows
   */
  onLoaded(gap, rows) {
    if (this.held) List.putIn(this.held, gap, rows);
    this.panel.refresh();
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
    const goal = this.follow && !this.paused && !this.pin ? bottom : this.pinned() ?? this.revealed(viewport.scrollTop + moved);
    this.pin = null;
    if (goal !== viewport.scrollTop) viewport.scrollTop = goal;
    this.scrolledTo = viewport.scrollTop;
    this.setAnchor();
  }

  /** Where to scroll so that a row is where it was. */
  pinned() {
    const index = this.pin ? this.indexOf(this.pin.id) : -1;
    return this.pin && index >= 0 ? Math.max(0, this.topOf(index) - this.pin.offset) : null;
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
    if (!this.follow && !this.open.size && total > 0 && total <= this.height) {
      this.follow = true; // all is in sight; the place that a filter hides is kept
      this.own = false;
    }
    this.scroll(total);
    const first = Math.max(0, this.indexAt(this.scrolledTo) - OVERSCAN);
    const last = Math.min(this.rows.length, this.indexAt(this.scrolledTo + this.height) + 1 + OVERSCAN);
    this.drawRows(this.rows.slice(first, last), first);
    this.element.classList.toggle("merged", this.store.merged);
    this.element.classList.toggle("marking", Boolean(this.store.filter.typed) && !this.store.filter.only);
    this.empty.hidden = this.rows.length > 0;
    if (this.room === Infinity && this.rows.length) this.measure();
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
      const looks = {
        selected: row.id === this.selected, chosen: this.chosen.has(keyOf(row)), loading: this.store.loading.has(row.id),
      };
      drawn.place(this.topOf(first + index), looks, this.open.get(row.id));
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

  /**
   * @param {protocol.Row} row
   * @param {MouseEvent} event
   */
  click(row, event) {
    if (event.shiftKey) return this.chooseTo(this.indexOf(row.id));
    if (String(getSelection())) return undefined; // the user marks text
    if (event.ctrlKey || event.metaKey) return this.chooseAlso(row);
    this.unchoose();
    this.select(this.indexOf(row.id));
    return row.more ? this.toggle(row) : undefined;
  }

  /* Several rows */

  /** @param {protocol.Row} row */
  chooseAlso(row) {
    if (row.kind === "gap") return;
    if (!this.chosen.size) this.choose(this.rows.find(({ id }) => id === this.selected));
    if (this.chosen.has(keyOf(row)) && row.id !== this.selected) this.chosen.delete(keyOf(row));
    else this.choose(row);
    this.select(this.indexOf(row.id));
    this.panel.refresh();
  }

  /** @param {protocol.Row | undefined} row */
  choose(row) { if (row && row.kind !== "gap") this.chosen.set(keyOf(row), row); }

  /**
   * Choose the rows from where the range began up to one.
   * @param {number} index
   */
  chooseTo(index) {
    const at = Math.max(0, Math.min(this.rows.length - 1, index));
    this.pivot ??= this.selected;
    const from = this.pivot === null ? at : Math.max(0, this.indexOf(this.pivot));
    this.chosen.clear();
    for (const row of this.rows.slice(Math.min(from, at), Math.max(from, at) + 1)) this.choose(row);
    this.go(at);
    this.panel.refresh();
  }

  unchoose() {
    this.pivot = null;
    if (!this.chosen.size) return;
    this.chosen.clear();
    this.panel.refresh();
  }

  /** The rows that are chosen, in their order. */
  get chosenRows() { return [...this.chosen.values()].sort((a, b) => a.at - b.at || a.seq - b.seq); }

  /* Matches */

  /**
   * Go to the next row that matches, or with -1 to the one before.
   * @param {1 | -1} step
   */
  jump(step) {
    this.layOut();
    const at = this.selected === null ? -1 : this.indexOf(this.selected);
    const start = at >= 0 ? at + step : step > 0 ? this.indexAt(this.scrolledTo) : this.rows.length - 1;
    for (let index = start; index >= 0 && index < this.rows.length; index += step) {
      const row = this.rows[index];
      if (row.hit || (row.kind === "gap" && row.more)) {
        this.setFollow(false);
        this.go(index);
        return this.panel.say(row.hit ? "" : "There may be more matches in the gap: Enter loads it");
      }
    }
    return this.panel.say(step > 0 ? "No later match" : "No earlier match");
  }

  /** Which of the matches is selected, and how many there are. */
  get hits() {
    const rows = this.rows.filter(({ hit }) => hit);
    return { at: rows.findIndex(({ id }) => id === this.selected) + 1, of: rows.length };
  }

  /** @param {protocol.Row} row */
  toggle(row, on = !this.open.has(row.id)) {
    if (row.kind === "gap") {
      this.setFollow(false);
      return row.more && this.store.load(row.id);
    }
    if (!on) this.collapse(row.id);
    else if (row.more && !this.open.has(row.id)) this.expand(row);
    this.announce(row);
    return this.panel.redraw();
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
    this.selectedKey = keyOf(row);
    this.announce(row);
    this.panel.toolbar.refreshHits();
    this.panel.redraw();
  }

  /**
   * Say a row to a screen reader: the log itself is silent, or it would never be quiet.
   * @param {protocol.Row} row
   */
  announce(row) {
    const size = row.size && `${row.size}, `;
    const more = !row.more ? "" : row.kind === "gap" ? ", Enter loads them" : this.open.has(row.id) ? ", expanded" : ", collapsed";
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
    const command = event.shiftKey ? this.rangeCommand(event.key) : this.commands(event.key);
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    command();
  }

  /** @param {string} key */
  rangeCommand(key) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    const at = this.selected === null ? -1 : this.indexOf(this.selected);
    if (step && at >= 0) return () => this.chooseTo(at + step);
    return key === "N" ? () => this.jump(-1) : this.commands(key);
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
      c: () => (this.chosen.size ? this.panel.selection.copyPayloads() : row && this.copyRow(row)),
      n: () => this.jump(1),
      Escape: () => this.unchoose(),
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
    const { fresh, newest, own } = this;
    const { scrollTop, clientHeight, scrollHeight } = this.viewport;
    const below = this.rows.length > 0 && scrollTop + clientHeight < scrollHeight - 2;
    newest.hidden = this.paused ? !fresh : this.follow || !below;
    setText(newest, `↓ ${own ? "your message" : "newest"}${fresh ? ` (${count(fresh)} new)` : ""}`);
    const { folded, isFiltered, total } = this.store;
    const quiet = folded && !isFiltered ? `Nothing but ${plural(folded, "heartbeat")}` : "No message matches";
    const none = total ? quiet : "No messages yet";
    setText(this.empty, this.hidden ? "Cleared: new messages appear here" : none);
  }

  dispose() { this.observer.disconnect(); }
}
