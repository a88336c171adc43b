"""DRAGAN on MNIST with the perceptrons and settings of the authors' notebook, but with images in [-1, 1], not [0, 1].

Paper      Kodali et al. 2017, https://arxiv.org/abs/1705.07215
Published  nothing comparable: the notebook's score comes from a linear classifier of its own
Ours       not scored yet
Command    zoo train dragan_mnist
Time       not measured yet

The model is trained on 54,000 images, the one in the notebook on 55,000.
"""

from zoo import DRAGAN, recipe
from zoo.models.dragan import notebook_discriminator, notebook_generator


def main(
    run,
    *,
    data="mnist",
    steps=200_000,
    batch_size=128,
    checkpoint_every=2000,
    latent_size=100,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = DRAGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=notebook_generator(dataset.data_shape, latent_size, seed=seed),
            discriminator=notebook_discriminator(dataset.data_shape, seed=seed + 1),
            seed=seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
