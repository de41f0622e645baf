"""What a model and a clip take of the device and of main memory under a profile, estimated before anything is loaded.

Weights are counted from the headers of the files, as the loader will hold them. What a network computes in between is
estimated by formulas whose factors were measured (docs/memory.md); `choose` leaves a margin for what they miss.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from wan_engine.families import Mode
from wan_engine.models.headers.header import BITS
from wan_engine.models.headers.read import read_header
from wan_engine.models.memory.profiles import Profile
from wan_engine.models.precision import is_beside
from wan_engine.models.source import WITH_WEIGHTS, ModelSource

Table = Mapping[str, int]
"""Bytes of each weight of a component once it is loaded, by the weight's name."""

_BLOCK = re.compile(r"(?:^|\.)((?:vace_)?blocks\.\d+)\.")
_PATCH = 2
"""Latents a token of the transformer is wide and high."""

_BYTES_PER_DIM, _BYTES_PER_FFN = 13.5, 3.4
"""Bytes a token takes while the transformer computes in 16 bits, for each unit of its width and of its wider middle.
Fitted to the 1.3B and the 14B transformer at 832x480 and 1280x720, 81 frames: within 5 % of the four peaks measured."""
_BLOCKS_AT_ONCE = 3
"""Blocks on the device under `blocks`: the one that computes, the next on its way, the last not yet given up."""
_DECODE_BYTES, _ENCODE_BYTES = 22_600, 17_300
"""Bytes a pixel of the picture takes while the VAE of Wan 2.1 decodes, or encodes, four frames in 32 bits; measured at
832x480. With plenty of memory free it may take a quarter more, with less free it does with less."""
_PATCHED = 1.51
"""What a VAE that works on patches, as Wan 2.2's, takes against the proportion of its channels: 20.5 GB at 1280x704."""
_DECODER_CHANNELS = 96
"""Channels of that VAE where it works on whole pixels."""
_TILE_AREA = 256 * 256
_PIXEL_BYTES = 3 * 4
_TILED_VIDEOS, _TILED_PATCHED_VIDEOS = 2, 4
"""Clips of that many pixels on the device while tiles are put together, and while patches become pixels after that."""
_MODULATION_BYTES = 36
"""Bytes a token takes for each unit of the width where each token has a timestep of its own, as in TI2V 5B: six
modulations in 16 bits, and again in 32."""
_VIDEOS, _VACE_VIDEOS = 2, 11 / 3
"""Clips of that many pixels on the device while pictures are encoded. VACE's: all pixels, those known, those to make,
each in three channels, and the mask twice, in one."""
_KEPT_BYTES = 2
"""Bytes of a number that VACE's blocks keep, in 16 bits."""
_PROCESS_BYTES = 2 * 10**9
"""Main memory of the process itself: torch, its libraries and the CUDA context took 1.5 to 2 GB."""
TEXT_BYTES = 400 * 2**20
"""What the text encoder computes in between, for 512 tokens."""


@dataclass(frozen=True)
class Needs:
    """What a film needs at its worst moment, in bytes. device: of the device's memory.  ram: of main memory."""

    device: int
    ram: int


@dataclass(frozen=True)
class Clip:
    """What is asked of the model: width and height in pixels, frames, and how the clip is made."""

    width: int
    height: int
    frames: int
    mode: Mode = "t2v"


@dataclass(frozen=True)
class Weights:
    """The sizes of a model's components once they are loaded, in bytes, and the figures the estimates take.

    transformers: of one, or of both experts.  block: the largest block of a transformer.  rest: a transformer without
    its blocks.  word_table: the largest weight of the text encoder.  dim, ffn_dim, layers: of the transformer.
    stride: pixels a latent is wide.  vae_load: what a pixel costs the VAE, against Wan 2.1's.
    staged: a transformer as it is read into main memory to be made smaller there; 0 where it is not.
    controls: VACE blocks, whose outputs wait for the main blocks.  patched: the VAE works on patches of pixels, as that
    of TI2V 5B, the one model that gives each token a timestep of its own.
    """

    transformers: tuple[int, ...]
    block: int
    rest: int
    text_encoder: int
    word_table: int
    vae: int
    image_encoder: int
    dim: int
    ffn_dim: int
    layers: int
    stride: int
    vae_load: float
    staged: int = 0
    controls: int = 0
    patched: bool = False

    def tokens(self, clip: Clip) -> int:
        """The length of the transformer's sequence for a clip."""
        side = self.stride * _PATCH
        return ((clip.frames - 1) // 4 + 1) * (clip.height // side) * (clip.width // side)


def weights_of(sources: Sequence[ModelSource], dtype: str, on_cpu: bool, fp8: bool = False) -> Weights:
    """The sizes of a film's models on disk; what several of them share is counted once. Raises ModelError.

    dtype: of the transformers (float32, bfloat16, float16).  on_cpu: they run on the CPU, where the text encoder is
    float32.  fp8: the transformers' weights are kept in 8 bits.
    """
    wide = 4 if dtype == "float32" else 2
    sizes = {"text_encoder": 4 if on_cpu else 2, "vae": 4, "image_encoder": 4}
    tables: dict[str, dict[Path, Table]] = {}
    staged = 0
    for source in sources:
        for name in (name for name in WITH_WEIGHTS if name in source.components):
            kind, place = name.removesuffix("_2"), source.components[name].resolve()
            table = _table(source, name, sizes.get(name, wide))
            staged = max(staged, _size(table)) if fp8 and name not in sizes else staged
            tables.setdefault(kind, {})[place] = in_fp8(table, wide) if fp8 and name not in sizes else table
    configs = {name: [source.config(name) for source in sources] for name in ("transformer", "vae")}
    found_tables = {name: list(found.values()) for name, found in tables.items()}
    return replace(weights_in(found_tables, configs), staged=staged)


def weights_in(tables: Mapping[str, Sequence[Table]], configs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Weights:
    """The same from the weights of every component of a kind, and the configs of transformers and VAEs.

    The configs are in diffusers' words; where they differ, the larger figures count.
    """
    networks = tables["transformer"]
    vace = tables.get("vace", ())
    every = [*networks, *vace]
    blocks = [block for table in every for block in _blocks(table).values()]
    extra = sum(_size(table) for table in vace)
    words = tables.get("text_encoder", ())
    shapes = configs["transformer"]
    return Weights(
        transformers=tuple(_size(table) + extra for table in networks),
        block=max(blocks, default=0),
        rest=max(_size(table) - sum(_blocks(table).values()) for table in every),
        text_encoder=sum(_size(table) for table in words),
        word_table=max((size for table in words for size in table.values()), default=0),
        vae=sum(_size(table) for table in tables["vae"]),
        image_encoder=sum(_size(table) for table in tables.get("image_encoder", ())),
        dim=max(int(each["num_attention_heads"]) * int(each["attention_head_dim"]) for each in shapes),
        ffn_dim=max(int(each["ffn_dim"]) for each in shapes),
        layers=max(int(each["num_layers"]) + len(each.get("vace_layers") or ()) for each in shapes),
        stride=min(int(each.get("scale_factor_spatial", 8)) for each in configs["vae"]),
        vae_load=max(_vae_load(each) for each in configs["vae"]),
        controls=max(sum(name.startswith("vace_") for name in _blocks(table)) for table in every),
        patched=any(each.get("patch_size") for each in configs["vae"]),
    )


def _vae_load(config: Mapping[str, Any]) -> float:
    channels = config.get("decoder_base_dim") or config.get("base_dim", _DECODER_CHANNELS)
    patch = config.get("patch_size")
    return float(channels) / _DECODER_CHANNELS * (_PATCHED / patch**2 if patch else 1.0)


def _size(table: Table) -> int:
    return sum(table.values())


def _blocks(table: Table) -> dict[str, int]:
    """Bytes of each block of a transformer, by its name."""
    blocks: dict[str, int] = {}
    for name, size in table.items():
        found = _BLOCK.search(name)
        if found:
            blocks[found[1]] = blocks.get(found[1], 0) + size
    return blocks


def _table(source: ModelSource, name: str, wide: int) -> Table:
    """Plain and 8-bit numbers become the loader's format; packed ones of GGUF stay as they are."""
    table: dict[str, int] = {}
    for file in source.weight_files(name):
        for tensor, info in read_header(file).tensors.items():
            if not is_beside(tensor):
                table[tensor] = prod(info.shape) * wide if info.dtype in BITS else info.size
    return table


def in_fp8(table: Table, wide: int) -> Table:
    """Weights inside the blocks in 8 bits: diffusers leaves the layers around them, and the norms, as they are."""
    return {name: size // wide if _BLOCK.search(name) and "norm" not in name else size for name, size in table.items()}


def denoising_bytes(weights: Weights, clip: Clip) -> int:
    """What one step of the transformer computes in between: in proportion to tokens, its width and its wider middle.

    VACE's blocks run first; the output of each is kept until its main block has run, and their state besides.
    """
    kept = _KEPT_BYTES * (weights.controls + 1) * weights.dim if clip.mode == "vace" else 0
    kept += _MODULATION_BYTES * weights.dim if weights.patched else 0
    return int(weights.tokens(clip) * (_BYTES_PER_DIM * weights.dim + _BYTES_PER_FFN * weights.ffn_dim + kept))


def decoding_bytes(weights: Weights, clip: Clip, tiled: bool) -> int:
    """What the VAE computes and remembers while it decodes, four frames at a time; of tiles all pictures are kept."""
    area = _TILE_AREA if tiled else clip.width * clip.height
    videos = _TILED_PATCHED_VIDEOS if weights.patched else _TILED_VIDEOS
    kept = videos * clip.width * clip.height * clip.frames * _PIXEL_BYTES if tiled else 0
    return int(area * _DECODE_BYTES * weights.vae_load) + kept


def encoding_bytes(weights: Weights, clip: Clip, tiled: bool) -> int:
    """What the VAE computes while it encodes the pictures a clip starts from, and the clip they are put into."""
    if clip.mode == "t2v":
        return 0
    area = _TILE_AREA if tiled else clip.width * clip.height
    videos = _VACE_VIDEOS if clip.mode == "vace" else _VIDEOS
    return int(area * _ENCODE_BYTES * weights.vae_load + videos * clip.width * clip.height * clip.frames * _PIXEL_BYTES)


def needs(profile: Profile, weights: Weights, clip: Clip) -> Needs:
    """What a clip of this model takes under a profile at its worst moment."""
    small = weights.vae + weights.image_encoder
    always = sum(weights.transformers) if profile.transformer == "device" else 0
    always += small if profile.small == "device" else 0
    always += weights.text_encoder if profile.text_encoder == "device" else 0
    texts = {"turn": weights.text_encoder, "leaves": weights.word_table, "cpu": 0}.get(profile.text_encoder, 0)
    network = {
        "turn": max(weights.transformers),
        "blocks": _BLOCKS_AT_ONCE * weights.block + weights.rest,
    }.get(profile.transformer, 0)
    around = small if profile.small == "turn" else 0
    phases = (
        texts + (TEXT_BYTES if profile.text_encoder != "cpu" else 0),
        network + denoising_bytes(weights, clip),
        around + decoding_bytes(weights, clip, profile.tiled),
        around + encoding_bytes(weights, clip, profile.tiled),
    )
    return Needs(always + max(phases), _main_memory(profile, weights))


def _main_memory(profile: Profile, weights: Weights) -> int:
    """Main memory: what waits there. What goes straight to the device passes through it tensor by tensor."""
    waiting = 0 if profile.transformer == "device" else sum(weights.transformers)
    waiting += 0 if profile.small == "device" else weights.vae + weights.image_encoder
    texts = weights.word_table if profile.text_encoder == "device" else weights.text_encoder
    return _PROCESS_BYTES + max(waiting, weights.staged, texts, weights.block)
