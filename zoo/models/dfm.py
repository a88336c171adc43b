"""Improving Generative Adversarial Networks with Denoising Feature Matching. D. Warde-Farley, Y. Bengio. 2017.
https://openreview.net/forum?id=S1X7nhsxl

A denoiser learns where the discriminator's features Phi of real data lie. The generator is drawn towards the denoised
features of its samples as well, so that it follows the data and not only the discriminator's whims.

Discriminator: minimise -E log D(x) - E log(1 - D(G(z))).
Denoiser: minimise E ||Phi(x) - r(Phi(x) + noise)||^2, with normal noise of deviation sigma; Phi is fixed.
Generator: minimise lambda_denoise E ||Phi(G(z)) - r(Phi(G(z)))||^2 - lambda_adversarial E log D(G(z)); r(...) is fixed.

Differences from the paper, which was read without its appendix; the lambdas are those of ICLR 2017 slides on it.
1. The squared errors are means over the n_h features instead of sums. With the published lambda_denoise of 0.03 / n_h
   the generator's loss is the same; the denoiser's is 1 / n_h of the paper's, which Adam all but cancels.
2. The denoiser's target is Phi(x). The draft prints the corrupted features instead, which its first author calls a
   typo, according to https://github.com/hvy/chainer-gan-denoising-feature-matching.
3. The players move in turn (discriminator, denoiser, generator), and each sees the networks that have already moved; we
   know of no stated order.
4. The denoiser for CIFAR-10, 10 layers of 1,024 units, is from memory; the paper's for ImageNet has 10 layers of 2,048.
5. For CIFAR-10 the paper halves the layers of DCGAN's 32x32 ImageNet model. A discussion in the repository above quotes
   the first author on "our best" networks for these data, and their sizes are the defaults here: 32, 64 and 128 maps in
   the discriminator, so 2,048 features; 128 latents and 64, 32 and 16 maps in the generator. It is our reading that
   each number is that of two layers, as in DCGAN's model, and that latents are uniform in [-1, 1]. Images of other
   sizes get as many layers as DCGAN's rule says.
6. The discriminator's units are leaky, like DCGAN's, except in the last hidden layer, whose rectified outputs are the
   paper's features.
7. Data and samples are normalised separately, each by the statistics of its own batch, in the discriminator and in the
   denoiser; but one set of running averages covers both. Training uses no running averages; scores use only the
   discriminator's.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.errors import require_non_negative, require_positive
from zoo.model import GenerativeModel


def squared_error(features, reconstruction):
    """E ||features - reconstruction||^2 / n_h: float32 scalar from two `(batch, n_h)`."""
    return tf.reduce_mean((tf.cast(features, tf.float32) - tf.cast(reconstruction, tf.float32)) ** 2)


@keras.saving.register_keras_serializable("zoo")
class DFM(GenerativeModel):
    """A generator that is led by a discriminator and by a denoiser of the discriminator's features.

    With `denoise_weight=0` it is the plain adversarial pair with which the paper compares: the denoiser is still
    trained, but the generator does not learn from it. Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or any with networks of your own.
        latent_size: length of the latent vector, uniform in [-1, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own, from `(batch, *data_shape)`, images in [-1, 1], to logits `(batch, 1)`: a functional
            model that ends in a `Dense` layer, whose inputs are the features.
        denoiser: your own, from features `(batch, n_h)` to `(batch, n_h)`.
        filters: channels of the maps next to the image in the discriminator; the generator has half as many there.
        denoiser_units: width of the denoiser's hidden layers.
        denoiser_depth: how many hidden layers the denoiser has.
        denoise_weight: lambda_denoise n_h, the weight of the mean squared error of the features.
        adversarial_weight: lambda_adversarial.
        noise_stddev: sigma of the noise on the denoiser's inputs.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes or form.

    Example:
        model = DFM(data_shape=(32, 32, 3))
        model.compile()
        model.fit(zoo.data.load("cifar10").train.stream(batch_size=128), steps_per_epoch=390, epochs=100)
    """

    players = ("generator", "discriminator", "denoiser")

    def __init__(
        self,
        data_shape,
        *,
        latent_size=128,
        generator=None,
        discriminator=None,
        denoiser=None,
        filters=32,
        denoiser_units=1024,
        denoiser_depth=10,
        denoise_weight=0.03,
        adversarial_weight=1.0,
        noise_stddev=1.0,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters, denoiser_units=denoiser_units, denoiser_depth=denoiser_depth)
        require_non_negative(
            denoise_weight=denoise_weight, adversarial_weight=adversarial_weight, noise_stddev=noise_stddev
        )
        self.filters = filters
        self.denoiser_units = denoiser_units
        self.denoiser_depth = denoiser_depth
        self.denoise_weight = denoise_weight
        self.adversarial_weight = adversarial_weight
        self.noise_stddev = noise_stddev
        self.prior = priors.uniform(latent_size)
        generator = generator or networks.alternating_generator(
            self.data_shape, latent_size, max(1, filters // 2), self.seed
        )
        discriminator = discriminator or networks.alternating_discriminator(self.data_shape, filters, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.features_and_logits = networks.with_features(self.discriminator)
        (size,) = self.features_and_logits.outputs[0].shape[1:]
        denoiser = denoiser or networks.normalized_mlp(
            size, size, denoiser_units, denoiser_depth, self.seed + 2, "denoiser"
        )
        self.denoiser = self.checked("denoiser", denoiser, [(size,)], (size,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0001 and a first momentum of 0.5 for all three players."""
        return optimizers.adam(1e-4, beta_1=0.5)

    def train_step(self, batch):
        """One update each of the discriminator, the denoiser and the generator."""
        real = self.real_data(batch)
        logs = self.update_discriminator(real, self.draw_latents(real, "discriminator"))
        logs |= self.update_denoiser(real)
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            # Separate calls here and below, so that batch normalisation never mixes real and fake statistics.
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits)
        norms = self.minimize("discriminator", loss, tape)
        return {"discriminator_loss": loss, **losses.discriminator_accuracies(real_logits, fake_logits), **norms}

    def update_denoiser(self, real):
        features, _ = self.features_and_logits(real, training=True)
        features = tf.stop_gradient(features)
        with tf.GradientTape() as tape:
            loss = squared_error(features, self.denoiser(self.corrupt(features), training=True))
        return {"denoiser_loss": loss, **self.minimize("denoiser", loss, tape)}

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            features, logits = self.features_and_logits(self.generator(latents, training=True), training=True)
            denoised = tf.stop_gradient(self.denoiser(features, training=True))
            distance = squared_error(features, denoised)
            adversarial_loss = losses.non_saturating_generator_loss(logits)
            loss = self.denoise_weight * distance + self.adversarial_weight * adversarial_loss
        norms = self.minimize("generator", loss, tape)
        return {"generator_loss": loss, "feature_distance": distance, **norms}

    def corrupt(self, features):
        """C(Phi) = Phi + N(0, sigma^2), with the step's draw of noise: float32 `(batch, n_h)`."""
        size = features.shape[1]
        noise = priors.normal(size).quantile(self.draw_uniform(features, [size], "corruption"))
        return tf.cast(features, tf.float32) + self.noise_stddev * noise
