"""Generative Adversarial Nets. I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair,
A. Courville, Y. Bengio. 2014. https://arxiv.org/abs/1406.2661

A generator maps noise to data; a discriminator tells its samples from real data; each is trained against the other
until the samples cannot be told from the data.

Discriminator: maximise E log D(x) + E log(1 - D(G(z))).
Generator: minimise E log(1 - D(G(z))) (`objective="saturating"`, Algorithm 1), or maximise E log D(G(z))
(`"non_saturating"`, Sec. 3, which the authors trained with and which is the default).

Differences from the paper. Its text leaves networks and settings to the authors' code, https://github.com/goodfeli/adversarial;
the defaults are those of the code's `mnist.yaml`.
1. The discriminator's loss is half of Algorithm 1's, as in the code; the published rate of 0.1 belongs to that loss.
2. The players move in turn, as in Algorithm 1. The code moves both at once, as `at_once` does here: from the same
   weights, with the same samples and the same dropped units. On MNIST these networks train only so: in turn, the
   discriminator wins.
3. The momentum rises a little at every update; in the code it rises once per epoch.
4. For vectors instead of images the generator's output is linear.
5. The generator's output bias starts at zero. In the code it starts at the data's mean image; `match_marginals`, which
   the recipe calls, sets it so.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from zoo import losses, optimizers, priors
from zoo.errors import InputError, require_positive
from zoo.layers import GlobalBatchDropout, Maxout
from zoo.model import GenerativeModel

layers = keras.layers

GENERATOR_LOSSES = {
    "saturating": losses.saturating_generator_loss,
    "non_saturating": losses.non_saturating_generator_loss,
}


def maxout_discriminator(data_shape, seed=0):
    """Two layers of 240 maxout units with 5 pieces, dropout of 0.2 on the data and 0.5 on the hidden units."""
    initializer = keras.initializers.RandomUniform(-0.005, 0.005, seed=keras.random.SeedGenerator(seed))
    inputs = keras.Input(data_shape)
    x = GlobalBatchDropout(0.2)(layers.Flatten()(inputs))
    for _ in range(2):
        x = GlobalBatchDropout(0.5)(Maxout(240, pieces=5, kernel_initializer=initializer)(x))
    return keras.Model(
        inputs, layers.Dense(1, kernel_initializer=initializer, dtype="float32")(x), name="discriminator"
    )


def relu_generator(data_shape, latent_size, seed=0):
    """Two layers of 1,200 rectified units, then sigmoid pixels in [0, 1] for images, or linear values for vectors."""
    initializer = keras.initializers.RandomUniform(-0.05, 0.05, seed=keras.random.SeedGenerator(seed))
    inputs = x = keras.Input((latent_size,))
    for _ in range(2):
        x = layers.Dense(1200, activation="relu", kernel_initializer=initializer)(x)
    x = layers.Dense(math.prod(data_shape), kernel_initializer=initializer, dtype="float32", name="output")(x)
    if len(data_shape) == 3:
        x = layers.Activation("sigmoid", dtype="float32", name="pixels")(x)
    return keras.Model(inputs, layers.Reshape(data_shape, dtype="float32")(x), name="generator")


@keras.saving.register_keras_serializable("zoo")
class GAN(GenerativeModel):
    """The first adversarial pair: fully connected, on images in [0, 1] or on vectors.

    Args:
        data_shape: `(height, width, channels)` or `(size,)`, of any size.
        latent_size: length of the latent vector, uniform in [-sqrt(3), sqrt(3)].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [0, 1].
        discriminator: your own, from `(batch, *data_shape)`, images in [0, 1], to logits `(batch, 1)`.
        discriminator_updates: k of Algorithm 1; each step's batch is split into k minibatches.
        objective: the generator's, `"non_saturating"` or `"saturating"`.
        at_once: whether the players move together, as the authors' code moves them, instead of in turn; k is then 1.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range or a network has the wrong shapes.

    Example:
        model = GAN(data_shape=(28, 28, 1), at_once=True)
        model.compile()
        model.fit(zoo.data.load("mnist").train.stream(batch_size=100), steps_per_epoch=500, epochs=100)
    """

    value_range = (0.0, 1.0)

    def __init__(
        self,
        data_shape,
        *,
        latent_size=100,
        generator=None,
        discriminator=None,
        discriminator_updates=1,
        objective="non_saturating",
        at_once=False,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(discriminator_updates=discriminator_updates)
        if objective not in GENERATOR_LOSSES:
            raise InputError(
                f"`objective` must be one of {sorted(GENERATOR_LOSSES)}. Received: objective={objective!r}"
            )
        if at_once and discriminator_updates != 1:
            raise InputError(
                "Players that move at once make one update each. "
                f"Received: at_once=True, discriminator_updates={discriminator_updates}"
            )
        self.discriminator_updates = discriminator_updates
        self.objective = objective
        self.at_once = at_once
        self.prior = priors.uniform(latent_size, limit=math.sqrt(3))
        generator = generator or relu_generator(self.data_shape, latent_size, self.seed)
        discriminator = discriminator or maxout_discriminator(self.data_shape, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Gradient descent at a rate of 0.1, divided by 1.000004 per update, momentum 0.5 to 0.7 in 125,000 updates."""
        return optimizers.MomentumRampSGD()

    def match_marginals(self, images):
        """Sets the paper's generator to start from the data's mean image, as the authors' code does.

        Args:
            images: `[n, *data_shape]`, floats in [0, 1] or uint8.

        Raises:
            InputError: the generator is not the paper's, or `images` do not fit.
        """
        if (last := self.generator.layers[-2:][0].name) != "pixels":
            raise InputError(
                "`match_marginals` needs the paper's own generator of images, whose last layer but one is 'pixels'. "
                f"Received: one with {last!r} in its place"
            )
        self.generator.get_layer("output").bias.assign(self.log_odds_of_mean(images).ravel())
        self.restart_averages()

    def train_step(self, batch):
        """Algorithm 1: k discriminator updates, each on fresh data and noise, then one generator update."""
        if self.at_once:
            return self.update_both(self.real_data(batch))
        for k, real in enumerate(self.minibatches(self.real_data(batch), self.discriminator_updates)):
            logs = self.update_discriminator(real, self.draw_latents(real, f"discriminator {k}"))
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_both(self, real):
        latents = self.draw_latents(real, "both")
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(latents, training=True)
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            discriminator_loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits) / 2
            generator_loss = GENERATOR_LOSSES[self.objective](fake_logits)
        logs = {"discriminator_loss": discriminator_loss, "generator_loss": generator_loss}
        logs |= losses.discriminator_accuracies(real_logits, fake_logits)
        logs |= self.minimize("discriminator", discriminator_loss, tape)
        return logs | self.minimize("generator", generator_loss, tape)

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits) / 2
        norms = self.minimize("discriminator", loss, tape)
        return {"discriminator_loss": loss, **losses.discriminator_accuracies(real_logits, fake_logits), **norms}

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake_logits = self.discriminator(self.generator(latents, training=True), training=True)
            loss = GENERATOR_LOSSES[self.objective](fake_logits)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}
