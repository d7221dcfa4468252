"""Files that are to be used again: they say where a secret came from, ``{{env.TOKEN}}``, not what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from ipyws.text.masking import MASK, in_json, known, known_spans, place_spans, references, secret_spans
from ipyws.text.places import merged
from ipyws.text.spelling import Span

# Origins that the value of a reference was sent to.
_sent: dict[str, set[str]] = {}

_JSON_START = re.compile(r"\s*(?:\[|\{(?!\{))")


def has_any() -> bool:
    """Tell whether any secret of this process came by reference."""
    return bool(references(False))


def note_sent(data: bytes, origin: str) -> None:
    """Note to where the secrets that came by reference go.

    Args:
        data: What is sent.
        origin: Scheme, host and port that it goes to.
    """
    for value, reference in (*references(False).items(), *references(True).items()):
        if value.encode("utf-8", "surrogatepass") in data:
            _sent.setdefault(reference, set()).add(origin)


def was_sent(reference: str, origin: str) -> bool:
    """Tell whether the value of a reference was sent to an origin by this process."""
    return origin in _sent.get(reference, ())


def with_references(text: str) -> tuple[str, list[str], bool]:
    """Return ``text`` fit for a file that is to be used again.

    A value that came by reference becomes that reference where it stands as it is, or in JSON as JSON spells
    it. What else `mask` hides becomes stars.

    Returns:
        The text, the references in it, and whether something else became stars.
    """
    if not secret_spans(text):
        return text, [], False
    came_by = references(_is_json(text))
    spans = [*known_spans(text, _schemes_with_reference())]
    # Braces that the text had before could not be told from ours.
    stand_for = {
        span: reference
        for span in spans
        if (reference := came_by.get(text[slice(*span)])) is not None and _braced(reference) not in text
    }
    ends = dict(iter(stand_for))
    spans += [place for place in place_spans(text) if not _is_filled(place, ends)]
    pieces: list[str] = []
    found: dict[str, None] = {}
    done, starred = 0, False
    for start, end in merged(spans) if spans else ():
        reference = stand_for.get((start, end))
        pieces += (text[done:start], MASK if reference is None else _braced(reference))
        done = end
        if reference is None:
            starred = True
        else:
            found[reference] = None
    return "".join((*pieces, text[done:])), list(found), starred


def _schemes_with_reference() -> set[str]:
    """Return the known values that are one which came by reference behind a word such as "Bearer".

    A whole header is known too, so that a server that repeats it gives nothing away.
    """
    came_by = references(False)
    parts = ((value, *value.partition(" ")) for value in known()) if came_by else ()
    return {
        value
        for value, scheme, _, credential in parts
        if credential in came_by and scheme.isascii() and scheme.isalpha()
    }


def _is_filled(place: Span, ends: dict[int, int]) -> bool:
    """Tell whether nothing but references stands at a place."""
    at, end = place
    while at in ends:
        at = ends[at]
    return at == end


def fill_references(text: str, names: Iterable[str], fill: Callable[[str], str]) -> str:
    """Return ``text`` with the values of its references: the inverse of `with_references`.

    Args:
        text: What `with_references` gave.
        names: The references in it. Nothing else in braces is touched.
        fill: Returns the value of a reference.
    """
    spelled = in_json if _is_json(text) else str
    values = {_braced(name): spelled(fill(name)) for name in names}
    pattern = "|".join(map(re.escape, values))
    return re.sub(pattern, lambda match: values[match[0]], text) if values else text


def split_references(text: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each stretch of ``text`` with the reference that stands behind it, "" at the end.

    Args:
        text: What `with_references` gave.
        names: The references in it. Nothing else in braces is one.
    """
    braced = {_braced(name): name for name in names}
    done = 0
    for match in re.finditer("|".join(map(re.escape, braced)), text) if braced else ():
        yield text[done : match.start()], braced[match[0]]
        done = match.end()
    yield text[done:], ""


def _braced(reference: str) -> str:
    return f"{{{{{reference}}}}}"


def _is_json(text: str) -> bool:
    return _JSON_START.match(text) is not None
