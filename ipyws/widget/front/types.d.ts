/* The messages between kernel and panel, as in ipyws/widget/protocol/; a test compares. */
declare namespace protocol {

  interface Ack {
    view?: string;
    type: "ack";
    batch: number;
  }

  interface Asked {
    view?: string;
    id?: string;
    connection?: string;
  }

  interface Bye {
    view?: string;
    type: "bye";
  }

  interface Close {
    view?: string;
    id?: string;
    connection?: string;
    type: "close";
    code: number;
    reason: string;
  }

  interface Connect {
    view?: string;
    id?: string;
    connection?: string;
    type: "connect";
    url: string;
    options: Record<string, string>;
    like: string;
    keep: string[];
  }

  interface Copy {
    view?: string;
    id?: string;
    connection?: string;
    type: "copy";
    what: string;
    rows: number[];
  }

  interface Draw {
    view?: string;
    id?: string;
    connection?: string;
    type: "draw";
    expression: string;
  }

  interface Export {
    view?: string;
    id?: string;
    connection?: string;
    type: "export";
    what: string;
  }

  interface Fetch {
    view?: string;
    type: "fetch";
    row: number;
  }

  interface Filter {
    view?: string;
    text: string;
    regex: boolean;
    where: boolean;
    only: boolean;
    in: boolean;
    out: boolean;
    control: boolean;
    fold: boolean;
    type: "filter";
    place?: Place;
  }

  interface Frame {
    view?: string;
    id?: string;
    connection?: string;
    type: "frame";
    number: number;
  }

  interface Frames {
    view?: string;
    id?: string;
    connection?: string;
    type: "frames";
  }

  interface Hello {
    view?: string;
    type: "hello";
    have: number;
    filter?: Sieve;
    shown?: string;
  }

  interface Here {
    view?: string;
    type: "here";
  }

  interface Load {
    view?: string;
    type: "load";
    row: number;
  }

  interface Place {
    connection: string;
    seq: number;
  }

  interface Reconnect {
    view?: string;
    id?: string;
    connection?: string;
    type: "reconnect";
  }

  interface Remember {
    view?: string;
    id?: string;
    connection?: string;
    type: "form";
  }

  interface Send {
    view?: string;
    id?: string;
    connection?: string;
    type: "send";
    text: string;
    mode: string;
    raw: boolean;
  }

  interface Show {
    view?: string;
    type: "show";
    name: string;
  }

  interface Sieve {
    text: string;
    regex: boolean;
    where: boolean;
    only: boolean;
    in: boolean;
    out: boolean;
    control: boolean;
    fold: boolean;
  }

  interface Spoken {
    view?: string;
  }

  interface About {
    read_only?: boolean;
    templates?: boolean;
    saved?: string[];
    options?: Field[];
    policy?: string;
  }

  interface Batch {
    batch: number;
    reset: boolean;
    rows: Row[];
    matched: number;
    failure: string;
    folded: number;
    total: number;
    counts: Counts;
    evicted: Record<string, number>;
    earlier: string[];
  }

  interface Body {
    text: string;
    tree: Node | null;
    dump: [string, string, string][];
    left: string;
  }

  interface Card {
    received: number;
    sent: number;
    kept: number;
    name: string;
    url: string;
    state: string;
    words: string;
    failed: boolean;
    fact: string;
    opened: string;
    badges: string[];
    received_size: string;
    sent_size: string;
    evicted: number;
    rtt: string;
    rate: number[];
  }

  interface Chart {
    type: "curves";
    whole: boolean;
    title: string;
    state: "live" | "ended";
    start: number | null;
    width: number;
    notes: string[];
    curves: Curve[];
    view: string;
  }

  interface Content {
    shown: Body;
    raw: Body | null;
    note: string;
    edit: "auto" | "text" | "hex";
    gone: boolean;
  }

  interface Counts {
    received: number;
    sent: number;
    kept: number;
  }

  interface Curve {
    name: string;
    first: number;
    count: number;
    steps: [number, number, number, number][];
  }

  interface Curves {
    type: "curves";
    whole: boolean;
    title: string;
    state: "live" | "ended";
    start: number | null;
    width: number;
    notes: string[];
    curves: Curve[];
  }

  interface Field {
    name: string;
    label: string;
    group: string;
    values: string;
    default: string;
    about: string;
    kind: "bool" | "choice" | "headers" | "lines" | "list" | "text";
    choices: string[];
    secret: boolean;
  }

  interface Form {
    url: string;
    fields: Record<string, string>;
    kept: string[];
    type: "form";
    view: string;
    connection: string;
  }

  interface Given {
    url: string;
    fields: Record<string, string>;
    kept: string[];
  }

  interface Loaded {
    type: "loaded";
    view: string;
    row: number;
    rows: Row[] | null;
  }

  interface Node {
    key: string;
    look: "object" | "array" | "string" | "number" | "rest";
    text: string;
    items: Node[];
  }

  interface Payload {
    shown: Body;
    raw: Body | null;
    note: string;
    edit: "auto" | "text" | "hex";
    gone: boolean;
    type: "payload";
    view: string;
    row: number;
  }

  interface Result {
    type: "result";
    view: string;
    id: number | string | null;
    ok: boolean;
    text: string;
    kind: string;
    message: string;
    hint: string;
  }

  interface Row {
    id: number;
    connection: string;
    seq: number;
    at: number;
    time: string;
    delta: string;
    arrow: string;
    kind: string;
    size: string;
    tag: string;
    label: string;
    wrong: string;
    preview: string;
    hit?: boolean;
    hits?: string[];
    excerpt?: string;
    css: string;
    more: boolean;
  }

  interface Rows {
    batch: number;
    reset: boolean;
    rows: Row[];
    matched: number;
    failure: string;
    folded: number;
    total: number;
    counts: Counts;
    evicted: Record<string, number>;
    earlier: string[];
    type: "rows";
    view: string;
  }

  interface State {
    read_only?: boolean;
    templates?: boolean;
    saved?: string[];
    options?: Field[];
    policy?: string;
    type: "card";
    view: string;
    cards: Card[];
    all: Card;
    shown: string;
  }

  interface Who {
    type: "who";
    view: string;
  }

  type ToFront = Rows | Loaded | State | Payload | Chart | Form | Result | Who;

  type Request = Hello | Here | Bye | Ack | Filter | Load | Fetch | Show | Send | Connect | Reconnect | Remember | Close | Copy | Frames | Frame | Draw | Export;
}
