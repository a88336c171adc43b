"""DFM on CIFAR-10 with the paper's settings; with `--denoise_weight 0` the baseline without the denoiser's term.

Paper      Warde-Farley & Bengio 2017, https://openreview.net/forum?id=S1X7nhsxl
Published  Inception Score 7.72 +/- 0.13, of 10 x 5,000 samples; for the baseline, nothing on these data that we know of
Ours       not scored yet
Command    zoo train dfm_cifar10
Time       not measured yet

Neither the size of a batch nor, for these data, the number of epochs was found: here 128, as DCGAN's, and 100.
"""

from zoo import DFM, recipe


def main(
    run,
    *,
    data="cifar10",
    steps=39_000,
    batch_size=128,
    checkpoint_every=390,
    denoise_weight=0.03,
):
    dataset = run.data()
    with run.strategy.scope():
        model = DFM(dataset.data_shape, denoise_weight=denoise_weight, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
