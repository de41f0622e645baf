"""Settings and the models at hand become a Plan, or one error that holds everything that is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wan_engine.errors import InputError, ProblemList
from wan_engine.families import Lineup
from wan_engine.plan.canvas import Canvas, choose_canvas
from wan_engine.plan.chain import Piece, lay_pieces
from wan_engine.plan.continuity import Joining, joining_problems
from wan_engine.plan.distilled import with_preset
from wan_engine.plan.inside import with_inside
from wan_engine.plan.loras import check_loras, clip_loras
from wan_engine.plan.model import Clip, Plan, Repair
from wan_engine.plan.needs import disk_bytes
from wan_engine.plan.notes import plan_notes, repair_notes
from wan_engine.plan.pace import Pace, paces
from wan_engine.plan.pictures import StartPicture, guided_problems, pictures_by_frame, start_problems
from wan_engine.plan.refusals import no_common_rate, no_models, no_repair
from wan_engine.plan.repairs import REPAIR_PART, Window, window
from wan_engine.plan.stretches import stretches
from wan_engine.schedule.film_schedule import FilmSchedule, read_schedule
from wan_engine.schedule.keyed import NumberSchedule
from wan_engine.schedule.seeds import part_seed
from wan_engine.settings import Settings, parse_fps


def build_plan(settings: Settings, lineup: Lineup, loras: Mapping[str, str] | None = None) -> Plan:
    """The film that these settings and models make. `settings.seed` is fixed: 0 or more (ValueError otherwise).

    loras: paths of the LoRAs that are there, by name.
    Raises InputError with every problem of the settings, then CapabilityError where the models cannot do what is
    asked. Reads no media: of pictures and films only that their files are there.
    """
    if settings.seed < 0:
        raise ValueError("the seed must be fixed before planning; see schedule.seeds.fixed_seed")
    asked, settings = settings, with_preset(settings)
    library = loras or {}
    schedule = _checked_schedule(settings, library)
    if not lineup.cards:
        raise no_models()
    pace, pieces = _paced_pieces(settings, schedule, lineup)
    canvas = choose_canvas(settings, tuple(dict.fromkeys(lineup.card(piece.mode).family for piece in pieces)))
    maker = _ClipMaker(settings, schedule, lineup, canvas, pace, library)
    clips = tuple(maker.clip(index, piece) for index, piece in enumerate(pieces))
    plan = Plan(
        fps=pace.film_fps,
        model_fps=pace.model_fps,
        frames=settings.max_frames,
        width=canvas.width,
        height=canvas.height,
        resample=settings.resample,
        image_fit=settings.image_fit,
        clips=clips,
        notes=(*schedule.notes, *canvas.notes, *plan_notes(asked, pace, pieces, clips)),
        models={clip.mode: lineup.card(clip.mode).name for clip in clips},
        seed=settings.seed,
        seam_retries=settings.seam_retries,
        seam_repair=settings.seam_repair,
    )
    plan = _with_repairs(plan, maker, pieces) if settings.seam_repair == "vace" else plan
    return replace(plan, disk_bytes=disk_bytes(plan.calls, canvas, plan.seam_retries))


def _with_repairs(plan: Plan, maker: _ClipMaker, pieces: Sequence[Piece]) -> Plan:
    """The plan with what VACE is asked for at each seam that may be mended. Raises CapabilityError without VACE."""
    if not maker.lineup.can("vace"):
        raise no_repair(maker.lineup)
    native = maker.lineup.card("vace").family.native_frames
    repairs, short = [], []
    for frame in (frame for frame, join in plan.joins().items() if join.kind != "cut"):
        before, clip = plan.beside(frame)
        found = window(before, clip, maker.settings.repair_frames, native)
        if found is None:
            short.append(frame)
        else:
            repairs.append(maker.repair(frame, clip, pieces[clip.index], found))
    notes = (*plan.notes, *repair_notes(repairs, short))
    return replace(plan, repairs=tuple(repairs), notes=notes)


def _checked_schedule(settings: Settings, library: Mapping[str, str]) -> FilmSchedule:
    problems = ProblemList()
    for problem in (*start_problems(settings), *joining_problems(settings)):
        problems.add(problem)
    try:
        schedule = read_schedule(settings)
    except InputError as error:
        problems.extend(error)
        raise InputError(problems) from error
    for problem in guided_problems(settings, schedule.images):
        problems.add(problem)
    try:
        check_loras(schedule, library)
    except InputError as error:
        problems.extend(error)
    problems.raise_if_any()
    return schedule


def _paced_pieces(settings: Settings, schedule: FilmSchedule, lineup: Lineup) -> tuple[Pace, list[Piece]]:
    """The clips at the rate that all families they use share; the rate decides where long prompts are split."""
    every = stretches(schedule.prompts.spans, pictures_by_frame(settings, schedule.images), settings.loop)
    joining = Joining.of(settings)
    chosen = parse_fps(settings.model_fps)
    for pace in paces(settings, lineup):
        places = with_inside(every, settings.inner_images, joining, pace)
        pieces = lay_pieces(places, joining, pace)
        used = {lineup.card(piece.mode).family.fps for piece in pieces}
        if chosen or used == {pace.model_fps}:
            return pace, pieces
    raise no_common_rate(lineup)


@dataclass(frozen=True)
class _ClipMaker:
    """Gives each piece the schedule's values at its first film frame, or its family's own."""

    settings: Settings
    schedule: FilmSchedule
    lineup: Lineup
    canvas: Canvas
    pace: Pace
    loras: Mapping[str, str]

    def clip(self, index: int, piece: Piece) -> Clip:
        """The finished clip."""
        schedule, frame = self.schedule, piece.start
        family = self.lineup.card(piece.mode).family
        span = schedule.prompts.spans[piece.prompt]
        prompt = schedule.prompts.at(frame)
        guidance_2 = family.guidance_scale_2
        if guidance_2 is not None:
            guidance_2 = _value(schedule.guidance_scale_2, frame, guidance_2)
        start, end = piece.first_picture or StartPicture(), piece.last_picture or StartPicture()
        return Clip(
            index=index,
            start=piece.start,
            end=piece.end,
            mode=piece.mode,
            frames=piece.frames,
            intervals=piece.intervals,
            arrives=piece.arrives,
            prompt=prompt.positive,
            negative=prompt.negative,
            seed=part_seed(schedule.seeds[piece.prompt], piece.part),
            steps=int(_value(schedule.steps, frame, family.steps)),
            guidance_scale=_value(schedule.guidance_scale, frame, family.guidance_scale),
            guidance_scale_2=guidance_2,
            flow_shift=self.settings.flow_shift or family.flow_shift(self.canvas.width, self.canvas.height),
            sampler=schedule.sampler.at(frame),
            continuity=piece.way,
            chain=piece.chain,
            start_image=start.image,
            init_video=start.video,
            end_image=end.image,
            part=piece.part,
            parts=piece.parts,
            key=span.key,
            loras=clip_loras(schedule, frame, self.loras),
            overlap=piece.overlap,
            overlap_noise=self.settings.overlap_noise if piece.overlap else 0,
            hold_colour=self.settings.hold_colour and piece.starts_from != "text",
            pictures=piece.inside,
            pin_colour=self.settings.pin_colour if piece.starts_from == "clip" and piece.part else 0.0,
            loops=end.film_start,
        )

    def repair(self, frame: int, clip: Clip, piece: Piece, found: Window) -> Repair:
        """The mending of the seam in front of a clip, with the clip's text and the values for VACE at its start."""
        changed = math.ceil(found.lead / self.pace.rate)
        asked = replace(
            piece,
            mode="vace",
            way="overlap",
            overlap=found.before,
            intervals=found.frames - found.before,
            starts_from="text",
            first_picture=None,
            last_picture=None,
            spare=0,
            inside=(),
        )
        made = self.clip(clip.index, asked)
        start, end = frame - changed, frame + changed
        seed = part_seed(clip.seed, REPAIR_PART)
        return Repair(frame, found, replace(made, start=start, end=end, arrives=end, seed=seed, chain=clip.chain))


def _value(schedule: NumberSchedule | None, frame: int, own: float) -> float:
    return own if schedule is None else schedule.at(frame)
