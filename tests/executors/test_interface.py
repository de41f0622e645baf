"""What every executor promises, run over all of them: each chain once, and the first error is raised."""

from __future__ import annotations

import pytest

from wan_engine.errors import RenderError
from wan_engine.executors import Chain, Executor
from wan_engine.executors.local import LocalExecutor
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.plan.build import build_plan
from wan_engine.settings import Settings


@pytest.fixture(params=[LocalExecutor])
def executor(request: pytest.FixtureRequest) -> Executor:
    made: Executor = request.param()
    return made


@pytest.fixture
def chains() -> tuple[Chain, ...]:
    family = FAMILIES["wan-tiny"]
    settings = Settings(prompts={"0": "a", "5": "b", "9": "c"}, max_frames=12, seed=1, continuity="cut")
    return build_plan(settings, Lineup({"t2v": ModelCard("tiny", family, family.modes)})).chains()


def test_every_chain_is_rendered_once(executor: Executor, chains: tuple[Chain, ...]) -> None:
    rendered: list[Chain] = []
    executor.run(chains, rendered.append)
    assert len(chains) == 3
    assert sorted(rendered, key=lambda chain: chain[0].index) == list(chains)


def test_an_error_stops_the_film(executor: Executor, chains: tuple[Chain, ...]) -> None:
    rendered: list[Chain] = []

    def render(chain: Chain) -> None:
        if rendered:
            raise RenderError("the device is gone")
        rendered.append(chain)

    with pytest.raises(RenderError, match="device is gone"):
        executor.run(chains, render)
    assert len(rendered) == 1
