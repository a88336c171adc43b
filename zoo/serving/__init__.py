"""TensorFlow Serving: files for a server of any set of models, and a client that samples them all."""

from zoo.serving.client import Client

__all__ = ["Client"]
