"""`TrainableModel`: players, each with its own networks and optimiser."""

from __future__ import annotations

import itertools
import os

import keras
import numpy as np
import tensorflow as tf

from zoo import networks
from zoo.errors import InputError
from zoo.training.batches import checked_images
from zoo.training.loop import EpochLogs, TrainingLoop
from zoo.training.signature import compile_of, constructor_arguments
from zoo.training.step import TrainingStep


class TrainableModel(TrainingStep, TrainingLoop):
    """A set of players, each with its own networks and optimiser, that `fit` trains step by step.

    A subclass names its `players`. For each player it sets an attribute of that name to a network or a list of networks
    (or overrides `networks_of`), and returns an optimiser from `paper_optimizer`. It writes `train_step` and, usually,
    `update_<player>` for each player. It keeps every argument of its constructor in an attribute of the same name, from
    which `get_config` reads it.

    Batches are `{"image": [n, *data_shape], "label": integer [n] or [n, 1]}`: images are floats in [0, 1] or uint8,
    vectors are floats on their own scale. `train_step` returns a dict of scalars, each loss as `<player>_loss`. `fit`
    reports them for each batch and as means over each epoch, and stops at the first that is not finite.

    Args:
        data_shape: `(height, width, channels)` of an image or `(size,)` of a vector.
        num_classes: how many labels there are; `None` for a model that reads none.
        seed: determines every random draw of training, together with the step and the draw's purpose; in [0, 2**32).
        ema_decay: the decay of running averages of the networks given to `averaged`; `None` for no averages.

    Attributes:
        players: names of the players; each is also the name of a network (or list of them) and of an optimiser.
        labels: whether the model reads labels: "none", "optional" (if `num_classes` is given) or "required".
        reads_unlabelled_rows: whether a training batch may hold rows with label -1.
        discriminator_updates: how many updates of the discriminator a step makes, each on a fresh minibatch.
        value_range: the lowest and the highest value of the images that the networks emit and read.
        decision_boundary: the score above which the model takes data to be real; `None` if scores have no such bound.
        averages: a list of (average, network, decay), one for every running average.
        reference: a batch of training data that never changes, float32 `[rows, *data_shape]` as the networks read it;
            `None` for a model that keeps none. See `add_reference`.

    Raises:
        InputError: a setting is out of its range.
    """

    players = ()
    labels = "none"
    reads_unlabelled_rows = False
    discriminator_updates = 1
    value_range = (-1.0, 1.0)
    decision_boundary = None
    reference = None

    def __init_subclass__(cls, **kwargs):
        """Gives a class that does not define `compile` one whose signature and docstring name its optimisers."""
        super().__init_subclass__(**kwargs)
        if "compile" not in vars(cls):
            cls.compile = compile_of(cls, TrainableModel.compile)

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
        self._class_names = None
        self.seed = seed
        self.ema_decay = ema_decay
        self.built = True  # there is no `call` whose shapes Keras could infer
        self.step_counter = self._constant("step", (), "int64")
        self.averages = []
        self._epoch = EpochLogs()

    @property
    def step(self):
        """How many training steps have been made."""
        return int(self.step_counter.value.numpy())

    @property
    def reads_labels(self):
        """Whether training reads labels."""
        return self.num_classes is not None

    @property
    def class_names(self):
        """The names of the labels, a tuple that exported models keep; `None` until it is set."""
        return self._class_names

    @class_names.setter
    def class_names(self, names):
        if names is not None and len(names) != self.num_classes:
            raise InputError(f"`class_names` must name {self.num_classes} classes. Received: {names}")
        self._class_names = names and tuple(names)

    @property
    def is_image(self):
        """Whether the data are images rather than vectors."""
        return len(self.data_shape) == 3

    # Networks.

    def checked(self, role, network, input_shapes, output_shape):
        """Checks a network's shapes by `networks.checked`, and the range of a generator's images.

        Args:
            role: the argument's name; a "generator" must not end in an activation of another `value_range`.
            network: a `keras.Model` of one input or a list of them.
            input_shapes: a list of the inputs' shapes without the batch axis.
            output_shape: the required output shape, without the batch axis.

        Returns:
            The network.

        Raises:
            InputError: the network has other inputs, another output or another range.
        """
        value_range = self.value_range if self.is_image and "generator" in role else None
        return networks.checked(role, network, input_shapes, output_shape, value_range)

    def averaged(self, network, decay=None):
        """A running average of `network` with `decay`, by default `ema_decay`; `network` itself if both are `None`."""
        decay = decay or self.ema_decay
        if decay is None:
            return network
        average = networks.copied(network)
        self.averages.append((average, network, decay))
        return average

    def restart_averages(self):
        """Sets every average to its network's present weights, for use after these were set by hand."""
        for average, network, _ in self.averages:
            average.set_weights(network.get_weights())

    def networks_of(self, player):
        """The networks that a player's optimiser trains."""
        return tf.nest.flatten(getattr(self, player))

    def variables_of(self, player):
        """The variables that a player's optimiser trains."""
        return [variable for network in self.networks_of(player) for variable in network.trainable_variables]

    # A batch that stays the same.

    def add_reference(self, rows):
        """Creates the variable of a reference batch; for the constructor of a model that compares batches with one.

        It is taken once, by `fit` from the training data or by `take_reference`; checkpoints and SavedModels hold it.

        Args:
            rows: the number of rows.
        """
        self.reference = self._constant("reference", (rows, *self.data_shape), "float32")
        self._reference_taken = self._constant("reference_taken", (), "bool")

    @property
    def has_reference(self):
        """Whether the reference batch has been taken."""
        return bool(self._reference_taken.numpy())

    def take_reference(self, images):
        """Sets the reference batch.

        Args:
            images: `[rows, *data_shape]`, with the `rows` of `add_reference`; images are floats in [0, 1] or uint8.

        Raises:
            InputError: the number of rows, the shape or the range is another.
        """
        data = self.checked_data(images)
        if len(data) != self.reference.shape[0]:
            raise InputError(f"The reference batch needs {self.reference.shape[0]} rows. Received: {len(data)}")
        self.reference.assign(data)
        self._reference_taken.assign(True)

    def checked_data(self, images):
        """Data that the user passed to a method, checked, as the networks read them: float32 `[n, *data_shape]`.

        Args:
            images: `[n, *data_shape]`; images are floats in [0, 1] or uint8, vectors are floats.

        Raises:
            InputError: the shape, type or range is another.
        """
        return self.real_data({"image": tf.constant(checked_images(images, self.data_shape))})

    def take_reference_from(self, batches):
        """Sets the reference batch to the first rows of a dataset.

        Args:
            batches: a `tf.data.Dataset` as `fit` takes it.

        Raises:
            InputError: `batches` is not a dataset, or has too few rows.
        """
        if not isinstance(batches, tf.data.Dataset):
            raise InputError(
                "A model with a reference batch takes it from a `tf.data.Dataset`, or from `take_reference` before "
                f"`fit`. Received: a {type(batches).__name__}"
            )
        rows = batches.unbatch().take(self.reference.shape[0]).batch(self.reference.shape[0])
        self.take_reference(next(iter(rows))["image"])

    def _constant(self, name, shape, dtype):
        return self.add_weight(
            shape=shape, dtype=dtype, initializer="zeros", trainable=False, aggregation="only_first_replica", name=name
        )

    # Compiling.

    def paper_optimizer(self, player):
        """A new Keras optimiser, the one that the paper gives a player; each subclass writes this method."""
        raise NotImplementedError

    def compile(
        self, *, log_gradient_norms=False, jit_compile=False, steps_per_execution=1, run_eagerly=False, **optimizers
    ):
        """Builds an optimiser for each player. The generator's is also `optimizer`, which Keras' callbacks use.

        Args:
            log_gradient_norms: also report `<player>_gradient_norm`, the norm of the gradient over all replicas.
            jit_compile: compile the step with XLA.
            steps_per_execution: how many steps are made before each return to Python.
            run_eagerly: run the step without a graph.
            **optimizers: `<player>_optimizer`, a Keras optimiser or its name; by default the paper's.

        Raises:
            InputError: an argument is unknown, two players share an optimiser, XLA is asked for on several replicas,
                or `steps_per_execution` does not divide the number of steps between two interludes.
        """
        names = {player: f"{player}_optimizer" for player in self.players}
        if others := sorted(optimizers.keys() - set(names.values())):
            raise InputError(f"{type(self).__name__}.compile takes {', '.join(names.values())}. Received: {others[0]}")
        replicas = self.distribute_strategy.num_replicas_in_sync
        if jit_compile and replicas > 1:
            raise InputError(f"`jit_compile` needs a strategy of one replica. Received: {replicas} replicas")
        if self.interlude_every and self.interlude_every % steps_per_execution:
            raise InputError(
                f"`steps_per_execution` must divide {self.interlude_every}, the steps between two interludes of "
                f"{type(self).__name__}. Received: steps_per_execution={steps_per_execution}"
            )
        super().compile(
            optimizer=None, jit_compile=jit_compile, steps_per_execution=steps_per_execution, run_eagerly=run_eagerly
        )
        self.log_gradient_norms = log_gradient_norms
        chosen = {
            player: keras.optimizers.get(optimizers.get(name) or self.paper_optimizer(player))
            for player, name in names.items()
        }
        for (player, optimizer), (other, another) in itertools.combinations(chosen.items(), 2):
            if optimizer is another:
                raise InputError(f"Each player needs an optimiser of its own. Received: one for {player} and {other}")
        for player, optimizer in chosen.items():
            scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            if self._computes_in_float16(player) and not scaled:
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            optimizer.build(self.variables_of(player))
            setattr(self, names[player], optimizer)
        # Keras' callbacks that change a learning rate know only one optimiser of a model.
        self.optimizer = self.optimizer_of("generator" if "generator" in self.players else self.players[0])

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

    # Export and saving.

    def signatures(self):
        """The signatures that `export` writes: a dict from name to (function, input specs)."""
        raise NotImplementedError

    def sampling_facts(self):
        """What a card says about how samples are drawn, as a JSON-like dict; empty for a model that draws none."""
        return {}

    def export(self, directory: str | os.PathLike, **card):
        """Writes `directory/<version>/`, a SavedModel with `signatures()`, and `directory/card.json`.

        Args:
            directory: the artefact's folder; the version is the next free number.
            **card: facts for the card that the model does not know itself; see `zoo.artefacts.export.export`.

        Returns:
            The path of the version's folder.
        """
        from zoo.artefacts import export

        return export.export(self, directory, **card)

    def get_config(self):
        """The constructor's arguments, including those that it passes on to base classes.

        Networks are included as they are, so that a user's own are restored.
        """
        return {name: _serialized(getattr(self, name)) for name in constructor_arguments(type(self))}

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))


def _serialized(value):
    """Serialises networks, alone or in lists, as Keras does; returns plain values as they are."""
    if isinstance(value, keras.layers.Layer):
        return keras.saving.serialize_keras_object(value)
    if isinstance(value, list | tuple):
        kind = tuple if isinstance(value, tuple) else list  # Keras' tracked lists become plain lists
        return kind(_serialized(part) for part in value)
    return value.tolist() if isinstance(value, np.ndarray) else value
