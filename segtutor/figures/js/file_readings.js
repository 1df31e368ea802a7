// <seg-file-readings>: a small label map, written into a file in one way and read in another.

const VOID_LABEL = 255;
const UNIT = 30;
const WRITTEN = { palette: "a palette PNG", index: "a gray PNG", colors: "a color PNG" };
const READ = {
  stored: "as it is stored",
  gray: "convert('L')",
  red: "the red of its colors",
  tensor: "ToTensor, then long",
  named: "with a table of classes",
};
const SIZES = { whole: "not at all", nearest: "to half, nearest", bilinear: "to half, bilinear" };
// Pillow's gray: the luma of ITU-R 601 in whole numbers.
const luma = ([r, g, b]) => (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;

class FileReadings extends SegFigure {
  css = `
    .both { display: flex; gap: 22px; } .both > div { flex: 1 1 0; min-width: 0; }
    .title { margin: 0 0 6px; font-size: .8125rem; color: var(--soft); min-height: 2.8em; display: flex; align-items: end; }
    rect { stroke: var(--line); } rect.wrong { stroke: var(--warm); stroke-width: 2.5; }
    svg { overflow: visible; } svg text { font-size: 12px; font-weight: 600; } svg text.long { font-size: 9.5px; }
    .read b { font-weight: 600; }
    @container (max-width: 480px) { .both { gap: 10px; } svg text { font-size: 13px; } svg text.long { font-size: 11px; } }`;

  frame() {
    const list = (name, words, options) => `<label class="field"><span class="label">${words}</span>
      <select class="${name}" aria-label="${words}">${Object.entries(options)
        .map(([key, text]) => `<option value="${key}">${text}</option>`).join("")}</select></label>`;
    return `
      <div class="bar">${list("written", "written as", WRITTEN)}${list("reading", "read", READ)}${list("resized", "then resized", SIZES)}</div>
      <div class="both">
        <div><div class="title">what the annotator drew</div><svg class="drawn" role="img"></svg></div>
        <div><div class="title">what the program reads; wrong pixels are framed</div><svg class="found" role="img"></svg></div>
      </div>
      <div class="read" aria-live="polite"></div>`;
  }

  start() {
    this.labels = this.given.labels;
    for (const name of ["written", "reading", "resized"])
      this.find(`.${name}`).onchange = () => this.draw();
    this.draw();
  }

  colorOf(label) {
    return this.given.colors[label === VOID_LABEL ? this.given.colors.length - 1 : label];
  }

  // One pixel of the file, as this way of reading hands it out.
  value(label, written, reading) {
    if (reading === "named") return label;
    const color = written === "index" ? [label, label, label] : this.colorOf(label);
    if (reading === "gray") return luma(color);
    if (reading === "red") return color[0];
    const stored = written === "colors" ? color[0] : label;
    return reading === "tensor" ? Math.floor(stored / 255) : stored;
  }

  half(map, resized) {
    if (resized === "whole") return map;
    const rows = [];
    for (let y = 0; y < map.length; y += 2) {
      rows.push([]);
      for (let x = 0; x < map[0].length; x += 2) {
        const sum = map[y][x] + map[y][x + 1] + map[y + 1][x] + map[y + 1][x + 1];
        rows.at(-1).push(resized === "nearest" ? map[y + 1][x + 1] : Math.floor(sum / 4));
      }
    }
    return rows;
  }

  draw() {
    const [written, reading, resized] = ["written", "reading", "resized"].map((name) => this.find(`.${name}`).value);
    const target = this.half(this.labels, resized === "whole" ? "whole" : "nearest");
    const found = this.half(this.labels.map((line) => line.map((v) => this.value(v, written, reading))), resized);
    this.picture(this.find(".drawn"), target, target);
    this.picture(this.find(".found"), found, target);
    const values = [...new Set(found.flat())].sort((a, b) => a - b);
    let judged = 0, right = 0;
    target.forEach((line, y) => line.forEach((label, x) => {
      if (label === VOID_LABEL) return;
      judged++;
      right += found[y][x] === label;
    }));
    const planes = written === "colors" && ["stored", "tensor"].includes(reading) ? " It hands out three planes; this is the first." : "";
    this.find(".read").innerHTML = `values <b>${values.join(" ")}</b>; <b>${right} of ${judged}</b> judged pixels are right.${planes}`;
  }

  picture(svg, map, target) {
    const [height, width] = [map.length, map[0].length];
    svg.setAttribute("viewBox", `0 0 ${width * UNIT} ${height * UNIT}`);
    svg.setAttribute("aria-label", map.map((line) => line.join(" ")).join("; "));
    let squares = "", frames = "";
    map.forEach((line, y) => line.forEach((v, x) => {
      const known = v === VOID_LABEL || v < this.given.colors.length - 1;
      const color = known ? this.colorOf(v) : [v, v, v];
      const place = `x="${x * UNIT}" y="${y * UNIT}" width="${UNIT}" height="${UNIT}"`;
      const ink = luma(color) > 128 ? "#111" : "#fff";
      squares += `<rect ${place} data-value="${v}" fill="rgb(${color})"/><text x="${(x + 0.5) * UNIT}" y="${(y + 0.5) * UNIT}" class="${v > 99 ? "long" : ""}" style="fill:${ink}">${v}</text>`;
      if (v !== target[y][x]) frames += `<rect ${place} class="wrong" fill="none"/>`;
    }));
    svg.innerHTML = squares + frames;
  }
}
if (!customElements.get("seg-file-readings")) customElements.define("seg-file-readings", FileReadings);
