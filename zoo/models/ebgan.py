"""Energy-Based Generative Adversarial Network. J. Zhao, M. Mathieu, Y. LeCun. 2017. https://arxiv.org/abs/1609.03126

The discriminator is an autoencoder, and its error in reconstructing x is the energy D(x): it is low for data, and
pushed up to a margin m for samples. The pulling-away term of EBGAN-PT makes the codes of a batch of samples more
orthogonal.

Discriminator: minimise E D(x) + E max(0, m - D(G(z))), with D(x) = ||Dec(Enc(x)) - x||.
Generator: minimise E D(G(z)) + w PT(Enc(G(z))); w is 0 for EBGAN, 0.1 for EBGAN-PT.

Differences from the paper, which was read without its appendix. Settings are those of its study of margins on MNIST.
1. 1e-12 is added under the square root of the norm, so that it is differentiable at a perfect reconstruction. Public
   code often takes the mean squared error instead of the norm: a margin of 10 here then corresponds to one of 100
   divided by the number of values.
2. As remembered, first weights are normal, with deviations of 0.02 in the generator and 0.002 in the discriminator, and
   there is batch normalisation after every layer but the generator's last and the discriminator's first. The decoder's
   outputs are not normalised.
3. We know neither the distribution of the paper's latents (here 100, uniform in [-1, 1]) nor its range of pixels (here
   [-1, 1]). MNIST is not padded to 32x32.
4. The players move in turn. It is our choice that the discriminator moves first and that the generator's update draws
   new latents.
5. There is no dropout. The study of margins has none; the paper's grid search tries it.
6. `pretrain`, which trains the autoencoder on data alone, is not in the paper; by default there is no pretraining.
"""

from __future__ import annotations

import itertools
import math

import keras
import tensorflow as tf

from zoo import networks, optimizers, priors
from zoo.errors import InputError, require_non_negative, require_positive, require_positive_number
from zoo.model import GenerativeModel

layers = keras.layers

DEVIATION = 0.002  # standard deviation of the kernels before training


def mlp_encoder(data_shape, units, depth, seed=0):
    """`depth` layers of rectified units, all but the first batch-normalised; the outputs of the last are the code.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` to codes `(batch, units)`, which are never negative.
    """
    initializer = networks.normal(seed, DEVIATION)
    inputs = keras.Input(data_shape)
    x = layers.Flatten()(inputs)
    for layer in range(depth):
        x = layers.Dense(units, use_bias=layer == 0, kernel_initializer=initializer)(x)
        if layer > 0:
            x = networks.batch_normalization()(x)
        x = layers.ReLU()(x)
    return keras.Model(inputs, x, name="encoder")


def linear_decoder(data_shape, units, seed=0):
    """The paper's, one linear layer: a `keras.Model` from codes `(batch, units)` to float32 `(batch, *data_shape)`."""
    inputs = keras.Input((units,))
    initializer = networks.normal(seed, DEVIATION)
    x = layers.Dense(math.prod(data_shape), kernel_initializer=initializer, dtype="float32")(inputs)
    return keras.Model(inputs, layers.Reshape(data_shape, dtype="float32")(x), name="decoder")


def energy(data, reconstruction):
    """D(x): the Euclidean norm of each row's error, float32 `(batch,)` from two `(batch, *data_shape)`."""
    error = tf.cast(reconstruction, tf.float32) - tf.cast(data, tf.float32)
    return tf.sqrt(tf.reduce_sum(tf.reshape(error**2, [tf.shape(error)[0], -1]), axis=1) + 1e-12)


def pulling_away(codes):
    """PT: the mean squared cosine between the codes of two different rows; float32 in [0, 1] from `(batch, size)`.

    A code of zeros counts as orthogonal to all others. A batch of one row has no pairs, so its term is 0.
    """
    codes = tf.cast(codes, tf.float32)
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(codes), axis=1, keepdims=True))  # scaling does not change cosines
    unit = tf.math.l2_normalize(tf.math.divide_no_nan(codes, largest), axis=1)
    squares = tf.linalg.matmul(unit, unit, transpose_b=True) ** 2
    rows = tf.cast(tf.shape(codes)[0], tf.float32)
    others = tf.linalg.set_diag(squares, tf.zeros_like(squares[:, 0]))
    return tf.reduce_sum(others) / tf.maximum(rows * (rows - 1), 1)


@keras.saving.register_keras_serializable("zoo")
class EBGAN(GenerativeModel):
    """A generator and an autoencoder whose error tells data from samples; EBGAN-PT with `pulling_away_weight=0.1`.

    The score of data is minus their energy. Scores have no boundary between real and fake. Batch statistics and the
    pulling-away term are per replica.

    Args:
        data_shape: `(height, width, channels)` or `(size,)`, of any size.
        latent_size: length of the latent vector, uniform in [-1, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in [-1, 1].
        encoder: your own, from `(batch, *data_shape)`, images in [-1, 1], to codes `(batch, discriminator_units)`.
        decoder: your own, from `(batch, discriminator_units)` to `(batch, *data_shape)`.
        generator_layers: how many layers the paper's generator has, its last included; at least 2.
        generator_units: width of its hidden layers.
        discriminator_layers: how many layers the paper's encoder and its one-layer decoder have together; at least 2.
        discriminator_units: length of the code, and width of the encoder's layers.
        margin: m, the energy up to which samples are pushed.
        pulling_away_weight: w.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range or a network has the wrong shapes.

    Example:
        model = EBGAN(data_shape=(28, 28, 1), pulling_away_weight=0.1)
        model.compile()
        model.fit(zoo.data.load("mnist").train.stream(batch_size=128), steps_per_epoch=420, epochs=10)
    """

    decision_boundary = None

    def __init__(
        self,
        data_shape,
        *,
        latent_size=100,
        generator=None,
        encoder=None,
        decoder=None,
        generator_layers=5,
        generator_units=1600,
        discriminator_layers=2,
        discriminator_units=1024,
        margin=10.0,
        pulling_away_weight=0.0,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(generator_units=generator_units, discriminator_units=discriminator_units)
        for name, count in {"generator_layers": generator_layers, "discriminator_layers": discriminator_layers}.items():
            if count < 2:
                raise InputError(f"`{name}` must be 2 or more. Received: {name}={count}")
        require_positive_number(margin=margin)
        require_non_negative(pulling_away_weight=pulling_away_weight)
        self.generator_layers = generator_layers
        self.generator_units = generator_units
        self.discriminator_layers = discriminator_layers
        self.discriminator_units = discriminator_units
        self.margin = margin
        self.pulling_away_weight = pulling_away_weight
        self.prior = priors.uniform(latent_size)
        data, code = self.data_shape, (discriminator_units,)
        generator = generator or networks.mlp_generator(
            data, latent_size, generator_units, generator_layers - 1, "tanh", self.seed
        )
        encoder = encoder or mlp_encoder(data, discriminator_units, discriminator_layers - 1, self.seed + 1)
        decoder = decoder or linear_decoder(data, discriminator_units, self.seed + 2)
        self.generator = self.checked("generator", generator, [(latent_size,)], data)
        self.encoder = self.checked("encoder", encoder, [data], code)
        self.decoder = self.checked("decoder", decoder, [code], data)
        inputs = keras.Input(data)
        codes = self.encoder(inputs)
        self.discriminator = keras.Model(inputs, [codes, self.decoder(codes)], name="discriminator")
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.001 for both players."""
        return optimizers.adam(1e-3)

    def pretrain(self, batches, steps):
        """Trains the autoencoder on data alone, before `fit` and with the optimiser that `fit` goes on with.

        These updates do not count as steps of `fit`. A run that is started again first repeats its pretraining, with
        the same result, and then restores the weights of its checkpoint.

        Args:
            batches: a `tf.data.Dataset` of batches as `fit` takes them.
            steps: the number of updates; fewer are made if there are fewer batches.
        """
        strategy = self.distribute_strategy

        @tf.function(autograph=False)
        def update(batch):
            strategy.run(self.update_autoencoder, args=(batch,))

        for batch in itertools.islice(strategy.experimental_distribute_dataset(batches), steps):
            update(batch)

    def train_step(self, batch):
        """One discriminator update, then one generator update."""
        real = self.real_data(batch)
        logs = self.update_discriminator(real, self.draw_latents(real, "discriminator"))
        return logs | self.update_generator(self.draw_latents(real, "generator"))

    def update_autoencoder(self, batch):
        real = self.real_data(batch)
        with tf.GradientTape() as tape:
            _, reconstruction = self.discriminator(real, training=True)
            loss = tf.reduce_mean(energy(real, reconstruction))
        self.minimize("discriminator", loss, tape)

    def update_discriminator(self, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            # Separate calls, so that batch normalisation never mixes real and fake statistics.
            real_energy = energy(real, self.discriminator(real, training=True)[1])
            fake_energy = energy(fake, self.discriminator(fake, training=True)[1])
            loss = tf.reduce_mean(real_energy) + tf.reduce_mean(tf.maximum(0.0, self.margin - fake_energy))
        logs = {
            "discriminator_loss": loss,
            "real_energy": tf.reduce_mean(real_energy),
            "fake_energy": tf.reduce_mean(fake_energy),
        }
        return logs | self.minimize("discriminator", loss, tape)

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            codes, reconstruction = self.discriminator(fake, training=True)
            term = pulling_away(codes)
            loss = tf.reduce_mean(energy(fake, reconstruction)) + self.pulling_away_weight * term
        return {"generator_loss": loss, "pulling_away": term, **self.minimize("generator", loss, tape)}

    def score(self, data, labels):
        """Minus the energy: higher is more real."""
        return -energy(data, self.discriminator(data, training=False)[1])
