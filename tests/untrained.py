"""Writes a tiny Wan model with random weights: the real classes in the real folder layout, whose pictures are noise.

It lets every path of the engine run within seconds on a CPU, without a download. Its model_index.json says that the
weights are random, so that nobody takes its pictures for a model's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wan_engine.models.folder import INDEX, NOISE_KEY
from wan_engine.models.quiet import quiet_libraries
from wan_engine.tiny.networks import CONDITIONED_CHANNELS, END, PAD, UNKNOWN, make_scheduler, wrapped

_TEXT_DIM = 32
_VOCABULARY = 259
"""256 byte values, padding, end of text and one unknown."""
_IMAGE_DIM = 24


@dataclass(frozen=True)
class Untrained:
    """Which tiny models are written.

    seed: of the random weights.  image_encoder: the I2V model is like Wan 2.1's, with CLIP.  first_last: with CLIP for
    two images, like Wan 2.1 FLF2V.  two_experts: two transformers each, like Wan 2.2 A14B.  ti2v: one model for both
    modes with 48 latent channels and a timestep for each frame, like Wan 2.2 TI2V.  vace: a VACE model too.
    """

    seed: int = 0
    image_encoder: bool = False
    first_last: bool = False
    two_experts: bool = False
    ti2v: bool = False
    vace: bool = False


def write_untrained(folder: Path, what: Untrained | None = None) -> None:
    """Write a bundle with shared vae, text_encoder, tokenizer and scheduler, and `t2v` and `i2v` (or `ti2v`) in it."""
    with _random_numbers((what or Untrained()).seed):
        _write(folder, what or Untrained())


@contextmanager
def _random_numbers(seed: int) -> Iterator[None]:
    """Random weights that depend on the seed alone; the program's own random numbers go on undisturbed."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _write(folder: Path, what: Untrained) -> None:
    quiet_libraries()
    _vae(what.ti2v).save_pretrained(folder / "vae")
    _text_encoder().save_pretrained(folder / "text_encoder")
    _tokenizer().save_pretrained(folder / "tokenizer")
    make_scheduler().save_pretrained(folder / "scheduler")
    if what.ti2v:
        _write_model(folder / "ti2v", what, in_channels=48)
        return
    _write_model(folder / "t2v", what, in_channels=16)
    _write_model(folder / "i2v", what, in_channels=CONDITIONED_CHANNELS)
    if what.vace:
        _transformer(16, image=False, first_last=False, vace=True).save_pretrained(folder / "vace" / "transformer")
        _write_index(folder / "vace", what, image=False, in_channels=16, kind="VACE")


def _write_model(folder: Path, what: Untrained, in_channels: int) -> None:
    image = in_channels == 36 and (what.image_encoder or what.first_last)
    _transformer(in_channels, image, what.first_last).save_pretrained(folder / "transformer")
    if what.two_experts:
        _transformer(in_channels, image, what.first_last).save_pretrained(folder / "transformer_2")
    if image:
        _write_image_encoder(folder)
    _write_index(folder, what, image, in_channels)


def _write_index(folder: Path, what: Untrained, image: bool, in_channels: int, kind: str = "") -> None:
    import diffusers

    index: dict[str, Any] = {
        "_class_name": "WanImageToVideoPipeline" if in_channels == 36 else f"Wan{kind}Pipeline",
        "_diffusers_version": diffusers.__version__,
        NOISE_KEY: True,
        # The published ratio of Wan 2.2 T2V A14B.
        "boundary_ratio": 0.875 if what.two_experts else None,
        "expand_timesteps": what.ti2v,
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "transformer": ["diffusers", f"Wan{kind}Transformer3DModel"],
        "transformer_2": ["diffusers", "WanTransformer3DModel"] if what.two_experts else [None, None],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    if in_channels == 36:
        index["image_encoder"] = ["transformers", "CLIPVisionModel"] if image else [None, None]
        index["image_processor"] = ["transformers", "CLIPImageProcessor"] if image else [None, None]
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _transformer(in_channels: int, image: bool, first_last: bool, vace: bool = False) -> Any:
    from diffusers import WanTransformer3DModel, WanVACETransformer3DModel

    # Latents of what is given and of what is to change, and the mask's 8x8 pixels.
    control: dict[str, Any] = {"vace_layers": [0, 1], "vace_in_channels": 2 * in_channels + 64} if vace else {}
    kind = WanVACETransformer3DModel if vace else WanTransformer3DModel
    return kind(
        **control,
        num_attention_heads=2,
        attention_head_dim=24,
        in_channels=in_channels,
        out_channels=48 if in_channels == 48 else 16,
        text_dim=_TEXT_DIM,
        freq_dim=32,
        ffn_dim=96,
        num_layers=2,
        rope_max_seq_len=64,
        image_dim=_IMAGE_DIM if image else None,
        added_kv_proj_dim=48 if image else None,
        pos_embed_seq_len=2 * _image_tokens() if first_last and image else None,
    )


def _vae(ti2v: bool) -> Any:
    """A VAE of Wan 2.1's kind (16 channels, stride 4x8x8) or of Wan 2.2's (48 channels, patches, stride 4x16x16)."""
    from diffusers import AutoencoderKLWan

    sizes: dict[str, Any] = {"base_dim": 4, "z_dim": 16, "num_res_blocks": 1}
    if ti2v:
        sizes |= {"decoder_base_dim": 4, "z_dim": 48, "is_residual": True, "in_channels": 12, "out_channels": 12}
        sizes |= {"patch_size": 2, "scale_factor_spatial": 16, "latents_mean": [0.0] * 48, "latents_std": [1.0] * 48}
    return AutoencoderKLWan(**sizes)


def _text_encoder() -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    config = UMT5Config(
        vocab_size=_VOCABULARY, d_model=_TEXT_DIM, d_kv=16, d_ff=64, num_layers=2, num_heads=2, dropout_rate=0.0
    )
    return UMT5EncoderModel(config)


def _tokenizer() -> Any:
    """A tokenizer of single bytes, so that any text in any language has tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    names = [PAD, END, UNKNOWN, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, vocabulary[END])]
    )
    return wrapped(tokenizer)


_IMAGE_SIZE, _IMAGE_PATCH = 28, 14


def _image_tokens() -> int:
    """Tokens of one image: its patches and one for the whole."""
    return (_IMAGE_SIZE // _IMAGE_PATCH) ** 2 + 1


def _write_image_encoder(folder: Path) -> None:
    from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

    config = CLIPVisionConfig(
        hidden_size=_IMAGE_DIM,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=_IMAGE_SIZE,
        patch_size=_IMAGE_PATCH,
    )
    CLIPVisionModel(config).save_pretrained(folder / "image_encoder")
    processor = CLIPImageProcessorPil(size={"shortest_edge": _IMAGE_SIZE}, crop_size=_IMAGE_SIZE)
    processor.save_pretrained(folder / "image_processor")
