// <seg-checkerboard>: a row of equal pixels stamps a kernel; where stamps overlap, they add up.

const PIXELS_IN = 6;
const LEARNED = [0.3, 1.1, 0.6, 1.4, 0.8, 0.5]; // as uneven as a training may leave them
const WEIGHTS = {
  "all ones": (k) => new Array(k).fill(1),
  "bilinear": (k) => {
    const factor = Math.floor((k + 1) / 2);
    const center = k % 2 ? factor - 1 : factor - 0.5;
    return Array.from({ length: k }, (_, i) => 1 - Math.abs(i - center) / factor);
  },
  "learned": (k) => LEARNED.slice(0, k),
};
const [UNIT, STRIP] = [26, 24];

class Checkerboard extends SegFigure {
  css = `
    .both { display: flex; gap: 22px; align-items: center; } .row-view { flex: 1 1 26rem; min-width: 0; } .map-view { flex: 0 1 190px; }
    .title { margin: 0 0 6px; font-size: .8125rem; color: var(--soft); }
    .stamp { fill: color-mix(in srgb, var(--accent) 28%, transparent); stroke: var(--accent); } .stamp.odd { fill: color-mix(in srgb, var(--warm) 26%, transparent); stroke: var(--warm); }
    .in { fill: var(--faint); stroke: var(--line); } .sum { stroke: var(--line); } .cut { opacity: .22; }
    .knife { stroke: currentColor; stroke-dasharray: 4 3; } .guide { stroke: var(--line); }
    svg text { font-size: 11px; } text.total { font-weight: 600; font-size: 12px; } text.side { text-anchor: end; opacity: .68; }
    .map-view svg { border: 1px solid var(--line); }
    .read b { color: var(--warm); }
    @container (max-width: 640px) {
      .both { flex-direction: column; align-items: stretch; gap: 12px; } .row-view { flex: none; } .map-view { flex: none; width: 60%; margin: 0 auto; }
    }`;

  frame() {
    return `
      <div class="bar">
        ${this.step("size", "kernel k")}${this.step("stride", "stride s")}${this.step("padding", "padding p")}
        <label class="field"><span class="label">weights</span><select class="weights" aria-label="weights">
          ${Object.keys(WEIGHTS).map((name) => `<option>${name}</option>`).join("")}</select></label>
      </div>
      <div class="both">
        <div class="row-view"><div class="title">one row: each pixel, worth 1, stamps the kernel s pixels further on</div><svg class="stamps" role="img"></svg></div>
        <div class="map-view"><div class="title">the same in two directions</div><svg class="map" role="img"></svg></div>
      </div>
      <div class="read" aria-live="polite"></div>
      <div class="size label"></div>`;
  }

  start() {
    Object.assign(this, copy(this.given));
    const bind = (name, low, high) => this.bindStep(name, low, high, () => this[name], (value) => {
      this[name] = value;
      this.draw();
    });
    const steps = [bind("size", 1, 6), bind("stride", 1, 4), bind("padding", 0, 2)];
    this.refreshSteps = () => steps.forEach((refresh) => refresh());
    this.find(".weights").value = this.weights;
    this.find(".weights").onchange = (event) => {
      this.weights = event.target.value;
      this.draw();
    };
    this.draw();
  }

  draw() {
    const { size, stride } = this;
    this.padding = Math.min(this.padding, size - 1);
    this.refreshSteps();
    const kernel = WEIGHTS[this.weights](size);
    const full = (PIXELS_IN - 1) * stride + size;
    this.sums = new Array(full).fill(0);
    this.counts = new Array(full).fill(0);
    for (let i = 0; i < PIXELS_IN; i++) {
      kernel.forEach((weight, j) => {
        this.sums[i * stride + j] += weight;
        this.counts[i * stride + j] += 1;
      });
    }
    this.drawStamps(kernel, full);
    this.drawMap(full);
    this.tell(kernel, full);
  }

  drawStamps(kernel, full) {
    const { size, stride, padding } = this;
    const left = 46;
    const width = left + full * UNIT + 6;
    const bottom = 30 + PIXELS_IN * STRIP + 12;
    const most = Math.max(...this.sums);
    let parts = `<text class="side" x="${left - 8}" y="12">input</text><text class="side" x="${left - 8}" y="${bottom + 13}">output</text>`;
    for (let i = 0; i < PIXELS_IN; i++) {
      const [x, y] = [left + i * stride * UNIT, 30 + i * STRIP];
      const middle = x + (size * UNIT) / 2;
      parts += `<path class="guide" d="M${middle} 22V${y}"/><rect class="in" x="${middle - 9}" y="3" width="18" height="18" rx="3"/><text x="${middle}" y="12">1</text>`;
      kernel.forEach((weight, j) => {
        parts += `<rect class="stamp${i % 2 ? " odd" : ""}" x="${x + j * UNIT + 1}" y="${y}" width="${UNIT - 2}" height="${STRIP - 5}" rx="3"/>
          <text x="${x + (j + 0.5) * UNIT}" y="${y + STRIP / 2 - 2}">${say(weight)}</text>`;
      });
    }
    this.sums.forEach((sum, at) => {
      const x = left + at * UNIT;
      const cut = at < padding || at >= full - padding;
      parts += `<g class="${cut ? "cut" : "kept"}"><rect class="sum" x="${x + 1}" y="${bottom}" width="${UNIT - 2}" height="26" rx="3"
        style="fill:color-mix(in srgb, currentColor ${Math.round((45 * sum) / most)}%, transparent)"/><text class="total" x="${x + UNIT / 2}" y="${bottom + 13}">${say(sum)}</text></g>`;
    });
    if (padding) {
      for (const at of [padding, full - padding])
        parts += `<path class="knife" d="M${left + at * UNIT} 26V${bottom + 32}"/>`;
    }
    const svg = this.find(".stamps");
    svg.setAttribute("viewBox", `0 0 ${width} ${bottom + 34}`);
    svg.setAttribute("aria-label", `${PIXELS_IN} stamps of ${size}, ${stride} apart. The output adds up to ${this.kept(full).map(say).join(", ")}.`);
    svg.innerHTML = parts;
  }

  kept(full) {
    return this.sums.slice(this.padding, full - this.padding);
  }

  drawMap(full) {
    const row = this.kept(full);
    const most = Math.max(...row) ** 2;
    const cells = row.flatMap((down, y) => row.map((across, x) => {
      const share = Math.round((100 * down * across) / most);
      return `<rect x="${x}" y="${y}" width="1" height="1" shape-rendering="crispEdges" style="fill:color-mix(in srgb, currentColor ${share}%, transparent)" data-value="${down * across}"/>`;
    }));
    const svg = this.find(".map");
    svg.setAttribute("viewBox", `0 0 ${row.length} ${row.length}`);
    svg.setAttribute("aria-label", "The output of a transposed convolution on a picture that is even.");
    svg.innerHTML = cells.join("");
  }

  // Inside, the pattern repeats with the stride: what counts is each remainder's share of kernel.
  tell(kernel, full) {
    const { size, stride, padding } = this;
    const phases = Array.from({ length: stride }, (_, r) => kernel.filter((_, j) => j % stride === r));
    const counts = phases.map((phase) => phase.length);
    const sums = phases.map((phase) => phase.reduce((a, b) => a + b, 0));
    const even = (list) => list.every((value) => Math.abs(value - list[0]) < 1e-9);
    const stamps = even(counts)
      ? `${size} = ${size / stride}·${stride}: every inner pixel gets ${counts[0]} stamp${counts[0] > 1 ? "s" : ""}.`
      : size < stride ? `The kernel is smaller than the stride: some pixels get no stamp at all.`
      : `${size} is no multiple of ${stride}: inner pixels get ${counts.join(", ")} stamps in turn.`;
    const added = even(sums) ? `They add up to ${say(sums[0])} everywhere: <b>even</b>.`
      : `They add up to ${sums.map(say).join(", ")} in turn: <b>a checkerboard</b>.`;
    this.find(".read").innerHTML = `${stamps} ${added}`;
    this.find(".size").textContent = `output size: (${PIXELS_IN} − 1)·${stride} − 2·${padding} + ${size} = ${full - 2 * padding}`;
  }
}
if (!customElements.get("seg-checkerboard")) customElements.define("seg-checkerboard", Checkerboard);
