"""The extension's launch flags; the WebUI calls `preload` before it reads its command line."""

from __future__ import annotations

import argparse


def preload(parser: argparse.ArgumentParser) -> None:
    """Add the flags; a flag that is not given is None."""
    parser.add_argument("--wan-home", help="folder of the Wan engine's state (default: wan/state in the models folder)")
    parser.add_argument("--wan-engine-venv", help="folder of the Wan engine's own Python environment (default: .venv)")
    parser.add_argument("--wan-outputs", help="folder of the Wan films (default: wan in the WebUI's output folder)")
