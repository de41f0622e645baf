"""Finds scenes with the neural network TransNetV2 (Soucek and Lokoc 2020, arXiv 2008.04838)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.tools.scenes.detector import FrameSize
from wan_engine.tools.scenes.network import load_network
from wan_engine.tools.scenes.windows import windows

if TYPE_CHECKING:
    import torch

    from wan_engine.tools.scenes.detector import Block, Likelihood

MARGIN = 25
"""Frames at each end of a window that the network has seen too little around of; as its authors take."""
_CORES = {"float32": 150, "bfloat16": 250}
"""Frames of a window that count. With the margins 200 and 300: the fastest measured, see docs/scenes.md."""
_PROBE_FRAMES = 60


class TransNet:
    """The network on a device. device: `auto`, `cpu`, `cuda`, `cuda:1`.

    On a CPU with units for bfloat16 the layers run in it, which is found by trying. Raises ModelError.
    """

    name = "transnet"
    size = FrameSize(48, 27)

    def __init__(self, device: str = "auto") -> None:
        import torch

        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device in ("auto", "") else device
        try:
            self._device = torch.device(chosen)
            self._network = load_network().to(self._device)
        except RuntimeError as error:
            raise ModelError(f"the device {device} cannot be used: {error}", "Set device to auto or cpu") from error
        half = self._device.type == "cuda" or (self._device.type == "cpu" and _cpu_has_bfloat16())
        self._dtype = "bfloat16" if half else "float32"

    @property
    def words(self) -> str:
        """What it is and where it runs."""
        return f"TransNetV2 in {self._dtype} on {self._device}"

    def likelihoods(self, frames: Iterable[Block]) -> Iterator[Likelihood]:
        """See `Detector`."""
        for window in windows(frames, _CORES[self._dtype], MARGIN):
            yield self._look(window)[MARGIN:-MARGIN]

    def _look(self, window: Block) -> Likelihood:
        import torch

        with torch.inference_mode(), _in_dtype(self._device.type, self._dtype):
            cut, more = self._network(torch.from_numpy(window[None]).to(self._device))
            both = torch.cat([cut, more["many_hot"]], dim=2)[0].float().sigmoid()
        found: Likelihood = both.cpu().numpy()
        return found


def _in_dtype(device: str, dtype: str) -> AbstractContextManager[Any]:
    import torch

    return torch.autocast(device, dtype=torch.bfloat16) if dtype == "bfloat16" else nullcontext()


@lru_cache(maxsize=1)
def _cpu_has_bfloat16() -> bool:
    """Whether bfloat16 is the faster one here, by the time of a short window in both; asked once a process."""
    import torch

    network = load_network()
    frames = torch.zeros((1, _PROBE_FRAMES, 27, 48, 3), dtype=torch.uint8)
    times = {dtype: min(_seconds(network, frames, dtype) for _ in range(2)) for dtype in ("bfloat16", "float32")}
    return times["bfloat16"] < times["float32"]


def _seconds(network: Any, frames: torch.Tensor, dtype: str) -> float:
    import torch

    begin = time.perf_counter()
    with torch.inference_mode(), _in_dtype("cpu", dtype):
        network(frames)
    return time.perf_counter() - begin
