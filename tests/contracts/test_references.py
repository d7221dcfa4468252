"""References lead to parts of the document and to files below its folder, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ipyws.contracts.references import Files
from ipyws.errors import InvalidError


def files(folder: Path, text: str) -> Files:
    path = folder / "api.yaml"
    path.write_text(text)
    return Files(path)


def followed(found: Files, *steps: str) -> object:
    place = found.root.part(*steps)
    assert place is not None
    return found.follow(place).value


def refusal(found: Files, *steps: str) -> str:
    with pytest.raises(InvalidError) as caught:
        followed(found, *steps)
    return caught.value.message


def test_a_reference_leads_through_others_and_through_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "more.yaml").write_text("x: {$ref: '../api.yaml#/b~1c/0'}\n")
    found = files(tmp_path, "a: {$ref: 'sub/more.yaml#/x'}\nb/c: [{$ref: '#/d%20e'}]\nd e: here\n")
    assert followed(found, "a") == "here"


def test_a_circle_is_refused_with_its_line(tmp_path: Path) -> None:
    found = files(tmp_path, "a: {$ref: '#/b'}\nb: {$ref: '#/a'}\n")
    assert "line 2: its $ref leads in a circle" in refusal(found, "b")


@pytest.mark.parametrize("reference", ["#/nowhere", "#/a/0/b", "api.yaml#/x"])
def test_a_reference_to_nothing_is_refused(tmp_path: Path, reference: str) -> None:
    assert "leads nowhere" in refusal(files(tmp_path, f"a: {{$ref: '{reference}'}}\n"), "a")


@pytest.mark.parametrize(
    "reference",
    [
        "../secret.yaml",
        "/etc/hostname",
        "file:///etc/hostname",
        "sub/../../secret.yaml",
        "%2e%2e/secret.yaml",
    ],
)
def test_no_file_above_the_folder_is_opened(tmp_path: Path, reference: str) -> None:
    (tmp_path / "secret.yaml").write_text("password: hunter2\n")
    folder = tmp_path / "cloned"
    folder.mkdir()
    message = refusal(files(folder, f"a: {{$ref: '{reference}'}}\n"), "a")
    assert "is not below the folder of the document" in message


def test_no_link_leads_above_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("password: hunter2\n")
    folder = tmp_path / "cloned"
    folder.mkdir()
    (folder / "inside.yaml").symlink_to(tmp_path / "secret.yaml")
    assert "is not below" in refusal(files(folder, "a: {$ref: inside.yaml}\n"), "a")


@pytest.mark.parametrize(
    "reference", ["https://example.com/s.json", "//example.com/s.json", "data:,1", "ftp://h/x"]
)
def test_nothing_is_fetched(tmp_path: Path, reference: str) -> None:
    assert "is not of this machine" in refusal(files(tmp_path, f"a: {{$ref: '{reference}'}}\n"), "a")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "can't be read" in refusal(files(tmp_path, "a: {$ref: pipe.yaml}\n"), "a")
