"""An orderly end when a signal asks for one: Ctrl-C, or the SIGTERM that precedes the loss of a machine."""

from __future__ import annotations

import os
import signal
import threading

import keras


class StopOnSignal(keras.callbacks.Callback):
    """Ends the epoch, and with it `fit`, after the step in which SIGINT or SIGTERM arrives; a second one stops at once.

    The callbacks' `on_epoch_end` is called as usual, so that `Checkpoint` saves that step. This is a context manager,
    within which signals are handled; only a process's main thread can handle them.

    Attributes:
        received: the first signal, a `signal.Signals`, or `None`.
    """

    def __init__(self):
        super().__init__()
        self.received = None
        self._previous = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            numbers = (signal.SIGINT, signal.SIGTERM)
            self._previous = {number: signal.signal(number, self._receive) for number in numbers}
        return self

    def __exit__(self, *error):
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def on_train_begin(self, logs=None):
        self.model.stop_training = self.received is not None

    def _receive(self, number, frame):
        if self.received:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
        # `print` may be in the middle of a line of the progress bar.
        os.write(2, f"\n{self.received.name}: stopping after this step; a second signal stops at once.\n".encode())
        if self.model is not None:
            self.model.stop_training = True
