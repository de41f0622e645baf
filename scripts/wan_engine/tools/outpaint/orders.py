"""What is asked for: a film and its settings, as a project file of kind outpaint holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.project import values_of_file
from wan_engine.schedule.seeds import SEED_RANGE, fixed_seed
from wan_engine.setting_spec import is_model_name, path_lines
from wan_engine.settings import Settings
from wan_engine.settings_check import outpaint_settings_from_mapping
from wan_engine.settings_outpaint import (
    OUTPAINT_SETTINGS,
    OUTPAINT_VERSION,
    OutpaintSettings,
    outpaint_settings_to_mapping,
)
from wan_engine.words import counted

KIND = "outpaint"


@dataclass(frozen=True)
class OutpaintOrder:
    """A film to be outpainted.

    film: its path.  settings: checked.  cuts: frames at which scenes begin, given by hand; with None they are found, or
    the film is one scene, as the settings say.
    """

    film: Path
    settings: OutpaintSettings
    cuts: tuple[int, ...] | None = None

    def definite(self) -> OutpaintOrder:
        """The order with a drawn seed and whole paths, so that it can be gone on with from anywhere."""
        settings = with_folder(self.settings, Path.cwd())
        if settings.seed < 0:
            settings = replace(settings, seed=fixed_seed(Settings(seed=-1)).seed)
        assert settings.seed < SEED_RANGE
        return replace(self, film=self.film.expanduser().absolute(), settings=settings)

    def as_values(self) -> dict[str, Any]:
        """JSON-able values, which `order_of_values` reads back."""
        cuts = None if self.cuts is None else list(self.cuts)
        named = {"kind": KIND, "version": OUTPAINT_VERSION, "film": str(self.film)}
        return {**named, **({} if cuts is None else {"cuts": cuts}), **outpaint_settings_to_mapping(self.settings)}

    def as_text(self) -> str:
        """The text of a project file that reads back to this order."""
        return json.dumps(self.as_values(), indent=2, ensure_ascii=False) + "\n"


def with_folder(settings: OutpaintSettings, folder: Path) -> OutpaintSettings:
    """The settings with absolute paths: relative ones count from `folder`, `~` is the user's home."""
    changed: dict[str, Any] = {}
    for name, spec in OUTPAINT_SETTINGS.items():
        value = getattr(settings, name)
        if spec.kind == "paths":
            changed[name] = "\n".join(str(folder / Path(path).expanduser()) for path in path_lines(value))
        elif spec.kind == "path" or (spec.kind == "model" and not is_model_name(value, folder)):
            changed[name] = str(folder / Path(value).expanduser()) if value.strip() else ""
    return replace(settings, **changed)


def orders_of_file(path: Path, changes: Mapping[str, Any]) -> list[OutpaintOrder]:
    """The orders of a project file, one for each film it names; relative paths count from its folder.

    changes: settings that win over the file's, unchecked. Raises InputError with everything that is wrong.
    """
    values = values_of_file(path)
    try:
        return orders_of_values(values, changes, path.absolute().parent)
    except InputError as error:
        raise InputError(replace(problem, file=problem.file or str(path)) for problem in error.problems) from error


def orders_of_values(
    values: Mapping[str, Any], changes: Mapping[str, Any] | None = None, folder: Path | None = None
) -> list[OutpaintOrder]:
    """As `orders_of_file`, of the file's values. folder: where relative paths count from; None leaves them."""
    given = dict(values)
    kind, version = given.pop("kind", KIND), given.pop("version", OUTPAINT_VERSION)
    if kind != KIND:
        message = f'a project of kind "{str(kind)[:40]}" is not for outpainting'
        raise InputError(Problem(message, "Give it to wan-engine render, or write kind: outpaint", field="kind"))
    if version != OUTPAINT_VERSION or isinstance(version, bool):
        message = f"version {str(version)[:80]!r} cannot be read"
        raise InputError(Problem(message, f"This engine reads version {OUTPAINT_VERSION}", field="version"))
    problems = ProblemList()
    films, cuts = _films(given, problems), _cuts(given, problems)
    settings = OutpaintSettings()
    try:
        settings = outpaint_settings_from_mapping(given)
    except InputError as error:
        problems.extend(error)
    problems.raise_if_any()
    if cuts is not None and len(films) > 1:
        raise InputError(Problem("cuts are given for several films", "Name one film", field="cuts"))
    if folder is not None:
        settings, films = with_folder(settings, folder), [folder / film.expanduser() for film in films]
    if changes:
        settings = outpaint_settings_from_mapping({**outpaint_settings_to_mapping(settings), **changes})
    return [OutpaintOrder(film, settings, cuts) for film in films]


def _films(values: dict[str, Any], problems: ProblemList) -> list[Path]:
    one, several = values.pop("film", None), values.pop("films", None)
    named = [one] if one is not None else several if isinstance(several, list) else []
    if not named or not all(isinstance(name, str) and name.strip() for name in named):
        problems.add(Problem("no film is named", "Write film: and its path", field="film"))
        return []
    return [Path(name) for name in named]


def _cuts(values: dict[str, Any], problems: ProblemList) -> tuple[int, ...] | None:
    cuts = values.pop("cuts", None)
    if cuts is None:
        return None
    whole = isinstance(cuts, list) and all(isinstance(cut, int) and not isinstance(cut, bool) for cut in cuts)
    if not whole or any(after <= before for before, after in zip([0, *cuts], cuts, strict=False)):
        problems.add(Problem("these are no frames in order", "Give frames from 1 on: [48, 120]", field="cuts"))
        return None
    return tuple(cuts)


def scenes_of_cuts(cuts: Sequence[int], frames: int) -> list[tuple[int, int]]:
    """The scenes between cuts. Raises InputError for a cut that the film has not."""
    if cuts and cuts[-1] >= frames:
        message = f"the film has {counted(frames, 'frame')}, and a cut is at {cuts[-1]}"
        raise InputError(Problem(message, "Give cuts inside the film", field="cuts"))
    return list(zip([0, *cuts], [*cuts, frames], strict=True))
