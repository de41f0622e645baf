"""Makes pictures: holds the queue's lock, lets the extensions' classes take part, and needs the model on the GPU."""

import time

from PIL import Image

from modules import call_queue, scripts, sd_models


def process_images(prompt, seconds):
    """A picture, made in so many seconds. Raises RuntimeError if the model is not on the GPU."""
    with call_queue.queue_lock:
        scripts.call_all("before_process", None)
        sd_models.use()
        time.sleep(seconds)
        scripts.call_all("postprocess", None, None)
    return Image.new("RGB", (64, 64), (len(prompt) % 256, 90, 140))
