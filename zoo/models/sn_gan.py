"""Spectral Normalization for Generative Adversarial Networks. T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida. 2018.
https://arxiv.org/abs/1802.05957

Every kernel of the discriminator is divided by its largest singular value, so that the discriminator's slope is bounded
wherever its inputs lie. One step of power iteration per update suffices, since kernels change slowly.

Discriminator f: minimise E max(0, 1 - f(x)) + E max(0, 1 + f(G(z))) (`objective="hinge"`), or
-E log D(x) - E log(1 - D(G(z))) with D = sigmoid(f) (`"cross_entropy"`).
Generator: minimise -E f(G(z)), or -E log D(G(z)).

Differences from the paper. What the text leaves open follows the authors' code,
https://github.com/pfnet-research/sngan_projection, and for the convolutional networks
https://github.com/pfnet-research/chainer-gan-lib: the first weights, the normalisation of the generator's projection,
the generator's update before the discriminator's, and u, which every forward pass in training updates.
1. The paper's networks are for 32x32 images (and 48x48); here their depth follows from `data_shape` as DCGAN's does:
   28x28 images have one stage less than 32x32 in both convolutional networks and in the residual generator, and their
   smallest maps are 7x7.
2. The residual generator is WGAN-GP's with twice its channels, which differs from the paper's only in the epsilon of
   its normalisation, 1e-5 instead of 2e-5.
3. The generator learns from as many samples as the discriminator's minibatch has rows; the code of the residual
   networks takes twice as many, 128.
4. Images have 256 levels in [-1, 1]; the code divides by 128 instead of 127.5 and adds noise of one level's width.
5. Samples are drawn with the running averages of the batch statistics, which see both players' updates.
6. Unconditional only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.errors import InputError, require_positive
from zoo.layers import Conv2D, Conv2DTranspose, FusedBatchNormalization, LeakyReLU, ReLU
from zoo.model import GenerativeModel

layers = keras.layers


class Setting(NamedTuple):
    """Adam's rate and momenta, for both players, and the discriminator's updates per step."""

    learning_rate: float
    beta_1: float
    beta_2: float
    discriminator_updates: int


SETTINGS = {
    "A": Setting(1e-4, 0.5, 0.9, 5),
    "B": Setting(1e-4, 0.5, 0.999, 1),
    "C": Setting(2e-4, 0.5, 0.999, 1),
    "D": Setting(1e-3, 0.5, 0.9, 5),
    "E": Setting(1e-3, 0.5, 0.999, 5),
    "F": Setting(1e-3, 0.9, 0.999, 5),
    "ResNet": Setting(2e-4, 0.0, 0.9, 5),  # for the residual networks
}

OBJECTIVES = {  # the discriminator's loss and the generator's
    "hinge": (losses.hinge_discriminator_loss, losses.wasserstein_generator_loss),
    "cross_entropy": (losses.cross_entropy_discriminator_loss, losses.non_saturating_generator_loss),
}


def cnn_generator(data_shape, latent_size, filters=64, seed=0):
    """A normalised projection, 4x4 transposed convolutions that double the map and halve its channels, and a 3x3 one.

    Args:
        data_shape: `(height, width, channels)`; see `networks.dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of the largest map.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    stages, initializer = networks.dcgan_stages(data_shape), networks.normal(seed)
    height, width, channels = data_shape
    shape = (height >> stages, width >> stages, filters << stages)
    latents = keras.Input((latent_size,))
    x = layers.Dense(math.prod(shape), kernel_initializer=initializer)(latents)
    x = layers.Reshape(shape)(ReLU()(_normalized(x)))
    for stage in reversed(range(stages)):
        x = Conv2DTranspose(filters << stage, 4, 2, padding="same", kernel_initializer=initializer)(x)
        x = ReLU()(_normalized(x))
    x = Conv2D(channels, 3, padding="same", kernel_initializer=initializer)(x)
    return keras.Model(latents, layers.Activation("tanh", dtype="float32")(x), name="generator")


def cnn_discriminator(data_shape, filters=64, seed=0):
    """Pairs of a 3x3 and a 4x4 convolution, which halves the map, a last 3x3 one, a logit; all spectrally normalised.

    Args:
        data_shape: `(height, width, channels)`; see `networks.dcgan_stages` for the sizes that fit.
        filters: channels of the first pair; each further pair has twice as many.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [-1, 1] to float32 logits `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    stages, initializer = networks.dcgan_stages(data_shape), networks.normal(seed)
    images = x = keras.Input(data_shape)
    for layer in range(2 * stages + 1):
        halves = layer % 2
        x = Conv2D(filters << layer // 2, 3 + halves, 1 + halves, padding="same", kernel_initializer=initializer)(x)
        x = LeakyReLU(negative_slope=0.1)(x)
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(layers.Flatten()(x))
    return networks.spectrally_normalized(keras.Model(images, logits, name="discriminator"), seed + 1)


def resnet_discriminator(data_shape, filters=128, seed=0):
    """The residual critic of WGAN-GP, with a sum over the pixels instead of the mean; all spectrally normalised.

    Args:
        data_shape: `(height, width, channels)`; height and width divisible by 4.
        filters: channels of every map.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [-1, 1] to float32 logits `(batch, 1)`.
    """
    critic = networks.residual_critic(data_shape, filters, seed)
    *_, pool, _ = critic.layers
    pixels = math.prod(pool.input.shape[1:3])
    x = layers.Rescaling(pixels, dtype="float32")(pool.output)
    initializer = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed + 1))
    logits = layers.Dense(1, use_bias=False, kernel_initializer=initializer, dtype="float32")(x)
    return networks.spectrally_normalized(keras.Model(critic.input, logits, name="discriminator"), seed + 2)


def _normalized(x):
    return FusedBatchNormalization(momentum=0.9, epsilon=2e-5)(x)


@keras.saving.register_keras_serializable("zoo")
class SNGAN(GenerativeModel):
    """A generator against a spectrally normalised discriminator: the paper's convolutional pair, or your own networks.

    The residual pair is `networks.residual_generator` with 256 filters and `resnet_discriminator`, with the setting
    "ResNet". `networks.spectrally_normalized` normalises a network of your own. Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or any with networks of your own.
        latent_size: length of the latent vector, standard normal.
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own, from `(batch, *data_shape)`, images in [-1, 1], to logits `(batch, 1)`.
        filters: channels of the maps next to the image, in both networks.
        objective: `"hinge"` or `"cross_entropy"`.
        setting: a key of `SETTINGS`, which gives the discriminator's updates per step and the settings of Adam.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = SNGAN(data_shape=(32, 32, 3))
        model.compile()
        model.fit(zoo.data.load("cifar10").train.stream(batch_size=64), steps_per_epoch=1000, epochs=100)
    """

    def __init__(
        self,
        data_shape,
        *,
        latent_size=128,
        generator=None,
        discriminator=None,
        filters=64,
        objective="hinge",
        setting="C",
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters)
        for name, value, known in (("objective", objective, OBJECTIVES), ("setting", setting, SETTINGS)):
            if value not in list(known):
                raise InputError(f"`{name}` must be one of {', '.join(known)}. Received: {name}={value!r}")
        self.filters = filters
        self.objective = objective
        self.setting = setting
        self.discriminator_updates = SETTINGS[setting].discriminator_updates
        self.prior = priors.normal(latent_size)
        generator = generator or cnn_generator(self.data_shape, latent_size, filters, self.seed)
        discriminator = discriminator or cnn_discriminator(self.data_shape, filters, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam for both players, with the rate and the momenta of the setting."""
        rate, beta_1, beta_2, _ = SETTINGS[self.setting]
        return optimizers.adam(rate, beta_1, beta_2)

    def train_step(self, batch):
        """One generator update, then the discriminator's, each on a fresh minibatch: the order of the authors' code."""
        reals = self.minibatches(self.real_data(batch), self.discriminator_updates)
        logs = self.update_generator(self.draw_latents(reals[0], "generator"))
        for k, real in enumerate(reals):
            logs |= self.update_discriminator(real, self.draw_latents(real, f"discriminator {k}"))
        return logs

    def update_generator(self, latents):
        _, loss_of = OBJECTIVES[self.objective]
        with tf.GradientTape() as tape:
            loss = loss_of(self.discriminator(self.generator(latents, training=True), training=True))
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}

    def update_discriminator(self, real, latents):
        loss_of, _ = OBJECTIVES[self.objective]
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            loss = loss_of(real_logits, fake_logits)
        norms = self.minimize("discriminator", loss, tape)
        return {"discriminator_loss": loss, **losses.discriminator_accuracies(real_logits, fake_logits), **norms}
