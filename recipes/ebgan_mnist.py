"""EBGAN on MNIST with the networks, the margin and the optimisers of the paper's study of margins.

The batch size, the number of steps and the choice of 54,000 images are ours.

Paper      Zhao et al. 2017, https://arxiv.org/abs/1609.03126
Published  samples, and histograms of a score over a grid of 512 settings, but no number
Ours       not scored yet
Command    zoo train ebgan_mnist
Time       not measured yet
"""

from zoo import EBGAN, recipe


def main(
    run,
    *,
    data="mnist",
    steps=10_000,
    batch_size=128,
    checkpoint_every=500,
):
    dataset = run.data()
    with run.strategy.scope():
        model = EBGAN(dataset.data_shape, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
