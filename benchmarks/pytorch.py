"""Training steps of DCGAN, WGAN-GP and SN-GAN in eager, channels-last PyTorch, with the zoo's networks and updates.

Each entry of STEPS returns a function without arguments, which `step_time.py` calls: it makes one step on images that
were drawn once. PyTorch uses a GPU if TensorFlow would.
"""

import contextlib

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

LAST = torch.channels_last
FILTERS, SIDE = 64, 7


def device():
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def generator(latent_size):
    """DCGAN's generator for 28x28x1: a projection to 7x7, then two transposed convolutions that double the map."""

    return nn.Sequential(
        nn.Linear(latent_size, SIDE * SIDE * 2 * FILTERS, bias=False),
        nn.Unflatten(1, (2 * FILTERS, SIDE, SIDE)),
        nn.BatchNorm2d(2 * FILTERS),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * FILTERS, FILTERS, 5, 2, 2, 1, bias=False),
        nn.BatchNorm2d(FILTERS),
        nn.ReLU(),
        nn.ConvTranspose2d(FILTERS, 1, 5, 2, 2, 1),
        nn.Tanh(),
    ).to(device(), memory_format=LAST)


def discriminator(normalized):
    middle = [nn.BatchNorm2d(2 * FILTERS)] if normalized else []
    return nn.Sequential(
        nn.Conv2d(1, FILTERS, 5, 2, 2),
        nn.LeakyReLU(0.2),
        nn.Conv2d(FILTERS, 2 * FILTERS, 5, 2, 2, bias=not normalized),
        *middle,
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(SIDE * SIDE * 2 * FILTERS, 1),
    ).to(device(), memory_format=LAST)


def sn_generator(latent_size):
    """SN-GAN's generator for 28x28x1: a projection to 7x7x256, two 4x4 transposed convolutions, a 3x3 convolution."""
    return nn.Sequential(
        nn.Linear(latent_size, SIDE * SIDE * 4 * FILTERS),
        nn.BatchNorm1d(SIDE * SIDE * 4 * FILTERS),
        nn.ReLU(),
        nn.Unflatten(1, (4 * FILTERS, SIDE, SIDE)),
        nn.ConvTranspose2d(4 * FILTERS, 2 * FILTERS, 4, 2, 1),
        nn.BatchNorm2d(2 * FILTERS),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * FILTERS, FILTERS, 4, 2, 1),
        nn.BatchNorm2d(FILTERS),
        nn.ReLU(),
        nn.Conv2d(FILTERS, 1, 3, 1, 1),
        nn.Tanh(),
    ).to(device(), memory_format=LAST)


def sn_discriminator():
    blocks, channels = [], 1
    for layer in range(5):
        halves, filters = layer % 2, FILTERS << layer // 2
        blocks += [spectral_norm(nn.Conv2d(channels, filters, 3 + halves, 1 + halves, 1)), nn.LeakyReLU(0.1)]
        channels = filters
    last = spectral_norm(nn.Linear(SIDE * SIDE * channels, 1))
    return nn.Sequential(*blocks, nn.Flatten(), last).to(device(), memory_format=LAST)


def precision(name):
    if name == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device().type, torch.bfloat16 if name == "mixed_bfloat16" else torch.float16)


def updated(optimizer, loss):
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss


def adversarial(makers, latent_size, rates, rows, kind):
    """A step with the non-saturating losses: one update of the discriminator, then one of the generator."""
    generate, judge = (make() for make in makers)
    first, second = (torch.optim.Adam(net.parameters(), *rates, eps=1e-8) for net in (judge, generate))
    real = (torch.rand(rows, 1, 28, 28, device=device()) * 2 - 1).contiguous(memory_format=LAST)

    def step():
        with precision(kind):
            with torch.no_grad():
                fake = generate(torch.rand(rows, latent_size, device=device()) * 2 - 1)
            loss = functional.softplus(-judge(real)).mean() + functional.softplus(judge(fake)).mean()
        updated(first, loss)
        with precision(kind):
            loss = functional.softplus(-judge(generate(torch.rand(rows, latent_size, device=device()) * 2 - 1))).mean()
        return updated(second, loss).item()

    return step


def dcgan(rows, kind):
    return adversarial((lambda: generator(100), lambda: discriminator(True)), 100, (2e-4, (0.5, 0.999)), rows, kind)


def sn_gan(rows, kind):
    return adversarial((lambda: sn_generator(128), sn_discriminator), 128, (2e-4, (0.5, 0.999)), rows, kind)


def wgan_gp(rows, kind, updates=5, weight=10.0):
    """Five updates of the critic on fresh rows, each with its penalty, then one of the generator."""
    generate, critic = generator(128), discriminator(False)
    first, second = (torch.optim.Adam(net.parameters(), 1e-4, (0.0, 0.9), eps=1e-8) for net in (critic, generate))
    whole = (torch.rand(rows, 1, 28, 28, device=device()) * 2 - 1).contiguous(memory_format=LAST)
    share = rows // updates

    def step():
        for real in whole.split(share):
            with precision(kind):
                with torch.no_grad():
                    fake = generate(torch.randn(share, 128, device=device())).float()
                shares = torch.rand(share, 1, 1, 1, device=device())
                points = (shares * fake + (1 - shares) * real).requires_grad_()
                loss = critic(fake).mean() - critic(real).mean()
                scores = critic(points).float().sum()
            (slopes,) = torch.autograd.grad(scores, points, create_graph=True)
            norms = (slopes.square().sum((1, 2, 3)) + 1e-12).sqrt()
            updated(first, loss + weight * (norms - 1).square().mean())
        with precision(kind):
            loss = -critic(generate(torch.randn(share, 128, device=device()))).mean()
        return updated(second, loss).item()

    return step


STEPS = {"DCGAN": dcgan, "WGANGP": wgan_gp, "SNGAN": sn_gan}
