"""f-GAN on MNIST with the Kullback-Leibler divergence and the settings of the paper, as we remember them.

`--divergence` chooses another divergence. In the paper, the training took an hour on a GPU; the number of steps here is
our choice. The model is trained on 54,000 images; the other 6,000 serve to choose the width of the Parzen windows.

Paper      Nowozin et al. 2016, https://arxiv.org/abs/1606.00709
Published  Parzen log-likelihood 416 +/- 5.62 nats, of 16,000 samples, as remembered
Ours       not scored yet
Command    zoo train fgan_mnist
Time       not measured yet
"""

from zoo import FGAN, recipe


def main(
    run,
    *,
    data="mnist",
    steps=5000,
    batch_size=4096,
    checkpoint_every=250,
    divergence="kullback_leibler",
):
    dataset = run.data()
    with run.strategy.scope():
        model = FGAN(dataset.data_shape, divergence=divergence, alternative_objective=True, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
