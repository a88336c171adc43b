"""Wasserstein GAN. M. Arjovsky, S. Chintala, L. Bottou. 2017. https://arxiv.org/abs/1701.07875

The generator reduces the Wasserstein distance between its samples and the data, which has a gradient even where the two
do not overlap. A critic of bounded slope estimates the distance; its weights are clipped to bound the slope.

Critic (`discriminator`): maximise E f(x) - E f(G(z)), each weight clipped to [-c, c] after every update.
Generator: minimise -E f(G(z)).

Differences from the paper. What its text leaves open follows the authors' code,
https://github.com/martinarjovsky/WassersteinGAN.
1. The critic makes n_critic = 5 updates before every update of the generator; in the code it makes 100 before each of
   the generator's first 25 updates and before every 500th.
2. Weights are clipped after each of the critic's updates, as in Algorithm 1. The code clips before each: the critic's
   first gradient is then taken at clipped weights, too, and the generator sees weights that have moved once since they
   were clipped.
3. The networks are DCGAN's, with 5x5 kernels and one dense layer each; the code's have 4x4 kernels and convolutions
   only. For 64x64 images they are equally deep; other sizes follow DCGAN's rule. The gains of batch normalisation start
   at 1, in the code at normal draws around 1.
4. Samples are drawn with the running averages of the batch statistics, as DCGAN's are here.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo import losses, networks, priors
from zoo.errors import require_positive, require_positive_number
from zoo.model import GenerativeModel


@keras.saving.register_keras_serializable("zoo")
class WGAN(GenerativeModel):
    """A generator that is led by a critic with clipped weights.

    `fit` reports the critic's estimate of the distance, up to an unknown factor, as `wasserstein_estimate`. Batch
    statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or any with networks of your own.
        latent_size: length of the latent vector, standard normal.
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own critic, from `(batch, *data_shape)`, images in [-1, 1], to scores `(batch, 1)`.
        filters: channels of the map next to the image, in both networks.
        discriminator_updates: n_critic; each step's batch is split into n_critic minibatches.
        clip_limit: c, which bounds every weight of the critic, including gains and biases.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = WGAN(data_shape=(64, 64, 3))
        model.compile()
        model.fit(zoo.data.load("folder:photos", image_size=64).train.stream(batch_size=5 * 64), steps_per_epoch=1000)
    """

    decision_boundary = None

    def __init__(
        self,
        data_shape,
        *,
        latent_size=100,
        generator=None,
        discriminator=None,
        filters=64,
        discriminator_updates=5,
        clip_limit=0.01,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters, discriminator_updates=discriminator_updates)
        require_positive_number(clip_limit=clip_limit)
        self.filters = filters
        self.discriminator_updates = discriminator_updates
        self.clip_limit = clip_limit
        self.prior = priors.normal(latent_size)
        generator = generator or networks.dcgan_generator(self.data_shape, latent_size, filters, self.seed)
        discriminator = discriminator or networks.dcgan_discriminator(self.data_shape, filters, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """RMSProp with a rate of 0.00005 for both players, and PyTorch's other settings.

        PyTorch adds 1e-8 to the square root of the mean square; Keras adds its epsilon under the square root.
        """
        return keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-16)

    def train_step(self, batch):
        """Algorithm 1: n_critic critic updates, each on fresh data and noise, then one generator update."""
        for k, real in enumerate(self.minibatches(self.real_data(batch), self.discriminator_updates)):
            logs = self.update_discriminator(real, self.draw_latents(real, f"discriminator {k}"))
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            # Separate calls, so that batch normalisation never mixes real and fake statistics.
            real_scores = self.discriminator(real, training=True)
            fake_scores = self.discriminator(fake, training=True)
            loss = losses.wasserstein_critic_loss(real_scores, fake_scores)
        norms = self.minimize("discriminator", loss, tape)
        if not self._is_testing:
            self.clip_weights()
        return {"discriminator_loss": loss, "wasserstein_estimate": -loss, **norms}

    def clip_weights(self):
        """w <- clip(w, -c, c), for every weight w that the critic's optimiser trains."""

        def clip(strategy):
            for variable in self.variables_of("discriminator"):
                strategy.extended.update(variable.value, _clip, args=(self.clip_limit,), group=False)

        tf.distribute.get_replica_context().merge_call(clip)

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake_scores = self.discriminator(self.generator(latents, training=True), training=True)
            loss = losses.wasserstein_generator_loss(fake_scores)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}


def _clip(variable, limit):
    variable.assign(tf.clip_by_value(variable, -limit, limit))
