"""An AsyncAPI document, as an API's owner publishes it."""

import shutil

from tests.support.lab import ROOT

shutil.copytree(ROOT / "tests/data/contracts", ".", dirs_exist_ok=True)
