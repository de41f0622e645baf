"""The verb `bench memory`: what models of the published sizes take on this machine, each case named in one word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from wan_engine.cli.flags import verb
from wan_engine.cli.screen import Screen
from wan_engine.errors import InputError, Problem

if TYPE_CHECKING:
    from wan_engine.backends.wan.bench import Case

_USUAL = "wan2.1-t2v-1.3b"


@verb()
def memory(
    screen: Screen,
    cases: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CASE",
            help="A family, and after colons what of it: a profile (else all four), Q4_K or Q8_0, fp8, compile. "
            "Such as wan2.1-t2v-14b:Q4_K:low.",
        ),
    ] = None,
    size: Annotated[str, typer.Option(help="Width, height and frames (4k+1).")] = "832x480x81",
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Denoising steps.")] = 2,
    limit: Annotated[float, typer.Option(min=0, help="Gigabytes of a CUDA GPU that may be used; 0 for all.")] = 0.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1.")] = "auto",
) -> None:
    """Render one clip with random weights of a published size under memory profiles, and show what each takes.

    Nothing is downloaded or written. The weights take as much main memory as the real ones.
    """
    from wan_engine.backends.wan.bench import Case, measure_case
    from wan_engine.backends.wan.random_models import RandomModels

    width, height, frames = _size(size)
    base = Case("", "", width, height, frames, steps, limit=int(limit * 1e9))
    measured = []
    for same in [read_case(text, base) for text in cases or [_USUAL]]:
        models = RandomModels(same[0].family, packing=same[0].packing)
        for case in same:
            measured.append(measure_case(case, models, device))
            if not screen.json:
                for line in measured[-1].lines():
                    screen.line(screen.out, line)
        models.forget()  # main memory may not hold those of the next word too
    if screen.json:
        screen.document({"measured": [each.as_dict() for each in measured]})


def read_case(text: str, base: Case) -> list[Case]:
    """The cases that a word such as `wan2.1-t2v-14b:fp8:low` means: one for each profile. Raises InputError.

    base: what all cases share.
    """
    from wan_engine.backends.wan.random_models import FAMILIES_OFFERED
    from wan_engine.backends.wan.random_packed import PACKINGS
    from wan_engine.models.memory.profiles import PROFILES

    family, *words = text.split(":")
    if family not in FAMILIES_OFFERED:
        raise _wrong(f'there are no random weights of "{family}"', FAMILIES_OFFERED)
    profiles = [each.name for each in PROFILES]
    unknown = [word for word in words if word not in (*profiles, *PACKINGS, "fp8", "compile")]
    if unknown:
        raise _wrong(f'{text}: "{unknown[0]}" is not known', (*profiles, *PACKINGS, "fp8", "compile"))
    packings = [word for word in words if word in PACKINGS]
    if len(packings) > 1 or (packings and "fp8" in words):
        raise _wrong(f"{text}: weights are kept in one format", (*PACKINGS, "fp8"))
    case = replace(
        base,
        family=family,
        packing=packings[0] if packings else "",
        fp8="fp8" in words,
        compile="on" if "compile" in words else "off",
    )
    chosen = [name for name in profiles if name in words]
    return [replace(case, profile=name) for name in chosen or profiles]


def _wrong(message: str, known: tuple[str, ...]) -> InputError:
    return InputError(Problem(message, f"Known: {', '.join(known)}", field="CASE"))


def _size(text: str) -> tuple[int, int, int]:
    """Width, height and frames of `832x480x81`. Raises InputError."""
    words = text.lower().split("x")
    numbers = [int(word) for word in words if word.isdecimal() and len(word) < 6]
    if len(words) != 3 or len(numbers) != 3 or min(numbers[:2]) < 16:
        raise InputError(Problem(f'"{text}" is no size', "Give width, height and frames: 832x480x81", field="size"))
    if numbers[2] % 4 != 1:
        raise InputError(Problem(f"{numbers[2]} is not 4k+1", "Give 17, 33, 49, 81 or 121 frames", field="size"))
    return numbers[0], numbers[1], numbers[2]
