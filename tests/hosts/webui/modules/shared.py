"""What the WebUIs' parts share."""

import os
import threading

from modules.options import OptionInfo, Options
from modules.shared_cmd_options import cmd_opts

__all__ = ["OptionInfo", "cmd_opts", "demo", "opts", "restart"]

opts = Options(outdir_samples=os.environ.get("STANDIN_OUTDIR_SAMPLES", ""), hidden_tabs=[])
demo = None
restart = threading.Event()
"""Set when someone asked for Reload UI."""
