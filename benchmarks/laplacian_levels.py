"""Shows which level of a LAPGAN loses quality or variety, by starting its samples from real images of each size.

`python benchmarks/laplacian_levels.py lapgan-fashion_mnist` starts the chain from the latent vector, as for samples,
and then from real training images shrunk to each size of the pyramid. It scores the full-size results against those
images. The difference between two successive rows is due to the level between them.
"""

import argparse

import numpy as np
import tensorflow as tf

import zoo
from zoo import metrics, pyramid
from zoo.features import ClassifierFeatures

ROWS = 500  # in memory at a time


def enlarged(model, image, classes, latents, level):
    """What the levels finer than `level` make from images of its size: float32 `[n, *data_shape]` in [0, 1]."""
    for k in reversed(range(level)):
        network = model.sampler.get_layer(model.generators[k].name)
        low_pass = pyramid.resize(image, model.sizes[k])
        image = low_pass + tf.cast(network([latents[k], low_pass, *classes], training=False), tf.float32)
    return np.clip((image.numpy() + 1) / 2, 0, 1)


def outcomes(model, images, labels):
    """A dict from the start of the chain, in words, to the resulting images at full size."""
    classes = [tf.one_hot(labels, model.num_classes)] if model.conditional else []
    found = {}
    for first in range(0, len(images), ROWS):
        rows = slice(first, first + ROWS)
        image, told = tf.constant(2 * images[rows] - 1), [part[rows] for part in classes]
        latents = model.latents_of(tf.range(first, first + len(image), dtype=tf.int64))
        sampled = model.generate(latents, tf.constant(labels[rows]))
        parts = {"the latent vector": np.clip((sampled.numpy() + 1) / 2, 0, 1)}
        for level, size in reversed(list(enumerate(model.sizes[1:], 1))):
            shrunk = image
            for finer in model.sizes[1 : level + 1]:
                shrunk = pyramid.resize(shrunk, finer)
            name = f"real images of {size[0]}x{size[1]}"
            parts[name] = enlarged(model, shrunk, told, latents, level)
        for name, part in parts.items():
            found.setdefault(name, []).append(part)
    return {name: np.concatenate(part) for name, part in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a name from `zoo list`, or the path of a SavedModel or a workdir")
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--samples", type=int, default=3000)
    arguments = parser.parse_args()
    train = zoo.data.load(arguments.data).train
    images = train.images[: arguments.samples].astype(np.float32) / 255
    model, extractor = zoo.restore(arguments.model), ClassifierFeatures(arguments.data)
    real = extractor(images).features
    print(f"{'started from':24}{'Fréchet classifier distance':>29}{'precision':>11}{'recall':>8}")
    for name, samples in outcomes(model, images, train.labels[: arguments.samples]).items():
        features = extractor(np.rint(samples * 255) / np.float32(255)).features
        near = metrics.precision_recall(real, features)
        distance = metrics.frechet_distance(real, features)
        print(f"{name:24}{distance:29.2f}{near['precision']:11.3f}{near['recall']:8.3f}")


if __name__ == "__main__":
    main()
