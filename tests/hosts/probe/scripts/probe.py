"""An extension for the tests in real WebUIs: gives the WebUI a small model to hold and tells what became of it.

POST /probe/model  the WebUI holds a small torch model, as if it had just made a picture with it
GET  /probe        `held`: if the model is where the WebUI would use it.  `queue_free`: if a picture could be made now.
                   `comes_back`: if this WebUI must be given its model back, because it does not load it by itself
"""

import sys

import torch
from modules import call_queue, script_callbacks, sd_models


class WanProbe:
    """What the Forge family does with a model is asked of its memory management; A1111 moves the model itself."""

    def __init__(self):
        self.moves = 0
        self.model = None
        self.memory = sys.modules.get("backend.memory_management")
        if self.memory is None and "modules_forge.initialization" in sys.modules:
            self.memory = sys.modules.get("ldm_patched.modules.model_management")

    def give_model(self):
        """Let the WebUI hold a model."""
        self.moves = 0
        if self.memory is None:
            sd_models.model_data.sd_model = Moved(self)
            return
        if self.memory.__name__.startswith("backend"):
            from backend.patcher.base import ModelPatcher
        else:
            from ldm_patched.modules.model_patcher import ModelPatcher
        device = torch.device("cpu")
        # reForge itself keeps weak references alone.
        self.model = ModelPatcher(torch.nn.Linear(64, 64), device, device)
        self.memory.load_models_gpu([self.model])

    def state(self):
        """How the model and the queue stand."""
        free = call_queue.queue_lock.acquire(blocking=False)
        if free:
            call_queue.queue_lock.release()
        held = self.moves % 2 == 0 if self.memory is None else bool(self.memory.current_loaded_models)
        return {"held": held, "queue_free": free, "comes_back": self.memory is None}


class Moved(torch.nn.Linear):
    """A model that counts how often it is moved: out, back, out ..."""

    lowvram = False

    def __init__(self, probe):
        super().__init__(64, 64)
        self.probe = probe

    def to(self, *args, **kwargs):
        """Move it, as torch does."""
        self.probe.moves += 1
        return super().to(*args, **kwargs)


def add_routes(_demo, app):
    """Called by the WebUI when its server is up."""
    probe = WanProbe()
    app.add_api_route("/probe", probe.state, methods=["GET"])
    app.add_api_route("/probe/model", probe.give_model, methods=["POST"])


script_callbacks.on_app_started(add_routes)
