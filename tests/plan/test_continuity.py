"""The ways in which clips follow: which one is taken with which models, overlaps, spare ends, and films that loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from wan_engine.errors import CapabilityError, InputError
from wan_engine.families import MODES, Lineup, Mode
from wan_engine.plan.continuity import CONTINUITIES, WAYS, mode_for, whole_latents
from wan_engine.plan.model import Clip, Plan
from wan_engine.settings import SETTINGS

THREE = {"0": "a", "40": "b", "80": "c"}


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "picture.png"
    path.write_bytes(b"")
    return str(path)


def _table(plan: Plan) -> list[tuple[int, int, Mode, str, int, int, int]]:
    return [_row(clip) for clip in plan.clips]


def _row(clip: Clip) -> tuple[int, int, Mode, str, int, int, int]:
    return clip.start, clip.end, clip.mode, clip.continuity, clip.overlap, clip.frames, clip.chain


def test_the_choices_of_the_setting_are_the_members() -> None:
    assert set(SETTINGS["continuity"].choices) == set(CONTINUITIES)
    assert set(WAYS) == set(CONTINUITIES) - {"auto"}


def test_a_vace_model_alone_makes_whole_films(planned) -> None:
    plan = planned("vace", THREE)
    assert _table(plan) == [
        (0, 40, "vace", "cut", 0, 41, 0),
        (40, 80, "vace", "overlap", 9, 49, 0),
        (80, 120, "vace", "overlap", 9, 49, 0),
    ]
    assert [(clip.first, clip.last) for clip in plan.clips] == [(0, 40), (8, 48), (8, 48)]
    assert plan.clips[1].model_time(40) == 8
    assert plan.clips[1].overlap_noise == 20
    assert plan.notes == (
        "Clips go on from the last 9 frames of the one before: the models here do masked-video-to-video",
    )


def test_vace_goes_between_pictures_where_no_other_model_does(planned, picture: str) -> None:
    plan = planned("vace", init_image=picture, end_image=picture, max_frames=41)
    assert _table(plan) == [(0, 41, "vace", "cut", 0, 41, 0)]
    assert (plan.clips[0].start_image, plan.clips[0].end_image) == (picture, picture)


@pytest.mark.parametrize(
    ("models", "continuity", "mode", "way"),
    [
        ("tiny+vace", "auto", "i2v", "last_frame"),
        ("tiny+vace", "overlap", "vace", "overlap"),
        ("t2v+vace", "auto", "vace", "overlap"),
        ("t2v+vace", "last_frame", "vace", "last_frame"),
        ("t2v+i2v", "overlap", "i2v", "overlap"),
        ("5b", "overlap", "i2v", "overlap"),
        ("t2v", "auto", "t2v", "cut"),
    ],
)
def test_the_way_and_its_model(planned, models: str, continuity: str, mode: Mode, way: str) -> None:
    clip = planned(models, {"0": "a", "20": "b"}, continuity=continuity, max_frames=40).clips[1]
    assert (clip.mode, clip.continuity) == (mode, way)


def test_without_a_model_for_it_an_overlap_is_refused(planned) -> None:
    with pytest.raises(CapabilityError) as caught:
        planned("t2v", THREE, continuity="overlap")
    assert str(caught.value) == (
        "continuity overlap needs masked-video-to-video or image-to-video from frame 40 on, and the models here do "
        "text-to-video only. Set i2v_model, or set continuity to auto or cut to join clips by hard cuts"
    )


@pytest.mark.parametrize("overlap", [5, 9, 13, 17])
def test_long_prompts_leave_room_for_the_overlap(planned, overlap: int) -> None:
    plan = planned("tiny+vace", max_frames=100, continuity="overlap", overlap_frames=overlap)
    assert {clip.overlap for clip in plan.clips[2:]} == {overlap}
    assert max(clip.frames for clip in plan.clips) <= 33
    assert max(clip.intervals for clip in plan.clips) <= 33 - overlap


def test_an_overlap_is_no_longer_than_what_there_is(planned) -> None:
    plan = planned("t2v+vace", {"0": "a", "1": "b", "6": "c", "14": "d"}, max_frames=40, overlap_frames=17)
    assert [(clip.continuity, clip.overlap) for clip in plan.clips] == [
        ("cut", 0),
        ("last_frame", 0),
        ("overlap", 5),
        ("overlap", 13),
    ]
    assert plan.notes[1] == "The overlap is shorter at frames 6 and 14: the clips before have too few frames"


def test_spare_frames_lie_behind_the_one_that_is_handed_over(planned, picture: str) -> None:
    plan = planned("all", THREE, spare_frames=8, guided_images={"100": picture})
    # The last clip hands nothing over, and one that arrives at a picture ends there.
    assert [(clip.frames, clip.last) for clip in plan.clips] == [(49, 40), (49, 40), (21, 20), (21, 20)]
    assert planned("t2v", THREE, spare_frames=8).notes[-1] == (
        "spare_frames is ignored: no clip goes on from the one before"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"overlap_frames": 7}, "overlap_frames: 7 frames do not fill whole latent frames. Give 5, 9, 13 or 17"),
        (
            {"spare_frames": 6},
            "spare_frames: 6 is no multiple of 4. Models make 4 frames at a time: give 0, 4, 8 and so on",
        ),
    ],
)
def test_lengths_that_no_model_makes(planned, settings: dict[str, int], words: str) -> None:
    with pytest.raises(InputError) as caught:
        planned("tiny", **settings)
    assert str(caught.value) == words


def test_a_film_that_loops_arrives_at_its_own_first_frame(planned) -> None:
    plan = planned("all", max_frames=40, loop=True)
    assert _table(plan) == [(0, 20, "t2v", "cut", 0, 21, 0), (20, 40, "flf2v", "last_frame", 0, 21, 0)]
    last = plan.clips[-1]
    assert (last.loops, last.arrives, last.end_image) == (True, 40, "")
    assert last.model_time(39) < last.last == last.model_time(40)
    assert plan.notes[0].startswith("The film loops")


def test_the_last_chain_of_a_film_that_loops_waits_for_the_first(planned, picture: str) -> None:
    guided = {"20": picture, "40": picture}
    plan = planned("tiny", max_frames=60, loop=True, guided_images=guided)
    assert [clip.chain for clip in plan.clips] == [0, 1, 2]
    assert [[clip.index for clip in chain] for chain in plan.chains()] == [[0, 2], [1]]


@pytest.mark.parametrize(
    ("models", "settings", "words"),
    [
        ("t2v+i2v", {}, "Set flf2v_model, or switch loop off"),
        ("all", {"continuity": "cut"}, "or switch loop off"),
        ("all", {"end_image": "P"}, "a film that loops ends on its own first frame"),
        ("all", {"guided_images": {"39": "P"}}, "a film that loops goes on to its own first frame"),
    ],
)
def test_a_loop_that_cannot_be_is_refused(planned, picture: str, models: str, settings: dict, words: str) -> None:
    given = {
        name: picture if value == "P" else dict.fromkeys(value, picture) if isinstance(value, dict) else value
        for name, value in settings.items()
    }
    with pytest.raises((CapabilityError, InputError), match=words):
        planned(models, max_frames=40, loop=True, **given)


@pytest.mark.parametrize("start", ["text", "picture", "clip"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("arrives", [False, True])
def test_the_mode_is_one_that_is_there_if_any_can(lineup, start, way, arrives: bool) -> None:
    needed = {"text": {"t2v", "vace"}}.get(start, {"i2v", "vace", *(("flf2v",) if arrives else ())})
    every: Lineup = lineup("tiny+vace")
    for able in MODES:
        found = mode_for(Lineup({able: every.card(able)}), start, way, arrives)
        assert (found == able) == (able in needed)


def test_whole_latents() -> None:
    assert [whole_latents(count) for count in (1, 2, 4, 5, 8, 9, 17, 20)] == [1, 1, 1, 5, 5, 9, 17, 17]
