// <seg-unpooling>: a map that one can paint, its maxima and their places, and three ways back.

const WAYS = ["by indices", "nearest", "bilinear"];
const BELL = [1, 2, 1];
const CORNERS = ["upper left", "upper right", "lower left", "lower right"];

class Unpooling extends WindowFigure {
  css = WINDOW_CSS + `
    .winner { fill: none; stroke: var(--accent); stroke-width: 4; }
    .quarter { fill: none; stroke: var(--line); } .quarter.here { fill: var(--accent); stroke: var(--accent); }
    .index { font-size: 9.5px; opacity: .75; } .nothing text { opacity: .3; }
    .words { min-height: 2.8em; } .words b { color: var(--warm); } .facts { color: var(--soft); font-size: .875rem; }
    .board { align-items: center; } .conv[aria-pressed="true"] { border: 2px solid var(--accent); font-weight: 600; }
    .conv[aria-pressed="true"]::before { content: "✓ "; } .conv { min-height: 38px; }
    @container (max-width: 620px) {
      .board { flex-wrap: wrap; justify-content: center; } .sign { display: none; }
      .panel.input, .panel.home { flex: 1 1 100% !important; } .panel.output { flex: 0 1 66% !important; } .words { min-height: 5.6em; }
    }`;

  frame() {
    return `
      <div class="bar">
        <label class="field"><span class="label">way back</span><select class="way" aria-label="way back">
          ${WAYS.map((way) => `<option>${way}</option>`).join("")}</select></label>
        <button class="conv" aria-pressed="false">then one 3×3 convolution</button>
      </div>
      <div class="board">
        <div class="panel input"><div class="title">map</div><svg class="paint" tabindex="0" role="application"
          aria-label="Map. Arrows move, digits set a pixel, plus and minus change it, space paints."></svg></div>
        <div class="sign" aria-hidden="true">→</div>
        <div class="panel output"><div class="title">maxima and places</div><svg class="result" tabindex="0" role="application"
          aria-label="Maxima. Arrows choose a window."></svg></div>
        <div class="sign" aria-hidden="true">→</div>
        <div class="panel home"><div class="title">back</div><svg class="back" role="img" aria-label="The map that came back."></svg></div>
      </div>
      <div class="words"></div>
      <div class="facts" role="status"></div>
      <div class="bar">${this.step("brush", "paint with")}<button class="reset end">start over</button></div>
      <div class="hidden live" aria-live="polite"></div>`;
  }

  start() {
    const all = this.given.pixels.flat();
    Object.assign(this, { floor: Math.min(0, ...all), ceiling: Math.max(1, ...all), padding: 0, fits: true });
    const refresh = this.bindStep("brush", Math.floor(this.floor), Math.max(9, this.ceiling),
      () => this.brush, (value) => { this.brush = value; refresh(); });
    this.refresh = refresh;
    this.find(".way").onchange = () => this.draw();
    this.find(".conv").onclick = () => { this.convolve = !this.convolve; this.draw(); };
    this.find(".reset").onclick = () => this.reset();
    this.bindPainting(this.find(".paint"));
    this.bindResult(this.find(".result"));
    this.reset();
  }

  reset() {
    Object.assign(this, copy(this.given), { at: 1, brush: Math.max(9, this.ceiling), cursor: [0, 0], convolve: false });
    this.find(".way").value = WAYS[0];
    this.draw();
  }

  // The window of a maximum, the pixels of it that lie in the map, and the first largest of them.
  pool(row, column) {
    const cells = [0, 1, 2, 3].map((code) => ({ code, y: 2 * row + (code >> 1), x: 2 * column + (code & 1) }))
      .filter(({ y, x }) => this.pixels[y]?.[x] !== undefined)
      .map((cell) => ({ ...cell, value: this.pixels[cell.y][cell.x] }));
    const winner = cells.reduce((best, cell) => (cell.value > best.value ? cell : best));
    return { cells, winner };
  }

  compute() {
    const { pixels } = this;
    const [height, width] = [pixels.length, pixels[0].length];
    [this.rows, this.columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
    const map = (h, w, value) => Array.from({ length: h }, (_, y) => Array.from({ length: w }, (_, x) => value(y, x)));
    this.output = map(this.rows, this.columns, (y, x) => this.pool(y, x));
    this.way = this.find(".way").value;
    if (this.way === "by indices") {
      this.back = map(height, width, () => 0);
      for (const { winner } of this.output.flat()) this.back[winner.y][winner.x] = winner.value;
    } else if (this.way === "nearest") {
      this.back = map(height, width, (y, x) =>
        this.output[Math.floor((y * this.rows) / height)][Math.floor((x * this.columns) / width)].winner.value);
    } else {
      const mix = (place, n, from) => {
        const at = Math.max(0, ((place + 0.5) * from) / n - 0.5);
        const low = Math.floor(at);
        return [low, Math.min(low + 1, from - 1), at - low];
      };
      this.back = map(height, width, (y, x) => {
        const [top, bottom, v] = mix(y, height, this.rows);
        const [left, right, u] = mix(x, width, this.columns);
        const at = (r, c) => this.output[r][c].winner.value;
        return (1 - v) * ((1 - u) * at(top, left) + u * at(top, right)) + v * ((1 - u) * at(bottom, left) + u * at(bottom, right));
      });
    }
    if (!this.convolve) return;
    const came = this.back;
    // A quarter of an unpooled map are numbers: the same bell, four times as strong, makes up for it.
    const strength = this.way === "by indices" ? 4 : 16;
    this.back = map(height, width, (y, x) => BELL.reduce((sum, down, i) => sum + BELL.reduce(
      (line, across, j) => line + (down * across * (came[y + i - 1]?.[x + j - 1] ?? 0)) / strength, 0), 0));
  }

  draw() {
    this.compute();
    this.refresh();
    this.find(".conv").setAttribute("aria-pressed", this.convolve);
    const [row, column] = [Math.floor(this.at / this.columns), this.at % this.columns];
    const window_ = (size) => `<rect class="span" x="${column * size * CELL}" y="${row * size * CELL}" width="${size * CELL}" height="${size * CELL}"/>`;
    const { winner } = this.output[row][column];
    const { pixels } = this;
    const low = Math.min(this.floor, ...pixels.flat()), high = Math.max(this.ceiling, ...pixels.flat());
    const cell = (value, y, x, kind = "") => {
      const gray = Math.round(24 + (226 * (clamp(value, low, high) - low)) / (high - low));
      const text = say(value);
      return `<g class="${kind}"><rect class="cell" x="${x * CELL + 1}" y="${y * CELL + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3" fill="rgb(${gray},${gray},${gray})"/>
        <text class="value" x="${(x + 0.5) * CELL}" y="${(y + 0.5) * CELL}" font-size="${fit(text, 16)}" style="fill:${gray > 117 ? "#000" : "#fff"}">${text}</text></g>`;
    };
    const mark = `<rect class="winner" x="${winner.x * CELL + 4}" y="${winner.y * CELL + 4}" width="${CELL - 8}" height="${CELL - 8}" rx="4"/>`;
    const [y, x] = this.cursor;
    const cursor = `<rect class="cursor" x="${x * CELL + 3}" y="${y * CELL + 3}" width="${CELL - 6}" height="${CELL - 6}" rx="3"/>`;
    const whole = (map) => map.map((line, r) => line.map((value, k) => cell(value, r, k)).join("")).join("");
    const [height, width] = [pixels.length, pixels[0].length];
    this.canvas(".paint", 2 * this.rows, 2 * this.columns, whole(pixels) + mark + window_(2) + cursor);
    this.canvas(".back", 2 * this.rows, 2 * this.columns, whole(this.back) + (this.way === "by indices" ? mark : "") + window_(2));
    this.canvas(".result", this.rows, this.columns, this.output.map((line, r) => line.map((found, k) => this.place(found, r, k)).join("")).join("") + window_(1));
    // Larger cells: each holds a number, an index and a window of four.
    Object.assign(this.find(".output").style, { flex: `${1.7 * this.columns} 1 0`, maxWidth: `${1.7 * this.columns * CELL}px` });
    this.say_(row, column, height, width);
  }

  // A maximum, its index, and a window of four quarters with the one that it came from.
  place({ winner }, y, x) {
    const most = Math.max(...this.output.flat().map((found) => Math.abs(found.winner.value)));
    const text = say(winner.value);
    const quarters = CORNERS.map((_, code) => `<rect class="quarter ${code === winner.code ? "here" : ""}" x="${(x + 0.66) * CELL + 5 * (code & 1)}"
      y="${(y + 0.66) * CELL + 5 * (code >> 1)}" width="5" height="5"/>`).join("");
    return `<rect class="cell" x="${x * CELL + 1}" y="${y * CELL + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3" style="fill:${this.tint(winner.value, most)}"/>
      <text class="value" x="${(x + 0.5) * CELL}" y="${(y + 0.36) * CELL}" font-size="${fit(text, 15)}">${text}</text>
      <text class="index" x="${(x + 0.34) * CELL}" y="${(y + 0.79) * CELL}">#${winner.y * this.pixels[0].length + winner.x}</text>${quarters}`;
  }

  say_(row, column, height, width) {
    const { cells, winner } = this.output[row][column];
    const listed = cells.map(({ value }) => say(value)).join(", ");
    const back = {
      "by indices": `By its index it goes back to row ${winner.y}, column ${winner.x}, with zeros around it.`,
      nearest: "Nearest: it fills its window, wherever in it it stood.",
      bilinear: "Bilinear: it is mixed with its neighbors, wherever in its window it stood.",
    }[this.way];
    const then = this.convolve ? " Then the bell 1, 2, 1 mixes each pixel with its eight neighbors." : "";
    this.find(".words").innerHTML = `Largest of ${listed}: <b>${say(winner.value)}</b>, ${CORNERS[winner.code]}; index ${winner.y}·${width} + ${winner.x} = <b>${winner.y * width + winner.x}</b>. ${back}${then}`;
    const all = this.back.flat();
    const error = all.reduce((sum, value, i) => sum + (value - this.pixels[Math.floor(i / width)][i % width]) ** 2, 0) / all.length;
    this.find(".facts").textContent = `Not zero: ${all.filter((value) => Math.abs(value) > 1e-9).length} of ${height * width}. Mean squared difference from the map: ${say(error)}.`;
    this.find(".live").textContent = `window row ${row}, column ${column}: ${say(winner.value)}, ${CORNERS[winner.code]}`;
  }
}
if (!customElements.get("seg-unpooling")) customElements.define("seg-unpooling", Unpooling);
