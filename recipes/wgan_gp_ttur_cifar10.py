"""WGAN-GP on CIFAR-10 by the two time-scale update rule: a rate for each player, and one critic update per step.

Paper      Heusel et al. 2017, https://arxiv.org/abs/1706.08500; networks of Gulrajani et al. 2017
Published  Fréchet Inception distance 24.8; with five critic updates per step and one rate for both players, 29.3
Ours       not scored yet
Command    zoo train wgan_gp_ttur_cifar10
Time       not measured yet

The authors' code is https://github.com/bioinf-jku/TTUR. Its `WGAN_GP/gan_64x64_FID.py` "works also with 32x32x3 images"
if `DIM` is 32. The networks are therefore those of WGAN-GP for 64x64 pixels with 32 filters, whose smallest map is then
2x2x256. The rates, the momenta, the batch and the 100,000 updates are those of the newest commit; in older ones
(5adad74, ca9b657) the rates of the two players are exchanged. The scores and their rates are also on the authors'
poster, in the same repository. The model is trained on all 50,000 training images.

Differences from the code, in addition to those listed in zoo/models/wgan_gp.py:
1. The critic gives every image a score. The code's last layer still assumes 4x4 maps; with 32x32 pixels it therefore
   gives one score to every four images of a batch.
"""

from zoo import WGANGP, networks, optimizers, recipe


def main(
    run,
    *,
    data="cifar10",
    steps=100_000,
    batch_size=64,
    checkpoint_every=1000,
    latent_size=128,
    filters=32,
    generator_rate=1e-4,
    discriminator_rate=3e-4,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = WGANGP(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.tapered_generator(dataset.data_shape, latent_size, filters, seed),
            discriminator=networks.tapered_critic(dataset.data_shape, filters, seed + 1),
            discriminator_updates=1,
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(generator_rate, beta_1=0.0, beta_2=0.9),
            discriminator_optimizer=optimizers.adam(discriminator_rate, beta_1=0.0, beta_2=0.9),
            **run.compile_settings,
        )
    run.fit(model, dataset.train_and_validation)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
