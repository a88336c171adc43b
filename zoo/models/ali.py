"""Adversarially Learned Inference. V. Dumoulin, I. Belghazi, B. Poole, O. Mastropietro, A. Lamb, M. Arjovsky,
A. Courville. 2016. https://arxiv.org/abs/1606.00704

An encoder z = Gz(x) and a decoder x = Gx(z) are trained together against a discriminator of pairs, until the pairs of
data and inferred latents cannot be told from the pairs of generated data and their latents. The encoder is stochastic,
z = mu(x) + sigma(x) e with normal e. In conditional ALI all networks are told a condition y as well.

Discriminator: maximise E log D(x, Gz(x)) + E log(1 - D(Gx(z), z)).
Generator (Gx) and encoder (Gz): maximise E log(1 - D(x, Gz(x))) + E log D(Gx(z), z) (eq. 4).

Differences from the paper. "The code" is the authors', https://github.com/IshmaelBelghazi/ALI.
1. Images of 32x32 pixels get the networks of table 3 (CIFAR-10). Those of table 4 (SVHN) and those for 64x64 pixels
   are not included: images of every other size get the shared DCGAN backbone, with sigmoid pixels instead of hyperbolic
   tangents and the dense layers of table 4 in its discriminator. Vectors get the code's networks for the 25 Gaussians.
2. Maps are counted after the maximum over 2 pieces, which agrees with table 3's joint input of 1,024; the code counts
   them before, so that its discriminator is half as wide.
3. The output bias of the convolutional decoder starts at zero. In the code it starts at the log-odds of the data's mean
   image; `match_marginals`, which the recipe calls, sets it so.
4. Where the discriminator normalises, real and generated pairs are normalised separately; the code judges them in one
   batch. All layers without normalisation have biases; the code leaves some out.
5. The encoder of the 25 Gaussians is Gaussian like the others; the code's takes noise as an input. Its normalisation
   is that of the shared perceptron.
6. Each network embeds labels and attributes separately, in 256 linear units; in the perceptrons and the backbone's
   decoder the first layer takes this role. The code shares one embedding among all three networks, and no optimiser
   updates its weights, which stay as they were drawn. Equation 7 draws y independently of x; here, as in the code, y is
   that of the row.
7. `encode`, `reconstruct` and `discriminate` take the mean of the encoder's distribution, to give a row the same answer
   every time; the paper's pictures draw from it.
8. Dropout in the discriminator of images is that of table 3, on the inputs of all five convolutions; the code has it on
   the inputs of the first, the second and the fifth, and on the values of which the third takes the maximum.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from zoo import losses, networks, optimizers, priors
from zoo.artefacts.signatures import LATENT, SAMPLES, rows
from zoo.encoding_model import EncodingModel
from zoo.errors import InputError, require_positive
from zoo.layers import (
    Conv2D,
    Conv2DTranspose,
    FusedBatchNormalization,
    GlobalBatchDropout,
    LeakyReLU,
    Maxout,
    PixelBias,
)

layers = keras.layers

# Tables 3 and 4: kernel, stride and maps of the unpadded layers from 32x32 pixels to a vector, and of those back.
DOWN = ((5, 1, 32), (4, 2, 64), (4, 1, 128), (4, 2, 256), (4, 1, 512))
UP = ((4, 1, 256), (4, 2, 128), (4, 1, 64), (4, 2, 32), (5, 1, 32), (1, 1, 32))
SIDE = 32
DEVIATION = 0.01  # standard deviation of their kernels before training


def conv_encoder(data_shape, latent_size, condition_size=None, seed=0):
    """From images `(batch, 32, 32, channels)` (and conditions) to mean and log deviation `(batch, 2 * latent_size)`."""
    initializer = networks.normal(seed, DEVIATION)
    image = x = keras.Input(data_shape)
    for kernel, stride, maps in DOWN:
        x = Conv2D(maps, kernel, stride, use_bias=False, kernel_initializer=initializer)(x)
        x = _normalized_leaky(x)
    x = layers.Dense(512, use_bias=False, kernel_initializer=initializer)(layers.Flatten()(x))
    return networks.encoder_of(image, _normalized_leaky(x), 2 * latent_size, condition_size, initializer)


def conv_generator(data_shape, latent_size, condition_size=None, seed=0):
    """From latents `(batch, latent_size)` (and conditions) to images `(batch, 32, 32, channels)` in [0, 1]."""
    initializer = networks.normal(seed, DEVIATION)
    latents = keras.Input((latent_size,))
    condition, x = networks.joined(latents, condition_size, initializer)
    x = layers.Reshape((1, 1, x.shape[-1]))(x)
    for kernel, stride, maps in UP:
        x = Conv2DTranspose(maps, kernel, stride, use_bias=False, kernel_initializer=initializer)(x)
        x = _normalized_leaky(x)
    x = Conv2D(data_shape[-1], 1, use_bias=False, kernel_initializer=initializer, dtype="float32")(x)
    x = layers.Activation("sigmoid", dtype="float32")(PixelBias(dtype="float32", name="output_bias")(x))
    return keras.Model([latents, *condition] if condition else latents, x, name="generator")


def maxout_discriminator(data_shape, latent_size, condition_size=None, seed=0):
    """Table 3's: the maximum of 2 pieces everywhere, dropout of 0.2 on inputs and 0.5 elsewhere, no normalisation.

    From images `(batch, 32, 32, channels)`, latents `(batch, latent_size)` (and conditions) to logits `(batch, 1)`.
    """
    initializer = networks.normal(seed, DEVIATION)
    image = keras.Input(data_shape)
    x = GlobalBatchDropout(0.2)(image)
    for kernel, stride, maps in DOWN:
        x = layers.Maximum()([Conv2D(maps, kernel, stride, kernel_initializer=initializer)(x) for _ in range(2)])
        # The last maps get their dropout later, together with the latents that join them.
        x = GlobalBatchDropout(0.5)(x) if maps < 512 else layers.Flatten()(x)

    def hidden(units, x):
        return Maxout(units, pieces=2, kernel_initializer=initializer)(x)

    return networks.discriminator_of_pairs(
        image, x, latent_size, condition_size, hidden, (512, 1024), (0.2, 0.5), initializer
    )


def mixture_networks(size, latent_size, condition_size, seed=0):
    """A generator, an encoder and a discriminator of vectors, as in the code for the 25 Gaussians."""
    condition = [] if condition_size is None else [condition_size]

    def of_joined(network, *sizes):
        """The network itself for one size; for several, a network that takes its input in parts of these sizes."""
        inputs = [keras.Input((part,)) for part in sizes]
        return keras.Model(inputs, network(layers.Concatenate()(inputs)), name=network.name) if sizes[1:] else network

    parts = [latent_size, *condition]
    generator = of_joined(networks.normalized_mlp(sum(parts), size, 400, 4, seed, "generator"), *parts)
    parts = [size, *condition]
    encoder = of_joined(networks.normalized_mlp(sum(parts), 2 * latent_size, 400, 2, seed + 1, "encoder"), *parts)
    parts = [size, latent_size, *condition]
    return generator, encoder, of_joined(networks.maxout_mlp(sum(parts), seed + 2), *parts)


def conv_networks(data_shape, latent_size, condition_size, seed=0):
    """A generator, an encoder and a discriminator of 32x32 images, table 3's."""
    sizes = (data_shape, latent_size, condition_size)
    generator, encoder = conv_generator(*sizes, seed=seed), conv_encoder(*sizes, seed=seed + 1)
    return generator, encoder, maxout_discriminator(*sizes, seed=seed + 2)


def dcgan_networks(data_shape, latent_size, condition_size, filters, seed=0):
    """A generator, an encoder and a discriminator of images of other sizes, built from DCGAN's."""
    backbone = networks.dcgan_generator(data_shape, latent_size, filters, seed, condition_size)
    pixels = layers.Activation("sigmoid", dtype="float32")(backbone.layers[-1].input)
    generator = keras.Model(backbone.input, pixels, name="generator")
    # Each network uses the seed after its own as well, for its dense layers.
    encoder = networks.dcgan_encoder(data_shape, 2 * latent_size, filters, seed + 1, condition_size)
    return (
        generator,
        encoder,
        networks.dcgan_discriminator_of_pairs(data_shape, latent_size, filters, seed + 3, condition_size),
    )


def _normalized_leaky(x):
    return LeakyReLU(negative_slope=0.1)(FusedBatchNormalization(momentum=0.95, epsilon=1e-4)(x))


@keras.saving.register_keras_serializable("zoo")
class ALI(EncodingModel):
    """A decoder and a stochastic encoder against a discriminator of pairs, on images in [0, 1] or on vectors.

    It is conditional ALI if `num_classes` or `attributes` is given: every network then takes the condition as one more
    input, a one-hot label or a label's vector of attributes. `sample` and `generate` take labels in either case; with
    attributes, a label is the number of a row of their table (-1: any row, all equally likely). The signature
    `generate_from_attributes` also takes vectors that are in no row.

    The score of data is the logit of their pair with their mean latents. Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)` or `(size,)`; images other than 32x32 pixels need a size that fits
            `networks.dcgan_stages`.
        latent_size: length of the latent vector, standard normal.
        num_classes: how many labels there are; `None` for unconditional ALI.
        attributes: `[num_classes, size]`, a vector for each label in place of a one-hot one.
        generator: your own, from latents `(batch, latent_size)` to `(batch, *data_shape)`, images in [0, 1].
        encoder: your own, from `(batch, *data_shape)`, images in [0, 1], to means and logarithms of standard deviations
            `(batch, 2 * latent_size)`.
        discriminator: your own, from `(batch, *data_shape)` and `(batch, latent_size)` to logits `(batch, 1)`.
        filters: channels of the shared backbone's map next to the image; the other networks have fixed sizes.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = ALI(data_shape=(32, 32, 3))
        model.compile()
        cifar10 = zoo.data.load("cifar10")
        model.fit(cifar10.train.stream(batch_size=100), steps_per_epoch=500, epochs=100)
        reconstructed = model.reconstruct(cifar10.test.images[:64] / 255)

        # Faces by attributes [n, 40]: the rows of a table, and which of them each face has.
        table, labels = np.unique(attributes, axis=0, return_inverse=True)
        model = ALI(data_shape=(32, 32, 3), attributes=table)
    """

    players = ("generator", "encoder", "discriminator")
    labels = "optional"
    value_range = (0.0, 1.0)

    def __init__(
        self,
        data_shape,
        *,
        latent_size=64,
        num_classes=None,
        attributes=None,
        generator=None,
        encoder=None,
        discriminator=None,
        filters=64,
        **kwargs,
    ):
        if attributes is not None:
            attributes = _table(attributes, num_classes)
            num_classes = len(attributes)
        super().__init__(data_shape, latent_size=latent_size, num_classes=num_classes, **kwargs)
        require_positive(filters=filters)
        self.attributes = attributes
        self.filters = filters
        self.prior = priors.normal(latent_size)
        condition_size = num_classes if attributes is None else attributes.shape[1]
        own = [generator, encoder, discriminator]
        if None in own:
            default = self._default_networks(condition_size)
            own = [network or paper for network, paper in zip(own, default, strict=True)]
        data, latents, condition = self.data_shape, (latent_size,), [(condition_size,)] if self.conditional else []
        self.generator = self.checked("generator", own[0], [latents, *condition], data)
        self.encoder = self.checked("encoder", own[1], [data, *condition], (2 * latent_size,))
        self.discriminator = self.checked("discriminator", own[2], [data, latents, *condition], (1,))
        self.sampler = self.averaged(self.generator)
        self.inferrer = self.averaged(self.encoder)

    def _default_networks(self, condition_size):
        if not self.is_image:
            return mixture_networks(*self.data_shape, self.latent_size, condition_size, self.seed)
        if self.data_shape[:2] == (SIDE, SIDE):
            return conv_networks(self.data_shape, self.latent_size, condition_size, self.seed)
        return dcgan_networks(self.data_shape, self.latent_size, condition_size, self.filters, self.seed)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0001 and a first momentum of 0.5 for all (tables 3 to 6)."""
        return optimizers.adam(1e-4, beta_1=0.5)

    def match_marginals(self, images):
        """Sets the convolutional decoder to start from the log-odds of the data's mean image, as the code does.

        Args:
            images: `[n, *data_shape]`, floats in [0, 1] or uint8.

        Raises:
            InputError: the generator is not the paper's, or `images` do not fit.
        """
        output = self.generator.layers[-2:][0]
        if not isinstance(output, PixelBias):
            raise InputError(
                "`match_marginals` needs the paper's own convolutional generator, with a bias for each pixel. "
                f"Received: one with a {type(output).__name__} in its place"
            )
        output.bias.assign(self.log_odds_of_mean(images))
        self.restart_averages()

    def train_step(self, batch):
        """Algorithm 1: one judgement of real and generated pairs, after which all players move at once."""
        real = self.real_data(batch)
        latents = self.draw_latents(real, "latents")
        condition = self.condition(batch.get("label"))
        noise = self.draw_uniform(real, [self.latent_size], "encoder")
        with tf.GradientTape(persistent=True) as tape:
            inferred = self.posterior(self.encoder(_inputs(real, *condition), training=True)).quantile(noise)
            fake = self.generator(_inputs(latents, *condition), training=True)
            # Separate calls, so that batch normalisation never mixes real and generated statistics.
            real_logits = self.discriminator([real, inferred, *condition], training=True)
            fake_logits = self.discriminator([fake, latents, *condition], training=True)
            discriminator_loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits)
            pair_loss = losses.pair_generator_loss(real_logits, fake_logits)
        objectives = {"generator": pair_loss, "encoder": pair_loss, "discriminator": discriminator_loss}
        logs = {f"{player}_loss": loss for player, loss in objectives.items()}
        logs |= losses.discriminator_accuracies(real_logits, fake_logits)
        for player, loss in objectives.items():  # the tape has read all weights before the first player moves
            logs |= self.minimize(player, loss, tape)
        return logs

    def posterior(self, outputs):
        """The normal distribution of the latents `[n, latent_size]` that an encoder's outputs describe.

        Args:
            outputs: float `[n, 2 * latent_size]`, means and logarithms of standard deviations.
        """
        mean, log_deviation = tf.split(outputs, 2, axis=-1)
        return tfp.distributions.Normal(mean, tf.exp(log_deviation))

    def condition(self, labels):
        """The networks' additional input, the condition, in a list: float32 `[n, size]`; empty if unconditional."""
        if not self.conditional:
            return []
        if self.attributes is None:
            return [tf.one_hot(labels, self.num_classes)]
        return [tf.gather(tf.constant(self.attributes), labels)]

    def generate(self, latents, labels):
        return self.sampler(_inputs(latents, *self.condition(labels)), training=False)

    def infer(self, data, labels):
        return self._mean(self.inferrer, data, self.condition(labels))

    def judged(self, data, labels):
        condition = self.condition(labels)
        return [data, self._mean(self.encoder, data, condition), *condition]

    def _mean(self, encoder, data, condition):
        return self.posterior(encoder(_inputs(data, *condition), training=False)).mean()

    def generate_from_attributes_signature(self, latent, attributes):
        """From `latent` float32 [n, latent_size] and `attributes` float32 [n, size] to `samples`."""
        return {SAMPLES: self._to_samples(self.sampler([latent, attributes], training=False))}

    def signatures(self):
        signatures = super().signatures()
        if self.attributes is not None:
            inputs = [rows(LATENT, self.latent_size), rows("attributes", self.attributes.shape[1])]
            signatures["generate_from_attributes"] = (self.generate_from_attributes_signature, inputs)
        return signatures


def _inputs(first, *others):
    """A network's inputs: a list, or the input itself if there is only one."""
    return [first, *others] if others else first


def _table(attributes, num_classes):
    """A table of attributes as float32, checked."""
    table = np.asarray(attributes, np.float32)
    if table.ndim != 2 or table.size == 0 or len(table) != (num_classes or len(table)) or not np.isfinite(table).all():
        raise InputError(
            "`attributes` must be finite numbers [num_classes, size]. "
            f"Received: shape {list(table.shape)}, num_classes={num_classes}"
        )
    return table
