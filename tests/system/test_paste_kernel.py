"""Commands of other programs as lines and cells of a real kernel: they connect, send, keep secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cells import fails, ok, value
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def kernel(server: Witness) -> Iterator[Kernel]:
    with Kernel() as kernel:
        ok(kernel, f"%load_ext ipyws\nimport os\nos.environ['TOKEN'] = 'canary-env-4'\nurl = {server.url!r}")
        yield kernel


@pytest.fixture
def seen(kernel: Kernel, server: Witness) -> Witness:
    server.forget()
    return server


def http(server: Witness) -> str:
    return server.url.replace("ws://", "http://")


def test_a_line_of_curl_connects(kernel: Kernel, seen: Witness) -> None:
    flags = "-H 'X-A: b' -b 'c=1' --compressed -H 'Upgrade: websocket' --as pasted"
    said = ok(kernel, f"c = %ws curl '{http(seen)}/a?b=%20' {flags}").stdout
    assert "left out, since ipyws makes its own: Upgrade" in said
    assert "of no use here: --compressed" in said
    assert (seen.requests[0].path, seen.requests[0].headers["X-A"]) == ("/a?b=%20", "b")
    assert seen.requests[0].headers["Cookie"] == "c=1"
    assert value(kernel, "(c.name, c.state)") == "('pasted', 'open')"


def test_a_command_of_several_lines_has_messages_below_it(kernel: Kernel, seen: Witness) -> None:
    command = f"%%ws curl '{http(seen)}/' \\\n  -H 'X-A: b' \\\n  -k"
    ok(kernel, f"{command}\n===\nhello\n=== expect msg.data == 'hello'\nbye")
    assert seen.requests[0].headers["X-A"] == "b"
    assert seen.wait(lambda seen: seen.messages == ["hello", "bye"])
    wrong = fails(kernel, f"%%ws curl '{http(seen)}/' \\\n  -k\n===\nhello\n=== exqect 1")
    assert "line 5" in wrong.evalue
    assert len(seen.requests) == 1


def test_the_form_for_cmd_connects(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f'%%ws curl.exe ^"{http(seen)}/^%^20^" ^\n  -H ^"X-A: ^\\^"b^\\^"^"')
    assert (seen.requests[0].path, seen.requests[0].headers["X-A"]) == ("/%20", '"b"')


def test_wscat_and_websocat_send_what_they_would(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%ws wscat -c {{url}} -x 'one two' -x three -w 1")
    ok(kernel, "%ws websocat -n {{url}} <<< $'four\\nfive'")
    ok(kernel, "sent = %ws wscat -c {{url}} -x 'one two'")
    assert seen.wait(lambda seen: len(seen.messages) == 5)
    assert seen.messages == ["one two", "three", "four\n", "five\n", "one two"]


def test_secrets_are_masked_and_the_advice_stands_once(kernel: Kernel, seen: Witness) -> None:
    flags = "-H 'Authorization: Bearer canary-bearer-2' -H \"X-Key: $TOKEN\""
    result = ok(kernel, f"%ws curl '{http(seen)}/?token=canary-query-1' {flags}")
    assert seen.requests[0].headers["X-Key"] == "canary-env-4"
    assert result.stdout.count("keep them in the environment") == 1
    assert "{{env.TOKEN}}, {{env.TOKEN_2}}" in result.stdout
    assert "canary" not in result.stdout + str(result.displays)


def test_nothing_is_run(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "ran = []")
    for part in ("$(touch ran)", "`touch ran`", "'{{ran.append(1)}}'", "| sh", "&& touch ran"):
        fails(kernel, f"%ws curl {http(seen)}/ -H 'X: y' {part}")
    assert value(kernel, "(ran, os.path.exists('ran'))") == "([], False)"
    assert seen.requests == []


def test_what_is_wrong_is_said_before_anything_is_dialled(kernel: Kernel, seen: Witness) -> None:
    assert "'--frob' of curl" in fails(kernel, f"%ws curl {http(seen)}/ --frob").evalue
    assert "curl reads DevTools'" in fails(kernel, f'%ws Invoke-WebRequest -Uri "{http(seen)}"').evalue
    assert (
        "something follows the curl command"
        in fails(kernel, f"get_ipython().run_line_magic('ws', 'curl {http(seen)}\\nhello')").evalue
    )
    assert seen.requests == []


@pytest.mark.parametrize("form", ["ws", "python", "websockets"])
def test_what_is_copied_in_a_kernel_does_the_same_there(kernel: Kernel, seen: Witness, form: str) -> None:
    options = (
        "-H 'X-A: {{env.TOKEN}}' -H 'X-B: it''s $HOME' -b lang=1 --origin http://localhost:1 --read-limit 1MB"
    )
    ok(kernel, f"%ws {{{{url}}}}/x {options} --as copied")
    for payload in ('{"a": "{{env.TOKEN}}"}', "--hex 00 ff", "--raw plain {{x}}"):
        ok(kernel, f"%ws send -c copied {payload}")
    assert seen.wait(lambda seen: len(seen.messages) == 3)
    sent, request = seen.messages[:], seen.requests[0]
    text = value(kernel, f"get_ipython().run_line_magic('ws', 'copy {form} -c copied')").splitlines()[-1]
    code = str(eval(text))
    assert "canary" not in code
    seen.forget()
    ok(kernel, code.replace("asyncio.run(main())", "await main()"))
    assert seen.wait(lambda seen: len(seen.messages) == 3)
    assert seen.messages == sent
    again = seen.requests[0]
    assert again.path == request.path
    for name in ("X-A", "X-B", "Cookie", "Origin", "Host"):
        assert again.headers[name] == request.headers[name]


def test_copy_prints_a_command_for_another_terminal(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%ws {{url}}/y?token={{env.TOKEN}} --as mine")
    printed = ok(kernel, "%ws copy curl -c mine").stdout
    assert printed.startswith("curl --http1.1 ")
    assert printed.strip().endswith('/y?token=\'"$TOKEN"')
    assert "did you mean curl" in fails(kernel, "%ws copy curll").evalue
