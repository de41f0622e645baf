"""One clip on a Wan model: a denoising loop that gives the pipelines' own result and can stop at any step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from wan_engine.backends import ClipRequest, ClipRun, RunState
from wan_engine.backends.wan import pictures
from wan_engine.backends.wan.conditions import Conditions, uses_guidance
from wan_engine.backends.wan.forward import Forward
from wan_engine.backends.wan.memory import ClipMemory
from wan_engine.backends.wan.sampling import make_scheduler, recall, remembered, restore_state, save_state
from wan_engine.errors import RenderError

if TYPE_CHECKING:
    import torch

    from wan_engine.backends import Picture


class WanRun(ClipRun):
    """A clip being denoised. Made by `WanBackend.start`.

    Differs from the pipelines in one thing: with two experts each one's own scale decides whether the negative text is
    rendered, not the first one's for both.
    """

    def __init__(
        self,
        pipeline: Any,
        request: ClipRequest,
        conditions: Conditions,
        forward: Forward,
        memory: ClipMemory,
    ) -> None:
        self.steps_done = 0
        self._pipeline = pipeline
        self._request = request
        self._conditions = conditions
        self._forward = forward
        self._memory = memory
        self._latents = conditions.noise
        self._clean: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None
        self._decoded = False
        clip, device = request.clip, str(conditions.noise.device)
        config = pipeline.scheduler.config
        self._scheduler = make_scheduler(config, clip.sampler, clip.flow_shift, clip.steps, device)

    def go_on_from(self, state: RunState) -> None:
        """Continue a clip that was saved. Raises RenderError for another clip's state."""
        self._latents = restore_state(self._scheduler, state, self._latents)
        self.steps_done = state.step

    def step(self) -> None:
        """Do one denoising step. Raises RenderError, also when the numbers overflow, or OutOfMemoryError."""
        clip = self._request.clip
        if self.steps_done >= clip.steps:
            raise RenderError(f"clip {clip.index} has had all its {clip.steps} steps")
        history = remembered(self._scheduler)
        doing = f"denoising clip {clip.index}, step {self.steps_done + 1}"
        finite = self._memory.attempt(doing, self._step, lambda: recall(self._scheduler, history))
        if not finite:
            message = f"clip {clip.index} became not-a-number at step {self.steps_done + 1}"
            raise RenderError(message, "Set dtype to bfloat16 or float32, or a lower guidance_scale")
        self.steps_done += 1

    def _step(self) -> bool:
        """The next latents; whether they are numbers. Nothing but the scheduler is changed when it fails."""
        import torch

        sigma, timestep = self._scheduler.sigmas[self.steps_done], self._scheduler.timesteps[self.steps_done]
        before = self._latents
        if self._conditions.beginning is not None:
            before = self._conditions.beginning.noised_in(before, sigma)
        velocity = self._velocity(before, timestep)
        latents = self._scheduler.step(velocity, timestep, before, return_dict=False)[0]
        finite = bool(torch.isfinite(latents).all())
        self._latents, self._clean = latents, (before, sigma, velocity)
        return finite

    def state(self) -> RunState:
        """Latents and scheduler as they are now, copied to main memory."""
        return save_state(self._scheduler, self.steps_done, self._latents)

    def preview(self) -> Picture:
        """The middle of the clip as the last step predicts it; what is there now, when no step was done since start."""
        latents = self._latents
        if self._clean is not None:
            before, sigma, velocity = self._clean
            latents = before - sigma * velocity

        def work() -> Picture:
            self._memory.for_preview(self._pipeline)
            return pictures.preview(self._pipeline, latents)

        return self._memory.attempt("decoding a preview", work)

    def frames(self) -> Iterator[Picture]:
        """The finished clip: `clip.frames` pictures, decoded as they are taken, about four at a time."""
        clip = self._request.clip
        if self.steps_done != clip.steps or self._decoded:
            raise RenderError(f"clip {clip.index} is not ready to be decoded, or was decoded already")
        self._decoded = True
        return self._decode()

    def _decode(self) -> Iterator[Picture]:
        latents = self._latents
        given = self._conditions
        if given.condition is not None and given.frame_mask is not None:
            latents = (1 - given.frame_mask) * given.condition + given.frame_mask * latents
        if given.beginning is not None:
            latents = given.beginning.clean_in(latents)
        pipeline, memory = self._pipeline, self._memory
        taken = 0
        decoded: Iterator[Picture] | None = None

        def take() -> Picture | None:
            nonlocal decoded
            memory.for_decoding(pipeline)
            if decoded is None:
                decoded = islice(pictures.decode(pipeline, latents), taken, None)
            return next(decoded, None)

        def start_anew() -> None:
            nonlocal decoded
            decoded = None

        while True:
            # Guarded picture by picture: a context held across a yield would also cover whoever takes the pictures.
            picture = memory.attempt(f"decoding clip {self._request.clip.index}", take, start_anew)
            if picture is None:
                return
            taken += 1
            yield picture

    def _velocity(self, latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """The velocity the model predicts for latents at this timestep, with guidance."""
        expert, scale = self._expert(timestep)
        self._forward.prepare(expert)
        given = self._conditions
        common = {
            "hidden_states": self._model_input(latents),
            "timestep": self._model_timestep(timestep),
            "encoder_hidden_states_image": given.image,
            "return_dict": False,
        }
        if given.control is not None:
            common["control_hidden_states"] = given.control
        velocity = self._forward(expert, given.prompt, **common)
        if not uses_guidance(scale):
            return velocity
        unguided = self._forward(expert, given.negative, **common)
        return unguided + scale * (velocity - unguided)

    def _expert(self, timestep: torch.Tensor) -> tuple[Any, float]:
        """The transformer for this noise level and its guidance scale."""
        clip, pipeline = self._request.clip, self._pipeline
        ratio = pipeline.config.boundary_ratio
        if ratio is None or timestep >= ratio * self._scheduler.config.num_train_timesteps:
            return pipeline.transformer, clip.guidance_scale
        second = clip.guidance_scale if clip.guidance_scale_2 is None else clip.guidance_scale_2
        return pipeline.transformer_2, second

    def _model_input(self, latents: torch.Tensor) -> torch.Tensor:
        import torch

        given = self._conditions
        if given.condition is not None:
            if given.frame_mask is not None:
                latents = (1 - given.frame_mask) * given.condition + given.frame_mask * latents
            else:
                latents = torch.cat([latents, given.condition], dim=1)
        return latents.to(self._pipeline.transformer.dtype)

    def _model_timestep(self, timestep: torch.Tensor) -> torch.Tensor:
        mask = self._conditions.frame_mask
        if mask is None:
            return timestep.expand(1)
        # One timestep for each token; a token is a patch of 2x2 latents.
        return (mask[0][0][:, ::2, ::2] * timestep).flatten().unsqueeze(0)
