"""Trains the small model's transformers by flow matching: text-to-video with its text encoder, then the others."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wan_engine.tiny.networks import CONDITIONED_CHANNELS, PAD, WORDS, make_tokenizer, make_transformer
from wan_engine.tiny.pools import CANVASES, Pool, tokens_of
from wan_engine.tiny.train_vae import Averaged, Pace

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_PIPELINE_TOKENS = 512
_FLOW_SHIFT = 3.0
_BATCH_TOKENS = 256 * 7 * 16
_PAD_TOKEN = WORDS.index(PAD)
_NO_TEXT = 0.1
"""Share of the samples that learn without a text, for guidance."""


class _PaddedText:
    """Cross-attention to a text whose last token stands for all the padding of the pipelines.

    They pad texts with zeros to 512 tokens, all of which get the same attention. One of them with its score raised by
    the logarithm of their number gives the same result in a twentieth of the time.
    """

    def __init__(self) -> None:
        from diffusers.models.transformers.transformer_wan import WanAttnProcessor

        self._inner = WanAttnProcessor()

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *rest: Any) -> torch.Tensor:
        import torch

        text = rest[0]
        score = torch.zeros(1, 1, 1, text.shape[1], device=text.device, dtype=hidden_states.dtype)
        score[..., -1] = math.log(_PIPELINE_TOKENS - text.shape[1] + 1)
        result: torch.Tensor = self._inner(attn, hidden_states, text, score, None)
        return result


def pad_cheaply(transformer: Any, cheaply: bool) -> None:
    """Let a transformer take texts of TEXT_TOKENS in place of the pipelines' 512, or no more."""
    from diffusers.models.transformers.transformer_wan import WanAttnProcessor

    for block in (*transformer.blocks, *getattr(transformer, "vace_blocks", ())):
        block.attn2.processor = _PaddedText() if cheaply else WanAttnProcessor()


def read_texts(encoder: Any, tokens: torch.Tensor) -> torch.Tensor:
    """The texts' embeddings as the pipelines make them, but of TEXT_TOKENS: padding is zero."""
    known = tokens != _PAD_TOKEN
    states = encoder(input_ids=tokens, attention_mask=known.long()).last_hidden_state
    embeddings: torch.Tensor = states * known[..., None]
    return embeddings


def velocity(transformer: Any, latents: torch.Tensor, condition: torch.Tensor | None, **rest: Any) -> torch.Tensor:
    """What a transformer of any job predicts: image-to-video takes its condition beside the latents, VACE apart.

    rest: the transformer's timestep and encoder_hidden_states.
    """
    import torch

    if condition is not None and "vace_layers" in transformer.config:
        rest["control_hidden_states"] = condition.float()
    elif condition is not None:
        latents = torch.cat([latents, condition.float()], 1)
    result: torch.Tensor = transformer(hidden_states=latents, return_dict=False, **rest)[0]
    return result


def widened(transformer: Any) -> Any:
    """An image-to-video transformer that begins as this text-to-video one: it does not look at its condition yet."""
    import torch

    wide = make_transformer(CONDITIONED_CHANNELS)
    weights = {name: weight.clone() for name, weight in transformer.state_dict().items()}
    narrow = weights["patch_embedding.weight"]
    first = torch.zeros(wide.patch_embedding.weight.shape)
    first[:, : narrow.shape[1]] = narrow.cpu()
    weights["patch_embedding.weight"] = first
    wide.load_state_dict(weights)
    return wide


@dataclass(frozen=True)
class Lesson:
    """What a transformer learns from.

    texts: the encoder, which learns too when `texts_too`.  pace: its learning rate over time.
    """

    pools: list[Pool]
    texts: Any
    texts_too: bool
    pace: Pace


def train_transformer(transformer: Any, lesson: Lesson, device: str) -> None:
    """Train in place by flow matching until the pace's time is over."""
    import torch

    steps = _Steps(transformer, lesson, device)
    shares = torch.tensor([float(share) for _, share in CANVASES])
    pad_cheaply(transformer, True)
    if steps.recorded:
        steps.record()
    start, step = time.monotonic(), 0
    while (elapsed := time.monotonic() - start) < lesson.pace.seconds:
        loss = steps.do(int(torch.multinomial(shares, 1)), lesson.pace.rate(step, elapsed))
        step += 1
        if step % 500 == 0:
            log.info("step %d: loss %.4f, %.0f s", step, loss.item(), elapsed)
    steps.finish()
    pad_cheaply(transformer, False)


class _Steps:
    """Steps of training. On a GPU the steps of a pool are recorded once and replayed, since a network this small
    would otherwise wait for its launches; not while the text encoder learns, which cannot be recorded.
    """

    def __init__(self, transformer: Any, lesson: Lesson, device: str) -> None:
        import torch

        self.recorded = device != "cpu" and not lesson.texts_too
        self._transformer = transformer
        self._lesson = lesson
        self._device = device
        self._weights = list(transformer.parameters()) + (list(lesson.texts.parameters()) if lesson.texts_too else [])
        self._rate = torch.tensor(lesson.pace.peak / 100, device=device)
        self._optimizer = torch.optim.AdamW(
            self._weights,
            lr=self._rate,
            weight_decay=0.01,
            betas=(0.9, 0.99),
            fused=device != "cpu",
            capturable=self.recorded,
        )
        self._mean = Averaged(self._weights)
        self._empty = torch.tensor(tokens_of(make_tokenizer(), [""]), device=device)
        self._known: list[torch.Tensor] = []
        if not lesson.texts_too:
            self._known = [_all_texts(lesson.texts, torch.cat([self._empty, pool.tokens])) for pool in lesson.pools]
        self._graphs: list[tuple[Any, torch.Tensor]] = []

    def record(self) -> None:
        """Record a step of each pool, after three real ones that give the optimizer its memory."""
        import torch

        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for number in [*range(len(self._lesson.pools)), 0, 1, 2]:
                self._step(number)
        torch.cuda.current_stream().wait_stream(side)
        memory = None
        for number in range(len(self._lesson.pools)):
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=memory):
                loss = self._step(number)
            memory = memory or graph.pool()
            self._graphs.append((graph, loss))

    def do(self, number: int, rate: float) -> torch.Tensor:
        """One step on a pool; gives its loss."""
        self._rate.fill_(rate)
        if self.recorded:
            graph, loss = self._graphs[number]
            graph.replay()
        else:
            loss = self._step(number)
        self._mean.update()
        return loss

    def finish(self) -> None:
        """Put the mean of the last weights into the networks."""
        self._graphs.clear()
        self._mean.apply()

    def _step(self, number: int) -> torch.Tensor:
        import torch

        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(number)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._optimizer.step()
        return loss.detach()

    def _loss(self, number: int) -> torch.Tensor:
        """Mean squared error of the velocity from clean latents to noise, at random noise levels."""
        import torch

        pool, device = self._lesson.pools[number], self._device
        tokens_each = math.prod(pool.latents.shape[2:]) // 4
        count = max(2, _BATCH_TOKENS // tokens_each) if device != "cpu" else 2
        picks = torch.randint(len(pool.latents), (count,), device=device)
        clean = pool.latents[picks].float()
        noise = torch.randn_like(clean)
        level = torch.rand(count, device=device)
        level = _FLOW_SHIFT * level / (1 + (_FLOW_SHIFT - 1) * level)
        amount = level.view(-1, 1, 1, 1, 1)
        mixed = (1 - amount) * clean + amount * noise
        condition = None if pool.condition is None else pool.condition[picks]
        inputs = {"timestep": level * 1000, "encoder_hidden_states": self._texts(number, picks)}
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device != "cpu", cache_enabled=False):
            guess = velocity(self._transformer, mixed, condition, **inputs)
        return torch.nn.functional.mse_loss(guess.float(), noise - clean)

    def _texts(self, number: int, picks: torch.Tensor) -> torch.Tensor:
        """The picked samples' texts, a tenth of them empty."""
        import torch

        drop = torch.rand(len(picks), device=self._device) < _NO_TEXT
        if self._known:
            return self._known[number][torch.where(drop, 0, picks + 1)].float()
        tokens = self._lesson.pools[number].tokens[picks]
        return read_texts(self._lesson.texts, torch.where(drop[:, None], self._empty, tokens))


def _all_texts(encoder: Any, tokens: torch.Tensor) -> torch.Tensor:
    import torch

    with torch.no_grad():
        return torch.cat([read_texts(encoder, part).half() for part in torch.split(tokens, 4096)])
