"""Stamps that overlap: the figure adds up as PyTorch's transposed convolution does."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from segtutor import figures, ops
from segtutor.figures.upsampling import WEIGHTS

LEARNED = [0.3, 1.1, 0.6, 1.4, 0.8, 0.5]


def row_of(weights: str, k: int) -> torch.Tensor:
    if weights == "all ones":
        return torch.ones(k, dtype=torch.float64)
    if weights == "learned":
        return torch.tensor(LEARNED[:k], dtype=torch.float64)
    # FCN's: the package's kernel for the factor whose kernel has k pixels.
    factor = (k + 1) // 2
    kernel = ops.bilinear_kernel(1, factor)[0, 0].double()
    row = kernel[kernel.shape[0] // 2] / kernel[kernel.shape[0] // 2].max()
    center = factor - 1 if k % 2 else factor - 0.5
    triangle = 1 - (torch.arange(k, dtype=torch.float64) - center).abs() / factor
    if len(row) == k:
        assert torch.allclose(row, triangle / triangle.max(), atol=1e-6)
    return triangle


def expected(weights: str, k: int, s: int, p: int) -> torch.Tensor:
    row = row_of(weights, k)
    weight = torch.outer(row, row)[None, None]
    x = torch.ones(1, 1, 6, 6, dtype=torch.float64)
    return F.conv_transpose2d(x, weight, stride=s, padding=p)[0, 0]


def step(figure, name: str, times: int) -> None:
    button = figure.get_by_role("button", name=f"{name}: {'more' if times > 0 else 'less'}")
    for _ in range(abs(times)):
        button.click()


@pytest.mark.browser
def test_many_settings_agree_with_pytorch(open_page):
    page = open_page(figures.checkerboard())
    figure = page.locator("seg-checkerboard")
    k, s, p = 3, 2, 0
    for weights, to_k, to_s, to_p in [
        ("all ones", 3, 2, 1), ("all ones", 4, 2, 1), ("bilinear", 4, 2, 1), ("bilinear", 3, 2, 1),
        ("learned", 4, 2, 0), ("learned", 6, 3, 2), ("bilinear", 6, 3, 2), ("all ones", 2, 3, 0),
        ("learned", 5, 4, 1), ("all ones", 1, 1, 0),
    ]:  # fmt: skip
        figure.locator(".weights").select_option(weights)
        step(figure, "padding p", -p)
        step(figure, "kernel k", to_k - k)
        step(figure, "stride s", to_s - s)
        step(figure, "padding p", to_p)
        k, s, p = to_k, to_s, to_p
        plane = expected(weights, k, s, p)
        values = figure.locator(".map rect").evaluate_all("all => all.map(r => +r.dataset.value)")
        assert torch.allclose(torch.tensor(values, dtype=torch.float64), plane.flatten(), atol=1e-9)
        kept = figure.locator(".kept text").all_text_contents()
        row = F.conv_transpose1d(
            torch.ones(1, 1, 6, dtype=torch.float64), row_of(weights, k)[None, None], None, s, p
        ).flatten()
        assert [float(text) for text in kept] == pytest.approx(row.tolist(), abs=0.0051)
        assert figure.locator(".size.label").inner_text().endswith(f"= {len(row)}")
        inner = row[k:-k] if len(row) > 2 * k + s else row[len(row) // 2 :][:s]
        even = bool((inner - inner[0]).abs().max() < 1e-9)
        said = figure.locator(".read").inner_text()
        assert ("even" in said) == even, (weights, k, s, said)
        assert ("checkerboard" in said) != even


@pytest.mark.browser
def test_the_words_count_the_stamps(open_page):
    page = open_page(
        figures.checkerboard(), figures.checkerboard(kernel_size=4),
        figures.checkerboard(kernel_size=2, stride=3),
    )  # fmt: skip
    said = page.locator("seg-checkerboard .read").all_inner_texts()
    assert "3 is no multiple of 2: inner pixels get 2, 1 stamps in turn" in said[0]
    assert "4 = 2·2: every inner pixel gets 2 stamps. They add up to 2 everywhere" in said[1]
    assert "some pixels get no stamp" in said[2]


@pytest.mark.browser
def test_padding_never_cuts_off_whole_stamps(open_page):
    page = open_page(figures.checkerboard(padding=2))
    figure = page.locator("seg-checkerboard")
    step(figure, "kernel k", -2)
    assert figure.locator("[data-step='padding'] output").inner_text() == "0"
    assert figure.locator(".kept").count() == 11


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1000])
def test_it_fits_and_the_keyboard_moves_it(open_page, width):
    page = open_page(figures.checkerboard(stride=4, kernel_size=6), width=width)
    figure = page.locator("seg-checkerboard")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    figure.get_by_role("button", name="stride s: less").focus()
    page.keyboard.press("Enter")
    assert "6 = 2·3" in figure.locator(".read").inner_text()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel_size": 7}, "kernel_size=7"),
        ({"stride": 0}, "stride=0"),
        ({"kernel_size": 2, "padding": 2}, "at most 1"),
        ({"weights": "random"}, "'all ones', 'bilinear', 'learned'"),
    ],
)
def test_what_cannot_be_shown_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        figures.checkerboard(**settings)


def test_the_still_counts_the_stamps():
    cells = figures.checkerboard().html.split("<table")[1].split("</table>")[0]
    assert [int(part.split("<")[0]) for part in cells.split('solid">')[1:]] == [
        1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1,
    ]  # fmt: skip
    assert set(WEIGHTS) == {"all ones", "bilinear", "learned"}
