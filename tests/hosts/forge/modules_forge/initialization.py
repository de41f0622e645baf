"""What runs before everything else: it loads the code that knows the GPU."""

import backend.memory_management  # noqa: F401
