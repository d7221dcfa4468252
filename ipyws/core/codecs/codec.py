"""What a codec is: how payloads of one format are read, written and shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ipyws.core.codecs.bounds import DEEPEST as DEEPEST
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.core.codecs.spelled import spelled
from ipyws.errors import InvalidError
from ipyws.text.masking import mask

Data = str | bytes
"""The payload of a text or of a binary message."""

_SHOWN = 200


class Detail(NamedTuple):
    """A value in full.

    Attributes:
        kind: "tree" for what can be folded, "text", or "dump" for bytes in hexadecimal digits.
        text: What is shown, without secrets.
        language: What it is written in: "json", or "" for nothing in particular.
    """

    kind: Literal["tree", "text", "dump"]
    text: str
    language: str = ""


class Decoded(NamedTuple):
    """What a payload means.

    Attributes:
        value: The value; None if there is a problem.
        format: The name of the codec that read it.
        structured: Whether the value is like those of JSON; otherwise it is the payload itself.
        problem: Why it could not be read, or None.
        label: What a packet of a dialect is: "event news", "PUBACK"; "" for a payload without a name. It may
            hold what the server sent.
        heartbeat: Whether it only shows that the other end lives.
    """

    value: Any
    format: str
    structured: bool = True
    problem: InvalidError | None = None
    label: str = ""
    heartbeat: bool = False


class Codec(ABC):
    """A format of payloads; subclass it with the two functions that read and write one.

    It is asked when somebody looks at a message, on any thread, and keeps nothing of what it was asked.

    Attributes:
        name: What the option ``codec`` calls it.
        structured: Whether its values are like those of JSON: mappings, lists, texts, numbers.
    """

    name: str = ""
    structured: bool = True

    def check(self) -> None:  # noqa: B027 - most need nothing
        """Refuse to be used where something is missing; called before anything is dialled.

        Raises:
            InvalidError: A library is not installed; the hint says how to get it.
        """

    @property
    def word(self) -> str:
        """The name that rows and errors say, without the files that it names."""
        return self.name

    def __repr__(self) -> str:
        return f"<codec {self.name}>"

    # -- what it is made of -----------------------------------------------------------------------------

    def with_argument(self, argument: str, folder: Path) -> Codec:
        """Return the codec for what stands behind ``:`` in its name, as a schema does; most take nothing.

        Args:
            argument: What stands there.
            folder: The one that a relative path in it starts from.

        Raises:
            InvalidError: It takes nothing, or not this.
        """
        raise InvalidError(
            f"the codec {self.name} takes nothing behind a colon", hint=f"leave out :{argument:.40}"
        )

    def file_in(self, argument: str) -> str:
        """Return the path that an argument holds, "" if it holds none; unless that is known, all of it."""
        return argument

    def around(self, inner: Codec) -> Codec:
        """Return the codec of payloads that hold those of another one, for ``+``; most don't.

        Raises:
            InvalidError: It has no other within it.
        """
        raise InvalidError(f"the codec {self.name} holds no other codec", hint="it has to stand last")

    def limited(self, limit: int) -> Codec:
        """Return the codec that makes at most so many bytes of a payload, however well it is compressed."""
        return self

    # -- reading and writing ----------------------------------------------------------------------------

    @abstractmethod
    def decode(self, payload: Data) -> Any:
        """Return the value of a payload: str of a text message, bytes of a binary one.

        Raises:
            ValueError: It is not of this format; says why.
        """

    @abstractmethod
    def encode(self, value: Any) -> Data:
        """Return the payload of a value: str is sent as text, bytes as binary.

        Raises:
            ValueError: It has no form in this format; says why.
        """

    def from_json(self, text: str) -> Data:
        """Return the payload of what was written by hand as JSON.

        Raises:
            ValueError: Its value has no form in this format.
        """
        return self.encode(parse_json(text))

    def read(self, payload: Data) -> Decoded:
        """Return what a payload means; whatever is wrong with it is the problem."""
        try:
            return Decoded(self.decode(payload), self.word, self.structured)
        except InvalidError as error:
            return Decoded(None, self.word, self.structured, error)
        except Exception as error:  # payloads are hostile, and codecs may be anybody's
            return Decoded(None, self.word, self.structured, self.refuse(error))

    def rewrite(self, payload: Data, value: Any) -> Data:
        """Return a value written as ``payload`` is: in the same format, compressed in the same way.

        Raises:
            ValueError: It has no form in that format, or nothing writes it.
        """
        return self.encode(value)

    def is_larger(self, payload: Data, size: int) -> bool:
        """Tell whether reading a payload means to go through more than ``size`` bytes or characters.

        It is asked before a payload is read for a look in passing, so it has to be cheap: what unpacks a
        payload says whether that comes to more, and stops there.
        """
        return len(payload) > size

    def refuse(self, error: Exception) -> InvalidError:
        """Return the error for a payload that could not be decoded."""
        return refused(self.word, error)

    # -- what is shown ----------------------------------------------------------------------------------

    def preview(self, value: Any, limit: int = 300) -> str:
        """Return a value on one line, of about ``limit`` characters, without secrets."""
        return spelled(value, limit)

    def detail(self, value: Any, limit: int = 256 * 1024) -> Detail:
        """Return a value in full, up to about ``limit`` characters, without secrets."""
        return Detail("tree", spelled(value, limit, indented=True), "json")


def refused(word: str, error: Exception) -> InvalidError:
    """Return the error for a payload that a codec could not decode.

    Args:
        word: What the codec is called.
        error: What it raised.
    """
    why = "it is nested too deeply" if isinstance(error, RecursionError) else mask(str(error))[:_SHOWN]
    return InvalidError(f"not {word}: {why or type(error).__name__}", hint="its payload is in .data")
