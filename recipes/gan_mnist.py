"""GAN on MNIST with the networks and settings of the authors' code.

Paper      Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661
Published  Parzen log-likelihood 225 +/- 2 nats
Ours       not scored yet
Command    zoo train gan_mnist
Time       not measured yet
"""

from zoo import GAN, recipe


def main(
    run,
    *,
    data="mnist",
    steps=50_000,
    batch_size=100,
    checkpoint_every=500,
):
    dataset = run.data()
    with run.strategy.scope():
        model = GAN(dataset.data_shape, seed=run.flags.seed)
        model.match_marginals(dataset.train.images)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
