"""What the kernel tells the front ends of a panel."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Row(TypedDict):
    """One line of the list: the words of a `ipyws.view.rows.Row`, and where it belongs.

    `hit` says that it holds what is searched, `hits` which strings those are, and `excerpt` what is around
    the first of them where the preview does not show it. A gap that has `more` can be loaded.
    """

    id: int
    connection: str
    seq: int
    at: float
    time: str
    delta: str
    arrow: str
    kind: str
    size: str
    tag: str
    label: str
    wrong: str
    preview: str
    hit: NotRequired[bool]
    hits: NotRequired[list[str]]
    excerpt: NotRequired[str]
    css: str
    more: bool


class Counts(TypedDict):
    """Messages of the connections that are shown."""

    received: int
    sent: int
    kept: int


class Batch(TypedDict):
    """Rows, and the counters of the moment up to which there are rows.

    `earlier` names the connections that were opened again since: `counts` leaves them out.
    """

    batch: int
    reset: bool
    rows: list[Row]
    matched: int
    failure: str
    folded: int
    total: int
    counts: Counts
    evicted: dict[str, int]
    earlier: list[str]


class Rows(Batch):
    """A batch for one front end."""

    type: Literal["rows"]
    view: str


class Loaded(TypedDict):
    """The rows that take the place of a gap's, the first maybe a gap again; None if there is none."""

    type: Literal["loaded"]
    view: str
    row: int
    rows: list[Row] | None


class Card(Counts):
    """What the header says of a connection, or of all of them."""

    name: str
    url: str
    state: str
    words: str
    failed: bool
    fact: str
    opened: str
    badges: list[str]
    received_size: str
    sent_size: str
    evicted: int
    rtt: str
    rate: list[float]


class Field(TypedDict):
    """One option in the form that connects."""

    name: str
    label: str
    group: str
    values: str
    default: str
    about: str
    kind: Literal["bool", "choice", "headers", "lines", "list", "text"]
    choices: list[str]
    secret: bool


class About(TypedDict, total=False):
    """What a front end is told once."""

    read_only: bool
    templates: bool
    saved: list[str]
    options: list[Field]
    policy: str


class State(About):
    """The connections, and which one is shown."""

    type: Literal["card"]
    view: str
    cards: list[Card]
    all: Card
    shown: str


class Node(TypedDict):
    """A part of a value: one with a text, or one that holds others; `rest` says what is left out."""

    key: str
    look: Literal["object", "array", "string", "number", "rest"]
    text: str
    items: list[Node]


class Body(TypedDict):
    """Something to show: a tree, the lines of a dump, or else text; `left` says how much is not there."""

    text: str
    tree: Node | None
    dump: list[tuple[str, str, str]]
    left: str


class Content(TypedDict):
    """A payload as what it means, and as it came where that is something else.

    `note` is what has to be said of it, `edit` how the send box takes it, and `gone` says that the log has
    given it up.
    """

    shown: Body
    raw: Body | None
    note: str
    edit: Literal["auto", "text", "hex"]
    gone: bool


class Payload(Content):
    """The payload of a row."""

    type: Literal["payload"]
    view: str
    row: int


class Curve(TypedDict):
    """What is new of one curve of a chart: which steps of time, each with its lowest, highest and last value.

    `first` is the oldest step that the curve has, `count` how many values it had.
    """

    name: str
    first: int
    count: int
    steps: list[tuple[int, float, float, float]]


class Curves(TypedDict):
    """What is new of a chart, or, with `whole`, all: step 0 begins at `start`, each has `width` seconds."""

    type: Literal["curves"]
    whole: bool
    title: str
    state: Literal["live", "ended"]
    start: float | None
    width: float
    notes: list[str]
    curves: list[Curve]


class Chart(Curves):
    """The same, for the chart in a panel."""

    view: str


class Given(TypedDict):
    """How a connection was opened: its URL without secrets, what fields can show, the names of the rest."""

    url: str
    fields: dict[str, str]
    kept: list[str]


class Form(Given):
    """The same, for the form that connects."""

    type: Literal["form"]
    view: str
    connection: str


class Result(TypedDict):
    """How a request went."""

    type: Literal["result"]
    view: str
    id: int | str | None
    ok: bool
    text: str
    kind: str
    message: str
    hint: str


class Who(TypedDict):
    """The question to a front end that was forgotten."""

    type: Literal["who"]
    view: str
