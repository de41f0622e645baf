"""What the language model is told: the rules of a storyboard, the lengths its film's model makes, the user's text."""

from __future__ import annotations

from wan_engine.storyboard.lengths import Lengths
from wan_engine.storyboard.planner import Ask
from wan_engine.words import counted

Messages = list[dict[str, str]]

_RULES = """You plan films that an image-to-video model renders shot by shot. Each shot (segment) runs from one still \
picture (keyframe) to the next: its last keyframe is the first keyframe of the segment after it, so there are no cuts. \
The models that draw the keyframes and render the shots see one description at a time and remember nothing.

* Tell the whole text in order, and nothing that is not in it.
* A keyframe describes one frozen moment: who is where, in which pose, what surrounds them, how it is framed. No \
motion, no sound, no names without a look.
* A prompt describes what moves between the two keyframes of its segment, in one or two plain sentences in the present.
* What all segments share belongs into style, characters and continuity; it is added to each of them.
* Name characters in every segment and keyframe in which they are seen, by exactly the name you gave them.
* Write in English, unless the text asks otherwise; no backticks, no camera brands, no lists."""

_ENHANCE = """You improve prompts for a text-to-video model. Keep everything that the prompt says, and add in one \
paragraph of at most 80 words what can be seen: subject, surroundings, light, motion, camera, style. Add no story, no \
sound, no text in the picture. Answer in English, unless the prompt names another language."""


def story_messages(ask: Ask, lengths: Lengths) -> Messages:
    """The messages that ask for a storyboard."""
    step, short, most = (float(each) for each in (lengths.step, lengths.short, lengths.most))
    wanted = [
        f"The video model makes segments of {short:g} to {most:g} seconds, in steps of {step:g}; "
        f"{float(lengths.usual):g} is usual."
    ]
    if ask.seconds:
        wanted.append(f"The whole film has {ask.seconds:g} seconds.")
    if ask.segments:
        wanted.append(f"Make exactly {counted(ask.segments, 'segment')}.")
    return [
        {"role": "system", "content": _RULES},
        {"role": "user", "content": f"{' '.join(wanted)}\n\nThe text:\n\n{ask.text}"},
    ]


def enhance_messages(prompt: str) -> Messages:
    """The messages that ask for a richer prompt."""
    return [{"role": "system", "content": _ENHANCE}, {"role": "user", "content": prompt}]
