"""The messages of a panel; ``front/types.d.ts`` has the same shapes for the scripts."""

from __future__ import annotations

from ipyws.widget.protocol.asked import (
    Ack,
    Asked,
    Bye,
    Close,
    Connect,
    Copy,
    Draw,
    Export,
    Fetch,
    Filter,
    Frame,
    Frames,
    Hello,
    Here,
    Load,
    Place,
    Reconnect,
    Remember,
    Send,
    Show,
    Sieve,
    Spoken,
)
from ipyws.widget.protocol.told import (
    About,
    Batch,
    Body,
    Card,
    Chart,
    Content,
    Counts,
    Curve,
    Curves,
    Field,
    Form,
    Given,
    Loaded,
    Node,
    Payload,
    Result,
    Row,
    Rows,
    State,
    Who,
)

__all__ = [
    "About",
    "Ack",
    "Asked",
    "Batch",
    "Body",
    "Bye",
    "Card",
    "Chart",
    "Close",
    "Connect",
    "Content",
    "Copy",
    "Counts",
    "Curve",
    "Curves",
    "Draw",
    "Export",
    "Fetch",
    "Field",
    "Filter",
    "Form",
    "Frame",
    "Frames",
    "Given",
    "Hello",
    "Here",
    "Load",
    "Loaded",
    "Node",
    "Payload",
    "Place",
    "Reconnect",
    "Remember",
    "Request",
    "Result",
    "Row",
    "Rows",
    "Send",
    "Show",
    "Sieve",
    "Spoken",
    "State",
    "ToFront",
    "Who",
]

ToFront = Rows | Loaded | State | Payload | Chart | Form | Result | Who

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
