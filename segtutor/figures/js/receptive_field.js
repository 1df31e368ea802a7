// <seg-receptive-field>: layers as rows of cells; a touched cell lights everything that it sees.

const STACKS = {
  "three of 3": [[3, 1, 1], [3, 1, 1], [3, 1, 1]],
  "one of 7": [[7, 1, 1]],
  "stride 2 first": [[3, 2, 1], [3, 1, 1], [3, 1, 1]],
  "stride 2 last": [[3, 1, 1], [3, 1, 1], [3, 2, 1]],
  "dilations 1, 2, 4": [[3, 1, 1], [3, 1, 2], [3, 1, 4]],
  "dilations 2, 2, 2: a grid of holes": [[3, 1, 2], [3, 1, 2], [3, 1, 2]],
};
const [PITCH, RISE, SIDE, WIDEST, MOST_LAYERS] = [26, 52, 20, 160, 6];
const LIMITS = { kernel: [0, 1, 7], stride: [1, 1, 3], dilation: [2, 1, 8] };

class ReceptiveField extends SegFigure {
  css = `
    .wide { overflow-x: auto; padding: 2px 0; } .wide svg { margin: 0 auto; }
    .cell { fill: var(--faint); stroke: var(--line); }
    .lit { fill: var(--accent); stroke: var(--accent); }
    .hole { fill: none; stroke: var(--warm); stroke-width: 2; stroke-dasharray: 3 3; }
    .chosen { fill: none; stroke: var(--warm); stroke-width: 3.5; }
    .thread { stroke: var(--accent); stroke-opacity: .45; }
    .span { stroke: var(--warm); stroke-width: 2.5; }
    text.name { text-anchor: start; font-size: 13px; opacity: .68; } text.paths { font-size: 12px; font-weight: 600; }
    .layers { display: grid; gap: 8px; padding: 0; list-style: none; }
    .layers li { display: grid; grid-template-columns: 4.4em auto 1fr 36px; gap: 6px 14px; align-items: end;
      border-top: 1px solid var(--line); padding-top: 8px; }
    .layers .name { font-weight: 600; align-self: center; } .layers .math { font-size: .875rem; color: var(--soft); align-self: center; }
    .layers .steps { display: flex; gap: 6px; } .math b { color: var(--warm); }
    @container (max-width: 660px) {
      .layers li { grid-template-columns: 1fr 36px; } .layers .steps { grid-row: 2; grid-column: 1 / -1; }
      .layers .math { grid-row: 3; grid-column: 1 / -1; }
    }`;

  frame() {
    return `
      <div class="bar"><label class="field"><span class="label">layers</span>
        <select class="preset" aria-label="layers"></select></label><button class="add end">add a layer</button></div>
      <div class="wide"><svg tabindex="0" role="application"
        aria-label="Layers of cells. Left and right choose a cell, up and down a layer."></svg></div>
      <div class="read" aria-live="polite"></div>
      <ul class="layers"></ul>`;
  }

  start() {
    const same = (name) => JSON.stringify(STACKS[name]) === JSON.stringify(this.given.layers);
    const known = Object.keys(STACKS).find(same);
    this.stacks = known ? STACKS : { "as given": this.given.layers, ...STACKS };
    const select = this.find(".preset");
    select.innerHTML = [...Object.keys(this.stacks), "your own"].map((n) => `<option>${n}</option>`).join("");
    select.value = known || "as given";
    select.onchange = () => this.stacks[select.value] && this.load(copy(this.stacks[select.value]));
    this.find(".add").onclick = () => {
      select.value = "your own";
      this.load([...this.layers, [3, 1, 1]]);
    };
    this.bindPicture(this.find("svg"));
    this.load(copy(this.given.layers));
  }

  load(layers) {
    this.layers = layers;
    this.measure();
    this.chosen = { row: layers.length, cell: Math.floor((this.lengths.at(-1) - 1) / 2) };
    this.drawLayers();
    this.draw();
    const wide = this.find(".wide");
    wide.scrollLeft = (wide.scrollWidth - wide.clientWidth) / 2;
  }

  // The three recurrences, and how many cells each row needs.
  measure() {
    this.fields = [{ size: 1, jump: 1, start: 0 }];
    for (const [kernel, stride, dilation] of this.layers) {
      const { size, jump, start } = this.fields.at(-1);
      const reach = (kernel - 1) * dilation * jump;
      this.fields.push({ size: size + reach, jump: jump * stride, start: start + reach / 2 });
    }
    const { size, jump } = this.fields.at(-1);
    const room = this.clientWidth < 480 ? 18 : 26; // cells that a screen has room for
    const tops = clamp(Math.floor((room - size) / jump) + 1, 3, 12);
    this.lengths = [size + jump * (tops - 1)];
    for (const [kernel, stride, dilation] of this.layers)
      this.lengths.push(Math.floor((this.lengths.at(-1) - dilation * (kernel - 1) - 1) / stride) + 1);
  }

  // How many paths lead from the chosen cell down to each cell, row by row from the input up.
  paths() {
    const counts = this.lengths.map((length) => new Array(length).fill(0));
    counts[this.chosen.row][this.chosen.cell] = 1;
    for (let row = this.chosen.row; row > 0; row--) {
      const [kernel, stride, dilation] = this.layers[row - 1];
      counts[row].forEach((count, cell) => {
        for (let tap = 0; count && tap < kernel; tap++) counts[row - 1][cell * stride + tap * dilation] += count;
      });
    }
    return counts;
  }

  place(row, cell) {
    const { start, jump } = this.fields[row];
    return { x: (start + cell * jump + 0.5) * PITCH, y: (this.layers.length - row) * RISE + 34 };
  }

  draw() {
    const svg = this.find("svg");
    const { row, cell } = this.chosen;
    const { size, jump, start } = this.fields[row];
    const first = start + cell * jump - (size - 1) / 2;
    const counts = this.lengths[0] > WIDEST ? null : this.paths();
    const holes = counts ? counts[0].slice(first, first + size).filter((count) => !count).length : 0;
    this.find(".wide").hidden = !counts;
    const where = size === 1 ? `pixel ${first}` : `pixels ${first} to ${first + size - 1}`;
    const words = row === 0 ? `Input pixel ${cell}: it sees itself.`
      : `Layer ${row}, cell ${cell} sees ${size} input pixel${size > 1 ? "s" : ""}: ${where}.`;
    const gaps = holes ? ` ${holes} of them ${holes > 1 ? "are holes that no path reaches" : "is a hole that no path reaches"}.` : "";
    this.find(".read").textContent = counts ? words + gaps
      : `The receptive field spans ${size} pixels: too wide to draw, but the numbers below hold.`;
    if (!counts) return;
    const width = this.lengths[0] * PITCH;
    svg.setAttribute("viewBox", `0 0 ${width} ${this.layers.length * RISE + 62}`);
    Object.assign(svg.style, { minWidth: `${this.lengths[0] * 12}px`, maxWidth: `${width}px` });
    let [threads, cells] = ["", ""];
    counts.forEach((line, level) => {
      const { x: left, y: height } = this.place(level, 0);
      cells += `<text class="name" x="${left - SIDE / 2}" y="${height - 20}">${level ? `layer ${level}` : "input"}</text>`;
      const most = Math.max(...line);
      line.forEach((count, i) => {
        const { x, y } = this.place(level, i);
        const inside = level === 0 && i >= first && i < first + size;
        const box = `x="${x - SIDE / 2}" y="${y - SIDE / 2}" width="${SIDE}" height="${SIDE}" rx="4"`;
        cells += `<rect class="cell" data-row="${level}" data-cell="${i}" data-paths="${count}" ${box}/>`;
        if (count) cells += `<rect class="lit" ${box} fill-opacity="${(0.18 + (0.37 * count) / most).toFixed(2)}"/>`;
        else if (inside) cells += `<rect class="hole" ${box}/>`;
        if (level === row && i === cell) cells += `<rect class="chosen" ${box}/>`;
        if (inside && row) cells += `<text class="paths" x="${x}" y="${y}">${count < 1000 ? count : "…"}</text>`;
        if (!count || !level) return;
        const [kernel, stride, dilation] = this.layers[level - 1];
        for (let tap = 0; tap < kernel; tap++) {
          const end = this.place(level - 1, i * stride + tap * dilation);
          threads += `<path class="thread" d="M${x} ${y + SIDE / 2}L${end.x} ${end.y - SIDE / 2}"/>`;
        }
      });
    });
    const base = this.layers.length * RISE + 52;
    cells += `<path class="span" d="M${first * PITCH + 3} ${base}H${(first + size) * PITCH - 3}"/>`;
    svg.innerHTML = threads + cells;
  }

  drawLayers() {
    const sub = (n) => `<sub>${n}</sub>`;
    const list = this.find(".layers");
    const rows = this.layers.map(([kernel, stride, dilation], i) => {
      const [under, field] = [this.fields[i], this.fields[i + 1]];
      return `<li><span class="name">layer ${i + 1}</span>
        <span class="steps">${Object.keys(LIMITS).map((name) => this.step(`${name}-${i}`, name)).join("")}</span>
        <span class="math">r${sub(i + 1)} = ${under.size} + (${kernel} − 1)·${dilation}·${under.jump} = <b class="r">${field.size}</b><br>
          j${sub(i + 1)} = ${under.jump}·${stride} = <b class="j">${field.jump}</b>, start ${say(field.start)}</span>
        <button class="icon" data-remove="${i}" aria-label="remove layer ${i + 1}" ${this.layers.length < 2 ? "disabled" : ""}>×</button></li>`;
    });
    // The picture has its input at the bottom; so has the list.
    list.innerHTML = rows.reverse().join("") + `<li><span class="name">input</span><span class="steps"></span>
      <span class="math">r${sub(0)} = 1, j${sub(0)} = 1, start 0</span></li>`;
    this.layers.forEach((layer, i) => {
      for (const [name, [slot, low, high]] of Object.entries(LIMITS)) {
        const set = (value) => {
          const grown = copy(this.layers);
          grown[i][slot] = value;
          this.find(".preset").value = "your own";
          const index = this.shadowRoot.activeElement?.getAttribute("aria-label")?.endsWith("more") ? 1 : 0;
          this.load(grown);
          // The buttons were drawn anew: give the focus back to the one that was pressed.
          this.find(`[data-step="${name}-${i}"]`).querySelectorAll("button")[index].focus();
        };
        this.bindStep(`${name}-${i}`, low, high, () => layer[slot], set)();
      }
    });
    list.querySelectorAll("[data-remove]").forEach((button) => {
      button.onclick = () => {
        this.find(".preset").value = "your own";
        this.load(this.layers.filter((_, i) => i !== Number(button.dataset.remove)));
        this.find(".add").focus();
      };
    });
    this.find(".add").disabled = this.layers.length >= MOST_LAYERS;
  }

  choose(row, cell) {
    row = clamp(row, 0, this.layers.length);
    cell = clamp(cell, 0, this.lengths[row] - 1);
    if (row === this.chosen.row && cell === this.chosen.cell) return;
    this.chosen = { row, cell };
    this.draw();
  }

  bindPicture(svg) {
    svg.onpointermove = svg.onpointerdown = (event) => {
      const { x, y } = this.spot(svg, event);
      const row = clamp(this.layers.length - Math.round((y - 34) / RISE), 0, this.layers.length);
      const { start, jump } = this.fields[row];
      this.choose(row, Math.round((x / PITCH - 0.5 - start) / jump));
    };
    svg.onkeydown = (event) => {
      const { row, cell } = this.chosen;
      const { start, jump } = this.fields[row];
      const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (up) {
        const next = this.fields[clamp(row + up, 0, this.layers.length)];
        this.choose(row + up, Math.round((start + cell * jump - next.start) / next.jump));
      } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        this.choose(row, cell + (event.key === "ArrowRight" ? 1 : -1));
      } else return;
      event.preventDefault();
    };
  }
}
if (!customElements.get("seg-receptive-field")) customElements.define("seg-receptive-field", ReceptiveField);
