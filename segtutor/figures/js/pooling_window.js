// <seg-pooling-window>: a pooling window over pixels that one can paint, and the way back.

const MODES = ["max", "mean", "mean, padding left out"];

class PoolingWindow extends WindowFigure {
  css = WINDOW_CSS + `
    .winner { fill: none; stroke: var(--accent); stroke-width: 4; } .crown { fill: var(--accent); }
    .index { font-size: 9.5px; opacity: .75; } .nothing text { opacity: .3; }
    .words { min-height: 2.8em; } .words b { color: var(--warm); font-size: 1.15rem; }
    .board { align-items: flex-start; } .sign { padding-top: 52px; }
    .ceil[aria-pressed="true"] { border: 2px solid var(--accent); font-weight: 600; } .ceil[aria-pressed="true"]::before { content: "✓ "; }
    @container (max-width: 620px) {
      .board { flex-wrap: wrap; justify-content: flex-start; } .sign { display: none; }
      .panel.input, .panel.output, .panel.home { flex: 1 1 45% !important; max-width: 100% !important; }
      .panel.input { flex-basis: 100% !important; } .size { font-size: .8125rem; }
    }`;

  frame() {
    return `
      <div class="bar">
        <label class="field"><span class="label">take the</span><select class="mode" aria-label="what is taken">
          ${MODES.map((mode) => `<option>${mode}</option>`).join("")}</select></label>
        ${this.step("size", "window")}${this.step("stride", "stride")}${this.step("padding", "padding")}
        <button class="ceil" aria-pressed="false">ceil_mode</button>
      </div>
      <div class="board">
        <div class="panel input"><div class="title">picture</div><svg class="paint" tabindex="0" role="application"
          aria-label="Picture. Arrows move, digits set a pixel, plus and minus change it, space paints."></svg></div>
        <div class="sign" aria-hidden="true">→</div>
        <div class="panel output"><div class="title">pooled, with indices</div><svg class="result" tabindex="0" role="application"
          aria-label="Pooled map. Arrows move the window."></svg></div>
        <div class="sign back-sign" aria-hidden="true">→</div>
        <div class="panel home"><div class="title">unpooled</div><svg class="unpooled" role="img" aria-label="The maxima in their places, zeros elsewhere."></svg></div>
      </div>
      <div class="note" role="status" hidden></div>
      ${this.playBar()}
      <div class="words"></div>
      <div class="size"></div>
      <div class="bar">${this.step("brush", "paint with")}<button class="reset end">start over</button></div>
      <div class="hidden live" aria-live="polite"></div>`;
  }

  start() {
    const all = this.given.pixels.flat();
    this.floor = Math.min(0, ...all);
    this.ceiling = Math.max(1, ...all);
    const bind = (name, low, high) =>
      this.bindStep(name, low, high, () => this[name], (value) => { this[name] = value; this.draw(); });
    const steps = [bind("size", 1, 4), bind("stride", 1, 4), bind("padding", 0, 2),
      bind("brush", Math.floor(this.floor), Math.max(9, this.ceiling))];
    this.refreshSteps = () => steps.forEach((refresh) => refresh());
    this.find(".mode").onchange = (event) => {
      this.mode = event.target.value;
      this.draw();
    };
    this.find(".ceil").onclick = () => {
      this.ceil = !this.ceil;
      this.draw();
    };
    this.bindPlay();
    this.find(".reset").onclick = () => this.reset();
    this.bindPainting(this.find(".paint"));
    this.bindResult(this.find(".result"));
    this.reset();
  }

  reset() {
    Object.assign(this, copy(this.given), { at: 0, ceil: false, brush: this.ceiling, cursor: [0, 0] });
    this.find(".mode").value = this.mode;
    this.draw();
  }

  // How many windows; a last one may hang over the end if it starts before the padding there.
  places(n) {
    const { size, stride, padding, ceil } = this;
    const steps = (n + 2 * padding - size) / stride;
    let count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    if (ceil && (count - 1) * stride >= n + padding) count -= 1;
    return count;
  }

  // The pixels under a window, in padded coordinates; value is undefined outside the picture.
  seen(row, column) {
    const { pixels, size, stride, padding } = this;
    const [height, width] = [pixels.length + 2 * padding, pixels[0].length + 2 * padding];
    return Array.from({ length: size * size }, (_, i) => {
      const [y, x] = [row * stride + Math.floor(i / size), column * stride + (i % size)];
      return { y, x, value: pixels[y - padding]?.[x - padding], padded: y < height && x < width };
    });
  }

  pool(row, column) {
    const cells = this.seen(row, column);
    const real = cells.filter(({ value }) => value !== undefined);
    if (this.mode === "max") {
      const winner = real.reduce((best, cell) => (best === null || cell.value > best.value ? cell : best), null);
      return { cells, winner, value: winner.value, index: (winner.y - this.padding) * this.pixels[0].length + winner.x - this.padding };
    }
    const divisor = this.mode === "mean" ? cells.filter(({ padded }) => padded).length : real.length;
    const sum = real.reduce((total, { value }) => total + value, 0);
    return { cells, sum, divisor, value: sum / divisor };
  }

  compute() {
    const { pixels } = this;
    this.rows = this.places(pixels.length);
    this.columns = this.places(pixels[0].length);
    this.fits = this.rows > 0 && this.columns > 0 && this.padding <= Math.floor(this.size / 2);
    if (!this.fits) return;
    this.at = clamp(this.at, 0, this.rows * this.columns - 1);
    this.output = Array.from({ length: this.rows }, (_, y) => Array.from({ length: this.columns }, (_, x) => this.pool(y, x)));
  }

  draw() {
    this.compute();
    this.refreshSteps();
    if (!this.fits) this.play(false);
    this.find(".ceil").setAttribute("aria-pressed", this.ceil);
    this.drawPicture();
    this.drawOutput();
    this.drawHome();
    this.drawWords();
  }

  current() {
    return this.output[Math.floor(this.at / this.columns)][this.at % this.columns];
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
        const text = value === undefined ? (this.mode === "max" ? "−∞" : "0") : say(value);
        const gray = Math.round(24 + (226 * ((value ?? 0) - bottom)) / (top - bottom));
        const words = (style) => `<text x="${(x + 0.5) * CELL}" y="${(y + 0.5) * CELL}" font-size="${fit(text, 16)}" ${style}>${text}</text>`;
        parts += value === undefined ? `<rect class="ring" ${at}/>${words('class="zero"')}`
          : `<rect class="cell" ${at} fill="rgb(${gray},${gray},${gray})"/>${words(`style="fill:${gray > 117 ? "#000" : "#fff"}"`)}`;
      }
    }
    if (this.fits) {
      const { cells, winner } = this.current();
      if (winner) {
        const [x, y] = [winner.x * CELL, winner.y * CELL];
        parts += `<rect class="winner" x="${x + 4}" y="${y + 4}" width="${CELL - 8}" height="${CELL - 8}" rx="4"/>
          <path class="crown" d="M${x + 4} ${y + 4}h13l-13 13z"/>`;
      }
      // What hangs over the end is drawn too: the window is as large there as elsewhere.
      parts += `<rect class="span" x="${cells[0].x * CELL}" y="${cells[0].y * CELL}" width="${this.size * CELL}" height="${this.size * CELL}"/>`;
    }
    const [row, column] = this.cursor;
    parts += `<rect class="cursor" x="${(column + padding) * CELL + 3}" y="${(row + padding) * CELL + 3}" width="${CELL - 6}" height="${CELL - 6}" rx="3"/>`;
    const over = (n, count) => (this.fits ? Math.max(n, (count - 1) * this.stride + this.size) : n);
    this.canvas(".paint", over(height, this.rows), over(width, this.columns), parts);
  }

  drawOutput() {
    if (!this.fits) return this.canvas(".result", 1, 1, "");
    const most = Math.max(...this.output.flat().map(({ value }) => Math.abs(value)));
    const parts = this.output.flatMap((line, y) => line.map(({ value, index }, x) => {
      const text = say(value);
      const here = y * this.columns + x;
      const under = index === undefined ? "" : `<text class="index" x="${(x + 0.5) * CELL}" y="${(y + 0.8) * CELL}">#${index}</text>`;
      return `<g class="${this.timer && here > this.at ? "later" : ""}">
        <rect class="cell" x="${x * CELL + 1}" y="${y * CELL + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3" style="fill:${this.tint(value, most)}"/>
        <text class="value" x="${(x + 0.5) * CELL}" y="${(y + (under ? 0.42 : 0.5)) * CELL}" font-size="${fit(text, 16)}">${text}</text>${under}</g>`;
    }));
    const [y, x] = [Math.floor(this.at / this.columns), this.at % this.columns];
    parts.push(`<rect class="span" x="${x * CELL}" y="${y * CELL}" width="${CELL}" height="${CELL}"/>`);
    this.canvas(".result", this.rows, this.columns, parts.join(""));
  }

  // The way back: each maximum at the pixel that its index names, zeros elsewhere.
  drawHome() {
    const home = this.mode === "max" && this.fits;
    for (const part of [".home", ".back-sign"]) this.find(part).style.display = home ? "" : "none";
    this.find(".output .title").textContent = home ? "pooled, with indices" : "pooled";
    if (!home) return;
    const [height, width] = [this.pixels.length, this.pixels[0].length];
    const values = {};
    for (const { value, index } of this.output.flat()) values[index] = value;
    const most = Math.max(...Object.values(values).map(Math.abs));
    const parts = Array.from({ length: height * width }, (_, i) => {
      const [y, x] = [Math.floor(i / width), i % width];
      const text = say(values[i] ?? 0);
      return `<g class="${values[i] === undefined ? "nothing" : ""}"><rect class="cell" x="${x * CELL + 1}" y="${y * CELL + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3"
        style="fill:${this.tint(values[i] ?? 0, most)}"/><text x="${(x + 0.5) * CELL}" y="${(y + 0.5) * CELL}" font-size="${fit(text, 16)}">${text}</text></g>`;
    });
    this.canvas(".unpooled", height, width, parts.join(""));
  }

  drawWords() {
    const { pixels, size, stride, padding, ceil } = this;
    const [note, words, scrub] = [this.find(".note"), this.find(".words"), this.find(".scrub")];
    const [h, w] = [pixels.length, pixels[0].length];
    const round = ceil ? ["⌈", "⌉"] : ["⌊", "⌋"];
    const formula = (n, result) => {
      const plain = Math.ceil((n + 2 * padding - size) / stride) + 1;
      const dropped = ceil && plain > result ? ", less 1: that window would start behind the picture" : "";
      return `${round[0]}(${n} + 2·${padding} − ${size}) / ${stride}${round[1]} + 1${dropped} = <b>${say(result)}</b>`;
    };
    for (const control of this.shadowRoot.querySelectorAll(".play button, .scrub")) control.disabled = !this.fits;
    note.hidden = this.fits;
    if (!this.fits) {
      this.find(".size").textContent = words.textContent = "";
      note.textContent = padding > Math.floor(size / 2)
        ? `Padding ${padding} is more than half of a window of ${size}: such a window could lie in the padding alone.`
        : `A window of ${size} does not fit into ${Math.min(h, w) + 2 * padding} pixels: take a smaller one, or more padding.`;
      return;
    }
    this.find(".size").innerHTML = h === w ? `windows along each axis: ${formula(h, this.rows)}`
      : `windows down: ${formula(h, this.rows)}<br>across: ${formula(w, this.columns)}`;
    scrub.max = this.rows * this.columns - 1;
    scrub.value = this.at;
    const { cells, winner, value, index, sum, divisor } = this.current();
    const real = cells.filter((cell) => cell.value !== undefined);
    const [row, column] = [Math.floor(this.at / this.columns), this.at % this.columns];
    const listed = real.map((cell) => (winner ? say(cell.value) : sayFactor(cell.value))).join(winner ? ", " : " + ");
    words.innerHTML = winner
      ? `largest of ${listed}: <b>${say(value)}</b>, from row ${winner.y - padding}, column ${winner.x - padding}. Its index is ${winner.y - padding}·${w} + ${winner.x - padding} = ${index}.`
      : `(${listed}) / ${divisor} = ${say(sum)} / ${divisor} = <b>${say(value)}</b>`;
    const told = `row ${row}, column ${column}: ${say(value)}`;
    scrub.setAttribute("aria-valuetext", told);
    if (!this.timer) this.find(".live").textContent = told;
  }
}
if (!customElements.get("seg-pooling-window")) customElements.define("seg-pooling-window", PoolingWindow);
