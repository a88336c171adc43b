"""On Convergence and Stability of GANs. N. Kodali, J. Abernethy, J. Hays, Z. Kira. 2017.
https://arxiv.org/abs/1705.07215

Training collapses, say the authors, where the discriminator is steep around data points. So the norm of its gradient is
drawn to k at points near the data, and nowhere else; the losses are those of the first GAN.

Discriminator: minimise -E log D(x) - E log(1 - D(G(z))) + lambda E (||grad l(x^)||_2 - k)^2, with l the logit of D,
x^ = x + a (x_p - x) with a drawn anew for each sample, uniform in (0, 1), and x_p = x + 0.5 s u, where s is the
standard deviation of all values of the batch, and u is drawn anew for each value, uniform in (0, 1).
Generator: minimise -E log D(G(z)).

Differences from the paper.
1. The perturbation and the choice of the logit's gradient follow the authors' notebook,
   https://github.com/kodalinaveen3/DRAGAN. As remembered, the paper adds normal noise of a fixed deviation to x, does
   not interpolate, and penalises the gradient of D.
2. The default networks are DCGAN's, without batch normalisation in the discriminator, for images in [-1, 1]; the paper
   trains several networks, its notebook the perceptrons `notebook_generator` and `notebook_discriminator`.
3. The notebook's images lie in [0, 1] and its pixels are sigmoids; here they lie in [-1, 1] and are hyperbolic
   tangents. Data and perturbation are twice as large, so a slope of 1 here equals one of 2 there.
4. 1e-12 is added under the square root of the gradient's norm, so that the norm is differentiable at a gradient of 0.
5. Samples are drawn with the running averages of the batch statistics, as DCGAN's are here.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.errors import require_non_negative, require_positive
from zoo.model import GenerativeModel

layers = keras.layers


def notebook_generator(data_shape, latent_size, units=128, seed=0):
    """One layer of rectified units, then pixels in [-1, 1] for images, or linear values for vectors."""
    initializer = _he_normal(seed)
    inputs = keras.Input((latent_size,))
    x = layers.Dense(units, "relu", kernel_initializer=initializer)(inputs)
    x = layers.Dense(math.prod(data_shape), kernel_initializer=initializer, dtype="float32")(x)
    if len(data_shape) == 3:
        x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, layers.Reshape(data_shape, dtype="float32")(x), name="generator")


def notebook_discriminator(data_shape, units=128, seed=0):
    """One layer of rectified units, then a logit."""
    initializer = _he_normal(seed)
    inputs = keras.Input(data_shape)
    x = layers.Dense(units, "relu", kernel_initializer=initializer)(layers.Flatten()(inputs))
    return keras.Model(
        inputs, layers.Dense(1, kernel_initializer=initializer, dtype="float32")(x), name="discriminator"
    )


def _he_normal(seed):
    """He's normal initialiser, not truncated at two standard deviations as Keras' own is."""
    seed = keras.random.SeedGenerator(seed)
    return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=seed)


def perturbed(data, noise, scale):
    """x_p = x + scale s u.

    Args:
        data: x, float32 `(batch, ...)`.
        noise: u in (0, 1), in the shape of `data`.
        scale: 0.5 in the notebook.

    Returns:
        float32, in the shape of `data`. s is one number, the standard deviation of the batch over all replicas.
    """
    all_reduce = tf.distribute.get_replica_context().all_reduce
    mean = all_reduce("mean", tf.reduce_mean(data))
    variance = all_reduce("mean", tf.reduce_mean((data - mean) ** 2))
    return data + scale * tf.sqrt(variance) * noise


@keras.saving.register_keras_serializable("zoo")
class DRAGAN(GenerativeModel):
    """An adversarial pair whose discriminator's gradient is penalised around the data.

    `fit` reports the penalty without its weight as `gradient_penalty`, and the mean norm of the gradient as `slope`.
    The generator's batch statistics are per replica; the standard deviation that scales the perturbation is not.

    Args:
        data_shape: `(height, width, channels)` that fits `networks.dcgan_stages`, or any with networks of your own.
        latent_size: length of the latent vector, uniform in [-1, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own, from `(batch, *data_shape)`, images in [-1, 1], to logits `(batch, 1)`. If it has batch
            normalisation, you get a warning.
        filters: channels of the map next to the image, in both networks.
        penalty_weight: lambda.
        slope: k, the norm to which gradients are drawn.
        perturbation: by how many standard deviations of the batch the data are moved at most.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = DRAGAN(data_shape=(32, 32, 3))
        model.compile()
        model.fit(zoo.data.load("cifar10").train.stream(batch_size=128), steps_per_epoch=390, epochs=100)
    """

    def __init__(
        self,
        data_shape,
        *,
        latent_size=100,
        generator=None,
        discriminator=None,
        filters=64,
        penalty_weight=10.0,
        slope=1.0,
        perturbation=0.5,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters)
        require_non_negative(penalty_weight=penalty_weight, slope=slope, perturbation=perturbation)
        self.filters = filters
        self.penalty_weight = penalty_weight
        self.slope = slope
        self.perturbation = perturbation
        self.prior = priors.uniform(latent_size)
        generator = generator or networks.dcgan_generator(self.data_shape, latent_size, filters, self.seed)
        discriminator = discriminator or networks.dcgan_discriminator(
            self.data_shape, filters, self.seed + 1, normalized=False
        )
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        networks.warn_of_batch_normalization(self.discriminator)
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0001 and momenta of 0.5 and 0.9 for both players, as in the notebook."""
        return optimizers.adam(1e-4, beta_1=0.5, beta_2=0.9)

    def train_step(self, batch):
        """One discriminator update, then one generator update."""
        real = self.real_data(batch)
        noise = self.draw_uniform(real, self.data_shape, "perturbation")
        shares = self.draw_uniform(real, [1] * len(self.data_shape), "shares")
        logs = self.update_discriminator(real, self.draw_latents(real, "discriminator"), noise, shares)
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents, noise, shares):
        fake = self.generator(latents, training=True)
        points = losses.between(real, perturbed(real, noise, self.perturbation), shares)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            slopes = losses.gradient_norms(lambda x: self.discriminator(x, training=True), points)
            penalty = losses.two_sided_penalty(slopes, self.slope)
            loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits) + self.penalty_weight * penalty
        norms = self.minimize("discriminator", loss, tape)
        return {
            "discriminator_loss": loss,
            "gradient_penalty": penalty,
            "slope": tf.reduce_mean(slopes),
            **losses.discriminator_accuracies(real_logits, fake_logits),
            **norms,
        }

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake_logits = self.discriminator(self.generator(latents, training=True), training=True)
            loss = losses.non_saturating_generator_loss(fake_logits)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}
