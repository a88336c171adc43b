"""TensorFlow without its start-up messages, for commands whose output is read by people."""

from __future__ import annotations

import os


def import_tensorflow() -> None:
    """Imports TensorFlow; whatever it has to say below the level of an exception stays unsaid.

    `TF_CPP_MIN_LOG_LEVEL` brings its messages back. Some are written by native code before it is read, so the file
    descriptor itself is muted during the import.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        import tensorflow as tf
        from absl import logging
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)
    tf.get_logger().setLevel("ERROR")
    logging.set_verbosity(logging.ERROR)
