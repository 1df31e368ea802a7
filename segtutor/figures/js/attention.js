// <seg-attention>: a picture under a grid of places; the picked one shows where it looks.

const CELL = 20; // a place in the units of the drawing

class Attention extends SegFigure {
  css = `
    .picture { position: relative; border-radius: 8px; overflow: hidden; touch-action: manipulation; background: #000; }
    .picture img { display: block; width: 100%; height: auto; }
    .picture svg { position: absolute; inset: 0; height: 100%; }
    .shade { fill: #000; } .lines { stroke: #fff; stroke-opacity: .16; stroke-width: .35; fill: none; }
    .ring { fill: none; stroke: #111; stroke-width: 3.4; } .ring.in { stroke: #ffb020; stroke-width: 1.8; }
    .peak { fill: none; stroke: #fff; stroke-width: 1.2; stroke-dasharray: 3 2; }
    .turn { display: inline-flex; gap: 4px; } .turn button[aria-pressed="true"] { border: 2px solid var(--warm); padding: 0 9px; font-weight: 600; }
    .read b { font-weight: 600; } .read { min-height: 2.8em; }`;

  frame() {
    return `
      <div class="bar">
        <label class="field kinds"><span class="label">attention</span><select class="kind" aria-label="attention"></select></label>
        <span class="field"><span class="label">show</span><span class="turn" role="group" aria-label="show">
          <button data-turn="from">where it looks</button><button data-turn="to">who looks at it</button></span></span>
      </div>
      <div class="picture" tabindex="0" role="application" aria-label="A grid of places over a picture. Arrows pick a place.">
        <img alt=""><svg class="grid" preserveAspectRatio="none" aria-hidden="true"></svg></div>
      <div class="read" aria-live="polite"></div>`;
  }

  start() {
    const { looks, place, photo } = this.given;
    this.place = [...place];
    this.turn = "from";
    this.kind = Object.keys(looks)[0];
    this.find("img").src = photo;
    const select = this.find(".kind");
    select.innerHTML = Object.keys(looks).map((name) => `<option>${escape(name)}</option>`).join("");
    this.find(".kinds").hidden = Object.keys(looks).length < 2;
    if (this.find(".kinds").hidden) this.find(".kinds").style.display = "none";
    select.onchange = () => {
      this.kind = select.value;
      this.draw();
    };
    for (const button of this.shadowRoot.querySelectorAll("[data-turn]"))
      button.onclick = () => {
        this.turn = button.dataset.turn;
        this.draw();
      };
    followGrid(this, () => this.given.size);
    this.draw();
  }

  // The shares of all places, as parts of one: of the picked one's look, or of what each gives it.
  shares() {
    const [, width] = this.given.size;
    const table = this.given.looks[this.kind];
    const picked = this.place[0] * width + this.place[1];
    const row = this.turn === "from" ? table[picked] : table.map((line) => line[picked]);
    return row.map((part) => part / this.given.whole);
  }

  draw() {
    const [height, width] = this.given.size;
    const shares = this.shares();
    const most = Math.max(...shares, 1e-9);
    const at = (i) => [(i % width) * CELL, Math.floor(i / width) * CELL];
    const shade = shares.map((share, i) => {
      const [x, y] = at(i);
      return `<rect class="shade" data-place="${i}" x="${x}" y="${y}" width="${CELL}" height="${CELL}" fill-opacity="${(0.86 * (1 - share / most)).toFixed(3)}"/>`;
    });
    let lines = "";
    for (let x = 1; x < width; x++) lines += `M${x * CELL} 0v${height * CELL}`;
    for (let y = 1; y < height; y++) lines += `M0 ${y * CELL}h${width * CELL}`;
    const box = (name, [x, y], inset) =>
      `<rect class="${name}" x="${x + inset}" y="${y + inset}" width="${CELL - 2 * inset}" height="${CELL - 2 * inset}" rx="2"/>`;
    const peak = shares.indexOf(Math.max(...shares));
    const picked = [this.place[1] * CELL, this.place[0] * CELL];
    const svg = this.find(".grid");
    svg.setAttribute("viewBox", `0 0 ${width * CELL} ${height * CELL}`);
    svg.innerHTML = `${shade.join("")}<path class="lines" d="${lines}"/>${box("peak", at(peak), 2.5)}${box("ring", picked, 1)}${box("ring in", picked, 1)}`;
    for (const button of this.shadowRoot.querySelectorAll("[data-turn]"))
      button.setAttribute("aria-pressed", button.dataset.turn === this.turn);
    this.tell(shares, peak);
  }

  tell(shares, peak) {
    const [, width] = this.given.size;
    const [row, column] = this.place;
    const where = (i) => `row ${Math.floor(i / width) + 1}, column ${(i % width) + 1}`;
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    const total = shares.reduce((sum, share) => sum + share, 0);
    const here = where(row * width + column);
    if (this.turn === "to") {
      this.find(".read").innerHTML = `All places together give ${here}, <b class="total">${percent(total)}</b> of a look; most comes from ${where(peak)}, <b class="most">${percent(shares[peak])}</b>.`;
      return;
    }
    let [sum, count] = [0, 0];
    for (const share of [...shares].sort((a, b) => b - a)) {
      if (sum >= 0.5 * total) break;
      sum += share;
      count += 1;
    }
    this.find(".read").innerHTML = `The place in ${here}, looks most at ${where(peak)}: <b class="most">${percent(shares[peak])}</b>. Half of its look lies in <b class="half">${count}</b> of ${shares.length} places; alike, each would get ${percent(1 / shares.length)}.`;
  }

  pick([row, column]) {
    const [height, width] = this.given.size;
    this.place = [clamp(row, 0, height - 1), clamp(column, 0, width - 1)];
    this.draw();
  }
}
if (!customElements.get("seg-attention")) customElements.define("seg-attention", Attention);
