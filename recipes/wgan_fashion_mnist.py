"""WGAN on Fashion-MNIST with DCGAN's networks, its settings otherwise.

Paper      Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875
Published  nothing on these data
Ours       not scored yet
Command    zoo train wgan_fashion_mnist
Time       not measured yet

Does the critic's estimate follow the quality of the samples? `--score_every 150` writes scores.jsonl; in metrics.jsonl
`wasserstein_estimate` is the mean over the ten steps up to the same one.
"""

from zoo import WGAN, recipe

FILTERS = 64  # as in dcgan_fashion_mnist


def main(run):
    data = run.data()
    with run.strategy.scope():
        model = WGAN(data.data_shape, filters=FILTERS, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=3000, batch_size=64, checkpoint_every=300)
