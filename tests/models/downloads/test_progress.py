"""Speed and time left, with a clock that the test moves."""

from __future__ import annotations

from service_samples import Clock
from wan_engine.models.downloads.progress import Meter, Progress


def test_speed_and_time_left_are_those_of_the_last_seconds() -> None:
    clock, told = Clock(), list[Progress]()
    meter = Meter(1_000_000, told.append, clock)
    for second in range(21):
        # 1 kB/s for ten seconds, then 10 kB/s.
        meter.at("downloading", "a", 1_000 * second if second <= 10 else 10_000 + 10_000 * (second - 10))
        clock.move(1)
    assert told[-1].speed == 10_000
    assert told[-1].seconds_left == (1_000_000 - 110_000) / 10_000


def test_reports_come_now_and_then_and_at_each_new_doing() -> None:
    clock, told = Clock(), list[Progress]()
    meter = Meter(100, told.append, clock)
    for have in range(10):
        meter.at("downloading", "a", have)
        clock.move(0.01)
    meter.at("checking", "a", 10)
    meter.finished(10)
    meter.at("downloading", "b", 5)
    assert [(each.doing, each.file, each.done) for each in told] == [
        ("downloading", "a", 0),
        ("checking", "a", 10),
        ("downloading", "b", 15),
    ]


def test_bytes_that_were_here_before_are_no_speed() -> None:
    clock, told = Clock(), list[Progress]()
    meter = Meter(1_000, told.append, clock)
    meter.at("downloading", "a", 0)
    clock.move(1)
    meter.finished(500)
    meter.restart()
    meter.at("downloading", "b", 0)
    clock.move(1)
    meter.at("downloading", "b", 100)
    assert told[-1].speed == 100
