// <seg-skips>: a U-Net whose skips are switched on and off, and what it says then.

const ZOOM = 4; // label maps are drawn this many times finer, so that outlines stay thin
const [WIDE, STEP, BOX] = [480, 58, 40]; // the drawing: its width, a level's height, a box's height

class Skips extends SegFigure {
  css = `
    .net { max-width: 35rem; margin-left: auto; margin-right: auto; } .net text { font-size: 15px; } .net .map { fill: var(--faint); stroke: currentColor; stroke-width: 1.2; }
    .net .road { fill: none; stroke: currentColor; stroke-width: 1.5; opacity: .55; }
    .net .skip { cursor: pointer; } .net .skip line { stroke: var(--accent); stroke-width: 4; }
    .net .skip .hit { fill: transparent; stroke: none; } .net .skip .knob { fill: var(--accent); stroke: var(--accent); }
    .net .skip.off line { stroke: var(--line); stroke-dasharray: 3 8; } .net .skip.off .knob { fill: transparent; stroke: currentColor; stroke-dasharray: 3 3; }
    .net .skip text { fill: #fff; font-weight: 600; } :host([dark]) .net .skip text { fill: #06201d; } :host .net .skip.off text, :host([dark]) .net .skip.off text { fill: currentColor; font-weight: 400; }
    .switches button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent); color: #fff; } :host([dark]) .switches button[aria-pressed="true"] { color: #06201d; }
    .maps { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; } .maps > * { min-width: 0; }
    .maps img, .maps canvas { display: block; width: 100%; height: auto; border-radius: 6px; } .maps img { image-rendering: pixelated; }
    .maps .label { text-align: center; } .legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: .8125rem; }
    .chip { display: inline-block; width: 1em; height: 1em; border-radius: 3px; border: 1px solid var(--line); vertical-align: -0.12em; margin-right: .35em; }
    .errors { display: inline-flex; align-items: center; gap: 8px; min-height: 36px; cursor: pointer; } .errors input { width: 18px; height: 18px; accent-color: var(--accent); }`;

  frame() {
    const { sizes, names, colors, width, height } = this.given;
    const depth = sizes.length - 1;
    const tall = depth * STEP + BOX + 8;
    const dent = depth > 1 ? Math.min(34, 68 / (depth - 1)) : 0; // so much each level stands in
    const boxes = sizes.map((size, level) => {
      const y = 4 + level * STEP, x = 14 + level * dent, w = 96;
      const box = (left) => `<rect class="map" x="${left}" y="${y}" width="${w}" height="${BOX}" rx="6"/><text x="${left + w / 2}" y="${y + BOX / 2}">${size}</text>`;
      if (level === depth) return box(WIDE / 2 - w / 2);
      return box(x) + box(WIDE - x - w);
    }).join("");
    const roads = sizes.slice(1).map((_, k) => {
      const y = 4 + k * STEP + BOX, down = y + STEP - BOX, left = 14 + k * dent + 48;
      const to = k + 1 === depth ? WIDE / 2 - 30 : left + dent;
      return `<path class="road" d="M${left} ${y}L${to} ${down}M${WIDE - to} ${down}L${WIDE - left} ${y}"/>`;
    }).join("");
    const wires = sizes.slice(0, depth).map((_, k) => {
      const y = 4 + k * STEP + BOX / 2, x = 14 + k * dent + 96, end = WIDE / 2 - 52;
      return `<g class="skip" data-level="${k}"><line x1="${x}" y1="${y}" x2="${end}" y2="${y}"/><line x1="${WIDE - end}" y1="${y}" x2="${WIDE - x}" y2="${y}"/>
        <rect class="hit" x="${x}" y="${y - 22}" width="${WIDE - 2 * x}" height="44"/>
        <rect class="knob" x="${WIDE / 2 - 52}" y="${y - 15}" width="104" height="30" rx="15"/><text x="${WIDE / 2}" y="${y}"></text></g>`;
    }).join("");
    const switches = sizes.slice(0, depth).map((size, k) =>
      `<button data-level="${k}" aria-pressed="true">skip at ${size}</button>`).join("");
    const legend = names.map((name, k) => `<span><span class="chip" style="background:${escape(colors[k])}"></span>${k} ${escape(name)}</span>`).join("");
    return `
      <svg class="net" viewBox="0 0 ${WIDE} ${tall}" role="img" aria-label="The network: ${depth} skips join its left side, the encoder, with its right side, the decoder.">${roads}${wires}${boxes}</svg>
      <div class="bar switches" role="group" aria-label="skips, on or off">${switches}</div>
      <div class="read" aria-live="polite"></div>
      <div class="maps"><span class="label">picture</span><span class="label">prediction</span><span class="label">label map</span>
        <img alt="the picture" width="${width}" height="${height}"><canvas class="said" role="img" aria-label="prediction"></canvas><canvas class="true" role="img" aria-label="label map"></canvas></div>
      <label class="errors"><input type="checkbox"><span>show only what is wrong</span></label>
      <div class="legend">${legend}</div>`;
  }

  start() {
    const { said, truth, width, height, photo, sizes } = this.given;
    const unpack = (runs) => {
      const labels = new Uint8Array(width * height);
      let end = 0;
      for (const run of runs.split(" ")) {
        const [label, count] = run.split("x").map(Number);
        labels.fill(label, end, (end += count));
      }
      return labels;
    };
    this.said = said.map(unpack);
    this.truth = unpack(truth);
    this.find("img").src = photo;
    this.state = 2 ** (sizes.length - 1) - 1;
    const turn = (event) => {
      const wire = event.target.closest("[data-level]");
      if (wire) this.set(this.state ^ (1 << Number(wire.dataset.level)));
    };
    this.find(".net").onclick = turn;
    this.find(".switches").onclick = turn;
    this.find(".switches").onkeydown = (event) => {
      const key = Number(event.key) - 1;
      if (key >= 0 && key < sizes.length - 1) this.set(this.state ^ (1 << key));
    };
    this.find(".errors input").onchange = () => this.set(this.state);
    this.paint(this.find(".true"), this.truth, false);
    this.set(this.state);
  }

  set(state) {
    const { sizes, wrong, judged } = this.given;
    this.state = state;
    const depth = sizes.length - 1;
    for (const part of this.shadowRoot.querySelectorAll("[data-level]")) {
      const on = Boolean((state >> Number(part.dataset.level)) & 1);
      if (part.tagName === "BUTTON") part.setAttribute("aria-pressed", on);
      else {
        part.classList.toggle("off", !on);
        part.querySelector("text").textContent = on ? "skip" : "off";
      }
    }
    this.paint(this.find(".said"), this.said[state], this.find(".errors input").checked);
    const on = [...Array(depth).keys()].filter((k) => (state >> k) & 1).map((k) => sizes[k]);
    const which = on.length === depth ? "All skips are on" : on.length ? `On: ${on.join(", ")}` : "All skips are off";
    this.find(".read").textContent = `${which}. ${wrong[state]} of ${judged} pixels are wrong (${((100 * wrong[state]) / judged).toFixed(1)} %).`;
  }

  colorOf(label) {
    return label === 255 ? this.given.colors.at(-1) : this.given.colors[label];
  }

  paint(canvas, labels, onlyWrong) {
    const { width, height } = this.given;
    Object.assign(canvas, { width: width * ZOOM, height: height * ZOOM });
    const pen = canvas.getContext("2d");
    const at = (y, x) => labels[y * width + x];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const truth = this.truth[y * width + x];
        pen.globalAlpha = onlyWrong && (truth === 255 || truth === at(y, x)) ? 0.15 : 1;
        pen.fillStyle = this.colorOf(at(y, x));
        pen.fillRect(x * ZOOM, y * ZOOM, ZOOM, ZOOM);
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
}
if (!customElements.get("seg-skips")) customElements.define("seg-skips", Skips);
