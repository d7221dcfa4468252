"""What the front ends of a panel ask the kernel for; of any shape, and read as such."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


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
