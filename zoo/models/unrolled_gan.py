"""Unrolled Generative Adversarial Networks. L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein. 2017.
https://arxiv.org/abs/1611.02163

The generator looks ahead: its loss is the value that the game would have after K further updates of the discriminator,
and its gradient runs through those updates. So a generator gains nothing by moving all its samples onto one mode of the
data, as it sees that the discriminator would follow.

Let f = E log D(x) + E log(1 - D(G(z))). Starting from theta_D^0 = theta_D, one update of the discriminator's optimiser
up the gradient of f leads from theta_D^k to theta_D^(k+1); f_K is f at theta_D^K.

Discriminator: maximise f.
Generator: minimise f_K. With K = 0 this is the saturating loss of Goodfellow et al. (2014).

Differences from the paper. Its text has the method. The networks and the optimisers for vectors are those attributed to
its appendix on the ring of Gaussians, which was not at hand to check.
1. The players move in turn, the discriminator first, each with its own latents. The authors' notebook,
   https://github.com/poolio/unrolled_gan, moves both at once, on the same latents.
2. As in the notebook, the unrolled updates are those of the discriminator's optimiser: gradient descent, or Adam
   starting from its current moments. The paper's equations have gradient descent.
3. The networks for images are those of Lin et al. (2017, "PacGAN"), who repeat the experiment on stacked MNIST, in the
   code at https://github.com/fjxmlzn/PacGAN. Images of other sizes than 28x28 are also halved three times. Convolutions
   before batch normalisation have no bias, which it would cancel. The generator's loss in that code is the
   non-saturating one, and nothing is unrolled.
4. The generator's update changes neither the discriminator's weights nor its moving averages of batch statistics.
"""

from __future__ import annotations

import math
from numbers import Integral

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.errors import InputError, require_positive
from zoo.layers import Conv2D, Conv2DTranspose, LeakyReLU, ReLU
from zoo.model import GenerativeModel

layers = keras.layers

HALVINGS = 3  # of an image, in both networks
TINY = 1e-30  # far below the square of Adam's epsilon; the square root of 0 has no finite derivative
# Settings of a Keras optimiser that add to its algorithm; unrolled updates do not follow them.
EXTRAS = (
    "amsgrad",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "gradient_accumulation_steps",
    "use_ema",
    "weight_decay",
)


def scaled_discriminator(size, seed=0):
    """The paper's for the ring: the data divided by 4, one layer of 128 rectified units, one logit."""
    network = networks.mlp(size, 1, depth=1, seed=seed, name="discriminator")
    return networks.rescaled(network, inputs=1 / 4, outputs=1.0)


def small_generator(data_shape, latent_size, seed=0):
    """A projection to an eighth of the image's size, then 3x3 transposed convolutions that double it.

    For 28x28 pixels the maps are 4x4x64, 7x7x32, 14x14x16 and 28x28x8; a last convolution makes the image.
    """
    sides = [[-(-side >> halvings) for side in data_shape[:2]] for halvings in range(HALVINGS + 1)]
    initializer = networks.normal(seed)
    shape = (*sides[HALVINGS], 8 << HALVINGS)
    inputs = keras.Input((latent_size,))
    x = layers.Dense(math.prod(shape), use_bias=False, kernel_initializer=initializer)(inputs)
    x = ReLU()(networks.batch_normalization()(layers.Reshape(shape)(x)))
    for halvings in reversed(range(HALVINGS)):
        x = Conv2DTranspose(
            8 << halvings,
            3,
            strides=2,
            padding="same",
            output_padding=[1 - side % 2 for side in sides[halvings]],  # an odd side is twice the smaller one, minus 1
            use_bias=False,
            kernel_initializer=initializer,
        )(x)
        x = ReLU()(networks.batch_normalization()(x))
    x = Conv2D(data_shape[-1], 3, padding="same", kernel_initializer=initializer)(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x), name="generator")


def small_discriminator(data_shape, filters, seed=0):
    """3x3 convolutions that halve the image three times and double its channels, then one logit."""
    initializer = networks.normal(seed)
    inputs = x = keras.Input(data_shape)
    for stage in range(HALVINGS):
        x = Conv2D(filters << stage, 3, strides=2, padding="same", use_bias=False, kernel_initializer=initializer)(x)
        x = LeakyReLU(negative_slope=0.3)(networks.batch_normalization()(x))
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, logits, name="discriminator")


def descended(optimizer, update, slope, value, *slots):
    """A weight after an update by `keras.optimizers.SGD` and, with momentum, its velocity: a tuple of tensors."""
    move = -optimizer.learning_rate * slope
    if not slots:
        return (value + move,)
    velocity = optimizer.momentum * slots[0] + move
    return value + (optimizer.momentum * velocity + move if optimizer.nesterov else velocity), velocity


def adapted(optimizer, update, slope, value, mean, square):
    """A weight and the two moments of its gradient after the `update`-th update by `keras.optimizers.Adam`."""
    mean += (slope - mean) * (1 - optimizer.beta_1)
    square += (slope**2 - square) * (1 - optimizer.beta_2)
    rate = optimizer.learning_rate * tf.sqrt(1 - optimizer.beta_2**update) / (1 - optimizer.beta_1**update)
    return value - rate * mean / (tf.sqrt(tf.maximum(square, TINY)) + optimizer.epsilon), mean, square


# For each optimiser that can be unrolled: its update of a weight, and the attributes that hold a state per weight.
UNROLLED = {
    keras.optimizers.SGD: (descended, ["momentums"]),
    keras.optimizers.Adam: (adapted, ["_momentums", "_velocities"]),
    optimizers.Adam: (adapted, ["_momentums", "_velocities"]),
}


def unroll(loss, optimizer, variables, steps):
    """theta_D^K, Sec. 2.2: the values that variables would have after K updates by an optimiser.

    Neither the variables nor the optimiser's state changes. The updates are computed with tensors, so that a gradient
    can run through all of them; the memory that this takes grows with each update.

    Args:
        loss: what the updates minimise: a function from a list of tensors, shaped like the variables, to a scalar.
        optimizer: a `keras.optimizers.SGD` or `Adam` that was built for the variables.
        variables: Keras variables.
        steps: K, the number of updates.

    Returns:
        A list of tensors shaped like the variables; their present values for K = 0.
    """
    update, names = UNROLLED[type(optimizer)]
    slots = filter(None, (getattr(optimizer, name) for name in names))
    state = [[tf.convert_to_tensor(part.value) for part in parts] for parts in zip(variables, *slots, strict=True)]
    for step in range(steps):
        values = [value for value, *_ in state]
        with tf.GradientTape() as tape:
            tape.watch(values)
            error = loss(values)
        slopes = tf.distribute.get_replica_context().all_reduce("mean", tape.gradient(error, values))
        number = tf.cast(optimizer.iterations.value + step + 1, tf.float32)
        state = [update(optimizer, number, slope, *parts) for slope, parts in zip(slopes, state, strict=True)]
    return [value for value, *_ in state]


@keras.saving.register_keras_serializable("zoo")
class UnrolledGAN(GenerativeModel):
    """An adversarial pair whose generator looks some updates of the discriminator ahead.

    Time and memory of a generator's update are linear in `unrolled_steps`. Batch statistics are per replica. In float16
    the gradients of the unrolled updates are not scaled, because an overflow in them would reach the loss.

    Args:
        data_shape: `(size,)` or `(height, width, channels)`, of any size.
        latent_size: length of the latent vector, standard normal.
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        discriminator: your own, from `(batch, *data_shape)`, images in [-1, 1], to logits `(batch, 1)`.
        unrolled_steps: K, how many updates the generator looks ahead; 0 is the plain game.
        filters: channels of the first map of the discriminator of images: 2 make it a quarter as wide as the generator,
            4 half as wide, the two widths of the experiment on stacked MNIST.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range or a network has the wrong shapes.

    Example:
        model = UnrolledGAN(data_shape=(2,))
        model.compile()
        model.fit(zoo.data.load("ring").train.stream(batch_size=512), steps_per_epoch=1000, epochs=25)
    """

    def __init__(
        self,
        data_shape,
        *,
        latent_size=256,
        generator=None,
        discriminator=None,
        unrolled_steps=10,
        filters=2,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters)
        if not isinstance(unrolled_steps, Integral) or unrolled_steps < 0:
            raise InputError(
                f"`unrolled_steps` must be a whole number of 0 or more. Received: unrolled_steps={unrolled_steps!r}"
            )
        self.unrolled_steps = unrolled_steps
        self.filters = filters
        self.prior = priors.normal(latent_size)
        if self.is_image:
            generator = generator or small_generator(self.data_shape, latent_size, self.seed)
            discriminator = discriminator or small_discriminator(self.data_shape, filters, self.seed + 1)
        else:
            size = self.data_shape[0]
            generator = generator or networks.mlp(latent_size, size, seed=self.seed, name="generator")
            discriminator = discriminator or scaled_discriminator(size, self.seed + 1)
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0001 and a first momentum of 0.5 for both players."""
        return optimizers.adam(1e-4, beta_1=0.5)

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, **kwargs):
        """Adam with a rate of 0.0001 and a first momentum of 0.5 for both players.

        Args:
            generator_optimizer: any Keras optimiser or its name; `None` for the paper's.
            discriminator_optimizer: a `keras.optimizers.SGD` or `Adam` without further settings, such as clipping,
                which the unroll would not follow; `None` for the paper's.
            **kwargs: as in `TrainableModel.compile`.

        Raises:
            InputError: the discriminator's optimiser cannot be unrolled, or as in `TrainableModel.compile`.
        """
        super().compile(generator_optimizer, discriminator_optimizer, **kwargs)
        optimizer = self._unrolled_optimizer()
        extras = [name for name, value in optimizer.get_config().items() if name in EXTRAS and value]
        if type(optimizer) not in UNROLLED or extras:
            raise InputError(
                "`discriminator_optimizer` must be keras.optimizers.SGD or Adam without further settings, to be "
                f"unrolled. Received: {type(optimizer).__name__}{' with ' if extras else ''}{', '.join(extras)}"
            )

    def _unrolled_optimizer(self):
        """The discriminator's optimiser, without the wrapper that scales its loss in float16."""
        return getattr(self.discriminator_optimizer, "inner_optimizer", self.discriminator_optimizer)

    def train_step(self, batch):
        """One discriminator update, then one generator update, which looks ahead K steps on the same minibatch."""
        real = self.real_data(batch)
        logs = self.update_discriminator(real, self.draw_latents(real, "discriminator"))
        return logs | self.update_generator(real, self.draw_latents(real, "generator"))

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits)
        norms = self.minimize("discriminator", loss, tape)
        return {"discriminator_loss": loss, **losses.discriminator_accuracies(real_logits, fake_logits), **norms}

    def update_generator(self, real, latents):
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)

            def minus_f(weights):
                return self.loss_at(weights, real, fake)

            ahead = unroll(
                minus_f, self._unrolled_optimizer(), self.discriminator.trainable_variables, self.unrolled_steps
            )
            loss = -minus_f(ahead)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}

    def loss_at(self, weights, real, fake):
        """The loss -f that the discriminator would have with other weights; its own weights do not change."""
        state = self.discriminator.non_trainable_variables
        real_logits, state = self.discriminator.stateless_call(weights, state, real, training=True)
        fake_logits, _ = self.discriminator.stateless_call(weights, state, fake, training=True)
        return losses.cross_entropy_discriminator_loss(real_logits, fake_logits)
