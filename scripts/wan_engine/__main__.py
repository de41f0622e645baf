"""Starts the command line: `python -m wan_engine` and `wan-engine`."""

from __future__ import annotations

import sys

from wan_engine.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
