// <seg-pyramid-bins>: a picture's adaptive bins, and what their means hand back to every pixel.

const [FINE, SHADE] = [2, "#5eead4"]; // pixels drawn for one of the map; its color for 100 %

class PyramidBins extends SegFigure {
  css = `
    .two { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; } .side { min-width: 0; } .side .label { display: block; margin-bottom: 4px; }
    .picture { position: relative; border-radius: 8px; overflow: hidden; touch-action: manipulation; background: #000; }
    .picture img { display: block; width: 100%; height: auto; }
    .picture svg { position: absolute; inset: 0; height: 100%; }
    .dim { fill: #000; fill-opacity: .55; fill-rule: evenodd; } .cuts { stroke: #fff; stroke-opacity: .7; stroke-width: 1; fill: none; vector-effect: non-scaling-stroke; }
    .ring { fill: none; stroke: #111; stroke-width: 4.5; vector-effect: non-scaling-stroke; } .ring.in { stroke: #ffb020; stroke-width: 2.5; }
    .back { position: relative; } .back svg { position: absolute; inset: 0; height: 100%; pointer-events: none; } canvas { display: block; width: 100%; height: auto; border-radius: 8px; background: #0b0b12; }
    .choice { display: inline-flex; gap: 4px; } .choice button[aria-pressed="true"], .share[aria-pressed="true"] { border: 2px solid var(--warm); font-weight: 600; }
    .choice button[aria-pressed="true"] { padding: 0 9px; }
    .blocks { display: inline-flex; align-items: center; gap: 8px; min-height: 36px; cursor: pointer; } .blocks input { width: 18px; height: 18px; accent-color: var(--accent); }
    .shares { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px; }
    .share { display: grid; grid-template-columns: 1em 1fr auto; gap: 8px; align-items: center; text-align: left; position: relative; overflow: hidden; padding: 0 8px; font-size: .8125rem; }
    .share i { width: 1em; height: 1em; border-radius: 3px; border: 1px solid var(--line); } .share .bar-of { position: absolute; left: 0; bottom: 0; height: 3px; background: var(--accent); }
    .read { min-height: 2.8em; }
    @container (max-width: 480px) { .two { grid-template-columns: 1fr; } .shares { grid-template-columns: repeat(2, 1fr); } }`;

  frame() {
    const { grids, names, colors, size } = this.given;
    const choices = grids.map((grid, k) => `<button data-grid="${k}" aria-label="${grid.bins}×${grid.bins} bins">${grid.bins}×${grid.bins}</button>`).join("");
    const shares = names.map((name, k) =>
      `<button class="share" data-class="${k}"><i style="background:${escape(colors[k])}"></i><span>${escape(name)}</span><b></b><span class="bar-of"></span></button>`).join("");
    return `
      <div class="bar"><span class="field"><span class="label">bins</span><span class="choice" role="group" aria-label="bins">${choices}</span></span>
        <label class="blocks end"><input type="checkbox"><span>before enlarging</span></label></div>
      <div class="two"><div class="side"><span class="label">picture</span>
        <div class="picture" tabindex="0" role="application" aria-label="A grid of bins over the picture. Arrows pick a bin."><img alt=""><svg viewBox="0 0 ${size[1]} ${size[0]}" preserveAspectRatio="none" aria-hidden="true"></svg></div></div>
        <div class="side"><span class="label handed"></span>
        <div class="back"><canvas role="img"></canvas><svg viewBox="0 0 ${size[1]} ${size[0]}" preserveAspectRatio="none" aria-hidden="true"></svg></div></div></div>
      <div class="read" aria-live="polite"></div>
      <div class="shares" role="group" aria-label="classes in this bin">${shares}</div>`;
  }

  start() {
    const { grids, photo, chosen } = this.given;
    this.find("img").src = photo;
    this.chosen = chosen;
    this.blocks = this.find(".blocks input");
    this.blocks.onchange = () => this.draw();
    for (const button of this.shadowRoot.querySelectorAll("[data-grid]"))
      button.onclick = () => {
        const before = this.grid;
        this.grid = grids[Number(button.dataset.grid)];
        // The bin in which the middle of the old one lies.
        this.place = this.place.map((at) => Math.floor(((at + 0.5) / before.bins) * this.grid.bins));
        this.draw();
      };
    for (const button of this.shadowRoot.querySelectorAll("[data-class]"))
      button.onclick = () => {
        this.chosen = Number(button.dataset.class);
        this.draw();
      };
    this.grid = grids[grids.length - 1];
    this.place = [Math.floor(this.grid.bins / 2), Math.floor(this.grid.bins / 2)];
    followGrid(this, () => [this.grid.bins, this.grid.bins], { hover: true });
    this.draw();
  }

  // The mean of one class in one bin.
  mean(label, row, column) {
    return this.grid.shares[label][row * this.grid.bins + column] / this.given.whole;
  }

  // What a pixel gets: bilinear, corner on corner; or the bin that its middle lies in.
  handed(label, y, x) {
    const last = this.grid.bins - 1;
    const along = (at, n) => (n > 1 ? (at * last) / (n - 1) : 0);
    if (this.blocks.checked) {
      const [height, width] = this.given.size;
      return this.mean(label, Math.floor(((y + 0.5) / height) * this.grid.bins), Math.floor(((x + 0.5) / width) * this.grid.bins));
    }
    const [v, u] = [along(y, this.given.size[0]), along(x, this.given.size[1])];
    const [i, j] = [Math.min(Math.floor(v), Math.max(last - 1, 0)), Math.min(Math.floor(u), Math.max(last - 1, 0))];
    const [below, right] = [Math.min(i + 1, last), Math.min(j + 1, last)];
    const [a, b] = [v - i, u - j];
    const upper = (1 - b) * this.mean(label, i, j) + b * this.mean(label, i, right);
    const lower = (1 - b) * this.mean(label, below, j) + b * this.mean(label, below, right);
    return (1 - a) * upper + a * lower;
  }

  draw() {
    const { names, size } = this.given;
    const [height, width] = size;
    const { bins, rows, columns } = this.grid;
    const [[top, bottom], [left, right]] = [rows[this.place[0]], columns[this.place[1]]];
    let cuts = "";
    for (let k = 1; k < bins; k++)
      cuts += `M${(k * width) / bins} 0V${height}M0 ${(k * height) / bins}H${width}`;
    const box = `x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"`;
    this.find(".picture svg").innerHTML = `
      <path class="dim" d="M0 0H${width}V${height}H0zM${left} ${top}H${right}V${bottom}H${left}z"/>
      <path class="cuts" d="${cuts}"/><rect class="ring" ${box}/><rect class="ring in" ${box}/>`;
    this.find(".back svg").innerHTML = `<rect class="ring in" ${box}/>`;
    for (const button of this.shadowRoot.querySelectorAll("[data-grid]"))
      button.setAttribute("aria-pressed", this.given.grids[Number(button.dataset.grid)] === this.grid);
    for (const button of this.shadowRoot.querySelectorAll("[data-class]")) {
      const label = Number(button.dataset.class);
      const share = 100 * this.mean(label, ...this.place);
      button.setAttribute("aria-pressed", label === this.chosen);
      button.querySelector("b").textContent = `${share.toFixed(1)} %`;
      button.querySelector(".bar-of").style.width = `${share}%`;
    }
    this.find(".handed").textContent = `share of ${names[this.chosen]}, ${this.blocks.checked ? "a number a bin" : "handed back"}`;
    this.paint();
    const lap = rows.some(([, end], k) => k + 1 < bins && end > rows[k + 1][0]) || columns.some(([, end], k) => k + 1 < bins && end > columns[k + 1][0]);
    const where = bins === 1 ? "The only bin" : `Bin ${this.place[0] + 1} of ${bins} down, ${this.place[1] + 1} of ${bins} across`;
    this.find(".read").innerHTML = `${where}: rows ${top} to ${bottom - 1}, columns ${left} to ${right - 1}. <b class="most">${(100 * this.mean(this.chosen, ...this.place)).toFixed(1)} %</b> of its ${(bottom - top) * (right - left)} pixels are ${escape(names[this.chosen])}.${lap ? " Neighboring bins overlap." : ""}`;
  }

  paint() {
    const { size, names } = this.given;
    const [height, width] = size;
    const canvas = this.find("canvas");
    Object.assign(canvas, { width: width * FINE, height: height * FINE });
    canvas.setAttribute("aria-label", `share of ${names[this.chosen]} that every pixel is told`);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#0b0b12";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = SHADE;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        pen.globalAlpha = this.handed(this.chosen, y, x);
        pen.fillRect(x * FINE, y * FINE, FINE, FINE);
      }
    pen.globalAlpha = 1;
  }

  pick([row, column]) {
    const last = this.grid.bins - 1;
    this.place = [clamp(row, 0, last), clamp(column, 0, last)];
    this.draw();
  }
}
if (!customElements.get("seg-pyramid-bins")) customElements.define("seg-pyramid-bins", PyramidBins);
