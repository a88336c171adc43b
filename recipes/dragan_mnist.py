"""DRAGAN on MNIST with the perceptrons and the settings of the authors' notebook, images in [-1, 1] instead of [0, 1].

Paper      Kodali et al. 2017, https://arxiv.org/abs/1705.07215
Published  nothing comparable: the notebook's score is of a linear classifier of its own
Ours       not scored yet
Command    zoo train dragan_mnist
Time       not measured yet
"""

from zoo import DRAGAN, recipe
from zoo.models.dragan import notebook_discriminator, notebook_generator

LATENT_SIZE = 100


def main(run):
    data, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = DRAGAN(
            data.data_shape,
            latent_size=LATENT_SIZE,
            generator=notebook_generator(data.data_shape, LATENT_SIZE, seed=seed),
            discriminator=notebook_discriminator(data.data_shape, seed=seed + 1),
            seed=seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="mnist", steps=200_000, batch_size=128, checkpoint_every=2000)
