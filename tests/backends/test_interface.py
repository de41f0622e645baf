"""What every backend promises, run over all of them: steps, frames, states, previews, closing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from untrained import Untrained, write_untrained
from wan_engine.backends import Backend, ClipRequest, ClipRun
from wan_engine.backends.control import FILL, KEEP, Control, ControlFrame
from wan_engine.backends.registry import BACKENDS, make_backend
from wan_engine.errors import RenderError
from wan_engine.families import Lineup
from wan_engine.models.lineup import lineup
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Clip, Plan
from wan_engine.settings import SETTINGS, Settings

WIDTH, HEIGHT = 64, 48
CONTROLLED = 4
"""The clip that has a control."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Lineup:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_untrained(folder, Untrained(vace=True))
    return lineup(Settings(), folder)


@pytest.fixture(scope="module")
def plan(models: Lineup) -> Plan:
    """Clips of each kind: from text, a picture, several frames (by VACE and by image-to-video), a control."""
    prompts = {"0": "a red circle --neg blur", "8": "a blue square"}
    settings = Settings(prompts=prompts, max_frames=16, width=WIDTH, height=HEIGHT, steps="3", seed=11)
    made = build_plan(settings, models)
    overlapping = build_plan(replace(settings, continuity="overlap", overlap_frames=5), models).clips[1]
    assert (overlapping.mode, overlapping.frames) == ("vace", 13)
    controlled = replace(overlapping, continuity="cut", overlap=0)
    return replace(made, clips=(*made.clips, overlapping, replace(overlapping, mode="i2v"), controlled))


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, models: Lineup) -> Iterator[Backend]:
    made = make_backend(Settings(backend=request.param), models)
    yield made
    made.close()


def control_of(clip: Clip, shade: int = 90) -> Control:
    """The left half known in all frames but one, which is wholly known, and one that is not known at all."""
    masks = np.zeros((clip.frames, HEIGHT, WIDTH), np.uint8)
    masks[:, :, WIDTH // 2 :] = FILL
    masks[4], masks[8] = KEEP, FILL
    picture = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
    return Control.of([ControlFrame(picture, mask) for mask in masks])


def request_for(plan: Plan, number: int) -> ClipRequest:
    clip = plan.clips[number]
    if number == CONTROLLED:
        return ClipRequest(clip, WIDTH, HEIGHT, control=control_of(clip))
    pictures = tuple(np.full((HEIGHT, WIDTH, 3), 90 + shade, np.uint8) for shade in range(clip.overlap or 1))
    start = pictures[0] if clip.continuity == "last_frame" else None
    return ClipRequest(clip, WIDTH, HEIGHT, start_image=start, beginning=pictures if clip.overlap else ())


def finish(run: ClipRun, steps: int) -> list[np.ndarray]:
    while run.steps_done < steps:
        run.step()
    return list(run.frames())


@pytest.mark.parametrize("number", [0, 1, 2, 3, CONTROLLED])
def test_a_clip_has_the_frames_the_plan_asks_for(backend: Backend, plan: Plan, number: int) -> None:
    clip = plan.clips[number]
    run = backend.start(request_for(plan, number))
    assert run.steps_done == 0
    frames = finish(run, clip.steps)
    assert len(frames) == clip.frames
    assert {(frame.shape, frame.dtype) for frame in frames} == {((HEIGHT, WIDTH, 3), np.dtype(np.uint8))}


def test_the_same_clip_gives_the_same_frames(backend: Backend, plan: Plan) -> None:
    first = finish(backend.start(request_for(plan, 0)), 3)
    second = finish(backend.start(request_for(plan, 0)), 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("number", [0, 1, 2, 3, CONTROLLED])
def test_a_run_goes_on_from_any_state_to_the_same_frames(backend: Backend, plan: Plan, number: int) -> None:
    run = backend.start(request_for(plan, number))
    states = [run.state()]
    for _ in range(3):
        run.step()
        states.append(run.state())
    whole = list(run.frames())
    for step, state in enumerate(states):
        assert state.step == step
        again = backend.start(request_for(plan, number), state)
        assert again.steps_done == step
        assert all(np.array_equal(a, b) for a, b in zip(whole, finish(again, 3), strict=True))


def test_known_pixels_decide_what_is_made(backend: Backend, plan: Plan) -> None:
    clip = plan.clips[CONTROLLED]
    made = [
        np.stack(finish(backend.start(ClipRequest(clip, WIDTH, HEIGHT, control=control_of(clip, shade))), clip.steps))
        for shade in (90, 200)
    ]
    assert not np.array_equal(made[0][4], made[1][4])


def test_a_control_that_does_not_fit_is_refused(backend: Backend, plan: Plan) -> None:
    clip = plan.clips[CONTROLLED]
    frames = list(control_of(clip).read())
    half = ControlFrame(frames[0].picture, np.full_like(frames[0].mask, 128))
    small = ControlFrame(frames[0].picture[:16], frames[0].mask)
    for wrong, words in (
        (frames[:-1], "a control of 12 frames, not 13"),
        ([*frames, frames[0]], "more than its 13 frames"),
        ([half, *frames[1:]], "other values than 0 and 255"),
        ([small, *frames[1:]], "frame 0 of the control"),
    ):
        with pytest.raises(RenderError, match=words):
            finish(backend.start(ClipRequest(clip, WIDTH, HEIGHT, control=Control.of(wrong))), clip.steps)


def test_every_step_has_a_preview(backend: Backend, plan: Plan) -> None:
    run = backend.start(request_for(plan, 0))
    for _ in range(3):
        run.step()
        preview = run.preview()
        assert preview.ndim == 3
        assert preview.shape[2] == 3
        assert preview.dtype == np.uint8


def test_what_was_resolved_is_plain_and_stays(backend: Backend, plan: Plan) -> None:
    resolved = backend.resolve(plan)
    assert backend.resolve(replace(plan, resolved=resolved)) == resolved


def test_a_closed_backend_can_be_closed_again(backend: Backend) -> None:
    backend.close()
    backend.close()


def test_every_backend_is_a_choice_of_the_settings() -> None:
    assert set(SETTINGS["backend"].choices) == set(BACKENDS)
