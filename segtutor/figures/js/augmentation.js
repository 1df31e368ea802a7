// <seg-augmentation>: an augmentation turned by hand; the label map follows, or makes a mistake.

const VOID = 255;
const ZOOM = 6; // the label map is drawn this many times finer, so that it stays crisp

// name, label, lowest, highest, step, neutral, how it is written
const KNOBS = [
  ["angle", "rotate", -180, 180, 1, 0, (v) => `${say(v)}°`],
  ["scale", "scale", -1, 1, 0.02, 0, (v) => `× ${(2 ** v).toFixed(2)}`],
  ["across", "shift right", -50, 50, 1, 0, (v) => `${say(v)} %`],
  ["down", "shift down", -50, 50, 1, 0, (v) => `${say(v)} %`],
  ["shear", "shear", -45, 45, 1, 0, (v) => `${say(v)}°`],
  ["elastic", "elastic", 0, 10, 0.25, 0, (v) => `${say(v)} px`],
  ["bright", "brightness", 0.4, 1.6, 0.02, 1, (v) => `× ${v.toFixed(2)}`],
];
const MISTAKES = { mix: "interpolate the labels", zero: "fill with class 0", stay: "move the picture only" };

// PyTorch's bicubic weights of four neighbors.
const cubic = (t) => {
  const a = -0.75;
  const near = (x) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
};
// A small square grid, stretched to a size so that its corners are the corners.
const stretch = (nodes, height, width) => {
  const last = nodes.length - 1;
  const ticks = (n) => Array.from({ length: n }, (_, i) => {
    const place = (i * last) / (n - 1);
    const first = Math.floor(place);
    return [[-1, 0, 1, 2].map((k) => clamp(first + k, 0, last)), cubic(place - first)];
  });
  const [rows, columns] = [ticks(height), ticks(width)];
  return rows.map(([ys, wy]) => columns.map(([xs, wx]) =>
    ys.reduce((sum, y, i) => sum + wy[i] * xs.reduce((part, x, k) => part + wx[k] * nodes[y][x], 0), 0)));
};

class Augmentation extends SegFigure {
  css = `
    .board { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px; }
    .title { display: flex; justify-content: space-between; gap: 8px; margin: 0 0 6px; font-size: .8125rem; color: var(--soft); white-space: nowrap; }
    .read { min-height: 0; overflow: hidden; text-overflow: ellipsis; } canvas { display: block; width: 100%; height: auto; border-radius: 6px; } .photo { cursor: grab; touch-action: pan-y; }
    .photo:active { cursor: grabbing; } .map { cursor: crosshair; }
    .knobs { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 2px 24px; }
    .knob { display: grid; grid-template-columns: 5.2rem minmax(0, 1fr) 4rem; gap: 10px; align-items: center; }
    .knob output { text-align: right; font-size: .875rem; } .knob .label { white-space: nowrap; }
    .toggle[aria-pressed="true"] { border: 2px solid var(--accent); padding: 0 9px; font-weight: 600; }
    .toggle.wrong[aria-pressed="true"] { border-color: var(--warm); } .toggle[aria-pressed="true"]::before { content: "✓ "; }
    .group { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
    .counts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 10px 14px; margin: 16px 0 0; }
    .counts dt { color: var(--soft); font-size: .8125rem; line-height: 1.25; } .counts dd { margin: 0; font-weight: 600; font-size: 1.0625rem; }
    .counts div { display: flex; flex-direction: column; justify-content: flex-end; } .unit { font-weight: 400; font-size: .8125rem; color: var(--soft); }
    .bad dd { color: var(--warm); } .say { min-height: 1.4em; }
    .legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: .8125rem; }
    .chip { display: inline-block; width: 1em; height: 1em; border-radius: 3px; border: 1px solid var(--line); vertical-align: -0.12em; margin-right: .4em; }
    .chip.none { background: #fff; border: 2px solid #e5007d; }
    .chip.void { background: repeating-linear-gradient(135deg, #110d19 0 3px, #776f88 3px 4px); }
    @container (max-width: 560px) {
      .board { gap: 8px; } .knobs { grid-template-columns: minmax(0, 1fr); } .say { min-height: 2.8em; }
    }`;

  frame() {
    const knob = ([name, label, low, high, step]) => `<label class="knob"><span class="label">${label}</span>
      <input type="range" data-knob="${name}" min="${low}" max="${high}" step="${step}" aria-label="${label}"><output></output></label>`;
    const toggle = ([name, label]) => `<button class="toggle wrong" data-mistake="${name}" aria-pressed="false">${label}</button>`;
    const tile = (name, label) => `<div data-tile="${name}"><dt>${label}</dt><dd><span data-count="${name}"></span> <span class="unit"></span></dd></div>`;
    const { names, colors } = this.given;
    const chip = (name, i) => `<span><span class="chip" style="background:${escape(colors[i])}"></span>${i} ${escape(name)}</span>`;
    return `
      <div class="board">
        <div><div class="title">picture</div><canvas class="photo" tabindex="0" role="application"
          aria-label="Picture. Arrows shift it, r and R rotate, plus and minus scale, f flips."></canvas></div>
        <div><div class="title">label map<span class="read"></span></div><canvas class="map" role="img" aria-label="The label map of the picture."></canvas></div>
      </div>
      <div class="knobs">${KNOBS.map(knob).join("")}
        <div class="group"><button class="toggle flip" aria-pressed="false">flip</button><button class="dice">draw at random</button><button class="reset">start over</button></div></div>
      <div><div class="title">mistakes to try</div><div class="group" role="group" aria-label="mistakes to try">${Object.entries(MISTAKES).map(toggle).join("")}</div></div>
      <dl class="counts">${tile("outside", "from outside the picture")}${tile("invented", "of a class that no neighbor has")}${tile("agree", "labels that fit the picture")}</dl>
      <div class="say"></div>
      <div class="legend">${names.map(chip).join("")}<span><span class="chip void"></span>${VOID} void</span><span><span class="chip none"></span>invented</span></div>
      <div class="hidden live" aria-live="polite"></div>`;
  }

  start() {
    const { photo, runs, width, height, nodes } = this.given;
    this.labels = new Uint8Array(width * height);
    let end = 0;
    for (const run of runs.split(" ")) {
      const [label, length] = run.split("x").map(Number);
      this.labels.fill(label, end, (end += length));
    }
    this.waves = nodes.map((grid) => stretch(grid, height, width));
    Object.assign(this.find(".photo"), { width, height });
    Object.assign(this.find(".map"), { width: width * ZOOM, height: height * ZOOM });
    for (const slider of this.shadowRoot.querySelectorAll("[data-knob]")) {
      slider.oninput = () => this.turn(slider.dataset.knob, Number(slider.value));
      slider.onchange = () => this.announce();
    }
    for (const button of this.shadowRoot.querySelectorAll("[data-mistake]"))
      button.onclick = () => { this[button.dataset.mistake] = !this[button.dataset.mistake]; this.draw(); this.announce(); };
    this.find(".flip").onclick = () => { this.flip = !this.flip; this.draw(); this.announce(); };
    this.find(".reset").onclick = () => this.reset();
    this.find(".dice").onclick = () => this.dice();
    this.bindPhoto(this.find(".photo"));
    const map = this.find(".map");
    map.onpointermove = map.onpointerdown = (event) => this.point(event);
    map.onpointerleave = () => { this.find(".read").textContent = ""; };
    this.pixels = null; // until the picture has been read
    const picture = new Image();
    picture.onload = () => {
      const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
      pen.drawImage(picture, 0, 0);
      this.pixels = pen.getImageData(0, 0, width, height).data;
      this.draw();
    };
    picture.src = photo;
    this.reset();
  }

  reset() {
    for (const [name, , , , , neutral] of KNOBS) this[name] = neutral;
    Object.assign(this, { flip: false, mix: false, zero: false, stay: false });
    this.draw();
  }

  // As a training might draw it.
  dice() {
    const draw = (reach) => reach * (2 * Math.random() - 1);
    const whole = (reach) => Math.round(draw(reach));
    Object.assign(this, { flip: Math.random() < 0.5, angle: whole(15), scale: Math.round(50 * draw(0.6)) / 50, across: whole(15), down: whole(10),
      shear: whole(8), elastic: Math.round(8 * Math.random()) / 4, bright: 1 + Math.round(50 * draw(0.3)) / 50 });
    this.draw();
    this.announce();
  }

  turn(name, value) {
    const [, , low, high] = KNOBS.find(([knob]) => knob === name);
    this[name] = clamp(Math.round(100 * value) / 100, low, high);
    this.draw();
  }

  // The places, in the given picture, that the new pixels come from: one after the other, x and y.
  // Pixel centers are whole numbers here. Undone in turn: waves, shift, turn, scale, shear, flip.
  sources() {
    const { width, height } = this.given;
    const [angle, shear, scale] = [(this.angle * Math.PI) / 180, (this.shear * Math.PI) / 180, 2 ** this.scale];
    const [cos, sin, lean] = [Math.cos(angle), Math.sin(angle), Math.tan(shear)];
    const [shiftX, shiftY] = [(this.across / 100) * width, (this.down / 100) * height];
    const [midX, midY] = [(width - 1) / 2, (height - 1) / 2];
    const places = new Float64Array(2 * width * height);
    for (let row = 0, i = 0; row < height; row++) {
      for (let column = 0; column < width; column++, i += 2) {
        const x = column + this.elastic * this.waves[0][row][column] - midX - shiftX;
        const y = row + this.elastic * this.waves[1][row][column] - midY - shiftY;
        const back = (cos * x + sin * y) / scale;
        places[i + 1] = (cos * y - sin * x) / scale + midY;
        const sheared = back + lean * (places[i + 1] - midY) + midX;
        places[i] = this.flip ? width - 1 - sheared : sheared;
      }
    }
    return places;
  }

  // The labels as they should be, and as the chosen mistakes make them; which were invented.
  compute() {
    const { width, height } = this.given;
    const places = (this.places = this.sources());
    const fill = this.zero ? 0 : VOID;
    const count = width * height;
    const [right, shown, invented] = [new Uint8Array(count), new Uint8Array(count), new Uint8Array(count)];
    const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? fill : this.labels[y * width + x]);
    let outside = 0;
    for (let i = 0; i < count; i++) {
      const [x, y] = [places[2 * i], places[2 * i + 1]];
      const [column, row] = [Math.floor(x + 0.5), Math.floor(y + 0.5)];
      const inside = column >= 0 && row >= 0 && column < width && row < height;
      outside += !inside;
      right[i] = inside ? this.labels[row * width + column] : VOID;
      shown[i] = inside ? right[i] : fill;
      if (this.mix) {
        const [left, top] = [Math.floor(x), Math.floor(y)];
        const [dx, dy] = [x - left, y - top];
        const near = [[left, top, (1 - dx) * (1 - dy)], [left + 1, top, dx * (1 - dy)], [left, top + 1, (1 - dx) * dy], [left + 1, top + 1, dx * dy]];
        shown[i] = Math.round(near.reduce((sum, [a, b, weight]) => sum + weight * at(a, b), 0));
        invented[i] = near.every(([a, b, weight]) => weight < 1e-6 || at(a, b) !== shown[i]);
      }
      if (this.stay) [shown[i], invented[i]] = [this.labels[i], 0];
    }
    Object.assign(this, { right, shown, invented });
    this.counts = { outside, invented: invented.reduce((a, b) => a + b, 0), agree: right.reduce((sum, label, i) => sum + (label === shown[i]), 0) };
  }

  draw() {
    this.compute();
    for (const [name, , , , , , write] of KNOBS) {
      const slider = this.find(`[data-knob="${name}"]`);
      slider.value = this[name];
      slider.setAttribute("aria-valuetext", write(this[name]));
      slider.nextElementSibling.textContent = write(this[name]);
    }
    this.find(".flip").setAttribute("aria-pressed", this.flip);
    for (const button of this.shadowRoot.querySelectorAll("[data-mistake]")) button.setAttribute("aria-pressed", this[button.dataset.mistake]);
    if (this.pixels) this.drawPhoto();
    this.drawMap();
    this.drawWords();
  }

  drawPhoto() {
    const { width, height } = this.given;
    const pen = this.find(".photo").getContext("2d");
    const made = pen.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      const [x, y] = [this.places[2 * i], this.places[2 * i + 1]];
      const [left, top] = [Math.floor(x), Math.floor(y)];
      made.data[4 * i + 3] = 255;
      for (let k = 0; k < 4; k++) {
        const [column, row] = [left + (k & 1), top + (k >> 1)];
        if (column < 0 || row < 0 || column >= width || row >= height) continue;
        const weight = this.bright * (k & 1 ? x - left : 1 - x + left) * (k >> 1 ? y - top : 1 - y + top);
        for (let c = 0; c < 3; c++) made.data[4 * i + c] += weight * this.pixels[4 * (row * width + column) + c];
      }
    }
    pen.putImageData(made, 0, 0);
  }

  colorOf(label) {
    return label === VOID ? this.given.colors.at(-1) : this.given.colors[label] ?? "#ffffff";
  }

  // Runs of one label, hatched void, a dark line where two classes meet, invented pixels framed.
  drawMap() {
    const { width, height } = this.given;
    const pen = this.find(".map").getContext("2d");
    const at = (y, x) => this.shown[y * width + x];
    for (let y = 0; y < height; y++) {
      for (let x = 0, end; x < width; x = end) {
        for (end = x + 1; end < width && at(y, end) === at(y, x); ) end++;
        pen.fillStyle = at(y, x) < this.given.names.length || at(y, x) === VOID ? this.colorOf(at(y, x)) : "#ffffff";
        pen.fillRect(x * ZOOM, y * ZOOM, (end - x) * ZOOM, ZOOM);
      }
    }
    pen.strokeStyle = "#776f88";
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        if (at(y, x) === VOID && (x + y) % 2 === 0) { pen.moveTo(x * ZOOM, (y + 1) * ZOOM); pen.lineTo((x + 1) * ZOOM, y * ZOOM); }
    pen.stroke();
    pen.fillStyle = "#0b0b12d9";
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (x + 1 < width && at(y, x) !== at(y, x + 1)) pen.fillRect((x + 1) * ZOOM - 1, y * ZOOM, 2, ZOOM);
        if (y + 1 < height && at(y, x) !== at(y + 1, x)) pen.fillRect(x * ZOOM, (y + 1) * ZOOM - 1, ZOOM, 2);
      }
    }
    pen.strokeStyle = "#e5007d";
    pen.lineWidth = 2;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        if (this.invented[y * width + x]) pen.strokeRect(x * ZOOM + 1, y * ZOOM + 1, ZOOM - 2, ZOOM - 2);
  }

  drawWords() {
    const all = this.labels.length;
    const { outside, invented, agree } = this.counts;
    const share = (n) => `${((100 * n) / all).toFixed(1)} %`;
    const units = { outside: share(outside), invented: share(invented), agree: share(agree) };
    for (const [name, unit] of Object.entries(units)) {
      const tile = this.find(`[data-tile="${name}"]`);
      tile.querySelector("[data-count]").textContent = this.counts[name];
      tile.querySelector(".unit").textContent = unit;
    }
    this.find('[data-tile="invented"]').classList.toggle("bad", invented > 0);
    this.find('[data-tile="agree"]').classList.toggle("bad", agree < all);
    this.find(".say").textContent = this.sentence();
  }

  sentence() {
    const { outside, invented, agree } = this.counts;
    const { names } = this.given;
    if (this.stay) return agree === this.labels.length ? "Nothing has moved yet: turn a slider." : "The picture moved, the labels did not: the network is taught what is not there.";
    if (this.mix && invented) {
      const strange = [...new Set(this.shown)].filter((label) => label >= names.length && label !== VOID).length;
      return strange ? `Labels were averaged like colors. ${strange} of the numbers that came out are no class at all.` : "Labels were averaged like colors: classes appear where nobody drew them.";
    }
    if (this.mix) return "Labels are averaged like colors: move something by less than a pixel.";
    if (this.zero && outside) return `What came in from outside is called ${names[0]}, and the network is taught so.`;
    if (outside) return "What came in from outside is void: the loss leaves it out.";
    return "Every label went where its pixel went.";
  }

  announce() {
    const { outside, invented, agree } = this.counts;
    this.find(".live").textContent = `${outside} pixels from outside, ${invented} invented, ${agree} labels fit. ${this.sentence()}`;
  }

  point(event) {
    const { width, height, names } = this.given;
    const box = this.find(".map").getBoundingClientRect();
    const x = clamp(Math.floor(((event.clientX - box.left) / box.width) * width), 0, width - 1);
    const y = clamp(Math.floor(((event.clientY - box.top) / box.height) * height), 0, height - 1);
    const label = this.shown[y * width + x];
    this.find(".read").textContent = `${y}, ${x}: ${label} ${label === VOID ? "void" : names[label] ?? "is no class"}`;
  }

  bindPhoto(canvas) {
    let from;
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      from = [event.clientX, event.clientY, this.across, this.down];
    };
    canvas.onpointermove = (event) => {
      if (!from) return;
      const box = canvas.getBoundingClientRect();
      this.turn("across", Math.round(from[2] + (100 * (event.clientX - from[0])) / box.width));
      this.turn("down", Math.round(from[3] + (100 * (event.clientY - from[1])) / box.height));
    };
    canvas.onpointerup = canvas.onpointercancel = () => {
      if (from) this.announce();
      from = null;
    };
    canvas.onkeydown = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const move = { ArrowLeft: ["across", -1], ArrowRight: ["across", 1], ArrowUp: ["down", -1], ArrowDown: ["down", 1], r: ["angle", 5], R: ["angle", -5],
        "+": ["scale", 0.1], "-": ["scale", -0.1] }[event.key];
      if (move) this.turn(move[0], this[move[0]] + move[1]);
      else if (event.key === "f") { this.flip = !this.flip; this.draw(); }
      else return;
      event.preventDefault();
      this.announce();
    };
  }
}
if (!customElements.get("seg-augmentation")) customElements.define("seg-augmentation", Augmentation);
