"""Improved Techniques for Training GANs. T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen. 2016.
https://arxiv.org/abs/1606.03498 (Sec. 3)

Five techniques, each of which can be left out. The discriminator's last layer also reads how close the rows of a batch
are, so that a generator that always makes the same image is caught (minibatch discrimination). The generator may match
the mean of the discriminator's features instead of deceiving it (feature matching). Its rows are normalised by a
reference batch that never changes (virtual batch normalisation). The discriminator's target for data is 0.9 (one-sided
label smoothing). Both players are drawn towards the mean of their weights so far (historical averaging).

Discriminator: minimise -E [a log D(x) + (1 - a) log(1 - D(x))] - E log(1 - D(G(z))) + h ||theta - mean theta||^2, with
the target a and the weight h.
Generator: minimise -E log D(G(z)), or the mean over the features f of (E f(x) - E f(G(z)))^2, + h ||theta - mean
theta||^2.

Differences from the paper. What it leaves open follows the authors' code, https://github.com/openai/improved-gan.
1. The default networks are DCGAN's with the techniques. `recipes/improved_gan_cifar10.py` has the paper's.
2. Historical averaging is off by default: the paper states no weight for it, and the code has lost it.
3. As in the code, the reference batch consists of latents, since only the generator is normalised by it.
4. With feature matching, the generator matches the data that the discriminator has just seen; the code draws others.
   Features are those before minibatch discrimination.
5. The rows of a minibatch are compared wherever the discriminator is used: the score that `discriminate` gives an image
   depends on the images in the same batch.
6. Labels are not used; for the paper's semi-supervised learning see `SemiSupervisedGAN`.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo import losses, networks, priors
from zoo.errors import InputError, require_non_negative, require_positive
from zoo.layers import GlobalBatchDropout, GlobalBatchNoise, MinibatchDiscrimination, initialize_from_data
from zoo.model import GenerativeModel
from zoo.optimizers import InnerEpsilonAdam


@keras.saving.register_keras_serializable("zoo")
class ImprovedGAN(GenerativeModel):
    """DCGAN's pair with the paper's techniques, each of which a setting can leave out, or networks of your own.

    Minibatch discrimination and, without `reference_rows`, the generator's batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or any with networks of your own.
        latent_size: length of the latent vector, uniform in [0, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own, from `(batch, *data_shape)`, images in [-1, 1], to logits `(batch, 1)`. With
            `feature_matching`: a functional model that ends in a `Dense` layer, whose inputs are the features.
        filters: channels of the maps next to the image, in both default networks.
        minibatch_kernels: features that minibatch discrimination adds to the default discriminator's; 0 for none.
        kernel_size: the size of each of these kernels.
        reference_rows: latents in the reference batch of the default generator; 0 for batch normalisation.
        weight_normalization: whether the default discriminator has weight normalisation instead of batch normalisation.
        feature_matching: whether the generator matches features.
        real_target: a, the discriminator's target for data, above 0.5 and at most 1.
        historical_weight: h.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes or form.

    Example:
        data = zoo.data.load("cifar10").train
        model = ImprovedGAN(data_shape=(32, 32, 3))
        model.initialize_from(data.images[:500])
        model.compile()
        model.fit(data.stream(batch_size=100), steps_per_epoch=500, epochs=100)
    """

    def __init__(
        self,
        data_shape,
        *,
        latent_size=100,
        generator=None,
        discriminator=None,
        filters=64,
        minibatch_kernels=100,
        kernel_size=5,
        reference_rows=100,
        weight_normalization=True,
        feature_matching=False,
        real_target=0.9,
        historical_weight=0.0,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters, kernel_size=kernel_size)
        require_non_negative(
            minibatch_kernels=minibatch_kernels, reference_rows=reference_rows, historical_weight=historical_weight
        )
        if not 0.5 < real_target <= 1:
            raise InputError(f"`real_target` must lie between 0.5 and 1. Received: real_target={real_target}")
        self.filters = filters
        self.minibatch_kernels = minibatch_kernels
        self.kernel_size = kernel_size
        self.reference_rows = reference_rows
        self.weight_normalization = weight_normalization
        self.feature_matching = feature_matching
        self.real_target = real_target
        self.historical_weight = historical_weight
        self.prior = priors.box(latent_size, 0, 1)
        self.generator = self.checked(
            "generator", generator or self._paper_generator(), [(latent_size,)], self.data_shape
        )
        self.discriminator = self.checked(
            "discriminator", discriminator or self._paper_discriminator(), [self.data_shape], (1,)
        )
        if feature_matching:
            disturbing = (GlobalBatchDropout, GlobalBatchNoise, MinibatchDiscrimination)
            self.features_and_logits = networks.with_features(self.discriminator, disturbing)
        if historical_weight:
            self.weight_means = {
                player: [
                    self._constant(f"{player}_weight_mean_{number}", variable.shape, "float32")
                    for number, variable in enumerate(self.variables_of(player))
                ]
                for player in self.players
            }
        self.sampler = self.averaged(self.generator)

    def _paper_generator(self):
        network = networks.dcgan_generator(self.data_shape, self.latent_size, self.filters, self.seed)
        if not self.reference_rows:
            return network
        latents = keras.initializers.RandomUniform(0, 1, seed=self.seed)
        return networks.virtually_normalized(network, self.reference_rows, latents, self.seed + 2)

    def _paper_discriminator(self):
        seed, normalized = self.seed + 1, not self.weight_normalization
        network = networks.dcgan_discriminator(self.data_shape, self.filters, seed, normalized=normalized)
        if self.minibatch_kernels:
            network = networks.with_minibatch_discrimination(
                network, self.minibatch_kernels, self.kernel_size, self.seed + 3
            )
        return networks.weight_normalized(network) if self.weight_normalization else network

    def initialize_from(self, images):
        """Initialises weight normalisation and minibatch discrimination, before any training.

        Args:
            images: `[n, *data_shape]`, floats in [0, 1] or uint8; the authors' code takes 500.

        Raises:
            InputError: the images have another shape or range.
        """
        data = self.checked_data(images)
        initialize_from_data(self.generator, self.latents_of(tf.range(len(data), dtype=tf.int64)))
        initialize_from_data(self.discriminator, data)
        self.restart_averages()

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0003, a first momentum of 0.5 and epsilon under the square root, for both players."""
        return InnerEpsilonAdam(3e-4, beta_1=0.5)

    def train_step(self, batch):
        """One update of the discriminator, then one of the generator."""
        real = self.real_data(batch)
        logs = self.update_discriminator(real, self.draw_latents(real, "discriminator"))
        return logs | self.update_generator(real, self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            # Separate calls, so that real and fake rows are never compared, nor normalised by each other's statistics.
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            loss = losses.smoothed_discriminator_loss(real_logits, fake_logits, self.real_target)
            loss += self.historical_term("discriminator")
        norms = self.minimize("discriminator", loss, tape)
        return {"discriminator_loss": loss, **losses.discriminator_accuracies(real_logits, fake_logits), **norms}

    def update_generator(self, real, latents):
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            if self.feature_matching:
                real_features, _ = self.features_and_logits(real, training=True)
                fake_features, _ = self.features_and_logits(fake, training=True)
                loss = losses.feature_matching_loss(real_features, fake_features)
            else:
                loss = losses.non_saturating_generator_loss(self.discriminator(fake, training=True))
            loss += self.historical_term("generator")
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}

    def historical_term(self, player):
        """h ||theta[t] - 1/t sum_{i <= t} theta[i]||^2 (Sec. 3.3), after adding theta[t] to the running mean."""
        if not self.historical_weight:
            return 0.0
        share = 1 / tf.cast(self.step_counter.value + 1, tf.float32)
        distance = 0.0
        for variable, mean in zip(self.variables_of(player), self.weight_means[player], strict=True):
            mean.assign_add((tf.stop_gradient(variable.value) - mean.value) * share)
            distance += tf.reduce_sum((variable.value - mean.value) ** 2)
        return self.historical_weight * distance
