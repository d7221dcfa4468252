"""The option: its name and its settings."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import ipyws
from ipyws.core.codecs.registry import CODECS, find_codec
from ipyws.core.dialects.dialect import Dialect, Opening, Session
from ipyws.core.dialects.registry import find_dialect
from ipyws.errors import InvalidError
from tests.support.missing import without

OPENING = Opening(None, None, False, CODECS["auto"], 1000)


def made(**settings: Any) -> Dialect:
    dialect = find_dialect("dialect", {"name": "signalr", **settings})
    assert dialect is not None
    return dialect


def session(**settings: Any) -> Session:
    return made(**settings).begin(OPENING)


def test_the_settings_are_those_of_its_clients() -> None:
    assert (session().beat_every, session().silence) == (15, 30)
    own = session(keep_alive=timedelta(seconds=5), timeout=None)
    assert (own.beat_every, own.silence) == (5, None)
    assert session(protocol="messagepack").open() == ('{"protocol":"messagepack","version":1}\x1e',)
    assert made(protocol="messagepack").codec(CODECS["auto"]).read(b"\x02\x91\x06").label == "ping"


@pytest.mark.parametrize(
    "settings", [{"protocol": "xml"}, {"keep_alive": "15"}, {"timeout": 0}, {"transport": "websockets"}]
)
def test_a_wrong_setting_is_refused_before_anything_is_dialled(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidError, match="dialect"):
        made(**settings)


def test_the_codec_msgpack_chooses_its_protocol_and_captures_name_it() -> None:
    packed = made().codec(CODECS["msgpack"])
    assert packed.name == made(protocol="messagepack").codec(CODECS["auto"]).name == "signalr+msgpack"
    assert find_codec("codec", packed.name).read(b"\x02\x91\x06").label == "ping"
    opening = replace(OPENING, codec=CODECS["msgpack"])
    assert made().begin(opening).open() == ('{"protocol":"messagepack","version":1}\x1e',)


def test_a_codec_that_no_hub_speaks_is_refused_before_anything_is_dialled() -> None:
    with pytest.raises(InvalidError, match="SignalR has no messages in the codec 'raw'"):
        ipyws.connect("ws://127.0.0.1:1", dialect="signalr", codec="raw")


def test_messagepack_without_its_library_says_how_to_get_it() -> None:
    code = f"""{without("msgspec")}
import ipyws.dialects
from ipyws.core.dialects.registry import find_dialect
find_dialect("dialect", "signalr")
try:
    find_dialect("dialect", {{"name": "signalr", "protocol": "messagepack"}})
except ipyws.errors.InvalidError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "pip install ipyws[codecs]" in run.stdout
