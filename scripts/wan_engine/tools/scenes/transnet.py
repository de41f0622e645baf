"""Finds scenes with the neural network TransNetV2."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from wan_engine.errors import ModelError
from wan_engine.tools.scenes.detector import FrameSize
from wan_engine.tools.scenes.network import load_network
from wan_engine.tools.scenes.windows import windows

if TYPE_CHECKING:
    import torch

    from wan_engine.tools.scenes.detector import Block, Likelihood

MARGIN = 25
"""Frames at each end of a window that the network has seen too little around of; as its authors take."""
CORE = 250
"""Frames of a window that count: with the margins 300. Longer ones are hardly faster and take more memory."""
_PROBE_FRAMES = 40


class TransNet:
    """The network on a device. device: `auto`, `cpu`, `cuda`, `cuda:1`.

    dtype: of its convolutions, `bfloat16` or `float32`; "" takes bfloat16 where it is faster. Raises ModelError.
    """

    name = "transnet"
    size = FrameSize(48, 27)

    def __init__(self, device: str = "auto", dtype: str = "") -> None:
        import torch

        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device in ("auto", "") else device
        try:
            place = torch.device(chosen)
            self.dtype = dtype or ("bfloat16" if place.type == "cuda" or _cpu_has_bfloat16() else "float32")
            self._network = load_network(place, getattr(torch, self.dtype))
        except RuntimeError as error:
            raise ModelError(f"the device {device} cannot be used: {error}", "Set device to auto or cpu") from error
        self._place = place

    @property
    def words(self) -> str:
        """What it is and where it runs."""
        return f"TransNetV2 in {self.dtype} on {self._place}"

    def likelihoods(self, frames: Iterable[Block]) -> Iterator[Likelihood]:
        """See `Detector`."""
        for window in windows(frames, CORE, MARGIN):
            yield self._look(window)[MARGIN:-MARGIN]

    def _look(self, window: Block) -> Likelihood:
        import torch

        with torch.inference_mode():
            found: Likelihood = self._network(torch.from_numpy(window)).sigmoid().cpu().numpy()
        return found


@lru_cache(maxsize=1)
def _cpu_has_bfloat16() -> bool:
    """Whether bfloat16 is the faster one here, by the time of a short window in both; asked once a process."""
    import torch

    frames = torch.zeros((_PROBE_FRAMES, TransNet.size.height, TransNet.size.width, 3), dtype=torch.uint8)
    times = {dtype: _seconds(dtype, frames) for dtype in (torch.bfloat16, torch.float32)}
    return times[torch.bfloat16] < times[torch.float32]


def _seconds(dtype: torch.dtype, frames: torch.Tensor) -> float:
    """The better of two tries: the first one prepares the layers."""
    import torch

    network = load_network(torch.device("cpu"), dtype)
    times = []
    with torch.inference_mode():
        for _ in range(2):
            begin = time.perf_counter()
            network(frames)
            times.append(time.perf_counter() - begin)
    return min(times)
