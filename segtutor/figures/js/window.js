// What figures with a window over painted pixels share: the grid, the window's places, the paint.

const CELL = 40;
const fit = (text, most) => Math.min(most, (1.72 * CELL) / (text.length + 0.4)).toFixed(1);

const WINDOW_CSS = `
    .board { display: flex; align-items: center; justify-content: center; gap: 14px; }
    .panel { min-width: 0; } .title { margin: 0 0 6px; font-size: .8125rem; color: var(--soft); }
    .sign { font-size: 1.7rem; color: var(--soft); flex: none; padding-top: 22px; }
    .ring { fill: none; stroke: var(--line); stroke-dasharray: 3 3; }
    .cell { stroke: var(--line); }
    .zero { opacity: .55; }
    .span { fill: none; stroke: var(--warm); stroke-width: 3.5; rx: 4px; pointer-events: none; }
    .tap { fill: none; stroke: var(--warm); stroke-width: 2; }
    .pill { fill: var(--warm); stroke: none; } .pill + text { fill: var(--on-warm); font-weight: 600; }
    .cursor { fill: none; stroke: var(--accent); stroke-width: 3; display: none; }
    svg:focus-visible .cursor { display: inline; }
    .later text { opacity: .18; } .later rect { fill-opacity: .25; }
    .paint { touch-action: none; cursor: crosshair; }
    .size { color: var(--soft); font-size: .875rem; }
    .play { flex-wrap: nowrap; gap: 6px; } .play input { margin-left: 8px; }`;

class WindowFigure extends SegFigure {
  playBar() {
    return `<div class="bar play">
        <button class="icon first" aria-label="first position">${icon("first")}</button>
        <button class="icon back" aria-label="step back">${icon("back")}</button>
        <button class="icon main toggle" aria-label="play">${icon("play")}</button>
        <button class="icon next" aria-label="step on">${icon("next")}</button>
        <input type="range" class="scrub" min="0" value="0" aria-label="position of the window">
      </div>`;
  }

  bindPlay() {
    this.find(".first").onclick = () => this.go(0);
    this.find(".back").onclick = () => this.go(this.at - 1);
    this.find(".next").onclick = () => this.go(this.at + 1);
    this.find(".toggle").onclick = () => this.play(!this.timer);
    this.find(".scrub").oninput = (event) => this.go(Number(event.target.value));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  // Puts cells into an SVG; widths grow with the number of cells, so all cells look alike.
  canvas(selector, height, width, parts) {
    const svg = this.find(selector);
    svg.setAttribute("viewBox", `-2 -2 ${width * CELL + 4} ${height * CELL + 4}`);
    svg.innerHTML = parts;
    Object.assign(svg.parentElement.style, { flex: `${width} 1 0`, maxWidth: `${width * CELL}px` });
  }

  tint(value, most) {
    const share = Math.round((55 * Math.abs(value)) / (most || 1));
    return `color-mix(in srgb, var(${value < 0 ? "--warm" : "--accent"}) ${share}%, transparent)`;
  }

  go(position) {
    if (!this.fits) return;
    this.at = clamp(position, 0, this.rows * this.columns - 1);
    this.draw();
  }

  play(on) {
    clearInterval(this.timer);
    this.timer = null;
    if (on) {
      if (this.at === this.rows * this.columns - 1) this.at = 0;
      this.timer = setInterval(() => {
        if (this.at >= this.rows * this.columns - 1) this.play(false);
        else this.go(this.at + 1);
      }, 650);
    }
    const button = this.find(".toggle");
    button.innerHTML = icon(on ? "pause" : "play");
    button.setAttribute("aria-label", on ? "pause" : "play");
    if (this.fits) this.drawOutput();
  }

  bindPainting(svg) {
    const cellAt = (event) => {
      const { x, y } = this.spot(svg, event);
      const [row, column] = [Math.floor(y / CELL) - this.padding, Math.floor(x / CELL) - this.padding];
      return this.pixels[row]?.[column] === undefined ? null : [row, column];
    };
    const paint = (cell, value) => {
      this.cursor = cell;
      this.pixels[cell[0]][cell[1]] = value;
      this.draw();
    };
    svg.onpointerdown = (event) => {
      const cell = cellAt(event);
      if (!cell) return;
      svg.setPointerCapture(event.pointerId);
      // A second touch of a painted pixel wipes it; the whole stroke then wipes.
      this.stroke = this.pixels[cell[0]][cell[1]] === this.brush ? Math.max(0, this.floor) : this.brush;
      paint(cell, this.stroke);
    };
    svg.onpointermove = (event) => {
      const cell = this.stroke === undefined ? null : cellAt(event);
      if (cell) paint(cell, this.stroke);
    };
    svg.onpointerup = svg.onpointercancel = () => { this.stroke = undefined; };
    svg.onkeydown = (event) => {
      let [y, x] = this.cursor;
      const value = this.pixels[y][x];
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (move) {
        y = clamp(y + move[0], 0, this.pixels.length - 1);
        x = clamp(x + move[1], 0, this.pixels[0].length - 1);
        paint([y, x], this.pixels[y][x]);
        this.find(".live").textContent = `pixel row ${y}, column ${x}: ${say(this.pixels[y][x])}`;
      } else if (/^\d$/.test(event.key)) paint([y, x], Number(event.key));
      else if (event.key === "+" || event.key === "=") paint([y, x], value + 1);
      else if (event.key === "-" || event.key === "−") paint([y, x], value - 1);
      else if (event.key === " " || event.key === "Enter") paint([y, x], this.brush);
      else return;
      event.preventDefault();
    };
  }

  bindResult(svg) {
    const jump = (event) => {
      if (!this.fits || this.timer) return;
      const { x, y } = this.spot(svg, event);
      const [row, column] = [Math.floor(y / CELL), Math.floor(x / CELL)];
      const here = row * this.columns + column;
      if (row >= 0 && row < this.rows && column >= 0 && column < this.columns && here !== this.at) this.go(here);
    };
    svg.onpointermove = svg.onpointerdown = jump;
    svg.onkeydown = (event) => {
      const move = { ArrowUp: -this.columns, ArrowDown: this.columns, ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move || !this.fits) return;
      event.preventDefault();
      if (this.at + move >= 0 && this.at + move < this.rows * this.columns) this.go(this.at + move);
    };
  }
}
