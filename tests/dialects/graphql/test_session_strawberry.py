"""GraphQL against Strawberry: it honours the client's order, and runs queries in today's protocol only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyws
from ipyws import errors, graphql
from tests.core.connection.test_client import run

SERVER = Path(__file__).parents[2] / "data" / "graphql" / "strawberry_server.py"
COUNT = "subscription { count(to: 3) }"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, str(SERVER)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield f"ws://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("path", ["both", "graphql-transport-ws"])
def test_the_protocol_of_today_is_spoken_where_the_server_speaks_both(url: str, path: str) -> None:
    with graphql.connect(f"{url}/{path}") as gql:
        assert gql.protocol == "graphql-transport-ws"
        assert gql.query("{ hello }") == {"hello": "hello world"}
        assert [event["count"] for event in gql.subscribe(COUNT)] == [0, 1, 2]


def test_server_of_the_older_protocol_only_is_spoken_to_in_it(url: str) -> None:
    with graphql.connect(f"{url}/graphql-ws", name="older") as gql:
        assert gql.protocol == "graphql-ws"
        assert [event["count"] for event in gql.subscribe(COUNT)] == [0, 1, 2]
        assert ipyws.connections()["older"].state == "open"


@pytest.mark.parametrize("only", ["graphql-transport-ws", "graphql-ws"])
def test_protocol_that_the_user_names_alone_is_not_given_up(url: str, only: str) -> None:
    other = {"graphql-transport-ws": "graphql-ws", "graphql-ws": "graphql-transport-ws"}[only]
    with pytest.raises(errors.ClosedError, match="4406"):
        graphql.connect(f"{url}/{other}", protocols=[only])


@pytest.mark.parametrize(
    ("path", "protocol"), [("both", "graphql-transport-ws"), ("graphql-ws", "graphql-ws")]
)
def test_coroutines_speak_what_the_server_speaks(url: str, path: str, protocol: str) -> None:
    async def scenario() -> None:
        async with graphql.connect_async(f"{url}/{path}") as gql:
            assert gql.protocol == protocol
            subscription = await gql.subscribe(COUNT)
            assert [event["count"] async for event in subscription] == [0, 1, 2]

    run(scenario())
