"""Conditional Generative Adversarial Nets. M. Mirza, S. Osindero. 2014. https://arxiv.org/abs/1411.1784

Both players are told the label: the generator maps noise and a label y to data of that label, and the discriminator
tells pairs of real data and their label from pairs of generated data and the label they were generated for.

Discriminator: maximise E log D(x|y) + E log(1 - D(G(z|y)|y)).
Generator: maximise E log D(G(z|y)|y).

Differences from the paper. What its text leaves open follows the code of GAN (Goodfellow et al. 2014), with which it
shares the rate and the momenta: `mnist.yaml` in https://github.com/goodfeli/adversarial.
1. The paper writes only the minimax game of eq. 2; here the generator's objective is the non-saturating one, and the
   discriminator's loss is half of eq. 2's. Both are the code's.
2. The players move in turn; the code moves both at once, from the same weights.
3. The paper does not say how weights are initialised; here it is as in the code, except for the output bias, which
   starts at zero.
4. Nor does the paper say how often the rate falls or for how long the momentum rises. Here both change at every update:
   the rate reaches its floor after 288,000 updates, the momentum its final value after 125,000, which are the code's
   250 epochs of 500 updates.
5. Dropout of 0.5 in both networks is taken to apply to their hidden units: on the inputs, it would leave half of the
   rows without a label. Samples are drawn without dropout, as in the code. With latents from the paper's unit cube the
   generator then takes little notice of them, and all samples of a label are nearly the same image; see `latent_range`
   and the recipe `cgan_mnist`, which leaves the generator's dropout out.
6. Generated rows carry the labels of the batch's real rows. The paper does not say which; this is the choice of
   Radford's conditional code for MNIST, https://github.com/Newmu/dcgan_code.
7. No early stopping by a Parzen estimate on validation data: the last weights count.
8. For vectors instead of images the generator's output is linear.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from zoo import losses, optimizers, priors
from zoo.errors import InputError
from zoo.layers import GlobalBatchDropout, Maxout
from zoo.model import GenerativeModel

layers = keras.layers


def conditional_generator(data_shape, latent_size, num_classes, dropout, seed=0):
    """The paper's for MNIST: 200 rectified units for the noise and 1,000 for the label, then 1,200 for both.

    Dropout, at the rate given, applies to all three hidden layers.

    Returns:
        A `keras.Model` from latents `(batch, latent_size)` and one-hot labels `(batch, num_classes)` to float32
        `(batch, *data_shape)`: sigmoid pixels in [0, 1] for images, linear values for vectors.
    """
    initializer = keras.initializers.RandomUniform(-0.05, 0.05, seed=keras.random.SeedGenerator(seed))

    def hidden(x, units):
        return GlobalBatchDropout(dropout)(layers.Dense(units, activation="relu", kernel_initializer=initializer)(x))

    latents, label = keras.Input((latent_size,)), keras.Input((num_classes,))
    joint = hidden(layers.Concatenate()([hidden(latents, 200), hidden(label, 1000)]), 1200)
    activation = "sigmoid" if len(data_shape) == 3 else None
    x = layers.Dense(math.prod(data_shape), activation, kernel_initializer=initializer, dtype="float32")(joint)
    return keras.Model([latents, label], layers.Reshape(data_shape, dtype="float32")(x), name="generator")


def conditional_discriminator(data_shape, num_classes, seed=0):
    """The paper's for MNIST: 240 maxout units of 5 pieces for the data and 50 for the label, then 240 of 4 for both.

    Returns:
        A `keras.Model` from data `(batch, *data_shape)` and one-hot labels `(batch, num_classes)` to float32 logits
        `(batch, 1)`.
    """
    initializer = keras.initializers.RandomUniform(-0.005, 0.005, seed=keras.random.SeedGenerator(seed))

    def hidden(x, units, pieces):
        return GlobalBatchDropout(0.5)(Maxout(units, pieces, kernel_initializer=initializer)(x))

    data, label = keras.Input(data_shape), keras.Input((num_classes,))
    joint = layers.Concatenate()([hidden(layers.Flatten()(data), 240, 5), hidden(label, 50, 5)])
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(hidden(joint, 240, 4))
    return keras.Model([data, label], logits, name="discriminator")


@keras.saving.register_keras_serializable("zoo")
class CGAN(GenerativeModel):
    """An adversarial pair that is told the label: fully connected, on images in [0, 1] or on vectors.

    Args:
        data_shape: `(height, width, channels)` or `(size,)`, of any size.
        num_classes: how many labels there are, at least 2.
        latent_size: length of the latent vector.
        latent_range: the two values between which each of its components is uniform. The code of GAN has -sqrt(3) and
            sqrt(3), which give unit variance.
        generator_dropout: the rate of dropout in the paper's generator, in [0, 1).
        generator: your own, from latents `(batch, latent_size)` and one-hot labels `(batch, num_classes)` to
            `(batch, *data_shape)`, images in [0, 1].
        discriminator: your own, from `(batch, *data_shape)`, images in [0, 1], and one-hot labels
            `(batch, num_classes)` to logits `(batch, 1)`.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range or a network has the wrong shapes.

    Example:
        model = CGAN(data_shape=(28, 28, 1), num_classes=10)
        model.compile()
        model.fit(zoo.data.load("mnist").train.stream(batch_size=100), steps_per_epoch=500, epochs=50)
        sevens = model.sample(seeds=64, labels=7)
    """

    labels = "required"
    value_range = (0.0, 1.0)

    def __init__(
        self,
        data_shape,
        *,
        num_classes,
        latent_size=100,
        latent_range=(0.0, 1.0),
        generator_dropout=0.5,
        generator=None,
        discriminator=None,
        **kwargs,
    ):
        super().__init__(data_shape, num_classes=num_classes, latent_size=latent_size, **kwargs)
        low, high = latent_range
        if not low < high:
            raise InputError(f"`latent_range` must rise. Received: latent_range={latent_range}")
        if not 0 <= generator_dropout < 1:
            raise InputError(f"`generator_dropout` must lie in [0, 1). Received: generator_dropout={generator_dropout}")
        self.latent_range = (low, high)
        self.generator_dropout = generator_dropout
        self.prior = priors.box(latent_size, low, high)
        generator = generator or conditional_generator(
            self.data_shape, latent_size, num_classes, generator_dropout, self.seed
        )
        discriminator = discriminator or conditional_discriminator(self.data_shape, num_classes, self.seed + 1)
        shapes = [(latent_size,), (num_classes,)]
        self.generator = self.checked("generator", generator, shapes, self.data_shape)
        shapes = [self.data_shape, (num_classes,)]
        self.discriminator = self.checked("discriminator", discriminator, shapes, (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Gradient descent at a rate of 0.1, divided by 1.00004 per update, momentum 0.5 to 0.7 in 125,000 updates."""
        return optimizers.MomentumRampSGD(decay=1.00004)

    def train_step(self, batch):
        """One discriminator update, then one generator update, both for the labels of the batch."""
        real, labels = self.real_data(batch), self.one_hot(batch["label"])
        logs = self.update_discriminator(real, labels, self.draw_latents(real, "discriminator"))
        return logs | self.update_generator(labels, self.draw_latents(real, "generator"))

    def update_discriminator(self, real, labels, latents):
        fake = self.generator([latents, labels], training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator([real, labels], training=True)
            fake_logits = self.discriminator([fake, labels], training=True)
            loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits) / 2
        norms = self.minimize("discriminator", loss, tape)
        return {"discriminator_loss": loss, **losses.discriminator_accuracies(real_logits, fake_logits), **norms}

    def update_generator(self, labels, latents):
        with tf.GradientTape() as tape:
            fake = self.generator([latents, labels], training=True)
            loss = losses.non_saturating_generator_loss(self.discriminator([fake, labels], training=True))
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}

    def one_hot(self, labels):
        """Labels int32 `[n]` as float32 `[n, num_classes]`."""
        return tf.one_hot(labels, self.num_classes)

    def generate(self, latents, labels):
        return self.sampler([latents, self.one_hot(labels)], training=False)

    def judged(self, data, labels):
        return [data, self.one_hot(labels)]
