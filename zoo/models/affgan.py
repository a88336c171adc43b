"""Amortised MAP Inference for Image Super-resolution. C. K. Sønderby, J. Caballero, L. Theis, W. Shi, F. Huszár. 2017.
https://arxiv.org/abs/1610.04490

A network f enlarges a small image x. Its output is projected onto the images that shrink back to x,
y = f(x) + A+ (x - A f(x)), with A the shrinking and A+ its pseudo-inverse. All that is left to learn is to make y a
likely image, by minimising the cross-entropy H[q, p] of the outputs q under the data p.

AffGAN learns this from a discriminator, which gives an estimate of KL[q || p]:
Discriminator: minimise -E log D(y) - E log(1 - D(f's y)), with instance noise N(0, sigma^2) on both data and outputs.
Generator: minimise E log((1 - D) / D) at f's y, which is -E logit D.
AffDG learns it from a denoiser r of data with noise of a fixed sigma, as (r(y) - y) / sigma^2 estimates d log p / dy:
Denoiser: minimise E ||r(y + noise) - y||^2.
Generator: climb along that gradient, by minimising E ||y - r(y)||^2 / (2 sigma^2) at f's y with r(y) fixed.
SoftGAN and SoftDG, chosen by `consistency_weight`, do not project; they add this weight times E |x - A y| to the
generator's loss.

Differences from the paper, which was read without its appendix: networks, optimiser, noise and A itself are our choice.
1. Eq. 10 as printed has the opposite sign of the KL divergence; here the divergence is minimised.
2. A is TensorFlow's antialiased Gaussian resizing, whose weights are positive, so that small images stay in [0, 1]. Its
   pseudo-inverse is one matrix per axis, found numerically by a singular value decomposition and exact up to the
   image's border; the paper fits the kernel of a transposed convolution.
3. The small images of a step are its data, shrunk; the losses do not compare the two pair by pair.
4. The denoiser's squared errors, and hence AffDG's gradients, are means over the pixels. Adam all but cancels this
   factor.
5. The denoiser is trained together with the generator, and is updated first.
6. The generator draws no noise: each small image has one enlargement.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from zoo import losses, networks, optimizers, priors
from zoo.artefacts.signatures import IMAGE, SAMPLES, SUPER_RESOLVE, rows
from zoo.errors import InputError, require_non_negative, require_positive, require_positive_number
from zoo.model import GenerativeModel


class Downsampling:
    """A, which shrinks data, and its pseudo-inverse A+, in float64: accelerators round the factors of float32 products.

    Args:
        data_shape: `(height, width, channels)`, or `(size,)` of a vector, whose neighbouring entries are averaged.
        factor: the whole number by which each side is divided.

    Attributes:
        low_shape: the shape of the shrunk data.

    Raises:
        InputError: `factor` does not divide a side.
    """

    def __init__(self, data_shape, factor):
        sides, channels = data_shape[:2], data_shape[2:]
        if any(side % factor for side in sides):
            raise InputError(
                f"Super-resolution by {factor} needs sides that {factor} divides. Received: data_shape={data_shape}"
            )
        self.low_shape = (*(side // factor for side in sides), *channels)
        self._product = "aA,bB,nABc->nabc" if channels else "aA,nA->na"
        self._matrices = [downsampling_matrix(side, factor) for side in sides]
        self._inverses = [np.linalg.pinv(matrix) for matrix in self._matrices]

    def __call__(self, data):
        """A y: `(batch, *low_shape)` from `(batch, *data_shape)`."""
        return self._multiplied(self._matrices, data)

    def inverse(self, low):
        """A+ x, the data of least norm that shrink to x: `(batch, *data_shape)` from `(batch, *low_shape)`."""
        return self._multiplied(self._inverses, low)

    def project(self, data, low):
        """(I - A+ A) y + A+ x, the data nearest to y among those that shrink to x: float32 `(batch, *data_shape)`."""
        data, low = tf.cast(data, tf.float64), tf.cast(low, tf.float64)
        return tf.cast(data + self.inverse(low - self(data)), tf.float32)

    def _multiplied(self, matrices, data):
        product = tf.einsum(self._product, *(tf.constant(matrix) for matrix in matrices), tf.cast(data, tf.float64))
        return tf.cast(product, data.dtype)


def downsampling_matrix(side, factor):
    """The matrix of Gaussian, antialiased `tf.image.resize` along an axis: float64 `[side / factor, side]`."""
    units = tf.eye(side)[:, :, None, None]  # columns one pixel wide, each of which gives a column of the matrix
    shrunk = tf.image.resize(units, (side // factor, 1), "gaussian", antialias=True)
    matrix = shrunk[:, :, 0, 0].numpy().T.astype(np.float64)
    return matrix / matrix.sum(axis=1, keepdims=True)  # in float32, rounding makes the sums of rows differ from 1


def kl_generator_loss(fake_logits):
    """E log((1 - D) / D) = -E logit D, which is KL[q || p] if D is optimal (eq. 10, sign corrected): a scalar."""
    return -tf.reduce_mean(tf.cast(fake_logits, tf.float32))


class SuperResolver(GenerativeModel):
    """What AffGAN and AffDG share: projected outputs, and a bank of images whose shrunk forms `sample` enlarges.

    The bank is `reference`. `take_reference` sets it, for example to held-out images; otherwise `fit` fills it with its
    first rows. Sampling with seed s enlarges the bank's row s modulo `bank_size`.

    Args:
        data_shape: `(height, width, channels)`, or `(size,)` with networks of your own.
        factor: how many times larger a side of the output is.
        generator: your own, from `(batch, *low_shape)` to `(batch, *data_shape)`, both scaled to [-1, 1].
        generator_filters: channels of the generator's maps.
        generator_blocks: how many residual blocks the generator has.
        consistency_weight: the weight of E |x - A y|, which then replaces the projection; `None` to project.
        bank_size: how many images the bank holds.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.
    """

    def __init__(
        self,
        data_shape,
        *,
        factor=4,
        generator=None,
        generator_filters=64,
        generator_blocks=8,
        consistency_weight=None,
        bank_size=64,
        **kwargs,
    ):
        super().__init__(data_shape, **kwargs)
        require_positive(factor=factor, bank_size=bank_size)
        require_positive(generator_filters=generator_filters, generator_blocks=generator_blocks)
        if consistency_weight is not None:
            require_non_negative(consistency_weight=consistency_weight)
        self.factor = factor
        self.generator_filters = generator_filters
        self.generator_blocks = generator_blocks
        self.consistency_weight = consistency_weight
        self.bank_size = bank_size
        self.downsampling = Downsampling(self.data_shape, factor)
        self.add_reference(bank_size)
        low_shape = self.downsampling.low_shape
        generator = generator or networks.residual_enlarger(
            low_shape, factor, generator_filters, generator_blocks, self.seed, "generator"
        )
        self.generator = self.checked("generator", generator, [low_shape], self.data_shape)
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0001 and a first momentum of 0.5 for both players."""
        return optimizers.adam(1e-4, beta_1=0.5)

    def enlarge(self, network, low, training):
        """A network's y for x, float32 `(batch, *data_shape)`: projected, unless consistency is a penalty instead."""
        data = tf.cast(network(low, training=training), tf.float32)
        return data if self.consistency_weight is not None else self.downsampling.project(data, low)

    def penalty(self, fake, low):
        """`consistency_weight` E |x - A y|, or 0 where outputs are projected: a float32 scalar."""
        if self.consistency_weight is None:
            return 0.0
        return self.consistency_weight * tf.reduce_mean(tf.abs(low - self.downsampling(fake)))

    def noise(self, data, purpose):
        """The step's standard normal draw for a purpose, in the shape of data."""
        return priors.normal(1).quantile(self.draw_uniform(data, self.data_shape, purpose))

    def latents_of(self, seed):
        return self.downsampling(tf.gather(self.reference.value, seed % self.bank_size))

    def generate(self, latents, labels):
        return self.enlarge(self.sampler, latents, training=False)

    def downsample(self, images):
        """A y of images `[n, *data_shape]`, floats in [0, 1] or uint8: float32 array `[n, *low_shape]` in [0, 1]."""
        return self.downsampling(self.given(images, self.data_shape)).numpy()

    def super_resolve(self, images):
        """The enlargements of small images.

        Args:
            images: `[n, *low_shape]`, images as floats in [0, 1] or uint8.

        Returns:
            float32 array `[n, *data_shape]`, not clipped: values may leave [0, 1], unlike those of `sample`, so that
            `downsample` gives `images` back to within 1e-5.

        Raises:
            InputError: the images have another shape or range.
        """
        return self._super_resolve_graph(self.given(images, self.downsampling.low_shape)).numpy()

    def compare(self, images):
        """From images (not vectors) as `downsample` takes them to four float32 arrays, clipped to [0, 1].

        They are the images shrunk, enlarged again by bicubic interpolation, enlarged again by the model, and as given.
        """
        small = self.downsample(images)
        bicubic = tf.image.resize(small, self.data_shape[:2], "bicubic").numpy()
        stages = [small, bicubic, self.super_resolve(small), self.given(images, self.data_shape).numpy()]
        return [stage.clip(0, 1) for stage in stages]

    @tf.function(autograph=False, reduce_retracing=True)
    def _super_resolve_graph(self, image):
        return self.super_resolve_signature(image)[SAMPLES]

    def super_resolve_signature(self, image):
        """From `image` float32 [n, *low_shape] in [0, 1] to `samples` [n, *data_shape], which are not clipped."""
        low = self._from_unit(image) if self.is_image else image
        return {SAMPLES: self._to_unit(self.generate(low, labels=None))}

    def signatures(self):
        """The signatures of every model, and `super_resolve`."""
        low = rows(IMAGE, *self.downsampling.low_shape)
        return {**super().signatures(), SUPER_RESOLVE: (self.super_resolve_signature, [low])}


@keras.saving.register_keras_serializable("zoo")
class AffGAN(SuperResolver):
    """Super-resolution that learns from a discriminator of its outputs; SoftGAN with `consistency_weight`.

    Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)`, with sides that `factor` divides and `networks.dcgan_stages` halves.
        discriminator: your own, from `(batch, *data_shape)` in [-1, 1] to logits `(batch, 1)`.
        discriminator_filters: channels of the discriminator's map next to the image.
        noise_stddev: sigma of the instance noise at the first step, for data scaled to [-1, 1].
        noise_steps: the number of steps over which sigma falls linearly to 0.
        **kwargs: `factor`, `generator`, `generator_filters`, `generator_blocks`, `consistency_weight`, `bank_size`,
            `seed`, `ema_decay` and `name`, as in `SuperResolver`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = AffGAN(data_shape=(32, 32, 3))
        model.compile()
        model.fit(zoo.data.load("cifar10").train.stream(batch_size=64), steps_per_epoch=700, epochs=30)
    """

    def __init__(
        self,
        data_shape,
        *,
        discriminator=None,
        discriminator_filters=64,
        noise_stddev=0.3,
        noise_steps=20_000,
        **kwargs,
    ):
        super().__init__(data_shape, **kwargs)
        require_positive(discriminator_filters=discriminator_filters, noise_steps=noise_steps)
        require_non_negative(noise_stddev=noise_stddev)
        self.discriminator_filters = discriminator_filters
        self.noise_stddev = noise_stddev
        self.noise_steps = noise_steps
        discriminator = discriminator or networks.dcgan_discriminator(
            self.data_shape, discriminator_filters, self.seed + 2
        )
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (1,))

    def train_step(self, batch):
        """One discriminator update, then one generator update."""
        real = self.real_data(batch)
        low = self.downsampling(real)
        return self.update_discriminator(real, low) | self.update_generator(low)

    def update_discriminator(self, real, low):
        fake = self.enlarge(self.generator, low, training=True)
        with tf.GradientTape() as tape:
            # Separate calls, so that batch normalisation never mixes real and fake statistics.
            real_logits = self.discriminator(self.noisy(real, "real"), training=True)
            fake_logits = self.discriminator(self.noisy(fake, "fake"), training=True)
            loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits)
        norms = self.minimize("discriminator", loss, tape)
        return {"discriminator_loss": loss, **losses.discriminator_accuracies(real_logits, fake_logits), **norms}

    def update_generator(self, low):
        with tf.GradientTape() as tape:
            fake = self.enlarge(self.generator, low, training=True)
            fake_logits = self.discriminator(self.noisy(fake, "generator"), training=True)
            loss = kl_generator_loss(fake_logits) + self.penalty(fake, low)
        error = tf.reduce_mean((low - self.downsampling(fake)) ** 2)
        norms = self.minimize("generator", loss, tape)
        return {"generator_loss": loss, "consistency_error": error, **norms}

    def noisy(self, data, purpose):
        """Data with the step's instance noise: float32 `(batch, *data_shape)`."""
        left = 1 - tf.cast(self.step_counter.value, tf.float32) / self.noise_steps
        return data + self.noise_stddev * tf.maximum(left, 0.0) * self.noise(data, purpose)


@keras.saving.register_keras_serializable("zoo")
class AffDG(SuperResolver):
    """Super-resolution that climbs the log density of data as a denoiser estimates it; SoftDG with a penalty.

    Args:
        data_shape: `(height, width, channels)`, with sides that `factor` divides.
        denoiser: your own, from `(batch, *data_shape)` to `(batch, *data_shape)`, both scaled to [-1, 1].
        denoiser_filters: channels of the denoiser's maps.
        denoiser_blocks: how many residual blocks the denoiser has.
        noise_stddev: sigma of the noise on the denoiser's inputs, for data scaled to [-1, 1].
        **kwargs: `factor`, `generator`, `generator_filters`, `generator_blocks`, `consistency_weight`, `bank_size`,
            `seed`, `ema_decay` and `name`, as in `SuperResolver`.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.
    """

    players = ("generator", "denoiser")
    decision_boundary = None

    def __init__(
        self, data_shape, *, denoiser=None, denoiser_filters=64, denoiser_blocks=4, noise_stddev=0.3, **kwargs
    ):
        super().__init__(data_shape, **kwargs)
        require_positive(denoiser_filters=denoiser_filters, denoiser_blocks=denoiser_blocks)
        require_positive_number(noise_stddev=noise_stddev)
        self.denoiser_filters = denoiser_filters
        self.denoiser_blocks = denoiser_blocks
        self.noise_stddev = noise_stddev
        denoiser = denoiser or networks.residual_enlarger(
            self.data_shape, 1, denoiser_filters, denoiser_blocks, self.seed + 2, "denoiser"
        )
        self.denoiser = self.checked("denoiser", denoiser, [self.data_shape], self.data_shape)

    def train_step(self, batch):
        """One denoiser update, then one generator update."""
        real = self.real_data(batch)
        return self.update_denoiser(real) | self.update_generator(self.downsampling(real))

    def update_denoiser(self, real):
        corrupted = real + self.noise_stddev * self.noise(real, "corruption")
        with tf.GradientTape() as tape:
            denoised = tf.cast(self.denoiser(corrupted, training=True), tf.float32)
            loss = tf.reduce_mean((denoised - real) ** 2)
        return {"denoiser_loss": loss, **self.minimize("denoiser", loss, tape)}

    def update_generator(self, low):
        with tf.GradientTape() as tape:
            fake = self.enlarge(self.generator, low, training=True)
            denoised = tf.stop_gradient(tf.cast(self.denoiser(fake, training=False), tf.float32))
            climb = tf.reduce_mean((fake - denoised) ** 2) / (2 * self.noise_stddev**2)
            loss = climb + self.penalty(fake, low)
        error = tf.reduce_mean((low - self.downsampling(fake)) ** 2)
        norms = self.minimize("generator", loss, tape)
        return {"generator_loss": loss, "consistency_error": error, **norms}

    def score(self, data, labels):
        """Minus the mean squared distance between data and their denoised form: 0 at a mode of the learnt density."""
        distance = tf.cast(self.denoiser(data, training=False), tf.float32) - data
        return -tf.reduce_mean(distance**2, axis=range(1, data.shape.rank))
