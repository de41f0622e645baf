"""Finds and loads the extensions' scripts, with each WebUI's own way of handling sys.path."""

import os
import sys
from collections import namedtuple

from modules import errors, paths_internal, script_callbacks, script_loading

AlwaysVisible = object()
ScriptClassData = namedtuple("ScriptClassData", ["script_class", "path", "basedir", "module"])
scripts_data = []
"""The classes that take part in the making of pictures."""


class Script:
    """What such a class starts from."""

    create_group = True

    def before_process(self, p, *args):
        """Called before a picture is made, with the queue's lock held."""

    def postprocess(self, p, processed, *args):
        """Called when it is made."""


def call_all(method, *args):
    """Call a method of every class's one instance; each guarded."""
    for data in scripts_data:
        script = data.script_class()
        if script.show(False) is not AlwaysVisible or script.ui(False) != []:
            raise TypeError("the stand-in knows scripts without controls only")
        try:
            getattr(script, method)(*args)
        except Exception:
            errors.report(f"Error running {method}: {data.path}", exc_info=True)


def extension_folders():
    """The extensions, in order."""
    folder = paths_internal.extensions_dir
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if os.path.isdir(os.path.join(folder, name))]


def list_files(folder, *endings):
    """The files of all extensions directly in a folder of this name."""
    found = []
    for extension in extension_folders():
        inside = os.path.join(extension, folder)
        names = sorted(os.listdir(inside)) if os.path.isdir(inside) else []
        found += [os.path.join(inside, name) for name in names if name.lower().endswith(endings)]
    return found


def load_scripts():
    """Run every script anew. A1111 takes an extension's folder off the path again, the others leave all on it."""
    script_callbacks.clear_callbacks()
    scripts_data.clear()
    if paths_internal.KIND != "a1111":
        for extension in extension_folders():
            if extension not in sys.path:
                sys.path = [extension, *sys.path]
    before = sys.path
    for path in list_files("scripts", ".py"):
        try:
            sys.path = [os.path.dirname(os.path.dirname(path)), *sys.path]
            script_loading.load_module(path)
        except Exception:
            errors.report(f"Error loading script: {os.path.basename(path)}", exc_info=True)
        finally:
            sys.path = before
