"""A film made in a process of its own, which tells every event in a line of JSON: killed, it has said what it did.

python film_process.py begin PROJECT             python film_process.py resume FOLDER
python film_process.py outpaint PROJECT          python film_process.py resume_outpaint FOLDER
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


@dataclass(frozen=True)
class Told:
    """One event as it was told."""

    kind: str
    clip: int
    step: int
    message: str


def start(verb: str, path: Path) -> subprocess.Popen[str]:
    """Begin what a project file asks for, or go on with what lies in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, verb, str(path)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def killed_after(process: subprocess.Popen[str], steps: int, moments: random.Random) -> list[Told]:
    """Kill the process a moment after it has done this many steps; what it told before it died."""
    assert process.stdout is not None
    told: list[Told] = []
    for line in process.stdout:
        told.append(Told(**json.loads(line)))
        if sum(event.kind == "step" for event in told) >= steps:
            time.sleep(moments.uniform(0, 0.4))
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

    def tell(event: Event) -> None:
        values = {name: getattr(event, name) for name in ("kind", "clip", "step", "message")}
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()

    verb, path = sys.argv[1], Path(sys.argv[2])
    if verb == "begin":
        make_film(load_project(path).settings, tell, lambda: False)
    elif verb == "outpaint":
        make_outpaint(orders_of_file(path, {})[0], tell, lambda: False)
    else:
        {"resume": resume_film, "resume_outpaint": resume_outpaint}[verb](path, tell, lambda: False)


if __name__ == "__main__":
    main()
