"""The tests are the tree of the package again: who changes a module finds its tests by its name."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.scheduling import SECONDS

TESTS = Path(__file__).resolve().parents[1]
PACKAGE = TESTS.parent / "ipyws"
OTHERS = {"data", "project", "soak", "support", "system", "typescript"}
"""What tests need, those of the repository, and those of whole systems: no room of the package has them."""


def of_rooms() -> list[Path]:
    found = (path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))
    return sorted(path for path in found if path.parts[0] not in OTHERS)


def is_of_a_module(test: Path) -> bool:
    """Tell whether a module has the name of a test, or its first words."""
    words = test.stem.removeprefix("test_").split("_")
    names = ("_".join(words[: count + 1]) for count in range(len(words)))
    room = PACKAGE / test.parent
    return any((room / f"{name}.py").is_file() for name in names)


def test_every_test_of_a_room_is_named_after_a_module_in_it() -> None:
    tests = of_rooms()
    assert len(tests) > 80
    assert [str(test) for test in tests if not is_of_a_module(test)] == []


def test_every_folder_of_tests_is_a_room_or_one_of_the_others() -> None:
    folders = {
        path.relative_to(TESTS) for path in TESTS.rglob("*") if path.is_dir() and any(path.glob("*.py"))
    }
    rooms = {folder for folder in folders if folder.parts and folder.parts[0] not in OTHERS}
    assert {str(room) for room in rooms if not (PACKAGE / room).is_dir()} == set()


def test_what_is_said_to_take_long_is_there() -> None:
    notebooks = {path.stem for path in (TESTS.parent / "notebooks").glob("*.ipynb")}
    files = {path.relative_to(TESTS.parent).as_posix(): path for path in TESTS.rglob("test_*.py")}
    texts = {name: path.read_text("utf-8") for name, path in files.items()}
    sharing = {name for name, text in texts.items() if re.search(r"mark\.(kernel|browser)", text)}
    modules = {name.removesuffix(".py").replace("/", ".") for name in sharing}  # as tests/conftest.py has it
    pages = {f"docs-{path.stem}" for path in (TESTS.parent / "docs").rglob("*.md")}
    named = re.compile(r'xdist_group\("(\w+)"\)')
    groups = {name for text in texts.values() for name in named.findall(text)}
    assert set(SECONDS) <= notebooks | set(files) | modules | pages | groups
