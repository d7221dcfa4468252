"""What holds unless a codec is named: JSON where it is some, else text where it is some, else bytes."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.codecs.codec import Data, Decoded
from ipyws.core.codecs.json import JSON, JsonWriter
from ipyws.core.codecs.json_slices import parse_json
from ipyws.core.codecs.raw import RAW
from ipyws.core.codecs.text import TEXT, as_text


class AutoCodec(JsonWriter):
    """Recognises JSON and UTF-8, also in binary messages; writes dict and list as JSON text."""

    name = "auto"

    def decode(self, payload: Data) -> Any:
        """Return the value of JSON; of what is none the text, or the bytes."""
        return self.read(payload).value

    def read(self, payload: Data) -> Decoded:
        """Return what a payload means; there is always something that it is."""
        try:
            return Decoded(parse_json(payload), JSON.name)
        except (ValueError, RecursionError):
            text = payload if isinstance(payload, str) else as_text(payload)
        if text is None or not payload:
            return Decoded(payload, RAW.name, structured=False)
        return Decoded(text, TEXT.name, structured=False)


AUTO: Final = AutoCodec()
