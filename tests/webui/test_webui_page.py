"""docs/webui.md tells what there is: each flag, each message it explains."""

from __future__ import annotations

import argparse
import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "webui.md").read_text(encoding="utf-8")


def test_each_flag_is_told_and_no_other() -> None:
    spec = importlib.util.spec_from_file_location("preload.py", ROOT / "preload.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parser = argparse.ArgumentParser()
    module.preload(parser)
    flags = {word for action in parser._actions for word in action.option_strings if word.startswith("--wan")}
    assert set(re.findall(r"--wan-[a-z-]+", PAGE)) == flags
    assert vars(parser.parse_args([])) == {flag[2:].replace("-", "_"): None for flag in flags}


def test_the_messages_that_are_explained_are_in_the_code() -> None:
    files = [
        ROOT / "install.py",
        *(ROOT / "scripts/wan_webui").glob("*.py"),
        ROOT / "scripts/wan_engine/service/life.py",
    ]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    rows = re.findall(r"^\| `([^`]+)`", PAGE.partition("## When something")[2], re.MULTILINE)
    # Put together at run time: "Refused: " and the reason, the Pythons' versions.
    for row in rows:
        words = row.removeprefix("Refused: ").replace("The engine ended at", "ended at").split(" 3.")[0].split(" … ")
        assert all(part in code for part in words if part != "Error loading script: wan_tab.py"), row
    assert len(rows) > 7
