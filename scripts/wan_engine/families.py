"""What each Wan model family can do and needs: sizes, frame rate, lengths, steps, guidance and shift. Pure data.

Figures: the official repositories' `wan/configs` and READMEs (Wan 2.1, Wan 2.2) and the configs of the diffusers
conversions. Nothing here reads a file; `models.folder` decides which family a folder on disk belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["t2v", "i2v", "flf2v", "vace"]
MODES: tuple[Mode, ...] = ("t2v", "i2v", "flf2v", "vace")

MODE_WORDS: dict[str, str] = {
    "t2v": "text-to-video",
    "i2v": "image-to-video",
    "flf2v": "first-last-frame-to-video",
    "vace": "masked-video-to-video",
}


@dataclass(frozen=True)
class Family:
    """One kind of Wan model.

    modes: what its weights can do.  fps: frames a second it was trained at.
    native_frames: the longest clip it was trained for (4k+1).  size_multiple: width and height must be multiples of it.
    flow_shift_small / flow_shift_large: sigma shift below / from 720p (921 600 pixels).
    guidance_scale_2: scale for the low-noise expert; None for models with one transformer.
    """

    name: str
    label: str
    modes: frozenset[Mode]
    fps: int = 16
    native_frames: int = 81
    size_multiple: int = 16
    width: int = 832
    height: int = 480
    steps: int = 50
    guidance_scale: float = 5.0
    guidance_scale_2: float | None = None
    flow_shift_small: float = 3.0
    flow_shift_large: float = 5.0

    def flow_shift(self, width: int, height: int) -> float:
        """The recommended sigma shift for a picture size in pixels."""
        return self.flow_shift_large if width * height >= 1280 * 720 else self.flow_shift_small


def _family(name: str, label: str, modes: tuple[Mode, ...], **values: float | None) -> Family:
    return Family(name, label, frozenset(modes), **values)  # type: ignore[arg-type]


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _family("wan2.1-t2v-1.3b", "Wan 2.1 T2V 1.3B", ("t2v",)),
        _family("wan2.1-t2v-14b", "Wan 2.1 T2V 14B", ("t2v",)),
        _family("wan2.1-i2v-14b", "Wan 2.1 I2V 14B", ("i2v",), steps=40),
        # Sampled as the I2V model it was made like.
        _family("wan2.1-fun-inp-1.3b", "Wan 2.1 Fun-InP 1.3B", ("i2v",), steps=40),
        _family(
            "wan2.1-flf2v-14b",
            "Wan 2.1 FLF2V 14B",
            ("flf2v",),
            width=1280,
            height=720,
            flow_shift_small=16.0,
            flow_shift_large=16.0,
        ),
        _family("wan2.1-vace-1.3b", "Wan 2.1 VACE 1.3B", ("vace",), flow_shift_small=16.0, flow_shift_large=16.0),
        _family("wan2.1-vace-14b", "Wan 2.1 VACE 14B", ("vace",), flow_shift_small=16.0, flow_shift_large=16.0),
        _family(
            "wan2.2-t2v-a14b",
            "Wan 2.2 T2V A14B",
            ("t2v",),
            steps=40,
            guidance_scale=4.0,
            guidance_scale_2=3.0,
            flow_shift_small=12.0,
            flow_shift_large=12.0,
        ),
        _family(
            "wan2.2-i2v-a14b",
            "Wan 2.2 I2V A14B",
            ("i2v", "flf2v"),
            steps=40,
            guidance_scale=3.5,
            guidance_scale_2=3.5,
            flow_shift_small=5.0,
            flow_shift_large=5.0,
        ),
        _family(
            # Sampled as Wan 2.2 T2V A14B, which it was made from.
            "wan2.2-vace-fun-a14b",
            "Wan 2.2 VACE-Fun A14B",
            ("vace",),
            steps=40,
            guidance_scale=4.0,
            guidance_scale_2=3.0,
            flow_shift_small=12.0,
            flow_shift_large=12.0,
        ),
        _family(
            "wan2.2-ti2v-5b",
            "Wan 2.2 TI2V 5B",
            ("t2v", "i2v"),
            fps=24,
            native_frames=121,
            size_multiple=32,
            width=1280,
            height=704,
            flow_shift_small=5.0,
            flow_shift_large=5.0,
        ),
        _family(
            "wan-tiny",
            "Wan-Tiny",
            ("t2v", "i2v", "flf2v", "vace"),
            native_frames=33,
            width=64,
            height=64,
            steps=8,
            guidance_scale=1.5,
        ),
    )
}


@dataclass(frozen=True)
class ModelCard:
    """A model that is there: its family, what these weights can do, where they lie.

    modes: a subset of the family's (a folder may hold only one of its transformers).
    weights_bytes: size of all its weight files.  noise: the weights are random, its pictures are noise.
    files: component and path of each part of a model made of single files; empty for a folder of the diffusers layout.
    notes: what is to be said of them, such as which were chosen.
    """

    name: str
    family: Family
    modes: frozenset[Mode]
    path: str = ""
    weights_bytes: int = 0
    noise: bool = False
    files: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lineup:
    """The models of one film, by what they are used for. A mode that is missing cannot be rendered."""

    cards: dict[Mode, ModelCard] = field(default_factory=dict)

    def can(self, mode: Mode) -> bool:
        """Whether a model for this mode is there."""
        return mode in self.cards

    def card(self, mode: Mode) -> ModelCard:
        """The model that renders this mode. KeyError if there is none: ask `can` first."""
        return self.cards[mode]

    @property
    def families(self) -> tuple[Family, ...]:
        """The families in use, each once, in the order of MODES."""
        return tuple(dict.fromkeys(self.cards[mode].family for mode in MODES if mode in self.cards))

    def words(self) -> str:
        """What the line-up can do, for messages: `text-to-video and image-to-video`."""
        words = [MODE_WORDS[mode] for mode in MODES if mode in self.cards]
        return " and ".join(words) if words else "nothing"
