// <seg-paint-masks>: a target and a prediction that one paints, and every score of the two.

const SIDE = 20; // a pixel in the units of the drawing
const VOID = 255;

// What each preset shows, from a frame of 16 by 16 that is stretched to the figure's size.
const PRESETS = {
  "shifted square": ["The object is found, two pixels too far to the right.", (box) => [box(4, 4, 12, 12), box(4, 6, 12, 14)]],
  "thin pole missed": ["A pole one pixel wide is missed: few pixels, a long outline.", (box) => [[...box(7, 7, 14, 14), ...box(1, 3, 14, 4)], box(7, 7, 14, 14)]],
  "one stray pixel": ["All is right but for one pixel far away: compare the two Hausdorff distances.", (box) => [box(6, 2, 14, 10), [...box(6, 2, 14, 10), ...box(1, 14, 2, 15)]]],
  "all background": ["Nothing is found: look at the accuracy.", (box) => [box(6, 6, 9, 9), []]],
  "void ring": ["The prediction is a pixel too large all around, but the target is void there: nothing is judged.",
    (box) => [box(5, 5, 11, 11), box(4, 4, 12, 12), box(4, 4, 12, 12)]],
};

const ratio = (part, whole) => (whole ? part / whole : NaN);
const mean = (values) => {
  const known = values.filter((value) => !Number.isNaN(value));
  return ratio(known.reduce((sum, value) => sum + value, 0), known.length);
};
// Linear between the two nearest ranks.
const percentile = (values, percent) => {
  const sorted = [...values].sort((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const low = Math.floor(place);
  return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
};
const CROSS = [[-1, 0], [1, 0], [0, -1], [0, 1]];

// All scores of two label maps, for the class 1; NaN where a score is undefined.
const scoresOf = (target, prediction, tolerance) => {
  const [height, width] = [target.length, target[0].length];
  const places = target.flatMap((line, y) => line.map((_, x) => [y, x])).filter(([y, x]) => target[y][x] !== VOID);
  const count = (t, p) => places.filter(([y, x]) => target[y][x] === t && prediction[y][x] === p).length;
  const [tp, fp, fn, tn] = [count(1, 1), count(0, 1), count(1, 0), count(0, 0)];
  // A neighbor ends the region if it is judged and of the other class, or beyond the border.
  const ends = (map, y, x) => y < 0 || x < 0 || y >= height || x >= width || (target[y][x] !== VOID && map[y][x] !== 1);
  const along = (map, steps) => places.filter(([y, x]) => map[y][x] === 1 && steps.some(([b, a]) => ends(map, y + b, x + a)));
  const reach = Math.max(1, Math.round(0.02 * Math.hypot(height, width)));
  const span = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  const square = span.flatMap((b) => span.map((a) => [b, a]));
  const [bandT, bandP] = [target, prediction].map((map) => new Set(along(map, square).map(([y, x]) => y * width + x)));
  const shared = [...bandT].filter((place) => bandP.has(place)).length;

  const [edgeT, edgeP] = [target, prediction].map((map) => along(map, CROSS));
  const away = (from, to) => from.map(([y, x]) => Math.min(...to.map(([b, a]) => Math.hypot(y - b, x - a)))); // min of nothing: Infinity
  const [there, back] = [away(edgeP, edgeT), away(edgeT, edgeP)];
  const near = (distances) => ratio(distances.filter((d) => d <= tolerance).length, distances.length);
  const [right, met] = [near(there), near(back)];
  const nothing = !edgeT.length && !edgeP.length;
  const apart = (percent) => {
    if (nothing) return NaN;
    return edgeT.length && edgeP.length ? Math.max(percentile(there, percent), percentile(back, percent)) : Infinity;
  };
  return {
    tp, fp, fn, tn,
    accuracy: ratio(tp + tn, places.length),
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
    iou: ratio(tp, tp + fp + fn),
    dice: ratio(2 * tp, 2 * tp + fp + fn),
    miou: mean([ratio(tn, tn + fp + fn), ratio(tp, tp + fp + fn)]),
    biou: ratio(shared, bandT.size + bandP.size - shared),
    bf1: nothing ? NaN : (2 * right * met) / (right + met) || 0,
    hd: apart(100),
    hd95: apart(95),
  };
};

const PIXELS = { accuracy: "pixel accuracy", precision: "precision", recall: "recall", iou: "IoU", dice: "Dice", miou: "mean IoU with background" };
const OUTLINES = { biou: "boundary IoU", bf1: "boundary F1", hd: "Hausdorff", hd95: "HD95" };
const tell = (value) => (Number.isNaN(value) ? "–" : value === Infinity ? "∞" : value.toFixed(3));

class PaintMasks extends SegFigure {
  css = `
    .board { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 14px; }
    .title { margin: 0 0 6px; font-size: .8125rem; color: var(--soft); }
    .paint { touch-action: none; cursor: crosshair; }
    .ground { fill: var(--faint); stroke: var(--line); } .grid { stroke: var(--line); stroke-width: .6; fill: none; }
    .object, .tp { fill: var(--accent); } .fp { fill: color-mix(in srgb, var(--warm) 30%, transparent); } .fn { fill: none; }
    .mark { stroke: var(--warm); stroke-width: 2; fill: none; } .void { stroke: var(--soft); stroke-width: 1.2; fill: none; }
    .border { stroke: currentColor; stroke-width: 2; fill: none; } .dashed { stroke: var(--warm); stroke-dasharray: 5 3; stroke-width: 2; fill: none; }
    .cursor { fill: none; stroke: var(--warm); stroke-width: 3; display: none; }
    svg:focus-visible .cursor { display: inline; }
    .brushes { display: inline-flex; gap: 4px; } .brushes button { min-height: 38px; } .brushes button[aria-pressed="true"] { border: 2px solid var(--warm); padding: 0 9px; font-weight: 600; }
    .counts { display: flex; flex-wrap: wrap; gap: 6px 18px; font-size: .875rem; }
    .counts span { display: inline-flex; align-items: center; gap: 6px; } .counts svg { width: 18px; height: 18px; flex: none; }
    .scores { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 10px 14px; margin: 0; }
    .scores div { display: flex; flex-direction: column; justify-content: flex-end; }
    .scores dt { color: var(--soft); font-size: .8125rem; line-height: 1.2; } .scores dd { margin: 0; font-weight: 600; font-size: 1.0625rem; }
    .bar1 { height: 4px; border-radius: 2px; background: var(--faint); } .bar1.none { visibility: hidden; } .bar1 i { display: block; height: 100%; border-radius: 2px; background: var(--accent); }
    .unit { font-weight: 400; font-size: .8125rem; color: var(--soft); } .say { min-height: 1.4em; }
    @container (max-width: 560px) {
      .board { grid-template-columns: minmax(0, 20rem); justify-content: center; }
      .both { width: 60%; justify-self: center; } .say { min-height: 2.8em; }
      .scores.six { grid-template-columns: repeat(3, minmax(0, 1fr)); } .scores.four { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 10px; }
    }`;

  frame() {
    const grid = (name, words) => `<div class="panel ${name}"><div class="title">${words}${name === "target" ? "" : ", target dashed"}</div><svg class="paint" data-map="${name}" tabindex="0" role="application"
      aria-label="${words}. Arrows move, space paints, 1 is object, 0 background${name === "target" ? ", v void" : ""}."></svg></div>`;
    const tile = ([key, name]) => `<div><dt>${name}${key === "bf1" ? ` <span class="at"></span>` : ""}</dt><dd data-score="${key}"></dd><div class="bar1${key.startsWith("hd") ? " none" : ""}"><i></i></div></div>`;
    const tiles = (names, words) => `<div><div class="title">${words}</div><dl class="scores ${words === "pixels" ? "six" : "four"}">${Object.entries(names).map(tile).join("")}</dl></div>`;
    return `
      <div class="bar">
        <label class="field"><span class="label">example</span><select class="preset" aria-label="example"></select></label>
        <span class="field"><span class="label">paint</span><span class="brushes" role="group" aria-label="paint with">
          <button data-brush="1">object</button><button data-brush="0">background</button><button data-brush="255">void</button></span></span>
        ${this.step("tolerance", "tolerance")}<button class="reset end">start over</button>
      </div>
      <div class="board">${grid("target", "target")}${grid("prediction", "prediction")}
        <div class="panel both"><div class="title">both</div><svg class="overlap" role="img" aria-label="where the two agree and differ"></svg></div></div>
      <div class="counts"></div>
      <div class="say label"></div>
      ${tiles(PIXELS, "pixels")}${tiles(OUTLINES, "outlines")}
      <div class="hidden live" aria-live="polite"></div>`;
  }

  start() {
    const names = ["as given", ...Object.keys(PRESETS), "your own"];
    const select = this.find(".preset");
    select.innerHTML = names.map((name) => `<option>${name}</option>`).join("");
    select.onchange = () => { if (select.value !== "your own") this.show(select.value); };
    this.find(".reset").onclick = () => { this.tolerance = 1; this.brush = 1; this.show("as given"); };
    for (const button of this.shadowRoot.querySelectorAll("[data-brush]"))
      button.onclick = () => { this.brush = Number(button.dataset.brush); this.draw(); };
    this.refresh = this.bindStep("tolerance", 0, 4, () => this.tolerance, (value) => { this.tolerance = value; this.draw(); this.announce(); });
    Object.assign(this, { tolerance: 1, brush: 1, cursor: [0, 0] });
    for (const svg of this.shadowRoot.querySelectorAll(".paint")) this.bindPainting(svg);
    this.show("as given");
  }

  show(name) {
    Object.assign(this, copy(this.given));
    const [height, width] = [this.target.length, this.target[0].length];
    let words = "Paint on either map: draw over an object to wipe it.";
    if (PRESETS[name]) {
      const box = (top, left, bottom, right) => {
        const at = (n, size) => Math.round((n * size) / 16);
        const found = [];
        for (let y = at(top, height); y < Math.max(at(bottom, height), at(top, height) + 1); y++)
          for (let x = at(left, width); x < Math.max(at(right, width), at(left, width) + 1); x++) found.push([y, x]);
        return found;
      };
      const empty = () => this.target.map((line) => line.map(() => 0));
      const [object, found, ring = []] = PRESETS[name][1](box);
      words = PRESETS[name][0];
      [this.target, this.prediction] = [empty(), empty()];
      for (const [y, x] of ring) this.target[y][x] = VOID;
      for (const [y, x] of object) this.target[y][x] = 1;
      for (const [y, x] of found) this.prediction[y][x] = 1;
    }
    this.find(".preset").value = name;
    this.find(".say").textContent = words;
    this.draw();
    this.announce();
  }

  draw() {
    const { target, prediction } = this;
    this.drawMap("target", (y, x) => (target[y][x] === VOID ? "void" : target[y][x] ? "object" : ""));
    this.drawMap("prediction", (y, x) => (prediction[y][x] ? "object" : ""), target);
    const kind = (y, x) => (target[y][x] === VOID ? "void" : ["", "fp", "fn", "tp"][2 * target[y][x] + prediction[y][x]]);
    this.fill(this.find(".overlap"), this.cells(kind));
    this.drawScores();
    for (const button of this.shadowRoot.querySelectorAll("[data-brush]"))
      button.setAttribute("aria-pressed", Number(button.dataset.brush) === this.brush);
    this.refresh();
  }

  // Each kind of pixel has a shape of its own beside its color.
  pixel(kind, x, y) {
    const [left, top] = [x * SIDE, y * SIDE];
    const square = (name) => `<rect class="${name}" x="${left + 1}" y="${top + 1}" width="${SIDE - 2}" height="${SIDE - 2}" rx="2"/>`;
    const line = (name, path) => `<path class="${name}" d="M${left} ${top}${path}"/>`;
    if (kind === "void") return line("void", "m3 10l7-7m-7 14l14-14m-7 14l7-7");
    if (kind === "fp") return square("fp") + line("mark", "m10 5v10m-5-5h10");
    if (kind === "fn") return `<rect class="mark" x="${left + 2.5}" y="${top + 2.5}" width="15" height="15" rx="2"/>${line("mark", "m6 10h8")}`;
    return kind ? square(kind) : "";
  }

  cells(kindOf) {
    return this.target.map((line, y) => line.map((_, x) => this.pixel(kindOf(y, x), x, y)).join("")).join("");
  }

  fill(svg, parts) {
    const [height, width] = [this.target.length * SIDE, this.target[0].length * SIDE];
    let lines = "";
    for (let x = SIDE; x < width; x += SIDE) lines += `M${x} 0v${height}`;
    for (let y = SIDE; y < height; y += SIDE) lines += `M0 ${y}h${width}`;
    svg.setAttribute("viewBox", `-2 -2 ${width + 4} ${height + 4}`);
    svg.innerHTML = `<rect class="ground" width="${width}" height="${height}" rx="3"/><path class="grid" d="${lines}"/>${parts}`;
  }

  drawMap(name, kindOf, other) {
    const [row, column] = this.cursor;
    const cursor = `<rect class="cursor" x="${column * SIDE + 1}" y="${row * SIDE + 1}" width="${SIDE - 2}" height="${SIDE - 2}" rx="3"/>`;
    const outline = other ? `<path class="dashed" d="${this.outline(other)}"/>` : "";
    this.fill(this.find(`[data-map="${name}"]`), this.cells(kindOf) + outline + cursor);
  }

  // The lines between the object and everything else.
  outline(map) {
    const is = (y, x) => map[y]?.[x] === 1;
    let path = "";
    for (let y = 0; y <= map.length; y++) {
      for (let x = 0; x <= map[0].length; x++) {
        if (is(y, x) !== is(y, x - 1)) path += `M${x * SIDE} ${y * SIDE}v${SIDE}`;
        if (is(y, x) !== is(y - 1, x)) path += `M${x * SIDE} ${y * SIDE}h${SIDE}`;
      }
    }
    return path;
  }

  drawScores() {
    this.scores = scoresOf(this.target, this.prediction, this.tolerance);
    const kinds = { tp: "true positives", fp: "false positives", fn: "false negatives", tn: "true negatives" };
    const sample = (kind) => `<svg viewBox="-1 -1 22 22" aria-hidden="true"><rect class="ground" width="20" height="20" rx="3"/>${this.pixel(kind === "tn" ? "" : kind, 0, 0)}</svg>`;
    const voids = this.target.flat().filter((label) => label === VOID).length;
    this.find(".counts").innerHTML = Object.entries(kinds).map(([kind, words]) =>
      `<span>${sample(kind)}${words} <b data-count="${kind}">${this.scores[kind]}</b></span>`).join("")
      + `<span>${sample("void")}void <b data-count="void">${voids}</b></span>`;
    for (const slot of this.shadowRoot.querySelectorAll("[data-score]")) {
      const value = this.scores[slot.dataset.score];
      const pixels = slot.dataset.score.startsWith("hd") && Number.isFinite(value) ? ' <span class="unit">px</span>' : "";
      slot.dataset.value = value;
      slot.innerHTML = tell(value) + pixels;
      slot.nextElementSibling.firstElementChild.style.width = `${100 * clamp(value || 0, 0, 1)}%`;
    }
    this.find(".at").textContent = `within ${this.tolerance} px`;
  }

  announce() {
    const { iou, bf1, hd } = this.scores;
    const words = (value) => (Number.isNaN(value) ? "undefined" : value === Infinity ? "infinite" : value.toFixed(3));
    this.find(".live").textContent = `IoU ${words(iou)}, boundary F1 ${words(bf1)}, Hausdorff distance ${words(hd)}`;
  }

  paint(name, [y, x], label) {
    this.cursor = [y, x];
    if (name === "prediction" && label === VOID) {
      this.find(".say").textContent = "A prediction decides at every pixel: only the target can be void.";
      return this.draw();
    }
    if (this[name][y][x] !== label) this.find(".preset").value = "your own";
    this[name][y][x] = label;
    this.draw();
  }

  bindPainting(svg) {
    const name = svg.dataset.map;
    const [height, width] = [this.given.target.length, this.given.target[0].length];
    const cellAt = (event) => {
      const { x, y } = this.spot(svg, event);
      const [row, column] = [Math.floor(y / SIDE), Math.floor(x / SIDE)];
      return row >= 0 && column >= 0 && row < height && column < width ? [row, column] : null;
    };
    let stroke; // the label that the stroke under way paints
    svg.onpointerdown = (event) => {
      const cell = cellAt(event);
      if (!cell) return;
      svg.setPointerCapture(event.pointerId);
      // A second touch of a painted pixel wipes it; the whole stroke then wipes.
      stroke = this[name][cell[0]][cell[1]] === this.brush ? 0 : this.brush;
      this.paint(name, cell, stroke);
    };
    svg.onpointermove = (event) => {
      const cell = stroke === undefined ? null : cellAt(event);
      if (cell) this.paint(name, cell, stroke);
    };
    svg.onpointerup = svg.onpointercancel = () => {
      if (stroke !== undefined) this.announce();
      stroke = undefined;
    };
    svg.onkeydown = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const [y, x] = this.cursor;
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      const label = { 0: 0, 1: 1, v: VOID }[event.key];
      if (move) {
        this.cursor = [clamp(y + move[0], 0, height - 1), clamp(x + move[1], 0, width - 1)];
        this.draw();
        const here = this[name][this.cursor[0]][this.cursor[1]];
        this.find(".live").textContent = `row ${this.cursor[0]}, column ${this.cursor[1]}: ${here === VOID ? "void" : here ? "object" : "background"}`;
      } else if (label !== undefined || event.key === " " || event.key === "Enter") {
        this.paint(name, this.cursor, label ?? (this[name][y][x] === this.brush ? 0 : this.brush));
        this.announce();
      } else return;
      event.preventDefault();
    };
  }
}
if (!customElements.get("seg-paint-masks")) customElements.define("seg-paint-masks", PaintMasks);
