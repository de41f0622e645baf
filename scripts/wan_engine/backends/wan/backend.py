"""Renders clips with the models of a line-up: chooses device and precision, loads what is needed, starts runs."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wan_engine.backends import Backend, Changed, ClipRequest, RunState
from wan_engine.backends.wan.conditions import Conditions, make_conditions, needs_negative
from wan_engine.backends.wan.forward import CompiledBlocks, Forward
from wan_engine.backends.wan.guard import guarded
from wan_engine.backends.wan.loras import ClipLoras
from wan_engine.backends.wan.memory import ClipMemory
from wan_engine.backends.wan.parts import ModelLoader, Models
from wan_engine.backends.wan.run import WanRun
from wan_engine.backends.wan.texts import Texts
from wan_engine.errors import CapabilityError
from wan_engine.families import MODE_WORDS, MODES, Lineup, Mode, ModelCard
from wan_engine.models.attempts import Attempt
from wan_engine.models.attention_choice import choose_attention, set_attention
from wan_engine.models.compiling import Compiling, choose_compiling, kept_compiling
from wan_engine.models.devices import choose_device, choose_dtype
from wan_engine.models.files import fingerprint
from wan_engine.models.memory.allocator import grow_in_place
from wan_engine.models.memory.choose import Choice, choose
from wan_engine.models.memory.measure import measure
from wan_engine.models.memory.needs import Clip as AskedClip
from wan_engine.models.memory.needs import Weights
from wan_engine.models.memory.outlook import asked_clips, film_needs
from wan_engine.models.memory.place import Placer, release
from wan_engine.models.memory.profiles import FAST, PROFILES, Profile, profile_of
from wan_engine.models.model_set import open_model
from wan_engine.models.speed import forward_seconds, matrix_rate
from wan_engine.plan.model import Clip, Plan

_SMALL_BYTES = 100_000_000
"""Models below this run on one thread. A second one gained nothing at 64x64 on an idle machine of two cores, and made a
clip about twenty times slower beside another busy program (7 s against 0.3 s): each small operation waits for both."""


@dataclass(frozen=True)
class Options:
    """How models run, as in the settings of the same names; `auto` takes what the plan was resolved with, else what
    suits this machine.

    prompts: folder where encoded prompts are kept; None keeps none.
    """

    device: str = "auto"
    dtype: str = "auto"
    memory_profile: str = "auto"
    fp8_weights: bool = False
    attention: str = "auto"
    compile: str = "auto"
    prompts: Path | None = None


@dataclass
class _Session:
    """What is loaded: from the first clip, or from `resolve`, to `close`.

    compiled: of `Compiling.frames`; None while no plan is settled, then as set.
    """

    loader: ModelLoader
    placer: Placer
    texts: Texts
    attention: str
    blocks: CompiledBlocks
    compiled: tuple[int, ...] | None = None


class WanBackend(Backend):
    """Wan models through diffusers. Models are loaded at the first clip that needs them and shared where they can be.

    say: tells the user a sentence, such as that the memory was too small.
    """

    def __init__(
        self,
        lineup: Lineup,
        options: Options | None = None,
        say: Callable[[str], None] = lambda sentence: None,
        models: Models | None = None,
    ) -> None:
        self._lineup = lineup
        self._options = options or Options()
        self._say = say
        self._models = models or Models()
        self._session: _Session | None = None
        self._weights: dict[tuple[ModelCard, ...], Weights] = {}

    def resolve(self, plan: Plan) -> dict[str, Any]:
        """What this machine renders with. Sets torch's thread count: another one rounds differently.

        Raises CapabilityError for a device or a kernel that is asked for and not there, ModelError for a damaged model.
        """
        import torch

        session = self._settle(plan.resolved)
        loader = session.loader
        cards = self._cards(plan)
        small = all(card.weights_bytes < _SMALL_BYTES for card in cards.values())
        threads = plan.resolved.get("threads") or (1 if small else torch.get_num_threads())
        torch.set_num_threads(threads)
        loras = sorted({lora.path for clip in plan.calls for lora in clip.loras})
        hashes = {card: open_model(card).fingerprint() for card in set(cards.values())}
        return {
            "device": loader.device,
            "device_name": _device_name(loader.device),
            "dtype": loader.dtype,
            "fp8_weights": self._options.fp8_weights,
            "threads": threads,
            "attention": session.attention,
            "models": {mode: {"name": card.name, "sha256": hashes[card]} for mode, card in cards.items()},
            "loras": {path: fingerprint({"lora": Path(path)}) for path in loras},
            "versions": {name: version(name) for name in ("torch", "diffusers", "transformers")},
        }

    def settle_memory(self, plan: Plan, changed: Changed = lambda values: None) -> dict[str, Any]:
        """Choose the memory profile by what is free now, and learn which texts will be wanted.

        A film that goes on keeps its profile on the same kind of device, also one that a full memory made it take.
        Raises ModelError for a damaged model.
        """
        session = self._session or self._settle(plan.resolved)
        for clip in plan.calls:
            if self._lineup.can(clip.mode):
                texts = [clip.prompt, clip.negative] if needs_negative(clip) else [clip.prompt]
                session.texts.expect(self._lineup.card(clip.mode), texts)
        choice = self._choose(plan, session)
        if choice.warning:
            self._say(choice.warning)
        session.placer.change(choice.profile)
        session.placer.to_come = sum(self._weigh(session, self._cards(plan).values()).transformers)
        on_cpu = session.loader.device == "cpu"
        session.placer.stepped = lambda profile: changed(_told(profile, "taken when the memory was full", on_cpu))
        compiling = self._choose_compiling(plan, session, choice.profile)
        session.compiled = compiling.frames
        decided = {"compiled": list(compiling.frames), "compile": compiling.reason}
        return _told(choice.profile, choice.reason, on_cpu) | decided

    def start(self, request: ClipRequest, state: RunState | None = None) -> WanRun:
        """Begin a clip or go on with one. Raises CapabilityError, ModelError, RenderError or OutOfMemoryError."""
        clip = request.clip
        if not self._lineup.can(clip.mode):
            message = f"clip {clip.index} needs {MODE_WORDS[clip.mode]}; the models can do {self._lineup.words()}"
            raise CapabilityError(message, f"Set a model that can do {MODE_WORDS[clip.mode]}")
        session, card = self._session or self._settle({}), self._lineup.card(clip.mode)
        memory = ClipMemory(session.placer, self._weigh(session, [card]), _asked(request), self._say)
        embeddings = memory.attempt(f"encoding the texts of clip {clip.index}", lambda: _encode(session, card, clip))
        words = f"loading the model for {MODE_WORDS[clip.mode]}"
        pipeline = memory.attempt(words, lambda: _pipeline(session, card, clip.mode))
        with guarded(f"loading the LoRAs of clip {clip.index}"):
            loras = ClipLoras(pipeline, clip, session.loader.dtype, card.name)

        def conditions() -> Conditions:
            memory.for_encoding(pipeline)
            return make_conditions(pipeline, request, *embeddings, session.loader.device)

        given = memory.attempt(f"preparing clip {clip.index}", conditions)
        forward = Forward(loras, memory, session.blocks, self._compiles(session, clip.frames))
        run = WanRun(pipeline, request, given, forward, memory)
        if state is not None:
            run.go_on_from(state)
        return run

    def attempts(self) -> tuple[Attempt, ...]:
        """The components that were loaded, or failed to load, since this was last asked."""
        return self._session.loader.attempts.take() if self._session is not None else ()

    @property
    def profile(self) -> Profile | None:
        """The memory profile it works under now; None before anything is decided."""
        return self._session.placer.profile if self._session is not None else None

    def close(self) -> None:
        """Give the models' memory back. The backend can be used again: it loads anew."""
        if self._session is not None:
            device = self._session.loader.device
            self._session.texts.clear()
            self._session.blocks.close()
            self._session.loader.close()
            self._session = None
            release(device)

    def _settle(self, resolved: dict[str, Any]) -> _Session:
        """A loader for the device and the number format that the plan was resolved with, as far as they are here."""
        options = self._options
        device = choose_device(options.device) if options.device != "auto" else _still_here(resolved.get("device"))
        dtype = choose_dtype(options.dtype if options.dtype != "auto" else resolved.get("dtype", "auto"), device)
        there = self._session
        if there is None or (there.loader.device, there.loader.dtype) != (device, dtype):
            self.close()
            grow_in_place(device)
            asked = FAST if options.memory_profile == "auto" else profile_of(options.memory_profile)
            placer = Placer(device, asked, options.fp8_weights, dtype)
            loader = self._models.make_loader(device, dtype, placer)
            attention = choose_attention(options.attention, device, dtype)
            texts = Texts(loader, placer, self._models.fingerprints, options.prompts)
            there = _Session(loader, placer, texts, attention, CompiledBlocks(self._say))
            self._session = there
        return there

    def _choose(self, plan: Plan, session: _Session) -> Choice:
        asked = self._options.memory_profile
        before = plan.resolved.get("memory_profile")
        names = [profile.name for profile in PROFILES]
        if before in names and plan.resolved.get("device") == session.loader.device:
            # One that was set and proved too much for the memory is not tried again.
            asked = before if asked == "auto" else max(asked, before, key=names.index)
        weights = self._weigh(session, self._cards(plan).values())
        device = session.loader.device
        return choose(asked, device, measure(device), film_needs(weights, asked_clips(plan)))

    def _choose_compiling(self, plan: Plan, session: _Session, profile: Profile) -> Compiling:
        device, dtype = session.loader.device, session.loader.dtype
        kept = kept_compiling(plan.resolved.get("compiled"), plan.calls)
        if kept is not None and plan.resolved.get("device") == device:
            return kept
        weights = self._weigh(session, self._cards(plan).values())

        @cache
        def rate() -> float:
            return matrix_rate(device, dtype)

        def seconds(frames: int) -> float:
            return forward_seconds(weights, AskedClip(plan.width, plan.height, frames), rate())

        return choose_compiling(self._options.compile, device, profile, plan.calls, seconds)

    def _compiles(self, session: _Session, frames: int) -> bool:
        return self._options.compile == "on" if session.compiled is None else frames in session.compiled

    def _weigh(self, session: _Session, cards: Iterable[ModelCard]) -> Weights:
        loader, of = session.loader, tuple(dict.fromkeys(cards))
        if of not in self._weights:
            on_cpu = loader.device == "cpu"
            self._weights[of] = self._models.weigh(of, loader.dtype, on_cpu, self._options.fp8_weights)
        return self._weights[of]

    def _cards(self, plan: Plan) -> dict[Mode, ModelCard]:
        modes = {clip.mode for clip in plan.calls}
        return {mode: self._lineup.card(mode) for mode in MODES if mode in modes and self._lineup.can(mode)}


def _told(profile: Profile, reason: str, on_cpu: bool) -> dict[str, Any]:
    """What the plan keeps of a profile. What each means for a GPU is left out on a CPU."""
    return {"memory_profile": profile.name, "memory": reason if on_cpu else f"{profile.words}; {reason}"}


def _encode(session: _Session, card: ModelCard, clip: Clip) -> tuple[Any, Any]:
    """The embeddings of a clip's texts; the second is None without guidance."""
    prompt = session.texts.encode(card, clip.prompt)
    return prompt, session.texts.encode(card, clip.negative) if needs_negative(clip) else None


def _pipeline(session: _Session, card: ModelCard, mode: Mode) -> Any:
    pipeline = session.loader.pipeline(card, mode)
    for transformer in filter(None, (pipeline.transformer, pipeline.transformer_2)):
        set_attention(transformer, session.attention)
    return pipeline


def _asked(request: ClipRequest) -> AskedClip:
    return AskedClip(request.width, request.height, request.clip.frames, request.clip.mode)


def _still_here(device: str | None) -> str:
    """The device if this machine has it, else this machine's best."""
    try:
        return choose_device(device or "auto")
    except CapabilityError:
        return choose_device("auto")


def _device_name(device: str) -> str:
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    if device.startswith("xpu"):
        return str(torch.xpu.get_device_name(device))
    return platform.processor() or platform.machine()
