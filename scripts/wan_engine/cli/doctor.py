"""The verb `doctor`: what this machine has and what really works on it."""

from __future__ import annotations

from wan_engine.cli.flags import verb
from wan_engine.cli.screen import Screen


@verb()
def doctor(screen: Screen) -> None:
    """Examine this machine: GPU, memory, ffmpeg and encoders, attention kernels, disk."""
    from wan_engine.doctor import examine

    report = examine()
    if screen.json:
        screen.document(report.as_dict())
        return
    for line in report.lines():
        screen.line(screen.out, line)
