"""What a machine computes with: its devices, the number format that suits each, and how full memory shows."""

from __future__ import annotations

from wan_engine.errors import CapabilityError

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What torch's allocators say: CUDA and MPS the first, the CPU the others."""


def choose_device(name: str = "auto") -> str:
    """The device to run on: the one asked for, or with `auto` the first GPU, else the CPU.

    Raises CapabilityError for a device this machine has not got.
    """
    import torch

    here = _devices()
    if name == "auto":
        return here[0]
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise CapabilityError(f'"{name}" is no device', f"Available here: {', '.join(here)}") from error
    known = {str(torch.device(entry)) for entry in here}
    if str(device) not in known and f"{device}:0" not in known:
        raise CapabilityError(f'this machine has no device "{name}"', f"Available here: {', '.join(here)}")
    return str(device)


def device_names(words: str) -> tuple[str, ...]:
    """The devices that the setting `devices` names, with commas between them."""
    return tuple(name for name in (word.strip() for word in words.split(",")) if name)


def _devices() -> list[str]:
    """The devices of this machine, the best first, `cpu` last."""
    import torch

    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    if torch.xpu.is_available():
        found += [f"xpu:{index}" for index in range(torch.xpu.device_count())]
    return [*found, "cpu"]


def choose_dtype(name: str, device: str) -> str:
    """The transformer's number format: as asked, or with `auto` float32 on a CPU, bfloat16 on a GPU that has it."""
    import torch

    if name != "auto":
        return name
    if device == "cpu":
        return "float32"
    if device.startswith("cuda") and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "float16"
    return "bfloat16"


def component_dtype(name: str, device: str, dtype: str) -> str:
    """The number format of a component. name: as `source.WITH_WEIGHTS` names it.  dtype: of the transformers."""
    if name.startswith("transformer"):
        return dtype
    return "bfloat16" if name == "text_encoder" and device != "cpu" else "float32"


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception of torch means that its device, or main memory, is full."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _NO_MEMORY)
