"""The schedule language: text a user writes becomes the value at frame n."""
