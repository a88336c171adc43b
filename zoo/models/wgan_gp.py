"""Improved Training of Wasserstein GANs. I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville. 2017.
https://arxiv.org/abs/1704.00028

The best critic of a Wasserstein GAN has slope 1 almost everywhere between data and samples. So the norm of the critic's
gradient there is drawn to 1, whereas WGAN clips weights and so loses capacity.

Critic (`discriminator`): minimise E f(G(z)) - E f(x) + lambda E (||grad f(x^)||_2 - 1)^2, with x^ = a x + (1 - a) G(z)
and a drawn anew for each sample, uniform in (0, 1). The one-sided penalty is E max(0, ||grad f(x^)||_2 - 1)^2 (Sec. 4).
Generator: minimise -E f(G(z)).

Differences from the paper. Its settings are those of Algorithm 1; its networks those of the authors' code,
https://github.com/igul222/improved_wgan_training.
1. For images the default networks are those of `gan_cifar.py` at the width of 64 that it recommends: DCGAN's, without
   batch normalisation in the critic. Their weights start from DCGAN's normal draws, the code's from uniform ones;
   layers before batch normalisation have no biases; and images of other sizes get as many layers as DCGAN's rule says.
   The residual networks behind the paper's scores are `networks.residual_generator` and `residual_critic`.
2. The code trains these networks, and the perceptrons for vectors, with a first momentum of 0.5; Algorithm 1 has 0.
3. 1e-12 is added under the square root of each norm, so that the norm is differentiable at a gradient of 0.
4. Samples are drawn with the running averages of the batch statistics, as DCGAN's are here.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.errors import InputError, require_non_negative, require_positive
from zoo.model import GenerativeModel

PENALTIES = {"two_sided": losses.two_sided_penalty, "one_sided": losses.one_sided_penalty}


@keras.saving.register_keras_serializable("zoo")
class WGANGP(GenerativeModel):
    """A generator that is led by a critic whose gradient is penalised.

    `fit` reports the critic's estimate of the Wasserstein distance as `wasserstein_estimate`, the penalty without its
    weight as `gradient_penalty`, and the mean norm of the gradient as `slope`. The generator's batch statistics are per
    replica.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or `(size,)`; any with networks of
            your own.
        latent_size: length of the latent vector, standard normal.
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own critic, from `(batch, *data_shape)`, images in [-1, 1], to scores `(batch, 1)`. If it
            has batch normalisation, you get a warning.
        filters: for images, channels of the map next to the image, in both networks; vectors have 3 layers of 512.
        discriminator_updates: n_critic; each step's batch is split into n_critic minibatches.
        penalty_weight: lambda.
        penalty: `"two_sided"`, or `"one_sided"`, which does not penalise norms below 1.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = WGANGP(data_shape=(32, 32, 3))
        model.compile()
        model.fit(zoo.data.load("cifar10").train.stream(batch_size=5 * 64), steps_per_epoch=1000, epochs=100)
    """

    decision_boundary = None

    def __init__(
        self,
        data_shape,
        *,
        latent_size=128,
        generator=None,
        discriminator=None,
        filters=64,
        discriminator_updates=5,
        penalty_weight=10.0,
        penalty="two_sided",
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters, discriminator_updates=discriminator_updates)
        require_non_negative(penalty_weight=penalty_weight)
        if penalty not in list(PENALTIES):
            raise InputError(f"`penalty` must be one of {sorted(PENALTIES)}. Received: penalty={penalty!r}")
        self.filters = filters
        self.discriminator_updates = discriminator_updates
        self.penalty_weight = penalty_weight
        self.penalty = penalty
        self.prior = priors.normal(latent_size)
        if self.is_image:
            generator = generator or networks.dcgan_generator(self.data_shape, latent_size, filters, self.seed)
            discriminator = discriminator or networks.dcgan_discriminator(
                self.data_shape, filters, self.seed + 1, normalized=False
            )
        else:
            (size,) = self.data_shape
            generator = generator or networks.relu_mlp(latent_size, size, seed=self.seed, name="generator")
            discriminator = discriminator or networks.relu_mlp(size, 1, seed=self.seed + 1, name="discriminator")
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        networks.warn_of_batch_normalization(self.discriminator)
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0001 and momenta of 0 and 0.9 for both players (Algorithm 1)."""
        return optimizers.adam(1e-4, beta_1=0.0, beta_2=0.9)

    def train_step(self, batch):
        """Algorithm 1: n_critic critic updates, each on fresh data and noise, then one generator update."""
        for k, real in enumerate(self.minibatches(self.real_data(batch), self.discriminator_updates)):
            latents = self.draw_latents(real, f"discriminator {k}")
            shares = self.draw_uniform(real, [1] * len(self.data_shape), f"shares {k}")
            logs = self.update_discriminator(real, latents, shares)
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents, shares):
        fake = self.generator(latents, training=True)
        points = losses.between(fake, real, shares)
        with tf.GradientTape() as tape:
            real_scores = self.discriminator(real, training=True)
            fake_scores = self.discriminator(fake, training=True)
            critic_loss = losses.wasserstein_critic_loss(real_scores, fake_scores)
            slopes = losses.gradient_norms(lambda x: self.discriminator(x, training=True), points)
            penalty = PENALTIES[self.penalty](slopes)
            loss = critic_loss + self.penalty_weight * penalty
        norms = self.minimize("discriminator", loss, tape)
        return {
            "discriminator_loss": loss,
            "wasserstein_estimate": -critic_loss,
            "gradient_penalty": penalty,
            "slope": tf.reduce_mean(slopes),
            **norms,
        }

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake_scores = self.discriminator(self.generator(latents, training=True), training=True)
            loss = losses.wasserstein_generator_loss(fake_scores)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}
