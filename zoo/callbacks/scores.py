"""Scores during training, and the best model that they find."""

from __future__ import annotations

import keras

from zoo import distribute, evaluation, images
from zoo.callbacks.checkpoint import Checkpoint
from zoo.callbacks.logs import StepLog
from zoo.errors import InputError, require_positive
from zoo.files import expanded

BEST = {"lower": min, "higher": max}  # which of several values the best one is


class Scores(keras.callbacks.Callback):
    """Scores samples at regular steps and at the end, and keeps the best model in addition to the last.

    A paper's numbers should come from the last model, but it is worth knowing whether an earlier one was better.

    Args:
        directory: gets `scores.jsonl`, `scores.png` and `events/`, see `StepLog`; and `best/`, the checkpoint of the
            best model, which `Checkpoint(directory / "best").restore(model)` restores.
        real: what samples are compared with, a `zoo.evaluation.RealData`.
        scores: names in `zoo.evaluation.SCORES`; the first one's first value decides which model is best.
        every: steps between two scorings, a multiple of the model's `steps_per_execution`.
        samples: the number of samples; their seeds are 0 to samples - 1.
        steps: the step at which training ends; `None` for wherever `fit` ends.

    Raises:
        InputError: before the first step, if the scores cannot be computed from so many samples, or the first score
            does not say which model is best.
    """

    def __init__(self, directory, real, scores, every, samples=10_000, steps=None):
        super().__init__()
        require_positive(every=every)
        self.real = real
        self.scores = scores
        self.every = every
        self.samples = samples
        self.steps = steps
        self._log = StepLog(directory, "scores.jsonl", "scores.png", images.score_curves)
        self._best = Checkpoint(expanded(directory) / "best", keep=1)

    def on_train_begin(self, logs=None):
        if self.every % self.model.steps_per_execution:
            raise InputError(
                f"`every` must be a multiple of the {self.model.steps_per_execution} steps per execution. "
                f"Received: every={self.every}"
            )
        name, better = self._deciding()
        if better not in BEST:
            raise InputError(
                f"the first score has to say which model is best, the lower or the higher. "
                f"Received: {name}, at its best {better}"
            )
        evaluation.check(self.model.sample, self.real, self.scores, self.samples)
        self._log.open(self.model.step)
        self._best.set_model(self.model)
        self._seen = self.model.step

    def on_train_batch_end(self, batch, logs=None):
        before, self._seen = self._seen, self.model.step
        if self._seen // self.every > before // self.every:
            self._score()

    def on_train_end(self, logs=None):
        if self.steps is not None and self.model.step < self.steps:
            return
        if not self._log.rows or self._log.rows[-1]["step"] < self.model.step:
            self._score()

    def complete(self, model):
        """Scores a model whose training is over, if it was killed after its last step but before its last score."""
        self.set_model(model)
        self._log.open(model.step)
        if self._log.rows and self._log.rows[-1]["step"] < model.step:
            self.on_train_begin()
            self.on_train_end()

    def best_and_final(self):
        """The rows of the best model and of the last one, each `{"step": ..., <value>: ...}`."""
        name, better = self._deciding()
        return BEST[better](self._log.rows, key=lambda row: row[name]), self._log.rows[-1]

    def report(self):
        """The best and the final score as text, one line each."""
        name, _ = self._deciding()
        return "\n".join(
            f"{title:<12}step {row['step']}, {name} {row[name]:.4g}"
            for title, row in zip(("best", "final"), self.best_and_final(), strict=True)
        )

    def _score(self):
        self._log.add(self.model.step, evaluation.score(self.model.sample, self.real, self.scores, self.samples))
        best, latest = self.best_and_final()
        if best is latest:
            self._best.save()
        if distribute.is_chief():
            self._log.write()
            self._log.draw()

    def _deciding(self):
        name = evaluation.leading_value(self.scores[0])
        return name, evaluation.VALUES[name][1]
