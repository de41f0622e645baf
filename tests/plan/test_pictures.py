"""Start, end and guided pictures: their frames, and errors that name the setting and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from wan_engine.errors import InputError


def _problems(planned, **settings) -> list[str]:
    with pytest.raises(InputError) as caught:
        planned("all", **settings)
    return [str(problem) for problem in caught.value.problems]


def test_every_missing_file_is_named_at_once(planned, tmp_path: Path) -> None:
    problems = _problems(
        planned,
        init_image=str(tmp_path / "a.png"),
        end_image=str(tmp_path),
        guided_images={"10": "https://example.org/b.png", "20": "c" * 5000, "max_f/2": str(tmp_path / "d.png")},
    )
    assert problems[0] == (f'init_image: there is no file "{tmp_path}/a.png". Give the path of a file that is there')
    assert problems[1] == f'end_image: "{tmp_path}" is a folder, not a file. Give the path of a file that is there'
    assert problems[2].startswith('guided_images, key "10": "https://example.org/b.png" is an address. Download it')
    assert problems[3].startswith('guided_images, key "20": ')
    assert problems[4].startswith('guided_images, key "max_f/2": there is no file')
    assert len(problems) == 5


def test_file_and_schedule_problems_come_together(planned) -> None:
    problems = _problems(planned, init_video="gone.mp4", guidance_scale="0:(1")
    assert any(problem.startswith("init_video") for problem in problems)
    assert any(problem.startswith("guidance_scale") for problem in problems) or len(problems) == 1


@pytest.fixture
def picture(tmp_path: Path) -> str:
    """A file where a picture should be; planning does not read it."""
    path = tmp_path / "picture.png"
    path.write_bytes(b"")
    return str(path)


def test_a_film_has_one_start(planned, picture: str) -> None:
    both = _problems(planned, init_image=picture, init_video=picture)
    assert both == ["init_video: the film cannot start from init_image and from init_video. Give one of the two"]
    guided = _problems(planned, init_video=picture, guided_images={"0": picture})
    assert guided == [
        'guided_images, key "0": the film\'s first frame is given by this picture and by init_video. '
        "Give one of the two"
    ]


def test_one_frame_cannot_be_start_and_end(planned, picture: str) -> None:
    problems = _problems(planned, max_frames=1, init_image=picture, end_image=picture)
    assert problems == [
        "end_image: a film of one frame starts and ends on the same picture. Remove end_image or init_image"
    ]
