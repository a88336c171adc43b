"""DFM on the 100,000 unlabelled images of STL-10, scaled down to 48x48 pixels, with the paper's settings.

Paper      Warde-Farley & Bengio 2017, https://openreview.net/forum?id=S1X7nhsxl
Published  Inception Score 8.51 +/- 0.13, of 10 x 5,000 samples; without the denoiser 7.84 +/- 0.07
Ours       not scored yet
Command    zoo train dfm_stl10 --image_size 48
Time       not measured yet; meant for a GPU

The 50 epochs are those of the paper. The batch size was not found; it is 128, as in DCGAN. The denoiser is the one for
CIFAR-10.
"""

from zoo import DFM, recipe


def main(
    run,
    *,
    data="stl10",
    steps=39_050,
    batch_size=128,
    checkpoint_every=781,
    denoise_weight=0.03,
):
    dataset = run.data()
    with run.strategy.scope():
        model = DFM(dataset.data_shape, denoise_weight=denoise_weight, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.unlabelled)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
