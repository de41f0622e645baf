"""The official names of the Wan 2.2 VAE with 48 channels, as in Wan2.2_VAE.pth; diffusers has no converter for it."""

from __future__ import annotations

import re

from wan_engine.models.convert.layout import Renamed
from wan_engine.models.convert.vae21 import ENDS

_RESIDUAL = {
    "residual.0.gamma": "norm1.gamma",
    "residual.2.weight": "conv1.weight",
    "residual.2.bias": "conv1.bias",
    "residual.3.gamma": "norm2.gamma",
    "residual.6.weight": "conv2.weight",
    "residual.6.bias": "conv2.bias",
    "shortcut.weight": "conv_shortcut.weight",
    "shortcut.bias": "conv_shortcut.bias",
}
_MIDDLE = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}
_HEAD = {"0": "norm_out", "2": "conv_out"}
_OUTSIDE = {"conv1": "quant_conv", "conv2": "post_quant_conv"}

_MIDDLE_NAME = re.compile(r"(encoder|decoder)\.middle\.([012])\.(.+)")
_HEAD_NAME = re.compile(r"(encoder|decoder)\.head\.([02])\.(\w+)")
_STAGE_NAME = re.compile(r"(encoder|decoder)\.(?:down|up)samples\.(\d+)\.(?:down|up)samples\.(\d+)\.(.+)")


class OfficialVae22(Renamed):
    """The names of `wan/modules/vae2_2.py`: stages of residual blocks, the last of a stage changing the size."""

    def rename(self, name: str) -> str:
        """As `Renamed.rename`."""
        if match := _STAGE_NAME.fullmatch(name):
            half, stage, place, rest = match.groups()
            blocks, sampler = ("down_blocks", "downsampler") if half == "encoder" else ("up_blocks", "upsampler")
            if rest.startswith(("resample.", "time_conv.")):
                return f"{half}.{blocks}.{stage}.{sampler}.{rest}"
            return f"{half}.{blocks}.{stage}.resnets.{place}.{_RESIDUAL.get(rest, rest)}"
        if match := _MIDDLE_NAME.fullmatch(name):
            half, place, rest = match.groups()
            return f"{half}.mid_block.{_MIDDLE[place]}.{_RESIDUAL.get(rest, rest)}"
        if match := _HEAD_NAME.fullmatch(name):
            return f"{match[1]}.{_HEAD[match[2]]}.{match[3]}"
        first, _, rest = name.partition(".")
        if first in ("encoder", "decoder") and rest.startswith("conv1."):
            return f"{first}.conv_in.{rest.removeprefix('conv1.')}"
        return f"{_OUTSIDE[first]}.{rest}" if first in _OUTSIDE else name


OFFICIAL_VAE22 = OfficialVae22(
    name="official-vae2.2",
    label="Wan's own names",
    kind="vae",
    prefixes=("", "model.", "vae.", "first_stage_model."),
    signs=("encoder.downsamples.0.downsamples.0.residual.2.weight", "conv2.weight"),
    landmarks={**ENDS, "residual": "encoder.downsamples.0.downsamples.0.residual.2.weight"},
    blocks=(),
)
