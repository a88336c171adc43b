"""Adversarial losses and other measures of training, as pure functions that take real before fake.

Logits, and a critic's scores, have shape `(batch, 1)` or `(batch,)` and any float type. All functions compute in
float32, and losses are scalars.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from zoo.labels import NO_LABEL


def cross_entropy_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """-E log D(x) - E log(1 - D(G(z))), with D the sigmoid of the logits (Goodfellow et al. 2014, eq. 1, negated)."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def hinge_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """E max(0, 1 - f(x)) + E max(0, 1 + f(G(z))): Miyato et al. 2018, eq. 16, negated."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return tf.reduce_mean(tf.nn.relu(1 - real_logits)) + tf.reduce_mean(tf.nn.relu(1 + fake_logits))


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

    The non-saturating loss of an encoder, which makes the real pairs, and of a generator, which makes the fake pairs.
    """
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return tf.reduce_mean(tf.nn.softplus(real_logits)) + tf.reduce_mean(tf.nn.softplus(-fake_logits))


def wasserstein_critic_loss(real_scores: tf.Tensor, fake_scores: tf.Tensor) -> tf.Tensor:
    """E f(G(z)) - E f(x): Arjovsky et al. 2017, eq. 2, negated; for f of slope 1, minus the estimated distance."""
    real_scores, fake_scores = _float32(real_scores, fake_scores)
    return tf.reduce_mean(fake_scores) - tf.reduce_mean(real_scores)


def wasserstein_generator_loss(fake_scores: tf.Tensor) -> tf.Tensor:
    """-E f(G(z)): Arjovsky et al. 2017, Algorithm 1. Its level has no meaning, as a critic may add any constant."""
    (fake_scores,) = _float32(fake_scores)
    return -tf.reduce_mean(fake_scores)


def real_log_odds(logits: tf.Tensor) -> tf.Tensor:
    """log D(x) / (1 - D(x)) of K + 1 classes, the last of which, fakes, has logit 0: Salimans et al. 2016, Sec. 5.

    Args:
        logits: `(batch, K)`.

    Returns:
        float32 `(batch,)`, log sum_k exp l_k(x), which can be used as a discriminator's logits.
    """
    (logits,) = _float32(logits)
    return tf.reduce_logsumexp(logits, axis=-1)


def classification_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """-E log p(y | x) with p the softmax of K logits, the mean over the rows that have a label.

    Args:
        logits: `(batch, K)`.
        labels: integers `(batch,)`, `NO_LABEL` for a row without a label; if no row has one, the loss is 0.
    """
    (logits,) = _float32(logits)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
    known = tf.cast(labels != NO_LABEL, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(known * losses), tf.reduce_sum(known))


def class_consistency(first_logits: tf.Tensor, second_logits: tf.Tensor) -> tf.Tensor:
    """The mean squared difference of the class probabilities of two passes of the same rows: Wei et al. 2018, Sec. 2.

    It is the distance in the authors' code, https://github.com/biuyq/CT-GAN, `CT_MNIST.py`.

    Args:
        first_logits, second_logits: `(batch, K)`.
    """
    first, second = (tf.nn.softmax(logits) for logits in _float32(first_logits, second_logits))
    return tf.reduce_mean((first - second) ** 2)


def smoothed_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor, real_target: float) -> tf.Tensor:
    """The cross-entropy with targets `real_target` for data and 0 for samples: Salimans et al. 2016, Sec. 3.4."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    real = real_target * tf.nn.softplus(-real_logits) + (1 - real_target) * tf.nn.softplus(real_logits)
    return tf.reduce_mean(real) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def feature_matching_loss(
    real_features: tf.Tensor, fake_features: tf.Tensor, distance: Callable[[tf.Tensor], tf.Tensor] = tf.square
) -> tf.Tensor:
    """The mean over the features f of (E f(x) - E f(G(z)))^2: Salimans et al. 2016, Sec. 3.1.

    Args:
        real_features, fake_features: `(batch, features)`; the numbers of rows may differ.
        distance: is applied to the difference of means; `tf.abs` in the authors' code for CIFAR-10 and SVHN.
    """
    real_features, fake_features = _float32(real_features, fake_features)
    return tf.reduce_mean(distance(tf.reduce_mean(real_features, axis=0) - tf.reduce_mean(fake_features, axis=0)))


def between(first: tf.Tensor, second: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """Points on the segments from the rows of `first` to those of `second`.

    Args:
        first, second: `(batch, ...)`.
        shares: how far along its segment each point lies, in [0, 1]: `(batch, 1, ...)`, of the rank of `first`.

    Returns:
        float32 `(batch, ...)`.
    """
    first, second = _float32(first, second)
    return first + shares * (second - first)


def gradient_norms(score: Callable[[tf.Tensor], tf.Tensor], points: tf.Tensor) -> tf.Tensor:
    """||d score(x) / dx|| of each row x, over all axes but the first, for gradient penalties.

    It is differentiable even where the gradient is 0, since 1e-12 is added under the square root.

    Args:
        score: a function from points to scores, each of which depends only on its own row; so no batch normalisation.
        points: `(batch, ...)`.

    Returns:
        float32 `(batch,)`.
    """
    (points,) = _float32(points)
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = tf.cast(score(points), tf.float32)
    slopes = tape.gradient(scores, points)  # of the sum of scores, so each row holds that of its score
    return tf.sqrt(tf.reduce_sum(slopes**2, axis=range(1, points.shape.rank)) + 1e-12)


def two_sided_penalty(norms: tf.Tensor, target: float = 1.0) -> tf.Tensor:
    """E (norm - target)^2: Gulrajani et al. 2017, eq. 3."""
    return tf.reduce_mean((norms - target) ** 2)


def one_sided_penalty(norms: tf.Tensor) -> tf.Tensor:
    """E max(0, norm - 1)^2, which does not penalise smaller slopes: Gulrajani et al. 2017, Sec. 4."""
    return tf.reduce_mean(tf.nn.relu(norms - 1) ** 2)


def discriminator_accuracies(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, boundary: float = 0.0
) -> dict[str, tf.Tensor]:
    """The share of real rows above the boundary, and so taken for real, and of fake rows below it, both in [0, 1]."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return {
        "real_accuracy": tf.reduce_mean(tf.cast(real_logits > boundary, tf.float32)),
        "fake_accuracy": tf.reduce_mean(tf.cast(fake_logits < boundary, tf.float32)),
    }


def _float32(*tensors: tf.Tensor) -> list[tf.Tensor]:
    return [tf.cast(tensor, tf.float32) for tensor in tensors]
