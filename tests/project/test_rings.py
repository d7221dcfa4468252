"""Imports point inward only; the table is that of docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
PACKAGE = Path(__file__).resolve().parents[2] / "ipyws"
MODULES = sorted(PACKAGE.rglob("*.py"))

WORDS = {"ipyws.text", "ipyws.errors"}
# How to wait and where to run: what the core needs of the room that is otherwise built on it.
WAITING = {
    f"ipyws.runtime.{name}"
    for name in ("aside", "deadline", "interrupts", "nested_loop", "platform", "threads", "waiting")
}
WAITS = {*WAITING, "ipyws.core.options.durations", "ipyws.errors"}

# What each part may import beside the standard library; "lazily" only inside of functions, "types" only for
# annotations. The longest name that fits a module counts.
MAY: dict[str, set[str]] = {
    "ipyws.version": {"ipyws.version"},
    "ipyws.text": {"ipyws.text"},
    "ipyws.text.numbers": {"ipyws.errors"},
    "ipyws.text.sizes": {"ipyws.errors"},
    "ipyws.errors": {"ipyws.text"},
    **dict.fromkeys(WAITING, WAITS),
    "ipyws.core": {"ipyws.core", *WAITING, *WORDS},
    "ipyws.core.messages.regex": {"ipyws.core", *WAITING, *WORDS, "re2"},
    "ipyws.policy": {"ipyws.policy", *WORDS, "idna"},
    "ipyws.config": {"ipyws.config", "ipyws.policy", "ipyws.core", *WORDS},
    "ipyws.network": {
        *("ipyws.network", "ipyws.config", "ipyws.core", "ipyws.policy", *WAITING, *WORDS),
        *("websockets", "aiohappyeyeballs"),
    },
    # Only `ipyws.runtime.core` leads here.
    "ipyws.browser": {
        *("ipyws.browser", "ipyws.network", "ipyws.config", "ipyws.core", "ipyws.policy", *WAITING, *WORDS),
        "ipyws.runtime.loop_thread",
    },
    "ipyws.browser.port": {"ipyws.browser", "js", "pyodide", "pyodide_js"},
    "ipyws.browser.plain_port": {"ipyws.browser", "js", "pyodide"},
    "ipyws.demo": {"ipyws.demo", "ipyws.core", "ipyws.network", "ipyws.policy", *WORDS, "websockets"},
    "ipyws.script": {"ipyws.script", "ipyws.core", *WAITING, *WORDS},
    # The URLs of Unix sockets are the policy's.
    "ipyws.snippets": {"ipyws.snippets", "ipyws.policy", "ipyws.script", "ipyws.core", *WORDS},
    "ipyws.capture": {"ipyws.capture", "ipyws.core", "ipyws.version", *WAITING, *WORDS},
    "ipyws.capture.jsonl.records": {"ipyws.capture", "ipyws.core", *WORDS, "msgspec"},
    "ipyws.capture.analysis.shown_frame": {"ipyws.capture", "ipyws.text", "pandas"},
    "ipyws.capture.analysis.drawing": {"ipyws.capture", "matplotlib", "numpy"},
    "ipyws.contracts": {"ipyws.contracts", "ipyws.core", *WAITING, *WORDS},
    "ipyws.dialects": {"ipyws.dialects", "ipyws.core", *WAITING, *WORDS},
    "ipyws.graphql": {"ipyws.dialects"},
    "ipyws.runtime": {"ipyws.runtime", "ipyws.core", *WORDS},
    "ipyws.api": {"ipyws.config", "ipyws.core", "ipyws.policy", *WAITING, *WORDS},
    "ipyws.handover": {
        *("ipyws.handover", "ipyws.capture", "ipyws.core", "ipyws.script", "ipyws.snippets"),
        *("ipyws.version", *WORDS),
    },
    "ipyws.view": {"ipyws.view", "ipyws.capture", "ipyws.core", "ipyws.script", *WORDS},
    "ipyws.notebook": {
        *("ipyws.notebook", "ipyws.view", "ipyws.script", "ipyws.runtime", "ipyws.config", "ipyws.capture"),
        *("ipyws.policy", "ipyws.snippets", "ipyws.core", "ipyws.api", "ipyws.contracts", "ipyws.handover"),
        *(*WORDS, "IPython", "traitlets"),
    },
    "ipyws.widget": {
        *("ipyws.widget", "ipyws.notebook", "ipyws.view", "ipyws.script", "ipyws.runtime", "ipyws.config"),
        *("ipyws.core", "ipyws.capture", "ipyws.snippets", "ipyws.policy", "ipyws.api", *WORDS),
        *("IPython", "anywidget", "traitlets"),
    },
    "ipyws": {
        "ipyws.api",
        "ipyws.dialects",
        "ipyws.runtime",
        "ipyws.capture",
        "ipyws.core",
        "ipyws.version",
        *WORDS,
    },
}
MAY_LAZILY: dict[str, set[str]] = {
    "ipyws.browser.page": {"js", "pyodide"},
    "ipyws.browser.signals": {"IPython"},
    "ipyws.contracts.document": {"yaml"},
    "ipyws.contracts.schema": {"jsonschema_rs"},
    "ipyws.contracts.mock": {"ipyws.demo"},
    "ipyws.runtime.nested_loop": {"nest_asyncio2"},
    "ipyws.capture.analysis.dataframe": {"pandas", "numpy"},
    "ipyws.capture.save": {"ipyws.handover"},
    "ipyws.capture.parquet.arrow": {"pyarrow"},
    "ipyws.core.codecs.formats.avro": {"fastavro"},
    "ipyws.core.codecs.formats.avro_schema": {"fastavro"},
    "ipyws.core.codecs.formats.cbor": {"cbor2"},
    "ipyws.core.codecs.compression": {"zstandard"},
    "ipyws.core.codecs.formats.msgpack": {"msgspec"},
    "ipyws.core.codecs.formats.protobuf": {"blackboxprotobuf"},
    "ipyws.core.codecs.formats.protobuf_schema": {"google.protobuf"},
    "ipyws.core.codecs.formats.protobuf_values": {"google.protobuf"},
    "ipyws.core.codecs.wrapper": {"zstandard"},
    "ipyws.capture.replay.server": {"ipyws.demo"},
    "ipyws.demo.socketio": {"socketio"},
    # A text that is a script is read where it is given, so that what is wrong with it is told there.
    "ipyws.core.connection.on_open": {"ipyws.script"},
    "ipyws.dialects.graphql": {"ipyws.api", "ipyws.runtime"},
    "ipyws.runtime": {"ipyws.network", "ipyws.demo", "ipyws.capture", "ipyws.contracts", "ipyws.browser"},
    "ipyws.config.writer": {"tomlkit"},
    "ipyws.network.dialling.proxy": {"python_socks"},
    "ipyws.network.dialling.tls": {"truststore"},
    "ipyws.api": {"ipyws.runtime", "ipyws.network", "ipyws.contracts"},
    "ipyws": {"ipyws.notebook", "ipyws.widget"},
}
MAY_AS_TYPES: dict[str, set[str]] = {
    "ipyws.contracts.mock": {"ipyws.demo"},
    "ipyws.core": {"ipyws.policy", "ipyws.capture"},
    "ipyws.capture": {"pandas", "matplotlib"},
    "ipyws.capture.replay.server": {"ipyws.demo"},
    "ipyws.dialects.graphql": {"ipyws.runtime"},
    "ipyws.runtime": {"ipyws.policy", "ipyws.demo", "ipyws.capture", "ipyws.contracts"},
    "ipyws.api": {"ipyws.runtime"},
    "ipyws.config.writer": {"tomlkit"},
    "ipyws": {"IPython", "ipyws.widget", "ipyws.graphql", "ipyws.policy", "ipyws.snippets"},
}


class Import(NamedTuple):
    target: str
    line: int
    lazily: bool
    as_type: bool


def by_name(call: ast.Call) -> Iterator[Import]:
    """Yield what `core/codecs/optional.py` is asked for by name."""
    for name in call.args[:1]:
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield Import(name.value, call.lineno, lazily=True, as_type=False)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(node: ast.AST, lazily: bool = False, as_type: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, lazily, as_type) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, "imports are absolute"
            assert child.module is not None
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                known = full.startswith("ipyws.") and is_module(full)
                yield Import(full if known else child.module, child.lineno, lazily, as_type)
        else:
            if (
                isinstance(child, ast.Call)
                and isinstance(child.func, ast.Name)
                and child.func.id == "library"
            ):
                yield from by_name(child)
            inside = isinstance(child, FUNCTIONS)
            types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from imports(child, lazily or inside, as_type or types)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    # The trees are not kept: a million nodes would be looked at in each gc.collect() of later tests.
    return tuple(imports(parsed(path)))


@cache
def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def allowed(table: dict[str, set[str]], module: str) -> set[str]:
    fitting = [
        part for part in table if module == part or (part != "ipyws" and module.startswith(f"{part}."))
    ]
    return table[max(fitting, key=len)] if fitting else set()


def offences(module: str, found: Iterable[Import]) -> list[str]:
    wrong = []
    for target, line, lazily, as_type in found:
        may = set(allowed(MAY, module))
        if lazily:
            may |= allowed(MAY_LAZILY, module)
        if as_type:
            may |= allowed(MAY_AS_TYPES, module)
        if target.split(".")[0] not in sys.stdlib_module_names and not within(target, may):
            wrong.append(f"{module}:{line} imports {target}")
    return wrong


def test_every_module_belongs_to_a_ring() -> None:
    assert len(MODULES) > 50
    assert [name for name in map(module_name, MODULES) if not allowed(MAY, name)] == []


def test_imports_point_inward() -> None:
    assert [wrong for path in MODULES for wrong in offences(module_name(path), imports_of(path))] == []


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle; none if there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_imports_go_in_a_circle_not_even_inside_of_functions_or_for_types() -> None:
    graph = {module_name(path): {found.target for found in imports_of(path)} for path in MODULES}
    assert circle(graph) == []


def test_the_check_sees_a_circle() -> None:
    assert circle({"a": {"b"}, "b": {"c", "d"}, "c": {"a"}}) == ["a", "c", "b", "a"]


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def private_names(nodes: list[ast.AST]) -> set[str]:
    """Return the private names that a module defines, those of its classes and their objects included."""
    names = {node.name for node in nodes if isinstance(node, (*FUNCTIONS, ast.ClassDef))}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and is_own(node)}
    return set(filter(is_private, names))


def is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def borrowed(nodes: list[ast.AST], others: set[str]) -> list[str]:
    """Return the private names of other modules that a module uses: imported, or of an object but itself."""
    names = [alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]
    names += [node.attr for node in nodes if isinstance(node, ast.Attribute) and not is_own(node)]
    foreign = others - private_names(nodes)
    return [name for name in names if name in foreign]


def test_no_private_name_is_used_from_another_file() -> None:
    modules = {module_name(path): list(ast.walk(parsed(path))) for path in MODULES}
    del modules["ipyws.runtime.nested_loop"]  # its names are those of asyncio
    defined = set().union(*map(private_names, modules.values()))
    assert {name: found for name, nodes in modules.items() if (found := borrowed(nodes, defined))} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from ipyws.text.masking import _secrets", ["_secrets"]),
        ("def f(client):\n  return client._state", ["_state"]),
        ("class A:\n  def f(self, other):\n    self._state = other._state", []),
        ("import sys\nsys._getframe()", []),
    ],
)
def test_the_check_sees_private_names_of_others(source: str, found: list[str]) -> None:
    assert borrowed(list(ast.walk(ast.parse(source))), {"_secrets", "_state"}) == found


def test_only_the_network_and_the_demo_servers_know_websockets() -> None:
    knowing = {
        module_name(path)
        for path in MODULES
        if "websockets" in {found.target.split(".")[0] for found in imports_of(path)}
    }
    assert knowing
    assert [name for name in knowing if not name.startswith(("ipyws.network", "ipyws.demo"))] == []


@pytest.mark.parametrize(
    ("module", "source", "count"),
    [
        ("ipyws.core.messages.log", "import websockets", 1),
        ("ipyws.core.messages.log", "from ipyws import policy", 1),
        ("ipyws.core.messages.log", "from ipyws.policy.url import URL", 1),
        ("ipyws.core.messages.log", "if TYPE_CHECKING:\n  from ipyws.policy.url import URL", 0),
        ("ipyws.core.messages.log", "def f():\n  import idna", 1),
        ("ipyws.core.messages.log", "class A:\n  try:\n    import IPython\n  finally: pass", 1),
        ("ipyws.runtime.server", "from ipyws import demo", 1),
        ("ipyws.runtime.server", "def f():\n  from ipyws import demo", 0),
        ("ipyws.policy.url", "from ipyws.text.masking import mask", 0),
        ("ipyws.policy.url", "from ipyws.core.messages.log import Log", 1),
        ("ipyws.script.grammar", "import json, re\nfrom ipyws.core import log", 0),
    ],
)
def test_the_check_sees_what_points_outward(module: str, source: str, count: int) -> None:
    assert len(offences(module, imports(ast.parse(source)))) == count


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
        timeout=60,
    )
    assert run.stderr == ""
    return set(run.stdout.split())


def test_importing_ipyws_is_light() -> None:
    loaded = loaded_by("import ipyws")
    assert "ipyws" in loaded
    assert loaded.isdisjoint({"IPython", "ipywidgets", "anywidget", "websockets", "nest_asyncio2", "pandas"})


def test_importing_the_extension_loads_no_widgets() -> None:
    loaded = loaded_by("import ipyws.notebook.extension")
    assert loaded.isdisjoint({"ipywidgets", "anywidget", "websockets", "pandas"})


def test_importing_the_extension_loads_nothing_that_only_some_verbs_need() -> None:
    loaded = loaded_by("import ipyws.notebook.extension")
    assert "ipyws.notebook.verbs.files" in loaded
    late = {"ipyws.contracts", "ipyws.handover", "ipyws.capture.load", "ipyws.capture.journal.journal"}
    assert loaded.isdisjoint(
        {*late, "ipyws.snippets.reading", "ipyws.snippets.writing", "ipyws.config.writer"}
    )
