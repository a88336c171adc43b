"""Unrolled GAN on stacked MNIST: how many of the 1,000 combinations of three digits the samples reach.

Paper      Metz et al. 2017, https://arxiv.org/abs/1611.02163
Published  modes 236.4 +/- 63.30 and reverse KL 4.67 +/- 0.43 nats with K = 5; modes 30.6 +/- 20.73 and reverse KL 5.99
           +/- 0.42 nats with K = 0; the discriminator is a quarter as wide as the generator
Ours       not scored yet
Command    zoo train unrolled_gan_stacked_mnist

The networks, optimisers and batches are those of Lin et al. (2017, "PacGAN"), whose code at
https://github.com/fjxmlzn/PacGAN repeats the experiment without unrolling; it makes 500,000 updates, which take hours,
and stacks other digits in every batch. Here the model is trained on 54,000 stacked images. The samples' digits are
counted by the classifier of the data that ships with the zoo, as the classifiers of the two papers do.
"""

import numpy as np

from zoo import UnrolledGAN, metrics, optimizers, recipe
from zoo.data.stacked import stacked
from zoo.features.classifier import ClassifierFeatures


def digits_in(samples, dataset):
    """The digit that the classifier of `dataset` sees in each channel, `[n, 3]`."""
    classify = ClassifierFeatures(dataset)
    channels = np.moveaxis(samples, -1, 0)[..., None]
    return np.stack([classify(channel).probabilities.argmax(axis=1) for channel in channels], axis=1)


def main(
    run,
    *,
    data="mnist",
    steps=50_000,
    batch_size=128,
    checkpoint_every=1000,
    unrolled_steps=5,
    filters=2,  # of the discriminator: a quarter of the generator's; 4 make it half as wide
    samples=25_600,
):
    dataset = stacked(run.data())
    with run.strategy.scope():
        model = UnrolledGAN(dataset.data_shape, unrolled_steps=unrolled_steps, filters=filters, seed=run.flags.seed)
        model.compile(
            generator_optimizer=optimizers.adam(1e-4, beta_1=0.5, beta_2=0.99),
            discriminator_optimizer=optimizers.adam(2e-4, beta_1=0.5, beta_2=0.99),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    found = metrics.stacked_modes(digits_in(model.sample(samples), dataset.name))
    print(f"K = {unrolled_steps}: {found['modes']} of 1,000 modes, reverse KL {found['reverse_kl']:.2f} nats")
    scores = {"modes": found["modes"], "reverse KL (nats)": found["reverse_kl"]}
    run.export(
        model, dataset, scores=[{"score": name, "value": value, "n_fake": samples} for name, value in scores.items()]
    )


if __name__ == "__main__":
    recipe.run(main)
