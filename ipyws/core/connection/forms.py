"""The right form for who mixes up the synchronous and the asynchronous one.

Python would say "'X' object does not support the asynchronous context manager protocol" and leave it at that.
What is here is never called in code that is right, so type checkers don't see it.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, NoReturn

from ipyws.errors import InvalidError


class InvalidAttributeError(InvalidError, AttributeError):
    """What was not awaited has no such attribute."""


class Forms(NamedTuple):
    """How something is made.

    Attributes:
        call: In synchronous code.
        awaited: In coroutines; "" if it can't be.
        name: What examples call it.
    """

    call: str
    awaited: str
    name: str

    @property
    def asynchronous(self) -> str:
        """The two forms for coroutines."""
        return f"{self.name} = await {self.awaited}, or async with {self.awaited} as {self.name}"

    def refuse_await(self) -> NoReturn:
        """Raise the error for ``await connect(…)``."""
        other = f", or {self.name} = await {self.awaited}" if self.awaited else ""
        _refuse(f"{self.call} is not awaited", f"{self.name} = {self.call}{other}")

    def refuse_async_with(self) -> NoReturn:
        """Raise the error for ``async with connect(…)``."""
        other = f", or async with {self.awaited} as {self.name}" if self.awaited else ""
        _refuse(f"{self.call} does not go with async with", f"with {self.call} as {self.name}{other}")

    def refuse_with(self) -> NoReturn:
        """Raise the error for ``with connect_async(…)``."""
        forms = f"async with {self.awaited} as {self.name}, or with {self.call} as {self.name}"
        _refuse(f"{self.awaited} does not go with a plain with", forms)


def _refuse(what: str, form: str) -> NoReturn:
    raise InvalidError(what, hint=f"write {form}")


def _check_parts(made: Any, parts: tuple[object, ...], call: str) -> None:
    """Refuse what a user would make something of: a URL, a kind of server, or nothing."""
    if not parts or isinstance(parts[0], str):
        _refuse(f"a {made.__name__} is not made by calling its class", f"{made._forms.name} = {call}")


CONNECT: Final = Forms("ipyws.connect(url)", "ipyws.connect_async(url)", "client")
"""A connection."""
GRAPHQL: Final = Forms("ipyws.graphql.connect(url)", "ipyws.graphql.connect_async(url)", "gql")
"""A GraphQL conversation."""
SERVE: Final = Forms("ipyws.serve()", "", "server")
"""A demo server."""


class Synchronous:
    """What is made by a plain call."""

    _forms: ClassVar[Forms]

    if not TYPE_CHECKING:

        def __new__(cls, *parts: object, **options: object) -> Any:
            _check_parts(cls, parts, cls._forms.call)
            return super().__new__(cls)

        def __await__(self) -> NoReturn:
            self._forms.refuse_await()

        def __aenter__(self) -> NoReturn:
            self._forms.refuse_async_with()

        def __aexit__(self, *_: object) -> NoReturn:
            self._forms.refuse_async_with()


class Asynchronous:
    """What an awaited call gives."""

    _forms: ClassVar[Forms]

    if not TYPE_CHECKING:

        def __new__(cls, *parts: object, **options: object) -> Any:
            _check_parts(cls, parts, f"await {cls._forms.awaited}")
            return super().__new__(cls)

        def __enter__(self) -> NoReturn:
            self._forms.refuse_with()

        def __exit__(self, *_: object) -> NoReturn:
            self._forms.refuse_with()

        def __iter__(self) -> NoReturn:
            name = self._forms.name
            _refuse(f"a plain for can't wait for what {self._forms.awaited} gives", f"async for … in {name}")


class Unawaited:
    """What opens a connection when it is awaited or entered; warns if that never happens."""

    _forms: ClassVar[Forms]
    _used = True  # until it is checked: what was refused needs no warning

    def __repr__(self) -> str:
        return f"<{self._forms.awaited}, not awaited: write {self._forms.asynchronous}>"

    def __del__(self) -> None:
        if not self._used and not sys.is_finalizing():
            what = f"{self._forms.awaited} was never awaited, so nothing was dialled"
            warnings.warn(f"{what}; write {self._forms.asynchronous}", RuntimeWarning, stacklevel=2)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):  # what everybody asks everything for
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            self._used = True  # the error says it
            forms = self._forms
            what = f"{forms.awaited} was not awaited, so it has no {name!r:.40} yet"
            raise InvalidAttributeError(what, hint=f"write {forms.asynchronous}")

        def __enter__(self) -> NoReturn:
            self._used = True
            self._forms.refuse_with()

        def __exit__(self, *_: object) -> NoReturn:
            self._forms.refuse_with()

        def __iter__(self) -> NoReturn:
            self._refuse_loop()

        def __aiter__(self) -> NoReturn:
            self._refuse_loop()

        def _refuse_loop(self) -> NoReturn:
            self._used = True
            forms = self._forms
            then = f"async with {forms.awaited} as {forms.name}, and in it async for … in {forms.name}"
            _refuse(f"{forms.awaited} was not awaited, so nothing comes of it", then)
