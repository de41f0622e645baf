"""A lock that is given in the order in which it was asked for; not re-entrant."""

import collections
import threading


class FIFOLock:
    """Waiters get it first come, first served."""

    def __init__(self):
        self._inner = threading.Lock()
        self._held = False
        self._waiting = collections.deque()

    def acquire(self, blocking=True):
        """Take it, waiting for it unless told not to."""
        with self._inner:
            if not self._held:
                self._held = True
                return True
            if not blocking:
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()
        return True

    def release(self):
        """Hand it to the next one, from whatever thread."""
        with self._inner:
            if not self._held:
                raise RuntimeError("release unlocked lock")
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False

    def locked(self):
        """If someone has it."""
        return self._held

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()
