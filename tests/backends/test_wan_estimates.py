"""What VACE takes besides is counted in the estimates as the networks take it: each tensor that is alive counts."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import WanTransformer3DModel, WanVACETransformer3DModel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from samples import make_clip
from wan_engine.backends import ClipRequest
from wan_engine.backends.wan.conditions import make_conditions
from wan_engine.families import Lineup, Mode
from wan_engine.models.folder import open_folder
from wan_engine.models.load import Loader
from wan_engine.models.memory.needs import Clip, Weights, denoising_bytes, encoding_bytes, weights_of

FIGURES: dict[str, Any] = {
    "num_attention_heads": 2, "attention_head_dim": 128, "num_layers": 4, "ffn_dim": 1024, "text_dim": 64,
    "freq_dim": 64,
}  # fmt: skip
WEIGHTS = Weights((0,), 0, 0, 0, 0, 0, 0, dim=256, ffn_dim=1024, layers=4, stride=8, vae_load=0.0, controls=3)
SIDE, FRAMES = 128, 17


class Peak(TorchDispatchMode):
    """Counts the bytes of all tensors that are made inside, and the most there were at once."""

    def __init__(self, given: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.most = self._now = 0
        self._given = {tensor.untyped_storage()._cdata for tensor in given}
        self._alive: dict[int, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._alive and key not in self._given:
            self._alive[key] = storage.nbytes()
            self._now += storage.nbytes()
            self.most = max(self.most, self._now)
            weakref.finalize(storage, self._gone, key)

    def _gone(self, key: int) -> None:
        self._now -= self._alive.pop(key, 0)


def peak(network: torch.nn.Module, **given: torch.Tensor) -> int:
    """Bytes that one forward takes besides the weights."""
    latents = torch.randn(1, 16, (FRAMES + 3) // 4, SIDE // 8, SIDE // 8)
    texts = torch.randn(1, 16, 64)
    with torch.no_grad(), Peak([*network.parameters(), *network.buffers()]) as counted:
        network(hidden_states=latents, timestep=torch.tensor([500]), encoder_hidden_states=texts, **given)
    return counted.most


def test_vace_keeps_the_output_of_each_of_its_blocks(one_thread: None) -> None:
    control = torch.randn(1, 96, (FRAMES + 3) // 4, SIDE // 8, SIDE // 8)
    with_vace = WanVACETransformer3DModel(**FIGURES, vace_layers=[0, 1, 3], vace_in_channels=96).eval()
    more = peak(with_vace, control_hidden_states=control) - peak(WanTransformer3DModel(**FIGURES).eval())
    plain, controlled = (denoising_bytes(WEIGHTS, Clip(SIDE, SIDE, FRAMES, mode)) for mode in ("t2v", "vace"))
    assert more == pytest.approx(2 * (controlled - plain), rel=0.02), "the estimate is for 16 bits, this has 32"


@pytest.mark.parametrize("mode", ["vace", "i2v"])
def test_the_videos_that_wait_beside_the_encoder(
    tiny_lineup: Callable[[str], Lineup], mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tiny_lineup("vace" if mode == "vace" else "clip").card(mode)
    pipeline = Loader("cpu", "float32").pipeline(card, mode)
    picture = np.full((SIDE, SIDE, 3), 90, np.uint8)
    request = ClipRequest(make_clip(mode=mode, frames=FRAMES, intervals=FRAMES - 1), SIDE, SIDE, picture)
    waiting: list[int] = []
    encode = pipeline.vae.encode

    def watched(video: torch.Tensor) -> Any:
        tensors = [each for each in gc.get_objects() if type(each) is torch.Tensor and each.device.type == "cpu"]
        sizes = {each.data_ptr(): each.untyped_storage().nbytes() for each in tensors}
        waiting.append(sum(size for size in sizes.values() if size >= SIDE * SIDE * FRAMES * 4))
        return encode(video)

    monkeypatch.setattr(pipeline.vae, "encode", watched)
    texts = torch.zeros(1, 512, pipeline.transformer.config.text_dim)
    make_conditions(pipeline, request, texts, None, "cpu")
    estimated = encoding_bytes(WEIGHTS, Clip(SIDE, SIDE, FRAMES, mode), tiled=False)
    assert 0.4 * estimated < max(waiting) <= 1.02 * estimated
    assert mode == "i2v" or max(waiting) > 0.95 * estimated


def test_vace_blocks_are_counted_in_the_headers(tiny_models: dict[str, Path]) -> None:
    source = open_folder(tiny_models["vace"] / "vace")
    assert weights_of([source], "float32", on_cpu=True).controls == len(source.config("transformer")["vace_layers"])
    assert weights_of([open_folder(tiny_models["plain"] / "t2v")], "float32", on_cpu=True).controls == 0
