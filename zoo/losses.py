"""Adversarial losses and what a person watches beside them: pure functions of logits, real before fake.

Logits have shape `(batch, 1)` or `(batch,)` and any float type; all compute in float32 and return scalars.
"""

from __future__ import annotations

import tensorflow as tf


def cross_entropy_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """-E log D(x) - E log(1 - D(G(z))), with D the sigmoid of the logits (Goodfellow et al. 2014, eq. 1, negated)."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def saturating_generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """E log(1 - D(G(z))): Goodfellow et al. 2014, Algorithm 1."""
    (fake_logits,) = _float32(fake_logits)
    return -tf.reduce_mean(tf.nn.softplus(fake_logits))


def non_saturating_generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """-E log D(G(z)): Goodfellow et al. 2014, Sec. 3."""
    (fake_logits,) = _float32(fake_logits)
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def pair_generator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """-E log(1 - D(x, E(x))) - E log D(G(z), z): Dumoulin et al. 2016, eq. 4, negated; Donahue et al. 2016.

    The non-saturating loss of an encoder, whose pairs are the real ones, and of a generator, whose pairs are the fakes.
    """
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return tf.reduce_mean(tf.nn.softplus(real_logits)) + tf.reduce_mean(tf.nn.softplus(-fake_logits))


def discriminator_accuracies(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """The shares of real rows taken for real and of fake rows taken for fake, in [0, 1]."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return {
        "real_accuracy": tf.reduce_mean(tf.cast(real_logits > 0, tf.float32)),
        "fake_accuracy": tf.reduce_mean(tf.cast(fake_logits < 0, tf.float32)),
    }


def _float32(*tensors: tf.Tensor) -> list[tf.Tensor]:
    return [tf.cast(tensor, tf.float32) for tensor in tensors]
