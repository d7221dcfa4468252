"""Who mixes up the synchronous and the asynchronous form is told the right one, in one line."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import ipyws
from ipyws import graphql
from ipyws.errors import InvalidError
from tests.support.servers import echo, server

SYNC, ASYNC = "ipyws.connect(url)", "ipyws.connect_async(url)"
SYNC_GRAPHQL, ASYNC_GRAPHQL = "ipyws.graphql.connect(url)", "ipyws.graphql.connect_async(url)"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server(echo) as site:
        yield site.url


def run(code: str, **names: object) -> None:
    """Run lines in a coroutine, as a cell of a notebook does."""
    space: dict[str, Any] = {"ipyws": ipyws, **names}
    exec("async def cell():\n" + "".join(f"    {line}\n" for line in code.splitlines()), space)
    asyncio.run(space["cell"]())


def refusal(code: str, **names: object) -> str:
    with pytest.raises(InvalidError) as caught:
        run(code, **names)
    said = str(caught.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize("call", ["ipyws.connect_async(url)", "ipyws.graphql.connect_async(url)"])
@pytest.mark.parametrize(
    "use", ["{}.send('x')", "{}.recv()", "{}.query", "print({}.state)", "client = {}\nclient.nonsense()"]
)
def test_what_was_not_awaited_has_nothing_yet(url: str, call: str, use: str) -> None:
    said = refusal(use.format(call), url=url)
    assert f"{call} was not awaited" in said
    assert f"= await {call}, or async with {call} as " in said


@pytest.mark.parametrize("call", [ASYNC, ASYNC_GRAPHQL])
def test_a_plain_with_needs_async_or_the_other_call(url: str, call: str) -> None:
    said = refusal(f"with {call} as client:\n    pass", url=url)
    assert f"async with {call} as" in said
    assert f"or with {call.replace('_async', '')} as" in said


@pytest.mark.parametrize(
    "loop", ["for m in {}: pass", "async for m in {}: pass", "[m for m in {}]", "list({})"]
)
def test_a_loop_over_what_was_not_awaited(url: str, loop: str) -> None:
    said = refusal(loop.format(ASYNC), url=url)
    assert f"async with {ASYNC} as client, and in it async for … in client" in said


def test_a_synchronous_client_is_not_awaited(url: str) -> None:
    said = refusal(f"await {SYNC}", url=url)
    assert said.endswith(f"write client = {SYNC}, or client = await {ASYNC}")


def test_a_synchronous_client_does_not_go_with_async_with(url: str) -> None:
    said = refusal(f"async with {SYNC} as client: pass", url=url)
    assert said.endswith(f"write with {SYNC} as client, or async with {ASYNC} as client")


def test_servers_have_no_asynchronous_form_to_offer() -> None:
    with ipyws.serve("echo") as echo_server:
        for code in ("await it", "async with it: pass"):
            said = refusal(code, it=echo_server)
            assert "ipyws.serve()" in said
            assert "await ipyws.serve" not in said


def test_an_asynchronous_client_in_a_plain_for_or_with(url: str) -> None:
    code = "client = await ipyws.connect_async(url)\ntry:\n    {}\nfinally:\n    await client.close()"
    assert "async for … in client" in refusal(code.format("for m in client: pass"), url=url)
    assert f"async with {ASYNC}" in refusal(code.format("with client: pass"), url=url)


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("ipyws.Client('ws://localhost')", f"client = {SYNC}"),
        ("ipyws.Client('ws://localhost', dial_timeout='5s')", f"client = {SYNC}"),
        ("ipyws.Client(url='ws://localhost')", f"client = {SYNC}"),
        ("ipyws.Client()", f"client = {SYNC}"),
        ("ipyws.AsyncClient('ws://localhost')", f"client = await {ASYNC}"),
        ("ipyws.Server('echo')", "server = ipyws.serve()"),
        ("ipyws.graphql.GraphQL('ws://localhost')", f"gql = {SYNC_GRAPHQL}"),
        ("ipyws.graphql.AsyncGraphQL('ws://localhost')", f"gql = await {ASYNC_GRAPHQL}"),
    ],
)
def test_classes_say_what_makes_them(code: str, form: str) -> None:
    assert refusal(code).endswith(f"write {form}")


@pytest.mark.parametrize("connect", [ipyws.connect_async, graphql.connect_async])
def test_a_forgotten_await_is_warned_of_and_shown(url: str, connect: Any) -> None:
    forgotten = [connect(url)]
    assert "not awaited" in repr(forgotten)
    assert url not in repr(forgotten)
    with pytest.warns(RuntimeWarning, match="was never awaited, so nothing was dialled") as told:
        forgotten.clear()
    assert len(told) == 1


def test_what_was_refused_awaited_or_told_already_is_not_warned_of(url: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidError):
            ipyws.connect_async("http://localhost")
        with pytest.raises(InvalidError):
            graphql.connect_async(url, init=1)  # type: ignore[arg-type]
        refusal(f"{ASYNC}.send('x')", url=url)
        run(
            "async with ipyws.connect_async(url): pass\nawait (await ipyws.connect_async(url)).close()",
            url=url,
        )
        gc.collect()


def test_what_was_not_awaited_answers_those_who_look_for_attributes(url: str) -> None:
    forgotten = ipyws.connect_async(url)
    assert not hasattr(forgotten, "_repr_html_")
    assert not hasattr(forgotten, "send")
    assert isinstance(forgotten, ipyws.connect_async)


def test_graphql_is_there_without_an_import_of_its_own() -> None:
    code = (
        "import sys, ipyws\n"
        "assert 'ipyws.graphql' not in sys.modules\n"
        "assert 'graphql' in dir(ipyws)\n"
        "print(ipyws.graphql.connect.__name__)\n"
        "try: ipyws.nonsense\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "connect\nmodule 'ipyws' has no attribute 'nonsense'\n"
