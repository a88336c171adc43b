"""What `import zoo` gives, and what it leaves for later."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import zoo


def test_import_is_light_and_names_are_found_on_demand():
    code = """
import sys, types
import zoo
assert not {"tensorflow", "keras", "matplotlib"} & sys.modules.keys()
assert {"DCGAN", "GAN", "load", "pretrained", "__version__"} <= set(dir(zoo))

sys.modules["zoo.models.gan"] = types.SimpleNamespace(GAN="the class")
assert zoo.GAN == "the class"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pretrained_is_the_function_and_its_module_is_still_importable():
    from zoo.artefacts.catalogue import LoadedModel, pretrained

    assert zoo.pretrained is pretrained
    assert LoadedModel.__module__ == "zoo.artefacts.catalogue"
    assert isinstance(zoo.pretrained(), dict)


def test_once_installed_the_data_folder_does_not_hide_the_module(tmp_path):
    package = shutil.copytree(Path(zoo.__file__).parent, tmp_path / "zoo")
    (package / "pretrained").mkdir()
    code = f"""
import zoo, zoo.files
assert zoo.files.folder("pretrained") == zoo.files.Path({str(package)!r}) / "pretrained"
assert zoo.pretrained() == {{}}
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'CatGAN9000'"):
        zoo.CatGAN9000  # noqa: B018
