from __future__ import annotations

from pathlib import Path

import pytest

from ipyws.core.options.table import BY_NAME
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.widget.form import read_options

KIND = BY_NAME["codec"].kind
PROTO = 'syntax = "proto3"; message A { int32 n = 1; }'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "schemas").mkdir(parents=True)
    (home / "schemas" / "a.proto").write_text(PROTO)
    (tmp_path / "outside.proto").write_text(PROTO)
    return home


def test_a_schema_in_a_file_of_connections_starts_from_its_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "gzip+protobuf:schemas/a.proto:A"
    KIND.check_saved("codec", name, folder)
    codec = KIND.check("codec", KIND.read_saved("codec", name, folder))
    assert codec.name == name
    assert codec.read(codec.encode({"n": 3})).value == {"n": 3}
    with pytest.raises(InvalidError, match="can't be read"):
        KIND.check("codec", name)  # from Python it starts from the working folder


@pytest.mark.parametrize("path", ["../outside.proto", "/etc/hostname", "~/x.proto", "link.proto", "a\0b"])
def test_a_schema_in_a_file_of_connections_stays_in_its_folder(path: str, folder: Path) -> None:
    (folder / "link.proto").symlink_to("../outside.proto")
    for name in (f"protobuf:{path}:A", f"gzip+avro:{path}"):
        with pytest.raises(InvalidError, match="codec names a schema out of the folder of the file"):
            KIND.read_saved("codec", name, folder)
        with pytest.raises(InvalidError, match="out of the folder"):
            KIND.check_saved("codec", name, folder)


def test_a_file_of_connections_is_checked_without_its_schema(folder: Path) -> None:
    KIND.check_saved("codec", "protobuf:comes/later.proto:A", folder)
    KIND.check_saved("codec", 'avro:{"type": "int"}', folder)
    with pytest.raises(InvalidError, match="did you mean gzip"):
        KIND.check_saved("codec", "gzp+json", folder)
    with pytest.raises(InvalidError, match="codec is of type int"):
        KIND.check_saved("codec", 3, folder)


@pytest.mark.parametrize("name", ["protobuf:/etc/passwd:A", "gzip+avro:/etc/passwd"])
def test_a_panel_that_takes_no_files_takes_no_schema(name: str) -> None:
    with pytest.raises(PermissionDeniedError, match="codec names a file, which this panel does not take"):
        read_options({"codec": name}, None)
    assert read_options({"codec": "gzip+json"}, None) == {"codec": "gzip+json"}
    assert read_options({"codec": 'avro:"int"'}, None) == {"codec": 'avro:"int"'}
