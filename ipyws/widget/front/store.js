/* ---- Store: everything that outlives a view -------------------------------------------------------------- */

/** How a filter says that it is an expression, and how one looks that does not say it. */
const SAID_EXPRESSION = /^(?:where\s|=)\s*(.+)$/s;
const EXPRESSION = new RegExp(
  String.raw`^(?:not\s+|\()*(?:(?:json|msg)\s*(?:[[.]|[=!<>]=?|is\s+(?:not|None|True|False)\b)` +
  String.raw`|(?:(?:len|any|all|str)\(|(?:"[^"]*"|'[^']*')\s+(?:not\s+)?in\s+)\(*(?:json|msg)\b)`);

/** @typedef {{ typed: string, only: boolean, in: boolean, out: boolean, control: boolean, fold: boolean }} TypedFilter */
/** @typedef {{ text: string, mode: string, raw: boolean }} Draft */
/** @typedef {(result: protocol.Result) => unknown} Answered */
/** @typedef {(payload: protocol.Payload) => unknown} UsePayload */
/**
 * @typedef {{ get(name: string): any, on(event: string, use: (message: any) => void): void,
 *   off(event: string, use: (message: any) => void): void,
 *   send(message: object, callbacks?: unknown, buffers?: ArrayBuffer[]): void }} Model
 */

class Store {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.id = crypto.getRandomValues(new Uint32Array(4)).join("-"); // the kernel answers each tab for itself
    this.views = /** @type {Set<Panel>} */ (new Set());
    this.card = /** @type {protocol.State | null} */ (null);
    this.gone = false;
    this.connecting = false; // a connection is being opened from here: what is sent now might be meant for it
    this.chosen = /** @type {string | null} */ (null); // the connection that the user chose, until the kernel shows it
    this.picked = /** @type {string | null} */ (null); // the connection that the user chose last
    this.looked = Date.now(); // when the page was last seen
    this.rows = /** @type {protocol.Row[]} */ ([]); // by increasing id
    this.arrived = 0; // rows ever taken in
    this.matched = 0;
    this.folded = 0; // heartbeats that are counted instead of shown
    this.total = 0;
    this.failure = ""; // what the expression of the filter raised
    this.loading = /** @type {Set<number>} */ (new Set()); // gaps whose rows were asked for
    this.counts = /** @type {protocol.Counts | null} */ (null); // of the newest word of the kernel
    // By connection, how many messages its log has given up: the numbers of the first ones.
    this.evicted = /** @type {Record<string, number>} */ ({});
    this.earlier = /** @type {string[]} */ ([]); // connections that were opened again
    this.batch = 0;
    this.acknowledged = 0; // batch
    this.healing = false; // a hello is on its way
    this.filter = /** @type {TypedFilter} */ ({ typed: "", only: true, in: true, out: true, control: true, fold: true });
    this.filterError = /** @type {protocol.Result | null} */ (null);
    this.history = /** @type {Draft[]} */ ([]); // in memory only: what was sent may be secret
    this.colours = /** @type {Map<string, number>} */ (new Map());
    this.requests = /** @type {Map<unknown, Answered>} */ (new Map());
    this.lastRequest = 0;
    this.payloads = /** @type {Map<number, protocol.Payload>} */ (new Map());
    this.fetching = /** @type {Map<number, UsePayload[]>} */ (new Map());
    this.expression = ""; // what is drawn
    this.chart = /** @type {Curves | null} */ (null);
    this.receive = (/** @type {protocol.ToFront} */ message) => this.take(message);
    model.on("msg:custom", this.receive);
    // Jupyter says so when a kernel is restarted, or is there again: ask, rather than wait for the sign of life.
    this.onLink = () => this.relink();
    model.on("comm_live_update", this.onLink);
    this.hello();
    this.awaitCard();
    this.hereTimer = setInterval(() => this.here(), HERE_EVERY);
    this.onVisible = () => this.seen();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  dispose() {
    clearTimeout(this.goneTimer);
    clearTimeout(this.filterTimer);
    clearInterval(this.hereTimer);
    document.removeEventListener("visibilitychange", this.onVisible);
    this.model.off("msg:custom", this.receive);
    this.model.off("comm_live_update", this.onLink);
    try {
      this.send({ type: "bye" });
    } catch { /* the kernel is gone, or the model is closed already */ }
  }

  /**
   * @param {protocol.Request} message
   * @param {ArrayBuffer[]} [buffers]
   */
  send(message, buffers) { this.model.send({ ...message, view: this.id }, undefined, buffers); }

  /** Say that this tab is still there: to one that is silent, or that nobody has seen for long, nothing is sent. */
  here() {
    if (!document.hidden) this.looked = Date.now();
    if (Date.now() - this.looked < FORGOTTEN_AFTER) this.send({ type: "here" });
  }

  /** The page is looked at again: if it was silent for long, the kernel has forgotten it. */
  seen() {
    if (document.hidden) return;
    if (Date.now() - this.looked >= FORGOTTEN_AFTER) this.introduce();
    this.looked = Date.now();
  }

  /** @param {(view: Panel) => void} use */
  tell(use) { for (const view of this.views) use(view); }

  /** @param {protocol.ToFront} message */
  take(message) {
    if (message.view && message.view !== this.id) return; // meant for another tab
    if (message.type === "who") this.introduce();
    else if (message.type === "card") this.takeCard(message);
    else if (message.type === "rows") this.takeRows(message);
    else if (message.type === "loaded") this.takeLoaded(message);
    else if (message.type === "payload") this.takePayload(message);
    else if (message.type === "curves") this.takeCurves(message);
    else if (message.type === "form") this.tell((view) => view.forms.fill(message));
    else if (message.type === "result") this.takeAnswer(message);
  }

  hello() {
    this.healing = true;
    /** @type {protocol.Hello} */
    const hello = { type: "hello", have: this.batch };
    if (!this.filterError) hello.filter = this.sieve;
    if (this.picked !== null) hello.shown = this.picked;
    this.send(hello);
  }

  /** Say hello to a kernel that has forgotten this tab, and with it what it draws. */
  introduce() {
    this.hello();
    if (this.expression) this.request({ type: "draw", expression: this.expression }, () => {});
  }

  relink() {
    this.awaitCard(RELINK_AFTER);
    try {
      this.send({ type: "here" });
    } catch { /* there is nobody any more */ }
  }

  awaitCard(within = GONE_AFTER) {
    clearTimeout(this.goneTimer);
    this.goneTimer = setTimeout(() => {
      this.gone = true;
      this.connecting = false;
      this.tell((view) => view.onCard());
    }, within);
  }

  /** @param {protocol.State} message */
  takeCard(message) {
    const back = this.gone;
    this.card = { ...this.card, ...message }; // what does not change may be left out
    this.keepChoice(message);
    this.count();
    this.gone = false;
    for (const { name } of message.cards) this.colourOf(name);
    this.awaitCard();
    if (back) this.recover();
    this.tell((view) => view.onCard());
  }

  /**
   * Show another connection: what is sent from now on goes there, even if the kernel has yet to hear of it.
   * @param {string} name
   */
  choose(name) {
    this.chosen = name;
    this.picked = name;
    if (this.card) this.card.shown = name;
    this.send({ type: "show", name });
    this.tell((view) => view.list.toNewest());
    this.tell((view) => view.onCard());
  }

  /** @param {boolean} connecting */
  setConnecting(connecting) {
    this.connecting = connecting;
    this.tell((view) => view.onCard());
  }

  /** @param {protocol.State} state */
  keepChoice({ cards, shown }) {
    const exists = this.chosen === "*" || cards.some(({ name }) => name === this.chosen);
    if (!exists || shown === this.chosen) this.chosen = /** @type {string | null} */ (null);
    else if (this.card && this.chosen !== null) this.card.shown = this.chosen;
  }

  /** What was on its way when the kernel was lost may be lost too, and with it what the kernel waits for. */
  recover() {
    this.hello();
    for (const row of this.fetching.keys()) this.send({ type: "fetch", row });
  }

  /** Take the counters of the card: what is shown of the rows has to agree with them, so the newest word counts. */
  count() {
    const { shownCard } = this;
    const cards = this.merged ? (this.card?.cards ?? []) : shownCard ? [shownCard] : [];
    this.counts = shownCard ?? null;
    const earlier = Object.entries(this.evicted).filter(([name]) => this.isEarlier(name));
    this.evicted = Object.fromEntries([...earlier, ...cards.map(({ name, evicted }) => [name, evicted])]);
  }

  /** @param {protocol.Rows} message */
  takeRows({ batch, reset, rows, matched, failure, folded, total, counts, evicted, earlier }) {
    if (!reset && batch !== this.batch + 1) {
      if (!this.healing) this.hello();
      return;
    }
    const healed = this.healing && this.batch > 0;
    if (reset) this.rows = [];
    this.append(rows.slice(-KEPT_ROWS));
    Object.assign(this, { batch, matched, failure: failure ?? "", folded: folded ?? 0, total, healing: false });
    this.earlier = earlier ?? [];
    if (counts) Object.assign(this, { counts, evicted });
    if (reset) {
      this.filterError = null;
      this.acknowledged = batch - 1;
      this.loading.clear();
    }
    if (reset) this.tell((view) => view.onReset(healed));
    this.tell((view) => view.onRows());
    if (!this.views.size) this.drawn();
  }

  /** @param {protocol.Row[]} rows */
  append(rows) {
    const surplus = Math.max(0, this.rows.length + rows.length - KEPT_ROWS);
    if (surplus) this.tell((view) => view.beforeDrop(surplus));
    this.rows.splice(0, surplus);
    this.rows.push(...rows);
    this.arrived += rows.length;
  }

  /**
   * Ask for rows that a gap stands for.
   * @param {number} row
   */
  load(row) {
    if (this.loading.has(row)) return;
    this.loading.add(row);
    this.send({ type: "load", row });
    this.tell((view) => view.refresh());
  }

  /** @param {protocol.Loaded} loaded */
  takeLoaded({ row, rows }) {
    this.loading.delete(row);
    this.tell((view) => view.list.beforeLoaded(row));
    List.putIn(this.rows, row, rows);
    this.tell((view) => view.list.onLoaded(row, rows));
  }

  /** A view has drawn (or there is none that could): the kernel may send more. It shows as busy at each word. */
  drawn() {
    if (this.batch - this.acknowledged < ACK_EVERY) return;
    this.acknowledged = this.batch;
    this.send({ type: "ack", batch: this.batch });
  }

  /**
   * Have something drawn of each message; of "", nothing any more.
   * @param {string} expression
   * @param {Answered} answered
   */
  draw(expression, answered = () => {}) {
    const before = this.expression;
    this.expression = expression.trim(); // at once: the curves may come before the answer
    if (!this.expression) this.chart = null;
    this.request({ type: "draw", expression }, (answer) => {
      if (!answer.ok && this.expression === expression.trim()) this.expression = before;
      answered(answer);
    });
    this.tell((view) => view.chart.refresh());
  }

  /** @param {protocol.Chart} curves */
  takeCurves(curves) {
    if (!this.expression) return; // it was closed meanwhile
    this.chart ??= new Curves(() => PANE_HEIGHT);
    this.chart.receive(curves);
    this.tell((view) => view.chart.refresh());
  }

  /**
   * Send a request about the connection that is shown; `answered` gets the result.
   * @param {protocol.Send | protocol.Connect | protocol.Reconnect | protocol.Remember | protocol.Close |
   *   protocol.Copy | protocol.Frames | protocol.Frame | protocol.Draw | protocol.Export} message
   * @param {Answered} answered
   * @param {ArrayBuffer[]} [buffers]
   */
  request(message, answered, buffers) {
    this.lastRequest += 1;
    const id = String(this.lastRequest);
    this.requests.set(id, answered);
    this.send({ ...message, id, connection: this.card?.shown }, buffers);
  }

  /** @param {protocol.Result} message */
  takeAnswer(message) {
    if (message.id === "filter") {
      this.filterError = message.ok ? null : message;
      this.tell((view) => view.onFilter());
    }
    const answered = this.requests.get(message.id);
    this.requests.delete(message.id);
    answered?.(message);
  }

  /**
   * Hand the payload of a row to `use`: at once, or when the kernel has sent it.
   * @param {number} row
   * @param {UsePayload} use
   * @returns {unknown}
   */
  payload(row, use) {
    const known = this.payloads.get(row);
    if (known) return use(known);
    const waiting = this.fetching.get(row);
    if (waiting) return waiting.push(use);
    this.fetching.set(row, [use]);
    return this.send({ type: "fetch", row });
  }

  /** @param {protocol.Payload} payload */
  takePayload(payload) {
    this.payloads.set(payload.row, payload);
    const [oldest] = this.payloads.keys();
    if (this.payloads.size > KEPT_PAYLOADS) this.payloads.delete(oldest);
    const waiting = this.fetching.get(payload.row) ?? [];
    this.fetching.delete(payload.row);
    for (const use of waiting) use(payload);
  }

  /**
   * Change the filter; the kernel hears of it when the typing pauses.
   * @param {Partial<TypedFilter>} change
   */
  setFilter(change) {
    Object.assign(this.filter, change);
    clearTimeout(this.filterTimer);
    this.tell((view) => view.list.keepPlace());
    this.filterTimer = setTimeout(() => this.sendFilter(), this.sieve.where ? EXPRESSION_DELAY : FILTER_DELAY);
    this.tell((view) => view.onFilter());
  }

  sendFilter() {
    /** @type {protocol.Filter} */
    const filter = { type: "filter", ...this.sieve };
    const [place] = [...this.views].map(({ list }) => list.place).filter(Boolean);
    if (place) filter.place = { connection: place.connection, seq: place.seq };
    this.send(filter);
  }

  /** The filter as the kernel takes it. */
  get sieve() {
    const { typed, ...kinds } = this.filter;
    const [, pattern, flag] = /^\/(.+)\/(i?)$/s.exec(typed) ?? [];
    if (pattern) return { text: `${flag && "(?i)"}${pattern}`, regex: true, where: false, ...kinds };
    const [, said] = SAID_EXPRESSION.exec(typed) ?? [];
    return { text: said ?? typed, regex: false, where: said !== undefined || EXPRESSION.test(typed.trim()), ...kinds };
  }

  /** Whether something is left out, but for heartbeats. */
  get isFiltered() {
    const { typed, only, in: received, out, control } = this.filter;
    return Boolean(typed && only) || !received || !out || !control;
  }

  /** @param {Draft} sent */
  remember(sent) {
    const last = this.history.at(-1);
    if (sent.text !== last?.text || sent.mode !== last.mode || sent.raw !== last.raw) this.history.push(sent);
    this.history.splice(0, this.history.length - HISTORY);
  }

  /** @param {string} name */
  colourOf(name) {
    const colour = this.colours.get(name) ?? this.colours.size % COLOURS;
    this.colours.set(name, colour);
    return colour;
  }

  /** Whether the kernel takes no request here but to look. */
  get readOnly() { return Boolean(this.card?.read_only); }

  /**
   * Whether a row's connection was opened again since: its rows stay above.
   * @param {string} connection
   */
  isEarlier(connection) { return this.earlier.includes(connection); }

  get merged() { return this.card?.shown === "*"; }

  /** The card that the header shows. */
  get shownCard() {
    if (!this.card) return undefined;
    const { cards, all, shown } = this.card;
    return this.merged && cards.length ? all : cards.find(({ name }) => name === shown);
  }

  get state() {
    if (this.gone) return "gone";
    if (!this.card) return "waiting";
    if (this.connecting) return "connecting";
    return this.shownCard?.state ?? "none";
  }

  /** Whether there is one connection that can be sent to. */
  get isOpen() { return this.state === "open" && !this.merged; }

  /** Whether there is one connection that was closed, and can be opened again as it was. */
  get isReopenable() { return this.state === "closed" && !this.merged; }

  /** Whether there is one connection that can be closed: also one that is being opened again. */
  get isClosable() { return this.isOpen || (this.state === "reconnecting" && !this.merged); }
}
