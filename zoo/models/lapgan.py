"""Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks. E. Denton, S. Chintala, A. Szlam,
R. Fergus. 2015. https://arxiv.org/abs/1506.05751

An image is made from coarse to fine: a first pair of networks makes a small one, and at each larger size a pair of its
own, conditioned on the enlarged image so far, makes the detail h that the enlarged image l lacks. The pairs are trained
apart, on the pyramids of real images. Given classes, the model is the paper's CC-LAPGAN: the one-hot class joins the
vectors of the first pair, and a rectified linear map of it is one plane more for each other network.

Of every level k, whose first, the coarsest, has no l:
Discriminator: minimise -(E log D_k(h, l) + E log(1 - D_k(G_k(z, l), l))) / 2.
Generator: minimise -E log D_k(G_k(z, l), l).

What the text leaves open follows the authors' code, https://github.com/facebookarchive/eyescream, read in 2026; the
text itself was not at hand, and what is remembered of it is said to be.

Differences from the paper:
1. Images are shrunk and enlarged linearly (`pyramid.Resize`); the code does both by Torch's `image.scale`, the text, as
   remembered, by a blur with decimation and a smoothing with expansion.
2. A row of a batch is real or generated with equal probability in the text, as remembered. Here, as in the code, every
   other row is real and the rest are generated. The generator's update conditions on all rows of the batch, where the
   code draws other images for it.
3. Images lie in [-1, 1]; the code gives every pixel mean 0 and variance 1 over the training set.
4. The widths are those that an author published beside the code (https://gist.github.com/soumith/e3f722173ea16c1ea0d9)
   for the 8x8 networks, 1,200 and 600 units; the 128 and 64 planes of the 28x28 and 14x14 ones are remembered from the
   text (the code's default is 64 for both). The second hidden layer of the 8x8 generator is rectified, as in the code's
   conditional one; the unconditional one's is a sigmoid.
5. Weights start uniform within 1 / sqrt(inputs), Torch's default and so the code's but for its unconditional 8x8
   networks (normal, of deviation 0.05 and 0.005); biases start at zero.
6. Every level has the rate, decay and momentum of the code's unconditional finer levels; its other scripts differ
   (rate 0.01, momentum from 0, decay 1.00004 or 1.000004). Both change a little at every update, the code's once an
   epoch, of 703 updates; its momentum ends at 0.7, the text's, as remembered, at 0.8.
7. Where an image has fewer than 9 pixels a side, the discriminator's convolutions are padded; unpadded, nothing would
   be left.
"""

from __future__ import annotations

import functools
import math

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors, pyramid
from zoo.errors import InputError, require_positive
from zoo.layers import GlobalBatchDropout
from zoo.model import GenerativeModel

layers = keras.layers

ROLES = ("generators", "discriminators")
EPOCH = 45_000 // 64  # updates: 45,000 images, of which an update shows the discriminator 64


def dense_generator(latent_size, shape, num_classes=None, units=1200, seed=0, name=None, normalized=False):
    """Two layers of rectified units and linear pixels; the one-hot class joins the latent vector.

    Args:
        latent_size: length of the latent vector.
        shape: `(height, width, channels)`.
        num_classes: length of the one-hot class, if there is one.
        units: of each hidden layer.
        seed: the first weights follow from it.
        name: of the network.
        normalized: whether the hidden layers are batch-normalised; the paper's are not.

    Returns:
        A `keras.Model` from `(batch, latent_size)` (and `(batch, num_classes)`) to float32 `(batch, *shape)`.
    """
    initializer = _torch_uniform(seed)
    inputs = [keras.Input((latent_size,)), *_class_input(num_classes)]
    x = _joined(inputs)
    for _ in range(2):
        x = layers.Dense(units, use_bias=not normalized, kernel_initializer=initializer)(x)
        x = layers.ReLU()(networks.batch_normalization()(x) if normalized else x)
    x = layers.Dense(math.prod(shape), kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, layers.Reshape(shape, dtype="float32")(x), name=name)


def dense_discriminator(shape, num_classes=None, units=600, seed=0, name=None, dropout=0.5):
    """Two layers of rectified units, half of them dropped; the one-hot class joins the pixels.

    Args:
        shape: `(height, width, channels)`.
        num_classes: length of the one-hot class, if there is one.
        units: of each hidden layer.
        seed: the first weights follow from it.
        name: of the network.
        dropout: the share of units that are dropped.

    Returns:
        A `keras.Model` from `(batch, *shape)` (and `(batch, num_classes)`) to float32 logits `(batch, 1)`.
    """
    initializer = _torch_uniform(seed)
    inputs = [keras.Input(shape), *_class_input(num_classes)]
    x = _joined([layers.Flatten()(inputs[0]), *inputs[1:]])
    for _ in range(2):
        x = GlobalBatchDropout(dropout)(layers.Dense(units, activation="relu", kernel_initializer=initializer)(x))
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, logits, name=name)


def residual_generator(shape, num_classes=None, filters=64, seed=0, name=None):
    """Two rectified 7x7 convolutions and a linear 5x5 one, over the low-pass image, a noise plane and a class plane.

    Returns:
        A `keras.Model` from noise `(batch, height, width, 1)` and low-pass images `(batch, *shape)` (and
        `(batch, num_classes)`) to the detail that they lack, float32 `(batch, *shape)`, unbounded.
    """
    initializer = _torch_uniform(seed)
    inputs = [keras.Input((*shape[:2], 1)), keras.Input(shape), *_class_input(num_classes)]
    x = _joined([*inputs[:2], *_class_plane(inputs[2:], shape, initializer)])
    for _ in range(2):
        x = layers.Conv2D(filters, 7, padding="same", activation="relu", kernel_initializer=initializer)(x)
    x = layers.Conv2D(shape[2], 5, padding="same", kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, x, name=name)


def residual_discriminator(shape, num_classes=None, filters=64, seed=0, name=None):
    """Two rectified 5x5 convolutions, the second of stride 2, over the sum of detail and low-pass image.

    Returns:
        A `keras.Model` from details and low-pass images, both `(batch, *shape)` (and `(batch, num_classes)`), to
        float32 logits `(batch, 1)`.
    """
    initializer = _torch_uniform(seed)
    inputs = [keras.Input(shape), keras.Input(shape), *_class_input(num_classes)]
    x = _joined([layers.Add()(inputs[:2]), *_class_plane(inputs[2:], shape, initializer)])
    padding = "valid" if min(shape[:2]) >= 9 else "same"
    for strides in (1, 2):
        x = layers.Conv2D(filters, 5, strides, padding, activation="relu", kernel_initializer=initializer)(x)
    x = GlobalBatchDropout(0.5)(layers.Flatten()(x))
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, logits, name=name)


def _torch_uniform(seed):
    seed = keras.random.SeedGenerator(seed)
    return keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform", seed=seed)


def _class_input(num_classes):
    return [] if num_classes is None else [keras.Input((num_classes,))]


def _class_plane(one_hot, shape, initializer):
    """A rectified linear map of the class to one plane, `(batch, height, width, 1)`."""
    units = math.prod(shape[:2])
    return [
        layers.Reshape((*shape[:2], 1))(layers.Dense(units, activation="relu", kernel_initializer=initializer)(tensor))
        for tensor in one_hot
    ]


def _joined(tensors):
    return layers.Concatenate()(tensors) if len(tensors) > 1 else tensors[0]


def _call(network, first, condition, **kwargs):
    """What a network makes of its first input and of those it is conditioned on, if any."""
    return network([first, *condition] if condition else first, **kwargs)


@keras.saving.register_keras_serializable("zoo")
class LAPGAN(GenerativeModel):
    """A pyramid of adversarial pairs, level 0 the finest; with `num_classes`, CC-LAPGAN.

    No level reads what another has learnt, so that levels may be trained together or, by `compile(levels=...)`, apart,
    and then put together by `assemble`: the weights are the same, as long as the optimiser treats each weight by itself
    (clipping by a global norm does not).

    Args:
        data_shape: `(height, width, channels)`.
        latent_size: length of the coarsest level's latent vector, uniform in [-1, 1]; each other level has a plane of
            such noise.
        sizes: `(height, width)` of each level, finest first; by default `pyramid.halved_sizes`.
        generators: your own, one a level, finest first, or None for the paper's: the last from `(batch, latent_size)`
            to an image, the others from `[noise (batch, height, width, 1), low-pass image]` to the detail; all take the
            one-hot class as one input more where there are classes. Their names differ.
        discriminators: your own, one a level, finest first, or None for the paper's: the last from an image, the others
            from `[detail, low-pass image]`, and the one-hot class as above, to logits `(batch, 1)`.
        filters: planes of the finest level's convolutions; each coarser level has half as many.
        units: of the coarsest generator's hidden layers; its discriminator's have half as many.
        **kwargs: `num_classes`, `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Attributes:
        generators, discriminators: the networks of each level, finest first.
        generator: the chain of all generators, from a latent a level (and the one-hot class) to the images from the
            coarsest to the finest.
        discriminator: all discriminators on the pyramid of an image, `(batch, *data_shape)` (and the one-hot class), to
            the logits of each level `(batch, levels)`.
        levels: those that `compile` was told to train.

    Raises:
        InputError: a setting is out of its range, `data_shape` or `sizes` make no pyramid, or a network has the wrong
            shapes.

    Example:
        model = LAPGAN(data_shape=(28, 28, 1), filters=16)
        model.compile()
        model.fit(zoo.data.load("mnist").train.stream(batch_size=128), steps_per_epoch=422, epochs=10)
    """

    labels = "optional"

    def __init__(
        self,
        data_shape,
        *,
        latent_size=100,
        sizes=None,
        generators=None,
        discriminators=None,
        filters=128,
        units=1200,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters, units=units)
        self.filters = filters
        self.units = units
        self.sizes = (
            pyramid.halved_sizes(self.data_shape) if sizes is None else pyramid.checked_sizes(sizes, self.data_shape)
        )
        self.depth = len(self.sizes)
        self.levels = tuple(range(self.depth))
        self.prior = [priors.uniform((*size, 1)) for size in self.sizes[:-1]] + [priors.uniform(latent_size)]
        dense = functools.partial(dense_generator, latent_size)
        paper = self._paper_networks(residual_generator, dense, units, self.seed, "generator")
        self.generators = self._checked("generators", generators, paper)
        paper = self._paper_networks(
            residual_discriminator, dense_discriminator, max(1, units // 2), self.seed + 1, "discriminator"
        )
        self.discriminators = self._checked("discriminators", discriminators, paper)
        self.generator = self._chain()
        self.discriminator = self._judges()
        self.sampler = self.averaged(self.generator)

    # Networks.

    def _shape(self, level):
        return (*self.sizes[level], self.data_shape[2])

    def _condition_shapes(self, level):
        """Of a level's condition: the low-pass image, but for the coarsest, and the class, where there are any."""
        low_pass = [self._shape(level)] if level < self.depth - 1 else []
        return low_pass + ([(self.num_classes,)] if self.conditional else [])

    def _paper_networks(self, residual, dense, units, seed, name):
        """A function a level that makes its network; every level's seed is its own."""
        *finer, last = range(self.depth)
        networks = [(residual, level, max(1, self.filters >> level)) for level in finer] + [(dense, last, units)]
        return [
            functools.partial(network, self._shape(level), self.num_classes, width, seed + 2 * level, f"{name}_{level}")
            for network, level, width in networks
        ]

    def _checked(self, role, given, paper):
        """A network a level: the one that was given, or else the paper's."""
        given = [None] * self.depth if given is None else list(given)
        if len(given) != self.depth:
            raise InputError(f"`{role}` must be {self.depth} networks, or None for the paper's. Received: {len(given)}")
        chosen = [mine or published() for mine, published in zip(given, paper, strict=True)]
        names = [network.name for network in chosen]
        if len(set(names)) < self.depth:
            raise InputError(f"`{role}` must be networks of different names. Received: {names}")
        for level, network in enumerate(chosen):
            shape = self._shape(level)
            first, output = (tuple(self.prior[level].batch_shape), shape) if role == "generators" else (shape, (1,))
            networks.checked(f"{role}[{level}]", network, [first, *self._condition_shapes(level)], output)
        return chosen

    def _chain(self):
        latents = [keras.Input(tuple(prior.batch_shape)) for prior in self.prior]
        classes = _class_input(self.num_classes)
        *details, coarsest = (
            lambda *low_pass, network=network, noise=noise: _call(network, noise, [*low_pass, *classes])
            for network, noise in zip(self.generators, latents, strict=True)
        )
        return keras.Model([*latents, *classes], pyramid.reconstruct(coarsest(), details, self.sizes), name="generator")

    def _judges(self):
        image = keras.Input(self.data_shape)
        classes = _class_input(self.num_classes)
        coefficients, low_passes = pyramid.laplacian(image, self.sizes)
        conditions = [*([low_pass, *classes] for low_pass in low_passes), classes]
        logits = map(_call, self.discriminators, coefficients, conditions)
        return keras.Model([image, *classes], layers.Concatenate(dtype="float32")(list(logits)), name="discriminator")

    def networks_of(self, player):
        return {"generator": self.generators, "discriminator": self.discriminators}[player]

    def variables_of(self, player):
        return [variable for level in self.levels for variable in self.networks_of(player)[level].trainable_variables]

    # Training.

    def paper_optimizer(self, player):
        """Gradient descent for both players: a rate of 0.02, and a momentum from 0.5 to 0.7 over 250 epochs."""
        decay = 1.000004 ** (1 / EPOCH)
        return optimizers.MomentumRampSGD(0.02, decay=decay, final_momentum=0.7, ramp=250 * EPOCH)

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, levels=None, **kwargs):
        """Gradient descent for both players: a rate of 0.02, and a momentum from 0.5 to 0.7 over 250 epochs.

        Args:
            generator_optimizer: one for the generators of all levels; `None` for the paper's.
            discriminator_optimizer: one for the discriminators of all levels; `None` for the paper's.
            levels: the numbers of the levels to train, 0 the finest; all unless given. The others stay as they are.
            **kwargs: as in `TrainableModel.compile`.

        Raises:
            InputError: there is no such level, or it is named twice.
        """
        everything = range(self.depth)
        chosen = list(everything if levels is None else levels)
        if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(everything):
            raise InputError(f"`levels` must be some of {list(everything)}, each once. Received: levels={levels}")
        self.levels = tuple(sorted(chosen))
        super().compile(generator_optimizer, discriminator_optimizer, **kwargs)

    def get_compile_config(self):
        return {**super().get_compile_config(), "levels": self.levels}

    def train_step(self, batch):
        """At each level, one update of the discriminator on half real, half generated rows, then one of the generator.

        Each level's condition comes from real images.
        """
        images = self.real_data(batch)
        coefficients, low_passes = pyramid.laplacian(images, self.sizes)
        classes = self._classes(batch.get("label"))
        conditions = [*([low_pass, *classes] for low_pass in low_passes), classes]
        real, (others, other_conditions) = self.minibatches((coefficients, conditions), 2)
        logs = self.update_discriminator(*real, other_conditions, self.draw_latents(others[0], "discriminator"))
        return logs | self.update_generator(conditions, self.draw_latents(images, "generator"))

    def update_discriminator(self, coefficients, conditions, fake_conditions, latents):
        fakes = {
            level: _call(self.generators[level], latents[level], fake_conditions[level], training=True)
            for level in self.levels
        }
        loss, logs = 0.0, {}
        with tf.GradientTape() as tape:
            for level, fake in fakes.items():
                network = self.discriminators[level]
                real_logits = _call(network, coefficients[level], conditions[level], training=True)
                fake_logits = _call(network, fake, fake_conditions[level], training=True)
                # Half, as the mean over a batch that is half real is: the published rate belongs to it.
                level_loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits) / 2
                loss += level_loss
                logs[f"discriminator_{level}_loss"] = level_loss
                for name, share in losses.discriminator_accuracies(real_logits, fake_logits).items():
                    logs[f"{name}_{level}"] = share
        return {"discriminator_loss": loss, **logs, **self.minimize("discriminator", loss, tape)}

    def update_generator(self, conditions, latents):
        loss, logs = 0.0, {}
        with tf.GradientTape() as tape:
            for level in self.levels:
                condition = conditions[level]
                fake = _call(self.generators[level], latents[level], condition, training=True)
                fake_logits = _call(self.discriminators[level], fake, condition, training=True)
                logs[f"generator_{level}_loss"] = losses.non_saturating_generator_loss(fake_logits)
                loss += logs[f"generator_{level}_loss"]
        return {"generator_loss": loss, **logs, **self.minimize("generator", loss, tape)}

    def _classes(self, labels):
        return [tf.one_hot(labels, self.num_classes)] if self.conditional else []

    # Sampling.

    def generate(self, latents, labels):
        return self.generate_chain(latents, labels)[-1]

    def generate_chain(self, latents, labels):
        """The images on the way from the coarsest, which a latent vector makes, to the finest.

        Args:
            latents: of each level, finest first: noise float32 `[n, height, width, 1]`, and last the coarsest one's
                vector `[n, latent_size]`.
            labels: int32 `[n]`; without classes they are ignored.

        Returns:
            A list of float32 `[n, height, width, channels]`, coarse to fine, in [-1, 1] or a little beyond.

        Raises:
            InputError: latents of other shapes.
        """
        wanted = [tuple(prior.batch_shape) for prior in self.prior]
        received = [tuple(part.shape[1:]) for part in tf.nest.flatten(latents)]
        if received != wanted:
            raise InputError(f"Latents must have one row each of the shapes {wanted}. Received: {received}")
        return self.sampler([*latents, *self._classes(labels)], training=False)

    def sample_chain(self, seeds, labels=None):
        """The chain of images that ends in `sample` of the same seeds and labels.

        Args:
            seeds: as for `sample`.
            labels: as for `sample`.

        Returns:
            A list of float32 arrays `[n, height, width, channels]` in [0, 1], coarse to fine.
        """
        return [images.numpy() for images in self._chain_graph(*self._rows(seeds, labels))]

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.int32)],
        autograph=False,
    )
    def _chain_graph(self, seed, label):
        chain = self.generate_chain(self.latents_of(seed), self._labels(seed, label))
        return [self._to_samples(images) for images in chain]

    def score(self, data, labels):
        """The sum of all levels' logits: the log odds of the image, as each level's are those of h_k given l_k."""
        classes = self._classes(labels)
        return tf.reduce_sum(_call(self.discriminator, data, classes, training=False), axis=-1)

    # Levels apart, and the whole.

    @classmethod
    def assemble(cls, parts):
        """One model from levels that were trained apart.

        Args:
            parts: models, each of which lends the levels that it was compiled to train; together they lend every level,
                once.

        Returns:
            A `LAPGAN` with their networks and averages, not compiled; its `step` is the longest training's.

        Raises:
            InputError: the models are of different pyramids, or a level is missing or there twice.
        """
        configs = [part.get_config() for part in parts]
        for name in ("data_shape", "sizes", "num_classes", "latent_size", "ema_decay"):
            if any(config[name] != configs[0][name] for config in configs):
                raise InputError(
                    f"Levels fit together if their models have the same `{name}`. "
                    f"Received: {', '.join(str(config[name]) for config in configs)}"
                )
        lenders = sorted((level, lender) for lender, part in enumerate(parts) for level in part.levels)
        levels = [level for level, _ in lenders]
        if not parts or levels != list(range(parts[0].depth)):
            raise InputError(
                f"Every level must have been trained by one of the models. "
                f"Received: levels {' and '.join(str(list(part.levels)) for part in parts) or 'of no models'}"
            )
        networks = {role: [configs[lender][role][level] for level, lender in lenders] for role in ROLES}
        whole = cls.from_config({**configs[0], **networks})
        for level, lender in lenders:
            for mine, theirs in zip(whole._networks_at(level), parts[lender]._networks_at(level), strict=True):
                mine.set_weights(theirs.get_weights())
        whole.step_counter.assign(max(part.step for part in parts))
        return whole

    def _networks_at(self, level):
        generator = self.generators[level]
        return generator, self.discriminators[level], self.sampler.get_layer(generator.name)
