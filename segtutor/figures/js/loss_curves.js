// <seg-loss-curves>: five losses as functions of one error and of the size of a class.
//
// Of PIXELS pixels, `rare` belong to a rare class and `missed` of these are not found; everything
// else is right, and the prediction is everywhere equally sure. Two errors then say it all: of
// the missed pixels (sure) and of all others (1 − sure).

const PIXELS = 1000;
const SIZES = [2, 5, 10, 20, 50, 100, 200, 500];
const SURE = [0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
const [COLUMNS, CELL] = [50, 12];
const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [640, 330, 44, 14, 40];

// Each takes the two errors and the counts; the mean over the two classes where classes vote.
const overlap = (miss, rest, { rare, missed }) => {
  const found = rare - missed;
  const common = PIXELS - rare;
  return [
    { tp: missed * (1 - miss) + found * (1 - rest), fp: common * rest, fn: missed * miss + found * rest },
    { tp: common * (1 - rest), fp: missed * miss + found * rest, fn: common * rest },
  ];
};
const perPixel = (loss) => (miss, rest, { missed }) =>
  (missed * loss(miss) + (PIXELS - missed) * loss(rest)) / PIXELS;
const perClass = (score) => (miss, rest, counts) => {
  const losses = overlap(miss, rest, counts).map((class_) => 1 - score(class_));
  return (losses[0] + losses[1]) / 2;
};
// Lovász: the largest errors come first, and each is weighted by what it adds to the Jaccard loss.
const lovasz = (miss, rest, { rare, missed }) => {
  const share = [missed / rare, missed / (PIXELS - rare + missed)];
  const losses = share.map((part) => miss * part + rest * (1 - part));
  return (losses[0] + losses[1]) / 2;
};
const LOSSES = [
  { name: "cross-entropy", vote: "pixel", dash: "", f: perPixel((error) => -Math.log(1 - error)) },
  { name: "focal", with: "γ = 2", vote: "pixel", dash: "7 4", f: perPixel((error) => -(error ** 2) * Math.log(1 - error)) },
  { name: "Dice", vote: "class", dash: "", f: perClass(({ tp, fp, fn }) => (2 * tp) / (2 * tp + fp + fn)) },
  { name: "Tversky", with: "β = 0.7", vote: "class", dash: "7 4", f: perClass(({ tp, fp, fn }) => tp / (tp + 0.3 * fp + 0.7 * fn)) },
  { name: "Lovász", vote: "class", dash: "2 4", f: lovasz },
];

class LossCurves extends SegFigure {
  css = `
    .pixels { max-width: 440px; margin-inline: auto; }
    .pixels rect { fill: var(--faint); } .pixels .found { fill: var(--accent); }
    .pixels .missed { fill: none; stroke: var(--warm); stroke-width: 2; }
    .pixels path { stroke: var(--warm); stroke-width: 2; }
    .controls { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px 20px; }
    .controls label { display: flex; flex-direction: column; } .controls output { font-weight: 600; }
    .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round; } .pixel { stroke: var(--warm); } .class { stroke: var(--accent); }
    .dot.pixel { fill: var(--warm); } .dot.class { fill: var(--accent); } .dot { stroke: none; }
    .axis, .now { stroke: var(--line); } .now { stroke: currentColor; stroke-dasharray: 2 3; }
    .leader { stroke: var(--line); fill: none; }
    .chart text { font-size: 13px; } .chart .left { text-anchor: start; } .chart .right { text-anchor: end; }
    table { width: 100%; border-collapse: collapse; font-size: .875rem; }
    th { font-weight: 400; color: var(--soft); text-align: left; padding: 2px 8px 6px 0; }
    td { padding: 5px 8px 5px 0; border-top: 1px solid var(--line); white-space: nowrap; }
    td:nth-child(1) { width: 11em; } td:nth-child(2) { width: 5em; font-weight: 600; }
    .pull { display: flex; align-items: center; gap: 8px; } .pull b { width: 3.6em; text-align: right; } .pull span { height: 10px; border-radius: 3px; min-width: 1px; }
    .pull .pixel { background: var(--warm); } .pull .class { background: var(--accent); }
    .pull i { flex: 1; display: block; max-width: 15em; } .pull i span { display: block; }
    @container (max-width: 560px) {
      .controls { grid-template-columns: 1fr; } .controls label { flex-direction: row; flex-wrap: wrap; gap: 0 10px; }
      .controls input { flex: 1 1 100%; } .chart text { font-size: 19px; } td:nth-child(1) { width: 8.5em; }
    }`;

  frame() {
    const slider = (name, label, most) => `<label><span class="label">${label}</span>
      <output class="${name}-is"></output><input type="range" class="${name}" min="0" max="${most}" step="1"></label>`;
    return `
      <div class="controls">
        ${slider("size", `rare class, of ${PIXELS} pixels`, SIZES.length - 1)}
        ${slider("miss", "of these, missed", 1)}
        ${slider("sure", "how sure the prediction is", SURE.length - 1)}
      </div>
      <svg class="pixels" role="img"></svg>
      <svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"
        aria-label="Loss against the share of the rare class that is missed, one curve a loss. The numbers are in the table below."></svg>
      <table><thead><tr><th>loss</th><th>value</th><th>pull of the missed pixels, as a share of the whole gradient</th></tr></thead>
        <tbody></tbody></table>
      <div class="read" aria-live="polite"></div>`;
  }

  start() {
    const { rare, missed, sure } = this.given;
    this.rare = rare;
    this.missed = missed;
    this.sure = sure;
    const bind = (name, set) => {
      this.find(`.${name}`).oninput = (event) => {
        set(Number(event.target.value));
        this.draw();
      };
    };
    bind("size", (i) => {
      const share = this.missed / this.rare;
      this.rare = SIZES[i];
      this.missed = Math.round(share * this.rare);
    });
    bind("miss", (missed) => (this.missed = missed));
    bind("sure", (i) => (this.sure = SURE[i]));
    this.draw();
  }

  // What the gradient pulls at the logits of the missed pixels, and at those of all others.
  pulls({ f }) {
    const [miss, rest, h] = [this.sure, 1 - this.sure, 1e-5];
    const slope = (a, b) => Math.abs(f(miss + a, rest + b, this) - f(miss - a, rest - b, this)) / (2 * h);
    return [slope(h, 0), slope(0, h)]; // both times sure·(1 − sure), which cancels in a share
  }

  draw() {
    const { rare, missed, sure } = this;
    const set = (name, value, words, most) => {
      const input = this.find(`.${name}`);
      if (most) input.max = most;
      input.value = value;
      input.setAttribute("aria-valuetext", words);
      this.find(`.${name}-is`).textContent = words;
    };
    set("size", SIZES.indexOf(rare), `${rare} pixels, ${say((100 * rare) / PIXELS)} %`);
    set("miss", missed, `${missed} of ${rare}`, rare);
    set("sure", SURE.indexOf(sure), `${say(sure)} for what it says`);
    this.drawPixels();
    const values = LOSSES.map((loss) => loss.f(sure, 1 - sure, this));
    this.drawChart(values);
    this.drawTable(values);
  }

  drawPixels() {
    let cells = "";
    const rows = PIXELS / COLUMNS;
    for (let i = 0; i < PIXELS; i++) {
      // Column by column, so that the rare class is one upright block, as a pole is.
      const [x, y] = [Math.floor(i / rows) * CELL, (i % rows) * CELL];
      const kind = i >= this.rare ? "" : i < this.missed ? "missed" : "found";
      const room = kind === "missed" ? 2 : 1;
      cells += `<rect class="${kind}" x="${x + room}" y="${y + room}" width="${CELL - 2 * room}" height="${CELL - 2 * room}" rx="1.5"/>`;
      if (kind === "missed") cells += `<path d="M${x + 3.5} ${y + 3.5}l5 5m0 -5l-5 5"/>`;
    }
    const svg = this.find(".pixels");
    svg.setAttribute("viewBox", `0 0 ${COLUMNS * CELL} ${rows * CELL}`);
    svg.setAttribute("aria-label", `${PIXELS} pixels: ${this.rare - this.missed} of the rare class found, ${this.missed} missed`);
    svg.innerHTML = cells;
  }

  drawChart(values) {
    const { rare, sure } = this;
    const curves = LOSSES.map(({ f }) =>
      Array.from({ length: 51 }, (_, i) => f(sure, 1 - sure, { rare, missed: (rare * i) / 50 })));
    const most = Math.max(0.6, ...curves.flat());
    const narrow = this.clientWidth < 560; // letters are larger there, and need more room
    const right = WIDTH - (narrow ? 150 : 112);
    const x = (share) => LEFT + share * (right - LEFT);
    const y = (value) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM);
    const grid = most > 1.2 ? 0.5 : 0.2;
    let parts = "";
    for (let value = 0; value <= most + 1e-9; value += grid)
      parts += `<path class="axis" d="M${LEFT} ${y(value)}H${right}"/><text class="right" x="${LEFT - 8}" y="${y(value)}">${say(value)}</text>`;
    for (const [share, words] of [[0, "none missed"], [1, "all missed"]])
      parts += `<text x="${x(share)}" y="${HEIGHT - BOTTOM + 20}" class="${share ? "right" : "left"}">${words}</text>`;
    const now = x(this.missed / rare);
    parts += `<path class="now" d="M${now} ${TOP}V${HEIGHT - BOTTOM}"/>`;
    // Names stand at the right ends, pushed apart where the curves end close together.
    const gap = narrow ? 22 : 17;
    const order = curves.map((_, i) => i).sort((a, b) => curves[b].at(-1) - curves[a].at(-1));
    const ends = {};
    let last = TOP - gap;
    for (const i of order) ends[i] = last = Math.max(y(curves[i].at(-1)), last + gap);
    let floor = HEIGHT - BOTTOM + 1.5 * gap;
    for (const i of [...order].reverse()) ends[i] = floor = Math.min(ends[i], floor - gap);
    LOSSES.forEach(({ name, vote, dash }, i) => {
      const line = curves[i].map((value, k) => `${x(k / 50).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
      const end = y(curves[i].at(-1));
      parts += `<path class="curve ${vote}" stroke-dasharray="${dash}" d="M${line}"/>
        <path class="leader" d="M${right + 2} ${end}L${right + 14} ${ends[i]}"/>
        <circle class="dot ${vote}" cx="${now}" cy="${y(values[i])}" r="4.5"/>
        <text class="left" x="${right + 17}" y="${ends[i]}">${name}</text>`;
    });
    this.find(".chart").innerHTML = parts;
  }

  drawTable(values) {
    const shares = LOSSES.map((loss) => {
      const [miss, rest] = this.pulls(loss);
      return miss / (miss + rest);
    });
    this.find("tbody").innerHTML = LOSSES.map(({ name, with: setting, vote }, i) => `<tr><td>${name}${setting ? `, ${setting}` : ""}</td><td>${values[i].toFixed(3)}</td>
      <td><div class="pull"><b>${(100 * shares[i]).toFixed(1)} %</b><i><span class="${vote}" style="width:${(100 * shares[i]).toFixed(1)}%"></span></i></div></td></tr>`).join("");
    const all = this.missed === this.rare && this.missed > 0;
    this.find(".read").textContent = !this.missed
      ? "Nothing is missed: what is left of each loss is the price of not being quite sure."
      : `${all ? "The whole class is" : `${this.missed} of ${this.rare} pixels are`} missed: cross-entropy is ${values[0].toFixed(3)}, ` +
        `Dice ${values[2].toFixed(3)}. The missed pixels make ${(100 * shares[0]).toFixed(0)} % of the pull of cross-entropy, ${(100 * shares[2]).toFixed(0)} % of that of Dice.`;
  }
}
if (!customElements.get("seg-loss-curves")) customElements.define("seg-loss-curves", LossCurves);
