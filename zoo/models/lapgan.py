"""Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks. E. Denton, S. Chintala, A. Szlam,
R. Fergus. 2015. https://arxiv.org/abs/1506.05751

An image is made from coarse to fine: the first pair of networks makes a small image, which is then enlarged step by
step. At each larger size another pair, conditioned on the enlarged image l, makes the detail h that l lacks. The pairs
are trained separately, on the pyramids of real images. Given classes, the model is the paper's CC-LAPGAN: the one-hot
class joins the vectors of the first pair, and a rectified linear map of it is an additional plane for every other
network.

At every level k (the coarsest has no l):
Discriminator: minimise -(E log D_k(h, l) + E log(1 - D_k(G_k(z, l), l))) / 2.
Generator: minimise -E log D_k(G_k(z, l), l).

What the text leaves open follows the authors' code, https://github.com/facebookarchive/eyescream, read in 2026; the
text itself was not at hand, and what comes from memory is marked as such.

Differences from the paper:
1. Images are shrunk and enlarged with a triangle filter (`pyramid.Resize`), which is wider for shrinking. The code does
   both by Torch's `image.scale`, which shrinks by the mean over a box and enlarges linearly with the corner pixels of
   both images aligned, and it scales the whole 32x32 image to each size instead of cropping. The text, as remembered,
   blurs and decimates, and smooths and expands.
2. A row of a batch is real or generated with equal probability in the text, as remembered. Here, as in the code, every
   other row is real and the rest are generated. The generator's update conditions on all rows of the batch, whereas the
   code draws other images for it.
3. Images lie in [-1, 1]; the code gives every pixel mean 0 and variance 1 over the training set.
4. For the 8x8 networks the widths, 1,200 and 600 units, are those that an author published separately from the code
   (https://gist.github.com/soumith/e3f722173ea16c1ea0d9); the 128 and 64 planes of the 28x28 and 14x14 ones are
   remembered from the text (the code's default is 64 for both). The second hidden layer of the 8x8 generator is
   rectified, as in the code's conditional one; in the unconditional one it is a sigmoid.
5. Weights start uniform within 1 / sqrt(inputs). This is Torch's default, and so the code's, except in its
   unconditional 8x8 networks (normal, of deviation 0.05 and 0.005). Biases start at zero.
6. Every level has the rate, decay and momentum of the code's unconditional finer levels; the code's other scripts
   differ (rate 0.01, momentum from 0, decay 1.00004 or 1.000004). The rate and the momentum change a little at every
   update; the code changes them after each epoch, of 704 updates whose rows it draws with replacement; here an epoch is
   the 703 whole batches. The code's momentum ends at 0.7, the text's, as remembered, at 0.8.
7. If an image has fewer than 9 pixels per side, the discriminator's convolutions are padded; unpadded, they would leave
   nothing.
"""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

from zoo import losses, networks, optimizers, priors, pyramid
from zoo.errors import InputError, require_positive
from zoo.model import GenerativeModel
from zoo.networks import laplacian

EPOCH = 45_000 // 64  # updates per epoch: 45,000 images, 64 of which the discriminator sees in each update


def _call(network, first, condition, **kwargs):
    """A network's outputs for its first input and those that it is conditioned on, if any."""
    return network([first, *condition] if condition else first, **kwargs)


class Level:
    """One size of the pyramid: the shapes of its image, noise and conditions, and functions that make its networks.

    Both networks are conditioned on the low-pass image, except at the coarsest level, and on the class, if any.
    """

    def __init__(self, model, number):
        self.shape = shape = (*model.sizes[number], model.data_shape[2])
        self.latent_shape = tuple(model.prior[number].batch_shape)
        classes = [] if model.num_classes is None else [(model.num_classes,)]
        if number == model.depth - 1:
            self.condition_shapes = classes
            generator = functools.partial(laplacian.dense_generator, model.latent_size, units=model.units)
            discriminator = functools.partial(laplacian.dense_discriminator, units=max(1, model.units // 2))
        else:
            self.condition_shapes = [shape, *classes]
            filters = max(1, model.filters >> number)
            generator = functools.partial(laplacian.residual_generator, filters=filters)
            discriminator = functools.partial(laplacian.residual_discriminator, filters=filters)
        paper, seed = {"shape": shape, "num_classes": model.num_classes}, model.seed + 2 * number
        self.generator = functools.partial(generator, **paper, seed=seed, name=f"generator_{number}")
        self.discriminator = functools.partial(discriminator, **paper, seed=seed + 1, name=f"discriminator_{number}")


@keras.saving.register_keras_serializable("zoo")
class LAPGAN(GenerativeModel):
    """A pyramid of adversarial pairs, level 0 the finest; with `num_classes`, CC-LAPGAN.

    The levels learn independently of each other. They can be trained together or separately: one model for each level,
    made with `levels=[number]`, and then `assemble`. The weights are the same either way, as long as the optimiser
    treats each weight by itself (clipping by a global norm does not).

    Args:
        data_shape: `(height, width, channels)`.
        latent_size: length of the coarsest level's latent vector, uniform in [-1, 1]; every other level has a plane of
            such noise.
        sizes: `(height, width)` of each level, finest first; by default `pyramid.halved_sizes`.
        generators: your own, one for each level, finest first, or None for the paper's. The last goes from
            `(batch, latent_size)` to an image, the others from `[noise (batch, height, width, 1), low-pass image]` to
            the detail; all take the one-hot class as one more input where there are classes. Their names must differ.
        discriminators: your own, one for each level, finest first, or None for the paper's. The last goes from an
            image, the others from `[detail, low-pass image]`, and the one-hot class as above, to logits `(batch, 1)`.
        filters: planes of the finest level's convolutions; each coarser level has half as many.
        units: width of the coarsest generator's hidden layers; its discriminator's are half as wide.
        levels: the numbers of the levels to train, 0 the finest; by default all. The others keep their first weights.
        **kwargs: `num_classes`, `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Attributes:
        generators, discriminators: the networks of each level, finest first.
        generator: the chain of all generators, from one latent per level (and the one-hot class) to the images of all
            levels, coarsest first.
        discriminator: all discriminators on the pyramid of an image, `(batch, *data_shape)` (and the one-hot class), to
            the logits of each level `(batch, levels)`.

    Raises:
        InputError: a setting is out of its range, `data_shape` or `sizes` do not form a pyramid, or a network has the
            wrong shapes.

    Example:
        model = LAPGAN(data_shape=(28, 28, 1), filters=16)
        model.compile()
        model.fit(zoo.data.load("mnist").train.stream(batch_size=128), steps_per_epoch=422, epochs=10)
    """

    labels = "optional"
    minibatch_count = 2  # real rows, and those whose low-pass images the generated rows are conditioned on

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
        levels=None,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters, units=units)
        self.filters = filters
        self.units = units
        sizes = pyramid.halved_sizes(self.data_shape) if sizes is None else sizes
        self.sizes = pyramid.checked_sizes(sizes, self.data_shape)
        self.depth = len(self.sizes)
        numbers = list(range(self.depth))
        self.levels = tuple(sorted(numbers if levels is None else levels))
        if not self.levels or list(self.levels) != [number for number in numbers if number in self.levels]:
            raise InputError(f"`levels` must be some of {numbers}, each once. Received: levels={levels}")
        self.prior = [priors.uniform((*size, 1)) for size in self.sizes[:-1]] + [priors.uniform(latent_size)]
        pyramid_levels = [Level(self, number) for number in numbers]
        shapes = [level.shape for level in pyramid_levels]
        paper = [level.generator for level in pyramid_levels]
        inputs = [[level.latent_shape, *level.condition_shapes] for level in pyramid_levels]
        self.generators = networks.checked_list("generators", generators, paper, inputs, shapes)
        paper = [level.discriminator for level in pyramid_levels]
        inputs = [[level.shape, *level.condition_shapes] for level in pyramid_levels]
        scores = [(1,)] * self.depth
        self.discriminators = networks.checked_list("discriminators", discriminators, paper, inputs, scores)
        self.generator = self._chain()
        self.discriminator = self._judges()
        self.sampler = self.averaged(self.generator)

    # Networks.

    def _chain(self):
        *noise, latent = [keras.Input(tuple(prior.batch_shape)) for prior in self.prior]
        classes = laplacian.class_input(self.num_classes)
        details = [
            lambda low_pass, network=network, plane=plane: network([plane, low_pass, *classes])
            for network, plane in zip(self.generators[:-1], noise, strict=True)
        ]
        chain = pyramid.reconstruct(_call(self.generators[-1], latent, classes), details, self.sizes)
        return keras.Model([*noise, latent, *classes], chain, name="generator")

    def _judges(self):
        image, classes = keras.Input(self.data_shape), laplacian.class_input(self.num_classes)
        logits = list(map(_call, self.discriminators, *self._decomposed(image, classes)))
        return keras.Model([image, *classes], keras.layers.Concatenate(dtype="float32")(logits), name="discriminator")

    def _decomposed(self, images, classes):
        """The Laplacian coefficients of images, finest first, and what each level is conditioned on."""
        coefficients, low_passes = pyramid.laplacian(images, self.sizes)
        return coefficients, [*([low_pass, *classes] for low_pass in low_passes), classes]

    def networks_of(self, player):
        return getattr(self, f"{player}s")

    def variables_of(self, player):
        return [variable for level in self.levels for variable in self.networks_of(player)[level].trainable_variables]

    # Training.

    def paper_optimizer(self, player):
        """Gradient descent for both players: a rate of 0.02, and a momentum rising from 0.5 to 0.7 over 250 epochs."""
        decay = 1.000004 ** (1 / EPOCH)
        return optimizers.MomentumRampSGD(0.02, decay=decay, final_momentum=0.7, ramp=250 * EPOCH, dampened=True)

    def train_step(self, batch):
        """At each level, one update of the discriminator on half real, half generated rows, then one of the generator.

        Each level's condition comes from real images.
        """
        images = self.real_data(batch)
        coefficients, conditions = self._decomposed(images, self._classes(batch.get("label")))
        real, (others, other_conditions) = self.minibatches((coefficients, conditions), self.minibatch_count)
        logs = self.update_discriminator(*real, other_conditions, self.draw_latents(others[0], "discriminator"))
        return logs | self.update_generator(conditions, self.draw_latents(images, "generator"))

    def update_discriminator(self, coefficients, conditions, fake_conditions, latents):
        generated = {k: self._generated(k, latents, fake_conditions) for k in self.levels}
        total, logs = 0.0, {}
        with tf.GradientTape() as tape:
            for k, fake in generated.items():
                real_logits = _call(self.discriminators[k], coefficients[k], conditions[k], training=True)
                fake_logits = _call(self.discriminators[k], fake, fake_conditions[k], training=True)
                # Half the sum is the mean over a batch that is half real; the published rate belongs to this mean.
                logs[f"discriminator_{k}_loss"] = losses.cross_entropy_discriminator_loss(real_logits, fake_logits) / 2
                total += logs[f"discriminator_{k}_loss"]
                accuracies = losses.discriminator_accuracies(real_logits, fake_logits)
                logs |= {f"{name}_{k}": share for name, share in accuracies.items()}
        return {"discriminator_loss": total, **logs, **self.minimize("discriminator", total, tape)}

    def update_generator(self, conditions, latents):
        total, logs = 0.0, {}
        with tf.GradientTape() as tape:
            for k in self.levels:
                fake = self._generated(k, latents, conditions)
                fake_logits = _call(self.discriminators[k], fake, conditions[k], training=True)
                logs[f"generator_{k}_loss"] = losses.non_saturating_generator_loss(fake_logits)
                total += logs[f"generator_{k}_loss"]
        return {"generator_loss": total, **logs, **self.minimize("generator", total, tape)}

    def _generated(self, k, latents, conditions):
        return _call(self.generators[k], latents[k], conditions[k], training=True)

    def _classes(self, labels):
        return [tf.one_hot(labels, self.num_classes)] if self.conditional else []

    # Sampling.

    def generate(self, latents, labels):
        return self.generate_chain(latents, labels)[-1]

    def generate_chain(self, latents, labels):
        """The images of all levels, from the coarsest, which a latent vector makes, to the finest.

        Args:
            latents: a list with the latents of each level, finest first, of the shapes in `prior`.
            labels: int32 `[n]`; ignored by a model without classes.

        Returns:
            A list of float32 `[n, height, width, channels]`, coarse to fine, in [-1, 1] or a little beyond.

        Raises:
            InputError: the latents have other shapes.
        """
        wanted = [tuple(prior.batch_shape) for prior in self.prior]
        received = [tuple(part.shape[1:]) for part in tf.nest.flatten(latents)]
        if received != wanted:
            raise InputError(f"Latents must have one row each of the shapes {wanted}. Received: {received}")
        return self.sampler([*latents, *self._classes(labels)], training=False)

    def sample_chain(self, seeds, labels=None):
        """The chain of images that ends in what `sample` gives for the same seeds and labels.

        Takes what `sample` takes and raises what it raises.

        Returns:
            A list of float32 arrays `[n, height, width, channels]` in [0, 1], coarse to fine.
        """
        return [images.numpy() for images in self._chain_graph(*self._rows(seeds, labels))]

    @tf.function(autograph=False, reduce_retracing=True)
    def _chain_graph(self, seed, label):
        chain = self.generate_chain(self.latents_of(seed), self._labels(seed, label))
        return [self._to_samples(images) for images in chain]

    def score(self, data, labels):
        """The sum of all levels' logits: each is the log odds of h_k given l_k, so the sum is that of the image."""
        classes = self._classes(labels)
        return tf.reduce_sum(_call(self.discriminator, data, classes, training=False), axis=-1)

    # Assembling levels that were trained separately.

    @classmethod
    def assemble(cls, parts):
        """One model from levels that were trained separately.

        Args:
            parts: models, each of which contributes the levels that it trained; every level must be there once.

        Returns:
            A `LAPGAN` with their networks and averages, not compiled; its `step`, `class_names` and `label_counts` are
            those of the longest training.

        Raises:
            InputError: the models have different pyramids, or a level is missing or present twice.
        """
        configs = [part.get_config() for part in parts]
        for name in ("data_shape", "sizes", "num_classes", "latent_size", "ema_decay"):
            values = [config[name] for config in configs]
            if any(value != values[0] for value in values):
                received = ", ".join(map(str, values))
                raise InputError(f"Levels need models with the same `{name}` to fit together. Received: {received}")
        lenders = sorted((level, lender) for lender, part in enumerate(parts) for level in part.levels)
        if not parts or [level for level, _ in lenders] != list(range(parts[0].depth)):
            received = " and ".join(str(list(part.levels)) for part in parts) or "of no models"
            raise InputError(f"Every level must have been trained by one of the models. Received: levels {received}")
        config = configs[0]
        for role in ("generators", "discriminators"):
            config = {**config, role: [configs[lender][role][level] for level, lender in lenders]}
        whole = cls.from_config({**config, "levels": None})
        for level, lender in lenders:
            for mine, theirs in zip(whole._networks_at(level), parts[lender]._networks_at(level), strict=True):
                mine.set_weights(theirs.get_weights())
        longest = max(parts, key=lambda part: part.step)
        whole.step_counter.assign(longest.step)
        whole.class_names = longest.class_names
        if whole.label_counts is not None:
            whole.label_counts.assign(longest.label_counts)
        return whole

    def _networks_at(self, level):
        generator = self.generators[level]
        return generator, self.discriminators[level], self.sampler.get_layer(generator.name)
