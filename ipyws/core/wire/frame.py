"""One frame as it was on the wire (RFC 6455 section 5.2), and the handshake before it (section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from ipyws.core.messages.message import Direction
from ipyws.text.masking import MASK, mask, mask_headers
from ipyws.text.printable import visible
from ipyws.text.rich import Rich, Table

CONTINUATION: Final = 0
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_WRONG: Final = "against the protocol"

NAMES: Final = {0: "continuation", 1: "text", 2: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
"""What the opcodes mean (section 5.2)."""


class Field(NamedTuple):
    """A field of a frame, in the order of the diagram in section 5.2.

    Attributes:
        name: What the RFC calls it.
        bits: How many bits it has.
        value: What they say: bits where they are few, else a number or bytes in hexadecimal digits.
        meaning: That in words, or "".
    """

    name: str
    bits: int
    value: str
    meaning: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Frame(Rich):
    """A frame that passed a connection.

    Attributes:
        number: Its place among the frames of the connection, from 0, both directions together.
        dial: Which time the connection was dialled, from 1: redirects, and each time that it is opened again.
        direction: "in" from the server, "out" to it.
        time: When its header passed: seconds since the epoch, wall clock.
        header: Its header as it was on the wire, masking key included.
        fin: Whether it ends its message.
        rsv1: The first reserved bit: the message is deflated, if both agreed to that (RFC 7692).
        rsv2: The second.
        rsv3: The third.
        opcode: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
        masked: Whether its payload is masked, as that of a client must be.
        key: The masking key, or b"".
        length: Bytes of payload, as its header says.
        received: Bytes of it that have passed: fewer than ``length`` while, or where, the rest did not come.
        payload: The start of the payload with the mask taken off, deflated if it was; see `unkept`.
        compressed: Whether its message is deflated.
        fragment: Its place in its message, from 0.
        plain_size: Bytes of the whole message it belongs to, inflated; None while that is not known.
        by_itself: Why ipyws sent it without being told to ("answers the ping"), else "".
        hidden: Whether the payload is not to be shown: it holds a secret, or can't be told from one yet.
        preview: The start of what it says, fit to be shown.
    """

    number: int
    dial: int
    direction: Direction
    time: float
    header: bytes
    fin: bool
    rsv1: bool
    rsv2: bool
    rsv3: bool
    opcode: int
    masked: bool
    key: bytes
    length: int
    received: int
    payload: bytes
    compressed: bool
    fragment: int
    plain_size: int | None
    by_itself: str
    hidden: bool
    preview: str

    @property
    def name(self) -> str:
        """What the opcode means, such as "text" or "close"; "reserved 3" where it means nothing."""
        return NAMES.get(self.opcode, f"reserved {self.opcode}")

    @property
    def size(self) -> int:
        """Bytes of the whole frame on the wire."""
        return len(self.header) + self.length

    @property
    def unkept(self) -> int:
        """Bytes of the payload that passed and are not in ``payload``."""
        return self.received - len(self.payload)

    @property
    def wire(self) -> bytes:
        """The frame as it was on the wire, as far as its payload is kept."""
        return self.header + masked(self.payload, self.key)

    @property
    def code(self) -> int | None:
        """The status code of a close frame; None without one (section 5.5.1)."""
        has_code = self.opcode == CLOSE and len(self.payload) >= 2
        return int.from_bytes(self.payload[:2]) if has_code else None

    @property
    def reason(self) -> str:
        """The reason in a close frame, else ""."""
        return self.payload[2:].decode("utf-8", "replace") if self.opcode == CLOSE else ""

    @property
    def flags(self) -> str:
        """The bits that are set, by their names."""
        given = (("FIN", self.fin), ("RSV1", self.rsv1), ("RSV2", self.rsv2), ("RSV3", self.rsv3))
        return " ".join([name for name, is_set in given if is_set] + ["MASK"] * self.masked)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of its header, and its payload, as section 5.2 has them."""
        ext = (len(self.header) - 2 - len(self.key)) * 8
        seven = self.header[1] & 0x7F
        size = f"{self.length:,} bytes of payload"
        long = Field("Extended payload length", ext, self.header[2 : 2 + ext // 8].hex(" "), size)
        key = Field("Masking-key", 32, self.key.hex(" "), "what the bytes of the payload are XORed with")
        return (
            Field(
                "FIN", 1, str(int(self.fin)), "its message ends here" if self.fin else "its message goes on"
            ),
            Field("RSV1", 1, str(int(self.rsv1)), self._rsv1),
            Field("RSV2", 1, str(int(self.rsv2)), _WRONG if self.rsv2 else "not used"),
            Field("RSV3", 1, str(int(self.rsv3)), _WRONG if self.rsv3 else "not used"),
            Field("opcode", 4, f"{self.opcode:04b}", f"{self.opcode}: {self.name}"),
            Field("MASK", 1, str(int(self.masked)), "a masking key follows" if self.masked else "not masked"),
            Field("Payload len", 7, f"{seven:07b}", f"{seven}: the next {ext} bits say it" if ext else size),
            *([long] * bool(ext)),
            *([key] * self.masked),
        )

    @property
    def _rsv1(self) -> str:
        if not self.rsv1:
            return "goes on with a deflated message" if self.compressed else "not deflated"
        return "deflated" if self.compressed else f"{_WRONG}: nothing was agreed on"

    def _shown_as(self) -> Table:
        fields = [(field.name, field.value, field.meaning) for field in self.fields]
        payload = ("Payload Data", self.preview, self.sizes)
        return Table(repr(self), [*fields, payload], ("field", "value", ""), note=self.by_itself)

    def __repr__(self) -> str:
        arrow = "←" if self.direction == "in" else "→"
        clock = datetime.fromtimestamp(self.time).strftime("%H:%M:%S.%f")[:-3]
        key = f" {self.key.hex()}" if self.masked else ""
        said = f" {self.preview}" if self.preview else ""
        flags = f" {self.flags}" if self.flags else ""
        why = f" ({self.by_itself})" if self.by_itself else ""
        return f"<{arrow} #{self.number} {clock} {self.name}{flags}{key} {self.sizes}{said}{why}>"

    @property
    def sizes(self) -> str:
        """Bytes of payload in words, with those of the message where it was deflated."""
        words = f"{self.length:,} B"
        if self.compressed and self.plain_size is not None:
            words += f" deflated of {self.plain_size:,} B"
        if self.received < self.length:
            words += f", {self.received:,} B of them came"
        return words


def masked(data: bytes, key: bytes) -> bytes:
    """Return bytes with a mask put on, or taken off (section 5.3); as they are without a key."""
    if not key or not data:
        return data
    pad = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(pad)).to_bytes(len(data))


@dataclass(frozen=True, slots=True, repr=False)
class HandshakeText:
    """The handshake of one dial, as text without secrets.

    Attributes:
        dial: Which dial, from 1.
        time: When the request was sent: seconds since the epoch.
        request: What was sent: the request line and the headers, as they were, secrets masked.
        response: What came; "" if nothing did.
        first: The number of the first frame after it.
        ended: Who ended the TCP connection, in words; "" as long as nobody did.
    """

    dial: int
    time: float
    request: str
    response: str
    first: int
    ended: str = ""

    def __repr__(self) -> str:
        lines = [part.partition("\n")[0] for part in (self.request, self.response)]
        return f"<HandshakeText {self.dial}: {' → '.join(filter(None, lines))}>"


def head_text(head: bytes) -> str:
    """Return the head of a request or a response as text: secrets masked, nothing invisible."""
    first, *lines = head.decode("utf-8", "backslashreplace").replace("\r\n", "\n").rstrip("\n").split("\n")
    shown = [mask(first)]
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name.strip():
            ((_, safe),) = mask_headers([(name.strip(), value.strip())])
            shown.append(f"{name}: {safe}")
        else:
            # Of no header, or the folded rest of one that may be secret.
            shown.append(MASK if line[:1] in (" ", "\t") else mask(line))
    return "\n".join(visible(line) for line in shown)
