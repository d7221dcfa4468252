"""Commands of curl, wscat and websocat as connections: what options become, what is told, what is refused."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import ipyws
from ipyws.errors import InvalidError
from ipyws.snippets.reading import Pasted, flag_names, read_command
from tests.support.debian import find_program
from tests.support.servers import Raw, Site, close_frame, raw_server

DATA = Path(__file__).resolve().parents[1] / "data/pasted"
MADE_BY_US = {
    "host",
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
}


def names_and_values(head: str) -> list[tuple[str, str]]:
    lines = head.strip().split("\r\n")[1:]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


@pytest.fixture
def told() -> Any:
    """A server that tells the request lines and the headers it gets."""

    async def handler(peer: Raw) -> None:
        head = await peer.read_request()
        site.seen.put((head.partition(" HTTP")[0], names_and_values(head)))
        offered = (peer.header("Sec-WebSocket-Protocol") or "").split(",")[0]
        chosen = [f"Sec-WebSocket-Protocol: {offered}"] if offered else []
        await peer.upgrade(*chosen, then=close_frame(1000))

    with raw_server(handler) as site:
        yield site


def connected(pasted: Pasted, site: Site) -> tuple[str, dict[str, str]]:
    with ipyws.connect(pasted.url, **pasted.options):
        line, headers = site.next()
    return line, {name.lower(): value for name, value in headers}


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
@pytest.mark.parametrize("shell", ["bash", "cmd"])
def test_what_a_browser_copies_opens_the_handshake_that_the_browser_did(
    browser: str, shell: str, told: Site
) -> None:
    port = str(told.port)
    text = (DATA / f"{browser}_{shell}.txt").read_text("utf-8").replace("PORT", port)
    sent = json.loads((DATA / f"{browser}.json").read_text("utf-8"))
    expected = {name.lower(): value.replace("PORT", port) for name, value in sent}
    if shell == "cmd":  # both browsers write nothing sensible for what is not ASCII there
        text = re.sub(r"\^?[^\x00-\x7f]", "", text)
    pasted = read_command(text)
    line, got = connected(pasted, told)
    assert unquote(line) == 'GET /chat?q=it\'s!&a=%x&b={"k"}$HOME`id`^é'
    if shell == "cmd":
        assert got.pop("cookie").startswith(expected.pop("cookie").partition("%20")[0])
    if browser == "chromium":
        del expected["accept-encoding"]  # it leaves that out
    assert {k: v for k, v in got.items() if k not in MADE_BY_US} == {
        k: v for k, v in expected.items() if k not in MADE_BY_US
    }
    assert {"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions"} <= set(pasted.left_out)


@pytest.mark.debian("curl")
@pytest.mark.parametrize(
    "arguments",
    [
        [
            "-H",
            "X-A: b",
            "-H",
            "X-Empty;",
            "-A",
            "agent",
            "-e",
            "http://from/",
            "-b",
            "a=1; b=2",
            "--compressed",
            "-k",
        ],
        [
            "-u",
            "user:pa:ss",
            "-H",
            "Origin: https://o.example",
            "-H",
            "sec-websocket-protocol: v1, v2",
            "-sSLi",
        ],
        [
            "--oauth2-bearer",
            "token-abc",
            "-H",
            "X-Ünï: no".replace("Ü", "u").replace("ï", "i"),
            "-X",
            "GET",
            "-N",
        ],
        ["-HX-A:b", "-Aagent", "-b", "a=é", "--url", "URL"],
        ["--connect-to", "URLHOST:80:127.0.0.1:PORT", "http://urlhost/x?y=1"],
        ["--resolve", "urlhost:PORT:127.0.0.1", "http://urlhost:PORT/x"],
    ],
)
def test_curl_itself_sends_the_same_headers(arguments: list[str], told: Site) -> None:
    url = f"http://127.0.0.1:{told.port}/p?q=%20"
    words = [word.replace("PORT", str(told.port)).replace("URLHOST", "urlhost") for word in arguments]
    words = [url if word == "URL" else word for word in words]
    if not any(word.startswith("http://u") or word == url for word in words):
        words.append(url)
    curl = find_program("curl")
    ours = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13"]
    command = [
        str(curl),
        "-q",
        "-sS",
        "-m",
        "0.5",
        *ours,
        "-H",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *words,
    ]
    subprocess.run(command, capture_output=True, check=False, timeout=20)
    line, headers = told.next()
    expected = {name.lower(): value for name, value in headers}
    written = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    got_line, got = connected(read_command(f"curl {written}"), told)
    for name in ("accept", "accept-encoding"):  # curl's own
        expected.pop(name, None)
    if "-A" not in words and "-Aagent" not in words:
        del expected["user-agent"], got["user-agent"]
    for name in MADE_BY_US - {"host"}:
        expected.pop(name, None)
        got.pop(name, None)
    assert (got_line, got) == (line, expected)


@pytest.mark.parametrize(
    ("command", "url", "options"),
    [
        ("curl example.com/x", "ws://example.com/x", {}),
        ("curl 'HTTPS://h/x#part'", "wss://h/x", {}),
        (r"curl 'https://[::1]:8443/\{a\}?\[b\]'", "wss://[::1]:8443/{a}?[b]", {}),
        ("curl -g 'https://h/{a}?[b]'", "wss://h/{a}?[b]", {}),
        ("curl -k -L https://h/", "wss://h/", {"insecure": True, "follow_redirects": True}),
        ("curl -kLs https://h/", "wss://h/", {"insecure": True, "follow_redirects": True}),
        ("curl https://u:p%40q@h/", "wss://h/", {"auth": ("u", "p@q")}),
        (
            "curl --cacert a.pem --cert b.pem --key c.pem https://h/",
            "wss://h/",
            {"ca": "a.pem", "cert": "b.pem", "key": "c.pem"},
        ),
        ("curl -x proxy.example https://h/", "wss://h/", {"proxy": "http://proxy.example:1080"}),
        ("curl -x socks5h://p:9 -U a:b@c https://h/", "wss://h/", {"proxy": "socks5h://a:b%40c@p:9"}),
        ("curl --socks5-hostname p:9 https://h/", "wss://h/", {"proxy": "socks5h://p:9"}),
        ("curl --noproxy '*' https://h/", "wss://h/", {"proxy": None}),
        ("curl --resolve h:443:10.0.0.1 https://h/", "wss://h/", {"connect_to": "10.0.0.1:443"}),
        ("curl --resolve other:443:10.0.0.1 https://h/", "wss://h/", {}),
        ("curl --connect-to ::[::1]:8443 https://h/", "wss://h/", {"connect_to": "[::1]:8443"}),
        ("curl --connect-to h:443:: https://h/", "wss://h/", {"connect_to": "h:443"}),
        ("curl --unix-socket /run/a.sock http://localhost/x?y", "ws+unix:/run/a.sock:/x?y", {}),
        ("curl -m 2.5 --connect-timeout 10 https://h/", "wss://h/", {"dial_timeout": "2500ms"}),
        ("curl -m 0 https://h/", "wss://h/", {"dial_timeout": None}),
        ("curl --as prices https://h/", "wss://h/", {"name": "prices"}),
        ("wscat -c localhost:8080", "ws://localhost:8080", {}),
        (
            "wscat -n -L -o http://o -c wss://h/ -s a -s b",
            "wss://h/",
            {"protocols": ["a", "b"], "insecure": True, "follow_redirects": True, "origin": "http://o"},
        ),
        (
            "wscat --auth u:p --ca a --cert b --key c --connect=wss://h/",
            "wss://h/",
            {"auth": ("u", "p"), "ca": "a", "cert": "b", "key": "c"},
        ),
        ("wscat -c ws+unix:/run/a.sock:/x", "ws+unix:/run/a.sock:/x", {}),
        ("wscat --proxy p:3128 -c ws://h/", "ws://h/", {"proxy": "http://p:3128"}),
        ("websocat wss://h/ -H='X: y' -k", "wss://h/", {"headers": [("X", "y")], "insecure": True}),
        (
            "websocat - wss://h/ --protocol 'a, b' --origin o",
            "wss://h/",
            {"protocols": ["a", "b"], "origin": "o"},
        ),
        (
            "websocat -1nt --ping-interval 5 --ping-timeout 7 ws://h/",
            "ws://h/",
            {"ping_interval": "5000ms", "ping_timeout": "7000ms"},
        ),
        ("websocat --basic-auth u:p ws://h/", "ws://h/", {"auth": ("u", "p")}),
        ("websocat --ws-c-uri=ws://h/x ws-c:tcp:10.0.0.1:80", "ws://h/x", {"connect_to": "10.0.0.1:80"}),
        ("websocat autoreconnect:wss://h/", "wss://h/", {"reconnect": {}}),
    ],
)
def test_options_become_those_of_a_connection(command: str, url: str, options: dict[str, Any]) -> None:
    pasted = read_command(command)
    assert (pasted.url, dict(pasted.options)) == (url, options)


def test_cookies_of_all_places_are_joined() -> None:
    pasted = read_command("curl https://h/ -b 'a=1; b=2' -H 'Cookie: c=3' -b d=4")
    assert pasted.options["headers"] == [("Cookie", "a=1; b=2; d=4; c=3")]


@pytest.mark.parametrize(
    ("command", "payloads"),
    [
        ("wscat -c ws://h -x one -x 'two three' -w 5", ("one", "two three")),
        ("websocat ws://h <<< $'one\\ntwo'", ("one\n", "two\n")),
        ("websocat --linemode-strip-newlines ws://h <<< $'one\\ntwo'", ("one", "two")),
        ("websocat --no-line ws://h <<< $'one\\ntwo'", ("one\ntwo\n",)),
        ("websocat -b ws://h <<< one", (b"one\n",)),
        ("websocat -p hello ws://h", ("hello",)),
    ],
)
def test_what_the_command_sends_is_to_be_sent(command: str, payloads: tuple[Any, ...]) -> None:
    assert read_command(command).payloads == payloads


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("curl https://h/ --frob", "'--frob' of curl is not known"),
        ("curl https://h/ -kZ", "'-Z' of curl is not known"),
        ("wscat -c ws://h --slosh", "'--slosh' of wscat is not known.*did you mean --slash"),
        ("websocat ws://h --exec-args x", "'--exec-args' of websocat is not known"),
        ("curl https://h/ -d x=1", "-d: the handshake of a WebSocket has no body"),
        ("curl https://h/ --data-raw '{}'", "--data-raw: the handshake"),
        ("curl https://h/ -X POST", "POST: the handshake of a WebSocket is a GET"),
        ("curl https://h/ -b cookies.txt", "a file of cookies, which is not read"),
        ("curl https://h/ -H @headers.txt", "a file of headers, which is not read"),
        ("curl https://h/ -K other", "no other file is read"),
        ("curl https://h/ --digest -u a:b", "only Basic"),
        ("curl https://h/ -u alone", "has no password"),
        ("curl https://h/ --cert a.pem:pass", "has a pass phrase"),
        ("curl https://h/ https://i/", "has two URLs"),
        ("curl 'https://h/{a,b}'", "mean several URLs"),
        ("curl 'https://h/[1-3]'", "mean several URLs"),
        ("curl -s", "has no URL"),
        ("curl ftp://h/", "'ftp' is not the scheme"),
        ("curl https://h/ -m soon", "-m is 'soon'"),
        ("curl https://h/ -H", "-H lacks its value"),
        ("curl https://h/ -H nothing", "lacks its colon"),
        ("curl https://h/ --resolve x", "--resolve can't be read"),
        ("curl https://h:port/", "can't be read"),
        ("curl https://h/ <<< x", "feeds nothing to curl"),
        ("wscat -l 8080", "makes wscat a server.*%ws serve echo"),
        ("wscat -c ws://h --passphrase", "pass phrase"),
        ("websocat -s 8080", "makes websocat a server"),
        ("websocat ws://h ws://i", "two addresses"),
        ("websocat exec:touch ws://h", "address 'exec' of websocat is not known"),
        ("websocat sh-c:id", "address 'sh-c' of websocat is not known"),
        ("httpie x", "no command that can be read"),
        ("curl https://h/ -H 'X: {{__import__(\"os\").getcwd()}}'", "nothing of a pasted command is run"),
        ("curl https://h/ -H 'X: {{a.__class__}}'", "nothing of a pasted command is run"),
        ("curl https://h/ -H 'X: {{[x for x in y]}}'", "nothing of a pasted command is run"),
        ('curl https://h/ -H "X: $IPYWS_NOT_THERE"', "environment variable 'IPYWS_NOT_THERE' is not set"),
    ],
)
def test_what_can_not_be_carried_over_is_refused_by_name(command: str, message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        read_command(command)


def test_references_name_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "canary-env-1f")
    names = {"site": {"url": "wss://h/x"}}
    pasted = read_command(
        "curl {{site[\"url\"]}} -H \"A: $TOKEN\" -H 'B: {{env.TOKEN}}' -H 'C: $TOKEN {{{{x}}'",
        lambda expression: eval(expression, dict(names, env=type("E", (), {"TOKEN": "canary-env-1f"}))),
    )
    assert pasted.url == "wss://h/x"
    assert pasted.options["headers"] == [
        ("A", "canary-env-1f"),
        ("B", "canary-env-1f"),
        ("C", "$TOKEN {{x}}"),
    ]


def test_secrets_that_are_written_out_are_told_in_one_line_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN", "canary-kept-77")
    pasted = read_command(
        "curl 'https://u:canary-pass-1@h/?access_token=canary-query-2&x=1'"
        " -H 'Authorization: Bearer canary-bearer-3' -b 'sid=canary-cookie-4' -H 'X-Api-Key: canary-key-5'"
        " -H \"X-Auth-Token: $TOKEN\" --compressed -H 'Host: h'"
    )
    notes = pasted.notes()
    assert [note for note in notes if "secrets" in note] == notes[-1:]
    for name in ("ACCESS_TOKEN", "TOKEN", "COOKIE", "X_API_KEY", "PASSWORD"):
        assert f"{{{{env.{name}}}}}" in notes[-1]
    assert "X-Auth-Token" not in notes[-1]
    assert "--compressed" in notes[1]
    assert "Host" in notes[0]
    assert "canary" not in " ".join(notes) + repr(pasted)


def test_a_secret_is_masked_in_the_error_of_the_command_it_stands_in() -> None:
    with pytest.raises(InvalidError) as caught:
        read_command("curl https://h/ -H 'Authorization: Bearer canary-early-9' 'canary-early-9:x://h'")
    assert "canary" not in str(caught.value)


def test_no_option_is_listed_twice() -> None:
    for tool in ("curl", "wscat", "websocat"):
        names = flag_names(tool)
        assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]


@pytest.mark.debian("curl")
def test_the_options_of_curl_are_curls() -> None:
    run = subprocess.run(
        [str(find_program("curl")), "--help", "all"], capture_output=True, text=True, check=True
    )
    real = set(re.findall(r"(?<![\w-])--?[\w#:.-]+", run.stdout)) | {"--next", "--basic"}
    assert set(flag_names("curl")) - real <= {"--as", "-:", "--data-ascii"}
