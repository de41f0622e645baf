"""The machine's devices: asked in a process of their own, once; a failure is told and asked again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from service_samples import wait_until
from wan_engine.errors import RenderError
from wan_engine.service import devices
from wan_engine.service.devices import Device, DeviceList, ask_devices, auto_devices

CPU, MPS = Device("cpu", "", 1), Device("mps", "", 1)
CUDA = (Device("cuda:0", "", 1), Device("cuda:1", "", 1))


@pytest.mark.parametrize(
    ("found", "autos"),
    [
        ((CPU,), ("cpu",)),
        ((*CUDA, CPU), ("cuda:0", "cuda:1")),
        ((MPS, CPU), ("mps",)),
        ((Device("xpu:0", "", 1), CPU), ("xpu:0",)),
        ((*CUDA, Device("xpu:0", "", 1), CPU), ("cuda:0", "cuda:1")),
    ],
)
def test_jobs_without_a_device_go_to_the_gpus(found: tuple[Device, ...], autos: tuple[str, ...]) -> None:
    assert auto_devices(found) == autos


@pytest.mark.slow
def test_torch_is_asked() -> None:
    found = ask_devices()
    assert found[-1].name == "cpu"
    assert found[-1].memory_bytes > 10**8


def test_devices_are_asked_for_once() -> None:
    asked: list[int] = []

    def ask() -> tuple[Device, ...]:
        asked.append(1)
        return (CPU,)

    found = DeviceList(ask)
    assert wait_until(found.known) == (CPU,)
    assert found.known() == (CPU,)
    assert len(asked) == 1


def test_a_failure_is_told_once_and_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'ImportError: libtorch.so is missing' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(devices.sys, "executable", str(program))
    found = DeviceList()
    with pytest.raises(RenderError, match=r"libtorch\.so is missing") as caught:
        wait_until(found.known)
    assert "doctor" in caught.value.remedy
    program.write_text("#!/bin/sh\necho 'Hello from torch'\n", encoding="utf-8")
    with pytest.raises(RenderError, match="cannot be read"):
        wait_until(found.known)
    monkeypatch.setattr(devices.sys, "executable", str(tmp_path / "gone"))
    with pytest.raises(RenderError, match="cannot be asked"):
        wait_until(found.known)


def test_the_server_never_loads_torch() -> None:
    code = "import sys, wan_engine.service.supervisor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
