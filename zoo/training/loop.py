"""The loop of `fit`: steps in one graph, under any distribution strategy, with a check of every value."""

from __future__ import annotations

import types

import keras
import numpy as np
import tensorflow as tf

from zoo import draws
from zoo.errors import InputError, TrainingError
from zoo.training.batches import Extremes, checked_batch, fault, is_faulty
from zoo.training.doors import KerasDoors


class TrainingLoop(KerasDoors):
    """What `fit` does with a `train_step`; `TrainableModel` adds the networks and optimisers.

    Attributes:
        interlude_every: the number of steps between two calls of `interlude`; `None` for none.
        label_counts: int64 `[num_classes]`, how many rows of each class training has seen, for a model whose samples
            take labels; otherwise `None`.
    """

    interlude_every = None
    label_counts = None
    _steps_per_epoch = None
    _is_testing = False

    def interlude(self):
        """What a paper does between steps, outside their graph, such as exchanging the weights of its networks.

        Its outcome must depend only on `self.seed`, `self.step` and the model's variables, so that resumed training
        does the same as training that was never stopped.
        """

    def fit(self, x=None, y=None, *, steps_per_epoch=None, **kwargs):
        """`keras.Model.fit`; a model that keeps a reference batch first takes it from the data.

        Args:
            x: a `tf.data.Dataset` of batches `{"image": [n, *data_shape], "label": integer [n]}`: images are floats in
                [0, 1] or uint8, vectors are floats.
            y: must be `None`, since labels are part of the batches.
            steps_per_epoch: how many steps an epoch has, whatever `steps_per_execution` is; by default as many as the
                data allow.
            **kwargs: as in `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History` with the mean of every log over each epoch.

        Raises:
            InputError: a batch has another form or range, or an argument would be ignored.
            TrainingError: a loss is not finite.
        """
        if self.reference is not None and not self.has_reference:
            self.take_reference_from(x)
        if self.interlude_every and steps_per_epoch and steps_per_epoch % self.steps_per_execution:
            raise InputError(
                f"`steps_per_epoch` must be a multiple of {self.steps_per_execution}, the steps of an execution, "
                f"where a model has interludes. Received: {steps_per_epoch}"
            )
        self._steps_per_epoch = steps_per_epoch
        try:
            return super().fit(x, y, steps_per_epoch=steps_per_epoch, **kwargs)
        finally:
            self._steps_per_epoch = None

    def make_train_function(self, force=False):
        """One graph of `steps_per_execution` steps, under any strategy (Keras' own works under some)."""
        if self.train_function is not None and not force:
            return
        steps = self.steps_per_execution
        several_workers = isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy)
        reported = self._reported(self.train_step)

        def one_step(batch):
            self._seed_layers()
            logs, fault, extremes, counts = reported(batch)
            if self.label_counts is not None:
                self.label_counts.assign_add(self.distribute_strategy.reduce("SUM", counts, axis=None))
            failure = self._failure(logs, extremes, fault)
            self.step_counter.assign_add(1)
            self._update_averages()
            return logs, failure

        if not self.run_eagerly:
            one_step = tf.function(one_step, jit_compile=self.jit_compile, autograph=False)

        def execute(iterator, count):
            """Makes at most `count` steps, as the data allow, and at least one: their mean logs, failure and number."""
            if steps == 1:
                return *one_step(next(iterator)), 1.0
            names = []  # of the logs; filled once the step is traced

            def another(done, _, total, failure):
                def step(batch):
                    logs, new_failure = one_step(batch)
                    names[:] = logs
                    added = total + tf.stack(list(logs.values()))
                    return done + 1, True, added, tf.where(failure[0] < 0, new_failure, failure)

                if several_workers:  # a branch of a graph must not hold the collectives of several workers
                    return step(next(iterator))
                batch = iterator.get_next_as_optional()
                return tf.cond(
                    batch.has_value(), lambda: step(batch.get_value()), lambda: (done, False, total, failure)
                )

            # The graph holds the step once, in the loop: a second copy would have to be optimised and compiled too.
            none = 0, True, tf.constant(0.0), tf.fill([2 + len(Extremes._fields)], tf.constant(-1, tf.float64))
            any_number = tf.TensorShape([]), tf.TensorShape([]), tf.TensorShape(None), none[-1].shape
            done, _, total, failure = tf.while_loop(
                lambda done, has_data, *_: has_data & (done < count), another, none, any_number
            )
            if not several_workers:
                tf.cond(done > 0, lambda: done, lambda: past_the_end(iterator))
            done = tf.cast(done, tf.float32)
            means = tf.unstack(tf.broadcast_to(total / done, [len(names)]))
            return dict(zip(names, means, strict=True)), failure, done

        def past_the_end(iterator):
            """Raises what `next` raises at the end of the data."""
            next(iterator)
            return 0

        graph = execute if self.run_eagerly else tf.function(execute, autograph=False)

        def train_function(iterator):
            try:
                if isinstance(iterator, types.GeneratorType):  # `train_on_batch` hands over one batch this way
                    logs, failure, done = *one_step(next(iterator)), 1.0
                else:
                    logs, failure, done = graph(iterator, tf.constant(self._epoch.allowed(steps)))
                    if self.interlude_every and self.step % steps:
                        raise InputError(
                            f"A model with interludes needs data for a multiple of {steps} steps, the "
                            f"`steps_per_execution`. Received: data that ended at step {self.step}"
                        )
            except tf.errors.OutOfRangeError as end:
                if self.step != self._epoch.step:
                    raise InputError(
                        f"Several workers need data for a multiple of {steps} steps, the `steps_per_execution`. "
                        f"Received: data that ended at step {self.step}, after {self.step - self._epoch.step} of them"
                    ) from end
                raise StopIteration from end
            self._epoch.add(self, steps, logs, failure, done)
            if self.interlude_every and self.step % self.interlude_every == 0:
                self.interlude()
            return logs

        self.train_function = train_function

    def test_step(self, batch):
        """What `train_step` reports for a batch, without changing weights or averages of batch statistics."""
        self._is_testing = True
        try:
            with keras.StatelessScope():
                return self.train_step(batch)
        finally:
            self._is_testing = False

    def make_test_function(self, force=False):
        """One graph of a `test_step`, under any strategy, for `evaluate` and the `validation_data` of `fit`."""
        if self.test_function is not None and not force:
            return

        reported = self._reported(self.test_step)

        def one_step(batch):
            logs, fault, extremes, _ = reported(batch)
            return logs, self._failure({}, extremes, fault)

        if not self.run_eagerly:
            one_step = tf.function(one_step, autograph=False)

        def test_function(iterator):
            logs = None
            for _ in range(self.steps_per_execution):  # Keras calls this once for so many batches
                try:
                    logs, failure = one_step(next(iterator))
                except (StopIteration, tf.errors.OutOfRangeError):
                    break
                self._epoch.add(self, 1, logs, failure, 1.0)
            if logs is None:
                raise StopIteration
            return logs

        self.test_function = test_function

    def _reported(self, step):
        """A function of a global batch that runs `step` on each replica's part of it, after the check of its values.

        The function returns the logs, as means over the replicas; what `_failure` takes as `fault` and `extremes`; and
        each replica's `_rows_of_classes`.
        """
        names = []  # of the logs; filled once the step is traced

        def replica_step(batch):
            batch, extremes = checked_batch(self, batch)
            fault = tf.where(is_faulty(self, extremes), np.nan, 0.0)
            logs = step(batch)
            names[:] = logs
            return _stacked([fault, *logs.values()]), extremes, self._rows_of_classes(batch)

        def global_step(batch):
            values, extremes, counts = self.distribute_strategy.run(replica_step, args=(batch,))
            fault, *means = tf.unstack(self._mean_over_replicas(values))
            return dict(zip(names, means, strict=True)), fault, extremes, counts

        return global_step

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Does nothing: networks are already built, and Keras' method fails on dict batches with several workers."""

    def _rows_of_classes(self, batch):
        """How many rows of each class this replica's batch has, int64 `[num_classes]`; `()` if they are not counted."""
        if self.label_counts is None:
            return ()
        return tf.reduce_sum(tf.one_hot(batch["label"], self.num_classes, dtype=tf.int64), axis=0)

    def _mean_over_replicas(self, value):
        """The mean of a value over all replicas, which takes one collective if they are in several processes."""
        return self.distribute_strategy.reduce("MEAN", value, axis=None)

    def _failure(self, logs, extremes, fault):
        """Whether a step went wrong, and what is needed to say why.

        Args:
            logs: the means over the replicas.
            extremes: those of each replica's batch.
            fault: not finite if the batch of any replica in any process is faulty.

        Returns:
            float64 `[2 + len(Extremes)]`: the step's number, or -1 if all is well; the index of the first value that is
            not finite, 0 for `fault` and then the logs as `_told_first` orders them; the extremes over this process's
            replicas.
        """
        local = self.distribute_strategy.experimental_local_results
        extremes = Extremes(
            *(
                (tf.reduce_max if name.startswith("highest") else tf.reduce_min)(tf.stack(local(values)))
                for name, values in zip(Extremes._fields, extremes, strict=True)
            )
        )
        bad = ~tf.math.is_finite(tf.stack([fault, *(logs[name] for name in self._told_first(logs))]))
        step = tf.where(tf.reduce_any(bad), self.step_counter.value + 1, tf.constant(-1, tf.int64))
        return tf.stack([tf.cast(value, tf.float64) for value in (step, tf.argmax(bad), *extremes)])

    def _told_first(self, names):
        """Names of logs in the order of reporting: those that begin with a player's name come first."""
        return sorted(names, key=lambda name: (not name.startswith(tuple(self.players)), name))

    def _step_seed(self, purpose):
        return draws.fold(draws.named_seed(self.seed, purpose), self.step_counter.value)

    def _seed_layers(self):
        """Sets every random layer to the state that belongs to this step, so that resumed training draws the same."""
        states = [variable for variable in self.variables if variable.name == "seed_generator_state"]
        for index, state in enumerate(states):
            state.assign(tf.cast(self._step_seed(f"layer {index}"), state.dtype))

    def _update_averages(self):
        """Moves each average towards its network, at first faster than its decay says, to forget the first weights."""
        if not self.averages:
            return
        step = tf.cast(self.step_counter.value, tf.float32)
        update = self.distribute_strategy.extended.update
        for average, network, decay in self.averages:
            share = 1 - tf.minimum(decay, (1 + step) / (10 + step))
            for mean, value in zip(average.weights, network.weights, strict=True):
                if keras.backend.is_float_dtype(mean.dtype):
                    update(mean.value, _move, args=(value.value, share))

    def reset_metrics(self):
        super().reset_metrics()
        self._epoch = EpochLogs(self._steps_per_epoch, self.step)

    def get_metrics_result(self):
        return self._epoch.means(self)

    def check_weights(self):
        """Raises a `TrainingError` that names the player if any player's weights hold NaN or infinity."""
        for player in self.players:
            if not all(np.isfinite(variable.numpy()).all() for variable in self.variables_of(player)):
                raise TrainingError(
                    f"Training stopped at step {self.step}: the {player} has weights that are not finite."
                )


class EpochLogs:
    """The sums of an epoch's logs, kept on the device, and the check of each execution.

    The check is made one execution late: an immediate check would have to wait for the device every time.
    """

    def __init__(self, length=None, start=0):
        """Begins an epoch after step `start`, of `length` steps, or of as many as the data allow for `None`."""
        self._length, self._start, self._asked = length, start, 0
        self._sums, self._count, self._failure = {}, 0.0, None

    @property
    def step(self):
        """The last step whose logs have been added."""
        return self._start + round(float(self._count))

    def allowed(self, steps):
        """How many of the next `steps` steps belong to the epoch."""
        return steps if self._length is None else min(steps, self._length - self._asked)

    def add(self, model, steps, logs, failure, done):
        """Adds the mean logs of an execution of `steps` steps, `done` of which were made; checks the one before it."""
        self._check(model)
        self._failure = failure
        self._asked += steps
        self._sums = {name: self._sums.get(name, 0.0) + value * done for name, value in logs.items()}
        self._count += done

    def means(self, model):
        """The mean of every log over the epoch so far."""
        self._check(model)
        return {name: value / self._count for name, value in self._sums.items()}

    def _check(self, model):
        if self._failure is None or self._failure[0] < 0:
            return
        step, index, *extremes = (float(number) for number in self._failure)
        if index == 0:
            reason = fault(model, Extremes(*extremes)) or "A batch was refused: the process that got it says why,"
            raise InputError(f"{reason} at step {step:.0f}")
        name = model._told_first(self._sums)[int(index) - 1]
        player = next((player for player in model.players if name.startswith(player)), None)
        kind = "loss" if name.endswith("_loss") else "value"
        whose = f"of the {player}, {name}," if player else name
        raise TrainingError(f"Training stopped at step {step:.0f}: the {kind} {whose} is not finite.")


def _move(mean, value, share):
    mean.assign_add((value - mean) * tf.cast(share, mean.dtype))


def _stacked(values):
    return tf.stack([tf.cast(value, tf.float32) for value in values])
