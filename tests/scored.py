"""What tests score, and what they score it with: digits, an extractor without weights, models that discriminate."""

import numpy as np
import saved_models
import tensorflow as tf

from zoo import data
from zoo.artefacts.catalogue import load
from zoo.features import Features

DIGITS = data.load("digits")
TRAIN, VALIDATION, TEST = (split.images / np.float32(255) for split in (DIGITS.train, DIGITS.validation, DIGITS.test))
UNSEEN = np.concatenate([VALIDATION, TEST])
ON_FEATURES = ["inception_score", "frechet_distance", "precision_recall", "two_sample_accuracy"]


def rows_of(images):
    """A source in which seed s gives row s of `images`, modulo their number."""
    return lambda seeds: images[seeds % len(images)]


def noise(seeds):
    return np.random.default_rng(seeds[0]).random((len(seeds), 16, 16, 1), np.float32)


class Blocks:
    """The means of 16 blocks of 4x4 pixels, and ten classes that depend on them."""

    name = "blocks"
    sha256 = "b" * 64
    dimensions = 16
    score_names = {  # noqa: RUF012
        "inception_score": "block score",
        "frechet_distance": "Fréchet block distance",
        "kernel_distance": "kernel block distance",
    }

    def __init__(self):
        self.batches = []

    def __call__(self, images):
        self.batches.append(len(images))
        features = images.reshape(len(images), 4, 4, 4, 4).mean(axis=(2, 4)).reshape(len(images), 16)
        kernel = np.random.default_rng(0).normal(size=(16, 10)).astype(np.float32)
        logits = 20 * np.einsum("nd,dc->nc", features, kernel)  # unlike `@`, gives a row the same result in any batch
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Features(features, exponentials / exponentials.sum(axis=1, keepdims=True))


def save_fighter(artefact, sampled, judged, **card):
    """Saves a model of constant images, `sampled` bright; its discriminator scores the mean brightness by `judged`."""
    module = tf.Module()
    module.one = tf.Variable(1.0)
    image = [tf.TensorSpec([None, 16, 16, 1], name="image"), tf.TensorSpec([None], tf.int32, name="label")]
    module.sample = tf.function(
        lambda seed, label: {"samples": tf.fill([tf.size(seed), 16, 16, 1], sampled) * module.one},
        input_signature=saved_models.SAMPLING,
    )
    signatures = {"serving_default": module.sample}
    if judged:
        signatures["discriminate"] = module.discriminate = tf.function(
            lambda image, label: {"score": judged(tf.reduce_mean(image, axis=[1, 2, 3])) * module.one},
            input_signature=image,
        )
    tf.saved_model.save(module, str(artefact / "1"), signatures=signatures)
    saved_models.write_card(artefact, **({"data_shape": [16, 16, 1], "num_classes": None} | card))
    return load(artefact)
