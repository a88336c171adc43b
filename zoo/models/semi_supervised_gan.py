"""Improved Techniques for Training GANs. T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen. 2016.
https://arxiv.org/abs/1606.03498 (Sec. 5, semi-supervised learning)

The discriminator is a classifier of K classes and one more, that of generated data. So it also learns from data without
labels, which belong to one of the K classes. The generator matches the mean of the classifier's features.

With K logits l_k and 0 for the class K + 1, D(x) = Z(x) / (Z(x) + 1), where Z(x) = sum_k exp l_k(x).
Discriminator: minimise -E log p(y | x, y <= K) + 1/2 (-E log D(x) - E log(1 - D(G(z)))); the first term takes only x
with labels, the second all x.
Generator: minimise the mean over the features f of (E f(x) - E f(G(z)))^2, or of |E f(x) - E f(G(z))|, or, if the
discriminator has minibatch discrimination, E log(1 - D(G(z))).

With `consistency_weight` it is the semi-supervised learning of CT-GAN (Wei et al. 2018,
https://openreview.net/forum?id=SJx9GQb0-): the class probabilities of two passes of x, each with its own noise, are
drawn towards each other. In the authors' code for MNIST the weight is 0.1, the term is halved with the cross-entropy,
and all else is as here.

Differences from the paper. What it leaves open follows the authors' code, https://github.com/openai/improved-gan
(`mnist_svhn_cifar10`): networks, noise, the factor 1/2, the optimiser, the mean over the features, which the paper
sums, and the three objectives of the generator, for MNIST, for CIFAR-10 and SVHN, and for minibatch discrimination.
1. The classifier's average starts from its first weights and moves faster at first; the code's starts from 0.
2. Samples are drawn with the running averages of the batch statistics, which see both players' updates; the code draws
   no samples after training.
3. Each column of weights is divided by its norm; in the generator's last layer the code adds 1e-6 to the squared norm.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from zoo import losses, networks, priors
from zoo.artefacts.signatures import CLASSIFY, LABEL, PROBABILITIES
from zoo.classifying import Classifying
from zoo.errors import InputError, require_non_negative, require_positive
from zoo.layers import GlobalBatchNoise, WeightNormalization, initialize_from_data
from zoo.model import GenerativeModel
from zoo.optimizers import InnerEpsilonAdam

layers = keras.layers

INPUT_NOISE, HIDDEN_NOISE = 0.3, 0.5

OBJECTIVES = {  # of the generator: a function of the difference of mean features; None if it matches no features
    "squared_matching": tf.square,
    "absolute_matching": tf.abs,
    "minimax": None,
}


def dense_generator(data_shape, latent_size, units=500, seed=0):
    """Two layers of softplus units, whose batch normalisation does not scale, then a weight-normalised one.

    Args:
        data_shape: `(height, width, channels)`.
        latent_size: length of the latent vector.
        units: width of the two hidden layers.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [0, 1].
    """
    initializer = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))
    latents = x = keras.Input((latent_size,))
    for _ in range(2):
        x = layers.Dense(units, use_bias=False, kernel_initializer=initializer)(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-6, scale=False)(x)
        x = layers.Activation("softplus")(x)
    x = WeightNormalization(layers.Dense(math.prod(data_shape), kernel_initializer=initializer), deviation=None)(x)
    outputs = layers.Reshape(data_shape, dtype="float32")(layers.Activation("sigmoid", dtype="float32")(x))
    return keras.Model(latents, outputs, name="generator")


def dense_discriminator(data_shape, num_classes, units=(1000, 500, 250, 250, 250), seed=0):
    """Weight-normalised rectified layers with noise before each layer, then the logits of the classes.

    Args:
        data_shape: `(height, width, channels)`.
        num_classes: the number of logits.
        units: widths of the hidden layers.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [0, 1] to float32 logits `(batch, num_classes)`.
    """
    initializer = networks.normal(seed, deviation=0.1)
    images = keras.Input(data_shape)
    x = GlobalBatchNoise(INPUT_NOISE, seed=seed)(layers.Flatten()(images))
    for number, width in enumerate(units, start=1):
        x = WeightNormalization(layers.Dense(width, kernel_initializer=initializer), trainable_gain=False)(x)
        x = GlobalBatchNoise(HIDDEN_NOISE, seed=seed + number)(layers.ReLU()(x))
    logits = WeightNormalization(layers.Dense(num_classes, kernel_initializer=initializer, dtype="float32"))(x)
    return keras.Model(images, logits, name="discriminator")


@keras.saving.register_keras_serializable("zoo")
class SemiSupervisedGAN(Classifying, GenerativeModel):
    """A classifier that learns from a few labelled images, many unlabelled ones, and a generator's samples.

    A step's batch is three minibatches. From rows 0, 3, 6, ... the discriminator learns to classify, using only those
    with a label; rows 1, 4, 7, ... are its real data; rows 2, 5, 8, ... are those that the generator matches. The
    labels of the last two are ignored. `zoo.data.semi_supervised` streams such batches.

    Args:
        data_shape: `(height, width, channels)`, or any with networks of your own.
        num_classes: K.
        latent_size: length of the latent vector, uniform in [0, 1].
        generator: your own, from `(batch, latent_size)` to `(batch, *data_shape)`, images in `value_range`.
        discriminator: your own, from `(batch, *data_shape)`, images in `value_range`, to logits `(batch, num_classes)`:
            a functional model that ends in a `Dense` layer. That layer's inputs, before any noise, are the features.
        value_range: the lowest and the highest value of the images that your own networks emit and read.
        generator_units: width of the generator's hidden layers.
        discriminator_units: widths of the discriminator's hidden layers.
        objective: the generator's, a key of `OBJECTIVES`.
        generator_updates: the generator's updates per step; the code makes 3 with "minimax".
        unlabelled_weight: the weight of half the cross-entropy between data and samples.
        consistency_weight: the weight of the distance between two passes' class probabilities, which is added to that
            cross-entropy.
        classifier_decay: the decay of the running average of the discriminator's weights, which classifies.
        **kwargs: `seed`, `ema_decay` (of the generator) and `name`, as in `GenerativeModel`.

    Raises:
        InputError: a setting is out of its range, or a network has the wrong shapes or form.

    Example:
        digits = zoo.data.load("mnist")
        rows = zoo.data.semi_supervised.SemiSupervisedSplit(digits.train, count=100, num_classes=10)
        model = SemiSupervisedGAN(data_shape=(28, 28, 1), num_classes=10)
        model.initialize_from(digits.train.images[:500])
        model.compile()
        model.fit(rows.stream(batch_size=300), steps_per_epoch=600, epochs=300)
        model.accuracy(digits.test)
    """

    labels = "required"
    reads_unlabelled_rows = True
    minibatch_count = 3  # labelled, unlabelled, and unlabelled for the generator
    samples_by_label = False

    def __init__(
        self,
        data_shape,
        *,
        num_classes,
        latent_size=100,
        generator=None,
        discriminator=None,
        value_range=(0.0, 1.0),
        generator_units=500,
        discriminator_units=(1000, 500, 250, 250, 250),
        objective="squared_matching",
        generator_updates=1,
        unlabelled_weight=1.0,
        consistency_weight=0.0,
        classifier_decay=0.9999,
        **kwargs,
    ):
        super().__init__(data_shape, num_classes=num_classes, latent_size=latent_size, **kwargs)
        require_positive(generator_units=generator_units, generator_updates=generator_updates)
        require_non_negative(unlabelled_weight=unlabelled_weight, consistency_weight=consistency_weight)
        if not discriminator_units or min(discriminator_units) < 1:
            raise InputError(
                f"`discriminator_units` must be at least one positive width. Received: {discriminator_units}"
            )
        if not 0 < classifier_decay < 1:
            raise InputError(
                f"`classifier_decay` must lie between 0 and 1. Received: classifier_decay={classifier_decay}"
            )
        if objective not in list(OBJECTIVES):
            raise InputError(f"`objective` must be one of {', '.join(OBJECTIVES)}. Received: objective={objective!r}")
        self.value_range = tuple(value_range)
        self.objective = objective
        self.generator_updates = generator_updates
        self.generator_units = generator_units
        self.discriminator_units = tuple(discriminator_units)
        self.unlabelled_weight = unlabelled_weight
        self.consistency_weight = consistency_weight
        self.classifier_decay = classifier_decay
        self.prior = priors.box(latent_size, 0, 1)
        generator = generator or dense_generator(self.data_shape, latent_size, generator_units, self.seed)
        discriminator = discriminator or dense_discriminator(
            self.data_shape, num_classes, self.discriminator_units, self.seed + 1
        )
        self.generator = self.checked("generator", generator, [(latent_size,)], self.data_shape)
        self.discriminator = self.checked("discriminator", discriminator, [self.data_shape], (num_classes,))
        if OBJECTIVES[objective]:
            self.features_and_logits = networks.with_features(self.discriminator, before=(GlobalBatchNoise,))
        self.sampler = self.averaged(self.generator)
        self.classifier = self.averaged(self.discriminator, classifier_decay)

    def initialize_from(self, images):
        """Initialises weight normalisation and minibatch discrimination from data, before any training.

        Args:
            images: `[n, *data_shape]`, floats in [0, 1] or uint8; the authors' code takes 500.

        Raises:
            InputError: the images have another shape or range.
        """
        data = self.checked_data(images)
        initialize_from_data(self.generator, self.latents_of(tf.range(len(data), dtype=tf.int64)))
        initialize_from_data(self.discriminator, data)
        self.restart_averages()

    def paper_optimizer(self, player):
        """Adam with a rate of 0.003, a first momentum of 0.5 and epsilon under the square root, for both players."""
        return InnerEpsilonAdam(3e-3, beta_1=0.5)

    def train_step(self, batch):
        """One update of the discriminator, then the generator's updates, on other rows of the batch."""
        rows = self.real_data(batch), batch["label"]
        (labelled, labels), (real, _), (matched, _) = self.minibatches(rows, self.minibatch_count)
        logs = self.update_discriminator(labelled, labels, real, self.draw_latents(real, "discriminator"))
        for k in range(self.generator_updates):
            logs |= self.update_generator(matched, self.draw_latents(matched, f"generator {k}"))
        return logs

    def update_discriminator(self, labelled, labels, real, latents):
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            labelled_loss = losses.classification_loss(self.discriminator(labelled, training=True), labels)
            real_logits, fake_logits = (self.discriminator(data, training=True) for data in (real, fake))
            real_odds, fake_odds = losses.real_log_odds(real_logits), losses.real_log_odds(fake_logits)
            unlabelled_loss = losses.cross_entropy_discriminator_loss(real_odds, fake_odds)
            if self.consistency_weight:
                other_logits = self.discriminator(real, training=True)  # with its own noise
                unlabelled_loss += self.consistency_weight * losses.class_consistency(real_logits, other_logits)
            loss = labelled_loss + self.unlabelled_weight * unlabelled_loss / 2
        norms = self.minimize("discriminator", loss, tape)
        accuracies = losses.discriminator_accuracies(real_odds, fake_odds)
        return {"discriminator_loss": loss, "labelled_loss": labelled_loss, **accuracies, **norms}

    def update_generator(self, matched, latents):
        distance = OBJECTIVES[self.objective]
        if distance:
            real_features, _ = self.features_and_logits(matched, training=True)
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            if distance:
                fake_features, _ = self.features_and_logits(fake, training=True)
                loss = losses.feature_matching_loss(real_features, fake_features, distance)
            else:
                odds = losses.real_log_odds(self.discriminator(fake, training=True))
                loss = losses.saturating_generator_loss(odds)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}

    def score(self, data, labels):
        return losses.real_log_odds(self.discriminator(data, training=False))

    def classify_signature(self, image):
        """From `image` float32 [n, *data_shape] in [0, 1] to `probabilities` [n, num_classes] and `label` int32 [n]."""
        logits = self.classifier(self._from_unit(image), training=False)
        return {PROBABILITIES: tf.nn.softmax(logits), LABEL: tf.argmax(logits, axis=-1, output_type=tf.int32)}

    def signatures(self):
        return {**super().signatures(), CLASSIFY: self.classifying_signature()}
