"""Likelihoods become transitions: cuts, dissolves, fades through black; flashes and short scenes are none."""

from __future__ import annotations

import numpy as np

from wan_engine.tools.scenes.looks import Looks
from wan_engine.tools.scenes.scene_list import scenes_between
from wan_engine.tools.scenes.transitions import Transition, find_transitions


class Film:
    """Likelihoods and looks, written by hand."""

    def __init__(self, frames: int = 300) -> None:
        self.likelihood = np.zeros((frames, 2), np.float32)
        self.fields = np.full((frames, 72), 100, np.uint8)
        self.bright = np.full(frames, 200, np.uint8)

    def find(self, threshold: float = 0.5, shortest: int = 8) -> list[Transition]:
        return find_transitions(self.likelihood, Looks(self.fields, self.bright), threshold, shortest)

    def cut(self, frame: int, likelihood: float = 0.9, value: int = 160) -> None:
        """The first frame of another scene."""
        self.likelihood[frame - 1] = likelihood
        self.fields[frame:] = value


def test_a_cut_is_between_two_frames() -> None:
    film = Film()
    film.cut(100)
    assert film.find() == [Transition(100, 100, "cut", np.float32(0.9))]
    assert scenes_between(film.find(), 300, keep_all=True) == [(0, 100), (100, 300)]
    assert film.find(threshold=0.95) == []


def test_a_dissolve_reaches_as_far_as_the_network_says() -> None:
    film = Film()
    film.likelihood[105, 0] = 0.8
    film.likelihood[100:112, 1] = 0.9
    assert [(each.start, each.end, each.kind) for each in film.find()] == [(101, 112, "dissolve")]
    assert scenes_between(film.find(), 300, keep_all=True) == [(0, 106), (106, 300)]
    assert scenes_between(film.find(), 300, keep_all=False) == [(0, 101), (112, 300)]


def test_a_fade_told_twice_is_one() -> None:
    film = Film()
    film.cut(100)
    film.cut(130)
    film.bright[110:120] = 2
    film.likelihood[97:110, 1] = film.likelihood[120:134, 1] = 0.9
    assert [(each.start, each.end, each.kind) for each in film.find()] == [(97, 134, "fade")]
    film.bright[:] = 200
    assert [each.kind for each in film.find()] == ["dissolve", "dissolve"]


def test_black_parts_scenes_without_the_network() -> None:
    film = Film()
    film.bright[100:110] = 2
    film.fields[100:110] = 1
    film.fields[110:] = 180
    assert [(each.start, each.end, each.kind) for each in film.find()] == [(100, 110, "fade")]


def test_black_at_the_ends_of_the_film_is_no_transition() -> None:
    film = Film()
    film.bright[:10] = 2
    film.bright[280:] = 2
    assert film.find() == []


def test_a_flash_is_no_cut() -> None:
    film = Film()
    for at in (100, 106):
        film.likelihood[at - 1] = 0.9
    film.fields[100:106] = 250
    assert film.find() == []
    film.fields[106:] = 190  # another scene follows
    assert [each.start for each in film.find(shortest=2)] == [100, 106]


def test_short_scenes_are_joined_at_the_weaker_cut() -> None:
    film = Film()
    film.cut(100, 0.7, 20)
    film.cut(106, 0.9, 160)
    film.cut(297, 0.9, 30)
    assert [each.start for each in film.find(shortest=8)] == [106]
    assert [each.start for each in film.find(shortest=2)] == [100, 106, 297]
