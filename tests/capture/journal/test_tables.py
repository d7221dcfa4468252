"""Finished files of a recorded folder become tables; nothing is lost where that fails, or is cut short."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ipyws.capture.journal.journal import Journal
from ipyws.capture.journal.rotation import Rotation
from ipyws.capture.load import load, write_table
from ipyws.errors import InvalidError
from tests.capture.journal.test_journal import ABOUT, ended, new_log, receive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recorded"


def recorded(folder: Path, *payloads: str) -> Journal:
    log = new_log()
    made = Journal(Rotation(folder, 500, None, tables=write_table), log, lambda: ABOUT)
    made.start()
    receive(log, *payloads)
    return ended(made)


def data(folder: Path) -> list[object]:
    with load(folder) as capture:
        return [message.data for message in capture]


def test_each_file_becomes_a_table_and_all_are_one_capture(folder: Path) -> None:
    payloads = [f'{{"price": {number}}}' for number in range(40)]
    made = recorded(folder, *payloads)
    assert made.written == 40
    assert len(list(folder.iterdir())) > 3
    assert {path.suffix for path in folder.iterdir()} == {".parquet"}
    assert data(folder) == payloads


def test_what_an_earlier_recording_left_as_lines_becomes_a_table(folder: Path) -> None:
    folder.mkdir()
    log = new_log()
    log.describe = lambda: ABOUT
    receive(log, "left")
    left = log.save(folder / "left.jsonl").rename(folder / "test-1.part.jsonl")
    kept = log.save(folder / "test-2.jsonl")  # was recorded as lines, and stays so
    other = log.save(folder / "other.jsonl").rename(folder / "other-1.part.jsonl")
    recorded(folder, "new")
    assert not left.exists()
    assert (folder / "test-1.parquet").exists()
    assert kept.exists()
    assert other.exists()
    assert data(folder) == ["left", "left", "left", "new"]


def test_trouble_is_told_until_a_table_can_be_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ipyws.capture.save.write_table", full)
    made = recorded(folder, "a", "b")
    assert made.error is None
    assert made.file is not None
    assert made.file.trouble is not None
    assert "did not become a table" in made.file.trouble.message
    assert "no space left on device" in made.file.trouble.message
    assert data(folder) == ["a", "b"]
    monkeypatch.undo()
    assert recorded(folder, "c").file.trouble is None  # type: ignore[union-attr]
    assert {path.suffix for path in folder.iterdir()} == {".parquet"}
    assert data(folder) == ["a", "b", "c"]


def test_a_missing_library_is_told_before_anything_is_dialled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidError, match=r"Parquet needs pyarrow.*pip install ipyws\[parquet\]"):
        Journal(Rotation(folder, 500, None, tables=write_table), new_log(), lambda: ABOUT)
    assert not folder.exists()
