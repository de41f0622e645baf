"""Measures how much memory there is: of the device and of this machine, within the limits that are set for us."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_CGROUP_FILES = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
"""Limit, usage and its parts, of version 2 and version 1 of Linux' control groups, as a container sees its own."""


@dataclass(frozen=True)
class Memory:
    """Memory in bytes. device_free: what torch could still take.  ram_free: what this process could still take."""

    device_free: int
    device_total: int
    ram_free: int
    ram_total: int


def measure(device: str) -> Memory:
    """What there is now. On the CPU the device's memory is main memory."""
    ram_free, ram_total = main_memory()
    if device == "cpu":
        return Memory(ram_free, ram_total, ram_free, ram_total)
    free, total = device_memory(device)
    return Memory(free, total, ram_free, ram_total)


def device_memory(device: str) -> tuple[int, int]:
    """Free and total memory of a device other than the CPU, in bytes; what torch keeps unused counts as free."""
    import torch

    where = torch.device(device)
    if where.type == "cuda":
        free, total = torch.cuda.mem_get_info(where)
        kept = torch.cuda.memory_reserved(where) - torch.cuda.memory_allocated(where)
        share = torch.cuda.get_per_process_memory_fraction(where)
        allowed = int(share * total)
        return min(free + kept, allowed - torch.cuda.memory_allocated(where)), allowed
    if where.type == "xpu":
        free, total = torch.xpu.mem_get_info(where)
        return free + torch.xpu.memory_reserved(where) - torch.xpu.memory_allocated(where), total
    total = torch.mps.recommended_max_memory()
    return total - torch.mps.driver_allocated_memory(), total


def main_memory(cgroup: Path = _CGROUP) -> tuple[int, int]:
    """Free and total main memory of this process, in bytes: the machine's, or its container's where that is less."""
    import psutil

    machine = psutil.virtual_memory()
    free, total = int(machine.available), int(machine.total)
    for limit_file, usage_file, stat_file in _CGROUP_FILES:
        try:
            limit = int((cgroup / limit_file).read_text())
            used = int((cgroup / usage_file).read_text()) - _file_cache(cgroup / stat_file)
        except (OSError, ValueError):
            continue  # not this version, or "max": no limit
        return min(free, max(limit - used, 0)), min(total, limit)
    return free, total


def _file_cache(stat: Path) -> int:
    """Memory that holds copies of files and is given up when it is needed."""
    values = dict(line.split() for line in stat.read_text().splitlines())
    return int(values.get("inactive_file", values.get("total_inactive_file", 0)))
