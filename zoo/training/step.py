"""The parts from which a paper's `train_step` is built: data, minibatches, draws, updates."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from zoo import draws
from zoo.errors import InputError
from zoo.training.batches import unit_images


class TrainingStep:
    """The parts of a step of a `TrainableModel`."""

    def real_data(self, batch):
        """The data of a batch as the networks read them, float32 `[batch, *data_shape]` in `value_range`."""
        return self._from_unit(unit_images(batch["image"])) if self.is_image else tf.cast(batch["image"], tf.float32)

    @property
    def minibatch_count(self):
        """How many minibatches of equal size a step makes of its batch."""
        return self.discriminator_updates

    def minibatches(self, rows, count):
        """Splits a batch into `count` fresh minibatches, which hold the same rows on N replicas as on one.

        Args:
            rows: a tensor or a nested structure of tensors, each `[batch, ...]`.
            count: the number of minibatches, a divisor of the batch size.

        Returns:
            A list of `count` structures like `rows`, each with batch / count rows.

        Raises:
            InputError: `count` does not divide the batch.
        """
        size = tf.nest.flatten(rows)[0].shape[0]
        if size is not None and size % count:
            raise InputError(
                f"{count} updates per step need a batch that {count} divides. Received: a batch of {size} rows"
            )
        return [tf.nest.map_structure(lambda tensor, first=first: tensor[first::count], rows) for first in range(count)]

    def _from_unit(self, images):
        low, high = self.value_range
        return tf.cast(images, tf.float32) * (high - low) + low

    def draw_uniform(self, data, shape, purpose):
        """This replica's rows of the step's draw from the uniform distribution on (0, 1).

        Args:
            data: a tensor `[n, ...]`, whose number of rows is drawn.
            shape: the shape of one row.
            purpose: a name that no other draw of the step has.

        Returns:
            float32 `[n, *shape]`.
        """
        return draws.replica_uniform(tf.shape(data)[0], shape, self._step_seed(purpose))

    def synchronize(self):
        """Makes every batch normalisation use the rows of all replicas: a paper's batch is then the global one.

        Call it before training. Several replicas then train as one replica with all rows does; without batch
        normalisation they do so anyway.

        Raises:
            InputError: no network has batch normalisation.
        """
        networks = [network for player in self.players for network in self.networks_of(player)]
        layers = [layer for network in networks for layer in network._flatten_layers(include_self=False)]
        normalizing = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
        if not normalizing:
            raise InputError(f"{type(self).__name__} has no batch normalisation to synchronise.")
        for layer in normalizing:
            layer.synchronized = True

    def minimize(self, player, loss, tape):
        """One update of a player down the gradient of a loss, averaged over the replicas.

        Args:
            player: the name of the player whose variables its optimiser updates.
            loss: scalar float32, the mean over this replica's rows, computed under `tape`.
            tape: the `tf.GradientTape` that recorded `loss`.

        Returns:
            A dict of the update's logs: `<player>_gradient_norm` if `compile` was asked for it, otherwise empty. The
            norm is 0 if a scaled loss makes a gradient overflow in float16, so that the optimiser skips the update.
        """
        if self._is_testing:
            return {}
        optimizer, variables = self.optimizer_of(player), self.variables_of(player)
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync
        loss_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        scale = optimizer.scale_loss(tf.constant(1 / replicas))  # as it is, if the optimiser scales no losses
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        logs = {}
        if self.log_gradient_norms:
            total = context.all_reduce("sum", [gradient for gradient in gradients if gradient is not None])
            norm = tf.linalg.global_norm([gradient / (scale * replicas) for gradient in total])
            if loss_scaled:
                norm = tf.where(tf.math.is_finite(norm), norm, 0.0)
            logs[f"{player}_gradient_norm"] = norm
        if loss_scaled and replicas > 1:
            gradients = self._agree_on_overflow(gradients, context)
        with tf.control_dependencies([self._all_computed(gradients)]):
            optimizer.apply(gradients, variables)
        return logs

    def _all_computed(self, gradients):
        """A node that runs after every gradient, so that the updates can wait for it.

        Keras sums gradients over replicas through one `IdentityN`. TensorFlow's dependency optimiser assumes that each
        of its outputs waits for all of its inputs. It therefore drops edges from reads of a variable to its update as
        redundant, and then drops the `IdentityN` too. A variable that is read only for another variable's gradient, as
        the last kernel is under a loss that is linear in the scores, could then be read after its own update.

        The node is the read of an arbitrary variable, since a `NoOp` is dropped as well, and a `ControlTrigger` also
        fires after the last step of a loop.
        """
        with tf.control_dependencies([gradient for gradient in gradients if gradient is not None]):
            return self.step_counter.value.read_value()

    @staticmethod
    def _agree_on_overflow(gradients, context):
        """Makes an overflow on one replica one on all, as Keras checks each replica's gradients before summing them."""
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
        overflows = context.all_reduce("sum", tf.cast(~finite, tf.float32))
        return [tf.where(overflows > 0, np.inf, gradient) for gradient in gradients]
