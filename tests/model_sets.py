"""Small Wan models made of single files, as people have them: a transformer, a text encoder, a VAE, a VACE module."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel, WanVACETransformer3DModel
from transformers import UMT5Config, UMT5EncoderModel

from checkpoints import State, official_transformer, official_vae21, umt5, write_safetensors
from wan_engine.families import FAMILIES, Mode, ModelCard

TEXT_DIM = 64
WORDS = ["<pad>", "</s>", "<unk>", "▁", "▁a", "▁red", "▁square", "▁moves", "▁circle", *"abcdefghijklmnopqrstuvwxyz"]
FIGURES: dict[str, Any] = {
    "num_attention_heads": 2, "attention_head_dim": 128, "num_layers": 2, "ffn_dim": 128, "text_dim": TEXT_DIM,
    "freq_dim": 256, "rope_max_seq_len": 1024,
}  # fmt: skip


def randomised(module: Any, seed: int) -> Any:
    """The network with random weights everywhere, also where a new one has ones and zeros."""
    generator = torch.Generator().manual_seed(seed)
    for tensor in module.parameters():
        tensor.data = torch.randn(tensor.shape, generator=generator) * 0.05
    return module.eval().requires_grad_(False)


@dataclass(frozen=True)
class Networks:
    """The networks of a small model, all with random weights."""

    transformer: Any
    second: Any
    vace: Any
    vae: Any
    text_encoder: Any


def make_networks() -> Networks:
    """The networks of a T2V model with two experts; `vace` is the first of them with two VACE blocks."""
    config = UMT5Config(
        vocab_size=len(WORDS), d_model=TEXT_DIM, d_kv=16, d_ff=64, num_layers=2, num_heads=4, dropout_rate=0.0
    )
    first = randomised(WanTransformer3DModel(**FIGURES), 1)
    vace = randomised(WanVACETransformer3DModel(**FIGURES, vace_layers=[0, 1], vace_in_channels=96), 5)
    vace.load_state_dict(first.state_dict(), strict=False)
    return Networks(
        transformer=first,
        second=randomised(WanTransformer3DModel(**FIGURES), 2),
        vace=vace,
        vae=randomised(AutoencoderKLWan(base_dim=8), 3),
        text_encoder=randomised(UMT5EncoderModel(config), 4),
    )


def write_files(folder: Path, networks: Networks) -> dict[str, Path]:
    """One file a component in `folder`: official names, and ComfyUI's text encoder that carries its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    vace = {name: tensor for name, tensor in official_transformer(networks.vace.state_dict()).items() if "vace" in name}
    states: dict[str, State] = {
        "transformer": official_transformer(networks.transformer.state_dict()),
        "transformer_2": official_transformer(networks.second.state_dict()),
        "vace": vace,
        "vae": official_vae21(networks.vae.state_dict()),
        "text_encoder": umt5(networks.text_encoder.state_dict(), "transformers")
        | {"spiece_model": torch.tensor(list(spiece(WORDS)), dtype=torch.uint8)},
    }
    paths = {name: write_safetensors(folder / f"{name}.safetensors", state) for name, state in states.items()}
    return {**paths, "tokenizer": paths["text_encoder"]}


def card_of(files: dict[str, Path], *names: str, mode: Mode = "t2v") -> ModelCard:
    """The card of a set of these files: transformer, text encoder, VAE and tokenizer, and the other `names`."""
    wanted = ("transformer", *names, "text_encoder", "vae", "tokenizer")
    pairs = tuple((name, str(files[name])) for name in wanted)
    size = sum(Path(path).stat().st_size for name, path in pairs if name != "tokenizer" and Path(path).is_file())
    return ModelCard("set", FAMILIES["wan-tiny"], frozenset({mode}), str(files["transformer"]), size, False, pairs)


def spiece(words: Sequence[str], charsmap: bytes = b"") -> bytes:
    """A SentencePiece model of these words; each one's score is minus a tenth of its place."""
    made = b""
    for place, word in enumerate(words):
        text = word.encode()
        piece = b"\x0a" + _length(text) + text + b"\x15" + struct.pack("<f", -place / 10) + b"\x18\x01"
        made += b"\x0a" + _length(piece) + piece
    normalizer = b"\x0a\x04nmt_" + b"\x12" + _length(charsmap) + charsmap
    return made + b"\x1a" + _length(normalizer) + normalizer


def _length(data: bytes) -> bytes:
    low, high = len(data) & 0x7F, len(data) >> 7
    return bytes([low]) if not high else bytes([low | 0x80]) + _length(bytes(high))
