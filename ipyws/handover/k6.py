"""A script for k6, 1.6 or newer: https://grafana.com/docs/k6/latest/javascript-api/k6-websockets/."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from ipyws.handover import javascript
from ipyws.handover.javascript import string
from ipyws.handover.scenario import Action
from ipyws.handover.spelling import Spelling, comment
from ipyws.script import steps
from ipyws.snippets.description import Description
from ipyws.snippets.notes import notes_on
from ipyws.snippets.secrets import Reference, Text
from ipyws.version import __version__

NAME: Final = "k6"
START: Final = "// A k6 script by ipyws"
_PART: Final = re.compile(r"^(?:class|function) (\w+)", re.MULTILINE)
_OPTIONS: Final = ("vus: 1", "iterations: 1", "thresholds: { checks: ['rate==1'] }")
_ALLOWED: Final = range(3000, 5000)


def write(described: Description, actions: Sequence[Action], name: str) -> tuple[str, list[str]]:
    """Return the script, and what is not carried over or has to be set first."""
    address = _text(described.take_url())
    protocols = [_text(each) for each in described.take("protocols", [])]
    params, options = _params(described)
    spelling = _Spelling(described.notes)
    body = "".join(f"    {line}\n" for action in actions for line in spelling.lines(action))
    given = ", ".join([address, f"[{', '.join(protocols)}]", f"{{ {', '.join(params)} }}"])
    main = f"""export const options = {{ {", ".join([*_OPTIONS, *options])} }};

export default async function () {{
  const kept = {{}};
  let talk = null;
  try {{
    talk = await open({given});
{body}  }} catch (error) {{
    if (!(error instanceof Unmet)) throw error;
    console.error(error.message);
  }} finally {{
    if (talk) await talk.close(1000);
  }}
}}
"""
    notes = notes_on(described)
    kit = _kit(main)
    imports = _imports(main + kit)
    head = [
        f"{START[3:]} {__version__}. Run it: k6 run {name}",
        "It does once what was done; --vus and --duration say how often.",
        *notes,
    ]
    return "".join(f"// {comment(line)}\n" for line in head) + imports + main + kit, notes


def _imports(text: str) -> str:
    encoding = "import encoding from 'k6/encoding';\n" if "encoding." in text else ""
    return f"\nimport {{ check }} from 'k6';\n{encoding}import {{ WebSocket }} from 'k6/websockets';\n\n"


@cache
def _parts() -> dict[str, str]:
    """Return the functions that scripts call, by their names."""
    text = files("ipyws.handover").joinpath("kits/k6.js").read_text("utf-8")
    starts = list(_PART.finditer(text))
    ends = [*(match.start() for match in starts[1:]), len(text)]
    return {match[1]: text[match.start() : end].strip() for match, end in zip(starts, ends, strict=True)}


def _kit(main: str) -> str:
    """Return the functions that a script needs, and no others."""
    parts, needed = _parts(), {"Unmet": None}
    text = main
    while text:
        called = [
            name for name in re.findall(r"\b\w+\b", _code(text)) if name in parts and name not in needed
        ]
        needed |= dict.fromkeys(called)
        text = "\n".join(parts[name] for name in dict.fromkeys(called))
    return "".join(f"\n{text}\n" for name, text in parts.items() if name in needed)


def _code(text: str) -> str:
    """Return a program without its strings, its comments and the names behind dots."""
    return re.sub(r"'(?:\\.|[^'\\\n])*'|//.*|\.\w+", "''", text)


def _text(text: Text) -> str:
    parts = [
        f"variable({string(piece.name)})" if isinstance(piece, Reference) else string(piece)
        for piece in text.pieces
    ]
    return " + ".join(parts) or "''"


def _params(described: Description) -> tuple[list[str], list[str]]:
    """Return what k6 is told of the handshake, and of TLS for the whole script."""
    headers = {name: _text(value) for name, value in described.take_headers()}
    if (auth := described.take("auth")) is not None:
        user, password = auth
        headers["Authorization"] = f"'Basic ' + encoding.b64encode({_text(user + ':' + password)})"
    if (origin := described.take("origin")) is not None:
        headers["Origin"] = _text(origin)
    params = []
    if headers:
        pairs = ", ".join(f"{string(name)}: {value}" for name, value in headers.items())
        params.append(f"headers: {{ {pairs} }}")
    if described.take("compression") is not None:
        params.append("compression: 'deflate'")
    return params, ["insecureSkipTLSVerify: true"] if described.take("insecure") else []


class _Spelling(Spelling):
    """Writes actions as lines of JavaScript."""

    JSON = "JSON.stringify"

    def send(self, payload: str) -> str:
        return f"talk.send({payload});"

    def wait(self, name: str, count: int, seconds: float, condition: str) -> str:
        given = ", ".join(filter(None, (string(name), str(count), _milliseconds(seconds), condition)))
        return f"await talk.wait({given});"

    def expect(self, name: str, seconds: float, condition: str, keep: str | None) -> str:
        given = ", ".join((string(name), _milliseconds(seconds), condition or "() => true"))
        return f"{f'kept[{string(keep)}] = ' if keep else ''}await talk.expect({given});"

    def pause(self, seconds: float) -> str:
        return f"await pause({seconds:g});"

    def ping(self, name: str) -> str:
        return f"await talk.ping({string(name)});"

    def close(self, action: steps.Close) -> Iterable[str]:
        code = action.code
        if code != 1000 and code not in _ALLOWED:
            note = f"step {self.number}: k6 closes with 1000 or 3000-4999, so not with {code} but with 1000"
            self.notes.append(note)
            self.remarks.append(note)
            code = 1000
        yield f"await talk.close({code}, {string(action.reason)});"

    def condition(self, expression: str) -> str:
        return f"(msg, json) => {javascript.condition(expression, self.kept)}"

    def expression(self, source: str) -> str:
        return javascript.value(source, self.kept)

    def literal(self, text: str) -> str:
        return string(text)

    def variable(self, name: str) -> str:
        return f"variable({string(name)})"

    def binary(self, data: bytes) -> str:
        return f"bytes('{data.hex()}')"

    def comment(self, text: str) -> str:
        return f"// {comment(text)}"


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
