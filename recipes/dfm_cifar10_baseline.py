"""The baseline of `dfm_cifar10`: the same pair of networks and settings without the denoiser's term.

Paper      Warde-Farley & Bengio 2017, https://openreview.net/forum?id=S1X7nhsxl
Published  nothing on these data that we know of
Ours       not scored yet
Command    zoo train dfm_cifar10_baseline
Time       not measured yet
"""

from zoo import DFM, recipe


def main(
    run,
    *,
    data="cifar10",
    steps=39_000,
    batch_size=128,
    checkpoint_every=390,
):
    dataset = run.data()
    with run.strategy.scope():
        model = DFM(dataset.data_shape, denoise_weight=0.0, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
