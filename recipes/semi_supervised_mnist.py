"""Classifying MNIST from 20, 50, 100 or 200 labels with the networks and settings of the authors' code.

Paper      Salimans et al. 2016, https://arxiv.org/abs/1606.03498
Published  errors on the 10,000 test images, over 10 choices of the labels: 1677 +/- 452 from 20 labels, 221 +/- 136
           from 50, 93 +/- 6.5 from 100, 90 +/- 4.2 from 200
Ours       not scored yet
Command    zoo train semi_supervised_mnist
Time       not measured yet

A batch is 100 labelled rows, 100 that the discriminator takes for real, and 100 that the generator matches. As the
authors do, the recipe trains on all 60,000 images, those that other recipes keep for validation among them. Beside the
GAN's errors are those of its classifier alone, trained on the labelled rows.
"""

import keras
import numpy as np

from zoo import SemiSupervisedGAN, recipe
from zoo.data.semi_supervised import SemiSupervisedSplit
from zoo.layers import initialize_from_data
from zoo.models.semi_supervised_gan import dense_discriminator

INITIALISING = 500  # images that the weight normalisation starts from
BASELINE_STEPS = 3000  # after which the classifier has long fitted the labelled rows


def baseline_accuracy(model, rows, test):
    """The test accuracy of the model's classifier when it sees the labelled rows alone, in batches of 100."""
    network = dense_discriminator(model.data_shape, model.num_classes, model.discriminator_units, model.seed + 1)
    initialize_from_data(network, next(iter(rows.labelled.batches(INITIALISING)))["image"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(model.paper_optimizer("discriminator"), loss)
    batches = rows.labelled.stream(100, model.seed).map(lambda batch: (batch["image"], batch["label"]))
    network.fit(batches, steps_per_epoch=BASELINE_STEPS, shuffle=False, verbose=0)  # the stream is; else Keras warns
    guesses = [network(batch["image"]).numpy().argmax(axis=-1) for batch in test.batches(500)]
    return float(np.mean(np.concatenate(guesses) == test.labels))


def main(
    run,
    *,
    data="mnist",
    steps=300 * 600,
    batch_size=300,
    checkpoint_every=600,
    labels=100,
):
    dataset, seed = run.data(), run.flags.seed
    everything = dataset.train_and_validation
    rows = SemiSupervisedSplit(everything, labels, dataset.num_classes, seed)
    with run.strategy.scope():
        model = SemiSupervisedGAN(dataset.data_shape, num_classes=dataset.num_classes, seed=seed)
        model.initialize_from(everything.images[:INITIALISING])
        model.compile(**run.compile_settings)
    run.fit(model, rows)
    score = model.test_score(dataset) | {"labels": labels}
    baseline = {**score, "score": "test accuracy from the labelled rows alone"}
    baseline["value"] = baseline_accuracy(model, rows, dataset.test)
    for accuracy in (score, baseline):
        errors = round((1 - accuracy["value"]) * accuracy["n_real"])
        print(f"{accuracy['score']}: {accuracy['value']:.2%}, {errors} errors of {accuracy['n_real']}")
    run.export(model, dataset, scores=[score, baseline])


if __name__ == "__main__":
    recipe.run(main)
