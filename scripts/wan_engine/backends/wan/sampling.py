"""The scheduler of a clip: made from the model's config, saved and restored between any two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wan_engine.backends import RunState
from wan_engine.errors import RenderError

if TYPE_CHECKING:
    import torch

UNIPC, EULER, DISTILLED = "unipc", "euler", "distilled"


def make_scheduler(config: Any, sampler: str, flow_shift: float, steps: int, device: str) -> Any:
    """A fresh scheduler with its timesteps set.

    config: of the scheduler in the model's folder; the number of training steps and the solver's order come from it.
    sampler: `unipc`, `euler`, or `distilled`, which is Euler on timesteps that lie evenly from the first on (1000, 750,
    500, 250 for four) before they are shifted: those on which such models were trained.
    flow_shift: shift of the sigmas towards noise, above 0.
    """
    from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

    if sampler == UNIPC:
        options = {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "flow_shift": flow_shift}
        own = config if config.get("_class_name") == "UniPCMultistepScheduler" else {}
        scheduler = UniPCMultistepScheduler.from_config({**own, **options})
    elif sampler in (EULER, DISTILLED):
        trained = config.get("num_train_timesteps", 1000)
        scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=trained, shift=flow_shift)
    else:
        raise RenderError(f'there is no sampler "{sampler}"', f"Set sampler to {UNIPC}, {EULER} or {DISTILLED}")
    if sampler == DISTILLED:
        scheduler.set_timesteps(sigmas=[1 - step / steps for step in range(steps)], device=device)
    else:
        scheduler.set_timesteps(steps, device=device)
    # Without this the first step is found by its timestep, which fails where rounding made the first two equal.
    scheduler.set_begin_index(0)
    return scheduler


def remembered(scheduler: Any) -> dict[str, Any]:
    """Everything a scheduler knows, for `recall`: its tensors are shared, for no step changes one in place."""
    return {name: list(value) if isinstance(value, list) else value for name, value in vars(scheduler).items()}


def recall(scheduler: Any, history: dict[str, Any]) -> None:
    """Put a scheduler back to what was remembered before a step that failed."""
    vars(scheduler).update({name: list(value) if isinstance(value, list) else value for name, value in history.items()})


def save_state(scheduler: Any, step: int, latents: torch.Tensor) -> RunState:
    """Latents and everything the scheduler remembers of earlier steps, as copies in main memory."""
    tensors = {"latents": latents}
    values: dict[str, Any] = {"scheduler": type(scheduler).__name__, "step_index": scheduler._step_index}
    if hasattr(scheduler, "model_outputs"):
        values["lower_order_nums"] = scheduler.lower_order_nums
        values["this_order"] = getattr(scheduler, "this_order", None)
        values["timestep_list"] = [None if t is None else t.item() for t in scheduler.timestep_list]
        for number, output in enumerate(scheduler.model_outputs):
            if output is not None:
                tensors[f"model_output_{number}"] = output
        if scheduler.last_sample is not None:
            tensors["last_sample"] = scheduler.last_sample
    arrays = {name: _to_array(tensor) for name, tensor in tensors.items()}
    values["dtypes"] = {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in tensors.items()}
    return RunState(step, arrays, values)


def restore_state(scheduler: Any, state: RunState, latents: torch.Tensor) -> torch.Tensor:
    """Put the scheduler where it was saved and give the saved latents, on the device of `latents`.

    latents: of the clip as it starts; the saved ones must have their shape. Raises RenderError for another clip's.
    """
    values = state.values
    wrong = RenderError("the saved state does not belong to this clip", "Delete the clip's state and render it again")
    if values.get("scheduler") != type(scheduler).__name__ or not 0 <= state.step <= len(scheduler.timesteps):
        raise wrong
    device = latents.device
    try:
        tensors = {name: _to_tensor(array, values["dtypes"][name], device) for name, array in state.arrays.items()}
        if tensors["latents"].shape != latents.shape:
            raise wrong
        scheduler._step_index = values["step_index"]
        if hasattr(scheduler, "model_outputs"):
            _restore_history(scheduler, values, tensors)
        return tensors["latents"]
    except (KeyError, TypeError, AttributeError) as error:
        raise wrong from error


def _restore_history(scheduler: Any, values: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    import torch

    like = scheduler.timesteps
    scheduler.lower_order_nums = values["lower_order_nums"]
    if values["this_order"] is not None:
        scheduler.this_order = values["this_order"]
    scheduler.timestep_list = [
        None if t is None else torch.tensor(t, dtype=like.dtype, device=like.device) for t in values["timestep_list"]
    ]
    outputs = range(len(scheduler.model_outputs))
    scheduler.model_outputs = [tensors.get(f"model_output_{number}") for number in outputs]
    scheduler.last_sample = tensors.get("last_sample")


def _to_array(tensor: torch.Tensor) -> Any:
    """A copy as numpy; bfloat16, which numpy has not, as the same bits in 16-bit integers."""
    import torch

    copy = tensor.detach().to("cpu", copy=True).contiguous()
    return (copy.view(torch.int16) if copy.dtype == torch.bfloat16 else copy).numpy()


def _to_tensor(array: Any, dtype: str, device: torch.device) -> torch.Tensor:
    import torch

    tensor = torch.from_numpy(array.copy())
    kind: torch.dtype = getattr(torch, dtype)
    return (tensor if tensor.dtype == kind else tensor.view(kind)).to(device)
