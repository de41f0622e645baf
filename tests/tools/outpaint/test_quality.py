"""How outpainting is judged, and what Wan-Tiny makes of clips that it never saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from wan_engine.backends import Backend
from wan_engine.backends.registry import make_backend
from wan_engine.errors import Cancelled
from wan_engine.families import Lineup
from wan_engine.media.encode import EncodeOptions, FilmEncoder
from wan_engine.media.probe import every_frame
from wan_engine.models.lineup import lineup
from wan_engine.outpaint import make_outpaint, resume_outpaint
from wan_engine.render.events import Event
from wan_engine.settings import Settings
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tiny import WEIGHTS
from wan_engine.tiny.world import CAPTIONS, held_out
from wan_engine.tools.outpaint.geometry import Box
from wan_engine.tools.outpaint.orders import OutpaintOrder
from wan_engine.tools.outpaint.quality import CutClip, border_gradient, held_out_clips, measure_outpaint


def test_clips_are_cut_through_their_shape() -> None:
    clips = list(held_out_clips(8))
    assert all(held_out(CAPTIONS.index(clip.caption)) for clip in clips)
    assert [clip.vertical for clip in clips] == [True, True, False, False] * 2
    for clip in clips:
        middle = clip.frames[16].astype(int)
        line = middle[:, clip.border] if clip.vertical else middle[clip.border]
        assert np.abs(line - middle[0, 0]).max() > 60  # the shape is on the border
        assert 0 < clip.border < 64


def test_the_gradient_of_a_step_at_the_border_is_found() -> None:
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, None, :, None] * 3, (5, 64, 64, 3)).copy()
    clip = CutClip(CAPTIONS[0], ramp, Box(0, 0, 40, 64))
    assert border_gradient(ramp, clip) == pytest.approx(1.0)
    ramp[:, :, 40:] += 6
    assert border_gradient(ramp, clip) == pytest.approx(3.0)
    flat = np.full((5, 64, 64, 3), 9, np.uint8)
    assert border_gradient(flat, clip) == 1.0
    flat[:, :, 40:] += 5
    assert border_gradient(flat, clip) == 5.0


@pytest.fixture(scope="module")
def models() -> Lineup:
    return lineup(Settings(), WEIGHTS)


@pytest.fixture
def backend(models: Lineup) -> Iterator[Backend]:
    made = make_backend(Settings(), models)
    yield made
    made.close()


@pytest.mark.slow
def test_the_small_model_outpaints_clips(backend: Backend, models: Lineup) -> None:
    """A few of each, with room for their spread; `wan-engine bench outpaint` measures many."""
    figures = {figure.what: figure.value for figure in measure_outpaint(backend, models, 4, 1)}
    assert figures["kept pixels identical behind the feather"] == 100
    assert figures["shape goes on across the border"] >= 60
    assert figures["gradient across the border, mean"] <= 1.5
    assert figures["step between chunks, difference, largest"] <= 1.3
    assert figures["step between chunks, warp, largest"] <= 1.3


@pytest.mark.slow
def test_a_stopped_outpaint_of_a_model_goes_on_to_the_same_pictures(tmp_path: Path) -> None:
    clip = next(held_out_clips(1, 45))
    box = clip.kept
    kept = np.ascontiguousarray(clip.frames[:, box.top : box.bottom, box.left - box.left % 2 : box.right])
    film = tmp_path / "film.mp4"
    options = EncodeOptions(film, kept.shape[2], kept.shape[1], Settings().film_fps, len(kept), encoder="software")
    with FilmEncoder(options) as encoder:
        for frame in kept:
            encoder.write(frame)
    settings = OutpaintSettings(
        prompt=clip.caption.text,
        target_width=64,
        target_height=64,
        position="right",
        gradient_width=4,
        split_scenes=False,
        encoder="software",
        seed=3,
        output_dir=str(tmp_path / "outputs"),
    )
    order = OutpaintOrder(film, settings)
    whole = make_outpaint(order, lambda event: None, lambda: False)
    steps: list[Event] = []
    folder = Path()

    def report(event: Event) -> None:
        nonlocal folder
        folder = Path(event.message) if event.kind == "started" else folder
        if event.kind == "step":
            steps.append(event)

    with pytest.raises(Cancelled):
        make_outpaint(order, report, lambda: len(steps) >= 11)
    assert (folder / "clips" / "clip_0001.state.safetensors").is_file()
    made = resume_outpaint(folder, report, lambda: False)
    assert len(steps) == 16
    assert all(np.array_equal(*pair) for pair in zip(every_frame(made.film), every_frame(whole.film), strict=True))
