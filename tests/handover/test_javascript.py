"""Whether an expression means the same in JavaScript: each is judged by Python and by Node."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.resources import files
from typing import Any

import pytest

from ipyws.core.messages.message import Message
from ipyws.handover import javascript
from ipyws.handover.names import UntranslatableError
from ipyws.script.matching import make_predicate
from tests.support.node import NODE

KEPT = {"reply": {"id": 7, "tags": ["a", "b"], "ok": True}, "class": "x", "empty": []}

DOCUMENTS: list[Any] = [
    {"type": "tick", "price": 3, "ok": True, "items": [1, 2, {"a": None}], "text": "Grüße", "id": 7},
    {"type": "TICK", "price": -1.5, "ok": False, "items": [], "text": "", "id": "7"},
    {"type": None, "price": "3", "ok": 1, "items": {}, "text": "👍x", "nested": {"a": {"b": [0]}}},
    {"constructor": 1, "toString": "x", "items": ["tick"]},
    [1, 2, 3],
    [],
    "a text",
    0,
    None,
]

CONDITIONS = r"""
json["type"] == "tick"
json["type"] != "tick"
json["type"] in ("tick", "TICK")
json["type"] in {"tick"}
json["type"] not in ["tick", None]
json["price"] > 2
json["price"] <= 3
0 < json["price"] < 10
json["ok"]
not json["ok"]
json["ok"] == 1
json["ok"] is None
json["items"]
len(json["items"]) > 1
json["items"][-1] == {"a": None}
json["items"] == []
json.get("nope") is None
json.get("nope", 3) == 3
json["nope"] is not None
json["text"] == "Grüße"
len(json["text"]) == 2
json["text"][0] == "👍"
json["text"].startswith("Gr")
"ü" in json["text"]
json["type"].lower() == "tick"
json["type"].upper().endswith("CK")
json["text"].strip() == ""
"type" in json
"toString" in json
json["constructor"] == 1
1 in json
json == [1, 2, 3]
json[0] == 1 and json[-1] == 3
json[5]
json or True
json is None
json == 0
json == False
any(i == 1 for i in json["items"])
all(i > 0 for i in json["items"])
all(i < 4 for i in json if i > 1)
any("a" in i for i in json["items"] if isinstance(i, dict))
json["nested"]["a"]["b"][0] == 0
json["price"] + 1 == 4
json["price"] * 2 > 5
json["price"] % 2 == 1
-7 % 3 == 2
1 / 0 == 1
json["price"] - 1 == 2 or json["type"] == "TICK"
json["text"] + "!" == "Grüße!"
abs(json["price"]) == 1.5
json["id"] == reply["id"]
reply["tags"][0] == "a"
reply["ok"]
not empty
reply["nope"]
str(json["id"]) == "7"
bool(json)
isinstance(json["price"], (int, float))
isinstance(json["ok"], bool)
isinstance(json["ok"], int)
isinstance(json, list)
isinstance(json["price"], str)
isinstance(json, dict)
(1 if json["ok"] else 2) == 1
json["price"] > "2"
"2" < json["price"]
msg.type == "text"
msg.size > 20
msg.direction == "in"
msg.data.startswith("{")
msg.json()["price"] == 3
msg.value["price"] == 3
env.HANDED == "over"
env["HANDED"] == "over"
json["text"] == "it's"
""".strip().splitlines()


def by_python(expression: str, document: Any) -> bool:
    message = Message("text", json.dumps(document, ensure_ascii=False), "in", 0, 0.0)
    return make_predicate(expression, KEPT)(message)


def by_node(expressions: list[str]) -> dict[str, list[bool]]:
    """Judge all documents by all conditions, in one process."""
    kit = files("ipyws.handover").joinpath("kits/k6.js").read_text("utf-8")
    texts = [json.dumps(document, ensure_ascii=False) for document in DOCUMENTS]
    tests = ",\n".join(
        f"{json.dumps(each)}: (msg, json) => {javascript.condition(each, KEPT)}" for each in expressions
    )
    program = f"""{kit}
const __ENV = {{ HANDED: 'over' }};
const kept = {json.dumps(KEPT)};
const texts = {json.dumps(texts)};
const tests = {{ {tests} }};
const judged = {{}};
for (const [name, test] of Object.entries(tests)) {{
  judged[name] = texts.map((data) => {{
    const msg = {{ type: 'text', data, direction: 'in', size: bytesOf(data) }};
    return isMet(test, msg, parsed(data));
  }});
}}
console.log(JSON.stringify(judged));
"""
    run = subprocess.run([NODE, "-"], input=program, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, list[bool]] = json.loads(run.stdout)
    return found


def test_a_condition_holds_where_it_holds_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDED", "over")
    judged = by_node(CONDITIONS)
    expected = {each: [by_python(each, document) for document in DOCUMENTS] for each in CONDITIONS}
    assert {each: judged[each] for each in CONDITIONS if judged[each] != expected[each]} == {
        each: expected[each] for each in CONDITIONS if judged[each] != expected[each]
    }
    assert sum(any(holds) and not all(holds) for holds in expected.values()) > 40  # they say something


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("wanted(json)", "wanted is a name of the notebook"),
        ("json.__class__ == 1", "it uses __class__"),
        ("valid reply", "a contract is not carried over"),
        ("json == 9007199254740993", "9007199254740993 has no equal"),
        ("[i for i in json] == []", "has no equal"),
        ('json["a":]', "has no equal"),
        ("msg.time > 1", "msg.time has no equal"),
        ("(lambda: 1)()", "has no equal"),
        ('open("/etc/passwd")', "has no equal"),
        ("json is reply", "json is reply has no equal"),
        ("json == b'x'", "has no equal"),
        ('"%s" % json == ""', None),
    ],
)
def test_what_has_no_equal_is_refused(expression: str, what: str | None) -> None:
    if what is None:  # it may be written, and is then no number for JavaScript, so that it doesn't hold
        assert by_node([expression])[expression] == [False] * len(DOCUMENTS)
        return
    with pytest.raises(UntranslatableError, match=re.escape(what)):
        javascript.condition(expression, KEPT)


@pytest.mark.parametrize(
    "text", ["", "it's", 'say "x"', "a\\'b\n", "\u2028", "ü👍", "\ud800", "</script>", "${x}`"]
)
def test_a_string_is_the_same_text(text: str) -> None:
    program = f"console.log(JSON.stringify({javascript.string(text)}))"
    run = subprocess.run([NODE, "-"], input=program, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == text
