"""Secrets in messages and in reasons, there and back: in views, in logs, and in a notebook that is saved.

What the user asks for by name stays exact: ``message.data`` and ``client.url`` are what went over the wire.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import quote

import nbformat
import pytest

from tests.support.canary import AWKWARD, MORE_AWKWARD, Canary, Watched, watched
from tests.support.kernel import notebook_client, repository_importable
from tests.support.servers import PING, TEXT, Raw, Site, close_frame, dead_port, frame, raw_server, server

pytestmark = pytest.mark.kernel

# URL is the server's.
SENDING = {
    "%ws send": """
        %ws URL
        %ws send {"a": "{{env.CANARY}}"}
        %ws recv
        %ws log
        %ws recv --timeout 20ms""",
    "%ws send of a text": """
        %ws URL
        %ws send --text a {{env.CANARY}} b
        %ws log --in
        %ws recv -n 5 --timeout 20ms""",
    "%ws send of bytes": """
        %ws URL
        %ws send --binary {{env.CANARY}}
        %ws log
        %ws recv --where nonsense""",
    "%%ws": """
        %%ws URL
        {"a": {{ipyws.secret(canary)}}}
        ===
        plain {{env.CANARY}}
        === close 4000 bye""",
    "%%ws that is wrong": """
        %%ws URL
        {"a": {{ipyws.secret(canary)}}}
        ===
        {"b": {{env.CANARY}}, }""",
    "Python": """
        client = ipyws.connect('URL')
        client.send({'a': ipyws.secret(canary)})
        message = client.recv()
        print(repr(message), client.log)
        display(message, list(client.log))
        client.recv(timeout='20ms')""",
    "Python that is wrong": """
        client = ipyws.connect('URL')
        client.send(ipyws.secret(canary))
        client.send({'a': canary}, type=canary)""",
}
READING = {
    "%ws": "%ws URL\n%ws recv",
    "%%ws": "%%ws URL\nhi\n=== close",
    "Python": "ipyws.connect('URL').recv()",
}
FAILING = {
    "of Python": "value = ipyws.secret(canary)\nraise ValueError('it was ' + value)",
    "of a key": "ipyws.secret(canary)\n{}[canary]",
    "of a wrong call": "ipyws.connect('ws://h', ipyws.secret(canary))",
    "of a template": "%ws send {{ipyws.secret(canary) + 1}}",
    "of a condition": "%ws recv --timeout 50ms --where int(ipyws.secret(canary))",
}


@pytest.fixture(scope="module")
def echo() -> Iterator[Site]:
    with server() as site:
        yield site


@pytest.fixture(scope="module")
def kernel(echo: Site) -> Iterator[Watched]:  # it ends before the server that it is connected to
    with watched(colours=False) as kernel:
        yield kernel


@pytest.mark.parametrize(
    "middle",
    ["-", AWKWARD, MORE_AWKWARD, AWKWARD * 100, "x" * 20_000],
    ids=["plain", "awkward", "more", "long", "huge"],
)
@pytest.mark.parametrize("sending", SENDING)
def test_a_secret_that_is_sent_and_comes_back_shows_nowhere(
    kernel: Watched, echo: Site, sending: str, middle: str
) -> None:
    canary = Canary(middle)
    kernel.hold(canary)
    kernel.run(dedent(SENDING[sending]).strip().replace("URL", echo.url))
    assert kernel.run("%ws log").status == "ok"
    assert canary.found_in(kernel.shown()) == []


@pytest.mark.parametrize("reading", READING)
def test_a_secret_in_a_ping_or_a_reason_of_the_servers_shows_nowhere(kernel: Watched, reading: str) -> None:
    canary = Canary()
    secret = canary.value.encode()

    async def repeat(peer: Raw) -> None:
        await peer.upgrade(
            then=frame(PING, secret) + frame(PING, b"\0" + secret) + close_frame(4000, canary.value)
        )

    with raw_server(repeat) as site:
        kernel.hold(canary)
        kernel.run("kept = ipyws.secret(canary)")
        kernel.run(READING[reading].replace("URL", site.url))
        kernel.run("%ws recv")
        assert kernel.run("%ws log --control").status == "ok"
        assert canary.found_in(kernel.shown()) == []


@pytest.mark.parametrize("failing", FAILING)
def test_an_error_that_is_not_ours_shows_no_secret(kernel: Watched, echo: Site, failing: str) -> None:
    canary = Canary()
    kernel.run(f"%ws {echo.url}")
    kernel.hold(canary)
    kernel.run("%colors neutral")
    assert kernel.run(FAILING[failing]).status == "error"
    assert len(kernel.traceback()) > 1
    assert canary.found_in(kernel.shown()) == []
    kernel.run("%colors nocolor")


# How servers of other languages repeat a text.
REPEATED: dict[str, Callable[[str], str]] = {
    "PHP": lambda text: json.dumps(text).replace("/", "\\/"),
    ".NET": lambda text: re.sub(
        r"\\u(....)|[+&<>'`]",
        lambda found: f"\\u{found[1].upper() if found[1] else format(ord(found[0]), '04X')}",
        json.dumps(text),
    ),
    "a URL": lambda text: quote(text, safe="()/+"),
    "HTML": html.escape,
    "bytes": lambda text: repr(text.encode()),
}


@pytest.mark.parametrize("middle", [AWKWARD, MORE_AWKWARD], ids=["awkward", "more"])
def test_a_secret_that_a_server_spells_otherwise_shows_nowhere(kernel: Watched, middle: str) -> None:
    canary = Canary(middle)
    said = b"".join(
        frame(TEXT, (before + spell(canary.value)).encode())
        for spell in REPEATED.values()
        for before in ("", "." * 150, "." * 290, "." * 1990)
    )

    async def repeat(peer: Raw) -> None:
        await peer.upgrade(then=said)
        await peer.rest()

    with raw_server(repeat) as site:
        kernel.hold(canary)
        connect = f"kept = ipyws.secret(canary)\n%ws {site.url} --auth u:{{{{kept}}}} --as spelled"
        assert kernel.run(connect).status == "ok"
        assert kernel.run(f"%ws recv -n {4 * len(REPEATED)} -o got").status == "ok"
        assert kernel.run("%ws log --tail 50").status == "ok"
        kernel.run("got[-1].json()")
        assert canary.found_in(kernel.shown()) == []


def test_what_is_asked_for_by_name_is_exact(kernel: Watched, echo: Site) -> None:
    canary = Canary()
    kernel.hold(canary)
    said = kernel.run(
        f"client = ipyws.connect('{echo.url}/?token=' + canary)\nclient.send(ipyws.secret(canary))\n"
        "print(client.recv().data, client.url, 'Bearer ' + ipyws.secret(canary))"
    )
    assert said.stdout.count(canary.value) == 3
    kernel.shown()


def test_a_saved_notebook_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, echo: Site
) -> None:
    cells = [
        '%ws {url}\n%ws send {{"a": "{{{{env.CANARY}}}}"}}',
        '%%ws {url}/?token={{{{env.CANARY}}}} --auth u:{{{{env.CANARY}}}}\n{{"a": "{{{{env.CANARY}}}}"}}',
        "%ws ws://127.0.0.1:{port}/{{{{env.CANARY}}}} -H 'X-Plain: {{{{env.CANARY}}}}'",
        "ipyws.connect('ws://127.0.0.1:{port}', headers={{'X-Api-Key': os.getenv('CANARY')}})",
        "ipyws.connect('{url}', auth=('u', os.getenv('CANARY')), ping_timeout='nonsense')",
        "client = ipyws.connect('{url}', protocols=['bearer', os.getenv('CANARY')], nonsense=1)",
        "message = ipyws.connect('{url}').send(ipyws.secret(os.getenv('CANARY')))\nmessage",
        "%tb",
    ]
    canaries = [Canary() for _ in cells]
    for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name, value in repository_importable().items():
        monkeypatch.setenv(name, value)
    for number, canary in enumerate(canaries):
        monkeypatch.setenv(f"CANARY{number}", canary.value)
    with dead_port() as port:
        sources = [
            cell.format(url=echo.url, port=port).replace("CANARY", f"CANARY{number}")
            for number, cell in enumerate(cells)
        ]
        made: Any = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
            cells=[
                nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]
                for source in ("%load_ext ipyws\nimport ipyws, os\n%xmode Verbose", *sources)
            ]
        )
        notebook_client(made, tmp_path, timeout=60, allow_errors=True).execute()
    nbformat.write(made, tmp_path / "book.ipynb")  # type: ignore[no-untyped-call]
    saved = (tmp_path / "book.ipynb").read_text("utf-8")
    assert saved.count('"output_type": "error"') == 5
    assert [canary.found_in(saved) for canary in canaries] == [[]] * len(canaries)
