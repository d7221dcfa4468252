"""How a message differs from the recorded one, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, zip_longest
from typing import Any, Final, NamedTuple

from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.spelled import spelled
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.text.masking import known, known_spans, mask, mask_start
from ipyws.text.printable import visible

PLACES: Final = 3
"""Places of a JSON payload that are named; of more it is said that there are some."""

LARGEST_JSON: Final = 1 << 18
"""Characters up to which JSON is compared by structure; more would hold the event loop up."""

_SHOWN: Final = 40
_PATH_SHOWN: Final = 100
# A value is masked before it is cut, so more of it is masked than is shown; but not all of a huge one.
_WINDOW: Final = 4096
_SECRET: Final = 1 << 16  # a longer secret is looked for no further

# Stands where one of two values has nothing, or where a text is no JSON.
_NOTHING: Final = object()


class _Pair(NamedTuple):
    """The values at one place of the recorded and of the actual JSON."""

    step: str
    old: Any
    new: Any


def difference(recorded: Message, actual: Message, hidden: tuple[str, ...] = ()) -> str:
    """Return in words how ``actual`` differs from ``recorded``; "" if it does not.

    Values of JSON, and of the connection's codec, are compared by structure: order of keys, white space and
    the spelling of a value don't count, and the words say where
    (``$.price: 3 → 4``). The words are fit to be shown.

    Args:
        recorded: A data message of a capture.
        actual: The data message that came in its place.
        hidden: What stands in the recorded text in place of secrets; each matches anything.
    """
    if recorded.type != actual.type:
        return f"a {recorded.type} message → a {actual.type} message"
    if recorded.data == actual.data:
        return ""
    return visible(mask(_between(recorded, actual, hidden)))


def _between(recorded: Message, actual: Message, hidden: tuple[str, ...]) -> str:
    values = _value(recorded), _value(actual)
    if _NOTHING not in values:
        return _between_values(*values, hidden)
    old, new = recorded.data, actual.data
    if isinstance(old, str) and isinstance(new, str) and _matches(old, new, hidden):
        return ""
    return _from_first_difference(old, new)


def _value(message: Message) -> Any:
    """Return the value of a payload, or `_NOTHING` if it has none, or is too large."""
    if message.codec.is_larger(message.data, LARGEST_JSON):
        return _NOTHING
    try:
        # Python takes NaN for JSON; it differs from itself.
        return message.json(parse_constant=_refuse) if isinstance(message.data, str) else message.json()
    except InvalidError:
        return _NOTHING


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


# -- JSON --------------------------------------------------------------------------------------------


def _between_values(old: Any, new: Any, hidden: tuple[str, ...]) -> str:
    places = list(islice(_places(old, new, hidden), PLACES + 1))
    more = ["and more"] if len(places) > PLACES else []
    return ", ".join(places[:PLACES] + more)


def _places(old: Any, new: Any, hidden: tuple[str, ...]) -> Iterator[str]:
    """Yield the places at which two values differ, in words and in order.

    An own stack, because hostile JSON may be nested deeper than Python calls may; of iterators, because it
    may be wide.
    """
    path: list[str] = []
    levels = [iter((_Pair("$", old, new),))]
    while levels:
        pair = next(levels[-1], None)
        if pair is None:
            levels.pop()
            del path[-1:]
        elif inside := _inside(pair.old, pair.new):
            path.append(pair.step)
            levels.append(inside)
        elif not _same(pair.old, pair.new, hidden):
            yield f"{_show_path(path, pair.step)}: {_show(pair.old)} → {_show(pair.new)}"


def _inside(old: Any, new: Any) -> Iterator[_Pair] | None:
    """Return what two objects or two arrays hold, place by place."""
    if isinstance(old, dict) and isinstance(new, dict):
        return (_Pair(_step(key), old.get(key, _NOTHING), new.get(key, _NOTHING)) for key in {**old, **new})
    if isinstance(old, list) and isinstance(new, list):
        both = zip_longest(old, new, fillvalue=_NOTHING)
        return (_Pair(f"[{place}]", *values) for place, values in enumerate(both))
    return None


def _same(old: Any, new: Any, hidden: tuple[str, ...]) -> bool:
    if isinstance(old, str):
        if old in hidden:
            return new is not _NOTHING
        return isinstance(new, str) and _matches(old, new, hidden)
    # Of the values that Python takes for equal, JSON has one pair that is not: 1 and true.
    # NaN is not among them.
    return bool(old == new or (old != old and new != new)) and isinstance(old, bool) == isinstance(new, bool)


def _step(key: Any) -> str:
    if not isinstance(key, str):
        return f"[{_show(key)}]"
    return f".{key}" if key.isidentifier() else f"[{_quote(key)}]"


def _show_path(path: Sequence[str], step: str) -> str:
    text = mask("".join((*path, step)))
    return text if len(text) <= _PATH_SHOWN else f"{text[: _PATH_SHOWN // 2]}…{text[-_PATH_SHOWN // 2 :]}"


def _show(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return _quote(value) if isinstance(value, str) else _cut(spelled(value, _SHOWN))


# -- text and bytes ----------------------------------------------------------------------------------


def _matches(recorded: str, actual: str, hidden: tuple[str, ...]) -> bool:
    """Tell whether a text is the recorded one, where what is hidden in that may be anything."""
    first, *pieces = _any_of(hidden).split(recorded) if hidden else [recorded]
    if not pieces:
        return recorded == actual
    last = pieces.pop()
    if len(actual) < len(first) + len(last) or not (actual.startswith(first) and actual.endswith(last)):
        return False
    position, end = len(first), len(actual) - len(last)
    for piece in pieces:
        position = actual.find(piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True


@lru_cache(maxsize=4)  # a record may have thousands of texts to look for the same in
def _any_of(hidden: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, hidden)))


def _from_first_difference(old: Data, new: Data) -> str:
    start = _first_difference(old, new)
    while (before := min(_before_secret(old, start), _before_secret(new, start))) < start:
        start = before
    unit = "character" if isinstance(old, str) else "byte"
    lengths = "" if len(old) == len(new) else f", {len(old)} → {len(new)} {unit}s"
    return f"from {unit} {start + 1} on: {_rest(old, start)} → {_rest(new, start)}{lengths}"


def _before_secret(data: Data, place: int) -> int:
    """Return ``place``, or where the secret begins that it stands in: half a secret would not be masked."""
    if isinstance(data, str):
        start = max(0, place - _SECRET)
        spans = known_spans(data[start : place + _SECRET])
        return min(
            (start + begin for begin, end in spans if start + begin < place < start + end), default=place
        )
    first = place
    for secret in (value.encode("utf-8", "surrogatepass") for value in known()):
        found = data.find(secret, max(0, place - len(secret) + 1), place + len(secret) - 1)
        if found >= 0:
            first = min(first, found)
    return first


def _first_difference(old: Data, new: Data) -> int:
    """Return how many characters or bytes two payloads that differ begin alike with."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _rest(data: Data, start: int) -> str:
    """Return a payload from ``start`` on: text as JSON, bytes as hexadecimal digits."""
    if start == len(data):
        return "nothing"
    if isinstance(data, str):
        return _quote(data[start:])
    return _cut(mask_start(data[start : start + _WINDOW + 1], _WINDOW).hex(" "))


def _quote(text: str) -> str:
    return _cut(json.dumps(mask_start(text, _WINDOW), ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
