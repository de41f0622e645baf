"""Trains the small model from the command line: `python -m wan_engine.tiny.train OUT --vae 400 --t2v 300 --i2v 400`.

Each part begins with the weights in `--start`, a folder such as `weights`, where it has them; a part of 0 seconds stays
as it is. The folder OUT is a model like `weights`. At the end the table of README.md is written to the log and to OUT.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wan_engine.tiny.networks import (
    CONDITIONED_CHANNELS,
    LATENT_CHANNELS,
    make_text_encoder,
    make_transformer,
    make_vae,
    write_frame,
    write_part,
)
from wan_engine.tiny.pools import Studio
from wan_engine.tiny.quality import EXAMINED, Examiner
from wan_engine.tiny.quality_vace import filling
from wan_engine.tiny.train_vace import make_filler
from wan_engine.tiny.train_vae import Pace, train_vae
from wan_engine.tiny.train_video import Lesson, train_transformer, widened
from wan_engine.tiny.world import Canvas

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Course:
    """What is trained for how many seconds, from where to where.

    clips: in the pool of each transformer.  examined: clips of each kind for the table.  canvas: theirs.
    """

    out: Path
    start: Path | None
    vae: float
    t2v: float
    i2v: float
    vace: float
    device: str
    seed: int = 0
    clips: int = 30000
    examined: int = 200
    canvas: Canvas = EXAMINED

    def found(self, part: str) -> Path | None:
        """The folder of a part to start from, if it is there."""
        folder = self.start / part if self.start else None
        return folder if folder and (folder / "config.json").is_file() else None


_JOINT_SHARE = 0.35
_NEW_RATE, _OLD_RATE = 1e-3, 7e-4


def train(course: Course) -> list[str]:
    """Train what the course says, write the model and give the lines of the table."""
    import torch

    torch.manual_seed(course.seed)
    write_frame(course.out)
    vae = _vae(course)
    studio = Studio(vae, course.device, course.seed)
    texts, text_video = _text_video(course, studio)
    image_video = _image_video(course, studio, texts, text_video)
    filler = _filler(course, studio, texts, text_video)
    examiner = Examiner(studio, texts, course.device, course.canvas, course.examined)
    figures = [*examiner.vae(), *examiner.text(text_video), *examiner.image(image_video)]
    figures += examiner.between("first and last picture", image_video, studio.condition)
    figures += filling(examiner, filler)
    table = ["| what | reached | wanted |", "|---|---|---|", *(figure.line() for figure in figures)]
    (course.out / "figures.md").write_text("\n".join(table) + "\n", encoding="utf-8")
    return table


def _vae(course: Course) -> Any:
    import torch
    from diffusers import AutoencoderKLWan

    start = course.found("vae")
    vae = AutoencoderKLWan.from_pretrained(start, torch_dtype=torch.float32) if start else make_vae()
    vae = vae.to(course.device)
    if course.vae:
        # Single pictures first: a new one that begins with clips may stay grey in the first frame.
        train_vae(vae, course.device, course.vae, 0 if start else course.vae / 10)
    vae.eval().requires_grad_(False)
    write_part(course.out / "vae", vae)
    return vae


def _text_video(course: Course, studio: Studio) -> tuple[Any, Any]:
    """The text encoder and the text-to-video transformer."""
    import torch
    from transformers import UMT5EncoderModel

    start = course.found("text_encoder")
    texts = UMT5EncoderModel.from_pretrained(start, dtype=torch.float32) if start else make_text_encoder()
    texts = texts.to(course.device)
    transformer = _transformer(course, "t2v/transformer", LATENT_CHANNELS)
    if course.t2v:
        pools = studio.pools("t2v", course.clips)
        joint = 0.0 if start else _JOINT_SHARE * course.t2v
        if joint:
            train_transformer(transformer, Lesson(pools, texts, True, Pace(joint, _NEW_RATE)), course.device)
        texts.eval().requires_grad_(False)
        pace = Pace(course.t2v - joint, _OLD_RATE)
        train_transformer(transformer, Lesson(pools, texts, False, pace), course.device)
    texts.eval().requires_grad_(False)
    write_part(course.out / "text_encoder", texts)
    write_part(course.out / "t2v" / "transformer", transformer.eval())
    return texts, transformer


def _image_video(course: Course, studio: Studio, texts: Any, text_video: Any) -> Any:
    start = course.found("i2v/transformer")
    if start:
        transformer = _transformer(course, "i2v/transformer", CONDITIONED_CHANNELS)
    else:
        transformer = widened(text_video).to(course.device)
    if course.i2v:
        pools = studio.pools("i2v", course.clips)
        pace = Pace(course.i2v, _OLD_RATE if start else _NEW_RATE)
        train_transformer(transformer, Lesson(pools, texts, False, pace), course.device)
    write_part(course.out / "i2v" / "transformer", transformer.eval())
    return transformer


def _filler(course: Course, studio: Studio, texts: Any, text_video: Any) -> Any:
    start = course.found("vace/transformer")
    transformer = make_filler(start, text_video).to(course.device)
    if course.vace:
        pools = studio.pools("vace", course.clips)
        pace = Pace(course.vace, _OLD_RATE if start else _NEW_RATE)
        train_transformer(transformer, Lesson(pools, texts, False, pace), course.device)
    write_part(course.out / "vace" / "transformer", transformer.eval())
    return transformer


def _transformer(course: Course, part: str, in_channels: int) -> Any:
    import torch
    from diffusers import WanTransformer3DModel

    start = course.found(part)
    if start is None:
        return make_transformer(in_channels).to(course.device)
    return WanTransformer3DModel.from_pretrained(start, torch_dtype=torch.float32).to(course.device)


def main() -> None:
    """Read the command line and train."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("--start", type=Path, default=None)
    for part in ("vae", "t2v", "i2v", "vace"):
        parser.add_argument(f"--{part}", type=float, default=0.0, help="seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", type=int, default=30000)
    parser.add_argument("--examined", type=int, default=200)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # TF32: as exact as this needs, and twice as fast. The VAE fails in bfloat16.
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    for line in train(Course(**vars(parser.parse_args()))):
        log.info("%s", line)


if __name__ == "__main__":
    main()
