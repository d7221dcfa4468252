"""A JSON Schema as jsonschema-rs checks it, and what breaks one in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from ipyws.contracts.document import written
from ipyws.contracts.references import Files, Place
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.messages.contract import Violation
from ipyws.errors import InvalidError
from ipyws.text.masking import mask
from ipyws.text.printable import visible

DRAFT_7: Final = "http://json-schema.org/draft-07/schema#"
"""The draft that AsyncAPI's own schemas are of."""

_MOST: Final = 20  # violations of one message that are told
_SHOWN: Final = 300
_DEEPEST: Final = 10
_SIZE_LIMIT: Final = 1 << 20


class Schema:
    """A schema, compiled when it is first asked.

    Args:
        place: Where it stands.
        files: The files that it may refer to.
        draft: The URI of its draft, unless it names one itself.
    """

    def __init__(self, place: Place, files: Files, draft: str | None = None) -> None:
        self.place = place
        self.files = files
        self._draft = draft
        self._compiled: Any = None

    def compile(self) -> None:
        """Compile it, so that what is wrong with it is known.

        Raises:
            InvalidError: It is no schema, or refers to what can't be had; or jsonschema-rs is not installed.
        """
        if self._compiled is None:
            self._compiled = self._make()

    def is_valid(self, value: Any) -> bool:
        """Tell whether a value keeps to it."""
        self.compile()
        try:
            return bool(self._compiled.is_valid(value))
        except ValueError:
            return not self.violations(value)

    def violations(self, value: Any) -> tuple[Violation, ...]:
        """Return what is wrong with a value; of alternatives, with the one that it comes closest to."""
        self.compile()
        try:
            errors = self._errors(value)
        except ValueError:  # a value that JSON does not have: bytes, a time, a key that is not text
            try:
                errors = self._errors(JSON.decode(JSON.encode([value]))[0])
            except (ValueError, RecursionError):
                return (Violation("", "it holds what JSON has no form for"),)
        return tuple(violation for error in errors for violation in _told(error, 0))[:_MOST]

    def _errors(self, value: Any) -> list[Any]:
        return list(islice(self._compiled.iter_errors(value), _MOST))

    def _make(self) -> Any:
        library = _library()
        problems: list[str] = []

        def retrieve(uri: str) -> Any:
            try:
                return self.files.value(uri)
            except InvalidError as error:
                problems.append(error.message)
                raise ValueError(error.message) from None

        schema = {"$ref": self.place.reference}
        if self._draft:
            schema["$schema"] = self._draft
        try:
            return library.validator_for(
                schema,
                retriever=retrieve,
                pattern_options=library.FancyRegexOptions(backtrack_limit=10_000, size_limit=_SIZE_LIMIT),
            )
        except (ValueError, library.ValidationError, library.ReferencingError) as error:
            why = problems[0] if problems else _words(getattr(error, "message", None) or str(error))
            raise self.place.error(f"its schema can't be used: {why}", hint="see json-schema.org") from None


def _library() -> Any:
    try:
        import jsonschema_rs
    except ModuleNotFoundError:
        raise InvalidError(
            "a contract needs jsonschema-rs, which is not installed", hint="pip install ipyws[contracts]"
        ) from None
    return jsonschema_rs


def _told(error: Any, depth: int) -> Iterator[Violation]:
    """Yield what an error says; of alternatives that all fail, what the closest of them says."""
    branches = getattr(error.kind, "context", None) if error.kind.name in ("anyOf", "oneOf") else None
    if branches and depth < _DEEPEST:
        closest = min(branches, key=_distance)
        for inner in closest[:_MOST]:
            yield from _told(inner, depth + 1)
        return
    yield Violation(_words(written(tuple(error.instance_path))), _words(error.message))


def _distance(errors: list[Any]) -> tuple[bool, int]:
    """Return how far a value is from an alternative: of another kind first, then by what is wrong."""
    names = [error.kind.name for error in errors if not error.instance_path or len(error.instance_path) == 1]
    other_kind = any(name in ("const", "enum", "type") for name in names)
    return other_kind, len(errors)


def _words(text: str) -> str:
    # Masked before it is cut: half a secret would not be known as one.
    shown = visible(mask(text))
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"


def constants(schema: Any) -> Mapping[str, str]:
    """Return the properties of an object that a schema fixes to one text: what tells its messages apart."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return {}
    found: dict[str, str] = {}
    for name, inner in properties.items():
        if isinstance(inner, dict):
            only = inner.get("const")
            several = inner.get("enum")
            if only is None and isinstance(several, list) and len(several) == 1:
                only = several[0]
            if isinstance(only, str):
                found[name] = only
    return found
