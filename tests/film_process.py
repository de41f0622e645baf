"""A film made in a process of its own, which tells every event in a line of JSON: killed, it has said what it did.

python film_process.py begin PROJECT STEPS       python film_process.py resume FOLDER STEPS
python film_process.py outpaint PROJECT STEPS    python film_process.py resume_outpaint FOLDER STEPS

When it has told so many steps, it takes one more and waits to be killed, before it tells that: however fast the machine
is, the film is not over by then.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_SETTLE = 0.25
"""Seconds before the last step is told, in which its state reaches the disk: a slow one skips states of quick steps."""
_LONG = 600
"""Seconds that it waits to be killed."""


@dataclass(frozen=True)
class Told:
    """One event as it was told."""

    kind: str
    clip: int
    step: int
    message: str


def start(verb: str, path: Path, steps: int) -> subprocess.Popen[str]:
    """Begin what a project file asks for, or go on with what lies in a folder; so many steps are told."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, verb, str(path), str(steps)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def killed_after(verb: str, path: Path, steps: int, moments: random.Random) -> list[Told]:
    """Start it and kill it a moment after it has done this many steps; what it told before it died.

    Most moments are short, for a step of the small model takes hundredths of a second, and some are long.
    """
    process = start(verb, path, steps)
    assert process.stdout is not None
    told: list[Told] = []
    for line in process.stdout:
        told.append(Told(**json.loads(line)))
        if sum(event.kind == "step" for event in told) >= steps:
            time.sleep(0.4 * moments.random() ** 3)
            break
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=60)
    # The last line may be half a one.
    return told + [Told(**json.loads(line)) for line in rest.splitlines(keepends=True) if line.endswith("\n")]


def main() -> None:
    """Make or go on with a film, or an outpainted one."""
    from wan_engine.film import make_film, resume_film
    from wan_engine.outpaint import make_outpaint, resume_outpaint
    from wan_engine.render.events import Event
    from wan_engine.schedule.project import load_project
    from wan_engine.tools.outpaint.orders import orders_of_file

    verb, path, steps = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    done = 0

    def tell(event: Event) -> None:
        nonlocal done
        done += event.kind == "step"
        if event.kind == "step" and done == steps:
            time.sleep(_SETTLE)
        if done > steps:
            time.sleep(_LONG)
        values = {name: getattr(event, name) for name in ("kind", "clip", "step", "message")}
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()

    if verb == "begin":
        make_film(load_project(path).settings, tell, lambda: False)
    elif verb == "outpaint":
        make_outpaint(orders_of_file(path, {})[0], tell, lambda: False)
    else:
        {"resume": resume_film, "resume_outpaint": resume_outpaint}[verb](path, tell, lambda: False)


if __name__ == "__main__":
    main()
