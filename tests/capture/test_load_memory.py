"""A capture larger than memory can be loaded, filtered and saved: the memory it takes is bounded."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ipyws.capture.load import load

# 80 MB of messages of 4 kB, of which every thousandth holds a needle.
COUNT, SIZE = 20_000, 4000
MOST = 30 << 20

WORK = """
import resource, sys
from ipyws.capture.load import load
from ipyws.core.messages.message import Message
import ipyws.capture.save

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

base = peak()
with load(sys.argv[1]) as capture:
    assert len(capture) == int(sys.argv[3]), len(capture)
    found = capture.filter(grep="needle")
    assert sum(1 for _ in found) == len(capture) // 1000
    assert capture[-1].seq == len(capture) - 1
    capture.save(sys.argv[2])
print(peak() - base)
"""


def fill(path: Path) -> None:
    line = '{{"time": 5.0, "direction": "in", "type": "text", "data": "{}"}}\n'
    with path.open("w") as stream:
        stream.write('{"ipyws": 1, "url": "wss://h/"}\n')
        for number in range(COUNT):
            stream.write(line.format(f"needle {number}" if number % 1000 == 7 else "x" * SIZE))


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in other units elsewhere")
@pytest.mark.timeout(300)
def test_load_filter_and_save_take_bounded_memory(tmp_path: Path) -> None:
    lines, har, again = tmp_path / "a.jsonl", tmp_path / "b.har", tmp_path / "c.jsonl"
    fill(lines)
    for source, target in ((lines, har), (har, again)):
        run = [sys.executable, "-W", "error", "-c", WORK, str(source), str(target), str(COUNT)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) < MOST
        if source == lines:
            lines.unlink()
    assert again.stat().st_size > COUNT * SIZE


def test_any_message_is_found_without_reading_all(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    fill(path)
    with load(path) as capture:
        start = time.thread_time()
        for place in range(0, COUNT, COUNT // 100):
            assert capture[place].seq == place
        assert time.thread_time() - start < 2
