"""Its part that knows the GPU."""
