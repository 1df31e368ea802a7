// <seg-wipe>: a picture and its label map under one slider, and the class under the pointer.

const ZOOM = 3; // the label map is drawn this many times finer, so that outlines stay thin

class Wipe extends SegFigure {
  css = `
    .picture { position: relative; touch-action: pan-y; overflow: hidden; border-radius: 8px; cursor: ew-resize; }
    .picture img, .picture canvas { display: block; width: 100%; height: auto; }
    .picture canvas { position: absolute; inset: 0; height: 100%; }
    .picture img { image-rendering: auto; }
    .line { position: absolute; top: 0; bottom: 0; width: 3px; margin-left: -1.5px; background: #fff; box-shadow: 0 0 0 1px #0007; pointer-events: none; }
    .line::after { content: "⟷"; position: absolute; top: 50%; left: 50%; transform: translate(-50%, -50%); width: 36px; height: 36px;
      display: grid; place-items: center; border-radius: 50%; background: #fff; color: #111; box-shadow: 0 1px 5px #0008; font-size: 18px; }
    .cross { position: absolute; width: 17px; height: 17px; margin: -8.5px; border: 2px solid #fff; border-radius: 50%; box-shadow: 0 0 0 1.5px #111, inset 0 0 0 1.5px #111; pointer-events: none; }
    .chip { display: inline-block; width: 1em; height: 1em; border-radius: 3px; border: 1px solid var(--line); vertical-align: -0.12em; margin-right: .45em; }
    .legend { display: flex; flex-wrap: wrap; gap: 6px; }
    .legend button { font-size: .8125rem; padding: 0 9px; } .legend button[aria-pressed="true"] { border: 2px solid var(--warm); padding: 0 8px; }
    .legend .share { color: var(--soft); } .wiper { display: flex; gap: 10px; align-items: center; }
    .read { font-weight: 600; } .read .label { font-weight: 400; margin-left: .4em; }`;

  frame() {
    return `
      <div class="picture" tabindex="0" role="application"
        aria-label="Picture with its label map. Arrows move the pointer and read the class.">
        <img alt=""><canvas></canvas><div class="line"></div><div class="cross" hidden></div></div>
      <label class="wiper"><span class="label">picture</span>
        <input type="range" min="0" max="100" value="50" aria-label="how far the picture covers the label map">
        <span class="label">labels</span></label>
      <div class="read" aria-live="polite"></div>
      <div class="legend" role="group" aria-label="classes; press one to see it alone"></div>`;
  }

  start() {
    const { photo, runs, width, height } = this.given;
    this.labels = new Uint8Array(width * height);
    let end = 0;
    this.shares = new Map();
    for (const run of runs.split(" ")) {
      const [label, length] = run.split("x").map(Number);
      this.labels.fill(label, end, (end += length));
      this.shares.set(label, (this.shares.get(label) || 0) + length);
    }
    this.find("img").src = photo;
    this.find("img").width = width;
    this.find("img").height = height;
    Object.assign(this.find("canvas"), { width: width * ZOOM, height: height * ZOOM });
    this.alone = null;
    this.cursor = [Math.floor(height / 2), Math.floor(width / 2)];
    this.paint();
    this.drawLegend();
    const slider = this.find("input");
    slider.oninput = () => this.wipe(Number(slider.value));
    this.bindPicture(this.find(".picture"));
    this.wipe(50);
    this.read(...this.cursor);
  }

  nameOf(label) {
    return label === 255 ? "void" : this.given.names[label];
  }

  colorOf(label) {
    return label === 255 ? this.given.colors.at(-1) : this.given.colors[label];
  }

  describe(label) {
    const share = (100 * (this.shares.get(label) || 0)) / this.labels.length;
    return [`<span class="chip" style="background:${escape(this.colorOf(label))}"></span>${label} ${escape(this.nameOf(label))}`, `${share.toFixed(1)} %`];
  }

  // Runs of one class, then a dark line wherever two classes meet.
  paint() {
    const { width, height } = this.given;
    const pen = this.find("canvas").getContext("2d");
    const at = (y, x) => this.labels[y * width + x];
    pen.clearRect(0, 0, width * ZOOM, height * ZOOM);
    for (let y = 0; y < height; y++) {
      for (let x = 0, end; x < width; x = end) {
        for (end = x + 1; end < width && at(y, end) === at(y, x); ) end++;
        pen.globalAlpha = this.alone === null || this.alone === at(y, x) ? 1 : 0.18;
        pen.fillStyle = this.colorOf(at(y, x));
        pen.fillRect(x * ZOOM, y * ZOOM, (end - x) * ZOOM, ZOOM);
      }
    }
    pen.globalAlpha = 0.85;
    pen.fillStyle = "#0b0b12";
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (x + 1 < width && at(y, x) !== at(y, x + 1)) pen.fillRect((x + 1) * ZOOM - 1, y * ZOOM, 1, ZOOM);
        if (y + 1 < height && at(y, x) !== at(y + 1, x)) pen.fillRect(x * ZOOM, (y + 1) * ZOOM - 1, ZOOM, 1);
      }
    }
  }

  drawLegend() {
    const box = this.find(".legend");
    const labels = [...this.shares.keys()].sort((a, b) => a - b);
    box.innerHTML = labels.map((label) => {
      const [name, share] = this.describe(label);
      return `<button data-label="${label}" aria-pressed="false">${name} <span class="share">${share}</span></button>`;
    }).join("");
    box.onclick = (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const label = Number(button.dataset.label);
      this.alone = this.alone === label ? null : label;
      for (const other of box.children) other.setAttribute("aria-pressed", Number(other.dataset.label) === this.alone);
      this.paint();
    };
  }

  // The label map shows to the right of the line.
  wipe(percent) {
    this.find("input").value = percent;
    this.find("canvas").style.clipPath = `inset(0 0 0 ${percent}%)`;
    this.find(".line").style.left = `${percent}%`;
  }

  read(row, column) {
    const { width, height } = this.given;
    this.cursor = [clamp(row, 0, height - 1), clamp(column, 0, width - 1)];
    const [y, x] = this.cursor;
    const [name, share] = this.describe(this.labels[y * width + x]);
    this.find(".read").innerHTML = `${name} <span class="label">${share} of all pixels; here row ${y}, column ${x}</span>`;
    Object.assign(this.find(".cross").style, { top: `${(100 * (y + 0.5)) / height}%`, left: `${(100 * (x + 0.5)) / width}%` });
  }

  bindPicture(box) {
    const spot = (event) => {
      const frame = box.getBoundingClientRect();
      return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
    };
    box.onpointerdown = (event) => {
      box.setPointerCapture(event.pointerId);
      this.wipe(clamp(100 * spot(event)[0], 0, 100));
    };
    box.onpointermove = (event) => {
      const [x, y] = spot(event);
      if (event.buttons) this.wipe(clamp(100 * x, 0, 100));
      this.find(".cross").hidden = true;
      this.read(Math.floor(y * this.given.height), Math.floor(x * this.given.width));
    };
    box.onkeydown = (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      const far = event.shiftKey ? 10 : 1;
      this.find(".cross").hidden = false;
      this.read(this.cursor[0] + far * move[0], this.cursor[1] + far * move[1]);
    };
  }
}
if (!customElements.get("seg-wipe")) customElements.define("seg-wipe", Wipe);
