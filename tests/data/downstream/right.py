"""What somebody's own module does with ipyws; `mypy --strict` has nothing to say about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, assert_type

import ipyws
from ipyws import graphql
from ipyws.policy import Policy, Verdict


def talk(url: str) -> str | bytes:
    with ipyws.connect(url, name="talk", dial_timeout="5s", headers={"X-Team": "a"}) as client:
        assert_type(client, ipyws.Client)
        assert_type(client.send({"op": "hello"}), ipyws.Message)
        assert_type(client.send_all(["one", b"two", {"three": 3}]), int)
        assert_type(client.ping(timeout=500), float)
        message = client.expect({"type": "ready"}, timedelta(seconds=2))
        assert_type(message, ipyws.Message)
        assert_type(client.request({"id": 7}).json(), Any)
        first: str | bytes = client.recv("1s").data
        sent: list[ipyws.Message] = client.log.filter(direction="out", types=["text"])
        assert sent[0].size >= 0
        assert_type(client.close(1000, "done"), ipyws.Close)
        return first


def prices(client: ipyws.Client) -> Iterator[float]:
    messages = client.channel()
    pause = ipyws.after("100ms")
    while True:
        chosen = ipyws.select(messages.case_receive(), pause.case_receive())
        if chosen.channel is pause:
            client.ping()
            pause = ipyws.after("100ms")
        elif not chosen.ok:
            return
        else:
            yield chosen.value.json()["price"]


def tell(url: str, jar: CookieJar, folder: Path, given: dict[str, Any]) -> None:
    ipyws.connect(url, headers=[("A", "1")], protocols=("a", "b"), compression="no_context").close()
    ipyws.connect(url, compression=ipyws.Compression.CONTEXT_TAKEOVER, read_timeout=None).close()
    ipyws.connect(url, cookies=jar, ca=folder / "ca.pem", record=folder / "a.jsonl", proxy=None).close()
    ipyws.connect(url, cookies={"a": "1"}, auth=("user", "pass"), reconnect={"attempts": 3}).close()
    ipyws.connect(url, **given).close()


async def talk_in_a_coroutine(url: str) -> ipyws.Message:
    async with ipyws.connect_async(url) as client:
        assert_type(client, ipyws.AsyncClient)
        await client.send(b"\x00")
        assert_type(await client.rpc("sum", [1, 2]), Any)
        return await client.recv("2s")


def ask(url: str) -> list[str]:
    with graphql.connect(url, init={"authorization": ipyws.secret("s3cr3t")}) as gql:
        assert_type(gql, graphql.GraphQL)
        gql.query("{ me }")
        return [event["text"] for event in gql.subscribe("subscription { text }")]


def may(url: str) -> bool:
    verdict = Policy.from_toml('[policy]\nconnect = "deny"').decide(url)
    assert_type(verdict, Verdict)
    return verdict.allowed


def again(path: str) -> bool:
    capture = ipyws.load(path)
    assert_type(capture, ipyws.Capture)
    with ipyws.serve(replay=path) as server, ipyws.connect(server.url) as client:
        assert_type(server, ipyws.Server)
        return ipyws.replay(client, capture, "lockstep").ok


def failing(url: str) -> str:
    try:
        ipyws.connect(url)
    except ipyws.errors.ConnectError as error:
        assert_type(error.retryable, bool)
        return f"{error.kind}: {error.hint}"
    return ""
