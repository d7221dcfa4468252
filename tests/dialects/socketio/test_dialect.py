"""The option: names, settings, and the URL that is dialled."""

from __future__ import annotations

from typing import Any

import pytest

import ipyws.dialects  # noqa: F401 - fills the registry
from ipyws.core.codecs.registry import CODECS
from ipyws.core.dialects.dialect import Opening, Respond
from ipyws.core.dialects.registry import find_dialect
from ipyws.dialects.socketio.dialect import SocketIO
from ipyws.errors import InvalidError
from ipyws.text.masking import mask

ADDED = "EIO=4&transport=websocket"


def made(**settings: Any) -> SocketIO:
    dialect = find_dialect("dialect", {"name": "socketio", **settings})
    assert isinstance(dialect, SocketIO)
    return dialect


@pytest.mark.parametrize(
    ("given", "dialled"),
    [
        ("ws://h", f"ws://h/socket.io/?{ADDED}"),
        ("wss://h:8443/", f"wss://h:8443/socket.io/?{ADDED}"),
        ("ws://h/live/", f"ws://h/live/?{ADDED}"),
        ("ws://h/socket.io/?token=x", f"ws://h/socket.io/?token=x&{ADDED}"),
        ("ws://h?EIO=3", "ws://h/socket.io/?EIO=3&transport=websocket"),
        (f"ws://h/socket.io/?{ADDED}", f"ws://h/socket.io/?{ADDED}"),
        ("ws://[::1]:3000", f"ws://[::1]:3000/socket.io/?{ADDED}"),
        ("ws://h/#top", f"ws://h/socket.io/?{ADDED}#top"),
        ("ws://h\n/", f"ws://h\n/socket.io/?{ADDED}"),
        ("ws://h\\@x/", f"ws://h\\@x/?{ADDED}"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_the_url_has_what_engine_io_asks_for_and_hides_nothing_from_the_policy(
    given: str, dialled: str
) -> None:
    assert made().url(given) == dialled


def test_the_setting_query_is_added_to_the_url() -> None:
    assert made(query={"room": "a b", "v": 2}).url("ws://h") == f"ws://h/socket.io/?room=a+b&v=2&{ADDED}"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"namespace": "chat"}, "namespace is 'chat'"),
        ({"namespace": "/a,b"}, "namespace is '/a,b'"),
        ({"auth": "token"}, "dialect auth is of type str"),
        ({"auth": {"a": float("nan")}}, "dialect auth can't be sent"),
        ({"query": {"a": None}}, "a value of dialect query is of type NoneType"),
        ({"names": "/"}, "dialect socketio has no setting 'names'"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_dialled(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidError) as caught:
        made(**settings)
    assert said in caught.value.message


def test_what_we_say_of_ourselves_is_a_secret() -> None:
    made(auth={"user": "visitor", "token": "swordfish-11"})
    assert mask('40{"user":"visitor","token":"swordfish-11"}') == '40{"user":"visitor","token":"***"}'
    made(auth={"ticket-no": "grey-heron-12"})
    assert mask("grey-heron-12") == "***"
    auth = next(option for option in SocketIO.settings if option.name == "auth")
    assert auth.kind.show({"token": "x"}) == "***"


@pytest.mark.parametrize(("moved", "sent"), [(False, '40{"token":"swordfish-11"}'), (True, "40")])
def test_another_origin_gets_no_credentials(moved: bool, sent: str) -> None:
    opening = Opening(None, None, moved, CODECS["auto"], 1000)
    session = made(auth={"token": "swordfish-11"}).begin(opening)
    assert session.receive('0{"sid":"x"}') == (Respond((sent,)),)
