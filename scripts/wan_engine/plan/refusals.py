"""The words in which planning refuses: what the models cannot do, and what can be done instead."""

from __future__ import annotations

from wan_engine.errors import CapabilityError, InputError, Problem, WanError
from wan_engine.families import Lineup
from wan_engine.plan.continuity import Continuity, Start, can_arrive
from wan_engine.plan.stretches import Stretch


def no_models() -> CapabilityError:
    """There is no model at all."""
    return CapabilityError("there is no model to render with", "Set model to the folder of a model")


def no_start(lineup: Lineup, continuity: Continuity, stretch: Stretch, start: Start) -> CapabilityError:
    """A clip of this stretch cannot start as it should."""
    able = f"the models here do {lineup.words()} only"
    where = f"from frame {stretch.start} on"
    if start == "clip":
        needs = "image-to-video" if continuity.name == "last_frame" else "masked-video-to-video or image-to-video"
        message = f"continuity {continuity.name} needs {needs} {where}, and {able}"
        return CapabilityError(message, "Set i2v_model, or set continuity to auto or cut to join clips by hard cuts")
    if start == "text" and stretch.start == 0:
        message = f"the film starts from its prompt alone, which needs text-to-video, and {able}"
        remedy = "Give init_image, init_video or a guided image for frame 0, or set model to a text-to-video model"
        return CapabilityError(message, remedy)
    if start == "text":
        message = f"continuity {continuity.name} starts a clip from its prompt alone {where}, which needs text-to-video"
        remedy = "Set continuity to auto, or set model to a text-to-video model"
        return CapabilityError(f"{message}, and {able}", remedy)
    name = stretch.first_picture.name if stretch.first_picture else "a picture"
    if stretch.last_picture and lineup.can("flf2v"):
        message = (
            f"frames {stretch.start} to {stretch.arrives} are more than one clip between two pictures can span, and "
            f"going on from a picture without arriving at the next needs image-to-video; {able}"
        )
        return CapabilityError(message, "Set i2v_model, or give a guided image in between")
    message = f"{name} starts a clip, which needs image-to-video, and {able}"
    return CapabilityError(message, f"Set i2v_model, or remove {name}")


def no_arrival(lineup: Lineup, continuity: Continuity, stretch: Stretch) -> WanError:
    """The film cannot arrive at this stretch's last picture, and a cut to it is impossible or was refused."""
    name = stretch.last_picture.name if stretch.last_picture else "the picture"
    film_start = stretch.last_picture is not None and stretch.last_picture.film_start
    if not can_arrive(lineup):
        message = f"arriving at {name} needs first-last-frame-to-video, and the models here do {lineup.words()} only"
        other = f"remove {name}" if stretch.ends_film_on_picture else "set continuity to auto to cut to the picture"
        other = "switch loop off" if film_start else other
        return CapabilityError(message, f"Set flf2v_model, or {other}")
    message = f"with continuity {continuity.name} the clip from frame {stretch.start} on has no picture to start from"
    remedy = "switch loop off" if film_start else f"remove {name}"
    remedy = f"Set continuity to auto, give a guided image for frame {stretch.start}, or {remedy}"
    return InputError(Problem(f"{message}, so it cannot arrive at {name}", remedy, field="continuity"))


def no_repair(lineup: Lineup) -> CapabilityError:
    """Seams are to be mended by a model that is not there."""
    message = f"seam_repair vace needs masked-video-to-video, and the models here do {lineup.words()} only"
    return CapabilityError(message, "Set vace_model, or set seam_repair to cross_fade or none")


def no_room(stretch: Stretch) -> InputError:
    """A clip from text and one that arrives at the picture need a frame of film each."""
    name = stretch.last_picture.name if stretch.last_picture else "the picture"
    message = f"there is too little film before {name} to start from the prompt and to arrive there"
    remedy = "Give a start picture too, or make the film longer"
    return InputError(Problem(message, remedy, field="max_frames"))


def no_common_rate(lineup: Lineup) -> CapabilityError:
    """The families in use were trained at different frame rates."""
    rates = ", ".join(f"{family.label} {family.fps}" for family in lineup.families)
    message = f"the models of this film make different numbers of frames a second ({rates})"
    return CapabilityError(message, "Use models of one rate, or set model_fps to the rate at which all are played")
