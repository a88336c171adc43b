"""Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities. G.-J. Qi. 2017. https://arxiv.org/abs/1701.06264

A loss function L is trained to be smaller for data than for samples, by a margin that grows with the distance between
the two. Samples that are near the data need little or no margin, so the generator works on those that are far away.

L, here the discriminator: minimise gamma E L(x) + E C(lambda ||x - G(z)||_1 + L(x) - L(G(z))) over pairs (x, z).
Generator: minimise E L(G(z)).

C(a) = max(a, slope a). A slope of 0 is the paper's hinge; other slopes give its generalisation, GLS-GAN: 1 is the
objective of WGAN, -1 the absolute value. This is not LSGAN, the least-squares GAN.

Differences from the paper. Settings are those of the author's code, `lsgan.lua` in https://github.com/guojunq/lsgan at
commit 6c148fc, and `glsgan.lua` in https://github.com/guojunq/glsgan.
1. The kernels are DCGAN's 5x5; those of the code are 4x4. All layers of the code are convolutions without biases; here
   the generator's last layer and the first and the last of L have biases, and the generator begins and L ends with a
   dense layer. The gains of batch normalisation start at one; in the code they start at numbers around one. The number
   of layers follows from `data_shape`, as `networks.dcgan_stages` says.
2. The generator's update draws new latents; the code uses the same latents in both updates of a step.
3. No weight is clipped or decayed. The code of GLS-GAN clips the weights of L: at 0.08 in its newest commit, 7219344,
   which has a slope of 0, a rate of 0.0002 and 50 epochs; at 0.04 from commit 03e59c7 to commit a89d25a, with a slope
   of 0.5, later -1, and a rate of 0.0001. Without clipping, nothing bounds L for slopes above 0.
4. Labels are not used: CLS-GAN, the conditional form, is not included.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from zoo import networks, optimizers, priors
from zoo.errors import InputError, require_non_negative, require_positive
from zoo.model import GenerativeModel


def loss_network(data_shape, filters, seed=0, rectified=True):
    """DCGAN's discriminator as L: rectified, and so never negative, as in LS-GAN's code, or linear, as in GLS-GAN's.

    Args:
        data_shape: `(height, width, channels)`; see `networks.dcgan_stages` for the sizes that fit.
        filters: channels of the map next to the image.
        seed: determines the first weights.
        rectified: whether L is rectified.

    Returns:
        A `keras.Model` from `(batch, *data_shape)`, images in [-1, 1], to float32 losses `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    network = networks.dcgan_discriminator(data_shape, filters, seed)
    if not rectified:
        return network
    return keras.Model(network.input, keras.layers.ReLU(dtype="float32")(network.output), name="discriminator")


def margins(real, fake):
    """||x - G(z)||_1 of each row, summed over all its values: float32 `(batch, 1)`."""
    distance = tf.abs(tf.cast(real, tf.float32) - tf.cast(fake, tf.float32))
    return tf.reduce_sum(tf.reshape(distance, [tf.shape(distance)[0], -1]), axis=1, keepdims=True)


@keras.saving.register_keras_serializable("zoo")
class LossSensitiveGAN(GenerativeModel):
    """A generator and a loss function that keeps margins between data and samples.

    The score of data is -L. Scores have no boundary between real and fake. Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or any with networks of your own.
        latent_size: length of the latent vector, uniform in [-1, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own L, from `(batch, *data_shape)`, images in [-1, 1], to `(batch, 1)`.
        filters: channels of the map next to the image, in both networks.
        margin_weight: lambda. Distances are sums over all values, so it depends on the data's size; the default is for
            64x64x3.
        slope: the slope of C below 0, at most 1.
        real_weight: gamma.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = LossSensitiveGAN(data_shape=(32, 32, 3), margin_weight=8e-4)
        model.compile()
        model.fit(zoo.data.load("cifar10").train.stream(batch_size=64), steps_per_epoch=700, epochs=25)
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
        margin_weight=2e-4,
        slope=0.0,
        real_weight=0.0,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters)
        require_non_negative(margin_weight=margin_weight, real_weight=real_weight)
        if not -math.inf < slope <= 1:
            raise InputError(f"`slope` must be a number of at most 1. Received: slope={slope}")
        self.filters = filters
        self.margin_weight = margin_weight
        self.slope = slope
        self.real_weight = real_weight
        self.prior = priors.uniform(latent_size)
        generator = generator or networks.dcgan_generator(self.data_shape, latent_size, filters, self.seed)
        discriminator = discriminator or loss_network(self.data_shape, filters, self.seed + 1, rectified=slope == 0)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0001 and a first momentum of 0.5 for both players."""
        return optimizers.adam(1e-4, beta_1=0.5)

    def train_step(self, batch):
        """One update of the loss function on pairs of data and latents, then one generator update."""
        real = self.real_data(batch)
        logs = self.update_discriminator(real, self.draw_latents(real, "discriminator"))
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        margin = self.margin_weight * margins(real, fake)
        with tf.GradientTape() as tape:
            # Separate calls, so that batch normalisation never mixes real and fake statistics.
            real_losses = tf.cast(self.discriminator(real, training=True), tf.float32)
            fake_losses = tf.cast(self.discriminator(fake, training=True), tf.float32)
            excess = margin + real_losses - fake_losses
            cost = tf.maximum(excess, self.slope * excess)
            loss = self.real_weight * tf.reduce_mean(real_losses) + tf.reduce_mean(cost)
        logs = {
            "discriminator_loss": loss,
            "margin": tf.reduce_mean(margin),
            "real_loss": tf.reduce_mean(real_losses),
            "fake_loss": tf.reduce_mean(fake_losses),
        }
        return logs | self.minimize("discriminator", loss, tape)

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake_losses = self.discriminator(self.generator(latents, training=True), training=True)
            loss = tf.reduce_mean(tf.cast(fake_losses, tf.float32))
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}

    def score(self, data, labels):
        """-L: higher is more real."""
        return -self.discriminator(data, training=False)
