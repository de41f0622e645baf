"""Which devices a film is rendered on, and the executor that suits them."""

from __future__ import annotations

from collections.abc import Sequence

from wan_engine.executors import Executor
from wan_engine.executors.local import LocalExecutor
from wan_engine.executors.processes import ProcessExecutor
from wan_engine.models.devices import choose_device, device_names
from wan_engine.plan.model import Plan
from wan_engine.settings import Settings


def devices_of(settings: Settings) -> tuple[str, ...]:
    """The devices that the settings name: `devices`, without those the one `device`. The first also mends seams."""
    return device_names(settings.devices) or (settings.device,)


def check_devices(settings: Settings, devices: Sequence[str]) -> None:
    """Raise CapabilityError for a device that this machine has not got; a backend without a model needs none."""
    for name in devices if settings.backend == "wan" else ():
        choose_device(name)


def device_notes(plan: Plan, settings: Settings) -> tuple[str, ...]:
    """Which of the settings' devices the film has no use for, because its clips need each other's frames."""
    chains, devices = len(plan.chains()), devices_of(settings)
    if chains >= len(devices):
        return ()
    parts = "one part" if chains == 1 else f"{chains} parts that do not need each other's frames"
    return (f"The film is {parts}: {', '.join(devices[chains:])} of its devices will not be used",)


def make_executor(settings: Settings, devices: Sequence[str]) -> Executor:
    """Several devices work side by side, each in a process of its own; one works here."""
    return ProcessExecutor(settings, devices) if len(devices) > 1 else LocalExecutor()
