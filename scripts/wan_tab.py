"""The file that a WebUI runs at its start: makes the extension's packages importable and registers the Wan tab."""

import sys
from pathlib import Path

_SCRIPTS = str(Path(__file__).resolve().parent)
if _SCRIPTS not in sys.path:
    sys.path.append(_SCRIPTS)

# Whole and at once: A1111 takes the folder off the path again when this file has run.
from wan_webui import callbacks  # noqa: E402

callbacks.register()
