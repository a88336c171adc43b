"""Improving the Improved Training of Wasserstein GANs: A Consistency Term and Its Dual Effect. X. Wei, B. Gong, Z. Liu,
W. Lu, L. Wang. 2018. https://openreview.net/forum?id=SJx9GQb0-

WGAN-GP bounds the critic's slope between data and samples, but seldom near the data. Here two passes of the same real
image through a critic with dropout stand for two points near the image, and the differences between their scores and
between their features are penalised.

Critic (`discriminator`): minimise E f(G(z)) - E f(x') + lambda_1 E (||grad f(x^)||_2 - 1)^2 + lambda_2 CT, with
CT = E max(0, d(f(x'), f(x'')) + 0.1 d(f_(x'), f_(x'')) - M'), where f_ are the features before the last layer, x' and
x'' are two passes of x, each with its own dropout, and x^ is as in WGAN-GP.
Generator: minimise -E f(G(z)).

Differences from the paper. What its text leaves open is that of the authors' code, https://github.com/biuyq/CT-GAN.
1. d is the squared difference of the scores and the mean squared difference of the features, as in the code.
2. M' bounds a distance, as in the paper; in the code lambda_2 multiplies the distance before M' is subtracted. With the
   default M' of 0 both are the same.
3. The default critic is that of `CT_gan_cifar.py`, including its width of 128; the generator, the first weights and the
   treatment of other image sizes are as in WGAN-GP here. The residual networks are `networks.residual_generator` and
   `residual_critic`.
4. The last layer of the default critic, `dropout_critic`, has no bias: its loss does not depend on one, and Adam would
   let it drift with the rounding errors of a gradient of 0. That of `residual_critic` has one, as in the code.
5. As in WGAN-GP here, 1e-12 is added under the square root of each norm, and samples are drawn with running averages of
   the batch statistics.
6. The paper's semi-supervised learning is `SemiSupervisedGAN` with a `consistency_weight`.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.errors import InputError, require_non_negative, require_positive
from zoo.layers import Conv2D, GlobalBatchDropout, LeakyReLU
from zoo.model import GenerativeModel

layers = keras.layers

FEATURE_SHARE = 0.1  # weight of the features' distance; that of the scores' is 1


def dropout_critic(data_shape, filters, dropout, seed=0):
    """WGAN-GP's convolutions, with dropout after every layer, then a score.

    Args:
        data_shape: `(height, width, channels)`; see `networks.dcgan_stages` for the sizes that fit.
        filters: channels of the first map; each smaller map has twice the channels of the one before.
        dropout: the share of outputs that are dropped, in [0, 1).

    Returns:
        A `keras.Model` from `(batch, *data_shape)` to float32 scores `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    initializer = networks.normal(seed)
    inputs = x = keras.Input(data_shape)
    for stage in range(networks.dcgan_stages(data_shape)):
        x = Conv2D(filters << stage, 5, strides=2, padding="same", kernel_initializer=initializer)(x)
        x = GlobalBatchDropout(dropout)(LeakyReLU(negative_slope=0.2)(x))
    scores = layers.Dense(1, use_bias=False, kernel_initializer=initializer, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, scores, name="discriminator")


def consistency_term(first_scores, second_scores, first_features, second_features, margin=0.0):
    """CT of two passes of the same rows.

    Args:
        first_scores, second_scores: `(batch, 1)`.
        first_features, second_features: `(batch, n)`.
        margin: M'.

    Returns:
        float32 scalar.
    """
    of_scores, of_features = (
        tf.reduce_mean((tf.cast(first, tf.float32) - tf.cast(second, tf.float32)) ** 2, axis=1)
        for first, second in ((first_scores, second_scores), (first_features, second_features))
    )
    return tf.reduce_mean(tf.nn.relu(of_scores + FEATURE_SHARE * of_features - margin))


@keras.saving.register_keras_serializable("zoo")
class CTGAN(GenerativeModel):
    """A generator that is led by a critic with a gradient penalty and consistent scores of real images.

    `fit` reports what it reports for WGAN-GP, and `consistency`, the consistency term without its weight. The
    generator's batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or any with networks of your own.
        latent_size: length of the latent vector, standard normal.
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own critic, from `(batch, *data_shape)`, images in [-1, 1], to scores `(batch, 1)`: a
            functional model that ends in a `Dense` layer, whose inputs are the features. If it has no dropout, the
            consistency term is 0. If it has batch normalisation, you get a warning.
        filters: channels of the map next to the image, in both networks.
        dropout: the share of each hidden layer's outputs that the paper's critic drops.
        discriminator_updates: critic updates per step; each step's batch is split into as many minibatches.
        penalty_weight: lambda_1.
        consistency_weight: lambda_2.
        margin: M'.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes or form.

    Example:
        model = CTGAN(data_shape=(32, 32, 3))
        model.compile()
        model.fit(zoo.data.load("cifar10").train.stream(batch_size=5 * 64), steps_per_epoch=1000, epochs=50)
    """

    decision_boundary = None

    def __init__(
        self,
        data_shape,
        *,
        latent_size=128,
        generator=None,
        discriminator=None,
        filters=128,
        dropout=0.5,
        discriminator_updates=5,
        penalty_weight=10.0,
        consistency_weight=2.0,
        margin=0.0,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters, discriminator_updates=discriminator_updates)
        require_non_negative(penalty_weight=penalty_weight, consistency_weight=consistency_weight, margin=margin)
        if not 0 <= dropout < 1:
            raise InputError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}")
        self.filters = filters
        self.dropout = dropout
        self.discriminator_updates = discriminator_updates
        self.penalty_weight = penalty_weight
        self.consistency_weight = consistency_weight
        self.margin = margin
        self.prior = priors.normal(latent_size)
        generator = generator or networks.dcgan_generator(self.data_shape, latent_size, filters, self.seed)
        discriminator = discriminator or dropout_critic(self.data_shape, filters, dropout, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        networks.warn_of_batch_normalization(self.discriminator)
        self.features_and_scores = networks.with_features(self.discriminator)
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0001 and momenta of 0.5 and 0.9 for both players."""
        return optimizers.adam(1e-4, beta_1=0.5, beta_2=0.9)

    def train_step(self, batch):
        """Several critic updates, each on fresh data and noise, then one generator update."""
        for k, real in enumerate(self.minibatches(self.real_data(batch), self.discriminator_updates)):
            latents = self.draw_latents(real, f"discriminator {k}")
            shares = self.draw_uniform(real, [1] * len(self.data_shape), f"shares {k}")
            logs = self.update_discriminator(real, latents, shares)
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents, shares):
        fake = self.generator(latents, training=True)
        points = losses.between(fake, real, shares)
        with tf.GradientTape() as tape:
            # Every call draws its own dropout masks.
            features, real_scores = self.features_and_scores(real, training=True)
            other_features, other_scores = self.features_and_scores(real, training=True)
            fake_scores = self.discriminator(fake, training=True)
            critic_loss = losses.wasserstein_critic_loss(real_scores, fake_scores)
            slopes = losses.gradient_norms(lambda x: self.discriminator(x, training=True), points)
            penalty = losses.two_sided_penalty(slopes)
            consistency = consistency_term(real_scores, other_scores, features, other_features, self.margin)
            loss = critic_loss + self.penalty_weight * penalty + self.consistency_weight * consistency
        norms = self.minimize("discriminator", loss, tape)
        return {
            "discriminator_loss": loss,
            "wasserstein_estimate": -critic_loss,
            "gradient_penalty": penalty,
            "slope": tf.reduce_mean(slopes),
            "consistency": consistency,
            **norms,
        }

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake_scores = self.discriminator(self.generator(latents, training=True), training=True)
            loss = losses.wasserstein_generator_loss(fake_scores)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}
