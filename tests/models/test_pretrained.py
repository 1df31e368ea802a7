"""Others' weights in the book's networks: what others' networks say, ours say too.

No weights can be fetched here, so the reference networks get random ones, saved as the official
files are and where torchvision keeps them.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlparse

import pytest
import segmentation_models_pytorch as smp
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

from segtutor.models import from_pretrained
from segtutor.models.pretrained import TORCHVISION


def lived_in(net: nn.Module) -> nn.Module:
    """Statistics as after a training: a fresh batch norm would hide a mistake."""
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.1)
    return net.eval()


def close(mine: torch.Tensor, theirs: torch.Tensor) -> None:
    """Equal to 1e-5, where the largest of their numbers is 1; and numbers worth comparing."""
    assert mine.shape == theirs.shape
    assert theirs.std() > 1e-3 * theirs.abs().max()
    assert (mine - theirs).abs().max() < 1e-5 * max(1.0, float(theirs.abs().max()))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torchvision's, and a network that does not answer."""
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    return folder


HEAVY = [
    name if "mobilenet" in name else pytest.param(name, marks=pytest.mark.slow)
    for name in TORCHVISION
]


@pytest.mark.parametrize("name", HEAVY)
def test_torchvision_s_weights_say_what_they_say_there(name: str, cache: Path) -> None:
    torch.manual_seed(0)
    build = getattr(torchvision.models.segmentation, name)
    theirs = lived_in(build(weights=None, weights_backbone=None, num_classes=21, aux_loss=True))
    official = torchvision.models.get_model_weights(name).DEFAULT
    torch.save(theirs.state_dict(), cache / Path(urlparse(official.url).path).name)
    mine = from_pretrained(name)
    assert not mine.training
    x = torch.rand(1, 3, 97, 129)
    preset = official.transforms()
    normalized = (x - torch.tensor(preset.mean)[:, None, None]) / torch.tensor(preset.std)[
        :, None, None
    ]
    with torch.no_grad():
        close(mine(x), theirs(normalized)["out"])


@pytest.mark.parametrize("name", TORCHVISION)
def test_without_a_network_it_says_so(name: str, cache: Path) -> None:
    with pytest.raises(ConnectionError, match=r"not on this machine.*connect to a network once"):
        from_pretrained(name)


ENCODERS = ("resnet18", "mobilenet_v2", pytest.param("resnet50", marks=pytest.mark.slow))


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (smp.Unet, {}),
        (smp.Unet, {"decoder_channels": (64, 32, 24, 16, 8)}),
        (smp.DeepLabV3, {}),
        (smp.DeepLabV3, {"encoder_output_stride": 16, "decoder_atrous_rates": (6, 12, 18)}),
        (smp.DeepLabV3Plus, {}),
        (smp.DeepLabV3Plus, {"encoder_output_stride": 8, "decoder_channels": 64}),
    ],
    ids=lambda value: getattr(value, "__name__", None) or "-".join(value),
)
def test_smp_s_checkpoints_say_what_they_say_there(kind, settings, encoder, tmp_path) -> None:
    torch.manual_seed(0)
    theirs = lived_in(kind(encoder, encoder_weights=None, classes=4, **settings))
    theirs.save_pretrained(tmp_path)
    mine = from_pretrained(tmp_path)
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        close(mine(x), theirs(x))


def saved(folder: Path, **changes: object) -> Path:
    """A small checkpoint, with a configuration changed by hand."""
    smp.Unet("resnet18", encoder_weights=None, classes=2).save_pretrained(folder)
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return folder


def test_weights_that_were_trained_on_normalized_pictures(tmp_path: Path) -> None:
    plain = from_pretrained(saved(tmp_path))
    mine = from_pretrained(saved_again := saved(tmp_path, encoder_weights="imagenet"))
    assert saved_again == tmp_path
    assert plain.backbone.mean.abs().max() == 0
    torch.testing.assert_close(mine.backbone.mean.flatten(), torch.tensor([0.485, 0.456, 0.406]))
    torch.testing.assert_close(mine.backbone.std.flatten(), torch.tensor([0.229, 0.224, 0.225]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"_model_class": "FPN"}, "a checkpoint of FPN"),
        ({"in_channels": 1}, "in_channels=1 in config.json"),
        ({"decoder_attention_type": "scse"}, "decoder_attention_type='scse'"),
        ({"encoder_name": "tu-convnext"}, "tu-convnext"),
        ({"encoder_name": "resnet34"}, "weights of another architecture"),
        ({"classes": 3}, r"head\.weight is \(2, 16, 3, 3\) there and \(3, 16, 3, 3\) here"),
    ],
)
def test_what_does_not_fit_is_said(changes: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        from_pretrained(saved(tmp_path, **changes))


def test_a_missing_tensor_or_file_is_named(tmp_path: Path) -> None:
    file = saved(tmp_path) / "model.safetensors"
    tensors = load_file(file)
    del tensors["encoder.bn1.bias"]
    save_file(tensors, file)
    with pytest.raises(ValueError, match=r"without a partner: backbone\.bn1\.bias"):
        from_pretrained(tmp_path)
    file.unlink()
    with pytest.raises(ValueError, match=r"has no model\.safetensors"):
        from_pretrained(tmp_path)


def test_neither_name_nor_folder() -> None:
    with pytest.raises(ValueError, match="neither a folder nor a repository"):
        from_pretrained("deeplabv3_resnet18")
    with pytest.raises(ValueError, match="none of fcn_resnet50's"):
        from_pretrained("fcn_resnet50", weights="IMAGENET1K_V1")


def test_a_repository_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(ConnectionError, match="could not be fetched from Hugging Face"):
        from_pretrained("somebody/their-network")
