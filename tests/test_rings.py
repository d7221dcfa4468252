"""Imports point inward only; the table is that of the design."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "ipyws"
MODULES = sorted(PACKAGE.rglob("*.py"))

# What each part may import beside the standard library; "lazily" only inside of functions, "types" only for
# annotations. The longest name that fits a module counts.
MAY: dict[str, set[str]] = {
    "ipyws.printable": {"ipyws.printable"},
    "ipyws.sensitive": {"ipyws.sensitive"},
    "ipyws.spelling": {"ipyws.spelling"},
    "ipyws.places": {"ipyws.places", "ipyws.sensitive", "ipyws.spelling"},
    "ipyws.secrets": {"ipyws.secrets", "ipyws.places", "ipyws.sensitive", "ipyws.spelling"},
    "ipyws.version": {"ipyws.version"},
    "ipyws.references": {"ipyws.secrets", "ipyws.places", "ipyws.spelling"},
    "ipyws.errors": {"ipyws.secrets", "ipyws.printable"},
    "ipyws.sizes": {"ipyws.errors"},
    "ipyws.core": {
        *(
            "ipyws.core",
            "ipyws.errors",
            "ipyws.secrets",
            "ipyws.sensitive",
            "ipyws.references",
            "ipyws.printable",
            "ipyws.sizes",
        ),
    },
    "ipyws.core.regex": {"ipyws.core", "ipyws.errors", "re2"},
    "ipyws.policy": {
        *("ipyws.policy", "ipyws.errors", "ipyws.secrets", "ipyws.printable", "ipyws.sizes", "idna"),
    },
    "ipyws.config": {
        *("ipyws.config", "ipyws.policy", "ipyws.core", "ipyws.errors", "ipyws.secrets", "ipyws.sizes"),
        "ipyws.places",
    },
    "ipyws.script": {"ipyws.script", "ipyws.core", "ipyws.errors", "ipyws.secrets", "ipyws.printable"},
    "ipyws.capture": {
        *("ipyws.capture", "ipyws.core", "ipyws.errors", "ipyws.secrets", "ipyws.printable", "ipyws.sizes"),
        *("ipyws.references", "ipyws.version"),
    },
    "ipyws.capture.shown_frame": {"ipyws.capture", "ipyws.printable", "pandas"},
    "ipyws.capture.drawing": {"ipyws.capture", "matplotlib", "numpy"},
    "ipyws.replaying": {
        *("ipyws.replaying", "ipyws.capture", "ipyws.core", "ipyws.errors", "ipyws.secrets"),
        *("ipyws.printable", "ipyws.references"),
    },
    "ipyws.graphql": {
        *(
            "ipyws.graphql",
            "ipyws.core",
            "ipyws.errors",
            "ipyws.secrets",
            "ipyws.sensitive",
            "ipyws.printable",
        ),
    },
    "ipyws.transport": {
        "ipyws.transport",
        "ipyws.config",
        "ipyws.core",
        "ipyws.policy",
        "ipyws.errors",
        "ipyws.secrets",
        "ipyws.places",
        "ipyws.printable",
        "websockets",
        "aiohappyeyeballs",
    },
    "ipyws.bridge": {"ipyws.bridge", "ipyws.core", "ipyws.errors", "ipyws.secrets", "ipyws.references"},
    "ipyws.api": {"ipyws.config", "ipyws.core", "ipyws.policy", "ipyws.errors", "ipyws.secrets"},
    "ipyws.notebook": {
        *("ipyws.notebook", "ipyws.script", "ipyws.bridge", "ipyws.transport", "ipyws.config"),
        *("ipyws.capture", "ipyws.replaying"),
        *("ipyws.policy", "ipyws.core", "ipyws.api", "ipyws.errors", "ipyws.secrets", "ipyws.printable"),
        *("ipyws.sizes", "IPython"),
    },
    "ipyws.widget": {
        *("ipyws.widget", "ipyws.notebook", "ipyws.script", "ipyws.bridge", "ipyws.config", "ipyws.core"),
        *("ipyws.errors", "ipyws.secrets", "ipyws.printable", "IPython", "anywidget", "traitlets"),
        "ipyws.capture",
    },
    "ipyws": {
        *("ipyws.api", "ipyws.bridge", "ipyws.capture", "ipyws.core", "ipyws.errors", "ipyws.secrets"),
        "ipyws.version",
    },
}
MAY_LAZILY: dict[str, set[str]] = {
    "ipyws.core.reentry": {"nest_asyncio2"},
    "ipyws.core.records": {"ipyws.capture"},
    "ipyws.core.lifecycle": {"ipyws.capture"},
    "ipyws.capture.frame": {"pandas", "numpy"},
    "ipyws.replaying.server": {"ipyws.transport"},
    "ipyws.graphql": {"ipyws.api", "ipyws.bridge"},
    "ipyws.bridge": {"ipyws.transport", "ipyws.capture", "ipyws.replaying"},
    "ipyws.config.save": {"tomlkit"},
    "ipyws.transport.proxy": {"python_socks"},
    "ipyws.transport.tls": {"truststore"},
    "ipyws.api": {"ipyws.bridge", "ipyws.transport"},
    "ipyws": {"ipyws.notebook", "ipyws.widget"},
}
MAY_AS_TYPES: dict[str, set[str]] = {
    "ipyws.core": {"ipyws.policy", "ipyws.capture"},
    "ipyws.core.records": {"ipyws.capture", "pandas", "matplotlib"},
    "ipyws.capture": {"pandas", "matplotlib"},
    "ipyws.graphql": {"ipyws.bridge"},
    "ipyws.bridge": {"ipyws.policy", "ipyws.transport", "ipyws.capture", "ipyws.replaying"},
    "ipyws.replaying.server": {"ipyws.transport"},
    "ipyws.api": {"ipyws.bridge"},
    "ipyws.config.save": {"tomlkit"},
    "ipyws": {"IPython", "ipyws.widget"},
}


class Import(NamedTuple):
    target: str
    line: int
    lazily: bool
    as_type: bool


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
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from imports(child, lazily or inside, as_type or types)


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


def offences(module: str, found: Iterator[Import]) -> list[str]:
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


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_inward(path: Path) -> None:
    assert offences(module_name(path), imports(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_the_transport_knows_websockets(path: Path) -> None:
    targets = {found.target.split(".")[0] for found in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert "websockets" not in targets or module_name(path).startswith("ipyws.transport.")


@pytest.mark.parametrize(
    ("module", "source", "count"),
    [
        ("ipyws.core.log", "import websockets", 1),
        ("ipyws.core.log", "from ipyws import policy", 1),
        ("ipyws.core.log", "from ipyws.policy.url import URL", 1),
        ("ipyws.core.log", "if TYPE_CHECKING:\n  from ipyws.policy.url import URL", 0),
        ("ipyws.core.log", "def f():\n  import idna", 1),
        ("ipyws.core.log", "class A:\n  try:\n    import IPython\n  finally: pass", 1),
        ("ipyws.bridge.server", "from ipyws.transport import servers", 1),
        ("ipyws.bridge.server", "def f():\n  from ipyws.transport import servers", 0),
        ("ipyws.policy.url", "from ipyws.secrets import mask", 0),
        ("ipyws.policy.url", "from ipyws.core.log import Log", 1),
        ("ipyws.script.body", "import json, re\nfrom ipyws.core import log", 0),
    ],
)
def test_the_check_sees_what_points_outward(module: str, source: str, count: int) -> None:
    assert len(offences(module, imports(ast.parse(source)))) == count


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
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
