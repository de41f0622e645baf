"""The command line, with the flags of the extensions."""

import argparse
import json

from modules import paths_internal, script_loading

parser = argparse.ArgumentParser()
for _flag in ("listen", "share", "api", "nowebui"):
    parser.add_argument(f"--{_flag}", action="store_true")
for _flag in ("ngrok", "server-name", "subpath", "theme", "gradio-auth", "gradio-auth-path", "api-auth"):
    parser.add_argument(f"--{_flag}", default=None)
parser.add_argument("--port", type=int, default=None)
parser.add_argument("--data-dir", default=paths_internal.data_path)
parser.add_argument("--model-ref" if paths_internal.KIND == "neo" else "--models-dir", default=None)
parser.add_argument("--gradio-allowed-path", action="append", default=[paths_internal.data_path])
parser.add_argument("--ngrok-options", type=json.loads, default={})

script_loading.preload_extensions(paths_internal.extensions_dir, parser)
cmd_opts = parser.parse_args()
