"""DFM on ImageNet at 32x32 pixels, with the paper's settings.

Paper      Warde-Farley & Bengio 2017, https://openreview.net/forum?id=S1X7nhsxl
Published  Inception Score 9.18 +/- 0.13, of 10 x 5,000 samples; without the denoiser 8.83 +/- 0.14
Ours       not scored yet
Command    zoo train dfm_imagenet32
Time       not measured yet; meant for a GPU

The denoiser has 10 layers of 2,048 units, as in the paper. The networks are those for CIFAR-10 at their full width,
128, since the paper halves DCGAN's ImageNet model only for CIFAR-10. Neither the batch size nor the number of epochs
was found: here they are 128, as in DCGAN, and 10.
"""

from zoo import DFM, recipe


def main(
    run,
    *,
    data="imagenet_resized/32x32",
    steps=100_000,
    batch_size=128,
    checkpoint_every=1000,
    filters=128,
    denoise_weight=0.03,
    denoiser_units=2048,
):
    dataset = run.data()
    with run.strategy.scope():
        model = DFM(
            dataset.data_shape,
            filters=filters,
            denoise_weight=denoise_weight,
            denoiser_units=denoiser_units,
            seed=run.flags.seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
