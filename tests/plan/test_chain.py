"""How clips join: modes, chains, pictures, and what is refused, over line-ups and continuities."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from wan_engine.errors import CapabilityError, InputError, WanError
from wan_engine.plan.model import Clip, Plan

THREE = {"0": "a", "40": "b", "80": "c"}


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, str]:
    """Files where pictures should be, by a letter."""
    paths = {name: tmp_path / f"{name}.png" for name in "abc"}
    for path in paths.values():
        path.write_bytes(b"")
    return {name: str(path) for name, path in paths.items()}


def _table(plan: Plan) -> list[tuple[int, int, str, str, int]]:
    return [(clip.start, clip.end, clip.mode, clip.continuity, clip.chain) for clip in plan.clips]


def _ends(clip: Clip) -> tuple[str, str]:
    start = "clip" if clip.continuity == "last_frame" else Path(clip.start_image).stem or Path(clip.init_video).stem
    return start, Path(clip.end_image).stem


def test_first_from_text_then_from_the_end_of_the_clip_before(planned) -> None:
    plan = planned("t2v+i2v", THREE)
    assert _table(plan) == [
        (0, 40, "t2v", "cut", 0),
        (40, 80, "i2v", "last_frame", 0),
        (80, 120, "i2v", "last_frame", 0),
    ]
    assert [len(chain) for chain in plan.chains()] == [3]
    assert plan.notes == ()


def test_init_image_and_video_start_the_film(planned, pictures) -> None:
    image = planned("t2v+i2v", init_image=pictures["a"], max_frames=40).clips[0]
    assert (image.mode, image.start_image, image.init_video) == ("i2v", pictures["a"], "")
    video = planned("i2v", init_video=pictures["a"], max_frames=40).clips[0]
    assert (video.mode, video.start_image, video.init_video) == ("i2v", "", pictures["a"])
    guided = planned("i2v", guided_images={"0": pictures["a"]}, max_frames=40).clips[0]
    assert (guided.mode, guided.start_image) == ("i2v", pictures["a"])


def test_guided_images_make_first_last_frame_clips_between_them(planned, pictures) -> None:
    guided = {"0": pictures["a"], "60": pictures["b"], "max_f": pictures["c"]}
    plan = planned("all", guided_images=guided, max_frames=121)
    assert _table(plan) == [(0, 60, "flf2v", "cut", 0), (60, 121, "flf2v", "cut", 1)]
    assert [_ends(clip) for clip in plan.clips] == [("a", "b"), ("b", "c")]
    first, last = plan.clips
    assert (first.arrives, first.intervals, first.frames) == (60, 60, 61)
    assert (last.arrives, last.intervals, last.frames) == (120, 60, 61)
    assert last.model_time(120) == 60


def test_the_clip_before_a_picture_arrives_there_and_the_next_starts_from_it(planned, pictures) -> None:
    plan = planned("all", THREE, guided_images={"60": pictures["b"]})
    assert _table(plan) == [
        (0, 40, "t2v", "cut", 0),
        (40, 60, "flf2v", "last_frame", 0),
        (60, 80, "i2v", "cut", 1),
        (80, 120, "i2v", "last_frame", 1),
    ]
    assert [_ends(clip) for clip in plan.clips] == [("", ""), ("clip", "b"), ("b", ""), ("clip", "")]
    assert [(clip.key, clip.part, clip.parts) for clip in plan.clips] == [
        ("0", 0, 1),
        ("40", 0, 2),
        ("40", 1, 2),
        ("80", 0, 1),
    ]


def test_long_way_between_two_pictures_goes_on_and_arrives_in_its_last_part(planned, pictures) -> None:
    plan = planned("all", init_image=pictures["a"], end_image=pictures["c"], max_frames=201)
    assert _table(plan) == [
        (0, 67, "i2v", "cut", 0),
        (67, 133, "i2v", "last_frame", 0),
        (133, 201, "flf2v", "last_frame", 0),
    ]
    assert [_ends(clip) for clip in plan.clips] == [("a", ""), ("clip", ""), ("clip", "c")]
    assert (plan.clips[-1].arrives, plan.clips[-1].intervals) == (200, 68)


def test_a_text_clip_cuts_to_the_next_picture_and_says_so(planned, pictures) -> None:
    plan = planned("all", guided_images={"30": pictures["b"]}, max_frames=60)
    assert _table(plan) == [(0, 30, "t2v", "cut", 0), (30, 60, "i2v", "cut", 1)]
    assert plan.notes[0] == (
        "The film cuts to its pictures at frame 30 instead of arriving there: the clips before them start from their "
        "prompts alone. Give start pictures, or set continuity to last_frame"
    )


def test_asked_for_continuity_a_text_clip_hands_over_to_one_that_arrives(planned, pictures) -> None:
    plan = planned("all", guided_images={"30": pictures["b"]}, max_frames=60, continuity="last_frame")
    assert _table(plan) == [(0, 15, "t2v", "cut", 0), (15, 30, "flf2v", "last_frame", 0), (30, 60, "i2v", "cut", 1)]


def test_a_film_from_text_arrives_at_its_end_image(planned, pictures) -> None:
    plan = planned("all", end_image=pictures["c"], max_frames=41)
    assert _table(plan) == [(0, 20, "t2v", "cut", 0), (20, 41, "flf2v", "last_frame", 0)]
    assert plan.clips[1].model_time(40) == plan.clips[1].intervals == 20


def test_without_a_first_last_frame_model_the_film_cuts_to_pictures(planned, pictures) -> None:
    plan = planned("t2v+i2v", THREE, guided_images={"80": pictures["b"]})
    assert _table(plan) == [(0, 40, "t2v", "cut", 0), (40, 80, "i2v", "last_frame", 0), (80, 120, "i2v", "cut", 1)]
    assert plan.notes == (
        "The film cuts to its pictures at frame 80 instead of arriving there: no model here does "
        "first-last-frame-to-video. Set flf2v_model for that",
    )


def test_without_an_image_model_clips_are_cut_and_the_plan_says_why(planned) -> None:
    plan = planned("t2v", THREE)
    assert _table(plan) == [(0, 40, "t2v", "cut", 0), (40, 80, "t2v", "cut", 1), (80, 120, "t2v", "cut", 2)]
    assert plan.notes == (
        "Hard cuts at frames 40 and 80: the models here do text-to-video, so a clip cannot go on from the one before. "
        "Set i2v_model for that",
    )


def test_text_and_first_last_frame_models_do_the_best_they_can(planned, pictures) -> None:
    plan = planned("t2v+flf2v", THREE, guided_images={"80": pictures["b"]}, end_image=pictures["c"])
    assert _table(plan) == [(0, 40, "t2v", "cut", 0), (40, 80, "flf2v", "last_frame", 0), (80, 120, "flf2v", "cut", 1)]


def test_wanted_cuts_start_every_clip_anew_without_notes(planned, pictures) -> None:
    plan = planned("all", THREE, continuity="cut", guided_images={"80": pictures["b"]})
    assert _table(plan) == [(0, 40, "t2v", "cut", 0), (40, 80, "t2v", "cut", 1), (80, 120, "i2v", "cut", 2)]
    assert plan.notes == ()


def test_a_prompt_on_the_last_frame_starts_from_the_end_image(planned, pictures) -> None:
    plan = planned("all", {"0": "a", "max_f": "b"}, init_image=pictures["a"], end_image=pictures["c"], max_frames=41)
    assert _table(plan) == [(0, 40, "flf2v", "cut", 0), (40, 41, "i2v", "cut", 1)]
    assert [_ends(clip) for clip in plan.clips] == [("a", "c"), ("c", "")]


def test_neighbouring_pictures_make_the_shortest_clips(planned, pictures) -> None:
    guided = {"0": pictures["a"], "1": pictures["b"], "2": pictures["c"]}
    plan = planned("all", guided_images=guided, max_frames=3)
    assert _table(plan) == [(0, 1, "flf2v", "cut", 0), (1, 3, "flf2v", "cut", 1)]
    assert [clip.frames for clip in plan.clips] == [5, 5]


REFUSED: list[tuple[str, dict[str, object], str]] = [
    ("nothing", {}, "there is no model to render with. Set model to the folder of a model"),
    (
        "i2v",
        {},
        "the film starts from its prompt alone, which needs text-to-video, and the models here do image-to-video only. "
        "Give init_image, init_video or a guided image for frame 0, or set model to a text-to-video model",
    ),
    (
        "t2v",
        {"init_image": "a"},
        "init_image starts a clip, which needs image-to-video, and the models here do text-to-video "
        "only. Set i2v_model, or remove init_image",
    ),
    (
        "t2v+flf2v",
        {"guided_images": {"40": "b"}},
        'guided image "40" starts a clip, which needs image-to-video, and the models here do '
        'text-to-video and first-last-frame-to-video only. Set i2v_model, or remove guided image "40"',
    ),
    (
        "t2v",
        {"prompts": THREE, "continuity": "last_frame"},
        "continuity last_frame needs image-to-video from frame 40 on, and the models here do text-to-video only. "
        "Set i2v_model, or set continuity to auto or cut to join clips by hard cuts",
    ),
    (
        "i2v",
        {"prompts": THREE, "continuity": "cut", "init_image": "a"},
        "continuity cut starts a clip from its prompt alone from frame 40 on, which needs text-to-video, and the "
        "models here do image-to-video only. Set continuity to auto, or set model to a text-to-video model",
    ),
    (
        "t2v+i2v",
        {"end_image": "c"},
        "arriving at end_image needs first-last-frame-to-video, and the models here do text-to-video and "
        "image-to-video only. Set flf2v_model, or remove end_image",
    ),
    (
        "t2v+i2v",
        {"guided_images": {"40": "b"}, "continuity": "last_frame"},
        'arriving at guided image "40" needs first-last-frame-to-video, and the models here do text-to-video and '
        "image-to-video only. Set flf2v_model, or set continuity to auto to cut to the picture",
    ),
    (
        "flf2v",
        {"init_image": "a", "end_image": "c", "max_frames": 200},
        "frames 0 to 199 are more than one clip between two pictures can span, and going on from a picture without "
        "arriving at the next needs image-to-video; the models here do first-last-frame-to-video only. "
        "Set i2v_model, or give a guided image in between",
    ),
    (
        "flf2v",
        {"prompts": THREE, "guided_images": {"0": "a", "40": "b"}, "end_image": "c"},
        'guided image "40" starts a clip, which needs image-to-video, and the models here do '
        'first-last-frame-to-video only. Set i2v_model, or remove guided image "40"',
    ),
]


@pytest.mark.parametrize(("models", "settings", "words"), REFUSED)
def test_what_models_cannot_do_is_said_with_what_can_be_done(planned, pictures, models, settings, words) -> None:
    def path(value: object) -> object:
        return {key: pictures[name] for key, name in value.items()} if isinstance(value, dict) else pictures[value]

    files = {"init_image", "end_image", "guided_images"}
    given = {name: path(value) if name in files else value for name, value in settings.items()}
    with pytest.raises(CapabilityError) as caught:
        planned(models, **given)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"continuity": "cut"},
            "continuity: with continuity cut the clip from frame 0 on has no picture to start from, so it cannot "
            "arrive at end_image. Set continuity to auto, give a guided image for frame 0, or remove end_image",
        ),
        (
            {"max_frames": 2},
            "max_frames: there is too little film before end_image to start from the prompt and to arrive there. "
            "Give a start picture too, or make the film longer",
        ),
    ],
)
def test_settings_that_exclude_each_other(planned, pictures, settings, words) -> None:
    with pytest.raises(InputError) as caught:
        planned("all", end_image=pictures["c"], **settings)
    assert str(caught.value) == words


def test_every_refusal_is_an_error_for_users(planned, pictures) -> None:
    """All line-ups with all continuities and pictures: a plan or a WanError with a remedy, never a crash."""
    line_ups = ("t2v", "i2v", "flf2v", "t2v+i2v", "t2v+flf2v", "i2v+flf2v", "all")
    guided = ({}, {"0": pictures["a"]}, {"1": pictures["a"]}, {"0": pictures["a"], "2": pictures["b"]})
    remedies: list[tuple[str, ...]] = []
    for models, continuity, frames, images, end in itertools.product(
        line_ups, ("auto", "last_frame", "cut"), (1, 2, 3, 300), guided, ("", pictures["c"])
    ):
        settings = {"continuity": continuity, "max_frames": frames, "guided_images": images, "end_image": end}
        remedies.append(_remedies(lambda: planned(models, {"0": "a", "2": "b"}, **settings)))  # noqa: B023 (called now)
    refused = [found for found in remedies if found]
    assert 100 < len(refused) < len(remedies) - 100
    assert all(all(found) for found in refused)


def _remedies(plan: Callable[[], Plan]) -> tuple[str, ...]:
    try:
        plan()
    except InputError as error:
        return tuple(problem.remedy for problem in error.problems)
    except WanError as error:
        return (error.remedy,)
    return ()
