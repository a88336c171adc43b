"""f-GAN on MNIST with the Kullback-Leibler divergence and the settings of the paper, as remembered.

Other divergences: change DIVERGENCE. The paper trained for an hour on a GPU; the number of steps is ours.

Paper      Nowozin et al. 2016, https://arxiv.org/abs/1606.00709
Published  Parzen log-likelihood 416 +/- 5.62 nats, of 16,000 samples, as remembered
Ours       not scored yet
Command    zoo train fgan_mnist
Time       not measured yet
"""

from zoo import FGAN, recipe

DIVERGENCE = "kullback_leibler"


def main(run):
    data = run.data()
    with run.strategy.scope():
        model = FGAN(data.data_shape, divergence=DIVERGENCE, alternative_objective=True, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="mnist", steps=5000, batch_size=4096, checkpoint_every=250)
