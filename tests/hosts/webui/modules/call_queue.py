"""The lock of the GPU: who makes a picture, or moves the model, holds it."""

from modules import fifo_lock

queue_lock = fifo_lock.FIFOLock()
