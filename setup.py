"""Installs the zoo: `pip install .`, or `pip install -e '.[test]'` to work on it."""

from pathlib import Path

from setuptools import find_packages, setup

SERVING = "tensorflow-serving-api>=2.21"  # gRPC and the schemas of TensorFlow Serving
ONNX = ["onnxruntime>=1.32", "tf2onnx>=1.17"]
STUDY = ["jinja2>=3.1", "sqlalchemy>=2.0", "starlette>=1.0", "uvicorn>=0.30"]

setup(
    name="gan-zoo",
    version="0.1.0",
    description="Generative adversarial networks of 2014 to 2018 as Keras models: train, export, sample, serve.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    # Scripts and trained models lie beside `zoo/` in a checkout, and inside the package once it is installed.
    packages=[*find_packages(include=["zoo", "zoo.*"]), "zoo.recipes", "zoo.pretrained"],
    package_dir={"zoo.recipes": "recipes", "zoo.pretrained": "pretrained"},
    package_data={"zoo.pretrained": ["**/*"], "zoo.study": ["protocols/*", "static/*", "templates/*"]},
    install_requires=[
        "tensorflow>=2.21",
        "keras>=3.15",
        "tensorflow-probability[tf]>=0.25",
        "tensorflow-datasets>=4.9.10",
        "importlib_resources",  # imported by tensorflow-datasets 4.9.10, which does not declare it
        "absl-py>=2.1",
        "matplotlib>=3.9",
        "numpy>=2.0",
        "pillow>=11.3",
        "scikit-learn>=1.5",
        "scipy>=1.13",
        "tensorboard>=2.21",  # tf.summary writes through it
        "threadpoolctl>=3.1",
        "tqdm>=4.66",
    ],
    extras_require={
        "bench": ["torch>=2.6", "psutil>=6.0"],
        "gpu": ["tensorflow[and-cuda]>=2.21"],
        "onnx": ONNX,
        "serving": [SERVING],
        "study": STUDY,
        "test": [
            SERVING,
            *ONNX,
            *STUDY,
            "httpx2>=2.0",
            "ipykernel>=7.0",
            "nbclient>=0.10",
            "nbformat>=5.10",
            "psutil>=6.0",
            "psycopg[binary]>=3.2",
            "pytest>=8.3",
            "pytest-xdist>=3.6",
            "ruff>=0.12",
            "selenium>=4.25",
            "setuptools>=70.1",
        ],
    },
    entry_points={"console_scripts": ["zoo = zoo.commands.main:main"]},
)
