"""`GenerativeModel`: what all generative models of the zoo share, so that a paper's file holds only the paper."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from zoo import draws, priors
from zoo.artefacts.signatures import (
    DISCRIMINATE,
    FEATURES,
    GENERATE,
    IMAGE,
    IMAGE_BYTES,
    LABEL,
    LATENT,
    LATENTS,
    SAMPLE,
    SAMPLE_PNG,
    SAMPLES,
    SCORE,
    SEED,
    SERVING_DEFAULT,
    rows,
)
from zoo.errors import TrainingError, require_positive
from zoo.inspection import Inspection
from zoo.sampling import check_seeds_and_labels
from zoo.training import TrainableModel, checked_images, unit_images


class GenerativeModel(Inspection, TrainableModel):
    """Players that are trained against each other, and a sampler.

    A paper's class sets its networks, `prior` and `sampler` in `__init__`, and writes `paper_optimizer`, `train_step`
    and, for each player, `update_<player>`. One step is one generator update.

    Args:
        data_shape: `(height, width, channels)` of an image or `(size,)` of a vector.
        latent_size: length of the latent vector; `None` for a model that samples from something else, such as small
            images that it enlarges. Such a model overrides `latents_of`.
        **kwargs: `num_classes`, `seed`, `ema_decay` (of the sampler) and `name`, as in `TrainableModel`.

    Attributes:
        prior: a `tfp.distributions` distribution with batch shape `[latent_size]` and a `quantile`, or a nested
            structure of such distributions for several latents; `None` without latents.
        samples_by_label: whether the sampler takes labels if training reads them.
        sampler: the network that samples, `averaged(generator)`.
        decision_boundary: the score above which the discriminator takes data to be real; `None` for a critic.

    Raises:
        InputError: a setting is out of its range.
    """

    players = ("generator", "discriminator")
    decision_boundary = 0.0
    samples_by_label = True
    prior = None

    def __init__(self, data_shape, *, latent_size=None, **kwargs):
        super().__init__(data_shape, **kwargs)
        if latent_size is not None:
            require_positive(latent_size=latent_size)
        self.latent_size = latent_size
        if self.conditional:
            self.label_counts = self._constant("label_counts", (self.num_classes,), "int64")

    @property
    def conditional(self):
        """Whether the sampler takes labels."""
        return self.reads_labels and self.samples_by_label

    @property
    def sampled_classes(self):
        """The number of classes from which a sample's may be chosen; `None` if the sampler takes no labels."""
        return self.num_classes if self.conditional else None

    # Draws of a training step.

    def draw_latents(self, data, purpose):
        """This replica's rows of the step's draw from the prior, structured like the prior.

        Args:
            data: a tensor `[n, ...]`, for each row of which a latent is drawn.
            purpose: a name that no other draw of the step has.

        Returns:
            float32 `[n, latent_size]`, or a structure of such tensors.
        """
        rows = tf.shape(data)[0]
        seed = self._step_seed(purpose)
        return self._latents(lambda shape, part: draws.replica_uniform(rows, shape, draws.fold(seed, part)))

    def _latents(self, draw):
        """Latents from `draw`, a function from the shape of a row and the number of a prior's part to uniform draws."""
        priors = tf.nest.flatten(self.prior)
        latents = [prior.quantile(draw(prior.batch_shape, part)) for part, prior in enumerate(priors)]
        return tf.nest.pack_sequence_as(self.prior, latents)

    def log_odds_of_mean(self, images):
        """The inputs for which a generator's sigmoid gives the data's mean image: initial values of its output bias.

        The mean of a pixel is kept 1e-7 away from 0 and 1, as in Pylearn2's `init_bias_target_marginals` and in the
        code of ALI.

        Args:
            images: `[n, *data_shape]`, floats in [0, 1] or uint8.

        Returns:
            float64 array of shape `data_shape`.

        Raises:
            InputError: the images have another shape, type or range.
        """
        images = checked_images(images, self.data_shape)
        mean = images.mean(axis=0, dtype=np.float64) / (255 if images.dtype == np.uint8 else 1)
        mean = mean.clip(1e-7, 1 - 1e-7)
        return np.log(mean / (1 - mean))

    # Sampling and export.

    def generate(self, latents, labels):
        """The sampler's outputs for latents, in `value_range`; conditional models override it to use the labels.

        Args:
            latents: float32 `[n, latent_size]`, or a structure like the prior's.
            labels: int32 `[n]`.

        Returns:
            float32 `[n, *data_shape]`.
        """
        return self.sampler(latents, training=False)

    def judged(self, data, labels):
        """The discriminator's inputs for data in `value_range` and their labels; by default only the data."""
        return data

    def score(self, data, labels):
        """How real the discriminator finds data in `value_range`: `[n, 1]` or `[n]`, higher is more real."""
        return self.discriminator(self.judged(data, labels), training=False)

    def sample(self, seeds, labels=None):
        """Draws samples, each of which depends only on its own seed and label.

        Args:
            seeds: integers `[n]`, or one integer n for the seeds 0 to n - 1.
            labels: integers `[n]`, or one integer for all rows; -1 lets the seed draw the label, each class as often as
                training saw it (before training, all equally often). `None` is -1 everywhere. An unconditional model
                ignores them.

        Returns:
            float32 array `[n, *data_shape]`, images in [0, 1].

        Raises:
            InputError: seeds or labels have the wrong type, shape or range.
            TrainingError: the samples are not finite because training diverged.
        """
        samples = self._sample_graph(*self._rows(seeds, labels)).numpy()
        if not np.isfinite(samples).all():
            self.check_weights()
            raise TrainingError(f"Training stopped at step {self.step}: the generator's samples are not finite.")
        return samples

    def given(self, images, shape):
        """Data that the user passed to a method, checked, as signatures take them.

        Args:
            images: `[n, *shape]`, images as floats in [0, 1] or uint8.
            shape: the shape of one row.

        Returns:
            A float32 tensor `[n, *shape]`, images in [0, 1].

        Raises:
            InputError: the shape, type or range is another.
        """
        images = checked_images(images, shape)
        return unit_images(images) if self.is_image else tf.constant(images, tf.float32)

    def sampling_facts(self):
        """A dict of `conditional`, whether samples take labels, `prior`, and for a conditional model `label_counts`."""
        facts = {"conditional": self.conditional, "prior": tf.nest.map_structure(priors.description, self.prior)}
        return facts | ({"label_counts": self.label_counts.numpy().tolist()} if self.conditional else {})

    def _rows(self, seeds, labels):
        """Seeds and labels, checked, as the tensors that signatures take."""
        return [tf.constant(rows) for rows in check_seeds_and_labels(seeds, labels, self.sampled_classes)]

    @tf.function(input_signature=[rows(SEED), rows(LABEL)], autograph=False)
    def _sample_graph(self, seed, label):
        return self.sample_signature(seed, label)[SAMPLES]

    def latents_of(self, seed):
        """The latents from which `generate` makes samples, one per seed of int64 `[n]`, structured like the prior."""
        seeds = draws.named_seed(0, "sample") ^ tf.bitcast(seed, tf.int32)
        return self._latents(lambda shape, part: draws.uniform_rows(shape, draws.fold_rows(seeds, part)))

    def sample_signature(self, seed, label):
        """The common sampling signature: from `seed` int64 [n] and `label` int32 [n] to `samples`."""
        return {SAMPLES: self._to_samples(self.generate(self.latents_of(seed), self._labels(seed, label)))}

    def latents_signature(self, seed, label):
        """From `seed` int64 [n] and `label` int32 [n] to the latents of `sample`: `latent`, or several by name."""
        latents = self.latents_of(seed)
        if not tf.nest.is_nested(latents):
            return {LATENT: latents}
        names = latents if isinstance(latents, dict) else range(len(latents))
        return {f"{LATENT}_{name}": part for name, part in zip(names, tf.nest.flatten(latents), strict=True)}

    def sample_png_signature(self, seed, label):
        """The samples of `sample_signature`, each as the bytes of a PNG file: `image_bytes` string [n]."""
        pixels = tf.cast(tf.round(self.sample_signature(seed, label)[SAMPLES] * 255), tf.uint8)
        png = tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.TensorSpec((), tf.string))
        return {IMAGE_BYTES: png}

    def generate_signature(self, latent, label):
        """From `latent` float32 [n, latent_size] and `label` int32 [n], none -1, to `samples`."""
        return {SAMPLES: self._to_samples(self.generate(latent, label))}

    def discriminate_signature(self, image, label):
        """From `image` float32 [n, *data_shape] in [0, 1] and `label` int32 [n], none -1, to `score` float32 [n]."""
        data = self._from_unit(image) if self.is_image else image
        return {SCORE: tf.reshape(tf.cast(self.score(data, label), tf.float32), [-1])}

    def signatures(self):
        """The signatures that `export` writes: a dict from name to (function, input specs), which models can extend.

        The functions expect valid rows; `zoo.artefacts.guard` handles invalid ones.
        """
        seed, label, image = rows(SEED), rows(LABEL), rows(IMAGE, *self.data_shape)
        signatures = {
            SERVING_DEFAULT: (self.sample_signature, [seed, label]),
            SAMPLE: (self.sample_signature, [seed, label]),
            DISCRIMINATE: (self.discriminate_signature, [image, label]),
        }
        if self.features_and_output is not None:
            signatures[FEATURES] = (self.features_signature, [image, label])
        if self.is_image and self.data_shape[-1] <= 4:
            signatures[SAMPLE_PNG] = (self.sample_png_signature, [seed, label])
        if self.prior is not None:
            signatures[LATENTS] = (self.latents_signature, [seed, label])
        if self.prior is not None and not tf.nest.is_nested(self.prior):
            signatures[GENERATE] = (self.generate_signature, [rows(LATENT, self.latent_size), label])
        return signatures

    def _labels(self, seed, label):
        """Labels; those that are -1 are drawn by the row's seed, each class as often as training saw it."""
        if not self.conditional:
            return label
        drawn = draws.uniform_rows([], draws.named_seed(0, "label") ^ tf.bitcast(seed, tf.int32))
        counts = self.label_counts.value
        upto = tf.cumsum(tf.where(tf.reduce_sum(counts) > 0, counts, tf.ones_like(counts)))
        shares = tf.cast(upto / upto[-1], tf.float32)
        return tf.where(label < 0, tf.searchsorted(shares, drawn, side="right"), label)

    def _to_samples(self, data):
        samples = self._to_unit(data)
        return tf.clip_by_value(samples, 0.0, 1.0) if self.is_image else samples

    def _to_unit(self, data):
        """The inverse of `_from_unit` for images, whose values may leave [0, 1]; vectors as they are."""
        data = tf.cast(data, tf.float32)
        if not self.is_image:
            return data
        low, high = self.value_range
        return (data - low) / (high - low)
