# SPDX-License-Identifier: BSD-3-Clause
"""CelebA and CIFAR-10, from generated folders laid out as the published ones."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.nets.nets_for_tests import CNN, classifier, fitted

pytest.importorskip("PIL", reason="pillow is not installed")
import torch
from PIL import Image
from sklearn.frozen import FrozenEstimator

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.datasets import fetch_celeba, fetch_cifar10

# Compiled operators of torchvision that importing it mentions; its builds for CUDA do
# not load beside a torch for the CPU, and reading images needs none of them.
OPERATORS = """nms qnms roi_align qroi_align _roi_align_backward roi_pool
_roi_pool_backward ps_roi_align _ps_roi_align_backward ps_roi_pool
_ps_roi_pool_backward deform_conv2d _deform_conv2d_backward""".split()
ATTRIBUTES = ["Male", "Smiling", "Young"]


@pytest.fixture(scope="module")
def torchvision():
    try:
        import torchvision.datasets
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        for operator in OPERATORS:
            torch.library.define(f"torchvision::{operator}", "(Tensor x) -> Tensor")
        import torchvision.datasets
    except ImportError:
        pytest.skip("torchvision is not installed")
    return torchvision


@pytest.fixture
def any_checksum(torchvision, monkeypatch):
    """Generated files are intact if they are there."""
    for module in (torchvision.datasets.celeba, torchvision.datasets.cifar):
        monkeypatch.setattr(
            module, "check_integrity", lambda path, md5=None: Path(path).is_file()
        )


def write_celeba(home, n_rows=12, width=18, height=22):
    """Faces whose red channel is the row, green 1 in the middle square, 0 outside."""
    folder = home / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    rng = np.random.default_rng(0)
    values = rng.choice([-1, 1], size=(n_rows, len(ATTRIBUTES)))
    names = [f"{row + 1:06d}.jpg" for row in range(n_rows)]
    for row, name in enumerate(names):
        pixels = np.zeros((height, width, 3), dtype=np.uint8)
        pixels[:, :, 0] = 10 * (row % 12)
        pixels[2:-2, :, 1] = 255
        Image.fromarray(pixels).save(
            folder / "img_align_celeba" / name, quality=100, subsampling=0
        )
    parts = np.repeat([0, 1, 2], [n_rows - 4, 2, 2])
    tables = {
        "list_attr_celeba.txt": (ATTRIBUTES, values),
        "list_bbox_celeba.txt": (["image_id", "x_1"], np.zeros((n_rows, 1), int)),
        "list_landmarks_align_celeba.txt": (["lefteye_x"], np.zeros((n_rows, 1), int)),
        "list_eval_partition.txt": (None, parts[:, None]),
        "identity_CelebA.txt": (None, np.ones((n_rows, 1), int)),
    }
    for file, (header, rows) in tables.items():
        lines = [] if header is None else [str(n_rows), " ".join(header)]
        lines += [" ".join([n, *map(str, r)]) for n, r in zip(names, rows, strict=True)]
        (folder / file).write_text("\n".join(lines) + "\n")
    return (values + 1) // 2


def write_cifar10(home, n_rows=3):
    """Batches as published: one row of 3072 bytes for each image, by channel."""
    folder = home / "cifar-10-batches-py"
    folder.mkdir()
    batches = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    rng = np.random.default_rng(0)
    written = {}
    for batch in batches:
        data = rng.integers(0, 256, (n_rows, 3072), dtype=np.uint8)
        labels = rng.integers(0, 10, n_rows).tolist()
        written[batch] = data, labels
        content = pickle.dumps({"data": data, "labels": labels})
        (folder / batch).write_bytes(content)
    names = pickle.dumps({"label_names": [f"class {i}" for i in range(10)]})
    (folder / "batches.meta").write_bytes(names)
    return written


def test_faces_are_read_as_published(tmp_path, any_checksum):
    values = write_celeba(tmp_path)
    faces = fetch_celeba(tmp_path, size=16, download_if_missing=False)

    assert faces.data.shape == (8, 3, 16, 16) and faces.data.dtype == np.float32
    red = faces.data[:, 0].mean(axis=(1, 2)) * 255
    assert red == pytest.approx(10 * np.arange(8), abs=4)  # JPEG rounds
    assert np.all(faces.data[:, 1] > 0.9), "not the central square"
    np.testing.assert_array_equal(faces.target, values[:8, 1])
    np.testing.assert_array_equal(faces.sensitive_features, values[:8, 0])
    assert faces.target_names == ["not Smiling", "Smiling"]


def test_a_net_on_faces_is_corrected(tmp_path, any_checksum):
    write_celeba(tmp_path, n_rows=160)
    faces = fetch_celeba(tmp_path, size=12, download_if_missing=False)
    net = fitted(classifier(CNN, module__n_channels=3), faces.data, faces.target)
    corrector = SoftUnlearnCorrector(FrozenEstimator(net), delta=0.3, utility_tol=0.1)
    corrector.fit(faces.data, faces.target, sensitive_features=faces.sensitive_features)

    line = corrector.report_["demographic_parity_difference", "surrogate"]
    assert line.after < line.before


def test_splits_attributes_and_number_of_faces(tmp_path, any_checksum):
    values = write_celeba(tmp_path)
    options = {"size": 8, "target": "Young", "sensitive": "Smiling"}
    options["download_if_missing"] = False

    test = fetch_celeba(tmp_path, split="test", **options)
    np.testing.assert_array_equal(test.target, values[10:, 2])
    np.testing.assert_array_equal(test.sensitive_features, values[10:, 1])
    assert len(fetch_celeba(tmp_path, split="all", n_samples=5, **options).data) == 5


def test_small_images_are_read_as_published(tmp_path, any_checksum):
    written = write_cifar10(tmp_path)
    data, labels = written["test_batch"]
    images = fetch_cifar10(tmp_path, split="test", download_if_missing=False)

    assert images.data.dtype == np.float32
    np.testing.assert_allclose(images.data.reshape(3, -1), data / 255, rtol=1e-6)
    assert images.target.tolist() == labels
    assert images.target_names[3] == "class 3"
    few = fetch_cifar10(tmp_path, n_samples=4, download_if_missing=False)
    assert few.target.tolist() == (
        written["data_batch_1"][1] + written["data_batch_2"][1][:1]
    )


@pytest.mark.parametrize("fetch", [fetch_celeba, fetch_cifar10])
def test_missing_images_say_where_they_were_looked_for(fetch, tmp_path, torchvision):
    with pytest.raises(OSError, match=r"not in .*download_if_missing=True"):
        fetch(tmp_path, download_if_missing=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "Happy"}, "'Happy' is not an attribute"),
        ({"split": "training"}, "split='training'"),
        ({"size": 0}, "size == 0, must be >= 1"),
        ({"n_samples": 0}, "n_samples == 0, must be >= 1"),
    ],
)
def test_wrong_options_of_faces(options, message, tmp_path, any_checksum):
    write_celeba(tmp_path)
    with pytest.raises(ValueError, match=message):
        fetch_celeba(tmp_path, download_if_missing=False, **options)


def test_without_torchvision_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ImportError, match=r"CelebA is read with torchvision"):
        fetch_celeba(tmp_path)
