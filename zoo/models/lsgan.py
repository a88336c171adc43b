"""Least Squares Generative Adversarial Networks. X. Mao, Q. Li, H. Xie, R. Y. K. Lau, Z. Wang, S. P. Smolley. 2017.
https://arxiv.org/abs/1611.04076

The discriminator is trained with squared errors instead of a cross-entropy, towards one code for real data and another
for fakes. The generator therefore still learns from samples that the discriminator takes for real but that lie far from
its boundary.

Discriminator: minimise E (D(x) - b)^2 / 2 + E (D(G(z)) - a)^2 / 2.
Generator: minimise E (D(G(z)) - c)^2 / 2.

With b - c = 1 and b - a = 2 the generator minimises the Pearson divergence between p_data + p_g and 2 p_g.

Differences from the paper. Settings are those of the authors' code for LSUN, https://github.com/xudonmao/LSGAN.
1. The squared errors are means over the batch, as in the paper; the code sums them, which Adam all but cancels.
2. The generator's update draws new latents; the code uses the same latents in both updates of a step.
3. The paper's networks are for 112x112 photographs; here the number of layers follows from `data_shape`, as
   `networks.dcgan_stages` says, and 112x112 gives the code's networks.
4. Convolutions before batch normalisation have no bias, which it would cancel. The discriminator's first weights are
   normal, not truncated at two standard deviations.
"""

from __future__ import annotations

import math
import types

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.errors import InputError, require_positive
from zoo.layers import Conv2DTranspose, ReLU
from zoo.model import GenerativeModel

layers = keras.layers


def vgg_generator(data_shape, latent_size, filters, seed=0):
    """The paper's: 3x3 transposed convolutions that double the map; after each small map one keeps the size.

    With 64 filters, the last maps have 64 channels, those of half the image's side 128, and all smaller ones 256.

    Args:
        data_shape: `(height, width, channels)`; see `networks.dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of the last hidden map.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    stages = networks.dcgan_stages(data_shape)
    height, width, channels = data_shape
    initializer = networks.normal(seed)

    def normalized(x):
        return ReLU()(networks.batch_normalization()(x))

    def transposed(x, width, strides):
        return Conv2DTranspose(
            width, 3, strides=strides, padding="same", use_bias=False, kernel_initializer=initializer
        )(x)

    shape = (height >> stages, width >> stages, filters << min(stages, 2))
    inputs = keras.Input((latent_size,))
    x = layers.Dense(math.prod(shape), use_bias=False, kernel_initializer=initializer)(inputs)
    x = normalized(layers.Reshape(shape)(x))
    for stage in reversed(range(stages)):
        x = normalized(transposed(x, filters << min(stage, 2), strides=2))
        if stage >= 2:
            x = normalized(transposed(x, filters << 2, strides=1))
    x = Conv2DTranspose(channels, 3, padding="same", kernel_initializer=initializer)(x)
    outputs = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="generator")


def least_squares(scores, code):
    """E (scores - code)^2 / 2, a term of eq. 2: a float32 scalar from scores `(batch, 1)`."""
    return tf.reduce_mean((tf.cast(scores, tf.float32) - code) ** 2) / 2


@keras.saving.register_keras_serializable("zoo")
class LSGAN(GenerativeModel):
    """An adversarial pair with squared errors instead of cross-entropies.

    The score of data lies above (a + b) / 2 if the discriminator takes them to be real. Batch statistics are per
    replica.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or any with networks of your own.
        latent_size: length of the latent vector, uniform in [-1, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own, from `(batch, *data_shape)`, images in [-1, 1], to linear scores `(batch, 1)`.
        filters: channels of the map next to the image, in both networks.
        a: the discriminator's code for fakes.
        b: its code for real data, above `a`.
        c: the code that the generator wants for its samples, above `a`.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Attributes:
        BINARY: a, b and c of 0, 1 and 1, as in the authors' code; the default.
        PEARSON: a, b and c of -1, 1 and 0, with which the generator minimises a Pearson divergence.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = LSGAN(data_shape=(28, 28, 1), **LSGAN.PEARSON)
        model.compile()
        model.fit(zoo.data.load("mnist").train.stream(batch_size=64), steps_per_epoch=750, epochs=10)
    """

    BINARY = types.MappingProxyType({"a": 0.0, "b": 1.0, "c": 1.0})
    PEARSON = types.MappingProxyType({"a": -1.0, "b": 1.0, "c": 0.0})

    def __init__(
        self,
        data_shape,
        *,
        latent_size=1024,
        generator=None,
        discriminator=None,
        filters=64,
        a=BINARY["a"],
        b=BINARY["b"],
        c=BINARY["c"],
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters)
        if not all(map(math.isfinite, (a, b, c))) or min(b, c) <= a:
            raise InputError(f"`b` and `c`, codes of real data, must lie above `a`. Received: a={a}, b={b}, c={c}")
        self.filters = filters
        self.a, self.b, self.c = a, b, c
        self.decision_boundary = (a + b) / 2
        self.prior = priors.uniform(latent_size)
        generator = generator or vgg_generator(self.data_shape, latent_size, filters, self.seed)
        discriminator = discriminator or networks.dcgan_discriminator(self.data_shape, filters, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.001 and a first momentum of 0.5 for both players."""
        return optimizers.adam(1e-3, beta_1=0.5)

    def train_step(self, batch):
        """One discriminator update, then one generator update."""
        real = self.real_data(batch)
        logs = self.update_discriminator(real, self.draw_latents(real, "discriminator"))
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            # Separate calls, so that batch normalisation never mixes real and fake statistics.
            real_scores = self.discriminator(real, training=True)
            fake_scores = self.discriminator(fake, training=True)
            loss = least_squares(real_scores, self.b) + least_squares(fake_scores, self.a)
        norms = self.minimize("discriminator", loss, tape)
        accuracies = losses.discriminator_accuracies(real_scores, fake_scores, self.decision_boundary)
        return {"discriminator_loss": loss, **accuracies, **norms}

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake_scores = self.discriminator(self.generator(latents, training=True), training=True)
            loss = least_squares(fake_scores, self.c)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}
