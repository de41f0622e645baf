"""The front page of outpainting: a film and settings become a larger film, or one of which parts are made anew.

made = make_outpaint(order, report, cancelled)       renders it; what is finished is on disk at every moment
made = resume_outpaint(folder, report, cancelled)    goes on where it was stopped or killed
looks = preview_outpaint(order, report, cancelled)   canvas, mask and one finished frame, before the long run
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.backends import Backend
from wan_engine.errors import StorageError
from wan_engine.executors.local import LocalExecutor
from wan_engine.media.pictures import write_png
from wan_engine.media.timed_film import TimedOptions
from wan_engine.plan.model import Plan, plan_text, read_plan
from wan_engine.plan.seam import seam_notes
from wan_engine.render.clip import ChainJob
from wan_engine.render.clip_store import ClipStore, check_room_for_rest
from wan_engine.render.events import CancelCheck, Event, Report, stopped
from wan_engine.render.opened import environment_words, opened_backend
from wan_engine.render.progress import Progress
from wan_engine.render.result import FINISHED, fingerprint
from wan_engine.settings import Settings
from wan_engine.storage.atomic import remove_leftovers, write_text
from wan_engine.storage.hashes import file_hash
from wan_engine.storage.lock import folder_lock
from wan_engine.storage.places import FilmPlaces, check_free_space, film_folder, open_film_folder
from wan_engine.tools.outpaint.assembly import OutpaintAssembler
from wan_engine.tools.outpaint.captions import captions_of
from wan_engine.tools.outpaint.checking import Checked, check_outpaint
from wan_engine.tools.outpaint.chunk_work import ChunkWork, Painting, Source
from wan_engine.tools.outpaint.looking import Facts, look_through, read_facts, write_facts
from wan_engine.tools.outpaint.orders import OutpaintOrder, orders_of_file
from wan_engine.tools.outpaint.planning import LARGEST_RATE_PART, FilmLength, Planner, film_settings
from wan_engine.tools.outpaint.previewing import look_at_one

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture


@dataclass(frozen=True)
class OutpaintResult:
    """What was made and where it lies."""

    folder: Path
    film: Path
    plan: Path
    settings: Path
    sheet: Path
    notes: tuple[str, ...] = ()


def make_outpaint(order: OutpaintOrder, report: Report, cancelled: CancelCheck, device: str = "") -> OutpaintResult:
    """Outpaint a film into a folder of its own.

    Everything that can be wrong is found before a folder is made. Raises Cancelled within a step of the wish; the
    folder can then be given to `resume_outpaint`. device: where to render now, in place of the settings' own.
    """
    order = order.definite()
    checked = check_outpaint(order)
    checked.check_room()
    places = film_folder(_settings_of(checked), datetime.now())
    write_text(places.settings, order.as_text())
    return _Outpaint(checked, places, report, cancelled, device).make()


def resume_outpaint(folder: Path, report: Report, cancelled: CancelCheck, device: str = "") -> OutpaintResult:
    """Go on with a film that was stopped: what is finished is kept; a finished film stays as it is.

    Raises StorageError or InputError if the folder holds no outpaint, or the film has changed since it was begun.
    """
    places = open_film_folder(folder)
    if not places.settings.is_file():
        raise StorageError(f"{folder} holds no outpaint", "Give the folder that holds its settings and plan")
    checked = check_outpaint(orders_of_file(places.settings, {})[0])
    return _Outpaint(checked, places, report, cancelled, device).make()


def preview_outpaint(
    order: OutpaintOrder, report: Report, cancelled: CancelCheck, device: str = "", frame: int = 0
) -> tuple[dict[str, Path], FilmPlaces]:
    """Before, canvas, mask and after of one frame of a film, as pictures in a folder of their own. frame: which one.

    Raises as `make_outpaint`, and InputError for a frame that the film has not.
    """
    checked = check_outpaint(order.definite())
    settings = _settings_of(checked)
    places = film_folder(settings, datetime.now())
    report(Event("started", str(places.folder)))
    looks = look_at_one(checked, places.folder, frame)
    with opened_backend(settings, report, device) as backend:
        made = looks.rendered(backend, report, cancelled)
    files = {name: places.named(f"_{name}.png") for name in made.pictures()}
    for name, picture in made.pictures().items():
        write_png(files[name], picture)
    report(Event("film_done", str(places.folder)))
    return files, places


def _settings_of(checked: Checked) -> Settings:
    return film_settings(checked.order.settings, checked.planner.length, checked.layout)


@dataclass(frozen=True)
class _Outpaint:
    """One film being outpainted. looked: tenths of the film that were looked through, as told last."""

    checked: Checked
    places: FilmPlaces
    report: Report
    cancelled: CancelCheck
    device: str
    looked: list[int] = field(default_factory=lambda: [0])

    def make(self) -> OutpaintResult:
        """Do what is missing, and tidy up when the film is whole."""
        with folder_lock(self.places.folder):
            finished = self._finished()
            if finished is not None:
                return self._result(finished)
            self.places.clips.mkdir(exist_ok=True)
            for folder in (self.places.folder, self.places.clips):
                remove_leftovers(folder)
            self.report(Event("started", str(self.places.folder)))
            facts = self._facts()
            region = self.checked.region()
            region.check(len(facts.times))
            canvas = self.checked.canvas(self.places.clips)
            painting = Painting(Source(self.checked.order.film, facts.times), self.checked.layout, region, canvas)
            plan = self._render(self._plan(facts, painting), facts, painting)
        self.report(Event("film_done", str(self.places.film)))
        return self._result(plan)

    def _finished(self) -> Plan | None:
        """The plan of a film that was finished with these settings, and is still there."""
        if not (self.places.plan.is_file() and self.places.film.is_file()):
            return None
        plan = read_plan(self.places.plan)
        return plan if plan.resolved.get(FINISHED) == fingerprint(plan, self.checked.order.as_values()) else None

    def _facts(self) -> Facts:
        """The film's times and scenes, from the folder if it was looked through before. Raises StorageError."""
        path, film = self.places.named("_source.npz"), self.checked.order.film
        film_hash = file_hash(film)
        facts = read_facts(path, film_hash)
        if facts is None:
            if self.places.plan.is_file():
                message = f"{film} has changed since it was outpainted into {self.places.folder}"
                raise StorageError(message, "Put the film back, or outpaint it anew")
            self.report(Event("looking", "Finding the film's frames and scenes"))
            # The detector's network is not right on other GPUs than CUDA's.
            detects_on = self.device if self.device.startswith("cuda") else "cpu" if self.device else ""
            facts = look_through(self.checked.order, self._seen, self.cancelled, detects_on)
            write_facts(path, facts, film_hash)
        return facts

    def _seen(self, frames: int) -> None:
        expected = max(1, self.checked.planner.length.frames)
        tenth = 10 * frames // expected
        if tenth > self.looked[0]:
            self.looked[0] = tenth
            self.report(Event("looking", f"Finding the film's frames and scenes: {min(100, 10 * tenth)} %"))

    def _plan(self, facts: Facts, painting: Painting) -> Plan:
        """The film's plan, from the folder if it was made before."""
        if self.places.plan.is_file():
            plan = read_plan(self.places.plan)
            check_room_for_rest(plan, self.places.clips)
            return plan
        length = FilmLength(len(facts.times), facts.times.fps.limit_denominator(LARGEST_RATE_PART))
        planner = replace(self.checked.planner, length=length)
        captions = self._captions(planner, facts, painting)
        plan = planner.plan(facts.scenes, captions, (*self.checked.notes, *facts.notes))
        check_free_space(self.places.folder, plan.disk_bytes)
        write_text(self.places.plan, plan_text(plan))
        return plan

    def _captions(self, planner: Planner, facts: Facts, painting: Painting) -> Mapping[int, str]:
        """What the middle frame of each chunk shows, in words; nothing without a caption model."""
        if not self.checked.caption:
            return {}
        chunks = planner.chunks(facts.scenes)

        def pictures() -> Iterator[tuple[int, Picture]]:
            for number, chunk in enumerate(chunks):
                middle = (chunk.start + chunk.end) // 2
                yield number, next(painting.source.frames(middle, middle + 1))

        def said(number: int) -> None:
            self.report(Event("captions", f"Captions: {number + 1} of {len(chunks)} chunks"))
            if self.cancelled():
                raise stopped()

        device = self.device or self.checked.order.settings.device
        return captions_of(self.checked.caption, device, pictures(), said)

    def _render(self, plan: Plan, facts: Facts, painting: Painting) -> Plan:
        with opened_backend(_settings_of(self.checked), self.report, self.device) as backend:
            plan = self._resolved(plan, backend)
            store = ClipStore(self.places.clips, plan)
            progress = Progress(plan, self._reported)
            progress.say("ready", message=environment_words(plan))
            work = ChunkWork(painting, store, self.checked.order.settings.match_colour)
            options = self._coded(facts)
            assembler = OutpaintAssembler(plan, options, self.places.sheet, work, self.cancelled)
            with assembler:
                job = ChainJob(plan, backend, store, progress, self.cancelled, assembler.clip_ready, work.request)
                LocalExecutor().run(job, plan.chains())
                progress.say("encoding")
        made = replace(read_plan(self.places.plan), seams=assembler.seams)
        self._tidy_up(made)
        return made

    def _coded(self, facts: Facts) -> TimedOptions:
        checked = self.checked
        return TimedOptions(
            path=self.places.film,
            source=checked.order.film,
            times=facts.times,
            tags=checked.tags,
            width=checked.layout.width,
            height=checked.layout.height,
            quality=checked.order.settings,
        )

    def _resolved(self, plan: Plan, backend: Backend) -> Plan:
        """The plan with what this machine renders with, and the memory profile, now that others have freed theirs."""
        name = self.checked.order.settings.backend
        plan = replace(plan, resolved={**plan.resolved, "backend": name, **backend.resolve(plan)})
        plan = replace(plan, resolved={**plan.resolved, **backend.settle_memory(plan, self._keep)})
        write_text(self.places.plan, plan_text(plan))
        return plan

    def _keep(self, values: dict[str, Any]) -> None:
        """Write what has to be otherwise from now on into the plan, so that an outpaint that goes on begins with it."""
        plan = read_plan(self.places.plan)
        write_text(self.places.plan, plan_text(replace(plan, resolved={**plan.resolved, **values})))

    def _reported(self, event: Event) -> None:
        """Pass an event on; its preview also lies beside the film while that is made."""
        if event.preview is not None:
            write_png(self.places.preview, event.preview)
        self.report(event)

    def _tidy_up(self, made: Plan) -> None:
        self.places.preview.unlink(missing_ok=True)
        finished = {**made.resolved, FINISHED: fingerprint(made, self.checked.order.as_values())}
        write_text(self.places.plan, plan_text(replace(made, resolved=finished)))
        if not self.checked.order.settings.keep_clips:
            shutil.rmtree(self.places.clips)

    def _result(self, plan: Plan) -> OutpaintResult:
        of_seams = seam_notes(plan.seams, plan.fps) if self.checked.order.settings.backend == "wan" else ()
        places = self.places
        return OutpaintResult(
            places.folder, places.film, places.plan, places.settings, places.sheet, (*plan.notes, *of_seams)
        )
