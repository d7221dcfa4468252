"""The messages between a panel and its front ends; ``front/types.d.ts`` has the same shapes for the scripts.

What comes from a front end may have any shape all the same: it is read as such.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

# -- from the kernel -------------------------------------------------------------------------------


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


ToFront = Rows | Loaded | State | Payload | Chart | Form | Result | Who

# -- from a front end ------------------------------------------------------------------------------


class Spoken(TypedDict, total=False):
    """What everything from a front end may have: what that calls itself."""

    view: str


class Asked(Spoken, total=False):
    """What is answered with a `Result` of the same `id`; the connection is the one that is meant."""

    id: str
    connection: str


Sieve = TypedDict(
    "Sieve",
    {
        "text": str,
        "regex": bool,
        "where": bool,
        "only": bool,
        "in": bool,
        "out": bool,
        "control": bool,
        "fold": bool,
    },
)


class Place(TypedDict):
    """The message that somebody looks at: the rows around it are wanted too."""

    connection: str
    seq: int


class Hello(Spoken):
    """The first word, and the one after something was missed."""

    type: Literal["hello"]
    have: int
    filter: NotRequired[Sieve]
    shown: NotRequired[str]


class Here(Spoken):
    """A sign of life."""

    type: Literal["here"]


class Bye(Spoken):
    """The last word."""

    type: Literal["bye"]


class Ack(Spoken):
    """The number of the last batch that was drawn."""

    type: Literal["ack"]
    batch: int


class Filter(Spoken, Sieve):
    """Other messages are to be shown."""

    type: Literal["filter"]
    place: NotRequired[Place]


class Load(Spoken):
    """Rows that a gap stands for are wanted."""

    type: Literal["load"]
    row: int


class Fetch(Spoken):
    """The payload of a row is wanted."""

    type: Literal["fetch"]
    row: int


class Show(Spoken):
    """Another connection is to be shown, or, with "*", all."""

    type: Literal["show"]
    name: str


class Send(Asked):
    """A message to send; that of a file is the buffer that comes along."""

    type: Literal["send"]
    text: str
    mode: str
    raw: bool


class Connect(Asked):
    """A connection to open; it keeps some options of the one named by `like`."""

    type: Literal["connect"]
    url: str
    options: dict[str, str]
    like: str
    keep: list[str]


class Reconnect(Asked):
    """The connection is to be opened again, as it was."""

    type: Literal["reconnect"]


class Remember(Asked):
    """How the connection was opened is wanted, for the form."""

    type: Literal["form"]


class Close(Asked):
    """The connection is to be closed."""

    type: Literal["close"]
    code: int
    reason: str


class Copy(Asked):
    """The connection is wanted as code, with the messages of these rows."""

    type: Literal["copy"]
    what: str
    rows: list[int]


class Frames(Asked):
    """The newest frames are wanted, as JSON."""

    type: Literal["frames"]


class Frame(Asked):
    """One frame is wanted drawn, as JSON."""

    type: Literal["frame"]
    number: int


class Draw(Asked):
    """A chart is wanted of ``EXPR [by EXPR] [--last D]``; of "", none any more."""

    type: Literal["draw"]
    expression: str


class Export(Asked):
    """What is shown is wanted as a file."""

    type: Literal["export"]
    what: str


Request = (
    Hello
    | Here
    | Bye
    | Ack
    | Filter
    | Load
    | Fetch
    | Show
    | Send
    | Connect
    | Reconnect
    | Remember
    | Close
    | Copy
    | Frames
    | Frame
    | Draw
    | Export
)
