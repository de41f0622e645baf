"""What a plan tells the user: what was changed, split, cut or ignored, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from wan_engine.families import Lineup
from wan_engine.plan.chain import Piece
from wan_engine.plan.continuity import can_arrive
from wan_engine.plan.model import Clip, Repair
from wan_engine.plan.pace import Pace
from wan_engine.settings import Settings
from wan_engine.words import counted

SHOWN = 8
"""Keys and frames named in one note; the rest is counted."""


def plan_notes(settings: Settings, pace: Pace, pieces: Sequence[Piece], clips: Sequence[Clip]) -> Iterator[str]:
    """The notes of a plan whose clips are laid, in the order in which they matter."""
    lineup = pace.lineup
    if settings.backend == "wan":
        yield from _noise(lineup, clips)
    if settings.continuity == "auto":  # otherwise the user asked for the cuts, or was refused
        yield from _cuts(lineup, pieces)
        yield from _jumps(lineup, pieces)
        yield from _ways(lineup, clips)
    yield from _loop(clips)
    yield from _inside(settings, lineup, clips)
    yield from _splits(clips)
    yield from _rates(settings, pace, clips)
    yield from _held(settings)
    yield from _ignored(settings, pace, clips)


def repair_notes(repairs: Sequence[Repair], short: Sequence[int]) -> Iterator[str]:
    """What mending may cost, and which seams cannot be mended: `short`, with too few frames beside them."""
    if repairs:
        frames, steps = max(each.clip.frames for each in repairs), max(each.clip.steps for each in repairs)
        cost = f"up to {frames} model frames in {counted(steps, 'step')} each"
        yield f"Of {counted(len(repairs), 'seam')} those that can be seen are mended by VACE, {cost}"
    if short:
        yield f"Seams are not mended at {_frames(short)}: the clips beside them have too few frames for VACE to see"


def _noise(lineup: Lineup, clips: Sequence[Clip]) -> Iterator[str]:
    if any(lineup.card(mode).noise for mode in {clip.mode for clip in clips}):
        yield "The pictures are noise: the model's weights are random"


def _cuts(lineup: Lineup, pieces: Sequence[Piece]) -> Iterator[str]:
    cut = [piece.start for piece in pieces[1:] if piece.starts_from == "text"]
    if cut:
        yield (
            f"Hard cuts at {_frames(cut)}: the models here do {lineup.words()}, so a clip cannot go on from the one "
            "before. Set i2v_model for that"
        )


def _ways(lineup: Lineup, clips: Sequence[Clip]) -> Iterator[str]:
    overlaps = [clip.overlap for clip in clips if clip.continuity == "overlap"]
    if overlaps:
        yield (
            f"Clips go on from the last {max(overlaps)} frames of the one before: the models here do {lineup.words()}"
        )


def _loop(clips: Sequence[Clip]) -> Iterator[str]:
    if clips[-1].loops:
        yield "The film loops: its last clip arrives at the film's first frame, which is shown after its last one"


def _inside(settings: Settings, lineup: Lineup, clips: Sequence[Clip]) -> Iterator[str]:
    frames = [picture.frame for clip in clips for picture in clip.pictures]
    if frames:
        yield f"Clips pass through the pictures at {_frames(frames)}: each stands on its own frame, and ends no clip"
    elif settings.inner_images != "never" and settings.guided_images:
        why = "no model here does masked-video-to-video" if not lineup.can("vace") else "none lies where it could"
        yield f"inner_images is ignored: {why}"


def _jumps(lineup: Lineup, pieces: Sequence[Piece]) -> Iterator[str]:
    jumps = [piece for piece in pieces if piece.jumps_to]
    without_model = [piece.end for piece in jumps if piece.starts_from != "text"]
    from_text = [piece.end for piece in jumps if piece.starts_from == "text"]
    if not can_arrive(lineup):
        without_model, from_text = [piece.end for piece in jumps], []
    if without_model:
        yield (
            f"The film cuts to its pictures at {_frames(without_model)} instead of arriving there: no model here does "
            "first-last-frame-to-video. Set flf2v_model for that"
        )
    if from_text:
        yield (
            f"The film cuts to its pictures at {_frames(from_text)} instead of arriving there: the clips before them "
            "start from their prompts alone. Give start pictures, or set continuity to last_frame"
        )


_BETWEEN = {"blend": "blended", "nearest": "taken from the nearest one", "flow": "moved along the optical flow"}


def _splits(clips: Sequence[Clip]) -> Iterator[str]:
    split = [f'"{clip.key}" into {clip.parts}' for clip in clips if clip.part == 0 and clip.parts > 1]
    if split:
        yield f"Prompts rendered as several clips: {_listed(split)}"


def _rates(settings: Settings, pace: Pace, clips: Sequence[Clip]) -> Iterator[str]:
    film, model = float(pace.film_fps), float(pace.model_fps)
    if pace.film_fps != pace.model_fps:
        between = _BETWEEN[settings.resample]
        yield (
            f"The film shows {film:g} frames a second and the model makes {model:g}: {1 / float(pace.rate):.4g} film "
            f"frames to a model frame, {between}"
        )
    for family in dict.fromkeys(pace.lineup.card(clip.mode).family for clip in clips):
        if pace.model_fps != family.fps:
            yield (
                f"{family.label} was trained at {family.fps} frames a second and is played at {model:g}: things move "
                f"{model / family.fps:.3g} times as fast"
            )


def _held(settings: Settings) -> Iterator[str]:
    if any("`" in text for text in (*settings.prompts.values(), settings.positive_prompt, settings.negative_prompt)):
        yield "Math in backticks is worked out at a clip's first frame and held for the clip"


def _ignored(settings: Settings, pace: Pace, clips: Sequence[Clip]) -> Iterator[str]:
    modes = {clip.mode for clip in clips}
    if settings.guidance_scale_2 and not any(clip.guidance_scale_2 is not None for clip in clips):
        yield "guidance_scale_2 is ignored: only the two-expert models of Wan 2.2 A14B have it"
    if settings.i2v_model and "i2v" not in modes:
        yield "i2v_model is ignored: no clip needs it"
    if settings.vace_model and "vace" not in modes and settings.seam_repair != "vace":
        yield "vace_model is ignored: no clip needs it"
    if settings.flf2v_model and "flf2v" not in modes:
        yield "flf2v_model is ignored: no clip goes between two pictures"
    yield from _ignored_joins(settings, clips)
    yield from _ignored_mending(settings, clips)
    if any(clip.negative and clip.guidance_scale <= 1 for clip in clips):
        yield "Negative prompts are ignored where guidance_scale is 1 or less"
    longest = max(pace.limit(mode) for mode in modes)
    if settings.clip_duration and pace.clip_seconds * pace.model_fps > longest:
        seconds = float(longest / pace.model_fps)
        yield f"clip_duration is longer than the model's clips, which last {seconds:.3g} s at most"


def _ignored_joins(settings: Settings, clips: Sequence[Clip]) -> Iterator[str]:
    if settings.spare_frames and all(clip.continuity == "cut" for clip in clips):
        yield "spare_frames is ignored: no clip goes on from the one before"
    if settings.continuity == "overlap" and not any(clip.overlap for clip in clips[1:]) and len(clips) > 1:
        yield "continuity overlap is not needed: every clip starts from a picture or is too short to repeat"
    shorter = [clip.start for clip in clips if clip.continuity == "overlap" and clip.overlap < settings.overlap_frames]
    if shorter:
        yield f"The overlap is shorter at {_frames(shorter)}: the clips before have too few frames"


def _ignored_mending(settings: Settings, clips: Sequence[Clip]) -> Iterator[str]:
    joined = clips[-1].loops or any(clip.continuity != "cut" for clip in clips)
    meets = any(one.end_image and one.end_image == two.start_image for one, two in pairwise(clips))
    for name, off in (("seam_retries", 0), ("seam_repair", "none")):
        if getattr(settings, name) != off and not joined and not meets:
            yield f"{name} is ignored: the film has no seams but wanted cuts"


def _frames(frames: Sequence[int]) -> str:
    return ("frame " if len(frames) == 1 else "frames ") + _listed(str(frame) for frame in frames)


def _listed(items: Iterable[str]) -> str:
    listed = list(items)
    if len(listed) > SHOWN:
        return ", ".join(listed[:SHOWN]) + f" and {len(listed) - SHOWN} more"
    return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
