"""`python -m segtutor.training` on folders that these tests write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor.metrics import ConfusionMatrix
from segtutor.models import UNet
from segtutor.training.checkpoint import load_checkpoint
from segtutor.training.cli import main
from segtutor.training.own_folder import balanced, held_out, own_folder, read_classes

OUTS = ("one", "two")
SMALL = ["--epochs", "2", "--batch", "4", "--width", "4", "--depth", "1", "--device", "cpu"]


def write_pair(folder: Path, name: str, size: tuple[int, int] = (12, 16), top: int = 2) -> None:
    """A picture whose brightness is the class, up to `top`, and its label map."""
    draw = np.random.default_rng(int.from_bytes(name.encode(), "big"))
    labels = draw.integers(0, top + 1, size, dtype=np.uint8)
    image = np.stack([labels * (255 // (top + 1))] * 3, axis=-1)
    for kind, values in (("images", image), ("masks", labels)):
        path = folder / kind / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)


@pytest.fixture
def leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty pairs of pictures in an otherwise empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for i in range(20):
        write_pair(tmp_path / "leaves", f"leaf_{i}")
    return tmp_path / "leaves"


def refused(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    """Run a command that has to fail; return what it says, which is no traceback."""
    capsys.readouterr()
    assert main([*map(str, arguments), *SMALL]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_a_folder_becomes_a_model(leaves: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["--data", "leaves", "--classes", "3", *SMALL]) == 0
    said = capsys.readouterr().out
    aside = [name for i in range(20) if held_out(name := f"leaf_{i}", 0.2)]
    assert f"{20 - len(aside)} pictures to train on, {len(aside)} of validation" in said
    predicted = {path.stem: path for path in Path("run/predictions").iterdir()}
    assert sorted(predicted) == sorted(aside)

    model = UNet(3, width=4, depth=1).eval()
    model.load_state_dict(load_checkpoint("run/best.pt")["model"])
    matrix = ConfusionMatrix(3)
    for name in aside:
        image = torch.from_numpy(np.array(Image.open(leaves / f"images/{name}.png")))
        labels = torch.from_numpy(np.array(Image.open(leaves / f"masks/{name}.png")))
        with torch.no_grad():
            found = model(image.permute(2, 0, 1)[None] / 255).argmax(1)
        written = Image.open(predicted[name])
        assert written.mode == "P"
        assert np.array_equal(np.array(written), found[0].numpy())
        matrix.update(found, labels[None])
    assert str(matrix).splitlines()[-1] in said

    kept = json.loads(Path("run/history.json").read_text())
    assert [row["epoch"] for row in kept["epochs"]] == [1, 2]
    assert kept["classes"] == ["0", "1", "2"]
    best = max(row["mean_iou"] for row in kept["epochs"])
    assert best == pytest.approx(matrix.mean_iou())


def test_a_split_of_ones_own_and_names(leaves: Path, capsys: pytest.CaptureFixture) -> None:
    for i in range(3):
        write_pair(leaves / "val", f"deep/other_{i}")
    for kind in ("images", "masks"):
        (leaves / "train").mkdir(exist_ok=True)
        (leaves / kind).rename(leaves / "train" / kind)
    Path("names.txt").write_text("soil\nleaf\n\nstem\n")
    assert main(["--data", "leaves", "--classes", "names.txt", *SMALL]) == 0
    said = capsys.readouterr().out
    assert "20 pictures to train on, 3 of validation" in said
    assert "stem" in said
    written = [path.name for path in Path("run/predictions/deep").iterdir()]
    assert sorted(written) == ["other_0.png", "other_1.png", "other_2.png"]


def test_sizes_and_crops(leaves: Path, capsys: pytest.CaptureFixture) -> None:
    """Several sizes are refused with an advice; the advice works; predictions fit the files."""
    aside = next(name for i in range(20) if held_out(name := f"leaf_{i}", 0.2))
    write_pair(leaves, aside, (30, 21))
    write_pair(leaves, "wide_1", (20, 40))
    write_pair(leaves, "wide_3", (20, 40))
    said = refused(capsys, "--data", "leaves", "--classes", 3)
    assert "2 sizes (12 16, 20 40)" in said or "2 sizes (20 40, 12 16)" in said
    advice = said.rpartition("such as ")[2].split()
    assert advice == ["--crop", "16", "16"]
    assert main(["--data", "leaves", "--classes", "3", *advice, *SMALL]) == 0
    given = ["--data", "leaves", "--classes", "3", "--size", "24", "16", "--out", "second"]
    assert main([*given, *SMALL]) == 0
    for out in ("run", "second"):
        assert Image.open(f"{out}/predictions/{aside}.png").size == (21, 30)


def test_labels_out_of_range(leaves: Path, capsys: pytest.CaptureFixture) -> None:
    write_pair(leaves, "leaf_3", top=6)
    said = refused(capsys, "--data", "leaves", "--classes", 3)
    assert "leaf_3.png has the labels 3, 4, 5, 6, but with 3 classes they are 0 to 2" in said
    assert "--values 0:0 255:1" in said
    assert not Path("run").exists()
    values = [f"{value}:{min(value, 2)}" for value in range(7)]
    assert main(["--data", "leaves", "--classes", "3", "--values", *values, *SMALL]) == 0


def test_black_and_white(leaves: Path, capsys: pytest.CaptureFixture) -> None:
    for path in (leaves / "masks").iterdir():
        labels = np.array(Image.open(path))
        Image.fromarray(np.where(labels > 0, 255, 0).astype(np.uint8)).save(path)
    said = refused(capsys, "--data", "leaves", "--classes", 2)
    assert "0 and 255 alone" in said
    assert "--values 0:0 255:1" in said
    given = ["--data", "leaves", "--classes", "2", "--values", "0:0", "255:1"]
    write_pair(leaves, "odd_one", top=7)
    said = refused(capsys, *given)
    assert "has the values 1, 2, 3, 4, 5, 6, 7" in said
    assert "only 0, 255 are expected" in said
    for kind in ("images", "masks"):
        (leaves / kind / "odd_one.png").unlink()
    assert main([*given, *SMALL]) == 0


def test_colors(leaves: Path, capsys: pytest.CaptureFixture) -> None:
    colors = np.array([[0, 0, 0], [0, 128, 0], [128, 64, 0]], dtype=np.uint8)
    for path in (leaves / "masks").iterdir():
        Image.fromarray(colors[np.array(Image.open(path))]).save(path)
    said = refused(capsys, "--data", "leaves", "--classes", 3)
    assert "r g b name" in said
    Path("names.txt").write_text("0 0 0 soil\n0 128 0 leaf\n128 64 0 stem\n")
    assert main(["--data", "leaves", "--classes", "names.txt", *SMALL]) == 0
    assert "stem" in capsys.readouterr().out


def test_an_interrupted_training_goes_on(leaves: Path, capsys: pytest.CaptureFixture) -> None:
    given = ["--data", "leaves", "--classes", "3"]
    assert main([*given, *SMALL]) == 0
    before = Path("run/best.pt").read_bytes()
    assert "--resume goes on" in refused(capsys, *given)
    assert "learning_rate was 0.003, now 0.1" in refused(
        capsys, *given, "--resume", "--learning-rate", 0.1
    )
    assert Path("run/best.pt").read_bytes() == before
    assert main([*given, "--resume", *SMALL]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "nowhere", "--classes", "3"], "nowhere"),
        (["--data", "leaves", "--classes", "many"], "neither a number from 2 on nor a file"),
        (["--data", "leaves", "--classes", "3", "--val", "0"], "0 were set aside"),
        (["--data", "leaves", "--classes", "3", "--depth", "5"], "depth"),
    ],
)
def test_what_cannot_be_meant(
    leaves: Path, capsys: pytest.CaptureFixture, arguments: list[str], said: str
) -> None:
    assert main([*SMALL, *arguments]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--data", "leaves"],
        ["--streets", "0"],
        ["--data", "x", "--classes", "2", "--values", "3"],
        ["--streets", "8", "--out", __file__],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("given", [[], ["--balanced"]])
def test_streets_need_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--streets", "8", *given, *SMALL]) == 0
    assert len(list(Path("run/predictions").iterdir())) == 2
    loss = load_checkpoint("run/last.pt")["settings"]["loss"]
    assert loss == ("WeightedLoss" if given else "cross_entropy")


def test_rare_classes_weigh_more() -> None:
    """Shares 0.9, 0.1 and none, beside void: weights 1, 3 and 1."""
    labels = torch.zeros(10, 10, dtype=torch.long)
    labels[0] = 1
    labels = torch.cat([labels, torch.full((3, 10), 255)])
    weighted = balanced([(torch.zeros(3, 13, 10), labels)] * 250, 3).losses[0]
    assert weighted.weight.tolist() == [1.0, 3.0, 1.0]


def test_where_nothing_can_be_written(
    leaves: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """It is noticed before the first epoch."""
    monkeypatch.setattr("segtutor.training.cli.fit", None)
    (leaves / "file").write_text("")
    assert "leaves/file" in refused(
        capsys, "--data", "leaves", "--classes", 3, "--out", "leaves/file/run"
    )


def test_interrupted_by_the_keyboard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("segtutor.training.cli.fit", interrupt)
    assert "--resume goes on" in refused(capsys, "--streets", 8)


def test_sides_are_kept_when_pictures_are_added() -> None:
    names = [f"picture {i}" for i in range(2000)]
    share = sum(held_out(name, 0.3) for name in names) / len(names)
    assert share == pytest.approx(0.3, abs=0.04)
    assert all(held_out(name, 0.4) for name in names if held_out(name, 0.3))
    assert not any(held_out(name, 0.0) for name in names)


def test_classes_from_a_file(tmp_path: Path) -> None:
    assert read_classes("3") == (("0", "1", "2"), None)
    (tmp_path / "a").write_text("sky\n 3 d object \n")
    assert read_classes(str(tmp_path / "a")) == (["sky", "3 d object"], None)
    (tmp_path / "b").write_text("0 0 0 Void\n9 8 7 sky\n1 2 3 a b\n")
    names, colors = read_classes(str(tmp_path / "b"))
    assert list(names) == ["sky", "a b"]
    assert colors == {(0, 0, 0): 255, (9, 8, 7): 0, (1, 2, 3): 1}
    (tmp_path / "c").write_bytes("Bäume\nStraße\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"c is no text in UTF-8"):
        read_classes(str(tmp_path / "c"))


def test_a_folder_with_one_side_alone(tmp_path: Path) -> None:
    """Says what is missing: the other side."""
    (tmp_path / "train" / "images").mkdir(parents=True)
    (tmp_path / "train" / "masks").mkdir()
    for side in ("images", "masks"):
        Image.new("L", (8, 8)).save(tmp_path / "train" / side / "a.png")
    with pytest.raises(ValueError, match=r"val.images is no folder: .* has train"):
        own_folder(tmp_path, "2", None, None)


@pytest.mark.slow
def test_two_processes_score_as_one(leaves: Path) -> None:
    """The same command under torchrun: one report, one table, each picture written once."""
    given = ["--data", "leaves", "--classes", "3", *SMALL, "--out"]
    assert main([*given, "one"]) == 0
    launch = ["torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [sys.executable, "-m", *launch, "-m", "segtutor.training", *given, "two"],
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("pictures to train on") == done.stdout.count("To use them") == 1
    written = [sorted(path.name for path in Path(out, "predictions").iterdir()) for out in OUTS]
    assert written[0] == written[1] != []
    first, second = (json.loads(Path(out, "history.json").read_text()) for out in OUTS)
    assert len(first["epochs"]) == len(second["epochs"]) == 2
    # Batch norm sees half a batch in each process: the same network, not the same weights.
    assert first["epochs"][0]["train_loss"] == pytest.approx(
        second["epochs"][0]["train_loss"], rel=0.1
    )
