"""Tables may come from anywhere: what is no capture is refused in words."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import ipyws
from ipyws.capture.recording import Found
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError


def feed(tmp_path: Path, count: int) -> Path:
    messages = [Message("text", f'{{"n": {seq}}}', "in", seq, 1e9) for seq in range(count)]
    return Found(messages, None).save(tmp_path / "feed.parquet")


def test_a_place_in_a_large_table_is_found_without_reading_what_is_before(tmp_path: Path) -> None:
    loaded = ipyws.load(feed(tmp_path, 150_000))
    assert pq.ParquetFile(loaded.path).metadata.num_row_groups == 3
    assert loaded[140_000].json() == {"n": 140_000}
    assert [message.seq for message in loaded[-2:]] == [149_998, 149_999]
    assert sum(1 for message in loaded.filter(grep='"n": 14999')) == 11


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    duckdb.sql(f"copy (select 1 as seq) to '{path}' (format parquet)")
    with pytest.raises(InvalidError, match="a table of something else than messages"):
        ipyws.load(path)


@pytest.mark.parametrize("kept", [4, 100, -1, -40])
def test_a_table_that_was_cut_is_refused(tmp_path: Path, kept: int) -> None:
    path = feed(tmp_path, 10)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InvalidError, match=r"feed\.parquet: it is not Parquet"):
        ipyws.load(path)


def test_a_table_whose_data_are_broken_says_so_when_it_is_read(tmp_path: Path) -> None:
    path = feed(tmp_path, 1000)
    data = bytearray(path.read_bytes())
    data[10:60] = bytes(50)
    path.write_bytes(data)
    with pytest.raises(InvalidError, match="can't be read"):
        list(ipyws.load(path))


def test_a_closed_capture_says_so(tmp_path: Path) -> None:
    loaded = ipyws.load(feed(tmp_path, 10))
    loaded.close()
    with pytest.raises(InvalidError, match="is closed"):
        loaded[0]
