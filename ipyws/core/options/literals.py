"""Values that are written in a line, a form or a file: as in JSON, or as in Python."""

from __future__ import annotations

import ast
import contextlib
import json
from typing import Any, Final

from ipyws.core.codecs.formats.json import describe_json_error
from ipyws.errors import InvalidError

_LONGEST: Final = 1 << 20


def read_mapping(option: str, text: str, example: str, others: str = "") -> Any:
    """Return what is written as in JSON, or as in Python, where bytes can be written.

    Args:
        option: Whose value it is.
        text: How it is written.
        example: A mapping that it may be, for the error.
        others: What else is allowed, for the error.

    Raises:
        InvalidError: It is neither.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        with contextlib.suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            if len(text) <= _LONGEST:
                return ast.literal_eval(text.strip())
        raise InvalidError(
            # It is not repeated: it may hold what logs in.
            f"{option} can't be read: {describe_json_error(error)}",
            hint=f"{others}a mapping as in JSON or Python such as '{example}' is allowed",
        ) from None


def read_json_or_text(text: str) -> Any:
    """Return the value of JSON, or the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
