"""Reads a long prompt as people write them: scenes, sentences, durations, and lines such as `Style: ...`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from wan_engine.schedule.storyboard import Character


@dataclass
class Scene:
    """One scene of a text. place: of its heading.  seconds: of the whole scene, None if not said."""

    place: str = ""
    seconds: Fraction | None = None
    camera: str = ""
    sentences: list[Sentence] = field(default_factory=list)


@dataclass
class Sentence:
    """One sentence, or a few short ones. seconds: None if not said."""

    words: str
    seconds: Fraction | None = None
    camera: str = ""

    @property
    def weight(self) -> Fraction:
        """How much happens in it: its number of words."""
        return Fraction(max(1, len(self.words.split())))


@dataclass
class SceneText:
    """What a text holds. seconds: of the whole film, None if not said."""

    scenes: list[Scene] = field(default_factory=list)
    title: str = ""
    style: str = ""
    continuity: str = ""
    seconds: Fraction | None = None
    characters: list[Character] = field(default_factory=list)


_LABELS = {
    "title": "title",
    "style": "style",
    "look": "style",
    "continuity": "continuity",
    "setting": "continuity",
    "character": "characters",
    "characters": "characters",
    "cast": "characters",
    "camera": "camera",
    "duration": "seconds",
    "length": "seconds",
}
_LABEL = re.compile(rf"\s*(?:[-*]\s+)?({'|'.join(_LABELS)})\s*:\s*(.+)", re.IGNORECASE)
_HEADING = re.compile(
    r"\s*(?:#+\s*)?(?:scene|shot|act|chapter|part|segment|sequence|clip)\s+(?:[0-9]+|[ivx]+|one|two|three|four|five|six)"
    r"\b[\s.:)\-–—]*(.*)",
    re.IGNORECASE,
)
_SLUG = re.compile(r"\s*(?:[0-9]+[.)]?\s+)?(?:INT\.?/EXT|INT|EXT|I/E)[.\s]\s*(.+)")
_CUT = re.compile(
    r"\s*(?:-{3,}|\*{3,}|={3,}|(?:cut|dissolve|smash cut|match cut) to[:.]?|fade (?:in|out)[:.]?)\s*", re.IGNORECASE
)
_ITEM = re.compile(r"\s*(?:[-*•]|[0-9]{1,3}[.)])\s+")
_UNIT = r"(?:s|sec|secs|second|seconds)"
_BRACKETED = re.compile(rf"\s*[(\[]\s*(?:for\s+)?([0-9]+(?:[.,][0-9]+)?)\s*{_UNIT}\.?\s*[)\]]", re.IGNORECASE)
_SPAN = re.compile(r"\s*[(\[]?\b([0-9]{1,2}):([0-9]{2})\s*(?:-|–|—|to)\s*([0-9]{1,2}):([0-9]{2})\b[)\]]?:?")
_SPOKEN = re.compile(rf"\bfor\s+(?:about\s+)?([0-9]+(?:[.,][0-9]+)?)\s*{_UNIT}\b", re.IGNORECASE)
_TIME = re.compile(rf"([0-9]+(?:[.,][0-9]+)?)\s*({_UNIT}|min|minutes?)?\b", re.IGNORECASE)
_ENDS = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_a-z])|(?<=[。！？])\s*")
_ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|st|prof|vs|etc|e\.g|i\.e|no)|(?<![0-9] )\b[a-z])\.$", re.IGNORECASE)
_LEAST_WORDS = 3
_LONGEST_SCENE_SECONDS = 3600


def read_scene_text(text: str) -> SceneText:
    """What the text holds; nothing in it is an error."""
    found = SceneText(scenes=[Scene()])
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        _paragraph(found, paragraph)
    found.scenes = [scene for scene in found.scenes if scene.sentences]
    return found


def _paragraph(found: SceneText, paragraph: str) -> None:
    """Lines that mean something of their own are taken out; the others are joined to running text."""
    running: list[str] = []
    in_item = False
    for line in paragraph.split("\n"):
        if _line(found, line, running):
            in_item = _ITEM.match(line) is not None
            continue
        if in_item and line[:1].strip():  # an item goes on in lines that are indented
            _finish(found, running)
            in_item = False
        running.append(line.strip())
    _finish(found, running)


def _line(found: SceneText, line: str, running: list[str]) -> bool:
    """Whether a line means something of its own: what ran before it is then finished."""
    heading, slug = _HEADING.fullmatch(line), _SLUG.fullmatch(line)
    if heading or slug or _CUT.fullmatch(line):
        _finish(found, running)
        found.scenes.append(Scene())
        if slug:
            place, found.scenes[-1].seconds = _without_time(slug[1])
            found.scenes[-1].place = _plain_place(place)
        elif heading:
            rest, found.scenes[-1].seconds = _time_first(heading[1])
            running.extend([rest] if rest else [])
        return True
    if _LABEL.fullmatch(line):
        _finish(found, running)
        running.append(line.strip())
        _finish(found, running)
        return True
    if _ITEM.match(line):
        _finish(found, running)
        running.append(_ITEM.sub("", line, count=1).strip())
        return True
    return False


def _take(found: SceneText, name: str, value: str) -> None:
    """`name: value`. Camera and duration belong to the scene they stand in, before any to the whole film."""
    scene = found.scenes[-1]
    if name == "characters":
        found.characters.extend(_characters(value))
    elif name == "camera":
        if scene.sentences:
            scene.sentences[-1].camera = value
        else:
            scene.camera = value
    elif name == "seconds":
        seconds = _time(value)
        if len(found.scenes) == 1 and not scene.sentences:
            found.seconds = seconds
        elif scene.sentences and scene.seconds is None and scene.sentences[-1].seconds is None:
            scene.sentences[-1].seconds = seconds
        else:
            scene.seconds = seconds
    else:
        setattr(found, name, value)


def _finish(found: SceneText, running: list[str]) -> None:
    """The running text becomes sentences of the latest scene; what begins as `Style:` does ends with its sentence."""
    words = " ".join(filter(None, running))
    running.clear()
    scene = found.scenes[-1]
    for piece in _pieces(words):
        label = _LABEL.fullmatch(piece)
        if label:
            _take(found, _LABELS[label[1].lower()], label[2].strip().rstrip(".。"))
            continue
        spoken, seconds = _without_time(piece)
        if not any(char.isalnum() for char in spoken):
            continue
        sentence = Sentence(spoken, seconds)
        before = scene.sentences[-1] if scene.sentences else None
        alone = sentence.seconds is None and len(sentence.words.split()) < _LEAST_WORDS
        if before is not None and alone and not re.search(r"[。！？]", words):
            before.words = f"{before.words} {sentence.words}"
            continue
        if scene.camera:
            sentence.camera, scene.camera = scene.camera, ""
        scene.sentences.append(sentence)


def _pieces(text: str) -> list[str]:
    """The sentences of a text as they stand, each with the duration in brackets behind it."""
    pieces: list[str] = []
    for piece in filter(None, _ENDS.split(text)):
        if (pieces and _ABBREVIATION.search(pieces[-1])) or (pieces and _BRACKETED.fullmatch(piece)):
            pieces[-1] = f"{pieces[-1]} {piece}"
        else:
            pieces.append(piece)
    return pieces


def _without_time(text: str) -> tuple[str, Fraction | None]:
    """The text without the duration in it, `(3 s)` or `0:05-0:08`, and the duration; `for 3 seconds` stays as words."""
    span = _SPAN.search(text)
    if span:
        minutes, seconds, minutes_2, seconds_2 = (int(part) for part in span.groups())
        length = Fraction(60 * (minutes_2 - minutes) + seconds_2 - seconds)
        return _tidy(text[: span.start()] + " " + text[span.end() :]), length if length > 0 else None
    bracketed = _BRACKETED.search(text)
    if bracketed:
        return _tidy(text[: bracketed.start()] + text[bracketed.end() :]), _number(bracketed[1])
    spoken = _SPOKEN.search(text)
    return _tidy(text), _number(spoken[1]) if spoken else None


def _time_first(text: str) -> tuple[str, Fraction | None]:
    """A heading's words and the duration before them, which is the scene's; one behind them is a sentence's."""
    found = _SPAN.match(text) or _BRACKETED.match(text)
    seconds = _without_time(found[0])[1] if found else None
    return (text[found.end() :] if found else text).strip(" :.-–—"), seconds


def _tidy(text: str) -> str:
    return re.sub(r"\s+([.,;:!?])", r"\1", " ".join(text.split())).strip()


def _number(text: str) -> Fraction | None:
    value = Fraction(text.replace(",", "."))
    return value if 0 < value <= _LONGEST_SCENE_SECONDS else None


def _time(text: str) -> Fraction | None:
    found = _TIME.search(text)
    value = _number(found[1]) if found else None
    minutes = found is not None and (found[2] or "").lower().startswith("min")
    return value * 60 if value is not None and minutes else value


def _plain_place(place: str) -> str:
    """`KITCHEN - NIGHT` as words for a prompt: `kitchen, night`."""
    parts = (part.strip(" .") for part in re.split(r"\s+[-–—]+\s+", place))
    return ", ".join(part.lower() for part in parts if part)


def _characters(text: str) -> Iterator[Character]:
    """`Mara: a woman in yellow; Ben (an old sailor)` as names and looks."""
    for entry in text.split(";"):
        plain = entry.strip(" .)").lstrip(" -–—•*(:=,")
        name, _, look = re.sub(r"\s*[:=(–—]\s*|\s+-\s+|,\s+", "\0", plain, count=1).partition("\0")
        if name.strip(" )"):
            yield Character(name.strip(" )"), look.strip(" )"))
