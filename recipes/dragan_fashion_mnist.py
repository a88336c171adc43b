"""DRAGAN on Fashion-MNIST with DCGAN's networks, its settings otherwise.

Paper      Kodali et al. 2017, https://arxiv.org/abs/1705.07215
Published  nothing on these data
Ours       not scored yet
Command    zoo train dragan_fashion_mnist
Time       not measured yet
"""

from zoo import DRAGAN, recipe

FILTERS = 64  # as in dcgan_fashion_mnist


def main(run):
    data = run.data()
    with run.strategy.scope():
        model = DRAGAN(data.data_shape, filters=FILTERS, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=3000, batch_size=64, checkpoint_every=300)
