"""`EncodingModel`: what all models have in common that also infer the latents of data."""

from __future__ import annotations

import tensorflow as tf

from zoo.artefacts.signatures import ENCODE, IMAGE, LABEL, LATENT, RECONSTRUCT, SAMPLES, rows
from zoo.model import GenerativeModel


class EncodingModel(GenerativeModel):
    """A generative model that also infers the latents of data; one of its players is the `encoder`.

    A paper's class sets `inferrer` as well as `sampler` in `__init__`, and writes `infer`.

    Attributes:
        inferrer: the network that encodes, `averaged(encoder)`.
    """

    def infer(self, data, labels):
        """The latents `[n, latent_size]` that the inferrer finds for data in `value_range`, without noise.

        Args:
            data: float32 `[n, *data_shape]`.
            labels: int32 `[n]`.
        """
        raise NotImplementedError

    def encode(self, images, labels=None):
        """The latents of data; each row depends only on its own data and label.

        Args:
            images: `[n, *data_shape]`, images as floats in [0, 1] or uint8.
            labels: for a conditional model, integers `[n]` or one integer for all rows; other models ignore them.

        Returns:
            float32 array `[n, latent_size]`.

        Raises:
            InputError: the data have another shape, or a conditional model's labels are missing or out of range.
        """
        return self._encode_graph(*self._labelled(images, labels)).numpy()

    def reconstruct(self, images, labels=None):
        """The data that the sampler generates from the latents of data.

        Takes what `encode` takes and raises what it raises.

        Returns:
            float32 array `[n, *data_shape]`, images in [0, 1].
        """
        return self._reconstruct_graph(*self._labelled(images, labels)).numpy()

    @tf.function(autograph=False, reduce_retracing=True)
    def _encode_graph(self, image, label):
        return self.encode_signature(image, label)[LATENT]

    @tf.function(autograph=False, reduce_retracing=True)
    def _reconstruct_graph(self, image, label):
        return self.reconstruct_signature(image, label)[SAMPLES]

    def encode_signature(self, image, label):
        """From `image` float32 [n, *data_shape] in [0, 1] and `label` int32 [n] to `latent` [n, latent_size]."""
        return {LATENT: self._inferred(image, label)[0]}

    def reconstruct_signature(self, image, label):
        """From `image` float32 [n, *data_shape] in [0, 1] and `label` int32 [n] to `samples` of the same shape."""
        return {SAMPLES: self._to_samples(self.generate(*self._inferred(image, label)))}

    def _inferred(self, image, label):
        """The latents of rows, and their labels."""
        data = self._from_unit(image) if self.is_image else image
        return tf.cast(self.infer(data, label), tf.float32), label

    def signatures(self):
        inputs = [rows(IMAGE, *self.data_shape), rows(LABEL)]
        return {
            **super().signatures(),
            ENCODE: (self.encode_signature, inputs),
            RECONSTRUCT: (self.reconstruct_signature, inputs),
        }
