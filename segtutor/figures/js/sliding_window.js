// <seg-sliding-window>: a kernel over pixels that one can paint, and the sum that it makes.

const NINTH = "1/9";
const KERNELS = {
  "vertical edge": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
  "Sobel": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  "horizontal edge": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
  "blur": [[NINTH, NINTH, NINTH], [NINTH, NINTH, NINTH], [NINTH, NINTH, NINTH]],
  "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  "corner": [[-1, -1, -1], [-1, 2, 1], [-1, 1, 1]],
  "spot": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
  "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
  "shift right": [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
};

// "−1", "0.5" or "1/9" -> number; null if it is none.
const parseWeight = (text) => {
  const [top, bottom = "1", ...rest] = String(text).trim().replace(/−/g, "-").replace(",", ".").split("/");
  const value = Number(top) / Number(bottom);
  return top.trim() && bottom.trim() && !rest.length && Number.isFinite(value) ? value : null;
};
const written = (text) => String(text).replace("-", "−");

class SlidingWindow extends WindowFigure {
  css = WINDOW_CSS + `
    .kernel { flex: none; }
    .weights { display: grid; gap: 3px; }
    input.weight { width: 44px; height: 40px; text-align: center; padding: 0; border-radius: 6px; font-weight: 600; }
    input.weight[aria-invalid="true"] { border: 2px dashed var(--warm); }
    .terms { display: grid; width: max-content; gap: 1px 8px; justify-items: end; }
    .sum { overflow-x: auto; padding: 2px; }
    .sum .off { opacity: .38; } .sum b { color: var(--warm); font-size: 1.25rem; }
    .sum .row { display: flex; align-items: center; gap: 14px; width: max-content; }
    @container (max-width: 620px) {
      .board { flex-wrap: wrap; } .board .sign.times { display: none; }
      .panel.input { flex: 1 1 100% !important; max-width: 100% !important; }
      .panel.input svg { max-width: 400px; margin: 0 auto; } .panel.input .title { text-align: center; }
      .size { font-size: .8125rem; } .sum .terms { font-size: .8125rem; }
      .panel.output { flex: 1 1 0 !important; }
    }
    @container (max-width: 480px) {
      .board { gap: 8px; } input.weight { width: 36px; height: 36px; } .sign { font-size: 1.3rem; }
    }`;

  frame() {
    return `
      <div class="bar">
        <label class="field"><span class="label">kernel</span><select class="preset" aria-label="kernel"></select></label>
        ${this.step("stride", "stride")}${this.step("padding", "padding")}${this.step("dilation", "dilation")}
      </div>
      <div class="board">
        <div class="panel input"><div class="title">picture</div><svg class="paint" tabindex="0" role="application"
          aria-label="Picture. Arrows move, digits set a pixel, plus and minus change it, space paints."></svg></div>
        <div class="sign times" aria-hidden="true">⋆</div>
        <div class="panel kernel"><div class="title">kernel</div><div class="weights"></div></div>
        <div class="sign" aria-hidden="true">=</div>
        <div class="panel output"><div class="title">output</div><svg class="result" tabindex="0" role="application"
          aria-label="Output. Arrows move the window."></svg></div>
      </div>
      <div class="note" role="status" hidden></div>
      ${this.playBar()}
      <div class="sum"></div>
      <div class="size"></div>
      <div class="bar">${this.step("brush", "paint with")}
        <button class="reset end">start over</button></div>
      <div class="hidden live" aria-live="polite"></div>`;
  }

  start() {
    this.presets = { ...KERNELS };
    const given = JSON.stringify(this.given.kernel);
    this.preset = Object.keys(KERNELS).find((name) => JSON.stringify(KERNELS[name]) === given);
    if (!this.preset) this.presets = { [(this.preset = "as given")]: this.given.kernel, ...KERNELS };
    this.find(".preset").innerHTML = Object.keys(this.presets).concat("your own").map((n) => `<option>${n}</option>`).join("");
    this.find(".preset").onchange = (event) => {
      if (this.presets[event.target.value]) this.setKernel(this.presets[event.target.value], event.target.value);
    };
    const bind = (name, low, high) =>
      this.bindStep(name, low, high, () => this[name], (value) => { this[name] = value; this.draw(); });
    const all = this.given.pixels.flat();
    this.floor = Math.min(0, ...all);
    this.ceiling = Math.max(1, ...all);
    const steps = [bind("stride", 1, 3), bind("padding", 0, 2), bind("dilation", 1, 3),
      bind("brush", Math.floor(this.floor), Math.max(9, this.ceiling))];
    this.refreshSteps = () => steps.forEach((refresh) => refresh());
    this.bindPlay();
    this.find(".reset").onclick = () => this.reset();
    this.bindPainting(this.find(".paint"));
    this.bindResult(this.find(".result"));
    this.reset();
  }

  reset() {
    Object.assign(this, copy(this.given), { at: 0, brush: this.ceiling, cursor: [0, 0] });
    this.setKernel(this.given.kernel, this.preset);
    // Begin where the output is largest: a first sum that is worth reading.
    const sizes = this.output.flat().map(Math.abs);
    this.go(sizes.indexOf(Math.max(...sizes)));
  }

  setKernel(rows, name) {
    this.texts = rows.map((row) => row.map((w) => written(typeof w === "number" ? Math.round(w * 1e4) / 1e4 : w)));
    this.kernel = rows.map((row) => row.map((w) => parseWeight(w)));
    this.find(".preset").value = name;
    const size = rows.length;
    const box = this.find(".weights");
    box.style.gridTemplateColumns = `repeat(${size}, auto)`;
    box.innerHTML = this.texts.map((row, y) => row.map((text, x) =>
      `<input class="weight" value="${text}" autocomplete="off" spellcheck="false" aria-label="kernel, row ${y}, column ${x}">`).join("")).join("");
    box.querySelectorAll("input").forEach((input, i) => {
      const [y, x] = [Math.floor(i / size), i % size];
      input.oninput = () => {
        const value = parseWeight(input.value);
        input.setAttribute("aria-invalid", value === null);
        if (value === null) return;
        this.kernel[y][x] = value;
        this.texts[y][x] = written(input.value.trim());
        this.find(".preset").value = "your own";
        this.draw();
      };
      input.onfocus = () => input.select();
      input.onblur = () => { input.value = this.texts[y][x]; input.removeAttribute("aria-invalid"); };
    });
    this.draw();
  }

  // All numbers of the output; null where the kernel does not fit even once.
  compute() {
    const { pixels, kernel, stride, padding, dilation } = this;
    const size = kernel.length;
    const length = (n) => Math.floor((n + 2 * padding - dilation * (size - 1) - 1) / stride) + 1;
    this.rows = length(pixels.length);
    this.columns = length(pixels[0].length);
    this.fits = this.rows > 0 && this.columns > 0;
    if (!this.fits) return;
    this.at = clamp(this.at, 0, this.rows * this.columns - 1);
    this.output = Array.from({ length: this.rows }, (_, y) => Array.from({ length: this.columns }, (_, x) =>
      this.taps(y, x).reduce((sum, tap) => sum + tap.pixel * tap.weight, 0)));
  }

  // What the kernel touches at one stop: pixel and weight, and where (in padded coordinates).
  taps(row, column) {
    const { pixels, kernel, stride, padding, dilation } = this;
    return kernel.flatMap((line, i) => line.map((weight, j) => {
      const [y, x] = [row * stride + i * dilation, column * stride + j * dilation];
      const pixel = pixels[y - padding]?.[x - padding] ?? 0;
      return { y, x, weight, pixel, text: this.texts[i][j] };
    }));
  }

  draw() {
    this.compute();
    this.refreshSteps();
    if (!this.fits) this.play(false);
    this.drawPicture();
    this.drawKernel();
    this.drawOutput();
    this.drawWords();
  }

  drawPicture() {
    const { pixels, padding } = this;
    const [height, width] = [pixels.length + 2 * padding, pixels[0].length + 2 * padding];
    const top = Math.max(this.ceiling, ...pixels.flat());
    const bottom = Math.min(this.floor, ...pixels.flat());
    let parts = "";
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = pixels[y - padding]?.[x - padding];
        const at = `x="${x * CELL + 1}" y="${y * CELL + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3"`;
        const text = say(value ?? 0);
        const gray = Math.round(24 + (226 * ((value ?? 0) - bottom)) / (top - bottom));
        const ink = gray > 117 ? "#000" : "#fff";
        const tapped = this.fits && this.current().some((tap) => tap.y === y && tap.x === x);
        const words = (style) => `<text x="${(x + 0.5) * CELL}" y="${(y + (tapped ? 0.36 : 0.5)) * CELL}" font-size="${fit(text, 16)}" ${style}>${text}</text>`;
        parts += value === undefined ? `<rect class="ring" ${at}/>${words('class="zero"')}`
          : `<rect class="cell" ${at} fill="rgb(${gray},${gray},${gray})"/>${words(`style="fill:${ink}"`)}`;
      }
    }
    if (this.fits) {
      const taps = this.current();
      const { y, x } = taps[0];
      const side = (this.dilation * (this.kernel.length - 1) + 1) * CELL;
      for (const tap of taps) {
        const text = `×${tap.text}`;
        parts += `<rect class="tap" x="${tap.x * CELL + 2}" y="${tap.y * CELL + 2}" width="${CELL - 4}" height="${CELL - 4}" rx="3"/>
          <rect class="pill" x="${tap.x * CELL + 2}" y="${tap.y * CELL + 25}" width="${CELL - 4}" height="13" rx="3"/>
          <text x="${(tap.x + 0.5) * CELL}" y="${tap.y * CELL + 32}" font-size="${fit(text, 11)}">${text}</text>`;
      }
      parts += `<rect class="span" x="${x * CELL}" y="${y * CELL}" width="${side}" height="${side}"/>`;
    }
    const [row, column] = this.cursor;
    parts += `<rect class="cursor" x="${(column + padding) * CELL + 3}" y="${(row + padding) * CELL + 3}" width="${CELL - 6}" height="${CELL - 6}" rx="3"/>`;
    this.canvas(".paint", height, width, parts);
  }

  drawKernel() {
    const most = Math.max(...this.kernel.flat().map(Math.abs));
    this.find(".weights").querySelectorAll("input").forEach((input, i) => {
      input.style.background = this.tint(this.kernel.flat()[i], most);
    });
  }

  drawOutput() {
    if (!this.fits) return this.canvas(".result", 1, 1, "");
    const most = Math.max(...this.output.flat().map(Math.abs));
    const parts = this.output.flatMap((line, y) => line.map((value, x) => {
      const text = say(value);
      const here = y * this.columns + x;
      return `<g class="${this.timer && here > this.at ? "later" : ""}">
        <rect class="cell" x="${x * CELL + 1}" y="${y * CELL + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3" style="fill:${this.tint(value, most)}"/>
        <text x="${(x + 0.5) * CELL}" y="${(y + 0.5) * CELL}" font-size="${fit(text, 16)}">${text}</text></g>`;
    }));
    const [y, x] = [Math.floor(this.at / this.columns), this.at % this.columns];
    parts.push(`<rect class="span" x="${x * CELL}" y="${y * CELL}" width="${CELL}" height="${CELL}"/>`);
    this.canvas(".result", this.rows, this.columns, parts.join(""));
  }

  current() {
    return this.taps(Math.floor(this.at / this.columns), this.at % this.columns);
  }

  drawWords() {
    const { pixels, kernel, stride, padding, dilation } = this;
    const [size, note, sum] = [kernel.length, this.find(".note"), this.find(".sum")];
    const formula = (n, result) => `⌊(${n} + 2·${padding} − ${dilation}·(${size} − 1) − 1) / ${stride}⌋ + 1 = <b>${say(result)}</b>`;
    const [h, w] = [pixels.length, pixels[0].length];
    this.find(".size").innerHTML = h === w ? `output size: ${formula(h, this.rows)}`
      : `output height: ${formula(h, this.rows)}<br>output width: ${formula(w, this.columns)}`;
    const scrub = this.find(".scrub");
    for (const control of this.shadowRoot.querySelectorAll(".play button, .scrub")) control.disabled = !this.fits;
    note.hidden = this.fits;
    if (!this.fits) {
      const [span, room] = [dilation * (size - 1) + 1, Math.min(h, w) + 2 * padding];
      note.textContent = `The kernel spans ${span} pixels, but the padded picture has only ${room}: it does not fit even once. Take more padding, less dilation or a smaller kernel.`;
      sum.textContent = "";
      return;
    }
    scrub.max = this.rows * this.columns - 1;
    scrub.value = this.at;
    const [row, column] = [Math.floor(this.at / this.columns), this.at % this.columns];
    const result = say(this.output[row][column]);
    const terms = this.current().map((tap, i) => {
      const weight = tap.weight < 0 || tap.text.includes("/") ? `(${tap.text})` : tap.text;
      return `<span class="term${tap.weight && tap.pixel ? "" : " off"}">${i ? "+ " : ""}${sayFactor(tap.pixel)}·${weight}</span>`;
    });
    sum.innerHTML = `<div class="title">the sum at row ${row}, column ${column}</div><div class="row">
      <div class="terms" style="grid-template-columns: repeat(${size}, auto)">${terms.join("")}</div><div>= <b>${result}</b></div></div>`;
    scrub.setAttribute("aria-valuetext", `row ${row}, column ${column}: ${result}`);
    if (!this.timer) this.find(".live").textContent = `row ${row}, column ${column}: the sum is ${result}`;
  }

}
if (!customElements.get("seg-sliding-window")) customElements.define("seg-sliding-window", SlidingWindow);
