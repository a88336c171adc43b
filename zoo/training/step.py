"""What a paper's `train_step` is made of: data, minibatches, draws, updates."""

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

    def synchronize(self):
        """Makes every batch normalisation use the rows of all replicas: a paper's batch is then the global one.

        To be called before training. Several replicas then train as one does with all rows, as they do without batch
        normalisation anyhow.

        Raises:
            InputError: no network normalises by batch.
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
            player: whose variables and optimiser.
            loss: scalar float32, the mean over this replica's rows, computed under `tape`.

        Returns:
            What the update has to report: `<player>_gradient_norm` where `compile` was asked for it, else nothing. It
            is 0 where a scaled loss makes a gradient overflow in float16, so that the optimiser skips the update.
        """
        if self._is_testing:
            return {}
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
            if loss_scaled:
                total = [gradient / optimizer.dynamic_scale for gradient in total]
            norm = tf.linalg.global_norm(total)
            if loss_scaled:
                norm = tf.where(tf.math.is_finite(norm), norm, 0.0)
            logs[f"{player}_gradient_norm"] = norm
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
