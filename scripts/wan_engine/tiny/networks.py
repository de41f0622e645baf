"""Owns how the small model is built: the real classes at small size, its words, and its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.tiny.world import BACKGROUNDS, COLOURS, MOTIONS, SHAPES

if TYPE_CHECKING:
    import torch

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
WORDS = (PAD, END, UNKNOWN, "a", "on", "background", "moves", "stays", "then")
"""Words beside the names of the world. Every other word is unknown to the model."""
SPELLINGS = {"gray": "grey"}

TEXT_DIM = 128
LATENT_CHANNELS = 16
CONDITIONED_CHANNELS = 36
"""Latents, the 4 channels of their mask (one for each frame in a latent frame), and the condition's latents."""
CONTROL_CHANNELS = 96
"""VACE's: latents of what is given, latents of what is to change, and the 64 pixels of the mask in a latent."""


def make_vae() -> Any:
    """A VAE of Wan 2.1's kind: 16 channels, a latent for 8x8 pixels of 4 frames."""
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=16,
        z_dim=LATENT_CHANNELS,
        dim_mult=[1, 2, 4, 4],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )


_TRANSFORMER = {
    "num_attention_heads": 4,
    "attention_head_dim": 64,
    "out_channels": LATENT_CHANNELS,
    "text_dim": TEXT_DIM,
    "freq_dim": 128,
    "ffn_dim": 512,
    "rope_max_seq_len": 128,
}


def make_transformer(in_channels: int) -> Any:
    """A transformer of 5.3 million parameters for 16 (T2V) or 36 input channels (I2V, first and last frame)."""
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(in_channels=in_channels, num_layers=6, **_TRANSFORMER)


def make_vace_transformer() -> Any:
    """A VACE transformer of 5.6 million parameters: a layer less than the others, and one that reads the control."""
    from diffusers import WanVACETransformer3DModel

    return WanVACETransformer3DModel(
        in_channels=LATENT_CHANNELS, num_layers=5, vace_layers=[0], vace_in_channels=CONTROL_CHANNELS, **_TRANSFORMER
    )


def make_tokenizer() -> Any:
    """A tokenizer of whole words in lower case; signs between them count as spaces."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    names = dict.fromkeys((*WORDS, *COLOURS, *SHAPES, *MOTIONS, *BACKGROUNDS))
    vocabulary = {name: number for number, name in enumerate(names)}
    vocabulary |= {spelling: len(vocabulary) + number for number, spelling in enumerate(SPELLINGS)}
    tokenizer = Tokenizer(models.WordLevel(vocab=vocabulary, unk_token=UNKNOWN))
    signs = normalizers.Replace(Regex(r"[^\w\s]+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), signs])
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, vocabulary[END])]
    )
    return wrapped(tokenizer)


def wrapped(tokenizer: Any) -> Any:
    """A tokenizer with these special tokens as the pipelines call it: padded on the right, 512 tokens at most."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        model_max_length=512,
        padding_side="right",
    )


def make_text_encoder() -> Any:
    """A UMT5 encoder for these words."""
    from transformers import UMT5Config, UMT5EncoderModel

    config = UMT5Config(
        vocab_size=len(make_tokenizer()),
        d_model=TEXT_DIM,
        d_kv=32,
        d_ff=256,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
    )
    return UMT5EncoderModel(config)


def make_scheduler() -> Any:
    """The scheduler as the published Wan models configure it."""
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


@contextmanager
def whole_clips() -> Iterator[None]:
    """Inside, a VAE's encoder and decoder take whole clips at once, with the result of diffusers' frame by frame.

    Without their cache, diffusers' layers that resample in time leave that out; here they do it. Ten times fewer and
    larger operations, which a GPU needs to be busy.
    """
    from diffusers.models.autoencoders import autoencoder_kl_wan as module

    original = module.WanResample.forward
    module.WanResample.forward = _resample
    try:
        yield
    finally:
        module.WanResample.forward = original


def _resample(layer: Any, clip: torch.Tensor, feat_cache: Any = None, feat_idx: Any = None) -> torch.Tensor:
    """WanResample for a whole clip: the first frame alone stands for itself, the others come and go in pairs."""
    import torch

    first, rest = clip[:, :, :1], clip[:, :, 1:]
    if layer.mode == "upsample3d" and rest.shape[2]:
        batch, channels, frames, height, width = rest.shape
        pairs = layer.time_conv(rest).reshape(batch, 2, channels, frames, height, width)
        rest = torch.stack((pairs[:, 0], pairs[:, 1]), 3).reshape(batch, channels, 2 * frames, height, width)
        clip = torch.cat([first, rest], 2)
    batch, _, frames = clip.shape[:3]
    flat = layer.resample(clip.transpose(1, 2).flatten(0, 1))
    clip = flat.unflatten(0, (batch, frames)).transpose(1, 2)
    if layer.mode == "downsample3d" and frames > 1:
        clip = torch.cat([clip[:, :, :1], layer.time_conv(clip)], 2)
    return clip


def encode(vae: Any, clips: torch.Tensor) -> torch.Tensor:
    """The means of the latents of whole clips, not normalised. Call within `whole_clips`."""
    return vae.quant_conv(vae.encoder(clips))[:, :LATENT_CHANNELS]  # type: ignore[no-any-return]


def decode(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """The clips of whole latents, not normalised. Call within `whole_clips`."""
    return vae.decoder(vae.post_quant_conv(latents))  # type: ignore[no-any-return]


def write_part(folder: Path, model: Any) -> None:
    """Write a network with its weights rounded to bfloat16; the one in memory keeps its own."""
    import copy

    import torch

    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    # Where it was read from is of no use elsewhere.
    config.pop("_name_or_path", None)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


_PIPELINES = {"t2v": "WanPipeline", "i2v": "WanImageToVideoPipeline", "vace": "WanVACEPipeline"}


def write_frame(folder: Path) -> None:
    """Write what needs no training: tokenizer, scheduler and the indices of the models."""
    make_tokenizer().save_pretrained(folder / "tokenizer")
    make_scheduler().save_pretrained(folder / "scheduler")
    for name, pipeline in _PIPELINES.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        text = json.dumps(_index(pipeline), indent=2) + "\n"
        (folder / name / "model_index.json").write_text(text, encoding="utf-8")


def _index(pipeline: str) -> dict[str, Any]:
    import diffusers

    index: dict[str, Any] = {
        "_class_name": pipeline,
        "_diffusers_version": diffusers.__version__,
        "boundary_ratio": None,
        "expand_timesteps": False,
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": [None, None],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    if pipeline == "WanVACEPipeline":
        del index["expand_timesteps"]
        index["transformer"] = ["diffusers", "WanVACETransformer3DModel"]
    if pipeline == "WanImageToVideoPipeline":
        index |= {"image_encoder": [None, None], "image_processor": [None, None]}
    return index
