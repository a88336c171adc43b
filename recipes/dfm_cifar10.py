"""DFM on CIFAR-10 with the author's best networks; with `--denoise_weight 0` the baseline without the denoiser's term.

Paper      Warde-Farley & Bengio 2017, https://openreview.net/forum?id=S1X7nhsxl
Published  Inception Score 7.72 +/- 0.13, of 10 x 5,000 samples; we know of no score for the baseline on these data
Ours       not scored yet
Command    zoo train dfm_cifar10
Time       not measured yet

The networks are those of difference 5 in zoo/models/dfm.py. As far as we know the paper, it states neither the batch
size nor, for these data, the number of epochs, and the authors have published no code. Here a batch has 128 rows, as in
DCGAN, and the recipe trains for 100 epochs. The model is trained on all 50,000 training images.
"""

from zoo import DFM, recipe


def main(
    run,
    *,
    data="cifar10",
    steps=39_100,
    batch_size=128,
    checkpoint_every=391,
    denoise_weight=0.03,
):
    dataset = run.data()
    with run.strategy.scope():
        model = DFM(dataset.data_shape, denoise_weight=denoise_weight, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train_and_validation)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
