"""f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization. S. Nowozin, B. Cseke,
R. Tomioka. 2016. https://arxiv.org/abs/1606.00709

Every f-divergence of data from samples has a lower bound that can be estimated from draws of the two alone:
E T(x) - E f*(T(G(z))), for any function T whose values lie where f*, the convex conjugate of f, is finite. The
discriminator raises the bound towards the divergence; the generator lowers it.

F = E T(x) - E f*(T(G(z))), with T = g_f(V(.)): V is the discriminator's network, and g_f maps its outputs to where f*
is finite.
Discriminator: maximise F.
Generator: minimise F, or with `alternative_objective` maximise E T(G(z)), as GAN's may maximise E log D(G(z)).

Both move at once, from one forward pass: Algorithm 1, the single-step method. Data are taken to be real where T lies
above f'(1).

Differences from the paper. We had neither its text on the experiments nor its authors' code: the networks and settings,
those for MNIST, are as remembered.
1. Where V exceeds 20 in absolute value, it grows only logarithmically; see `bounded`.
2. First weights are the zoo's: normal with a deviation of 0.02 in the generator, orthogonal in the discriminator.
3. For vectors instead of images the generator's output is linear.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from zoo import losses, networks, optimizers, priors
from zoo.errors import InputError, require_positive
from zoo.model import GenerativeModel

LINEAR_UP_TO = 20.0


@dataclasses.dataclass(frozen=True)
class Divergence:
    """What f-GAN has to know about the divergence E_Q f(p / q) of the data's P from the samples' Q.

    Attributes:
        activation: g_f, which maps any number to where f* is finite.
        conjugate: f*(t), the supremum of u t - f(u) over u.
        threshold: f'(1), the best T where both densities are the same.
    """

    activation: Callable[[tf.Tensor], tf.Tensor]
    conjugate: Callable[[tf.Tensor], tf.Tensor]
    threshold: float


def jeffrey_conjugate(t):
    """u t - f(u) at the best u, the reciprocal of Lambert's W of exp(1 - t).

    The derivative of a supremum is that of u t with u held fixed, so no gradient runs through the iterations for W.
    """
    u = 1 / tfp.math.lambertw(tf.exp(1 - tf.stop_gradient(t)))
    return u * t - (u - 1) * tf.math.log(u)


def alpha_divergence(alpha):
    """The divergence of f(u) = (u^alpha - 1 - alpha (u - 1)) / (alpha (alpha - 1)), for alpha neither 0 nor 1.

    For alpha below 1, t stays below 1 / (1 - alpha), and f*(g_f(v)) grows as exp(v alpha / (1 - alpha)): an alpha just
    below 1 overflows early. For alpha above 1, f* is flat where t (alpha - 1) + 1 is negative.
    """

    def activation(v):
        return 1 / (1 - alpha) - tf.math.softplus(-v) if alpha < 1 else v

    def conjugate(t):
        return (tf.maximum(t * (alpha - 1) + 1, 0) ** (alpha / (alpha - 1)) - 1) / alpha

    return Divergence(activation, conjugate, threshold=0.0)


# f(u) stands above each. Pearson's f* is the supremum over all real u; over u >= 0 it would be flat below t = -2.
DIVERGENCES = {
    # |u - 1| / 2
    "total_variation": Divergence(lambda v: tf.tanh(v) / 2, lambda t: t, threshold=0.0),
    # u log u
    "kullback_leibler": Divergence(lambda v: v, lambda t: tf.exp(t - 1), threshold=1.0),
    # -log u
    "reverse_kullback_leibler": Divergence(lambda v: -tf.exp(-v), lambda t: -1 - tf.math.log(-t), threshold=-1.0),
    # (u - 1)^2
    "pearson": Divergence(lambda v: v, lambda t: t**2 / 4 + t, threshold=0.0),
    # (1 - u)^2 / u
    "neyman": Divergence(lambda v: 1 - tf.exp(-v), lambda t: 2 - 2 * tf.sqrt(1 - t), threshold=0.0),
    # (sqrt(u) - 1)^2
    "squared_hellinger": Divergence(lambda v: 1 - tf.exp(-v), lambda t: t / (1 - t), threshold=0.0),
    # (u - 1) log u
    "jeffrey": Divergence(lambda v: v, jeffrey_conjugate, threshold=0.0),
    # u log u - (u + 1) log((u + 1) / 2)
    "jensen_shannon": Divergence(
        lambda v: math.log(2) - tf.math.softplus(-v), lambda t: -tf.math.log(2 - tf.exp(t)), threshold=0.0
    ),
    # u log u - (u + 1) log(u + 1)
    "gan": Divergence(
        lambda v: -tf.math.softplus(-v), lambda t: -tf.math.log(-tf.math.expm1(t)), threshold=-math.log(2)
    ),
}
KNOWN = sorted([*DIVERGENCES, "alpha"])


def bounded(v):
    """V itself where |V| is at most 20, and beyond that 20 + log(1 + |V| - 20) with the sign of V.

    exp(V) then goes on along its own tangent, and T still takes every value. Up to a V of 1e7 nothing overflows and no
    gradient vanishes; from 2e4 on, a T that has a bound is so near it that f* loses digits.
    """
    size = tf.abs(v)
    beyond = LINEAR_UP_TO + tf.math.log1p(tf.maximum(size - LINEAR_UP_TO, 0))
    return tf.where(size > LINEAR_UP_TO, tf.sign(v) * beyond, v)


def elu_discriminator(data_shape, units, seed=0):
    """V, the paper's for MNIST: two layers of exponential linear units, then one linear output.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` to float32 `(batch, 1)`.
    """
    inputs = keras.Input(data_shape)
    network = networks.mlp(math.prod(data_shape), 1, units, activation="elu", seed=seed)
    return keras.Model(inputs, network(keras.layers.Flatten()(inputs)), name="discriminator")


@keras.saving.register_keras_serializable("zoo")
class FGAN(GenerativeModel):
    """A generator that minimises the f-divergence of one's choice: fully connected, on images in [0, 1] or on vectors.

    The score of data is T. Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` or `(size,)`, of any size.
        latent_size: length of the latent vector, uniform in [-1, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [0, 1].
        discriminator: your own V, from `(batch, *data_shape)`, images in [0, 1], to linear outputs `(batch, 1)`, to
            which g_f is applied.
        divergence: a key of `DIVERGENCES`, or "alpha".
        alpha: which alpha divergence to take, neither 0 nor 1; given only with "alpha".
        alternative_objective: whether the generator maximises E T(G(z)) instead of minimising F.
        generator_units: width of the generator's two hidden layers.
        discriminator_units: width of the discriminator's two hidden layers.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range or a network has the wrong shapes.

    Example:
        model = FGAN(data_shape=(28, 28, 1), divergence="squared_hellinger")
        model.compile()
        model.fit(zoo.data.load("mnist").train.stream(batch_size=4096), steps_per_epoch=13, epochs=100)
    """

    value_range = (0.0, 1.0)

    def __init__(
        self,
        data_shape,
        *,
        latent_size=100,
        generator=None,
        discriminator=None,
        divergence="jensen_shannon",
        alpha=None,
        alternative_objective=False,
        generator_units=1200,
        discriminator_units=240,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(generator_units=generator_units, discriminator_units=discriminator_units)
        if divergence not in KNOWN:
            raise InputError(f"`divergence` must be one of {', '.join(KNOWN)}. Received: divergence={divergence!r}")
        if (alpha is None) == (divergence == "alpha") or alpha in (0, 1) or not math.isfinite(alpha or 0):
            raise InputError(
                '`alpha` must be a number other than 0 and 1 if `divergence` is "alpha", and None if it is not. '
                f"Received: alpha={alpha}, divergence={divergence!r}"
            )
        self.divergence = divergence
        self.alpha = alpha
        self.alternative_objective = alternative_objective
        self.generator_units = generator_units
        self.discriminator_units = discriminator_units
        self.f = alpha_divergence(alpha) if divergence == "alpha" else DIVERGENCES[divergence]
        self.decision_boundary = self.f.threshold
        self.prior = priors.uniform(latent_size)
        generator = generator or networks.mlp_generator(
            self.data_shape, latent_size, generator_units, 2, "sigmoid", self.seed
        )
        discriminator = discriminator or elu_discriminator(self.data_shape, discriminator_units, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0002 and a first momentum of 0.5 for both players."""
        return optimizers.adam(2e-4, beta_1=0.5)

    def train_step(self, batch):
        """Algorithm 1: one update of both players, by the gradients of one forward pass."""
        real = self.real_data(batch)
        latents = self.draw_latents(real, "step")
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(latents, training=True)
            # Separate calls, so that batch normalisation never mixes real and fake statistics.
            real_values = self.variational(real, training=True)
            fake_values = self.variational(fake, training=True)
            bound = tf.reduce_mean(real_values) - tf.reduce_mean(self.f.conjugate(fake_values))
            generator_loss = -tf.reduce_mean(fake_values) if self.alternative_objective else bound
            generator_loss, discriminator_loss = tf.cast(generator_loss, tf.float32), tf.cast(-bound, tf.float32)
        logs = {
            "generator_loss": generator_loss,
            "discriminator_loss": discriminator_loss,
            **losses.discriminator_accuracies(real_values, fake_values, self.decision_boundary),
        }
        logs |= self.minimize("discriminator", discriminator_loss, tape)
        return logs | self.minimize("generator", generator_loss, tape)

    def variational(self, data, training):
        """T(x) = g_f(V(x)), `(batch, 1)`: float64, as terms such as 1 - T round to zero in float32 at a V of 17."""
        return self.f.activation(bounded(tf.cast(self.discriminator(data, training=training), tf.float64)))

    def score(self, data, labels):
        """T, which lies above f'(1) for data that are taken to be real."""
        return self.variational(data, training=False)
