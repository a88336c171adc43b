"""Adversarial Feature Learning. J. Donahue, P. Krähenbühl, T. Darrell. 2016. https://arxiv.org/abs/1605.09782

Bidirectional GAN (BiGAN): besides the generator, an encoder learns the way back from data to latents, because the
discriminator judges pairs of data and latents, and only an encoder that inverts the generator can fool it in the long
run. The encoder's hidden units serve as features.

Discriminator: maximise E log D(x, E(x)) + E log(1 - D(G(z), z)).
Generator and encoder: maximise E log(1 - D(x, E(x))) + E log D(G(z), z), the same with the labels inverted.

Differences from the paper. The networks are those of its permutation-invariant MNIST; what the text leaves open follows
the authors' code, https://github.com/jeffdonahue/bigan (`train_mnist.sh`, `net.py`).
1. All losses are half of those above, as in the code: the published weight decay belongs to that scale.
2. As in the code, the latents join the discriminator at its second hidden layer, not the first, and join the generator
   at its second hidden layer a second time.
3. `sample` and `encode` normalise with running averages, of momentum 0.99; the code measures the statistics anew, over
   1,000 batches with the trained weights.
4. For vectors instead of images the generator's output is linear.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.encoding_model import EncodingModel
from zoo.errors import require_non_negative, require_positive
from zoo.layers import FusedBatchNormalization

layers = keras.layers

FEATURES = "features"  # the name of the encoder's last hidden layer


@keras.saving.register_keras_serializable("zoo")
class HeldThenDecayed(keras.optimizers.schedules.LearningRateSchedule):
    """The paper's rate: constant for half of the updates, then falling exponentially to a hundredth.

    Args:
        learning_rate: the first rate.
        updates: how many updates there are in all.
    """

    def __init__(self, learning_rate, updates):
        self.learning_rate = learning_rate
        self.updates = updates

    def __call__(self, step):
        done = tf.cast(step, tf.float32) / self.updates
        return self.learning_rate * 0.01 ** tf.clip_by_value(2 * done - 1, 0.0, 1.0)

    def get_config(self):
        return {"learning_rate": self.learning_rate, "updates": self.updates}


def mlp_generator(data_shape, latent_size, units, seed=0):
    """Two normalised, rectified layers, the latents joining both; sigmoid pixels in [0, 1], or linear for vectors."""
    linear = _linear(seed)
    latents = keras.Input((latent_size,))
    x = layers.ReLU()(_normalized(linear(units)(latents)))
    x = layers.ReLU()(_normalized(layers.Add()([linear(units)(x), linear(units)(latents)])))
    x = linear(math.prod(data_shape), dtype="float32")(x)
    if len(data_shape) == 3:
        x = layers.Activation("sigmoid", dtype="float32")(x)
    return keras.Model(latents, layers.Reshape(data_shape, dtype="float32")(x), name="generator")


def mlp_encoder(data_shape, latent_size, units, seed=0):
    """Two leaky layers, the second normalised, then latents in (-1, 1): 2 sigmoid(x) - 1."""
    linear = _linear(seed)
    data = keras.Input(data_shape)
    x = _leaky(linear(units)(layers.Flatten()(data)))
    x = _leaky(_normalized(linear(units)(x)), name=FEATURES)
    x = layers.Activation("sigmoid", dtype="float32")(linear(latent_size, dtype="float32")(x))
    return keras.Model(data, layers.Rescaling(2.0, -1.0, dtype="float32")(x), name="encoder")


def mlp_discriminator(data_shape, latent_size, units, seed=0):
    """Two leaky layers, the second joined by the latents and normalised, then a logit that starts at 0."""
    linear = _linear(seed)
    data, latents = keras.Input(data_shape), keras.Input((latent_size,))
    x = _leaky(linear(units)(layers.Flatten()(data)))
    x = _leaky(_normalized(layers.Add()([linear(units)(x), linear(units)(latents)])))
    logits = layers.Dense(1, use_bias=False, kernel_initializer="zeros", dtype="float32")(x)
    return keras.Model([data, latents], logits, name="discriminator")


def _linear(seed):
    """Makes layers without biases, whose kernels start normal with a deviation of 0.02."""
    initializer = networks.normal(seed)
    return lambda units, **kwargs: layers.Dense(units, use_bias=False, kernel_initializer=initializer, **kwargs)


def _normalized(x):
    return FusedBatchNormalization(momentum=0.99, epsilon=1e-8, center=False, scale=False)(x)


def _leaky(x, name=None):
    return layers.LeakyReLU(negative_slope=0.2, name=name)(x)


@keras.saving.register_keras_serializable("zoo")
class BiGAN(EncodingModel):
    """A generator and an encoder against a discriminator of pairs: fully connected, on images in [0, 1] or on vectors.

    `encode` gives latents; the features of the paper are the output of `encoder.get_layer("features")`. The score of
    data is the logit of their pair with their latents. Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` or `(size,)`, of any size.
        latent_size: length of the latent vector, uniform in [-1, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [0, 1].
        encoder: your own, from `(batch, *data_shape)`, images in [0, 1], to `(batch, latent_size)`.
        discriminator: your own, from `(batch, *data_shape)`, images in [0, 1], and `(batch, latent_size)` to logits
            `(batch, 1)`.
        units: width of every hidden layer.
        weight_decay: for all weights: half their squared norm, times this, is added to each player's loss.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range or a network has the wrong shapes.

    Example:
        model = BiGAN(data_shape=(28, 28, 1))
        model.compile()
        mnist = zoo.data.load("mnist")
        model.fit(mnist.train.stream(batch_size=128), steps_per_epoch=422, epochs=400)
        latents = model.encode(mnist.test.images / 255)
    """

    players = ("generator", "encoder", "discriminator")
    value_range = (0.0, 1.0)

    def __init__(
        self,
        data_shape,
        *,
        latent_size=50,
        generator=None,
        encoder=None,
        discriminator=None,
        units=1024,
        weight_decay=2.5e-5,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(units=units)
        require_non_negative(weight_decay=weight_decay)
        self.units = units
        self.weight_decay = weight_decay
        self.prior = priors.uniform(latent_size)
        sizes = (self.data_shape, latent_size, units)
        generator = generator or mlp_generator(*sizes, self.seed)
        encoder = encoder or mlp_encoder(*sizes, self.seed + 1)
        discriminator = discriminator or mlp_discriminator(*sizes, self.seed + 2)
        data, latents = self.data_shape, (latent_size,)
        self.generator = self.checked("generator", generator, [latents], data)
        self.encoder = self.checked("encoder", encoder, [data], latents)
        self.discriminator = self.checked("discriminator", discriminator, [data, latents], (1,))
        self.sampler = self.averaged(self.generator)
        self.inferrer = self.averaged(self.encoder)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0002, which `HeldThenDecayed` can lower later, and a first momentum of 0.5."""
        return optimizers.adam(2e-4, beta_1=0.5)

    def train_step(self, batch):
        """One judgement of real and generated pairs, after which all players move at once."""
        real = self.real_data(batch)
        latents = self.draw_latents(real, "pairs")
        with tf.GradientTape(persistent=True) as tape:
            real_logits = self.discriminator([real, self.encoder(real, training=True)], training=True)
            fake_logits = self.discriminator([self.generator(latents, training=True), latents], training=True)
            discriminator_loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits) / 2
            pair_loss = losses.pair_generator_loss(real_logits, fake_logits) / 2
            objectives = {"generator": pair_loss, "encoder": pair_loss, "discriminator": discriminator_loss}
            decayed = {player: loss + self.decay(player) for player, loss in objectives.items()}
        logs = {f"{player}_loss": loss for player, loss in objectives.items()}
        logs |= losses.discriminator_accuracies(real_logits, fake_logits)
        for player, loss in decayed.items():
            logs |= self.minimize(player, loss, tape)
        return logs

    def decay(self, player):
        """The term of a player's loss whose gradient is `weight_decay` times each weight."""
        return self.weight_decay * tf.add_n([tf.nn.l2_loss(variable) for variable in self.variables_of(player)])

    def infer(self, data, labels):
        return self.inferrer(data, training=False)

    def judged(self, data, labels):
        return [data, self.encoder(data, training=False)]
