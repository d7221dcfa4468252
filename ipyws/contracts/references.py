"""References of a contract: to other parts of its document, and to files below the document's folder.

Nothing else is ever opened: a document comes from anywhere, and must not have files of this machine read, or
pages of others fetched, because it names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from ipyws.contracts.document import LARGEST, Document, Pointer, read_document, read_pointer
from ipyws.core.files import open_regular
from ipyws.errors import InvalidError, brief

_MOST_FILES: Final = 100
_MOST_HOPS: Final = 50
_NOWHERE: Final = "ipyws:///schema"


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a document.

    Attributes:
        document: The document.
        uri: Its address among the files of the contract.
        pointer: Where in it the part stands.
        value: The part.
    """

    document: Document
    uri: str
    pointer: Pointer
    value: Any

    def part(self, *steps: str | int) -> Place | None:
        """Return a part of this part, or None if there is none, or it is null."""
        pointer = (*self.pointer, *steps)
        try:
            value = self.document.at(pointer)
        except LookupError:
            return None
        return None if value is None else Place(self.document, self.uri, pointer, value)

    def error(self, what: str, hint: str = "") -> InvalidError:
        """Return the error about this part: it names the file, and the line or the place in it."""
        return self.document.error(what, self.pointer, hint)

    @property
    def reference(self) -> str:
        """What a ``$ref`` from anywhere says to mean this part."""
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.pointer)
        return f"{self.uri}#{''.join(f'/{quote(step, safe=_IN_FRAGMENT)}' for step in steps)}"


_IN_FRAGMENT: Final = "!$&'()*+,;=:@-._~"


class Files:
    """The files of a contract: the one that was asked for, and those below its folder that it refers to.

    Args:
        path: The document; None for one that is in no file, which can't refer to any.
        value: What that holds.

    Attributes:
        root: The document as a whole.
    """

    def __init__(self, path: Path | None, value: Any = None) -> None:
        self._given = path
        self._folder = None if path is None else path.resolve().parent
        self._documents: dict[str, Document] = {}
        if path is None:
            self._documents[_NOWHERE] = Document("the schema", value)
        self.root = self._whole(_NOWHERE if path is None else path.resolve().as_uri())

    def follow(self, place: Place) -> Place:
        """Return what a part is: itself, or what its ``$ref`` leads to.

        Raises:
            InvalidError: It leads nowhere, in a circle, or out of the document's folder.
        """
        first = place
        for _ in range(_MOST_HOPS):
            reference = place.value.get("$ref") if isinstance(place.value, dict) else None
            if not isinstance(reference, str):
                return place
            place = self._target(place, reference)
        raise first.error("its $ref leads in a circle", hint="let one of them hold the value itself")

    def value(self, uri: str) -> Any:
        """Return a document as a schema refers to it.

        Raises:
            InvalidError: It can't be had.
        """
        return self._whole(uri).value

    def _target(self, place: Place, reference: str) -> Place:
        uri, _, fragment = urljoin(place.uri, reference).partition("#")
        try:
            whole = self._whole(uri)
        except InvalidError as error:
            raise place.error(f"its $ref {brief(reference)}: {error.message}", hint=error.hint) from None
        pointer = read_pointer(unquote(fragment))
        try:
            return Place(whole.document, whole.uri, pointer, whole.document.at(pointer))
        except LookupError:
            raise place.error(
                f"its $ref {brief(reference)} leads nowhere", hint="is it misspelled?"
            ) from None

    def _whole(self, uri: str) -> Place:
        document = self._documents.get(uri)
        if document is None:
            document = self._documents[uri] = self._read(uri)
        return Place(document, uri, (), document.value)

    def _read(self, uri: str) -> Document:
        parts = urlsplit(uri)
        if parts.scheme != "file" or parts.netloc or self._folder is None:
            raise InvalidError(
                f"{brief(uri)} is not of this machine", hint="save it beside the document and refer to that"
            )
        path = Path(unquote(parts.path))
        shown = str(self._given) if not self._documents else str(path)
        if not path.resolve().is_relative_to(self._folder):
            raise InvalidError(
                f"{shown} is not below the folder of the document", hint="put it there, or a copy of it"
            )
        if len(self._documents) >= _MOST_FILES:
            raise InvalidError(f"it refers to more than {_MOST_FILES} files", hint="put some together")
        return read_document(_bytes_of(path, shown), shown)


def _bytes_of(path: Path, shown: str) -> bytes:
    try:
        with open_regular(path) as stream:
            return stream.read(LARGEST + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InvalidError(f"{shown} can't be read: {why}", hint="is the path right?") from None
