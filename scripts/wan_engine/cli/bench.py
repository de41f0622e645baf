"""The verbs `bench …`: what models of the published sizes take on this machine, measured with random weights."""

from __future__ import annotations

from typing import Annotated

import typer

from wan_engine.cli.flags import verb
from wan_engine.cli.screen import Screen

bench = typer.Typer(help="Measures this machine.", rich_markup_mode="rich", no_args_is_help=True)


@bench.callback()
def _bench() -> None:
    """Keeps `bench` a group of verbs while it has but one."""


@bench.command("memory")
@verb()
def memory(
    screen: Screen,
    family: Annotated[str, typer.Option(help="Family of the model, such as wan2.1-t2v-14b.")] = "wan2.1-t2v-1.3b",
    profile: Annotated[
        list[str] | None, typer.Option(help="Memory profile; may be given several times. Without it, all four.")
    ] = None,
    width: Annotated[int, typer.Option(min=16, max=8192, help="Width in pixels.")] = 832,
    height: Annotated[int, typer.Option(min=16, max=8192, help="Height in pixels.")] = 480,
    frames: Annotated[int, typer.Option(min=1, max=1001, help="Frames: 4k+1.")] = 81,
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Denoising steps.")] = 2,
    limit: Annotated[float, typer.Option(min=0, help="Gigabytes of a CUDA GPU that may be used; 0 for all.")] = 0.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1.")] = "auto",
) -> None:
    """Render one clip with random weights of a published size under memory profiles, and show what each takes.

    Nothing is downloaded or written. The weights take as much main memory as the real ones.
    """
    from wan_engine.backends.wan.bench import Case, measure_case
    from wan_engine.backends.wan.random_models import RandomModels
    from wan_engine.errors import InputError, Problem
    from wan_engine.models.memory.profiles import PROFILES

    known = [each.name for each in PROFILES]
    wanted = profile or known
    unknown = next((name for name in wanted if name not in known), None)
    if unknown is not None:
        raise InputError(Problem(f'there is no profile "{unknown}"', f"Known: {', '.join(known)}", field="profile"))
    if frames % 4 != 1:
        raise InputError(Problem(f"{frames} is not 4k+1", "Give 17, 33, 49, 81 or 121", field="frames"))
    models = RandomModels(family)
    measured = []
    for name in wanted:
        case = Case(family, name, width, height, frames, steps, limit=int(limit * 1e9))
        measured.append(measure_case(case, models, device))
        if not screen.json:
            for line in measured[-1].lines():
                screen.line(screen.out, line)
    if screen.json:
        screen.document({"measured": [each.as_dict() for each in measured]})
