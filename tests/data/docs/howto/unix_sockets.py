"""A folder with a short path, for sockets."""

import tempfile

_made = tempfile.TemporaryDirectory(prefix="ws", dir="/tmp")
folder = _made.name
