"""The methods by which Keras uses a model: some work for a set of players, the others say what to call instead."""

from __future__ import annotations

import functools

import keras

from zoo.errors import InputError

IGNORED = ("y", "sample_weight", "class_weight")  # arguments of Keras' methods that a model here would ignore


class KerasDoors(keras.Model):
    """`fit` and `evaluate` refuse those of Keras' arguments that would be ignored; `predict` and `call` always fail."""

    @functools.wraps(keras.Model.fit)
    def fit(self, x=None, y=None, **settings):
        self._refuse_ignored("fit", y=y, **settings)
        settings.setdefault("shuffle", isinstance(x, dict))  # a dataset keeps its own order
        return super().fit(x, **settings)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, x=None, y=None, **settings):
        self._refuse_ignored("evaluate", y=y, **settings)
        return super().evaluate(x, **settings)

    def _refuse_ignored(self, method, **settings):
        for name in IGNORED:
            if settings.get(name) is not None:
                raise InputError(
                    f"{type(self).__name__}.{method} reads batches of image and label, and would ignore `{name}`. "
                    f"Received: a {type(settings[name]).__name__}"
                )

    def predict(self, *args, **settings):
        """Raises an `InputError`: there is no single network that could predict."""
        raise self._no_single_network("predict")

    def call(self, *args, **settings):
        """Raises an `InputError`: there is no single network that could be called."""
        raise self._no_single_network("call")

    def _no_single_network(self, method):
        networks = ", ".join(f"`{player}`" for player in self.players)
        return InputError(
            f"{type(self).__name__} is no single network that `{method}` could run. `sample(seeds)` draws samples; "
            f"its networks are in {networks}."
        )
