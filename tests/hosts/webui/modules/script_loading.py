"""Loads an extension's files as the WebUIs do: under their file name, not entered in sys.modules."""

import importlib.util
import os


def load_module(path):
    """Run a file and return it as a module."""
    spec = importlib.util.spec_from_file_location(os.path.basename(path), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def preload_extensions(folder, parser):
    """Let every extension add its launch flags."""
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name, "preload.py")
        if os.path.isfile(path):
            load_module(path).preload(parser)
