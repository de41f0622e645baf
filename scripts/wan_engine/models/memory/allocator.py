"""Has torch take a CUDA device's memory in a way that leaves no holes, where that is safe."""

from __future__ import annotations

import ctypes
import logging
import os
import platform
import sys

_OF_TORCH = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
"""Variables by which users set torch's allocator; the second is the older one."""
_DRIVER = "libcuda.so.1"
_VIRTUAL_MEMORY = 102
"""CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED of NVIDIA's `cuda.h`."""

log = logging.getLogger(__name__)


def grow_in_place(device: str) -> None:
    """Let what torch takes of a CUDA device grow in place, so that what was freed serves for pieces of any size.

    Else holes are left: Wan 2.2's VAE, which takes 23.4 GB with its weights at 1280x704, did not fit into 24 GB then.
    Who sets torch's own variable has decided for themselves. device: as torch names it.
    """
    import torch

    where = torch.device(device)
    chosen = any(os.environ.get(name) for name in _OF_TORCH)
    if where.type == "cuda" and not chosen and not torch.version.hip and _is_known_to_work(where.index or 0):
        # No public function does it, and the variable would have to be set before the engine starts. Older torch has
        # the second name only, newer torch warns of it.
        change = getattr(torch._C, "_accelerator_setAllocatorSettings", None)
        (change or torch.cuda.memory._set_allocator_settings)("expandable_segments:True")
        log.info("Memory of %s grows in place", device)


def _is_known_to_work(index: int) -> bool:
    """Linux itself on a PC whose card has virtual memory, as its driver says.

    Under Windows and in its subsystem for Linux the first allocation may fail, or each one after a full memory
    (torch's issues 192330 and 188008).
    """
    own = "microsoft" not in platform.release().lower()
    return sys.platform == "linux" and own and platform.machine() == "x86_64" and _has_virtual_memory(index)


def _has_virtual_memory(index: int) -> bool:
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError as error:
        log.info("No NVIDIA driver: %s", error)
        return False
    card, has_it = ctypes.c_int(), ctypes.c_int()
    return (
        driver.cuInit(0) == 0
        and driver.cuDeviceGet(ctypes.byref(card), index) == 0
        and driver.cuDeviceGetAttribute(ctypes.byref(has_it), _VIRTUAL_MEMORY, card) == 0
        and has_it.value == 1
    )
