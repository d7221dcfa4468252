"""What a dialect is: what a family of servers speaks over WebSocket, without any connection.

A `Dialect` is chosen by the option ``dialect`` and holds what was chosen with it. For each time that the
connection opens it makes a `Session`: a state machine without I/O, which is given what comes and returns what
that means and what is to be sent. `Conversation` (``conversation.py``) drives it on the connection's loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, Self

from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.options.option import Option
from ipyws.errors import InvalidError, WebSocketError, brief, suggestion

Word = Literal["call", "emit", "subscribe", "publish"]
"""What can be done in a dialect."""

Payload = str | bytes
"""A message as it is sent, str as a text message, bytes as a binary one."""

Settings = Mapping[str, Any]
"""All that is said beside the arguments of a word by name, such as ``qos`` or ``namespace``; checked."""


# -- what a message of the server means --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The opening handshake of the dialect is done: whatever waits may be sent."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server does not open the conversation."""

    error: WebSocketError


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a call, or that a subscription or a publication was taken, or was not."""

    key: int
    value: Any = None
    error: WebSocketError | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A message of a subscription."""

    key: int
    value: Any
    error: WebSocketError | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A subscription has no more messages, by the server's doing, or because of an error."""

    key: int
    error: WebSocketError | None = None


@dataclass(frozen=True, slots=True)
class Respond:
    """Something is to be sent at once: the answer to a heartbeat, an acknowledgement."""

    payloads: tuple[Payload, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The server broke the dialect's protocol, or ended the conversation: the connection is closed.

    Attributes:
        error: What the server did, or said.
        code: The close code that is sent.
        reason: The reason that is sent, in at most 123 bytes.
    """

    error: WebSocketError
    code: int = 1002
    reason: str = ""


Happening = Ready | Refused | Answer | Item | Ended | Respond | Broken
"""What a message means for the conversation; one that means nothing but itself is none of these."""

NOTHING: Final[tuple[Happening, ...]] = ()


# -- the state machine of one opening ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opening:
    """What a connection knows when it opens, for the session that is made then.

    Attributes:
        subprotocol: The one that the server chose, or None.
        credentials: User and password, by the option ``auth``, of a dialect that `logs_in`.
        moved: Whether a redirect led to another origin, which gets no credentials.
        codec: What reads and writes the payloads within packets, by the option ``codec``.
        limit: Bytes that a packet may have which comes in several messages: the option ``read_limit``.
    """

    subprotocol: str | None
    credentials: tuple[str, str] | None
    moved: bool
    codec: Codec
    limit: int


class Session(ABC):
    """One conversation from the opening of a connection to its loss; without I/O, on one thread.

    What is asked of the server goes by keys: whole numbers that the conversation gives, each once in the life
    of a connection. Answers name them.

    Attributes:
        waits: Whether the server opens the conversation, by what means `Ready`; otherwise it is open at once.
        beat_every: Seconds between heartbeats of ours, once it is ready; None for none.
        silence: Seconds without a message from the server after which it counts as gone, or None.

    The latter two may change; they are looked at again whenever one of them has passed, and once it is ready.
    """

    waits: bool = True
    beat_every: float | None = None
    silence: float | None = None

    @abstractmethod
    def open(self) -> Sequence[Payload]:
        """Return what is sent as soon as the connection is open; nothing where the server begins."""

    @abstractmethod
    def receive(self, payload: Data) -> Sequence[Happening]:
        """Return what a message of the server means. Its payload is hostile; never raises."""

    def beat(self) -> Sequence[Payload]:
        """Return a heartbeat."""
        return ()

    def close(self) -> Sequence[Payload]:
        """Return the words of farewell, which are sent before a close frame of ours."""
        return ()

    def call(self, key: int, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        """Return what asks the server for a reply, which comes as the `Answer` of this key.

        Raises:
            InvalidError: The name or an argument can't be sent.
        """
        raise NotImplementedError

    def cancel(self, key: int) -> Sequence[Payload]:
        """Return what tells the server that nobody waits for the reply to a call any more."""
        return ()

    def emit(self, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        """Return what tells the server something that has no reply; raises as `call`."""
        raise NotImplementedError

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        """Return what has the server send what it has on a topic, as the `Item` of this key.

        The server's word for it comes as the `Answer` of the key; a dialect without such a word gives none,
        and says so by `answers`. It is asked again, by the same key, at each opening. Raises as `call`.
        """
        raise NotImplementedError

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        """Return what ends a subscription; nothing if the key is unknown."""
        return ()

    def publish(self, key: int, topic: str, payload: Any, settings: Settings) -> Sequence[Payload]:
        """Return what publishes on a topic; raises as `call`.

        Where the server says that it has it, that is the `Answer` of the key; `answers` tells if it does.
        """
        raise NotImplementedError

    def answers(self, word: Word, settings: Settings) -> bool:
        """Tell whether the server answers to a word, so that it is waited for.

        It is asked directly after that word, with nothing between.
        """
        return word == "call"


# -- the family --------------------------------------------------------------------------------------


class Dialect(ABC):
    """What a family of servers speaks, with what was chosen of it. Immutable, for any number of connections.

    Attributes:
        name: What the option ``dialect`` calls it.
        title: What its users call it.
        words: What can be done in it, each with how its arguments are called in the help.
        flags: What may be said beside the arguments of a word, by name in Python and as a flag of ``%ws``.
        settings: What may be chosen of it, in ``dialect={"name": …, …}``. A dialect is made with all of them,
            checked, by name.
        subprotocols: Those that are offered unless ``protocols`` says others.
        opens_with: In words, what is waited for while it opens, for an error: "the server's CONNECTED".
        open_timeout: Seconds that its opening handshake may take, or None.
        private: Names of settings that are not sent to another origin, where a redirect leads to one.
        advice: What to try where the server closes instead; "" for the usual.
        chosen: The settings that were given, as they were given.
        lost_by: Close codes, first and last of each range, by which its servers end a connection that may be
            had again, besides those that say so anyway.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    words: ClassVar[Mapping[Word, str]]
    flags: ClassVar[Mapping[Word, tuple[Option, ...]]] = {}
    settings: ClassVar[tuple[Option, ...]] = ()
    subprotocols: tuple[str, ...] = ()
    opens_with: ClassVar[str] = "the server's answer"
    open_timeout: float | None = 10.0
    private: tuple[str, ...] = ()
    advice: str = ""
    chosen: Settings = MappingProxyType({})
    lost_by: ClassVar[tuple[tuple[int, int], ...]] = ()

    @classmethod
    def configure(cls, option: str, given: Settings) -> Self:
        """Return the dialect with some settings, and the defaults of the others.

        Args:
            option: What the mapping is called: "dialect".
            given: Settings by name.

        Raises:
            InvalidError: There is no such setting, or a value is none of its kind.
        """
        made = cls(**check_settings(option, cls.settings, given, f"{option} {cls.name}"))
        made.chosen = dict(given)
        return made

    @classmethod
    def check_flags(cls, word: Word, given: Settings) -> Settings:
        """Return what is said beside the arguments of a word, checked, with the defaults of the rest.

        Raises:
            InvalidError: There is no such flag, or a value is none of its kind.
        """
        return check_settings(word, cls.flags.get(word, ()), given, word)

    @abstractmethod
    def codec(self, inner: Codec) -> Codec:
        """Return what reads its packets for views, ``value`` and expectations.

        Args:
            inner: What reads the payloads within them, by the option ``codec``.
        """

    async def fresh(self) -> Self:
        """Return the dialect as it is for one opening, with what the user's functions make for it.

        Raises:
            WebSocketError: A function raised, or made what can't be used.
        """
        return self

    @abstractmethod
    def begin(self, opening: Opening) -> Session:
        """Return the state machine of one opening.

        Raises:
            ConnectError: The server chose no subprotocol that it speaks.
        """

    def url(self, url: str) -> str:
        """Return the URL that is dialled for one that was given: with what the dialect adds to the query."""
        return url

    @property
    def logs_in(self) -> bool:
        """Whether the option ``auth`` is for its own login, and not for HTTP."""
        return False

    def instead(self, offered: Sequence[str], chosen: str | None, code: int) -> tuple[str, ...]:
        """Return the subprotocols to offer in a second dial, where the first showed that it speaks others.

        Args:
            offered: Those that were offered.
            chosen: The one that the server chose.
            code: By which it closed before the conversation was open.

        Returns:
            The subprotocols; none where it is not dialled again.
        """
        return ()

    def check(self) -> None:  # noqa: B027 - most need nothing
        """Refuse to be used where a library is missing; called before anything is dialled.

        Raises:
            InvalidError: A library is not installed; the hint says how to get it.
        """

    def refuse(self, word: Word) -> InvalidError:
        """Return the error for a word that it has not."""
        hint = f"it has {', '.join(self.words)}"
        return InvalidError(f"there is no {word} in {self.title}", hint=hint)


def check_settings(prefix: str, options: Sequence[Option], given: Settings, whose: str) -> dict[str, Any]:
    """Return settings by name, checked, with the defaults of those that are not given.

    Args:
        prefix: What stands before the name of one, in an error.
        options: Those that there are.
        given: Settings by name.
        whose: Whose they are, in words.

    Raises:
        InvalidError: There is no such setting, or a value is none of its kind.
    """
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            hint = suggestion(str(name), known, f"its settings are {', '.join(known) or 'none'}")
            raise InvalidError(f"{whose} has no setting {brief(name)}", hint=hint)
    return {
        name: option.kind.check(f"{prefix} {name}", given.get(name, option.default))
        for name, option in known.items()
    }
