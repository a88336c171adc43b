"""What the zoo requires of Keras: TensorFlow as its backend, and images whose channels come last."""

from __future__ import annotations

import os

from zoo.errors import InputError

BACKEND, LAYOUT = "tensorflow", "channels_last"


def require_tensorflow() -> None:
    """Raises an `InputError` if Keras is set to another backend or another layout of images."""
    variable = os.environ.get("KERAS_BACKEND", BACKEND)
    if variable != BACKEND:  # if that backend is not installed, importing Keras would fail
        raise InputError(
            f"The zoo needs Keras on TensorFlow: set KERAS_BACKEND={BACKEND}, or unset it. "
            f"Received: KERAS_BACKEND={variable}"
        )
    import keras

    found = keras.config.backend(), keras.config.image_data_format()
    if found != (BACKEND, LAYOUT):
        raise InputError(
            f'The zoo needs "backend": "{BACKEND}" and "image_data_format": "{LAYOUT}" in ~/.keras/keras.json. '
            f"Received: {found[0]} and {found[1]}"
        )
