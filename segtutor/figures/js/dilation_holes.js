// <seg-dilation-holes>: which input pixels reach one output through a stack of dilated 3×3 layers.

const STACKS = { "2, 2, 2": [2, 2, 2], "1, 2, 3": [1, 2, 3], "1, 2, 5": [1, 2, 5], "1, 3, 9": [1, 3, 9],
  "1, 2, 9": [1, 2, 9], "4, 8": [4, 8], "1, 1, 1": [1, 1, 1] };
const [MOST_LAYERS, LARGEST_RATE, UNIT] = [4, 9, 10];

class DilationHoles extends SegFigure {
  css = `
    .rates { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: flex-end; }
    .board { display: grid; grid-template-columns: minmax(0, 24rem) 1fr; gap: 8px 20px; align-items: start; }
    .pixel { fill: var(--faint); } .seen { fill: var(--accent); }
    .output { fill: none; stroke: currentColor; stroke-width: 2; }
    .chosen { fill: none; stroke: var(--warm); stroke-width: 2.5; }
    .facts { display: grid; grid-template-columns: auto 1fr; gap: 4px 12px; margin: 0; }
    .facts dt { color: var(--soft); } .facts dd { margin: 0; font-weight: 600; }
    .holes.some { color: var(--warm); } .read { margin-top: 12px; min-height: 4.2em; }
    .row { margin-top: 10px; overflow-wrap: anywhere; font-size: .875rem; color: var(--soft); }
    @container (max-width: 560px) { .board { grid-template-columns: minmax(0, 1fr); } .read { min-height: 2.8em; } }`;

  frame() {
    return `
      <div class="bar"><label class="field"><span class="label">stack</span>
        <select class="preset" aria-label="stack"></select></label><button class="add">add a layer</button>
        <button class="less">remove the last</button></div>
      <div class="rates"></div>
      <div class="board">
        <svg class="picture" tabindex="0" role="application" aria-label="Input pixels. The arrow keys choose one."></svg>
        <div><dl class="facts"><dt>spans</dt><dd class="span"></dd><dt>sees</dt><dd class="sees"></dd>
          <dt>holes</dt><dd class="holes"></dd></dl>
          <div class="read" aria-live="polite"></div><div class="row"></div></div>
      </div>`;
  }

  start() {
    const same = (name) => String(STACKS[name]) === String(this.given.rates);
    const known = Object.keys(STACKS).find(same);
    this.stacks = known ? STACKS : { "as given": this.given.rates, ...STACKS };
    const select = this.find(".preset");
    select.innerHTML = [...Object.keys(this.stacks), "your own"].map((name) => `<option>${name}</option>`).join("");
    select.value = known || "as given";
    select.onchange = () => this.stacks[select.value] && this.load(this.stacks[select.value]);
    this.find(".add").onclick = () => this.own([...this.rates, 1]);
    this.find(".less").onclick = () => this.own(this.rates.slice(0, -1));
    this.bindPicture(this.find("svg.picture"));
    this.load(this.given.rates);
  }

  own(rates) {
    this.find(".preset").value = "your own";
    this.load(rates);
  }

  load(rates) {
    const layers = this.rates?.length;
    this.rates = [...rates];
    // A path takes one tap of each layer: counts spread to three places a layer, and rows and
    // columns are independent of each other.
    this.counts = this.rates.reduce((counts, rate) => {
      const wider = new Array(counts.length + 2 * rate).fill(0);
      counts.forEach((count, place) => [0, rate, 2 * rate].forEach((tap) => { wider[place + tap] += count; }));
      return wider;
    }, [1]);
    this.middle = (this.counts.length - 1) / 2;
    this.cursor = [0, 0];
    if (layers !== this.rates.length) this.drawSteps();
    this.refresh.forEach((again) => again());
    this.find(".add").disabled = this.rates.length >= MOST_LAYERS;
    this.find(".less").disabled = this.rates.length < 2;
    this.draw();
  }

  drawSteps() {
    this.find(".rates").innerHTML = this.rates.map((_, i) => this.step(`rate-${i}`, `layer ${i + 1}: dilation`)).join("");
    this.refresh = this.rates.map((_, i) => this.bindStep(`rate-${i}`, 1, LARGEST_RATE, () => this.rates[i],
      (value) => this.own(this.rates.map((rate, k) => (k === i ? value : rate)))));
  }

  draw() {
    const { counts, middle } = this;
    const side = counts.length;
    const most = Math.max(...counts) ** 2;
    const box = (x, y, inset) => `x="${x * UNIT + inset}" y="${y * UNIT + inset}" width="${UNIT - 2 * inset}" height="${UNIT - 2 * inset}"`;
    let parts = "";
    counts.forEach((down, y) => counts.forEach((across, x) => {
      const paths = down * across;
      parts += paths ? `<rect class="seen" data-paths="${paths}" ${box(x, y, 0.8)} fill-opacity="${(0.25 + (0.75 * paths) / most).toFixed(2)}"/>`
        : `<rect class="pixel" ${box(x, y, 0.8)}/>`;
    }));
    const [row, column] = this.cursor;
    parts += `<rect class="output" ${box(middle, middle, 1)}/><rect class="chosen" ${box(middle + column, middle + row, 0.2)}/>`;
    const svg = this.find("svg.picture");
    svg.setAttribute("viewBox", `0 0 ${side * UNIT} ${side * UNIT}`);
    svg.innerHTML = parts;
    const reached = counts.filter((count) => count).length;
    this.find(".span").textContent = `${side} × ${side} = ${side * side} pixels`;
    this.find(".sees").textContent = `${reached} × ${reached} = ${reached * reached}`;
    const holes = side * side - reached * reached;
    this.find(".holes").textContent = holes ? `${holes}, ${Math.round((100 * holes) / (side * side))} % of the field` : "none";
    this.find(".holes").classList.toggle("some", holes > 0);
    this.find(".row").textContent = `Paths in a row: ${counts.join(" ")}`;
    const [down, across] = [counts[middle + row], counts[middle + column]];
    const where = !row && !column ? "The pixel under the output"
      : `The pixel ${[row && `${Math.abs(row)} ${row < 0 ? "up" : "down"}`, column && `${Math.abs(column)} ${column < 0 ? "left" : "right"}`].filter(Boolean).join(", ")}`;
    this.find(".read").textContent = down * across
      ? `${where}: ${down} · ${across} = ${down * across} path${down * across > 1 ? "s" : ""} to the output.`
      : `${where} is a hole: no path leads from it to the output.`;
  }

  choose(row, column) {
    this.cursor = [row, column].map((at) => clamp(at, -this.middle, this.middle));
    this.draw();
  }

  bindPicture(svg) {
    svg.onpointermove = svg.onpointerdown = (event) => {
      const { x, y } = this.spot(svg, event);
      const [row, column] = [y, x].map((at) => Math.floor(at / UNIT) - this.middle);
      if (row !== this.cursor[0] || column !== this.cursor[1]) this.choose(row, column);
    };
    svg.onkeydown = (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!move) return;
      this.choose(this.cursor[0] + move[0], this.cursor[1] + move[1]);
      event.preventDefault();
    };
  }
}
if (!customElements.get("seg-dilation-holes")) customElements.define("seg-dilation-holes", DilationHoles);
