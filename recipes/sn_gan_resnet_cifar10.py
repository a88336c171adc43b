"""SN-GAN on CIFAR-10 with the residual networks, the hinge loss and rates that fall to zero.

Paper      Miyato et al. 2018, https://arxiv.org/abs/1802.05957
Published  Inception Score 8.22 +/- 0.05 of 10 x 5,000 samples, Fréchet Inception distance 21.7 +/- 0.21 of 5,000
           samples to 10,000 test images
Ours       not scored yet
Command    zoo train sn_gan_resnet_cifar10
Time       not measured yet

The rates' linear decay and the 50,000 steps are those of `configs/sn_cifar10_unconditional.yml` in the authors' code,
https://github.com/pfnet-research/sngan_projection; the paper says 100,000 steps. The model is trained on all 50,000
training images.
"""

from zoo import SNGAN, networks, optimizers, recipe
from zoo.models.sn_gan import SETTINGS, resnet_discriminator


def main(
    run,
    *,
    data="cifar10",
    steps=50_000,
    batch_size=64,
    checkpoint_every=500,
    latent_size=128,
    filters=256,  # of the generator
    setting="ResNet",
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = SNGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.residual_generator(dataset.data_shape, latent_size, filters, seed),
            discriminator=resnet_discriminator(dataset.data_shape, seed=seed + 1),
            setting=setting,
            seed=seed,
        )
        rate, beta_1, beta_2, _ = SETTINGS[setting]
        updates = run.schedule_steps
        model.compile(
            generator_optimizer=optimizers.falling_adam(rate, updates, beta_1, beta_2),
            discriminator_optimizer=optimizers.falling_adam(
                rate, updates * model.discriminator_updates, beta_1, beta_2
            ),
            **run.compile_settings,
        )
    run.fit(model, dataset.train_and_validation)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
