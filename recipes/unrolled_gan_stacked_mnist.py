"""Unrolled GAN on stacked MNIST: how many of the 1,000 combinations of three digits the samples reach.

Paper      Metz et al. 2017, https://arxiv.org/abs/1611.02163
Published  modes 236.4 +/- 63.30 and reverse KL 4.67 +/- 0.43 nats with K = 5; modes 30.6 +/- 20.73 and reverse KL 5.99
           +/- 0.42 nats with K = 0; the discriminator is a quarter as wide as the generator
Ours       not scored yet
Command    zoo train unrolled_gan_stacked_mnist

The networks, optimisers and batches are those of Lin et al. (2017, "PacGAN"), whose code at
https://github.com/fjxmlzn/PacGAN repeats the experiment without unrolling. That code makes 500,000 updates and stacks
new digits for every batch. Here there are 50,000 updates, on 54,000 images that are stacked once. As in both papers, a
classifier reads the digits of the samples; here it is `classifier-mnist`, which ships with the zoo.
"""

import numpy as np

from zoo import UnrolledGAN, metrics, optimizers, recipe
from zoo.data import stacked
from zoo.features.classifier import ClassifierFeatures


def digits_in(images, classifier):
    """The digit that the classifier sees in each channel, `[n, 3]`, of images in [0, 1]."""
    channels = np.moveaxis(images, -1, 0)[..., None]
    return np.stack([classifier(channel).probabilities.argmax(axis=1) for channel in channels], axis=1)


def main(
    run,
    *,
    data="stacked_mnist",
    steps=50_000,
    batch_size=128,
    checkpoint_every=1000,
    unrolled_steps=5,
    filters=2,  # of the discriminator: a quarter of the generator's; 4 make it half as wide
    samples=25_600,
):
    dataset = run.data()
    stacked.require(dataset)
    classifier = ClassifierFeatures(dataset.name.removeprefix(stacked.PREFIX))
    digits_in(dataset.test.images[:1] / 255, classifier)  # refuses images of another size before the training
    with run.strategy.scope():
        model = UnrolledGAN(dataset.data_shape, unrolled_steps=unrolled_steps, filters=filters, seed=run.flags.seed)
        model.compile(
            generator_optimizer=optimizers.adam(1e-4, beta_1=0.5, beta_2=0.99),
            discriminator_optimizer=optimizers.adam(2e-4, beta_1=0.5, beta_2=0.99),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    found = metrics.stacked_modes(digits_in(model.sample(samples), classifier))
    print(f"K = {unrolled_steps}: {found['modes']} of 1,000 modes, reverse KL {found['reverse_kl']:.2f} nats")
    counted = {"features": classifier.name, "features_sha256": classifier.sha256, "n_fake": samples}
    scores = {"modes": found["modes"], "reverse KL (nats)": found["reverse_kl"]}
    run.export(model, dataset, scores=[{"score": name, "value": value, **counted} for name, value in scores.items()])


if __name__ == "__main__":
    recipe.run(main)
