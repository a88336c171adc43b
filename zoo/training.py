"""`TrainedModel`: players that `fit` trains, on any strategy, from any checkpoint; no paper's idea lives here."""

from __future__ import annotations

import itertools
import os
import types

import keras
import numpy as np
import tensorflow as tf

from zoo import draws
from zoo.errors import InputError, TrainingError

LABELS = "labels"  # what stands for a batch's labels among the values that have to be finite


class TrainedModel(keras.Model):
    """A set of players, each with networks and an optimiser of its own, that `fit` trains step by step.

    A subclass names its `players`; for each it sets an attribute of that name, the network (or says otherwise in
    `networks_of`). It writes `compile`, `train_step` and one `update_<player>` a player.

    Batches are `{"image": float32 [batch, *data_shape], "label": int32 [batch]}`; images lie in [-1, 1], vectors are
    unscaled. `train_step` returns scalars by name; each loss is called `<player>_loss`. `fit` reports them as they are
    a batch and averaged an epoch, and stops at the first that is not finite.

    Args:
        data_shape: `(height, width, channels)` of an image or `(size,)` of a vector.
        num_classes: how many labels there are; `None` for a model that reads none.
        seed: every random draw of training follows from it, the step and the draw's purpose.
        ema_decay: keep an average of the networks given to `averaged`, with this decay; `None` for none.

    Attributes:
        players: names, each that of a network and of an optimiser.
        labels: whether the model reads labels: "none", "optional" (where `num_classes` is given) or "required".
        discriminator_updates: into how many fresh minibatches a step splits its batch.
        value_range: of the images that the networks emit and read.
        decision_boundary: the score above which the model takes data to be real; `None` where scores have none.

    Raises:
        InputError: a setting is out of its range.
    """

    players = ()
    labels = "none"
    discriminator_updates = 1
    value_range = (-1.0, 1.0)
    decision_boundary = None

    def __init__(self, data_shape, *, num_classes=None, seed=0, ema_decay=None, name=None):
        super().__init__(name=name)
        self.data_shape = tuple(int(side) for side in data_shape)
        if len(self.data_shape) not in (1, 3) or min(self.data_shape) < 1:
            raise InputError(
                f"`data_shape` must be (height, width, channels) or (size,), all positive. Received: {data_shape}"
            )
        if not 0 <= seed < 2**32:
            raise InputError(f"`seed` must lie in [0, 2**32). Received: seed={seed}")
        if ema_decay is not None and not 0 < ema_decay < 1:
            raise InputError(f"`ema_decay` must lie between 0 and 1. Received: ema_decay={ema_decay}")
        if self.labels == "none" and num_classes is not None:
            raise InputError(f"{type(self).__name__} takes no labels. Received: num_classes={num_classes}")
        if (num_classes or 0) < 2 and (self.labels == "required" or num_classes is not None):
            raise InputError(f"{type(self).__name__} needs at least 2 classes. Received: num_classes={num_classes}")
        self.num_classes = num_classes
        self.seed = seed
        self.ema_decay = ema_decay
        self.built = True  # there is no `call` whose shapes Keras could infer
        self.step_counter = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica", name="step"
        )
        self._averages = []
        self._epoch = _EpochLogs()

    @property
    def step(self):
        """How many training steps are done."""
        return int(self.step_counter.value.numpy())

    @property
    def conditional(self):
        """Whether the model reads labels."""
        return self.num_classes is not None

    # Networks.

    @property
    def is_image(self):
        """Whether the data are images rather than vectors."""
        return len(self.data_shape) == 3

    def averaged(self, network):
        """The network to sample from: a running average of `network` where `ema_decay` is set, else itself."""
        if self.ema_decay is None:
            return network
        average = keras.models.clone_model(network)
        average.set_weights(network.get_weights())
        average.trainable = False
        self._averages.append((average, network))
        return average

    def networks_of(self, player):
        """The networks that a player's optimiser trains."""
        return [getattr(self, player)]

    def variables_of(self, player):
        """The variables that a player's optimiser trains."""
        return [variable for network in self.networks_of(player) for variable in network.trainable_variables]

    # Compiling.

    def compile(self, optimizers, log_gradient_norms=False, jit_compile=False, **kwargs):
        """Builds an optimiser a player; a paper's `compile` calls this with its own as defaults.

        Args:
            optimizers: from player to Keras optimiser (or its name); each becomes the attribute `<player>_optimizer`.
            log_gradient_norms: also report `<player>_gradient_norm`, of the gradient over all replicas.
            jit_compile: compile the step with XLA.
            **kwargs: `steps_per_execution` and `run_eagerly`, as in `keras.Model.compile`.

        Raises:
            InputError: two players share an optimiser, or XLA is asked for on several replicas.
        """
        replicas = self.distribute_strategy.num_replicas_in_sync
        if jit_compile and replicas > 1:
            raise InputError(f"`jit_compile` needs a strategy of one replica. Received: {replicas} replicas")
        super().compile(optimizer=None, jit_compile=jit_compile, **kwargs)
        self.log_gradient_norms = log_gradient_norms
        optimizers = {player: keras.optimizers.get(optimizer) for player, optimizer in optimizers.items()}
        for (player, optimizer), (other, another) in itertools.combinations(optimizers.items(), 2):
            if optimizer is another:
                raise InputError(f"Each player needs an optimiser of its own. Received: one for {player} and {other}")
        for player, optimizer in optimizers.items():
            scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            if self._computes_in_float16(player) and not scaled:
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            optimizer.build(self.variables_of(player))
            setattr(self, f"{player}_optimizer", optimizer)

    def optimizer_of(self, player):
        """The optimiser that `compile` gave a player."""
        return getattr(self, f"{player}_optimizer")

    def _computes_in_float16(self, player):
        return any(
            layer.compute_dtype == "float16"
            for network in self.networks_of(player)
            for layer in (network, *network.layers)
        )

    def get_compile_config(self):
        optimizers = {
            f"{player}_optimizer": keras.saving.serialize_keras_object(self.optimizer_of(player))
            for player in self.players
        }
        return {
            **optimizers,
            "log_gradient_norms": self.log_gradient_norms,
            "jit_compile": self.jit_compile,
            "steps_per_execution": self.steps_per_execution,
            "run_eagerly": self.run_eagerly,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    # What a training step is made of.

    def real_data(self, batch):
        """The data of a batch as the networks read them, float32 `[batch, *data_shape]` in `value_range`."""
        return self._from_unit(batch["image"] / 2 + 0.5) if self.is_image else batch["image"]

    def minibatches(self, rows, count):
        """Splits a batch into `count` fresh minibatches; over N replicas they hold the rows they hold on one.

        Args:
            rows: a tensor or a nested structure of tensors, each `[batch, ...]`.
            count: how many minibatches, a divisor of the batch.

        Returns:
            A list of what `rows` is, each with batch / count rows.

        Raises:
            InputError: `count` does not divide the batch.
        """
        size = tf.nest.flatten(rows)[0].shape[0]
        if size is not None and size % count:
            raise InputError(
                f"{count} updates a step need a batch that {count} divides. Received: a batch of {size} rows"
            )
        return [tf.nest.map_structure(lambda tensor, first=first: tensor[first::count], rows) for first in range(count)]

    def _from_unit(self, images):
        low, high = self.value_range
        return tf.cast(images, tf.float32) * (high - low) + low

    def draw_uniform(self, data, shape, purpose):
        """This replica's rows of the step's draw from the uniform distribution on (0, 1).

        Args:
            data: a tensor `[n, ...]`; as many rows are drawn as it has.
            shape: the shape of one row.
            purpose: a name that no other draw of the step has.

        Returns:
            float32 `[n, *shape]`.
        """
        return draws.replica_uniform(tf.shape(data)[0], shape, self._step_seed(purpose))

    def minimize(self, player, loss, tape):
        """One update of a player down the gradient of a loss, averaged over the replicas.

        Args:
            player: whose variables and optimiser.
            loss: scalar float32, the mean over this replica's rows, computed under `tape`.

        Returns:
            What the update has to report: `<player>_gradient_norm` where `compile` was asked for it, else nothing.
        """
        optimizer, variables = self.optimizer_of(player), self.variables_of(player)
        context = tf.distribute.get_replica_context()
        scale = tf.constant(1 / context.num_replicas_in_sync)
        loss_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if loss_scaled:
            scale = optimizer.scale_loss(scale)
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        logs = {}
        if self.log_gradient_norms:
            total = context.all_reduce("sum", [gradient for gradient in gradients if gradient is not None])
            norm = tf.linalg.global_norm(total)
            logs[f"{player}_gradient_norm"] = norm / optimizer.dynamic_scale if loss_scaled else norm
        if loss_scaled and context.num_replicas_in_sync > 1:
            gradients = self._agree_on_overflow(gradients, context)
        with tf.control_dependencies([self._all_computed(gradients)]):
            optimizer.apply(gradients, variables)
        return logs

    def _all_computed(self, gradients):
        """A node that runs after every gradient, for the updates to wait for.

        Keras sums gradients over replicas through one `IdentityN`. TensorFlow's dependency optimiser takes each of its
        outputs to wait for all of its inputs, therefore drops edges from reads of a variable to its update as
        redundant, and then drops the `IdentityN` too. What is read for another variable's gradient alone, as the last
        kernel is under a loss that is linear in the scores, could so be read after its own update.

        The node is the read of a variable, any of them, since a `NoOp` is dropped as well, and a `ControlTrigger` also
        fires after the last step of a loop.
        """
        with tf.control_dependencies([gradient for gradient in gradients if gradient is not None]):
            return self.step_counter.value.read_value()

    @staticmethod
    def _agree_on_overflow(gradients, context):
        """Makes one replica's overflow every replica's: Keras asks each about its own gradients before it sums them."""
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
        overflows = context.all_reduce("sum", tf.cast(~finite, tf.float32))
        return [tf.where(overflows > 0, np.inf, gradient) for gradient in gradients]

    # The training loop of `fit`.

    def make_train_function(self, force=False):
        """One graph of `steps_per_execution` steps, under any strategy (Keras' own works under some)."""
        if self.train_function is not None and not force:
            return
        steps = self.steps_per_execution

        def one_step(batch):
            batch = self._check_batch(batch)
            self._seed_layers()
            logs = self._mean_over_replicas(self.distribute_strategy.run(self.train_step, args=(batch,)))
            checks = dict(logs)
            if self.conditional:
                checks |= self._mean_over_replicas(self.distribute_strategy.run(self._check_labels, args=(batch,)))
            failure = self._failure(checks)
            self.step_counter.assign_add(1)
            self._update_averages()
            return logs, failure

        if not self.run_eagerly:
            one_step = tf.function(one_step, jit_compile=self.jit_compile, autograph=False)

        def execute(iterator):
            first_logs, failure = one_step(next(iterator))
            if steps == 1:
                return first_logs, failure

            def another(done, total, failure):
                logs, new_failure = one_step(next(iterator))
                total = tf.nest.map_structure(tf.add, total, logs)
                return done + 1, total, tf.where(failure[0] < 0, new_failure, failure)

            _, total, failure = tf.while_loop(lambda done, *_: done < steps, another, (1, first_logs, failure))
            return tf.nest.map_structure(lambda value: value / steps, total), failure

        graph = execute if self.run_eagerly else tf.function(execute, autograph=False)

        def train_function(iterator):
            try:
                if isinstance(iterator, types.GeneratorType):  # `train_on_batch` hands over one batch this way
                    logs, failure = one_step(next(iterator))
                else:
                    logs, failure = graph(iterator)
            except tf.errors.OutOfRangeError as end:
                raise StopIteration from end
            self._epoch.add(self, logs, failure)
            return logs

        self.train_function = train_function

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Nothing: networks are built already, and Keras' own fails on a batch that is a dict over several workers."""

    def _check_batch(self, batch):
        """The batch as a dict, or an error that says what arrived instead of one."""
        batch, *_ = keras.utils.unpack_x_y_sample_weight(batch)
        if not isinstance(batch, dict) or "image" not in batch:
            received = f"a dict with {sorted(batch)}" if isinstance(batch, dict) else f"a {type(batch).__name__}"
            raise InputError(
                f'A batch must be a dict with "image", and "label" where there are any. Received: {received}'
            )
        if self.conditional and "label" not in batch:
            raise InputError(f'{type(self).__name__} needs batches with "label". Received: a dict with {sorted(batch)}')
        local = self.distribute_strategy.experimental_local_results(batch["image"])
        if any(tuple(rows.shape[1:]) != self.data_shape for rows in local):
            raise InputError(
                f"Images of a batch must have shape {(None, *self.data_shape)}. Received: {tuple(local[0].shape)}"
            )
        return batch

    def _check_labels(self, batch):
        """Not a number if a label lies outside [0, num_classes): what `_failure` looks for."""
        labels = batch["label"]
        valid = tf.reduce_all((labels >= 0) & (labels < self.num_classes))
        return {LABELS: tf.where(valid, 0.0, np.nan)}

    def _mean_over_replicas(self, values):
        reduce = self.distribute_strategy.reduce
        return {name: tf.cast(reduce("MEAN", value, axis=None), tf.float32) for name, value in values.items()}

    def _step_seed(self, purpose):
        return draws.fold(draws.named_seed(self.seed, purpose), self.step_counter.value)

    def _seed_layers(self):
        """Sets every random layer to the state that belongs to this step, as if it had never been stopped."""
        states = [variable for variable in self.variables if variable.name == "seed_generator_state"]
        for index, state in enumerate(states):
            state.assign(tf.cast(self._step_seed(f"layer {index}"), state.dtype))

    def _update_averages(self):
        """Moves each average towards its network; at first faster than `ema_decay`, to forget the first weights."""
        if not self._averages:
            return
        step = tf.cast(self.step_counter.value, tf.float32)
        decay = tf.minimum(self.ema_decay, (1 + step) / (10 + step))
        update = self.distribute_strategy.extended.update
        for average, network in self._averages:
            for mean, value in zip(average.variables, network.variables, strict=True):
                if mean.dtype == "float32":
                    update(mean.value, _move, args=(value.value, 1 - decay))

    def _failure(self, checks):
        """int64 [2]: the step and the index among the sorted names of a value that is not finite, or [-1, -1]."""
        bad = ~tf.math.is_finite(tf.stack([checks[name] for name in sorted(checks)]))
        found = tf.stack([self.step_counter.value + 1, tf.argmax(bad)])
        return tf.where(tf.reduce_any(bad), found, tf.constant([-1, -1], tf.int64))

    def reset_metrics(self):
        super().reset_metrics()
        self._epoch = _EpochLogs()

    def get_metrics_result(self):
        return self._epoch.means(self)

    def check_weights(self):
        """Raises a `TrainingError` that names the player whose weights hold NaN or infinity."""
        for player in self.players:
            if not all(np.isfinite(variable.numpy()).all() for variable in self.variables_of(player)):
                raise TrainingError(
                    f"Training stopped at step {self.step}: the {player} has weights that are not finite."
                )

    # Export and saving.

    def signatures(self):
        """From name to (function, input specs) of what `export` writes."""
        raise NotImplementedError

    def export(self, directory: str | os.PathLike, **card):
        """Writes `directory/<version>/`, a SavedModel with `signatures()`, and `directory/card.json`.

        Args:
            directory: the artefact's folder; the version is the next free number.
            **card: what the card has to say beyond what the model knows; see `zoo.export.export`.

        Returns:
            The path of the version's folder.
        """
        from zoo import export

        return export.export(self, directory, **card)

    def get_config(self):
        """The constructor's arguments. Networks are part of it as they are, so that a user's own are found again."""
        networks = {player: keras.saving.serialize_keras_object(getattr(self, player)) for player in self.players}
        config = {
            "data_shape": self.data_shape,
            "num_classes": self.num_classes,
            "seed": self.seed,
            "ema_decay": self.ema_decay,
            "name": self.name,
        }
        return {**config, **networks}

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))


class _EpochLogs:
    """The sums of an epoch's logs, on the device, and the check that they are finite, one execution late.

    A check at once would wait for the device at every execution.
    """

    def __init__(self):
        self._sums, self._count, self._failure = {}, 0, None

    def add(self, model, logs, failure):
        self._check(model)
        self._failure = failure
        self._sums = {name: self._sums.get(name, 0.0) + value for name, value in logs.items()}
        self._count += 1

    def means(self, model):
        self._check(model)
        return {name: value / self._count for name, value in self._sums.items()}

    def _check(self, model):
        if self._failure is None or self._failure[0] < 0:
            return
        step, index = (int(number) for number in self._failure)
        name = sorted([*self._sums, *([LABELS] if model.conditional else [])])[index]
        if name == LABELS:
            raise InputError(
                f"{type(model).__name__} needs labels in [0, {model.num_classes - 1}]. "
                f"Received: a batch with others at step {step}"
            )
        player = next((player for player in model.players if name.startswith(player)), None)
        whose = f"of the {player}, {name}," if player else name
        raise TrainingError(f"Training stopped at step {step}: the loss {whose} is not finite.")


def _move(mean, value, share):
    mean.assign_add((value - mean) * share)
