"""Makes the paths in a project file whole: they count from the file's own folder."""

from __future__ import annotations

from pathlib import Path

from wan_engine.schedule.deforum import is_address


def whole_path(folder: Path, path: str) -> str:
    """The path from `folder`; `~` is the user's home. Web addresses stay: whoever reads the file refuses them."""
    if not path or is_address(path):
        return path
    try:
        named = Path(path).expanduser()
    except RuntimeError:  # there is no such user: then it is a name like any other
        named = Path(path)
    return str(folder.absolute() / named)
