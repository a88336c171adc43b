"""A zoo of generative adversarial networks: train them, export them, and sample from trained ones.

`import zoo` imports neither TensorFlow nor Keras; a model class is imported when it is first used.

Example:

    import zoo

    zoo.pretrained()                                             # {"dcgan-fashion_mnist": {...its card...}, ...}
    images = zoo.load("dcgan-fashion_mnist").sample(seeds=16)    # float32 [16, 28, 28, 1] in [0, 1]
    model = zoo.restore("dcgan-fashion_mnist")                   # the same as a keras.Model, compiled: fit() it
    model = zoo.DCGAN(data_shape=(28, 28, 1))                    # a new one: compile() and fit() it
"""

from __future__ import annotations

import importlib
import pkgutil

from zoo.artefacts.catalogue import load, pretrained

MODELS = {
    "AffDG": "zoo.models.affgan",
    "AffGAN": "zoo.models.affgan",
    "ALI": "zoo.models.ali",
    "BiGAN": "zoo.models.bigan",
    "CGAN": "zoo.models.cgan",
    "CTGAN": "zoo.models.ct_gan",
    "DCGAN": "zoo.models.dcgan",
    "DFM": "zoo.models.dfm",
    "DRAGAN": "zoo.models.dragan",
    "EBGAN": "zoo.models.ebgan",
    "FGAN": "zoo.models.fgan",
    "GAN": "zoo.models.gan",
    "GAP": "zoo.models.gap",
    "ImprovedGAN": "zoo.models.improved_gan",
    "LAPGAN": "zoo.models.lapgan",
    "LossSensitiveGAN": "zoo.models.loss_sensitive_gan",
    "LSGAN": "zoo.models.lsgan",
    "SemiSupervisedGAN": "zoo.models.semi_supervised_gan",
    "SNGAN": "zoo.models.sn_gan",
    "UnrolledGAN": "zoo.models.unrolled_gan",
    "WGAN": "zoo.models.wgan",
    "WGANGP": "zoo.models.wgan_gp",
}

__all__ = ["__version__", "load", "pretrained", "restore", *MODELS]


_MODULES = {module.name for module in pkgutil.iter_modules(__path__)}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"zoo.{name}")
    if name in MODELS:
        return getattr(importlib.import_module(MODELS[name]), name)
    if name == "restore":
        return importlib.import_module("zoo.restoring").restore
    if name == "__version__":
        from importlib import metadata  # imported here, since it takes a tenth of the time of `zoo list`

        return metadata.version("gan-zoo")
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
