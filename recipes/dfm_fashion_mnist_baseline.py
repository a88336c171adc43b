"""The baseline of `dfm_fashion_mnist`: the same pair of networks and settings without the denoiser's term.

Paper      Warde-Farley & Bengio 2017, https://openreview.net/forum?id=S1X7nhsxl
Published  nothing on these data
Ours       Fréchet classifier distance 4.677, classifier score 4.16, precision .649, recall .258 (10,000 samples); the
           denoiser's term gave 4.596, 4.20, .648 and .281: no difference that one seed could show
Command    zoo train dfm_fashion_mnist_baseline
Time       1,905 s on 2 cores of an AMD EPYC that had other work too

It differs from `dcgan_fashion_mnist` in the rate of Adam, 0.0001 instead of 0.0002. The denoiser is trained beside the
pair, so that both runs log how far their samples' features are from what it makes of them.
"""

from zoo import DFM, networks, recipe


def main(
    run,
    *,
    data="fashion_mnist",
    steps=3200,
    batch_size=128,
    checkpoint_every=400,
    latent_size=100,
    filters=64,  # as in dcgan_fashion_mnist
    denoiser_units=512,  # half the width that DFM has for CIFAR-10
    ema_decay=0.999,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = DFM(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.dcgan_generator(dataset.data_shape, latent_size, filters, seed),
            discriminator=networks.dcgan_discriminator(dataset.data_shape, filters, seed + 1),
            denoiser_units=denoiser_units,
            denoise_weight=0.0,
            ema_decay=ema_decay,
            seed=seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
