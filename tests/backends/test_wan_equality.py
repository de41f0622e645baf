"""The loop gives the same bits as the pipelines of diffusers, called with the same seed, texts and pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanVACEPipeline,
)
from PIL import Image

from samples import make_clip
from wan_engine.backends import ClipRequest, ClipRun
from wan_engine.backends.control import FILL, KEEP, Control, ControlFrame
from wan_engine.backends.wan import Options, WanBackend
from wan_engine.families import Lineup, Mode
from wan_engine.plan.model import Clip

WIDTH, HEIGHT, FRAMES, STEPS, SHIFT, SEED = 64, 32, 9, 4, 5.0, 1234

CASES: list[tuple[str, Mode]] = [
    ("plain", "t2v"),
    ("plain", "i2v"),
    ("plain", "flf2v"),
    ("clip", "i2v"),
    ("first_last", "flf2v"),
    ("two_experts", "t2v"),
    ("two_experts", "i2v"),
    ("two_experts", "flf2v"),
    ("ti2v", "t2v"),
    ("ti2v", "i2v"),
    ("vace", "vace"),
]


def one_clip(mode: Mode, **changes: Any) -> Clip:
    last = FRAMES - 1
    values: dict[str, Any] = {
        "end": FRAMES,
        "frames": FRAMES,
        "intervals": last,
        "arrives": last,
        "seed": SEED,
        "steps": STEPS,
        "flow_shift": SHIFT,
    }
    prompt = "a red circle  moves right, «très vite» &amp; 速い"
    return make_clip(mode=mode, prompt=prompt, **{**values, **changes})


def pictures() -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(7)
    first, last = numbers.integers(0, 256, (2, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return first, last


def make_request(clip: Clip) -> ClipRequest:
    """Of a VACE clip, `start_image` and `end_image` say which of the pictures it has."""
    first, last = pictures()
    start = None if clip.mode == "t2v" or (clip.mode == "vace" and not clip.start_image) else first
    return ClipRequest(clip, WIDTH, HEIGHT, start, last if clip.mode == "flf2v" or clip.end_image else None)


@pytest.fixture(scope="session")
def pipelines(tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Pipelines loaded by diffusers itself, from folders in which the shared parts lie beside the others."""
    loaded: dict[tuple[str, Mode, str], Any] = {}

    def load(kind: str, mode: Mode, lineup: Lineup, dtype: str = "float32") -> Any:
        if (kind, mode, dtype) not in loaded:
            folder = tmp_path_factory.mktemp(f"{kind}-{mode}")
            own = Path(lineup.card(mode).path)
            for part in (*own.parent.iterdir(), *own.iterdir()):
                if part != own:
                    (folder / part.name).symlink_to(part)
            cls = {"t2v": WanPipeline, "vace": WanVACEPipeline}.get(mode, WanImageToVideoPipeline)
            pipeline = cls.from_pretrained(folder, local_files_only=True)
            if dtype != "float32":
                parts = {"torch_dtype": getattr(torch, dtype), "local_files_only": True}
                for name in ("transformer", "transformer_2"):
                    if getattr(pipeline, name) is not None:
                        own_class = type(getattr(pipeline, name))
                        setattr(pipeline, name, own_class.from_pretrained(folder / name, **parts))
            pipeline.set_progress_bar_config(disable=True)
            for module in pipeline.components.values():
                for tensor in module.parameters() if isinstance(module, torch.nn.Module) else ():
                    # They lie in the mapped file, not aligned as fresh memory is; there sums round another way.
                    tensor.data = tensor.data.clone()
            loaded[kind, mode, dtype] = pipeline
        return loaded[kind, mode, dtype]

    return load


def call_pipeline(pipeline: Any, clip: Clip, output_type: str, control: dict[str, Any] | None = None) -> Any:
    """The pipeline's own result with a scheduler as its documentation sets it up. control: its video and mask."""
    if clip.sampler == "unipc":
        pipeline.scheduler = UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=SHIFT
        )
    else:
        pipeline.scheduler = FlowMatchEulerDiscreteScheduler(shift=SHIFT)
    first, last = (Image.fromarray(picture) for picture in pictures())
    images: dict[str, Any] = {} if clip.mode in ("t2v", "vace") else {"image": first}
    if clip.mode == "flf2v":
        images["last_image"] = last
    if clip.mode == "vace":
        images = control or vace_images(clip)
    if pipeline.config.boundary_ratio is not None:
        images["guidance_scale_2"] = clip.guidance_scale_2
    return pipeline(
        prompt=clip.prompt,
        negative_prompt=clip.negative,
        height=HEIGHT,
        width=WIDTH,
        num_frames=clip.frames,
        num_inference_steps=clip.steps,
        guidance_scale=clip.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(clip.seed),
        output_type=output_type,
        **images,
    ).frames


def vace_images(clip: Clip) -> dict[str, Any]:
    """The request's pictures in a video of mid grey, and masks that are 1 for the frames to make."""
    request = make_request(clip)
    if not request.known:
        return {}  # the pipeline's own video and mask
    video = torch.full((1, clip.frames, 3, HEIGHT, WIDTH), 0.5)
    mask = torch.ones_like(video)
    given = dict(enumerate(request.known)) | ({} if request.end_image is None else {-1: request.end_image})
    for number, picture in given.items():
        video[0, number] = torch.from_numpy(picture).permute(2, 0, 1) / 255
        mask[0, number] = 0
    return {"video": video, "mask": mask}


def denoise(backend: WanBackend, clip: Clip) -> ClipRun:
    run = backend.start(make_request(clip))
    while run.steps_done < clip.steps:
        run.step()
    return run


def latents_of(run: ClipRun) -> np.ndarray:
    """The latents, as float32 or as the bits of bfloat16."""
    return run.state().arrays["latents"]


@pytest.mark.parametrize("guidance", [1.0, 4.0])
@pytest.mark.parametrize("sampler", ["unipc", "euler"])
@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_latents_are_those_of_the_pipeline(
    kind: str, mode: Mode, sampler: str, guidance: float, tiny_lineup: Any, pipelines: Any
) -> None:
    """Bit for bit. Where the model is given a latent frame of its own, that frame is not a result."""
    clip = one_clip(mode, sampler=sampler, guidance_scale=guidance)
    if kind == "two_experts" and guidance > 1:
        clip = replace(clip, guidance_scale_2=2.5)
    lineup = tiny_lineup(kind)
    latents = latents_of(denoise(WanBackend(lineup, Options(device="cpu")), clip))
    expected = call_pipeline(pipelines(kind, mode, lineup), clip, "latent").numpy()
    made = slice(1 if (kind, mode) == ("ti2v", "i2v") else 0, None)
    assert np.array_equal(latents[:, :, made], expected[:, :, made])


@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_pictures_are_those_of_the_pipeline(kind: str, mode: Mode, tiny_lineup: Any, pipelines: Any) -> None:
    clip = one_clip(mode)
    lineup = tiny_lineup(kind)
    frames = np.stack(list(denoise(WanBackend(lineup, Options(device="cpu")), clip).frames()))
    pipeline = pipelines(kind, mode, lineup)
    expected = np.stack([np.asarray(picture) for picture in call_pipeline(pipeline, clip, "pil")[0]])
    assert frames.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames, expected)
    exact = call_pipeline(pipeline, clip, "np")[0]
    assert np.abs(frames / 255 - exact).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("sampler", ["unipc", "euler"])
def test_bfloat16_is_equal_too(sampler: str, tiny_lineup: Any, pipelines: Any) -> None:
    clip = one_clip("i2v", sampler=sampler)
    lineup = tiny_lineup("plain")
    latents = latents_of(denoise(WanBackend(lineup, Options(device="cpu", dtype="bfloat16")), clip))
    expected = call_pipeline(pipelines("plain", "i2v", lineup, "bfloat16"), clip, "latent")
    if expected.dtype == torch.bfloat16:
        expected = expected.view(torch.int16)
    assert np.array_equal(latents, expected.numpy())


@pytest.mark.parametrize("given", [{"start_image": "x"}, {"start_image": "x", "end_image": "x"}])
@pytest.mark.parametrize("sampler", ["unipc", "euler"])
def test_vace_with_pictures_is_the_pipelines_own(
    given: dict[str, str], sampler: str, tiny_lineup: Any, pipelines: Any
) -> None:
    clip = one_clip("vace", sampler=sampler, **given)
    lineup = tiny_lineup("vace")
    latents = latents_of(denoise(WanBackend(lineup, Options(device="cpu")), clip))
    expected = call_pipeline(pipelines("vace", "vace", lineup), clip, "latent").numpy()
    assert np.array_equal(latents, expected)
    assert not np.array_equal(latents, latents_of(denoise(WanBackend(lineup, Options(device="cpu")), one_clip("vace"))))


@pytest.mark.parametrize("canvas", [False, True])
@pytest.mark.parametrize("sampler", ["unipc", "euler"])
def test_vace_with_a_control_is_the_pipelines_own(canvas: bool, sampler: str, tiny_lineup: Any, pipelines: Any) -> None:
    """Sides, a hole that moves, whole frames: any pixels of any frames, on mid grey or on what the pictures show."""
    clip = one_clip("vace", sampler=sampler)
    control = _control(canvas)
    lineup = tiny_lineup("vace")
    run = WanBackend(lineup, Options(device="cpu")).start(ClipRequest(clip, WIDTH, HEIGHT, control=control))
    while run.steps_done < clip.steps:
        run.step()
    video = torch.stack([torch.from_numpy(frame.picture).permute(2, 0, 1) / 255 for frame in control.read()])[None]
    mask = torch.stack([torch.from_numpy(frame.mask == FILL).expand(3, -1, -1) for frame in control.read()])[None]
    given = {"video": video if canvas else torch.where(mask, 0.5, video), "mask": mask.float()}
    expected = call_pipeline(pipelines("vace", "vace", lineup), clip, "latent", given).numpy()
    assert np.array_equal(latents_of(run), expected)


def _control(canvas: bool) -> Control:
    numbers = np.random.default_rng(11).integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    masks = np.zeros((FRAMES, HEIGHT, WIDTH), np.uint8)
    masks[:, :, 40:] = FILL
    for number in range(FRAMES):
        masks[number, 8:20, 2 * number : 2 * number + 10] = FILL
    masks[2], masks[6] = FILL, KEEP
    return Control.of([ControlFrame(*pair) for pair in zip(numbers, masks, strict=True)], canvas)


def test_texts_pictures_seed_and_guidance_matter(tiny_lineup: Any) -> None:
    """Otherwise the equalities above could hold for a loop that ignores them."""
    backend = WanBackend(tiny_lineup("plain"), Options(device="cpu"))
    clip = one_clip("i2v")
    reference = latents_of(denoise(backend, clip))
    for changes in (
        {"prompt": "another"},
        {"negative": "another"},
        {"seed": 1},
        {"guidance_scale": 6.0},
        {"flow_shift": 2.0},
        {"mode": "flf2v"},
        {"sampler": "euler"},
    ):
        other = latents_of(denoise(backend, replace(clip, **changes)))
        assert not np.array_equal(reference, other), changes
    run = backend.start(replace(make_request(clip), start_image=pictures()[1]))
    run.step()
    same = backend.start(make_request(clip))
    same.step()
    assert not np.array_equal(run.state().arrays["latents"], same.state().arrays["latents"])


def test_each_expert_has_its_own_guidance(tiny_lineup: Any) -> None:
    backend = WanBackend(tiny_lineup("two_experts"), Options(device="cpu"))
    clip = one_clip("t2v", guidance_scale_2=4.0)
    both = latents_of(denoise(backend, clip))
    inherited = latents_of(denoise(backend, replace(clip, guidance_scale_2=None)))
    second_off = latents_of(denoise(backend, replace(clip, guidance_scale_2=1.0)))
    first_off = latents_of(denoise(backend, replace(clip, guidance_scale=1.0)))
    assert np.array_equal(both, inherited)
    assert len({array.tobytes() for array in (both, second_off, first_off)}) == 3


def test_many_steps_with_a_high_shift_run_to_the_end(tiny_lineup: Any) -> None:
    """At shift 16 the first two of 120 timesteps are equal once rounded."""
    clip = one_clip("t2v", steps=120, flow_shift=16.0, frames=1, guidance_scale=1.0)
    run = denoise(WanBackend(tiny_lineup("plain"), Options(device="cpu")), clip)
    assert np.isfinite(latents_of(run)).all()
    assert len(list(run.frames())) == 1
