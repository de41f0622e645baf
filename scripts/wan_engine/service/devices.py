"""Which devices this machine has, asked of torch once, in a process of its own: the server never loads torch."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wan_engine.errors import RenderError, WanError

log = logging.getLogger(__name__)

_ASK_SECONDS = 300
"""Longest wait for torch; its first import from a slow disk takes minutes."""

_REMEDY = "wan-engine doctor says more; python install.py engine sets the environment up anew"


@dataclass(frozen=True)
class Device:
    """Something that can render. label: for people.  memory_bytes: its own, of the CPU the machine's."""

    name: str
    label: str
    memory_bytes: int


def ask_devices() -> tuple[Device, ...]:
    """Ask torch in a new process; takes seconds. Raises RenderError."""
    command = [sys.executable, "-P", "-m", "wan_engine.service.devices"]
    try:
        answer = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=_ASK_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RenderError(f"torch cannot be asked for its devices: {error}", _REMEDY) from error
    if answer.returncode:
        last = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RenderError(f"torch cannot say which devices there are: {last}", _REMEDY)
    try:
        return tuple(Device(**values) for values in json.loads(answer.stdout.splitlines()[-1]))
    except (ValueError, TypeError, IndexError) as error:
        raise RenderError(f"torch's devices cannot be read: {error}", _REMEDY) from error


def auto_devices(devices: Sequence[Device]) -> tuple[str, ...]:
    """The devices that jobs which name none are rendered on: all GPUs of the best kind, else the CPU."""
    for kind in ("cuda", "mps", "xpu"):
        if found := tuple(device.name for device in devices if device.name.partition(":")[0] == kind):
            return found
    return ("cpu",)


class DeviceList:
    """The machine's devices, asked for in the background; a failure is told and asked again the next time."""

    def __init__(self, ask: Callable[[], tuple[Device, ...]] = ask_devices) -> None:
        self._ask = ask
        self._found: tuple[Device, ...] = ()
        self._error: WanError | None = None
        self._thread: threading.Thread | None = None

    def known(self) -> tuple[Device, ...]:
        """The devices, the CPU last; () while they are still asked for. Raises WanError, once a failure."""
        if self._found:
            return self._found
        if self._thread is None or not self._thread.is_alive():
            error, self._error = self._error, None
            if error is not None:
                raise error
            self._thread = threading.Thread(target=self._run, name="devices", daemon=True)
            self._thread.start()
        return ()

    def _run(self) -> None:
        try:
            self._found = self._ask()
        except WanError as error:
            log.warning("%s", error)
            self._error = error


def main() -> None:
    """Write this machine's devices as JSON."""
    from wan_engine.doctor import accelerators, host_device

    found = [(each.name, each.label, each.memory_bytes) for each in (*accelerators(), host_device())]
    sys.stdout.write(json.dumps([dict(zip(("name", "label", "memory_bytes"), each, strict=True)) for each in found]))


if __name__ == "__main__":
    main()
