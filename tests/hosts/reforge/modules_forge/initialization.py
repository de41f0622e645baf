"""What runs before everything else: it loads the code that knows the GPU."""

import ldm_patched.modules.model_management  # noqa: F401
