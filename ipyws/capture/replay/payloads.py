"""The payloads that are sent again: checked, with the references of secrets resolved."""

from __future__ import annotations

from collections.abc import Callable

from ipyws.capture.jsonl.schema import Recorded
from ipyws.core.codecs.codec import Data
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import encode
from ipyws.errors import InvalidError
from ipyws.text.masking import MASK
from ipyws.text.references import fill_references

Fill = Callable[[str], str]
"""Returns the value of a reference such as "env.TOKEN", or raises an `InvalidError`."""


class Payloads:
    """Makes what is sent from recorded messages.

    A capture is hostile: of what looks like a template in it, only the references that a record declares are
    replaced, and nothing is evaluated. Each value is asked for once.

    Args:
        fill: Says the values.
    """

    def __init__(self, fill: Fill) -> None:
        self._fill = fill
        self._values: dict[str, str] = {}

    @property
    def references(self) -> tuple[str, ...]:
        """The references whose values were put in."""
        return tuple(self._values)

    def of(self, number: int, message: Message) -> Data:
        """Return what to send for a recorded message.

        Args:
            number: Which record of the capture it is, counted from 1.
            message: A data message.

        Raises:
            InvalidError: Something was left out of it for good, it can't be sent, or a reference can't be
                resolved; names the record.
        """
        try:
            data = self._resolved(message) if isinstance(message, Recorded) else message.data
            encode(data)
        except InvalidError as error:
            raise InvalidError(f"record {number}: {error.message}", hint=error.hint) from None
        return data

    def _resolved(self, message: Recorded) -> Data:
        if message.masked:
            raise InvalidError(
                f"{MASK} stands in it in place of a secret, so it can't be sent again",
                hint="a secret that came by {{env.NAME}} can be",
            )
        if isinstance(message.data, str):
            return fill_references(message.data, message.refs, self._value)
        text = message.data.decode("utf-8", "surrogateescape")
        filled = fill_references(text, message.refs, self._value)
        return filled.encode("utf-8", "surrogateescape")

    def _value(self, reference: str) -> str:
        if reference not in self._values:
            self._values[reference] = self._fill(reference)
        return self._values[reference]
