"""Where the stand-in keeps its things; read from the command line before the rest of it, as the WebUIs do."""

import argparse
import os

KIND = os.environ.get("STANDIN_HOST", "a1111")
"""Which WebUI is stood in for: a1111, reforge, forge or neo."""

_parser = argparse.ArgumentParser(add_help=False)
_parser.add_argument("--data-dir", default=os.getcwd())
_parser.add_argument("--model-ref" if KIND == "neo" else "--models-dir", dest="models", default=None)
_given = _parser.parse_known_args()[0]

script_path = data_path = _given.data_dir
models_path = _given.models or os.path.join(data_path, "models")
extensions_dir = os.path.join(data_path, "extensions")
default_output_dir = os.path.join(data_path, "output" if KIND == "neo" else "outputs")
