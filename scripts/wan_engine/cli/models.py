"""The verbs `models …`: what weight files and model folders are."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wan_engine.cli.flags import verb
from wan_engine.cli.model_downloads import download, model_folders
from wan_engine.cli.models_view import show_models
from wan_engine.cli.screen import Screen, one_line, size_words
from wan_engine.errors import InputError, ModelError, Problem

if TYPE_CHECKING:
    from wan_engine.models.check import Finding

models = typer.Typer(help="Looks at models on disk, and fetches them.", rich_markup_mode="rich", no_args_is_help=True)
models.command("download")(download)


@models.command("list")
@verb()
def list_(
    screen: Screen,
    folders: Annotated[list[str] | None, typer.Argument(metavar="[FOLDER...]", help="Folders to be searched.")] = None,
) -> None:
    """List the models that are there with what they lack; without folders those of the engine's own set-up."""
    from wan_engine.models.listing import list_models
    from wan_engine.tiny import WEIGHTS

    given = [Path(folder).expanduser().absolute() for folder in folders or ()]
    for folder in given:
        if not folder.is_dir():
            raise InputError(Problem(f"{folder} is no folder", "Give folders of models", field="FOLDER"))
    found = list_models(given or model_folders(), WEIGHTS)
    if screen.json:
        screen.document({"models": [asdict(each) for each in found]})
    else:
        show_models(screen, found)


@models.command("check")
@verb()
def check(
    screen: Screen,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Weight files, or folders of them.")],
) -> None:
    """Say what files and folders are, what they load into, and what is missing or wrong. Nothing is loaded."""
    from wan_engine.models.check import check as look
    from wan_engine.models.quiet import quiet_libraries

    quiet_libraries()
    findings = []
    for path in paths:
        for finding in look(Path(path).expanduser()):
            findings.append(finding)
            if not screen.json:
                _show(screen, finding)
    if screen.json:
        screen.document({"files": [finding.as_dict() for finding in findings]})
    if any(finding.problem for finding in findings):
        raise typer.Exit(ModelError.exit_code)


def _show(screen: Screen, finding: Finding) -> None:
    screen.line(screen.out, f"{finding.path}: {one_line(finding.what)}")
    hint = f"the name says {finding.expert_hint} noise" if finding.expert_hint else ""
    figures = [finding.kind, finding.precision, size_words(finding.size), finding.layout, hint]
    if finding.size:
        screen.line(screen.out, f"  {', '.join(figure for figure in figures if figure)}")
    if finding.problem:
        screen.line(
            screen.out, f"  cannot be used: {one_line(finding.problem)}. {one_line(finding.remedy)}", style="red"
        )
        return
    if finding.loads_into:
        screen.line(screen.out, f"  loads into {finding.loads_into}")
    for need in finding.needs:
        screen.line(screen.out, f"  needs {need}")
    for note in finding.notes:
        screen.line(screen.out, f"  note: {note}")
