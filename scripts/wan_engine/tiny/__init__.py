"""The small Wan model that comes with the engine."""
