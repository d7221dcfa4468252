"""Mosquitto; it ends with the kernel."""

import atexit
import contextlib
import tempfile
from pathlib import Path

from tests.support.brokers import mosquitto

keep = contextlib.ExitStack()
atexit.register(keep.close)
folder = Path(keep.enter_context(tempfile.TemporaryDirectory()))
url = keep.enter_context(mosquitto(folder)).url
