"""torch's memory is set so that it grows in place, where torch has that and nobody decided otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from wan_engine.models import devices
from wan_engine.models.devices import grow_in_place

GROWS = "expandable_segments:True"


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(devices.sys, "platform", "linux")
    for name in ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"):
        monkeypatch.delenv(name, raising=False)
    torch._C._accelerator_setAllocatorSettings("expandable_segments:False")
    yield
    torch._C._accelerator_setAllocatorSettings("expandable_segments:False")


def settings() -> str:
    return str(torch._C._accelerator_getAllocatorSettings())


def test_it_grows_in_place_on_cuda() -> None:
    grow_in_place("cuda:0")
    assert settings() == GROWS


def test_torch_before_2_9_has_another_name_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.delattr(torch._C, "_accelerator_setAllocatorSettings")
    monkeypatch.setattr(torch.cuda.memory, "_set_allocator_settings", given.append)
    grow_in_place("cuda:1")
    assert given == [GROWS]
    monkeypatch.undo()


@pytest.mark.parametrize("device", ["cpu", "mps", "xpu:0"])
def test_other_devices_are_left_alone(device: str) -> None:
    grow_in_place(device)
    assert settings() != GROWS


@pytest.mark.parametrize("name", ["PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"])
def test_what_the_user_set_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "max_split_size_mb:512")
    grow_in_place("cuda:0")
    assert settings() != GROWS


def test_windows_and_amd_have_it_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", "6.4")
    grow_in_place("cuda:0")
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(devices.sys, "platform", "win32")
    grow_in_place("cuda:0")
    assert settings() != GROWS
