"""torch's memory is set so that it grows in place, where that is known to work and nobody decided otherwise."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from wan_engine.models.memory import allocator
from wan_engine.models.memory.allocator import grow_in_place

GROWS = "expandable_segments:True"


class Driver:
    """Stands in for NVIDIA's library: one card, with or without virtual memory, by the functions of `cuda.h`."""

    def __init__(self, has_virtual_memory: int = 1) -> None:
        self.has_virtual_memory = has_virtual_memory

    def cuInit(self, flags: int) -> int:
        return 0

    def cuDeviceGet(self, card: Any, index: int) -> int:
        card._obj.value = 7
        return 0 if index == 0 else 101  # CUDA_ERROR_INVALID_DEVICE

    def cuDeviceGetAttribute(self, value: Any, attribute: int, card: ctypes.c_int) -> int:
        assert card.value == 7
        value._obj.value = self.has_virtual_memory if attribute == 102 else 0
        return 0


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(allocator.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(allocator.platform, "release", lambda: "6.8.0-45-generic")
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: Driver())
    for name in ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"):
        monkeypatch.delenv(name, raising=False)
    torch._C._accelerator_setAllocatorSettings("expandable_segments:False")
    yield
    torch._C._accelerator_setAllocatorSettings("expandable_segments:False")


def settings() -> str:
    return str(torch._C._accelerator_getAllocatorSettings())


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_it_grows_in_place_on_cuda(device: str) -> None:
    grow_in_place(device)
    assert settings() == GROWS


def test_older_torch_has_another_name_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    with monkeypatch.context() as older:
        older.delattr(torch._C, "_accelerator_setAllocatorSettings")
        older.setattr(torch.cuda.memory, "_set_allocator_settings", given.append)
        grow_in_place("cuda:0")
    assert given == [GROWS]


@pytest.mark.parametrize("device", ["cpu", "mps", "xpu:0", "cuda:1"])
def test_other_devices_are_left_alone(device: str) -> None:
    grow_in_place(device)
    assert settings() != GROWS


@pytest.mark.parametrize("name", ["PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"])
def test_what_the_user_set_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "max_split_size_mb:512")
    grow_in_place("cuda:0")
    assert settings() != GROWS


def no_driver(name: str) -> None:
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (torch.version, "hip", "6.4"),
        (allocator.sys, "platform", "win32"),
        (allocator.platform, "release", lambda: "5.15.167.4-microsoft-standard-WSL2"),
        (allocator.platform, "machine", lambda: "aarch64"),
        (allocator.ctypes, "CDLL", lambda name: Driver(has_virtual_memory=0)),
        (allocator.ctypes, "CDLL", no_driver),
    ],
    ids=["amd", "windows", "wsl", "arm", "no-virtual-memory", "no-driver"],
)
def test_elsewhere_it_stays_as_it_is(
    where: Any, name: str, value: str | Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, value)
    grow_in_place("cuda:0")
    assert settings() != GROWS
