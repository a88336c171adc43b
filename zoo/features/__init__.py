"""What scores see in images: extractors of features, each a trained network."""

from zoo.features.classifier import ClassifierFeatures
from zoo.features.extractor import Extractor, Features
from zoo.features.inception import InceptionFeatures

__all__ = ["ClassifierFeatures", "Extractor", "Features", "InceptionFeatures"]
