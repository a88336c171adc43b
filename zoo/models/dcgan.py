"""Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks. A. Radford, L. Metz,
S. Chintala. 2015. https://arxiv.org/abs/1511.06434

Convolutional networks that train stably against each other: they have strides instead of pooling, batch normalisation,
no hidden dense layers, ReLU in the generator and leaky ReLU in the discriminator.

Discriminator: minimise -E log D(x) - E log(1 - D(G(z))).
Generator: minimise -E log D(G(z)).

Differences from the paper. The authors' code is https://github.com/Newmu/dcgan_code.
1. The paper's networks are for 64x64 images; here the number of layers follows from `data_shape` (the widest map has 4
   to 7 pixels per side), and 64x64 gives the paper's networks.
2. Samples are drawn with running averages of the batch statistics, which see both players' updates. The code has no
   such averages: it samples with the statistics of the generated batch itself.
3. No weight decay; the code, not the paper, has one of 1e-5 to 2.5e-5.
4. In the code the gains of batch normalisation start from a normal draw around 1, with a deviation of 0.02, and its
   epsilon is 1e-8. Here they start at 1, and epsilon is 1e-5.
5. The generator's last layer, the discriminator's first and the logit have biases, which the code leaves out.
6. In a step the discriminator moves first, then the generator. In the code the generator moves first, and each update
   takes its own minibatch.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.errors import require_positive
from zoo.model import GenerativeModel


@keras.saving.register_keras_serializable("zoo")
class DCGAN(GenerativeModel):
    """A convolutional adversarial pair for images of 8x8 pixels or more.

    Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)`; height and width of at least 8 that fit `networks.dcgan_stages`.
        latent_size: length of the latent vector, uniform in [-1, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)` in [-1, 1].
        discriminator: your own, from `(batch, *data_shape)` in [-1, 1] to logits `(batch, 1)`.
        filters: channels of the map next to the image, in both networks.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = DCGAN(data_shape=(16, 16, 1), filters=32)
        model.compile()
        model.fit(zoo.data.load("digits").train.stream(batch_size=64), steps_per_epoch=100, epochs=10)
    """

    def __init__(self, data_shape, *, latent_size=100, generator=None, discriminator=None, filters=128, **kwargs):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters)
        self.filters = filters
        self.prior = priors.uniform(latent_size)
        generator = generator or networks.dcgan_generator(self.data_shape, latent_size, filters, self.seed)
        discriminator = discriminator or networks.dcgan_discriminator(self.data_shape, filters, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0002 and a first momentum of 0.5 for both players (Sec. 4)."""
        return optimizers.adam(2e-4, beta_1=0.5)

    def train_step(self, batch):
        """One discriminator update, then one generator update."""
        real = self.real_data(batch)
        logs = self.update_discriminator(real, self.draw_latents(real, "discriminator"))
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            # Separate calls, so that batch normalisation never mixes real and fake statistics.
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits)
        norms = self.minimize("discriminator", loss, tape)
        return {"discriminator_loss": loss, **losses.discriminator_accuracies(real_logits, fake_logits), **norms}

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake_logits = self.discriminator(self.generator(latents, training=True), training=True)
            loss = losses.non_saturating_generator_loss(fake_logits)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}
