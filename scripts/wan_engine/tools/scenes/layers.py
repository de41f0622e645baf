"""The network TransNetV2 (Soucek and Lokoc 2020, arXiv 2008.04838), laid out so that a CPU computes it quickly.

Its convolutions reach over a 3x3 neighbourhood of a frame, or over three frames at one point, never over both. With the
frames as a batch the first are two-dimensional; with the points of a frame in a row the second are too. In memory with
the channels last both are views of the same numbers, so nothing is moved between them, and each runs at the speed of
image networks: in float32 twice, in bfloat16 more than four times as fast as three-dimensional ones in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

STACKS, CELLS = 3, 2
REACHES = (1, 2, 4, 8)
"""How far from a frame the four branches of a cell look, in frames."""
LOOKUP = 50
"""Frames before and after a frame to which it is compared as a whole."""
_NORM_EPSILON = 1e-3
_COLOUR_BITS = 3
"""Bits of each colour that the histograms keep."""


@dataclass(frozen=True)
class _Branch:
    """One of the four ways in which a cell looks. The batch norm behind it is multiplied into its weights.

    spatial: (channels, channels in, 3, 3).  temporal: (channels out, channels, 3, 1).  shift: (channels out).
    """

    reach: int
    spatial: torch.Tensor
    temporal: torch.Tensor
    shift: torch.Tensor

    def look(self, frames: torch.Tensor) -> torch.Tensor:
        """What it sees. frames: (frames, channels, height, width); gives (1, channels out, frames, points)."""
        from torch.nn.functional import conv2d

        seen = conv2d(frames, self.spatial, padding=1)
        rows = seen.permute(0, 2, 3, 1).reshape(1, len(seen), -1, seen.shape[1]).permute(0, 3, 1, 2)
        return conv2d(rows, self.temporal, self.shift, padding=(self.reach, 0), dilation=(self.reach, 1))


class TransNetLayers:
    """The network with its weights. weights: by the names that its authors gave them. Raises KeyError.

    dtype: of the convolutions; whole frames are compared, and the answer is found, in float32.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        names = [f"SDDCNN.{stack}.DDCNN.{cell}" for stack in range(STACKS) for cell in range(CELLS)]
        self._cells = [[self._branch(weights, name, number) for number in range(len(REACHES))] for name in names]
        self._linear = {
            name: (weights[f"{name}.weight"].float().to(device), weights[f"{name}.bias"].float().to(device))
            for name in (
                *("color_hist_layer.fc", "frame_sim_layer.projection", "frame_sim_layer.fc"),
                *("fc1", "cls_layer1", "cls_layer2"),
            )
        }

    def _branch(self, weights: Mapping[str, torch.Tensor], cell: str, number: int) -> _Branch:
        import torch

        layers = f"{cell}.Conv3D_{REACHES[number]}.layers"
        spatial, temporal = weights[f"{layers}.0.weight"].float()[:, :, 0], weights[f"{layers}.1.weight"].float()
        count = len(temporal)
        own = slice(number * count, (number + 1) * count)
        weight, bias, mean, variance = (
            weights[f"{cell}.bn.{name}"].float()[own] for name in ("weight", "bias", "running_mean", "running_var")
        )
        scale = weight / torch.sqrt(variance + _NORM_EPSILON)
        scaled = temporal[:, :, :, :, 0] * scale[:, None, None, None]
        return _Branch(
            REACHES[number],
            spatial.to(self._device, self._dtype, memory_format=torch.channels_last),
            scaled.to(self._device, self._dtype, memory_format=torch.channels_last),
            (bias - mean * scale).to(self._device, self._dtype),
        )

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """The answers before the sigmoid: that a scene ends with this frame, that it is part of a transition.

        frames: uint8, (frames, 27, 48, 3).  Gives float32, (frames, 2).
        """
        import torch
        from torch.nn.functional import avg_pool2d

        frames = frames.to(self._device)
        # (frames, 27, 48, 3) with its axes exchanged is (frames, 3, 27, 48) with the channels last.
        seen = frames.permute(0, 3, 1, 2).to(self._dtype) / 255
        whole: list[torch.Tensor] = []
        for stack in range(STACKS):
            first = self._cell(stack * CELLS, seen)
            seen = avg_pool2d(self._cell(stack * CELLS + 1, first).add_(first), 2)
            whole.append(seen.float().mean(dim=(2, 3)))
        projected = self._apply("frame_sim_layer.projection", torch.cat(whole, 1))
        features = [
            self._apply("color_hist_layer.fc", _similarities(_histograms(frames))).relu_(),
            self._apply("frame_sim_layer.fc", _similarities(projected)).relu_(),
            seen.permute(0, 2, 3, 1).reshape(len(seen), -1).float(),
        ]
        answer = self._apply("fc1", torch.cat(features, 1)).relu_()
        return torch.cat([self._apply("cls_layer1", answer), self._apply("cls_layer2", answer)], 1)

    def _cell(self, number: int, frames: torch.Tensor) -> torch.Tensor:
        import torch

        count, _, height, width = frames.shape
        seen = torch.cat([branch.look(frames) for branch in self._cells[number]], 1).relu_()
        return seen.permute(0, 2, 3, 1).reshape(count, height, width, -1).permute(0, 3, 1, 2)

    def _apply(self, name: str, values: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import linear

        weight, bias = self._linear[name]
        return linear(values, weight, bias)


def _histograms(frames: torch.Tensor) -> torch.Tensor:
    """How many points of each frame have each of 512 colours; float32, (frames, 512)."""
    import torch

    red, green, blue = (frames.long() >> (8 - _COLOUR_BITS)).unbind(-1)
    colours = (red << 2 * _COLOUR_BITS) + (green << _COLOUR_BITS) + blue
    bins = 1 << 3 * _COLOUR_BITS
    places = colours.flatten(1) + bins * torch.arange(len(frames), device=frames.device)[:, None]
    return torch.bincount(places.flatten(), minlength=bins * len(frames)).reshape(len(frames), bins).float()


def _similarities(vectors: torch.Tensor) -> torch.Tensor:
    """The cosine of each frame's vector and those of its neighbours, 0 beyond the ends.

    vectors: (frames, n).  Gives (frames, 2 LOOKUP + 1).
    """
    from torch.nn.functional import normalize, pad

    normal = normalize(vectors, dim=1)
    every = pad(normal @ normal.T, (LOOKUP, LOOKUP))
    # Row k begins k further to the right each time: its own frame then stands in the middle of it.
    return every.as_strided((len(vectors), 2 * LOOKUP + 1), (every.shape[1] + 1, 1))
