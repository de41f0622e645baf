"""The backend that renders with Wan models through the components of diffusers' pipelines."""

from __future__ import annotations

from wan_engine.backends.wan.backend import Options, WanBackend

__all__ = ["Options", "WanBackend"]
