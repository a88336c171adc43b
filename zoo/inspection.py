"""`Inspection`: the steps between a seed and a score of a generative model."""

from __future__ import annotations

import functools
import math

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from zoo import draws, networks
from zoo.artefacts.signatures import FEATURES, SAMPLES
from zoo.errors import InputError, require_positive


class Inspection:
    """The latents of seeds, the samples of latents, and the features that the discriminator sees in data."""

    def latents(self, seeds, labels=None):
        """The latents that `sample` gives to the generator.

        Args:
            seeds: integers `[n]`, or one integer n for the seeds 0 to n - 1.
            labels: as in `sample`; latents do not depend on them.

        Returns:
            float32 array `[n, latent_size]`, or a structure of such arrays if the prior has several parts.

        Raises:
            InputError: the seeds or labels are wrong, or the model has no latents.
        """
        if self.prior is None:
            raise InputError(f"{type(self).__name__} samples without latents.")
        seeds, _ = self._rows(seeds, labels)
        return tf.nest.map_structure(lambda part: part.numpy(), self.latents_of(seeds))

    def decode(self, latents, labels=None):
        """The samples that the sampler generates from latents.

        Args:
            latents: floats `[n, latent_size]`.
            labels: for a conditional model, integers `[n]` or one integer for all rows; other models ignore them.

        Returns:
            float32 array `[n, *data_shape]`, images in [0, 1].

        Raises:
            InputError: the latents have another shape, the model has no prior or one of several parts, or a
                conditional model's labels are missing or out of range.
        """
        if self.prior is None or tf.nest.is_nested(self.prior):
            raise InputError(f"{type(self).__name__} has no single latent vector to start from.")
        latents = np.asarray(latents, np.float32)
        if latents.ndim != 2 or latents.shape[1] != self.latent_size or not len(latents):
            raise InputError(f"`latents` should be [n, {self.latent_size}]. Received: shape {list(latents.shape)}")
        return self._decode_graph(tf.constant(latents), self._classes_of(len(latents), labels)).numpy()

    def invert(self, images, labels=None, starts=4, iterations=100):
        """The latents whose samples come nearest to images: a limited-memory BFGS search from draws of the prior.

        The search moves the prior's quantiles, so that it stays within the prior's support.

        Args:
            images: `[n, *data_shape]`, images as floats in [0, 1] or uint8.
            labels: for a conditional model, integers `[n]` or one integer for all rows; other models ignore them.
            starts: how many searches are made for each image; the best result is returned.
            iterations: the most iterations of one search.

        Returns:
            float32 arrays `[n, latent_size]` and `[n]`: the latents, and the Euclidean distances of their samples. A
            search may miss the nearest sample, so a distance may come out too large, but never too small.

        Raises:
            InputError: the data have another shape, the model has no prior or one of several parts, the labels are
                wrong, or `starts` or `iterations` is not positive.
        """
        require_positive(starts=starts, iterations=iterations)
        if self.prior is None or tf.nest.is_nested(self.prior):
            raise InputError(f"{type(self).__name__} has no single latent vector to look for.")
        images, labels = self._labelled(images, labels)
        images, labels = (tf.repeat(part, starts, axis=0) for part in (images, labels))
        quantiles = draws.uniform([len(images), self.latent_size], draws.named_seed(self.seed, "invert"))
        latents, distances = (part.numpy() for part in self._invert_graph(images, labels, quantiles, iterations))
        distances = distances.reshape(-1, starts)
        best = distances.argmin(axis=1)
        return latents.reshape(len(best), starts, -1)[np.arange(len(best)), best], distances.min(axis=1)

    def features(self, images, labels=None):
        """The inputs of the discriminator's last layer.

        Args:
            images: `[n, *data_shape]`, images as floats in [0, 1] or uint8.
            labels: for a conditional model, integers `[n]` or one integer for all rows; other models ignore them.

        Returns:
            float32 array `[n, k]`.

        Raises:
            InputError: the discriminator does not end in a dense layer, the data have another shape, or a conditional
                model's labels are missing or out of range.
        """
        if self.features_and_output is None:
            raise InputError(f"The discriminator of {type(self).__name__} has no features before a last dense layer.")
        return self._features_graph(*self._labelled(images, labels)).numpy()

    @functools.cached_property
    def features_and_output(self):
        """The discriminator as `networks.with_features` makes it, or `None` if it does not end in a dense layer."""
        discriminator = getattr(self, "discriminator", None)
        try:
            return networks.with_features(discriminator)
        except InputError:
            return None

    def features_signature(self, image, label):
        """From `image` float32 [n, *data_shape] in [0, 1] and `label` int32 [n], none -1, to `features` [n, k]."""
        data = self._from_unit(image) if self.is_image else image
        features, _ = self.features_and_output(self.judged(data, label), training=False)
        return {FEATURES: tf.cast(tf.reshape(features, [-1, math.prod(features.shape[1:])]), tf.float32)}

    def _labelled(self, images, labels):
        """Data and labels, checked, as the tensors that signatures take."""
        images = self.given(images, self.data_shape)
        return images, self._classes_of(len(images), labels)

    def _classes_of(self, count, labels):
        """Checked labels, one per row: a class for a conditional model, any label for other models."""
        _, labels = self._rows(count, labels)
        unlabelled = np.flatnonzero(np.asarray(labels) < 0)
        if self.conditional and len(unlabelled):
            raise InputError(
                f"`labels` should hold a class in [0, {self.num_classes - 1}] for each row. "
                f"Received: none for {len(unlabelled)} of {count} rows, the first of them {unlabelled[0]}"
            )
        return labels

    @tf.function(autograph=False, reduce_retracing=True)
    def _decode_graph(self, latents, labels):
        return self.generate_signature(latents, labels)[SAMPLES]

    @functools.cached_property
    def _invert_graph(self):
        """`_search` in one graph for any number of rows and iterations, since its trace takes seconds."""
        signature = [
            tf.TensorSpec([None, *self.data_shape], tf.float32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, self.latent_size], tf.float32),
            tf.TensorSpec([], tf.int32),
        ]
        return tf.function(self._search, signature, autograph=False)

    def _search(self, images, labels, quantiles, iterations):
        """The latents found from `quantiles` of the prior, and the distances of their samples from `images`."""

        def latents_at(logits):
            return tf.cast(self.prior.quantile(tf.sigmoid(logits)), tf.float32)

        def squares(logits):
            apart = self.generate_signature(latents_at(logits), labels)[SAMPLES] - images
            return tf.reduce_sum(apart**2, axis=range(1, apart.shape.rank))

        found = tfp.optimizer.lbfgs_minimize(
            lambda logits: tfp.math.value_and_gradient(squares, logits),
            initial_position=tf.math.log(quantiles) - tf.math.log1p(-quantiles),
            max_iterations=iterations,
        )
        return latents_at(found.position), tf.sqrt(found.objective_value)

    @tf.function(autograph=False, reduce_retracing=True)
    def _features_graph(self, image, label):
        return self.features_signature(image, label)[FEATURES]
